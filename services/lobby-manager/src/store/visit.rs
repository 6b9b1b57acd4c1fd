//! Visits and their places in the queue.

use convene_domain::{
    BookingId, LobbyId, Machine as _, TenantId, VisitId,
    visit::{Phase, Visit},
};
use convene_kit::{Error, Result, Table, Tx};
use sea_orm::{
    ConnectionTrait, PaginatorTrait as _, QueryOrder as _, QuerySelect as _, Value,
    entity::prelude::*,
    sea_query::{Expr, Func},
};

/// A visit as lists read it.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "visit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub state: String,
    pub lobby_id: Uuid,
    pub phase: String,
    pub arrived_at_ms: Option<i64>,
    /// Order of arrival within the lobby.
    pub arrival: Option<i64>,
    /// Personal data.
    pub display_name: String,
    pub decided_by: Option<String>,
    pub end_reason: Option<String>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visit({})", self.id)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The visits' table.
pub struct Visits;

/// Column value of a guest who waits.
pub const WAITING: &str = "WAITING";

impl Table for Visits {
    type Machine = Visit;
    const NAME: &'static str = "visit";

    fn booking(visit: &Visit, _id: Uuid) -> BookingId {
        visit.booking
    }

    fn columns(visit: &Visit) -> Vec<(&'static str, Value)> {
        let reason = match &visit.phase {
            Phase::Denied { reason } | Phase::TimedOut { reason } => Some(reason.clone()),
            Phase::Expected | Phase::Waiting | Phase::Admitted { .. } | Phase::Left => None,
        };
        vec![
            ("lobby_id", visit.lobby.as_uuid().into()),
            ("phase", visit.state().into()),
            (
                "arrived_at_ms",
                visit.arrived_at.map(|at| at.as_millis()).into(),
            ),
            ("end_reason", reason.into()),
        ]
    }
}

impl Model {
    /// The machine of the row.
    pub fn machine(&self) -> Result<Visit> {
        Ok(serde_json::from_str(&self.state)?)
    }
}

fn of(tenant: TenantId, lobby: LobbyId) -> Select<Entity> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::LobbyId.eq(lobby.as_uuid()))
}

/// One visit.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: VisitId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("visit"))
}

/// All visits of a lobby in order of arrival; who has not arrived comes last.
pub async fn of_lobby<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    lobby: LobbyId,
) -> Result<Vec<Model>> {
    let mut visits = of(tenant, lobby).order_by_asc(Column::Id).all(c).await?;
    visits.sort_by_key(|visit| (visit.arrival.unwrap_or(i64::MAX), visit.id));
    Ok(visits)
}

/// Place in the queue: 1 is next; 0 for who does not wait.
pub async fn position<C: ConnectionTrait>(c: &C, visit: &Model) -> Result<u32> {
    let (WAITING, Some(arrival)) = (visit.phase.as_str(), visit.arrival) else {
        return Ok(0);
    };
    let tenant = TenantId::from_uuid(visit.tenant_id);
    let before = of(tenant, LobbyId::from_uuid(visit.lobby_id))
        .filter(Column::Phase.eq(WAITING))
        .filter(Column::Arrival.lt(arrival))
        .count(c)
        .await?;
    Ok(u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1))
}

/// How many wait.
pub async fn waiting<C: ConnectionTrait>(c: &C, tenant: TenantId, lobby: LobbyId) -> Result<u32> {
    let waiting = of(tenant, lobby)
        .filter(Column::Phase.eq(WAITING))
        .count(c)
        .await?;
    Ok(u32::try_from(waiting).unwrap_or(u32::MAX))
}

/// Puts a visit that has just arrived at the end of the queue.
pub async fn queue(tx: &Tx, tenant: TenantId, lobby: LobbyId, id: VisitId) -> Result<()> {
    let last: Option<Option<i64>> = of(tenant, lobby)
        .select_only()
        .expr(Func::max(Expr::col(Column::Arrival)))
        .into_tuple()
        .one(tx)
        .await?;
    let place = last.flatten().unwrap_or(0) + 1;
    set(tx, tenant, id, Column::Arrival, place.into()).await
}

/// Remembers who decided.
pub async fn decided(tx: &Tx, tenant: TenantId, id: VisitId, by: &str) -> Result<()> {
    set(tx, tenant, id, Column::DecidedBy, by.into()).await
}

async fn set(tx: &Tx, tenant: TenantId, id: VisitId, column: Column, to: Value) -> Result<()> {
    Entity::update_many()
        .col_expr(column, Expr::value(to))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Id.eq(id.as_uuid()))
        .exec(tx)
        .await?;
    Ok(())
}
