//! The task that claims due jobs and the apalis worker that does them.

use std::{convert::Infallible, sync::Arc};

use apalis::prelude::{Monitor, WorkerBuilder};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{
    CONCURRENCY,
    backend::{Claimed, JobBackend},
    claim,
    run::{Runner, Worker},
};
use crate::{
    BoxFuture,
    clock::Clock,
    db::Db,
    error::{Error, Result},
    store::Table,
};
use convene_domain::Machine as _;

fn kind<W: Worker>() -> &'static str {
    <W::Table as Table>::Machine::KIND
}

/// A queue that is to be worked on.
pub struct Queue<W> {
    /// The service's database.
    pub db: Db,
    /// Its clock.
    pub clock: Clock,
    /// Who does the effects.
    pub worker: W,
    /// Name of the role, for audit trails.
    pub role: &'static str,
}

/// Works on a queue until told to stop; a job that runs then is waited for.
pub fn start<W: Worker>(
    queue: Queue<W>,
    stop: CancellationToken,
) -> BoxFuture<'static, Result<()>> {
    let metrics = queue.db.metrics().queue(queue.role, kind::<W>());
    let runner = Arc::new(Runner {
        metrics,
        actor: format!("system:{}", queue.role),
        db: queue.db,
        clock: queue.clock,
        worker: queue.worker,
    });
    let name = format!("{}/{}", queue.role, kind::<W>());
    Box::pin(async move {
        let stopped = stop.clone();
        Monitor::new()
            .register(move |_| {
                // A worker that starts anew gets a claimer of its own; the old one ends with its channel.
                let (claimed, jobs) = mpsc::channel(CONCURRENCY);
                tokio::spawn(claim_all(runner.clone(), claimed, stop.clone()));
                let runner = runner.clone();
                WorkerBuilder::new(name.clone())
                    .backend(JobBackend::new(jobs))
                    .build(move |task: Claimed| run_apart(runner.clone(), task))
            })
            .should_restart(|_, _| true)
            .run_with_signal(async move {
                stopped.cancelled().await;
                Ok(())
            })
            .await
            .map_err(|error| Error::internal(format!("worker stopped: {error}")))
    })
}

/// A task of its own: jobs run in parallel, and a slow one holds up nobody.
async fn run_apart<W: Worker>(runner: Arc<Runner<W>>, task: Claimed) -> Result<(), Infallible> {
    let _ = tokio::spawn(async move {
        runner.run(task.job.clone()).await;
        drop(task);
    })
    .await;
    Ok(())
}

async fn claim_all<W: Worker>(
    runner: Arc<Runner<W>>,
    claimed: mpsc::Sender<Claimed>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(CONCURRENCY));
    let mut commits = runner.db.commits();
    let mut moved = runner.clock.moved();
    loop {
        commits.mark_unchanged();
        let free = places.available_permits().max(1) as u64;
        let jobs = claim::claim(&runner.db, &runner.clock, kind::<W>(), free)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(reason = %error.reason, detail = error.detail(), "no jobs could be claimed");
                Vec::new()
            });
        let none = jobs.is_empty();
        runner.metrics.claimed(jobs.len());
        for job in jobs {
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            let task = Claimed {
                job: Arc::new(job),
                _place: Arc::new(place),
            };
            if claimed.send(task).await.is_err() {
                return;
            }
        }
        if !none {
            continue;
        }
        let idle = claim::idle_for(&runner.db, &runner.clock, kind::<W>())
            .await
            .unwrap_or(std::time::Duration::from_millis(super::POLL_MS));
        tokio::select! {
            () = stop.cancelled() => return,
            _ = commits.changed() => {}
            _ = moved.changed() => {}
            () = tokio::time::sleep(idle) => {}
        }
    }
}
