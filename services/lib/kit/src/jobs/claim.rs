//! Which jobs may run now, and the lease on them.

use std::{collections::HashSet, time::Duration};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Select,
    sea_query::{Alias, Expr, ExprTrait as _, Func, LockBehavior, LockType, Query},
};
use uuid::Uuid;

use super::{Column, Entity, LEASE_MS, Model, POLL_MS};
use crate::{
    clock::Clock,
    db::{
        Db, Tx, locked,
        times::{Times, times},
    },
    error::{Error, Result},
    ids,
};

/// Reason of the change that found nothing to claim: it stores nothing and wakes nobody.
const NOTHING_DUE: &str = "NOTHING_DUE";

/// Leases up to `limit` due jobs of a queue, no two of one object, none of an object that another lease holds.
pub async fn claim(db: &Db, clock: &Clock, queue: &'static str, limit: u64) -> Result<Vec<Model>> {
    // Looking is free; only what is there takes the writer.
    let look = due(queue, times(db.read(), clock).await?).limit(1);
    if look.one(db.read()).await?.is_none() {
        return Ok(Vec::new());
    }
    let clock = clock.clone();
    let token = ids::new();
    let claimed = db
        .write(move |tx| Box::pin(async move { claim_in(tx, &clock, queue, limit, token).await }));
    match claimed.await {
        Err(error) if error.reason == NOTHING_DUE => Ok(Vec::new()),
        Err(error) => {
            // Kept or not, nobody will work under this lease: the jobs need not wait for its end.
            release(db, token).await?;
            Err(error)
        }
        claimed => claimed,
    }
}

async fn release(db: &Db, token: Uuid) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            Entity::update_many()
                .col_expr(Column::LeaseToken, Expr::value(Option::<Uuid>::None))
                .col_expr(Column::LeaseUntilMs, Expr::value(Option::<i64>::None))
                .filter(Column::LeaseToken.eq(token))
                .exec(tx)
                .await?;
            Ok(())
        })
    })
    .await
}

async fn claim_in(
    tx: &Tx,
    clock: &Clock,
    queue: &'static str,
    limit: u64,
    token: Uuid,
) -> Result<Vec<Model>> {
    one_at_a_time(tx, queue).await?;
    let times = times(tx, clock).await?;
    // A job that is being settled at this moment is passed by.
    let due = due(queue, times)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    let mut objects = HashSet::new();
    let mut jobs = due.all(tx).await?;
    jobs.retain(|job| objects.insert(job.object_id));
    if jobs.is_empty() {
        return Err(Error::unavailable(NOTHING_DUE, "another worker was faster"));
    }
    let until = times.unmoved.saturating_add(LEASE_MS);
    let claimed = || jobs.iter().map(|job| job.id);
    // Whoever still works on one of these objects under a lease that ran out settles nothing any more.
    Entity::update_many()
        .col_expr(Column::LeaseToken, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::LeaseUntilMs, Expr::value(Option::<i64>::None))
        .filter(Column::ObjectId.is_in(objects))
        .filter(Column::LeaseUntilMs.lt(times.unmoved))
        .filter(Column::Id.is_not_in(claimed()))
        .exec(tx)
        .await?;
    Entity::update_many()
        .col_expr(Column::LeaseToken, Expr::value(Some(token)))
        .col_expr(Column::LeaseUntilMs, Expr::value(Some(until)))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.is_in(claimed()))
        .exec(tx)
        .await?;
    for job in &mut jobs {
        job.lease_token = Some(token);
        job.attempts += 1;
    }
    Ok(jobs)
}

/// Leases of one queue are given and renewed one after the other: "of this object no job runs" stays true until the lease is written.
async fn one_at_a_time(tx: &Tx, queue: &str) -> Result<()> {
    locked::by_name(tx, &format!("leases/{queue}"))
        .await
        .map(drop)
}

fn due(queue: &str, times: Times) -> Select<Entity> {
    let held = Alias::new("held");
    let of_held = |column: Column| Expr::col((Alias::new("held"), column));
    let held_object = Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, held)
        .and_where(of_held(Column::ObjectId).equals((Entity, Column::ObjectId)))
        .and_where(of_held(Column::LeaseUntilMs).gte(times.unmoved))
        .to_owned();
    Entity::find()
        .filter(Column::Queue.eq(queue))
        .filter(Column::Dead.eq(false))
        .filter(Column::DueAtMs.lte(times.now))
        .filter(Column::RetryAtMs.lte(times.unmoved))
        .filter(Condition::all().add(Expr::exists(held_object).not()))
        .order_by_asc(Column::DueAtMs)
        .order_by_asc(Column::Id)
}

/// How long nothing of the queue can become due by the clocks alone; at most [`POLL_MS`]. What is due and not claimed waits for another job
/// of its object, and that job's commit wakes the queue.
pub async fn idle_for(db: &Db, clock: &Clock, queue: &str) -> Result<Duration> {
    let times = times(db.read(), clock).await?;
    let not_yet = Column::DueAtMs.gt(times.now);
    let until_due = earliest(db.read(), queue, Column::DueAtMs, times.now, not_yet).await?;
    // What is not due yet has not been tried: only the few that are due are looked at, not every timer.
    let paused = Column::DueAtMs
        .lte(times.now)
        .and(Column::RetryAtMs.gt(times.unmoved));
    let until_retry = earliest(db.read(), queue, Column::RetryAtMs, times.unmoved, paused).await?;
    let millis = Ord::clamp(Ord::min(until_due, until_retry), 1, POLL_MS);
    Ok(Duration::from_millis(millis))
}

/// Milliseconds from `from` to the earliest `column` of the jobs that `which` selects.
async fn earliest<C: ConnectionTrait>(
    connection: &C,
    queue: &str,
    column: Column,
    from: i64,
    which: Expr,
) -> Result<u64> {
    let next: Option<Option<i64>> = Entity::find()
        .select_only()
        .expr(Func::min(Expr::col(column)))
        .filter(Column::Queue.eq(queue))
        .filter(Column::Dead.eq(false))
        .filter(which)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(next.flatten().map_or(u64::MAX, |next| next.abs_diff(from)))
}

/// Keeps a lease alive that has not run out; `false` when it is lost.
pub async fn renew(db: &Db, clock: &Clock, job: &Model, token: Uuid) -> Result<bool> {
    let (id, queue, clock) = (job.id, job.queue.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            one_at_a_time(tx, &queue).await?;
            let unmoved = times(tx, &clock).await?.unmoved;
            let until = unmoved.saturating_add(LEASE_MS);
            let renewed = Entity::update_many()
                .col_expr(Column::LeaseUntilMs, Expr::value(Some(until)))
                .filter(Column::Id.eq(id))
                .filter(Column::LeaseToken.eq(token))
                .filter(Column::LeaseUntilMs.gte(unmoved))
                .exec(tx)
                .await?;
            Ok(renewed.rows_affected == 1)
        })
    })
    .await
}
