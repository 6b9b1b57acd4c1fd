//! Pulls another service's feed.

use std::{sync::Arc, time::Duration};

use convene_domain::TenantId;
use convene_proto::event::v1::{WatchRequest, events_client::EventsClient};
use futures_util::StreamExt as _;
use sea_orm::{
    ActiveValue::Set,
    EntityTrait as _, QuerySelect as _,
    entity::prelude::{DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EnumIter, *},
    sea_query::{Expr, OnConflict},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};
use uuid::Uuid;

use super::Fact;
use crate::{
    BoxFuture, Channel,
    caller::{Caller, Callers},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    lease,
    probe::{Act, Side},
    rpc::Context,
    store::Origin,
    telemetry,
};

/// Facts that one change applies at the most.
const TOGETHER: usize = 64;
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

/// Applies a fact inside the transaction that moves the cursor, perhaps with its neighbours. A refusal is logged and passed by; every other
/// error is tried again.
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
    let mut source = EventsClient::new(follower.channel.clone());
    let mut events = source
        .watch(request)
        .await?
        .into_inner()
        .ready_chunks(TOGETHER);
    *opened = true;
    let metrics = follower.db.metrics();
    let metrics = metrics.feed(follower.role, follower.source);
    while let Some(come) = events.next().await {
        let mut told = Vec::with_capacity(come.len());
        let mut broken = None;
        for event in come {
            match event.map_err(Error::from).and_then(Fact::from_wire) {
                Ok(fact) => told.push(Told::new(follower, fact)),
                // What came before it is applied first.
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
        let fitted = apply(follower, &told).await?;
        let now = follower.clock.now().as_millis();
        for (Told { fact, .. }, fitted) in told.iter().zip(fitted) {
            metrics.applied(fact.position, now - fact.occurred_at.as_millis(), fitted);
        }
        if let Some(error) = broken {
            return Err(error);
        }
    }
    Err(Error::unavailable("FEED_ENDED", "the feed ended"))
}

/// A fact that has come, and the span in which it is applied.
#[derive(Clone)]
struct Told {
    fact: Fact,
    origin: Origin,
    span: Span,
}

impl Told {
    fn new(follower: &Follower, fact: Fact) -> Self {
        let span = tracing::info_span!("fact", role = follower.role, source = follower.source, kind = %fact.kind);
        let span = telemetry::follow(span, &fact.traceparent);
        let origin = Origin {
            tenant: fact.tenant,
            actor: format!("system:{}", follower.source),
            now: follower.clock.now(),
            traceparent: span.in_scope(telemetry::current),
        };
        Self { fact, origin, span }
    }

    fn position(&self) -> i64 {
        i64::try_from(self.fact.position).unwrap_or(i64::MAX)
    }

    fn what(&self) -> String {
        format!("{}/{}", self.fact.object_kind, self.fact.kind)
    }
}

/// Applies what has come; answers of each fact whether it fitted. All in one change as a rule; when one of them does not fit, each in a change of
/// its own, and that one is passed by.
async fn apply(follower: &Follower, told: &[Told]) -> Result<Vec<bool>> {
    if told.len() > 1 {
        match apply_together(follower, told).await {
            Ok(()) => return Ok(vec![true; told.len()]),
            Err(error) if !error.is_refusal() => return Err(error),
            Err(_) => {}
        }
    }
    let mut fitted = Vec::with_capacity(told.len());
    for one in told {
        match apply_together(follower, std::slice::from_ref(one)).await {
            Ok(()) => fitted.push(true),
            Err(error) if error.is_refusal() => {
                pass_by(follower, one, &error).await?;
                fitted.push(false);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(fitted)
}

/// Applies facts in one change with the cursor.
async fn apply_together(follower: &Follower, told: &[Told]) -> Result<()> {
    let Some(last) = told.last().map(Told::position) else {
        return Ok(());
    };
    let probe = follower.db.probe();
    for one in told {
        probe.pass(Side::Before, Act::Fact, || one.what()).await?;
    }
    let (source, apply, batch) = (follower.source, follower.apply.clone(), told.to_vec());
    let write = follower.db.write(move |tx| {
        Box::pin(async move {
            // Another replica that follows has applied some of it, or does so at this moment: then this one waits here.
            let applied = lock_cursor(tx, source).await?;
            for one in batch {
                if one.position() > applied {
                    apply(tx, one.origin, one.fact).instrument(one.span).await?;
                }
            }
            move_cursor(tx, source, last).await
        })
    });
    write.await?;
    for one in told {
        probe.pass(Side::After, Act::Fact, || one.what()).await?;
    }
    Ok(())
}

async fn pass_by(follower: &Follower, one: &Told, refusal: &Error) -> Result<()> {
    let (source, position) = (follower.source, one.position());
    tracing::warn!(source, position, reason = %refusal.reason, "a fact did not fit and was passed by");
    follower
        .db
        .write(move |tx| Box::pin(async move { move_cursor(tx, source, position).await }))
        .await
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

/// How far the source was applied; nobody else moves it to the change's end.
async fn lock_cursor(tx: &Tx, source: &str) -> Result<i64> {
    let cursor = Entity::find_by_id(source).lock_exclusive().one(tx).await?;
    Ok(cursor.map_or(0, |cursor| cursor.position))
}

/// Moves the cursor forward, never back.
async fn move_cursor(tx: &Tx, source: &str, position: i64) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Position, Expr::value(position))
        .filter(Column::Source.eq(source))
        .filter(Column::Position.lt(position))
        .exec(tx)
        .await?;
    Ok(())
}
