//! Permits.

use convene_domain::{Audience, BookingId, Machine as _, MeetingId, TenantId, permit::Permit};
use convene_kit::{Result, Table};
use sea_orm::{ConnectionTrait, QueryOrder as _, Value, entity::prelude::*};

/// A permit as look-ups read it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "permit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub state: String,
    pub meeting_id: Uuid,
    pub audience: String,
    pub phase: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The permits' table.
pub struct Permits;

impl Table for Permits {
    type Machine = Permit;
    const NAME: &'static str = "permit";

    fn booking(permit: &Permit, _id: Uuid) -> BookingId {
        permit.booking
    }

    fn columns(permit: &Permit) -> Vec<(&'static str, Value)> {
        vec![
            ("meeting_id", permit.meeting.as_uuid().into()),
            ("audience", permit.audience.to_string().into()),
            ("phase", permit.state().into()),
        ]
    }
}

impl Model {
    /// The machine of the row.
    pub fn machine(&self) -> Result<Permit> {
        Ok(serde_json::from_str(&self.state)?)
    }
}

fn of(tenant: TenantId, meeting: MeetingId) -> Select<Entity> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::MeetingId.eq(meeting.as_uuid()))
}

/// The newest permit of an audience.
pub async fn newest<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    meeting: MeetingId,
    audience: Audience,
) -> Result<Option<Model>> {
    Ok(of(tenant, meeting)
        .filter(Column::Audience.eq(audience.to_string()))
        .order_by_desc(Column::Id)
        .one(c)
        .await?)
}

/// The permits of a meeting that were not taken back.
pub async fn in_force<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    meeting: MeetingId,
) -> Result<Vec<Uuid>> {
    let in_force = of(tenant, meeting).filter(Column::Phase.ne("REVOKED"));
    let in_force = in_force.order_by_asc(Column::Id).all(c).await?;
    Ok(in_force.into_iter().map(|row| row.id).collect())
}

/// The permits of a meeting that nobody has used.
pub async fn unused<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    meeting: MeetingId,
) -> Result<Vec<Uuid>> {
    let unused = of(tenant, meeting).filter(Column::Phase.eq("ISSUED"));
    Ok(unused.all(c).await?.into_iter().map(|row| row.id).collect())
}
