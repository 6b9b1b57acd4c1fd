//! Deliveries, and who of an endpoint comes next.

use convene_domain::{
    BookingId, DeliveryId, EndpointId, Machine as _, TenantId, Timestamp,
    delivery::{Delivery, Event},
};
use convene_kit::{Error, Origin, Result, Table, Tx, store as spine};
use sea_orm::{
    ConnectionTrait, PaginatorTrait as _, QueryOrder as _, QuerySelect as _, Value,
    entity::prelude::*,
    sea_query::{Alias, Expr, ExprTrait as _, Query},
};

/// First attempts of one endpoint that are due at the same time: a slow endpoint holds up itself, not the others.
pub const FIRST_ATTEMPTS_MAX: u64 = 4;
/// How long a delivery that is over can be read and redelivered, in milliseconds: 30 days.
pub const KEPT_MS: i64 = 30 * 24 * 3_600_000;
/// Deliveries that are forgotten at once, with each event that is told.
const FORGOTTEN_AT_ONCE: u64 = 20;

const QUEUED: &str = "QUEUED";
const PENDING: &str = "PENDING";
const DELIVERED: &str = "DELIVERED";
const FAILED: &str = "FAILED";

/// A delivery as lists read it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub head_hash: Vec<u8>,
    pub state: String,
    pub created_at_ms: i64,
    pub endpoint_id: Uuid,
    pub object_id: Uuid,
    pub seq: i64,
    pub phase: String,
    pub payload: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The machine of the row.
    pub fn machine(&self) -> Result<Delivery> {
        Ok(serde_json::from_str(&self.state)?)
    }
}

/// The deliveries' table.
pub struct Deliveries;

impl Table for Deliveries {
    type Machine = Delivery;
    const NAME: &'static str = "delivery";

    fn booking(delivery: &Delivery, _id: Uuid) -> BookingId {
        delivery.booking
    }

    fn columns(delivery: &Delivery) -> Vec<(&'static str, Value)> {
        let seq = i64::try_from(delivery.subject.seq).unwrap_or(i64::MAX);
        vec![
            ("endpoint_id", delivery.endpoint.as_uuid().into()),
            ("object_id", delivery.subject.id.into()),
            ("seq", seq.into()),
            ("phase", delivery.state().into()),
        ]
    }
}

/// The column that the machine does not know, for the insertion of a delivery.
pub fn with_payload(payload: String) -> Vec<(&'static str, Value)> {
    vec![("payload", payload.into())]
}

/// A delivery of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: DeliveryId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("webhook delivery"))
}

fn of(tenant: TenantId, endpoint: EndpointId) -> Select<Entity> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::EndpointId.eq(endpoint.as_uuid()))
}

/// Up to `limit` deliveries of an endpoint after one, newest first.
pub async fn page<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    endpoint: EndpointId,
    phase: Option<&'static str>,
    after: Option<&Model>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = of(tenant, endpoint);
    if let Some(phase) = phase {
        query = query.filter(Column::Phase.eq(phase));
    }
    if let Some(after) = after {
        let same = Column::CreatedAtMs
            .eq(after.created_at_ms)
            .and(Column::Id.lt(after.id));
        query = query.filter(Column::CreatedAtMs.lt(after.created_at_ms).or(same));
    }
    let query = query
        .order_by_desc(Column::CreatedAtMs)
        .order_by_desc(Column::Id);
    Ok(query.limit(limit).all(c).await?)
}

/// Up to `limit` failed deliveries of an endpoint, oldest first.
pub async fn failed<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    endpoint: EndpointId,
    since: Timestamp,
    limit: u64,
) -> Result<Vec<Uuid>> {
    let query = of(tenant, endpoint)
        .select_only()
        .column(Column::Id)
        .filter(Column::Phase.eq(FAILED))
        .filter(Column::CreatedAtMs.gte(since.as_millis()))
        .order_by_asc(Column::CreatedAtMs)
        .order_by_asc(Column::Seq);
    Ok(query.limit(limit).into_tuple().all(c).await?)
}

/// Whether a new delivery has to wait: others of its object are before it, or enough of its endpoint have their first attempt. The endpoint
/// is locked.
pub async fn has_to_wait(
    tx: &Tx,
    tenant: TenantId,
    endpoint: EndpointId,
    object: Uuid,
) -> Result<bool> {
    let earlier = of(tenant, endpoint)
        .filter(Column::ObjectId.eq(object))
        .filter(Column::Phase.is_in([QUEUED, PENDING]));
    Ok(earlier.count(tx).await? > 0 || first_attempts(tx, tenant, endpoint).await?)
}

/// Whether enough deliveries of the endpoint have their first attempt.
async fn first_attempts(tx: &Tx, tenant: TenantId, endpoint: EndpointId) -> Result<bool> {
    let pending = of(tenant, endpoint).filter(Column::Phase.eq(PENDING));
    Ok(pending.count(tx).await? >= FIRST_ATTEMPTS_MAX)
}

/// Gives turns to those that wait. The endpoint is locked.
pub async fn give_turns(tx: &Tx, origin: &Origin, endpoint: EndpointId) -> Result<()> {
    while !first_attempts(tx, origin.tenant, endpoint).await? {
        let Some(next) = next(tx, origin.tenant, endpoint).await? else {
            break;
        };
        spine::change::<Deliveries>(tx, origin, next, Event::TurnCame).await?;
    }
    Ok(())
}

/// The oldest that waits and has nothing of its own object before it.
async fn next(tx: &Tx, tenant: TenantId, endpoint: EndpointId) -> Result<Option<Uuid>> {
    let earlier = Alias::new("earlier");
    let of_earlier = |column: Column| Expr::col((Alias::new("earlier"), column));
    let waits = of_earlier(Column::Phase)
        .eq(QUEUED)
        .and(Expr::expr(of_earlier(Column::Seq)).lt(Expr::col((Entity, Column::Seq))));
    let before = Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, earlier)
        .and_where(of_earlier(Column::TenantId).equals((Entity, Column::TenantId)))
        .and_where(of_earlier(Column::EndpointId).equals((Entity, Column::EndpointId)))
        .and_where(of_earlier(Column::ObjectId).equals((Entity, Column::ObjectId)))
        .and_where(of_earlier(Column::Phase).eq(PENDING).or(waits))
        .to_owned();
    let query = of(tenant, endpoint)
        .select_only()
        .column(Column::Id)
        .filter(Column::Phase.eq(QUEUED))
        .filter(Expr::exists(before).not())
        .order_by_asc(Column::CreatedAtMs)
        .order_by_asc(Column::Seq);
    Ok(query.limit(1).into_tuple().one(tx).await?)
}

/// Forgets some of the tenant's deliveries that have been over for long. Called in a change that writes another event.
pub async fn forget_old(tx: &Tx, tenant: TenantId, now: Timestamp) -> Result<()> {
    let old: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::CreatedAtMs.lte(now.plus_millis(-KEPT_MS).as_millis()))
        .filter(Column::Phase.is_in([DELIVERED, FAILED]))
        .order_by_asc(Column::CreatedAtMs)
        .limit(FORGOTTEN_AT_ONCE)
        .into_tuple()
        .all(tx)
        .await?;
    for id in old {
        spine::forget::<Deliveries>(tx, tenant, id).await?;
    }
    Ok(())
}
