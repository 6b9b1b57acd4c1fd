//! The job table as an apalis backend: it yields claimed jobs and never more than can run.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::{Task, builder::TaskBuilder},
    worker::context::WorkerContext,
};
use futures_util::Stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tower::layer::util::Identity;

use super::Model;

/// A claimed job and its place among those that may run at the same time.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub job: Arc<Model>,
    pub _place: Arc<OwnedSemaphorePermit>,
}

/// Jobs come from the task that claims them.
pub struct JobBackend {
    claimed: ReceiverStream<Claimed>,
}

impl JobBackend {
    pub fn new(claimed: mpsc::Receiver<Claimed>) -> Self {
        Self {
            claimed: ReceiverStream::new(claimed),
        }
    }
}

impl Backend for JobBackend {
    type Task = Task<Claimed>;
    type Error = Infallible;

    fn poll_ready(
        &mut self,
        _cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        Pin::new(&mut self.claimed)
            .poll_next(cx)
            .map(|next| next.map(|claimed| Ok(TaskBuilder::new(claimed).build())))
    }

    fn poll_close(
        &mut self,
        _cx: &mut Context<'_>,
        _worker: &WorkerContext,
    ) -> Poll<Result<(), Infallible>> {
        // Unfinished jobs keep their rows; their leases end by themselves.
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for JobBackend {
    type Args = Claimed;
    type Id = uuid::Uuid;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &Self::Config {
        &()
    }

    fn middleware(&mut self, _worker: &mut WorkerContext) -> Self::Layer {
        Identity::new()
    }
}
