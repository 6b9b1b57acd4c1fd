//! The effects of lobbies (one timer) and of visits (a plugin is asked).

use async_trait::async_trait;
use convene_domain::{
    LobbyId,
    lobby::{Effect, Lobby},
    visit::{self, Visit},
};
use convene_kit::{
    Result, Row,
    jobs::{Done, Job, Worker},
};

use crate::{
    service::{self, plugins::Plugins},
    store::{lobby::Lobbies, visit::Visits},
};

pub(crate) struct LobbyWorker;

#[async_trait]
impl Worker for LobbyWorker {
    type Table = Lobbies;

    async fn run(&self, job: &Job<Effect>, row: Row<Lobby>) -> Result<Done<Lobbies>> {
        match job.effect {
            Effect::CloseWhenOver { .. } => {
                let id = LobbyId::from_uuid(row.id);
                Ok(Done::nothing().with(move |tx, origin| {
                    Box::pin(async move { service::close(tx, &origin, id, "TIME_OVER").await })
                }))
            }
        }
    }
}

pub(crate) struct VisitWorker {
    pub plugins: Plugins,
}

#[async_trait]
impl Worker for VisitWorker {
    type Table = Visits;

    async fn run(&self, job: &Job<visit::Effect>, row: Row<Visit>) -> Result<Done<Visits>> {
        match job.effect {
            visit::Effect::AskPlugin => self.plugins.ask(&row, job.attempt).await,
        }
    }
}
