//! The effects of lobbies: one timer.

use async_trait::async_trait;
use convene_domain::{
    LobbyId,
    lobby::{Effect, Lobby},
};
use convene_kit::{
    Result, Row,
    jobs::{Done, Job, Worker},
};

use crate::{service, store::lobby::Lobbies};

pub(crate) struct LobbyWorker;

#[async_trait]
impl Worker for LobbyWorker {
    type Table = Lobbies;

    async fn run(&self, job: &Job<Effect>, row: Row<Lobby>) -> Result<Done<Lobbies>> {
        match job.effect {
            Effect::CloseWhenOver => {
                let id = LobbyId::from_uuid(row.id);
                Ok(Done::nothing().with(move |tx, origin| {
                    Box::pin(async move { service::close(tx, &origin, id, "TIME_OVER").await })
                }))
            }
        }
    }
}
