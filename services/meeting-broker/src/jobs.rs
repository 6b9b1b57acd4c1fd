//! The effects of meetings at the provider.

mod capture;
mod creation;

use std::sync::Arc;

use async_trait::async_trait;
use convene_domain::meeting::{Effect, Event, Meeting};
use convene_kit::{
    Deps, Error, Result, Row,
    jobs::{Done, Job, Worker},
    keys::Sealer,
    store as spine,
};

use crate::{provider::Provider, store::meeting::Meetings};

pub(crate) struct MeetingWorker {
    deps: Deps,
    provider: Arc<dyn Provider>,
    sealer: Sealer,
}

impl MeetingWorker {
    pub fn new(deps: Deps, provider: Arc<dyn Provider>, sealer: Sealer) -> Self {
        Self {
            deps,
            provider,
            sealer,
        }
    }

    async fn row(&self, job: &Job<Effect>) -> Result<Row<Meeting>> {
        spine::get::<Meetings, _>(self.deps.db.read(), job.tenant, job.object).await
    }
}

#[async_trait]
impl Worker for MeetingWorker {
    type Table = Meetings;

    async fn run(&self, job: &Job<Effect>, row: Row<Meeting>) -> Result<Done<Meetings>> {
        match job.effect {
            Effect::CreateMeeting => self.create(job.tenant, &row).await,
            Effect::MoveMeeting => self.move_meeting(job.tenant, &row).await,
            Effect::CancelMeeting => {
                self.remove(job.tenant, &row, None).await?;
                Ok(Done::fact(Event::MeetingCancelled))
            }
            Effect::Reconcile => self.reconcile(job.tenant, &row).await,
            Effect::StartCapture { segment } => self.start(&row, segment).await,
            Effect::StopCapture { segment } => self.stop(&row, segment).await,
            Effect::LocateArtefact { segment } => self.locate(&row, segment, job.attempt).await,
            Effect::LeaveCall => self.leave(&row).await,
        }
    }

    async fn give_up(&self, job: &Job<Effect>, error: &Error) -> Option<Done<Meetings>> {
        tracing::warn!(meeting = %job.object, reason = %error.reason, detail = error.detail(), "an effect was tried for the last time");
        // A row that cannot be read can take no fact either.
        let row = self.row(job).await.ok()?;
        match job.effect {
            Effect::CreateMeeting => {
                let failed = self.give_up_creating(job.tenant, &row).await;
                Some(Done::fact(failed))
            }
            Effect::StartCapture { segment } => {
                let event = capture::give_up_starting(&row.machine, segment);
                Some(Done::fact(event))
            }
            // Anything else stays for operators: to say that it is done would be a lie.
            _ => None,
        }
    }
}
