//! A service of its own: lobbies on a file in a temporary folder.

use convene_domain::{
    BookingId, HostId, Machine as _, TenantId, Timestamp,
    lobby::{Event, Lobby},
};
use convene_kit::{Clock, Db, Origin, Table};
use convene_migrations::lobby_manager::Migrator;
use sea_orm::Value;
use tempfile::TempDir;
use uuid::Uuid;

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

pub struct World {
    pub db: Db,
    pub clock: Clock,
    pub folder: TempDir,
    pub tenant: TenantId,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            db: Db::open_sqlite::<Migrator>(folder.path(), "lobby-manager")
                .await
                .unwrap(),
            clock: Clock::default(),
            tenant: TenantId::from_uuid(Uuid::now_v7()),
            folder,
        }
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
