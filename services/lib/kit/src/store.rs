//! The spine's store: one event of one machine, written whole or not at all.

use convene_domain::{BookingId, Machine, Step, TenantId, Timestamp};
use sea_orm::{
    ConnectionTrait, Value,
    sea_query::{Alias, Expr, ExprTrait as _, Query},
};
use uuid::Uuid;

use crate::{
    db::Tx,
    error::{Error, Result},
    event::{self, Subject},
    jobs,
};

/// A machine that has a table: `tenant_id, id, version, head_hash, state` and the columns that queries need.
pub trait Stored: Machine {
    /// Table name.
    const TABLE: &'static str;

    /// The booking that the object belongs to.
    fn booking(&self, id: Uuid) -> BookingId;

    /// Columns derived from the state, rewritten with every change.
    fn columns(&self) -> Vec<(&'static str, Value)>;
}

/// Who changes what is whose, and when.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Whose object.
    pub tenant: TenantId,
    /// Principal, for the audit trail.
    pub actor: String,
    /// Business time.
    pub now: Timestamp,
    /// W3C trace context; carried to jobs and feeds.
    pub traceparent: String,
}

/// An object as stored.
#[derive(Clone, Debug)]
pub struct Row<M> {
    /// Owner.
    pub tenant: TenantId,
    /// Id.
    pub id: Uuid,
    /// 1 for a new object, one more with every event.
    pub version: u64,
    /// The state.
    pub machine: M,
    head_hash: Vec<u8>,
}

/// Reads an object of a tenant. Inside a change the row is locked where the database runs changes concurrently.
pub async fn load<M: Stored, C: ConnectionTrait>(
    connection: &C,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<Row<M>>> {
    let statement = Query::select()
        .columns(["version", "head_hash", "state"].map(Alias::new))
        .from(Alias::new(M::TABLE))
        .and_where(Expr::col(Alias::new("tenant_id")).eq(tenant.as_uuid()))
        .and_where(Expr::col(Alias::new("id")).eq(id))
        .lock_exclusive()
        .to_owned();
    let Some(row) = connection.query_one(&statement).await? else {
        return Ok(None);
    };
    let state: String = row.try_get("", "state")?;
    let version: i64 = row.try_get("", "version")?;
    Ok(Some(Row {
        tenant,
        id,
        version: version.unsigned_abs(),
        machine: serde_json::from_str(&state)?,
        head_hash: row.try_get("", "head_hash")?,
    }))
}

/// [`load`], with `NOT_FOUND` when it is not there or another tenant's.
pub async fn get<M: Stored, C: ConnectionTrait>(
    connection: &C,
    tenant: TenantId,
    id: Uuid,
) -> Result<Row<M>> {
    load(connection, tenant, id)
        .await?
        .ok_or_else(|| Error::not_found(M::KIND))
}

/// Begins an object with its first event. `extra` columns hold what must not be in events: names, addresses, sealed secrets.
pub async fn insert<M: Stored>(
    tx: &Tx,
    origin: &Origin,
    id: Uuid,
    event: M::Event,
    extra: Vec<(&'static str, Value)>,
) -> Result<Row<M>> {
    let step = M::begin(event.clone(), origin.now)?;
    let row = Row {
        tenant: origin.tenant,
        id,
        version: 1,
        machine: step.next.clone(),
        head_hash: record(tx, origin, id, 1, event::GENESIS.to_vec(), &event, &step).await?,
    };
    let mut columns = vec!["tenant_id", "id", "created_at_ms"];
    let mut values: Vec<Expr> = vec![
        origin.tenant.as_uuid().into(),
        id.into(),
        origin.now.as_millis().into(),
    ];
    for (column, value) in written(&row)?.into_iter().chain(extra) {
        columns.push(column);
        values.push(value.into());
    }
    let statement = Query::insert()
        .into_table(Alias::new(M::TABLE))
        .columns(columns.into_iter().map(Alias::new))
        .values(values)
        .map_err(|error| Error::internal(error.to_string()))?
        .to_owned();
    tx.execute(&statement).await?;
    Ok(row)
}

/// Applies one event to an object. An event that changes nothing writes nothing and answers the object as it is.
pub async fn change<M: Stored>(
    tx: &Tx,
    origin: &Origin,
    id: Uuid,
    event: M::Event,
) -> Result<Row<M>> {
    let row = get::<M, _>(tx, origin.tenant, id).await?;
    apply(tx, origin, row, event).await
}

/// [`change`] for a row that this transaction has read already.
pub async fn apply<M: Stored>(
    tx: &Tx,
    origin: &Origin,
    mut row: Row<M>,
    event: M::Event,
) -> Result<Row<M>> {
    let Some(step) = row.machine.clone().on(event.clone(), origin.now)? else {
        return Ok(row);
    };
    let before = row.version;
    row.version += 1;
    row.machine = step.next.clone();
    row.head_hash = record(
        tx,
        origin,
        row.id,
        row.version,
        row.head_hash,
        &event,
        &step,
    )
    .await?;
    let mut statement = Query::update();
    statement.table(Alias::new(M::TABLE));
    for (column, value) in written(&row)? {
        statement.value(Alias::new(column), value);
    }
    statement
        .and_where(Expr::col(Alias::new("tenant_id")).eq(row.tenant.as_uuid()))
        .and_where(Expr::col(Alias::new("id")).eq(row.id))
        .and_where(Expr::col(Alias::new("version")).eq(to_i64(before)));
    if tx.execute(&statement).await?.rows_affected() != 1 {
        return Err(Error::unavailable(
            "CHANGED_MEANWHILE",
            "somebody else changed this at the same moment; try again",
        ));
    }
    Ok(row)
}

/// The event and the effects of a step.
async fn record<M: Stored>(
    tx: &Tx,
    origin: &Origin,
    id: Uuid,
    seq: u64,
    previous_hash: Vec<u8>,
    event: &M::Event,
    step: &Step<M>,
) -> Result<Vec<u8>> {
    let subject = Subject {
        booking: Some(step.next.booking(id)),
        kind: M::KIND,
        id,
        seq,
        previous_hash,
    };
    let hash = event::append(tx, origin, subject, event).await?;
    for due in &step.effects {
        jobs::push(tx, origin, M::KIND, id, due).await?;
    }
    Ok(hash)
}

fn written<M: Stored>(row: &Row<M>) -> Result<Vec<(&'static str, Value)>> {
    let mut columns: Vec<(&'static str, Value)> = vec![
        ("version", to_i64(row.version).into()),
        ("head_hash", row.head_hash.clone().into()),
        ("state", serde_json::to_string(&row.machine)?.into()),
    ];
    columns.extend(row.machine.columns());
    Ok(columns)
}

fn to_i64(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
