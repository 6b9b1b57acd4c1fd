//! Runs.

use convene_domain::{BookingId, Machine as _, RunId, TenantId, run::Run};
use convene_kit::{Error, Result, Table};
use sea_orm::{
    ConnectionTrait, QueryOrder as _, QuerySelect as _, Value, entity::prelude::*,
    sea_query::ExprTrait as _,
};

/// Open runs of one booking.
pub const OPEN_MAX: u64 = 100;

/// The phases in which a run is open.
const OPEN: [&str; 2] = ["RUNNING", "COMPENSATING"];

/// A run as lists read it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "run")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub head_hash: Vec<u8>,
    pub state: String,
    pub created_at_ms: i64,
    pub workflow: String,
    pub workflow_version: i32,
    pub booking_id: Uuid,
    pub phase: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The machine of the row.
    pub fn machine(&self) -> Result<Run> {
        Ok(serde_json::from_str(&self.state)?)
    }
}

/// The runs' table.
pub struct Runs;

impl Table for Runs {
    type Machine = Run;
    const NAME: &'static str = "run";

    fn booking(run: &Run, _id: Uuid) -> BookingId {
        run.booking
    }

    fn columns(run: &Run) -> Vec<(&'static str, Value)> {
        let version = i32::try_from(run.version).unwrap_or(i32::MAX);
        vec![
            ("workflow", run.workflow.clone().into()),
            ("workflow_version", version.into()),
            ("booking_id", run.booking.as_uuid().into()),
            ("phase", run.state().into()),
        ]
    }
}

/// A run of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: RunId) -> Result<Model> {
    let key = (tenant.as_uuid(), id.as_uuid());
    let found = Entity::find_by_id(key).one(c).await?;
    found.ok_or_else(|| Error::not_found("workflow run"))
}

/// Open runs of a booking, oldest first.
pub async fn open<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    booking: BookingId,
) -> Result<Vec<Model>> {
    let open = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::BookingId.eq(booking.as_uuid()))
        .filter(Column::Phase.is_in(OPEN))
        .order_by_asc(Column::CreatedAtMs)
        .order_by_asc(Column::Id);
    Ok(open.limit(OPEN_MAX).all(c).await?)
}

/// Which runs.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this booking.
    pub booking: Option<BookingId>,
    /// Of this workflow.
    pub workflow: Option<String>,
    /// In this phase.
    pub phase: Option<&'static str>,
}

/// Up to `limit` runs after one, newest first.
pub async fn page<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    filter: &Filter,
    after: Option<&Model>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut query = Entity::find().filter(Column::TenantId.eq(tenant.as_uuid()));
    if let Some(booking) = filter.booking {
        query = query.filter(Column::BookingId.eq(booking.as_uuid()));
    }
    if let Some(workflow) = &filter.workflow {
        query = query.filter(Column::Workflow.eq(workflow));
    }
    if let Some(phase) = filter.phase {
        query = query.filter(Column::Phase.eq(phase));
    }
    if let Some(after) = after {
        let same = Column::CreatedAtMs.eq(after.created_at_ms);
        let same = same.and(Column::Id.lt(after.id));
        query = query.filter(Column::CreatedAtMs.lt(after.created_at_ms).or(same));
    }
    let query = query
        .order_by_desc(Column::CreatedAtMs)
        .order_by_desc(Column::Id);
    Ok(query.limit(limit).all(c).await?)
}
