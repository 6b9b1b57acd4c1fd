//! Which jobs may run now, and the lease on them.

use std::{collections::HashSet, time::Duration};

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Alias, Expr, ExprTrait as _, Func, Query},
};
use uuid::Uuid;

use super::{Column, Entity, LEASE_MS, Model, POLL_MS};
use crate::{clock::Clock, db::Db, error::Result, ids};

/// Leases up to `limit` due jobs of a queue, no two of one object, none of an object that another lease holds.
pub async fn claim(db: &Db, clock: &Clock, queue: &'static str, limit: u64) -> Result<Vec<Model>> {
    // Looking is free; only what is there takes the writer.
    if candidates(db.read(), clock, queue, 1).await?.is_empty() {
        return Ok(Vec::new());
    }
    let clock = clock.clone();
    let token = ids::new();
    let claimed = db.write(move |tx| {
        Box::pin(async move {
            let mut objects = HashSet::new();
            let mut claimed = Vec::new();
            for mut job in candidates(tx, &clock, queue, limit).await? {
                if !objects.insert(job.object_id) {
                    continue;
                }
                let until = clock.unmoved().plus_millis(LEASE_MS).as_millis();
                Entity::update_many()
                    .col_expr(Column::LeaseToken, Expr::value(Some(token)))
                    .col_expr(Column::LeaseUntilMs, Expr::value(Some(until)))
                    .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                    .filter(Column::Id.eq(job.id))
                    .exec(tx)
                    .await?;
                job.lease_token = Some(token);
                job.attempts += 1;
                claimed.push(job);
            }
            Ok(claimed)
        })
    });
    match claimed.await {
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

async fn candidates<C: sea_orm::ConnectionTrait>(
    connection: &C,
    clock: &Clock,
    queue: &str,
    limit: u64,
) -> Result<Vec<Model>> {
    let unmoved = clock.unmoved().as_millis();
    let held = Alias::new("held");
    let of_held = |column: Column| Expr::col((Alias::new("held"), column));
    let held_object = Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, held)
        .and_where(of_held(Column::ObjectId).equals((Entity, Column::ObjectId)))
        .and_where(of_held(Column::LeaseUntilMs).gte(unmoved))
        .to_owned();
    let query = Entity::find()
        .filter(Column::Queue.eq(queue))
        .filter(Column::Dead.eq(false))
        .filter(Column::DueAtMs.lte(clock.now().as_millis()))
        .filter(Column::RetryAtMs.lte(unmoved))
        .filter(Condition::all().add(Expr::exists(held_object).not()))
        .order_by_asc(Column::DueAtMs)
        .order_by_asc(Column::Id)
        .limit(limit);
    Ok(query.all(connection).await?)
}

/// How long nothing of the queue can become due by the clocks alone; at most [`POLL_MS`]. What is due and not claimed waits for another job
/// of its object, and that job's commit wakes the queue.
pub async fn idle_for(db: &Db, clock: &Clock, queue: &str) -> Result<Duration> {
    let (now, unmoved) = (clock.now().as_millis(), clock.unmoved().as_millis());
    let until_due = earliest(db, queue, Column::DueAtMs, now).await?;
    let until_retry = earliest(db, queue, Column::RetryAtMs, unmoved).await?;
    let millis = Ord::clamp(Ord::min(until_due, until_retry), 1, POLL_MS);
    Ok(Duration::from_millis(millis))
}

/// Milliseconds from `from` to the next value of `column` after it.
async fn earliest(db: &Db, queue: &str, column: Column, from: i64) -> Result<u64> {
    let next: Option<Option<i64>> = Entity::find()
        .select_only()
        .expr(Func::min(Expr::col(column)))
        .filter(Column::Queue.eq(queue))
        .filter(Column::Dead.eq(false))
        .filter(column.gt(from))
        .into_tuple()
        .one(db.read())
        .await?;
    Ok(next.flatten().map_or(u64::MAX, |next| next.abs_diff(from)))
}

/// Keeps a lease alive; `false` when it is lost.
pub async fn renew(db: &Db, clock: &Clock, id: Uuid, token: Uuid) -> Result<bool> {
    let until = clock.unmoved().plus_millis(LEASE_MS).as_millis();
    db.write(move |tx| {
        Box::pin(async move {
            let renewed = Entity::update_many()
                .col_expr(Column::LeaseUntilMs, Expr::value(Some(until)))
                .filter(Column::Id.eq(id))
                .filter(Column::LeaseToken.eq(token))
                .exec(tx)
                .await?;
            Ok(renewed.rows_affected == 1)
        })
    })
    .await
}
