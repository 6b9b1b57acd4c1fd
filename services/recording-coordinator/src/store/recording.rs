//! Recordings.

use convene_domain::{
    BookingId, HostId, Machine as _, MeetingId, RecordingId, TenantId, recording::Recording,
};
use convene_kit::{Error, Result, Table, Tx, store as spine};
use sea_orm::{ConnectionTrait, QueryOrder as _, Value, entity::prelude::*};

/// A recording as lists read it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recording")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub head_hash: Vec<u8>,
    pub state: String,
    pub created_at_ms: i64,
    pub booking_id: Uuid,
    pub meeting_id: Uuid,
    pub host_id: Uuid,
    pub phase: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The recordings' table.
pub struct Recordings;

impl Table for Recordings {
    type Machine = Recording;
    const NAME: &'static str = "recording";

    fn booking(recording: &Recording, _id: Uuid) -> BookingId {
        recording.booking
    }

    fn columns(recording: &Recording) -> Vec<(&'static str, Value)> {
        vec![
            ("booking_id", recording.booking.as_uuid().into()),
            ("meeting_id", recording.meeting.as_uuid().into()),
            ("phase", recording.state().into()),
        ]
    }
}

impl Model {
    /// The machine of the row.
    pub fn machine(&self) -> Result<Recording> {
        Ok(serde_json::from_str(&self.state)?)
    }

    /// Whose meeting was recorded.
    pub fn host(&self) -> HostId {
        HostId::from_uuid(self.host_id)
    }
}

/// The column that the machine does not know, for the insertion of a recording.
pub fn of_host(host: HostId) -> Vec<(&'static str, Value)> {
    vec![("host_id", host.as_uuid().into())]
}

/// A recording of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: RecordingId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("recording"))
}

/// Which recordings a meeting has is decided by one change after the other: at most one runs.
pub async fn lock(tx: &Tx, tenant: TenantId, meeting: MeetingId) -> Result<()> {
    spine::lock(tx, &format!("recordings/{tenant}/{meeting}")).await
}

/// All recordings of a meeting, oldest first.
pub async fn of_meeting<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    meeting: MeetingId,
) -> Result<Vec<Model>> {
    let rows = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::MeetingId.eq(meeting.as_uuid()))
        .order_by_asc(Column::Id)
        .all(c)
        .await?;
    Ok(rows)
}

/// All recordings of a booking, oldest first; only those of one host when `host` is given.
pub async fn of_booking<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    booking: BookingId,
    host: Option<HostId>,
) -> Result<Vec<Model>> {
    let mut query = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::BookingId.eq(booking.as_uuid()));
    if let Some(host) = host {
        query = query.filter(Column::HostId.eq(host.as_uuid()));
    }
    Ok(query.order_by_asc(Column::Id).all(c).await?)
}
