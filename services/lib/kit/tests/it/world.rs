//! A service of its own: lobbies in a database of the test's own.

use std::time::Duration;

use convene_domain::{
    BookingId, HostId, Machine as _, TenantId, Timestamp,
    lobby::{Event, Lobby},
};
use convene_kit::{Clock, Db, Origin, Table, event};
use convene_migrations::lobby_manager::Migrator;
use convene_scratch::Place;
use sea_orm::Value;
use uuid::Uuid;

/// What must happen happens within this time.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Lobbies;

impl Table for Lobbies {
    type Machine = Lobby;
    const NAME: &'static str = "lobby";

    fn booking(lobby: &Lobby, _id: Uuid) -> BookingId {
        lobby.booking
    }

    fn columns(lobby: &Lobby) -> Vec<(&'static str, Value)> {
        vec![("phase", lobby.state().into())]
    }
}

/// The name of the service.
pub const NAME: &str = "lobby-manager";

#[derive(Clone)]
pub struct World {
    pub db: Db,
    pub clock: Clock,
    pub tenant: TenantId,
}

impl World {
    pub async fn new(place: &Place) -> Self {
        Self::named(place, NAME).await
    }

    /// Another service with the same tables.
    pub async fn named(place: &Place, name: &str) -> Self {
        Self {
            db: Db::open::<Migrator>(place.database(), name).await.unwrap(),
            clock: Clock::default(),
            tenant: TenantId::from_uuid(Uuid::now_v7()),
        }
    }

    /// What another process of the same service sees: a handle of its own where processes may share, else the same one.
    pub async fn replica(&self, place: &Place) -> Self {
        let mut replica = self.clone();
        if place.server().is_some() {
            replica.db = Db::open::<Migrator>(place.database(), NAME).await.unwrap();
            replica.clock = Clock::new(self.clock.offset());
        }
        replica
    }

    /// Waits until the feed holds so many events; answers all.
    pub async fn placed(&self, count: usize) -> Vec<event::Model> {
        let filter = event::Filter::default();
        until("the feed holds them", || async {
            let events = event::page(self.db.read(), 0, 10_000, filter)
                .await
                .unwrap();
            (events.len() >= count).then_some(events)
        })
        .await
    }

    pub fn origin(&self) -> Origin {
        Origin {
            tenant: self.tenant,
            actor: "system:test".into(),
            now: self.clock.now(),
            traceparent: String::new(),
        }
    }

    /// The event that opens a lobby, whose timer is due at a moment.
    pub fn opened(booking: BookingId, closes_at: Timestamp) -> Event {
        Event::LobbyOpened {
            booking,
            meeting: booking.meeting(1),
            host: HostId::from_uuid(Uuid::nil()),
            closes_at,
        }
    }

    /// Opens a lobby; answers its id.
    pub async fn open(&self, closes_at: Timestamp) -> Uuid {
        let booking = BookingId::from_uuid(Uuid::now_v7());
        let (origin, id) = (self.origin(), booking.lobby().as_uuid());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let event = Self::opened(booking, closes_at);
                    convene_kit::store::insert::<Lobbies>(tx, &origin, id, event, Vec::new()).await
                })
            })
            .await
            .unwrap();
        id
    }

    /// Closes a lobby by hand.
    pub async fn close(&self, id: Uuid, reason: &str) -> convene_kit::Result<u64> {
        let (origin, reason) = (self.origin(), reason.to_owned());
        let row = self.db.write(move |tx| {
            Box::pin(async move {
                let event = Event::LobbyClosed { reason };
                convene_kit::store::change::<Lobbies>(tx, &origin, id, event).await
            })
        });
        row.await.map(|row| row.version)
    }
}

/// Looks until there is an answer.
pub async fn until<T, F, Fut>(what: &str, mut look: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            tokio::time::Instant::now() < patience,
            "did not happen: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
