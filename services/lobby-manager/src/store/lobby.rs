//! Lobbies.

use convene_domain::{BookingId, Machine as _, lobby::Lobby};
use convene_kit::Table;
use sea_orm::Value;
use uuid::Uuid;

/// The lobbies' table.
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
