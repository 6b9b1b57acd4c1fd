//! Events for subscribers: the gateway follows each service's feed once and fans it out; whoever resumes or falls behind reads the
//! service's own log, so that nothing is lost and nothing comes twice.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convene_domain::{BookingId, TenantId};
use convene_kit::{Caller, Context, Error, Result, caller::Callers, limits};
use convene_proto::event::v1::{Event, ReadRequest, WatchRequest, events_client::EventsClient};
use futures_util::{Stream, stream};
use tokio::sync::{OnceCell, broadcast};
use tonic::transport::Channel;

use crate::{
    Peers,
    api::{Api, Session},
};

/// Events that wait for a slow subscriber; then it reads the log instead.
const FAN_OUT: usize = 1_024;
/// Pause before a broken feed is opened again, in milliseconds.
const REOPEN_MS: u64 = 250;

/// A service whose facts clients see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Scheduler,
    Broker,
    Lobby,
    Recording,
}

/// All of them; a cursor holds their positions in this order.
pub const SOURCES: [Source; 4] = [
    Source::Scheduler,
    Source::Broker,
    Source::Lobby,
    Source::Recording,
];

impl Source {
    /// Name in APIs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduler => "scheduler",
            Self::Broker => "meeting-broker",
            Self::Lobby => "lobby-manager",
            Self::Recording => "recording-coordinator",
        }
    }

    /// A client of its feed.
    pub fn client(self, peers: &Peers) -> EventsClient<Channel> {
        EventsClient::new(match self {
            Self::Scheduler => peers.scheduler.clone(),
            Self::Broker => peers.broker.clone(),
            Self::Lobby => peers.lobby.clone(),
            Self::Recording => peers.recording.clone(),
        })
    }

    fn index(self) -> usize {
        match self {
            Self::Scheduler => 0,
            Self::Broker => 1,
            Self::Lobby => 2,
            Self::Recording => 3,
        }
    }
}

/// Where a subscriber stands in each service's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor([u64; 4]);

impl Cursor {
    /// Opaque text for clients.
    pub fn encode(self) -> String {
        let text = self.0.map(|position| position.to_string()).join(".");
        URL_SAFE_NO_PAD.encode(text)
    }

    /// What [`Self::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self> {
        let parse = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let positions: Vec<u64> = text
                .split('.')
                .map(|position| position.parse().ok())
                .collect::<Option<_>>()?;
            Some(Self(positions.try_into().ok()?))
        };
        parse().ok_or_else(|| {
            Error::invalid(
                "after",
                "MALFORMED_CURSOR",
                "after is not a cursor of this API; send one as it was answered, or none to start at the beginning",
            )
        })
    }

    fn at(self, source: Source) -> u64 {
        self.0.get(source.index()).copied().unwrap_or(0)
    }

    /// The cursor after an event of a source.
    pub fn advanced(mut self, source: Source, position: u64) -> Self {
        if let Some(at) = self.0.get_mut(source.index()) {
            *at = position;
        }
        self
    }
}

/// One followed feed.
struct Hub {
    source: Source,
    channel: EventsClient<Channel>,
    callers: Callers,
    events: OnceCell<broadcast::Sender<Arc<Event>>>,
}

/// The followed feeds.
pub struct Hubs([Hub; 4]);

impl Hubs {
    /// Nothing is followed before the first subscriber comes.
    pub fn new(peers: &Peers, callers: &Callers) -> Self {
        Self(SOURCES.map(|source| Hub {
            source,
            channel: source.client(peers),
            callers: callers.clone(),
            events: OnceCell::new(),
        }))
    }

    async fn subscribe(&self, source: Source) -> broadcast::Receiver<Arc<Event>> {
        match self.0.get(source.index()) {
            Some(hub) => hub.subscribe().await,
            // Every source has its hub; a closed channel would only end the stream.
            None => broadcast::channel(1).1,
        }
    }
}

impl Hub {
    async fn subscribe(&self) -> broadcast::Receiver<Arc<Event>> {
        let start = || async {
            let (events, _) = broadcast::channel(FAN_OUT);
            tokio::spawn(follow(
                self.source,
                self.channel.clone(),
                self.callers.clone(),
                events.clone(),
            ));
            events
        };
        self.events.get_or_init(start).await.subscribe()
    }
}

fn system() -> Context {
    Context::begin(Caller::system(
        TenantId::from_uuid(uuid::Uuid::nil()),
        crate::NAME,
    ))
}

/// Follows a feed for ever, from where it stood when the first subscriber came.
async fn follow(
    source: Source,
    mut client: EventsClient<Channel>,
    callers: Callers,
    events: broadcast::Sender<Arc<Event>>,
) {
    let mut position = None;
    loop {
        let error = match pull(&mut client, &callers, &events, &mut position).await {
            Ok(()) => Error::unavailable("FEED_ENDED", "the feed ended"),
            Err(error) => error,
        };
        tracing::warn!(source = source.name(), reason = %error.reason, "a feed broke; opening it again");
        tokio::time::sleep(Duration::from_millis(REOPEN_MS)).await;
    }
}

async fn pull(
    client: &mut EventsClient<Channel>,
    callers: &Callers,
    events: &broadcast::Sender<Arc<Event>>,
    position: &mut Option<u64>,
) -> Result<()> {
    let after_position = match *position {
        Some(position) => position,
        None => {
            let head = ReadRequest {
                limit: 1,
                ..ReadRequest::default()
            };
            let head = client.read(system().request(callers, head)?).await?;
            *position.insert(head.into_inner().head_position)
        }
    };
    let mut watch = system().request(
        callers,
        WatchRequest {
            after_position,
            booking_id: String::new(),
        },
    )?;
    // A watch never ends by itself.
    watch.metadata_mut().remove("grpc-timeout");
    let mut watched = client.watch(watch).await?.into_inner();
    while let Some(event) = watched.message().await? {
        *position = Some(event.position);
        // Without subscribers there is nobody to tell.
        let _ = events.send(Arc::new(event));
    }
    Ok(())
}

/// The events of one booking in one service after a position: first from the log, then live.
struct Follow {
    api: Arc<Api>,
    session: Session,
    source: Source,
    booking: String,
    after: u64,
    read: std::collections::VecDeque<Arc<Event>>,
    behind: bool,
    live: broadcast::Receiver<Arc<Event>>,
}

/// The events of a booking in all services after a cursor, in each service's order.
pub async fn events(
    api: &Arc<Api>,
    session: &Session,
    booking: BookingId,
    cursor: Cursor,
) -> impl Stream<Item = Result<(Source, Arc<Event>)>> + use<> {
    let mut streams = Vec::new();
    for source in SOURCES {
        // Subscribed before the log is read, so that nothing falls between.
        let follow = Follow {
            live: api.hubs.subscribe(source).await,
            api: api.clone(),
            session: session.clone(),
            source,
            booking: booking.to_string(),
            after: cursor.at(source),
            read: std::collections::VecDeque::new(),
            behind: true,
        };
        streams.push(Box::pin(stream::try_unfold(follow, next)));
    }
    stream::select_all(streams)
}

async fn next(mut follow: Follow) -> Result<Option<((Source, Arc<Event>), Follow)>> {
    let tenant = follow.session.caller.tenant.to_string();
    loop {
        if let Some(event) = follow.read.pop_front() {
            follow.after = event.position;
            return Ok(Some(((follow.source, event), follow)));
        }
        if follow.behind {
            follow.fill().await?;
            continue;
        }
        match follow.live.recv().await {
            Ok(event) => {
                let new = event.position > follow.after
                    && event.tenant_id == tenant
                    && event.booking_id == follow.booking;
                if new {
                    follow.read.push_back(event);
                }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => follow.behind = true,
            Err(broadcast::error::RecvError::Closed) => return Ok(None),
        }
    }
}

impl Follow {
    /// Reads one page of the log, with the subscriber's own rights.
    async fn fill(&mut self) -> Result<()> {
        let message = ReadRequest {
            after_position: self.after,
            limit: limits::FEED_PAGE_MAX,
            booking_id: self.booking.clone(),
        };
        let request = self.session.request(message)?;
        let mut client = self.source.client(&self.api.peers);
        let page = client.read(request).await?.into_inner().events;
        self.behind = page.len() == limits::FEED_PAGE_MAX as usize;
        self.read.extend(page.into_iter().map(Arc::new));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_garbage_does_not() {
        let cursor = Cursor::default()
            .advanced(Source::Lobby, 7)
            .advanced(Source::Scheduler, u64::MAX);
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        for bad in ["", "x", "MS4yLjM", "MS4yLjMuNC41", "LTEuMC4wLjA"] {
            let error = Cursor::decode(bad).unwrap_err();
            assert_eq!(error.reason, "MALFORMED_CURSOR", "{bad}");
        }
    }
}
