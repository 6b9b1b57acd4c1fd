//! Meetings.

use convene_domain::{BookingId, Machine as _, MeetingId, TenantId, meeting::Meeting};
use convene_kit::{Error, Result, Table};
use sea_orm::{ConnectionTrait, QuerySelect as _, Value, entity::prelude::*};

/// What stands beside the machine: not in events, because it is personal or secret.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "meeting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub subject: String,
    pub organizer: String,
    pub host_id: Uuid,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Meeting({})", self.id)
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The meetings' table.
pub struct Meetings;

impl Table for Meetings {
    type Machine = Meeting;
    const NAME: &'static str = "meeting";

    fn booking(meeting: &Meeting, _id: Uuid) -> BookingId {
        meeting.booking
    }

    fn columns(meeting: &Meeting) -> Vec<(&'static str, Value)> {
        vec![("phase", meeting.state().into())]
    }
}

/// What stands beside a meeting's machine.
pub async fn beside<C: ConnectionTrait>(c: &C, tenant: TenantId, id: MeetingId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("meeting"))
}

/// The host of a meeting.
pub async fn host<C: ConnectionTrait>(c: &C, tenant: TenantId, id: MeetingId) -> Result<Uuid> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .select_only()
        .column(Column::HostId)
        .into_tuple()
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("meeting"))
}
