//! The event log: what happened, written with the change that made it so, hash-chained per object.

use convene_domain::{BookingId, Machine, TenantId, Timestamp};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, EntityTrait as _, Iterable as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    entity::prelude::{DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EnumIter, *},
    sea_query::{Expr, Func, Query},
};
use uuid::Uuid;

use crate::{
    db::{Tx, Writes, locked},
    digest,
    error::{Error, Result},
    store::Origin,
};

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Place in the service's feed.
    pub position: i64,
    /// Owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    /// Booking it belongs to.
    pub booking_id: Option<Uuid>,
    /// Kind of the object.
    pub object_kind: String,
    /// The object.
    #[sea_orm(primary_key, auto_increment = false)]
    pub object_id: Uuid,
    /// Version of the object after it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// Name of the fact.
    pub kind: String,
    /// Who caused it.
    pub actor: String,
    /// Business time in milliseconds.
    pub occurred_at_ms: i64,
    /// JSON of the fact.
    pub data: String,
    /// Hash of the event before it in the object's chain.
    pub previous_hash: Vec<u8>,
    /// Hash of this one.
    pub hash: Vec<u8>,
    /// W3C trace context.
    pub traceparent: String,
}

/// No relations: the log stands for itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The position of an event that has none yet.
pub const UNPLACED: i64 = 0;

/// The start of every chain.
pub const GENESIS: [u8; 32] = [0; 32];

impl Model {
    /// What the hash must be: SHA-256 over the parts in this order, each preceded by its length (8 bytes, big-endian).
    pub fn expected_hash(&self) -> [u8; 32] {
        digest::of_parts(&[
            &self.previous_hash,
            self.tenant_id.as_bytes(),
            self.booking_id.as_ref().map_or(&[], |id| id.as_bytes()),
            self.object_kind.as_bytes(),
            self.object_id.as_bytes(),
            &self.seq.to_be_bytes(),
            self.kind.as_bytes(),
            self.actor.as_bytes(),
            &self.occurred_at_ms.to_be_bytes(),
            self.data.as_bytes(),
        ])
    }

    /// The domain event, for consumers that know the machine.
    pub fn decode<M: Machine>(&self) -> Result<M::Event> {
        decode(&self.kind, &self.data)
    }
}

/// The domain event of its name and data.
pub fn decode<E: serde::de::DeserializeOwned>(kind: &str, data: &str) -> Result<E> {
    let mut value: serde_json::Value = serde_json::from_str(data)?;
    let object = value
        .as_object_mut()
        .ok_or_else(|| Error::internal("an event's data is not an object"))?;
    object.insert("type".into(), kind.into());
    Ok(serde_json::from_value(value)?)
}

/// Which object an event is about, and where its chain stands.
pub(crate) struct Subject {
    pub booking: Option<BookingId>,
    pub kind: &'static str,
    pub id: Uuid,
    pub seq: u64,
    pub previous_hash: Vec<u8>,
}

/// Writes a fact; answers its hash, the new head of the object's chain.
pub(crate) fn append<E: serde::Serialize>(
    writes: &mut Writes,
    origin: &Origin,
    subject: Subject,
    event: &E,
) -> Result<Vec<u8>> {
    let mut value = serde_json::to_value(event)?;
    let kind = value
        .as_object_mut()
        .and_then(|object| object.remove("type"))
        .and_then(|kind| kind.as_str().map(str::to_owned))
        .ok_or_else(|| Error::internal("an event has no type"))?;
    let mut row = Model {
        position: UNPLACED,
        tenant_id: origin.tenant.as_uuid(),
        booking_id: subject.booking.map(|id| id.as_uuid()),
        object_kind: subject.kind.to_owned(),
        object_id: subject.id,
        seq: i64::try_from(subject.seq).unwrap_or(i64::MAX),
        kind,
        actor: origin.actor.clone(),
        occurred_at_ms: origin.now.as_millis(),
        data: value.to_string(),
        previous_hash: subject.previous_hash,
        hash: Vec::new(),
        traceparent: origin.traceparent.clone(),
    };
    row.hash = row.expected_hash().to_vec();
    let hash = row.hash.clone();
    let mut values: Vec<(Column, Expr)> = vec![
        (Column::TenantId, row.tenant_id.into()),
        (Column::BookingId, row.booking_id.into()),
        (Column::ObjectKind, row.object_kind.into()),
        (Column::ObjectId, row.object_id.into()),
        (Column::Seq, row.seq.into()),
        (Column::Kind, row.kind.into()),
        (Column::Actor, row.actor.into()),
        (Column::OccurredAtMs, row.occurred_at_ms.into()),
        (Column::Data, row.data.into()),
        (Column::PreviousHash, row.previous_hash.into()),
        (Column::Hash, row.hash.into()),
        (Column::Traceparent, row.traceparent.into()),
    ];
    // Where changes run beside each other, the sequencer gives the position after the commit.
    if !writes.concurrent() {
        values.push((Column::Position, Expr::cust(NEXT_POSITION)));
    }
    let (columns, values): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let mut statement = Query::insert();
    statement.into_table(Entity).columns(columns);
    statement
        .values(values)
        .map_err(|error| Error::internal(error.to_string()))?;
    writes.add(&statement);
    Ok(hash)
}

/// The one writer gives positions without a gap.
const NEXT_POSITION: &str = "(SELECT COALESCE(MAX(position), 0) + 1 FROM event)";

/// Removes an object's whole chain.
pub(crate) async fn forget<C: ConnectionTrait>(
    tx: &C,
    tenant: TenantId,
    object: Uuid,
) -> Result<()> {
    Entity::delete_many()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::ObjectId.eq(object))
        .exec(tx)
        .await?;
    Ok(())
}

/// Where the chain of an object stands that no machine drives. Its row keeps it as `version` and `head_hash`, so that a cut-off end is found.
#[derive(Clone, Debug)]
pub struct Head {
    /// Events so far.
    pub version: i64,
    /// Hash of the last one.
    pub hash: Vec<u8>,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            version: 0,
            hash: GENESIS.to_vec(),
        }
    }
}

/// Writes a fact about an object that no machine drives and that belongs to no booking; `kind` is its table. Answers the new head.
pub async fn journal<E: serde::Serialize>(
    tx: &Tx,
    origin: &Origin,
    kind: &'static str,
    id: Uuid,
    head: Head,
    event: &E,
) -> Result<Head> {
    let version = head.version + 1;
    let subject = Subject {
        booking: None,
        kind,
        id,
        seq: version.unsigned_abs(),
        previous_hash: head.hash,
    };
    let mut writes = Writes::of(tx);
    let hash = append(&mut writes, origin, subject, event)?;
    writes.send(tx).await?;
    Ok(Head { version, hash })
}

/// Newest position of the log; 0 when empty.
pub async fn head<C: ConnectionTrait>(connection: &C) -> Result<i64> {
    let newest: Option<Option<i64>> = Entity::find()
        .select_only()
        .expr(Func::max(Expr::col(Column::Position)))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(newest.flatten().unwrap_or(0))
}

/// Which events to read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only of this tenant.
    pub tenant: Option<TenantId>,
    /// Only of this booking.
    pub booking: Option<BookingId>,
}

/// Committed events that have no position yet, in the order in which they were written: they follow after all that have one. There are none
/// on SQLite.
pub async fn unplaced<C: ConnectionTrait>(connection: &C, filter: Filter) -> Result<Vec<Model>> {
    if !locked::concurrent(connection) {
        return Ok(Vec::new());
    }
    let columns = Column::iter().filter(|column| !matches!(column, Column::Position));
    let events = select(filter)
        .filter(Column::Position.is_null())
        .select_only()
        .expr_as(Expr::val(UNPLACED), "position")
        .columns(columns)
        .order_by_asc(Expr::col("inserted"))
        .all(connection)
        .await?;
    Ok(events)
}

/// Events after a position, oldest first.
pub async fn page<C: ConnectionTrait>(
    connection: &C,
    after: i64,
    limit: u64,
    filter: Filter,
) -> Result<Vec<Model>> {
    let query = select(filter)
        .filter(Column::Position.gt(after))
        .order_by_asc(Column::Position)
        .limit(limit);
    Ok(query.all(connection).await?)
}

fn select(filter: Filter) -> Select<Entity> {
    let mut query = Entity::find();
    if let Some(tenant) = filter.tenant {
        query = query.filter(Column::TenantId.eq(tenant.as_uuid()));
    }
    if let Some(booking) = filter.booking {
        query = query.filter(Column::BookingId.eq(booking.as_uuid()));
    }
    query
}

/// When it was.
impl From<&Model> for Timestamp {
    fn from(row: &Model) -> Self {
        Self::from_millis(row.occurred_at_ms)
    }
}
