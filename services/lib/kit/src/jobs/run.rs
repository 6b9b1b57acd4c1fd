//! One job: ask whether it is still wanted, act, settle together with the fact.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use convene_domain::{Machine, TenantId, Timestamp};
use futures_util::FutureExt as _;
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, sea_query::Expr};
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{ATTEMPTS_MAX, BACKOFF_MS, Column, Entity, HEARTBEAT_MS, Model, claim};
use crate::{
    BoxFuture, backoff,
    clock::Clock,
    db::{Db, Tx, times::times},
    error::{Error, Result},
    metrics::QueueMetrics,
    probe::{Act, Side},
    store::{self, Origin, Row, Table},
    telemetry,
};

/// A claimed job, decoded.
#[derive(Clone, Debug)]
pub struct Job<E> {
    /// Stays the same over all tries: a key for the outside.
    pub id: Uuid,
    /// Owner of the object.
    pub tenant: TenantId,
    /// The object.
    pub object: Uuid,
    /// What to do.
    pub effect: E,
    /// 1 for the first try.
    pub attempt: i32,
    /// Trace that wanted it.
    pub traceparent: String,
}

/// The effects of a table's machine.
pub type EffectOf<T> = <<T as Table>::Machine as Machine>::Effect;
type EventOf<T> = <<T as Table>::Machine as Machine>::Event;

/// Does the effects of one machine.
#[async_trait]
pub trait Worker: Send + Sync + 'static {
    /// Whose effects.
    type Table: Table;

    /// Acts on the outside. `row` is fresh and wants the effect. The answer is stored together with the settling of the job.
    async fn run(
        &self,
        job: &Job<EffectOf<Self::Table>>,
        row: Row<<Self::Table as Table>::Machine>,
    ) -> Result<Done<Self::Table>>;

    /// What to store when the job failed for good; by default nothing, and the job stays as dead for operators.
    async fn give_up(
        &self,
        _job: &Job<EffectOf<Self::Table>>,
        _error: &Error,
    ) -> Option<Done<Self::Table>> {
        None
    }
}

type Write = Box<dyn for<'tx> FnOnce(&'tx Tx, Origin) -> BoxFuture<'tx, Result<()>> + Send>;

/// What a job brings home.
pub struct Done<T: Table> {
    events: Vec<EventOf<T>>,
    write: Option<Write>,
}

impl<T: Table> Done<T> {
    /// The outside knows; nothing new is known here.
    pub fn nothing() -> Self {
        Self {
            events: Vec::new(),
            write: None,
        }
    }

    /// A fact for the object whose job it was.
    pub fn fact(event: EventOf<T>) -> Self {
        Self::nothing().and(event)
    }

    /// One more fact.
    pub fn and(mut self, event: EventOf<T>) -> Self {
        self.events.push(event);
        self
    }

    /// Something more to store in the same transaction.
    pub fn with<F>(mut self, write: F) -> Self
    where
        F: for<'tx> FnOnce(&'tx Tx, Origin) -> BoxFuture<'tx, Result<()>> + Send + 'static,
    {
        self.write = Some(Box::new(write));
        self
    }
}

/// What running jobs share.
pub struct Runner<W> {
    pub db: Db,
    pub clock: Clock,
    pub worker: W,
    /// Principal of the facts that jobs bring home.
    pub actor: String,
    pub metrics: QueueMetrics,
}

/// How a try ended, as its row says.
enum Ended {
    Done,
    Failed { dead: bool },
}

impl<W: Worker> Runner<W> {
    /// Never fails: what goes wrong is written to the row or, when even that fails, left to the end of the lease.
    pub async fn run(self: Arc<Self>, row: Arc<Model>) {
        let span = telemetry::follow(
            tracing::info_span!("job", actor = self.actor, queue = %row.queue, attempt = row.attempts),
            &row.traceparent,
        );
        let began = Instant::now();
        if row.attempts == 1 {
            let late = self.clock.now().as_millis() - row.due_at_ms;
            self.metrics.late_ms(late);
        }
        async {
            match self.attempt(&row).await {
                Ok(Ended::Done) => self.metrics.done(began.elapsed()),
                Ok(Ended::Failed { dead }) => self.metrics.failed(dead, began.elapsed()),
                Err(error) => {
                    self.metrics.lost(began.elapsed());
                    tracing::warn!(reason = %error.reason, detail = error.detail(), "a job was left to the end of its lease");
                }
            }
        }
        .instrument(span)
        .await;
    }

    async fn attempt(&self, row: &Model) -> Result<Ended> {
        let Some(token) = row.lease_token else {
            return Err(Error::internal("a job ran without a lease"));
        };
        let job = Job {
            id: row.id,
            tenant: TenantId::from_uuid(row.tenant_id),
            object: row.object_id,
            effect: match serde_json::from_str(&row.effect) {
                Ok(effect) => effect,
                Err(error) => {
                    let error = Error::internal(format!("unreadable effect: {error}"));
                    return self.fail(row, token, &error, true).await;
                }
            },
            attempt: row.attempts,
            traceparent: row.traceparent.clone(),
        };
        let acted = tokio::select! {
            acted = AssertUnwindSafe(self.act(&job)).catch_unwind() => acted
                .unwrap_or_else(|_| Err(Error::internal("a job panicked"))),
            lost = self.keep_lease(row, token) => return Err(lost),
        };
        let done = match acted {
            Ok(done) => done,
            Err(error) if error.is_transient() && row.attempts < ATTEMPTS_MAX => {
                return self.fail(row, token, &error, false).await;
            }
            Err(error) => match self.worker.give_up(&job, &error).await {
                Some(done) => done,
                None => return self.fail(row, token, &error, true).await,
            },
        };
        match self.settle(&job, row, token, done).await {
            // A fact that was refused would be refused for ever. A store that failed is tried again soon; when it did settle although its
            // answer was lost, the row is gone and nothing is tried.
            Err(error) => {
                let refused = error.code != crate::Code::Unavailable;
                let dead = refused && row.attempts >= ATTEMPTS_MAX;
                self.fail(row, token, &error, dead).await
            }
            Ok(()) => Ok(Ended::Done),
        }
    }

    async fn act(&self, job: &Job<EffectOf<W::Table>>) -> Result<Done<W::Table>> {
        let row = store::get::<W::Table, _>(self.db.read(), job.tenant, job.object).await?;
        if !row.machine.wanted(&job.effect) {
            return Ok(Done::nothing());
        }
        let what = || named::<W>(&job.effect);
        let probe = self.db.probe();
        probe.pass(Side::Before, Act::Effect, what).await?;
        let done = self.worker.run(job, row).await?;
        if !probe.pass(Side::After, Act::Effect, what).await? {
            return Ok(done);
        }
        // As a worker does that died before it could settle what it had done.
        let row = store::get::<W::Table, _>(self.db.read(), job.tenant, job.object).await?;
        match row.machine.wanted(&job.effect) {
            true => self.worker.run(job, row).await,
            false => Ok(Done::nothing()),
        }
    }

    /// Ends only when the lease is lost.
    async fn keep_lease(&self, row: &Model, token: Uuid) -> Error {
        let mut beat = tokio::time::interval(Duration::from_millis(HEARTBEAT_MS));
        beat.tick().await;
        loop {
            beat.tick().await;
            match claim::renew(&self.db, &self.clock, row, token).await {
                Ok(false) => return lease_lost(),
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!(reason = %error.reason, "a lease was not renewed");
                }
            }
        }
    }

    async fn settle(
        &self,
        job: &Job<EffectOf<W::Table>>,
        row: &Model,
        token: Uuid,
        done: Done<W::Table>,
    ) -> Result<()> {
        let origin = Origin {
            tenant: job.tenant,
            actor: self.actor.clone(),
            // However this process's clock goes, what a timer brought about lies not before it (I6).
            now: self.clock.now().max(Timestamp::from_millis(row.due_at_ms)),
            traceparent: telemetry::current(),
        };
        let (id, object) = (row.id, job.object);
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let settled = Entity::delete_many()
                        .filter(Column::Id.eq(id))
                        .filter(Column::LeaseToken.eq(token))
                        .exec(tx)
                        .await?;
                    if settled.rows_affected != 1 {
                        return Err(lease_lost());
                    }
                    for event in done.events {
                        store::change::<W::Table>(tx, &origin, object, event).await?;
                    }
                    match done.write {
                        Some(write) => write(tx, origin).await,
                        None => Ok(()),
                    }
                })
            })
            .await
    }

    async fn fail(&self, row: &Model, token: Uuid, error: &Error, dead: bool) -> Result<Ended> {
        let pause = error
            .retry_after
            .unwrap_or_else(|| backoff::pause(BACKOFF_MS, row.attempts.unsigned_abs()));
        tracing::warn!(
            reason = %error.reason,
            detail = error.detail(),
            pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            dead,
            "a job failed"
        );
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        let reason: String = error.reason.chars().take(REASON_CHARS_MAX).collect();
        let (id, clock) = (row.id, self.clock.clone());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let unmoved = times(tx, &clock).await?.unmoved;
                    let retry_at = unmoved.saturating_add(pause);
                    Entity::update_many()
                        .col_expr(Column::LeaseToken, Expr::value(Option::<Uuid>::None))
                        .col_expr(Column::LeaseUntilMs, Expr::value(Option::<i64>::None))
                        .col_expr(Column::RetryAtMs, Expr::value(retry_at))
                        .col_expr(Column::LastError, Expr::value(Some(reason)))
                        .col_expr(Column::Dead, Expr::value(dead))
                        .filter(Column::Id.eq(id))
                        .filter(Column::LeaseToken.eq(token))
                        .exec(tx)
                        .await?;
                    Ok(())
                })
            })
            .await?;
        Ok(Ended::Failed { dead })
    }
}

/// So much of a reason is kept in a row, in characters.
const REASON_CHARS_MAX: usize = 100;

/// Machine and name of an effect.
fn named<W: Worker>(effect: &EffectOf<W::Table>) -> String {
    let effect = serde_json::to_value(effect).unwrap_or_default();
    let name = effect["type"].as_str().unwrap_or_default();
    format!("{}/{name}", <W::Table as Table>::Machine::KIND)
}

fn lease_lost() -> Error {
    Error::unavailable("LEASE_LOST", "another worker took the job over")
}
