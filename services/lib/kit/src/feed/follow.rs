//! Pulls another service's feed.

use std::{sync::Arc, time::Duration};

use convene_domain::TenantId;
use convene_proto::event::v1::{WatchRequest, events_client::EventsClient};
use sea_orm::{
    ActiveValue::Set,
    EntityTrait as _,
    entity::prelude::{DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EnumIter, *},
    sea_query::{Expr, OnConflict},
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tracing::Instrument as _;
use uuid::Uuid;

use super::Fact;
use crate::{
    BoxFuture,
    caller::{Caller, Callers},
    clock::Clock,
    convert::from_wire,
    db::{Db, Tx},
    error::{Error, Result},
    lease,
    probe::{Act, Side},
    rpc::Context,
    store::Origin,
    telemetry,
};

/// Pause before a broken feed is opened again, in milliseconds.
const REOPEN_MS: u64 = 250;

/// How far a source has been applied.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed_cursor")]
pub struct Model {
    /// The service that is followed.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// Position of the last event applied.
    pub position: i64,
}

/// No relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Applies a fact inside the transaction that moves the cursor. A refusal is logged and passed by; every other error is tried again.
pub type Apply =
    Arc<dyn for<'tx> Fn(&'tx Tx, Origin, Fact) -> BoxFuture<'tx, Result<()>> + Send + Sync>;

/// Who follows whom.
#[derive(Clone)]
pub struct Follower {
    /// The follower's database.
    pub db: Db,
    /// Its clock.
    pub clock: Clock,
    /// Signs its calls.
    pub callers: Callers,
    /// Its role.
    pub role: &'static str,
    /// The role that is followed.
    pub source: &'static str,
    /// The way there.
    pub channel: Channel,
    /// What to do with a fact.
    pub apply: Apply,
}

/// Follows until told to stop; of the replicas of a role one at a time does.
pub async fn follow(follower: Follower, stop: CancellationToken) -> Result<()> {
    let name = format!("follow/{}", follower.source);
    let alone = |stop| follow_alone(follower.clone(), stop);
    lease::hold(&follower.db, &name, stop, alone).await
}

async fn follow_alone(follower: Follower, stop: CancellationToken) -> Result<()> {
    // A source that stays away is told of once.
    let mut broken = false;
    loop {
        let mut opened = false;
        let ended = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            ended = pull(&follower, &mut opened) => ended,
        };
        if let Err(error) = ended
            && (opened || !broken)
        {
            tracing::warn!(
                role = follower.role, source = follower.source, reason = %error.reason, detail = error.detail(),
                "a feed broke; opening it again"
            );
        }
        broken = true;
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(REOPEN_MS)) => {}
        }
    }
}

async fn pull(follower: &Follower, opened: &mut bool) -> Result<()> {
    let after_position = cursor(follower).await?;
    let context = Context::begin(Caller::system(
        TenantId::from_uuid(Uuid::nil()),
        follower.role,
    ));
    let mut request = context.request(
        &follower.callers,
        WatchRequest {
            after_position,
            booking_id: String::new(),
        },
    )?;
    // A watch never ends by itself.
    request.metadata_mut().remove("grpc-timeout");
    let mut events = EventsClient::new(follower.channel.clone())
        .watch(request)
        .await?
        .into_inner();
    *opened = true;
    let metrics = follower.db.metrics();
    let metrics = metrics.feed(follower.role, follower.source);
    while let Some(event) = events.message().await? {
        let (position, occurred_at) = (event.position, event.occurred_at.map(from_wire));
        let fact = Fact::from_wire(event)?;
        let span = telemetry::follow(
            tracing::info_span!("fact", role = follower.role, source = follower.source, kind = %fact.kind),
            &fact.traceparent,
        );
        let fitted = apply(follower, fact).instrument(span).await?;
        let now = follower.clock.now();
        let age_ms = occurred_at.map_or(0, |at| now.as_millis() - at.as_millis());
        metrics.applied(position, age_ms, fitted);
    }
    Err(Error::unavailable("FEED_ENDED", "the feed ended"))
}

/// Whether the fact fitted; one that did not is passed by.
async fn apply(follower: &Follower, fact: Fact) -> Result<bool> {
    let position = i64::try_from(fact.position).unwrap_or(i64::MAX);
    let origin = Origin {
        tenant: fact.tenant,
        actor: format!("system:{}", follower.source),
        now: follower.clock.now(),
        traceparent: telemetry::current(),
    };
    let (source, apply) = (follower.source, follower.apply.clone());
    let what = format!("{}/{}", fact.object_kind, fact.kind);
    let probe = follower.db.probe();
    probe.pass(Side::Before, Act::Fact, || what.clone()).await?;
    let applied = follower
        .db
        .write(move |tx| {
            Box::pin(async move {
                // Another replica that follows has applied it, or does so at this moment: then this one waits here.
                if move_cursor(tx, source, position).await? {
                    apply(tx, origin, fact).await?;
                }
                Ok(())
            })
        })
        .await;
    match applied {
        Ok(()) => {
            probe.pass(Side::After, Act::Fact, || what).await?;
            Ok(true)
        }
        Err(error) if error.is_refusal() => {
            tracing::warn!(source, position, reason = %error.reason, "a fact did not fit and was passed by");
            follower
                .db
                .write(move |tx| Box::pin(async move { move_cursor(tx, source, position).await }))
                .await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// How far the source was applied; the first time, from its beginning.
async fn cursor(follower: &Follower) -> Result<u64> {
    let source = follower.source;
    if let Some(cursor) = Entity::find_by_id(source).one(follower.db.read()).await? {
        return Ok(cursor.position.unsigned_abs());
    }
    follower
        .db
        .write(move |tx| Box::pin(begin(tx, source)))
        .await?;
    Ok(0)
}

async fn begin(tx: &Tx, source: &'static str) -> Result<()> {
    let first = ActiveModel {
        source: Set(source.to_owned()),
        position: Set(0),
    };
    let known = OnConflict::column(Column::Source)
        .do_nothing_on([Column::Source])
        .to_owned();
    Entity::insert(first)
        .on_conflict(known)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Moves the cursor forward and keeps it locked to the change's end; `false` when it stands there or further already.
async fn move_cursor(tx: &Tx, source: &'static str, position: i64) -> Result<bool> {
    let moved = Entity::update_many()
        .col_expr(Column::Position, Expr::value(position))
        .filter(Column::Source.eq(source))
        .filter(Column::Position.lt(position))
        .exec(tx)
        .await?;
    Ok(moved.rows_affected == 1)
}
