//! The spine's store: one event of one machine, written whole or not at all.

use convene_domain::{BookingId, Machine, Step, TenantId, Timestamp};
use sea_orm::{
    ConnectionTrait, Value,
    sea_query::{Alias, Expr, ExprTrait as _, Query},
};
use uuid::Uuid;

use crate::{
    db::{Tx, Writes, changed_meanwhile, locked},
    error::{Error, Result},
    event::{self, Subject},
    jobs,
};

/// The table of a machine: `tenant_id, id, version, head_hash, state, created_at_ms` and the columns that queries need.
///
/// A service implements it on a type of its own, for example `struct Bookings;`, and names that type: `store::change::<Bookings>(…)`.
pub trait Table: Send + Sync + 'static {
    /// Whose states are the rows.
    type Machine: Machine;

    /// Table name.
    const NAME: &'static str;

    /// The booking that the object belongs to.
    fn booking(machine: &Self::Machine, id: Uuid) -> BookingId;

    /// Columns derived from the state, rewritten with every change.
    fn columns(machine: &Self::Machine) -> Vec<(&'static str, Value)>;
}

type EventOf<T> = <<T as Table>::Machine as Machine>::Event;
type RowOf<T> = Row<<T as Table>::Machine>;

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

/// Reads an object of a tenant. Nothing is locked: what a change decides by comes from [`load_for_change`].
pub async fn load<T: Table, C: ConnectionTrait>(
    connection: &C,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<RowOf<T>>> {
    read::<T, C>(connection, tenant, id, false).await
}

/// [`load`], with `NOT_FOUND` when it is not there or another tenant's.
pub async fn get<T: Table, C: ConnectionTrait>(
    connection: &C,
    tenant: TenantId,
    id: Uuid,
) -> Result<RowOf<T>> {
    load::<T, C>(connection, tenant, id)
        .await?
        .ok_or_else(not_there::<T>)
}

/// Reads an object that this change depends on: nobody else changes it, or makes it when it is not there, before this change has ended.
///
/// Changes that lock several objects lock them in one order, the whole before its parts: a lobby, then its visits, then their permits.
pub async fn load_for_change<T: Table>(
    tx: &Tx,
    tenant: TenantId,
    id: Uuid,
) -> Result<Option<RowOf<T>>> {
    if let Some(row) = read::<T, _>(tx, tenant, id, true).await? {
        return Ok(Some(row));
    }
    if !locked::by_name(tx, &format!("{}/{tenant}/{id}", T::NAME)).await? {
        return Ok(None);
    }
    // Whoever was making it has ended.
    read::<T, _>(tx, tenant, id, true).await
}

/// [`load_for_change`], with `NOT_FOUND` when it is not there or another tenant's.
pub async fn get_for_change<T: Table>(tx: &Tx, tenant: TenantId, id: Uuid) -> Result<RowOf<T>> {
    read::<T, _>(tx, tenant, id, true)
        .await?
        .ok_or_else(not_there::<T>)
}

/// Waits for a name that stands for something without a row, for example which recordings a meeting has; held to the change's end.
pub async fn lock(tx: &Tx, name: &str) -> Result<()> {
    locked::by_name(tx, name).await.map(drop)
}

fn not_there<T: Table>() -> Error {
    Error::not_found(T::Machine::KIND)
}

async fn read<T: Table, C: ConnectionTrait>(
    connection: &C,
    tenant: TenantId,
    id: Uuid,
    lock: bool,
) -> Result<Option<RowOf<T>>> {
    let mut statement = Query::select();
    statement
        .columns(["version", "head_hash", "state"].map(Alias::new))
        .from(Alias::new(T::NAME))
        .and_where(Expr::col(Alias::new("tenant_id")).eq(tenant.as_uuid()))
        .and_where(Expr::col(Alias::new("id")).eq(id));
    if lock {
        statement.lock_exclusive();
    }
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

/// Begins an object with its first event. `extra` columns hold what must not be in events: names, addresses, sealed secrets.
pub async fn insert<T: Table>(
    tx: &Tx,
    origin: &Origin,
    id: Uuid,
    event: EventOf<T>,
    extra: Vec<(&'static str, Value)>,
) -> Result<RowOf<T>> {
    insert_with::<T>(tx, origin, id, event, extra, Writes::of(tx)).await
}

/// [`insert`] together with other writes, which are done first.
pub async fn insert_with<T: Table>(
    tx: &Tx,
    origin: &Origin,
    id: Uuid,
    event: EventOf<T>,
    extra: Vec<(&'static str, Value)>,
    mut writes: Writes,
) -> Result<RowOf<T>> {
    let step = T::Machine::begin(event.clone(), origin.now)?;
    let head_hash = record::<T>(
        &mut writes,
        origin,
        id,
        1,
        event::GENESIS.to_vec(),
        &event,
        &step,
    )?;
    let row = Row {
        tenant: origin.tenant,
        id,
        version: 1,
        machine: step.next,
        head_hash,
    };
    let mut columns = vec!["tenant_id", "id", "created_at_ms"];
    let mut values: Vec<Expr> = vec![
        origin.tenant.as_uuid().into(),
        id.into(),
        origin.now.as_millis().into(),
    ];
    for (column, value) in written::<T>(&row)?.into_iter().chain(extra) {
        columns.push(column);
        values.push(value.into());
    }
    let statement = Query::insert()
        .into_table(Alias::new(T::NAME))
        .columns(columns.into_iter().map(Alias::new))
        .values(values)
        .map_err(|error| Error::internal(error.to_string()))?
        .to_owned();
    writes.add(&statement);
    writes.send(tx).await?;
    Ok(row)
}

/// Applies one event to an object. An event that changes nothing writes nothing and answers the object as it is.
pub async fn change<T: Table>(
    tx: &Tx,
    origin: &Origin,
    id: Uuid,
    event: EventOf<T>,
) -> Result<RowOf<T>> {
    let row = get_for_change::<T>(tx, origin.tenant, id).await?;
    apply::<T>(tx, origin, row, event).await
}

/// [`change`] for a row that this transaction has read for a change already.
pub async fn apply<T: Table>(
    tx: &Tx,
    origin: &Origin,
    mut row: RowOf<T>,
    event: EventOf<T>,
) -> Result<RowOf<T>> {
    let Some(step) = row.machine.clone().on(event.clone(), origin.now)? else {
        return Ok(row);
    };
    let before = row.version;
    row.version += 1;
    let mut writes = Writes::of(tx);
    row.head_hash = record::<T>(
        &mut writes,
        origin,
        row.id,
        row.version,
        row.head_hash,
        &event,
        &step,
    )?;
    row.machine = step.next;
    let mut statement = Query::update();
    statement.table(Alias::new(T::NAME));
    for (column, value) in written::<T>(&row)? {
        statement.value(Alias::new(column), value);
    }
    statement
        .and_where(Expr::col(Alias::new("tenant_id")).eq(row.tenant.as_uuid()))
        .and_where(Expr::col(Alias::new("id")).eq(row.id))
        .and_where(Expr::col(Alias::new("version")).eq(to_i64(before)));
    writes.add(&statement);
    // Each writes one row: the event, the jobs, and the object when it still has the version that was read.
    let rows = writes.len() as u64;
    if writes.send(tx).await? != rows {
        return Err(changed_meanwhile());
    }
    Ok(row)
}

/// Removes an object with its whole history: only for what no promise asks to keep. Call it in a change that writes another event, so that the
/// log's newest position stays.
pub async fn forget<T: Table>(tx: &Tx, tenant: TenantId, id: Uuid) -> Result<()> {
    event::forget(tx, tenant, id).await?;
    let statement = Query::delete()
        .from_table(Alias::new(T::NAME))
        .and_where(Expr::col(Alias::new("tenant_id")).eq(tenant.as_uuid()))
        .and_where(Expr::col(Alias::new("id")).eq(id))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// The event and the effects of a step.
fn record<T: Table>(
    writes: &mut Writes,
    origin: &Origin,
    id: Uuid,
    seq: u64,
    previous_hash: Vec<u8>,
    event: &EventOf<T>,
    step: &Step<T::Machine>,
) -> Result<Vec<u8>> {
    let subject = Subject {
        booking: Some(T::booking(&step.next, id)),
        kind: T::Machine::KIND,
        id,
        seq,
        previous_hash,
    };
    let hash = event::append(writes, origin, subject, event)?;
    for due in &step.effects {
        jobs::push(writes, origin, T::Machine::KIND, id, due)?;
    }
    Ok(hash)
}

fn written<T: Table>(row: &RowOf<T>) -> Result<Vec<(&'static str, Value)>> {
    let mut columns: Vec<(&'static str, Value)> = vec![
        ("version", to_i64(row.version).into()),
        ("head_hash", row.head_hash.clone().into()),
        ("state", serde_json::to_string(&row.machine)?.into()),
    ];
    columns.extend(T::columns(&row.machine));
    Ok(columns)
}

fn to_i64(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}
