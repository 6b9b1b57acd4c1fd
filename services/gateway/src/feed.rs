//! Events for subscribers: the gateway follows each service's feed once and fans it out; whoever resumes or falls behind reads the
//! service's own log, so that nothing is lost and nothing comes twice.

mod cursor;
mod hub;
mod place;

use std::{collections::VecDeque, sync::Arc};

use convene_domain::BookingId;
use convene_kit::{Channel, Result, limits};
use convene_proto::event::v1::{Event, ReadRequest, ReadResponse, events_client::EventsClient};
use futures_util::{Stream, stream};
use tokio::sync::broadcast;

use crate::{
    Peers,
    api::{Api, Session},
};
pub use cursor::Cursor;
pub use hub::Hubs;
pub use place::Place;

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

/// A page of a booking's log in one service, with the subscriber's own rights.
async fn read(
    api: &Api,
    session: &Session,
    source: Source,
    booking: BookingId,
    after_position: u64,
) -> Result<ReadResponse> {
    let message = ReadRequest {
        after_position,
        limit: limits::FEED_PAGE_MAX,
        booking_id: booking.to_string(),
    };
    let mut client = source.client(&api.peers);
    Ok(client.read(session.request(message)?).await?.into_inner())
}

/// Where the logs end now: all that a look at the world after this may show has happened before, or comes as an event behind it.
pub async fn now(api: &Api, session: &Session, booking: BookingId) -> Result<Cursor> {
    let mut cursor = Cursor::default();
    for source in SOURCES {
        // Nothing lies behind the last position: only the head is asked for.
        let last = i64::MAX.unsigned_abs();
        let page = read(api, session, source, booking, last).await?;
        cursor = cursor.advanced(source, page.head_position);
    }
    Ok(cursor)
}

/// The events of a booking in all services after a cursor, in each service's order.
pub async fn events(
    api: &Arc<Api>,
    session: &Session,
    booking: BookingId,
    cursor: Cursor,
) -> Result<impl Stream<Item = Result<(Source, Arc<Event>)>> + use<>> {
    let mut streams = Vec::new();
    for source in SOURCES {
        let follow = Follow {
            // Subscribed before the log is read, so that nothing falls between.
            live: api.hubs.subscribe(source).await?,
            api: api.clone(),
            session: session.clone(),
            source,
            booking,
            after: cursor.at(source),
            read: VecDeque::new(),
            behind: true,
        };
        streams.push(Box::pin(stream::try_unfold(follow, Follow::next)));
    }
    Ok(stream::select_all(streams))
}

/// One booking in one service's feed: first from the log, then live.
struct Follow {
    api: Arc<Api>,
    session: Session,
    source: Source,
    booking: BookingId,
    after: u64,
    read: VecDeque<Arc<Event>>,
    behind: bool,
    live: broadcast::Receiver<Arc<Event>>,
}

impl Follow {
    async fn next(mut self) -> Result<Option<((Source, Arc<Event>), Self)>> {
        let tenant = self.session.caller.tenant.to_string();
        let booking = self.booking.to_string();
        loop {
            if let Some(event) = self.read.pop_front() {
                self.after = event.position;
                return Ok(Some(((self.source, event), self)));
            }
            if self.behind {
                self.fill().await?;
                continue;
            }
            match self.live.recv().await {
                Ok(event) => {
                    let new = event.position > self.after
                        && event.booking_id == booking
                        && event.tenant_id == tenant;
                    if new {
                        self.read.push_back(event);
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => self.behind = true,
                Err(broadcast::error::RecvError::Closed) => return Ok(None),
            }
        }
    }

    async fn fill(&mut self) -> Result<()> {
        let page = read(
            &self.api,
            &self.session,
            self.source,
            self.booking,
            self.after,
        );
        let events = page.await?.events;
        self.behind = events.len() == limits::FEED_PAGE_MAX as usize;
        self.read.extend(events.into_iter().map(Arc::new));
        Ok(())
    }
}
