//! Effects and timers: rows with a due time, written with the state that wants them, done under a lease, settled with the fact they bring.
//!
//! apalis drives the work; the [backend](backend) over this table is ours, because a job here must settle in the same transaction as the
//! change that its fact makes.

mod backend;
mod claim;
mod queue;
mod run;

use convene_domain::Due;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryTrait as _,
    entity::prelude::{DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EnumIter, *},
    sea_query::Expr,
};
use uuid::Uuid;

use crate::{db::Writes, error::Result, ids, store::Origin};

pub use queue::{Queue, start};
pub use run::{Done, Job, Worker};

/// Jobs of one kind of object that run at the same time.
pub const CONCURRENCY: usize = 16;
/// A lease that is not renewed ends after this time of unmoved time, in milliseconds.
pub const LEASE_MS: i64 = 15_000;
/// How often a running job renews its lease, in milliseconds.
pub const HEARTBEAT_MS: u64 = 5_000;
/// The longest sleep between two looks at the table, in milliseconds: a backstop behind the wake-ups.
pub const POLL_MS: u64 = 1_000;
/// Tries before a job is given up.
pub const ATTEMPTS_MAX: i32 = 20;
/// First and longest pause between two tries, in milliseconds; doubled each time, with full jitter above half.
pub const BACKOFF_MS: (u64, u64) = (200, 60_000);

/// A row of the job table.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// Rises with time, so ties in due time keep their order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Owner of the object.
    pub tenant_id: Uuid,
    /// Kind of the object: each kind has its own queue.
    pub queue: String,
    /// Whose effect it is.
    pub object_id: Uuid,
    /// JSON of the effect.
    pub effect: String,
    /// Not before this business time, in milliseconds.
    pub due_at_ms: i64,
    /// Not before this unmoved time, in milliseconds: the pause after a failed try.
    pub retry_at_ms: i64,
    /// Tries begun.
    pub attempts: i32,
    /// Who works on it.
    pub lease_token: Option<Uuid>,
    /// Until when, in unmoved time.
    pub lease_until_ms: Option<i64>,
    /// Given up: kept for operators.
    pub dead: bool,
    /// Reason of the last failed try.
    pub last_error: Option<String>,
    /// Trace that wanted it.
    pub traceparent: String,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Writes an effect as a job, in the transaction of the state that wants it.
pub(crate) fn push<E: serde::Serialize>(
    writes: &mut Writes,
    origin: &Origin,
    queue: &'static str,
    object: Uuid,
    due: &Due<E>,
) -> Result<()> {
    let due_at = due.at.map_or(origin.now, |at| at.max(origin.now));
    let row = Entity::insert(ActiveModel {
        id: Set(ids::new()),
        tenant_id: Set(origin.tenant.as_uuid()),
        queue: Set(queue.to_owned()),
        object_id: Set(object),
        effect: Set(serde_json::to_string(&due.effect)?),
        due_at_ms: Set(due_at.as_millis()),
        retry_at_ms: Set(0),
        attempts: Set(0),
        lease_token: Set(None),
        lease_until_ms: Set(None),
        dead: Set(false),
        last_error: Set(None),
        traceparent: Set(origin.traceparent.clone()),
    });
    writes.add(&row.into_query());
    Ok(())
}

/// Ends every lease: right only when no other process can hold one.
pub(crate) async fn release_all<C: ConnectionTrait>(connection: &C) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::LeaseToken, Expr::value(Option::<Uuid>::None))
        .col_expr(Column::LeaseUntilMs, Expr::value(Option::<i64>::None))
        .filter(Column::LeaseToken.is_not_null())
        .exec(connection)
        .await?;
    Ok(())
}

/// Jobs that are due or running, and jobs that were given up: for health pages and for tests that wait until nothing is left to do.
pub async fn open_and_dead<C: ConnectionTrait>(
    connection: &C,
    now: convene_domain::Timestamp,
) -> Result<(u64, u64)> {
    use sea_orm::PaginatorTrait as _;
    let open = Entity::find()
        .filter(Column::Dead.eq(false))
        .filter(Column::DueAtMs.lte(now.as_millis()))
        .count(connection)
        .await?;
    let dead = Entity::find()
        .filter(Column::Dead.eq(true))
        .count(connection)
        .await?;
    Ok((open, dead))
}
