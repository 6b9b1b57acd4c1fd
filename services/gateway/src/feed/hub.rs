//! One followed feed for all subscribers.

use std::{sync::Arc, time::Duration};

use convene_domain::TenantId;
use convene_kit::{Caller, Channel, Context, Error, Result, caller::Callers};
use convene_proto::event::v1::{Event, ReadRequest, WatchRequest, events_client::EventsClient};
use tokio::sync::{OnceCell, broadcast};
use tokio_util::sync::CancellationToken;

use super::{SOURCES, Source};
use crate::Peers;

/// Events that wait for a slow subscriber; then it reads the log instead.
const FAN_OUT: usize = 1_024;
/// Pause before a broken feed is opened again, in milliseconds.
const REOPEN_MS: u64 = 250;

/// The followed feeds.
pub struct Hubs([Hub; SOURCES.len()]);

impl Hubs {
    /// Nothing is followed before the first subscriber comes, nor after `stop`.
    pub fn new(peers: &Peers, callers: &Callers, stop: &CancellationToken) -> Self {
        Self(SOURCES.map(|source| Hub {
            follower: Follower {
                source,
                client: source.client(peers),
                callers: callers.clone(),
                stop: stop.clone(),
            },
            events: OnceCell::new(),
        }))
    }

    /// All events of a source that are not in its log yet when this answers, and perhaps some that are.
    pub async fn subscribe(&self, source: Source) -> Result<broadcast::Receiver<Arc<Event>>> {
        match self.0.get(source.index()) {
            Some(hub) => hub.subscribe().await,
            None => Err(Error::internal("a source without a hub")),
        }
    }
}

struct Hub {
    follower: Follower,
    events: OnceCell<broadcast::Sender<Arc<Event>>>,
}

impl Hub {
    async fn subscribe(&self) -> Result<broadcast::Receiver<Arc<Event>>> {
        let start = || async {
            // Known before anybody subscribes: a subscriber reads the log after that, so no event falls between the log it read and
            // the place where following began.
            let position = self.follower.head().await?;
            let (events, _) = broadcast::channel(FAN_OUT);
            tokio::spawn(self.follower.clone().run(position, events.clone()));
            Ok::<_, Error>(events)
        };
        Ok(self.events.get_or_try_init(start).await?.subscribe())
    }
}

#[derive(Clone)]
struct Follower {
    source: Source,
    client: EventsClient<Channel>,
    callers: Callers,
    stop: CancellationToken,
}

impl Follower {
    fn request<T>(&self, message: T) -> Result<tonic::Request<T>> {
        let nobody = TenantId::from_uuid(uuid::Uuid::nil());
        Context::begin(Caller::system(nobody, crate::NAME)).request(&self.callers, message)
    }

    /// The newest position of the log.
    async fn head(&self) -> Result<u64> {
        let message = ReadRequest {
            limit: 1,
            ..ReadRequest::default()
        };
        let read = self.client.clone().read(self.request(message)?).await?;
        Ok(read.into_inner().head_position)
    }

    /// Follows the feed until the gateway stops.
    async fn run(mut self, mut position: u64, events: broadcast::Sender<Arc<Event>>) {
        let stop = self.stop.clone();
        let following = async {
            loop {
                let error = match self.pull(&events, &mut position).await {
                    Ok(()) => Error::unavailable("FEED_ENDED", "the feed ended"),
                    Err(error) => error,
                };
                tracing::warn!(source = self.source.name(), reason = %error.reason, "a feed broke; opening it again");
                tokio::time::sleep(Duration::from_millis(REOPEN_MS)).await;
            }
        };
        stop.run_until_cancelled(following).await;
    }

    async fn pull(
        &mut self,
        events: &broadcast::Sender<Arc<Event>>,
        position: &mut u64,
    ) -> Result<()> {
        let mut watch = self.request(WatchRequest {
            after_position: *position,
            booking_id: String::new(),
        })?;
        // A watch never ends by itself.
        watch.metadata_mut().remove("grpc-timeout");
        let mut watched = self.client.watch(watch).await?.into_inner();
        while let Some(event) = watched.message().await? {
            *position = event.position;
            // Without subscribers there is nobody to tell.
            let _ = events.send(Arc::new(event));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use convene_domain::{BookingId, HostId, Machine as _, lobby};
    use convene_kit::{Clock, Db, Deps, Origin, Role, Table, local, store};
    use convene_migrations::lobby_manager::Migrator;
    use futures_util::FutureExt as _;
    use ring::hmac;
    use uuid::Uuid;

    use super::*;

    struct Lobbies;

    impl Table for Lobbies {
        type Machine = lobby::Lobby;
        const NAME: &'static str = "lobby";

        fn booking(lobby: &lobby::Lobby, _id: Uuid) -> BookingId {
            lobby.booking
        }

        fn columns(lobby: &lobby::Lobby) -> Vec<(&'static str, sea_orm::Value)> {
            vec![("phase", lobby.state().into())]
        }
    }

    /// Writes one event.
    async fn happen(db: &Db) {
        let booking = BookingId::from_uuid(Uuid::now_v7());
        let clock = Clock::default();
        let origin = Origin {
            tenant: TenantId::from_uuid(Uuid::nil()),
            actor: "system:test".into(),
            now: clock.now(),
            traceparent: String::new(),
        };
        db.write(move |tx| {
            Box::pin(async move {
                let event = lobby::Event::LobbyOpened {
                    booking,
                    meeting: booking.meeting(1),
                    host: HostId::from_uuid(Uuid::nil()),
                    closes_at: origin.now.plus_millis(60_000),
                };
                let id = booking.lobby().as_uuid();
                store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await
            })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn nothing_falls_between_the_log_and_the_live_feed() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite::<Migrator>(folder.path(), "lobby-manager");
        let db = db.await.unwrap();
        let callers = Callers::new(
            hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]),
            Clock::default(),
        );
        let (channel, incoming) = local::pipe();
        let peers = Peers {
            scheduler: channel.clone(),
            broker: channel.clone(),
            lobby: channel.clone(),
            recording: channel.clone(),
            webhooks: channel.clone(),
            workflows: channel,
            clocks: Vec::new(),
        };
        let stop = CancellationToken::new();
        let hubs = Hubs::new(&peers, &callers, &stop);

        // Nobody answers yet: whoever subscribed now would not know from where the live feed goes on.
        let mut subscribing = Box::pin(hubs.subscribe(Source::Lobby));
        assert!((&mut subscribing).now_or_never().is_none());
        happen(&db).await;
        let deps = Deps {
            db: db.clone(),
            clock: Clock::default(),
            callers: callers.clone(),
        };
        let role = Role::new("lobby-manager", deps).await.unwrap();
        let serving = tokio::spawn(role.run(incoming, stop.clone()));
        let mut live = subscribing.await.unwrap();
        // What the log holds now …
        let mut client = Source::Lobby.client(&peers);
        let nobody = Caller::system(TenantId::from_uuid(Uuid::nil()), crate::NAME);
        let read = Context::begin(nobody).request(&callers, ReadRequest::default());
        let log = client
            .read(read.unwrap())
            .await
            .unwrap()
            .into_inner()
            .events;
        assert_eq!(log.len(), 1);
        // … and all that comes after.
        happen(&db).await;
        happen(&db).await;
        for position in [2, 3] {
            assert_eq!(live.recv().await.unwrap().position, position);
        }
        // The feed ends with the gateway.
        stop.cancel();
        drop(hubs);
        while live.recv().await.is_ok() {}
        serving.await.unwrap().unwrap();
    }
}
