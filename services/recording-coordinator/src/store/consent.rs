//! The ledger: one row per person and meeting; its history is its chain of events.

use std::collections::BTreeSet;

use convene_domain::{Audience, BookingId, ConsentId, MeetingId, TenantId, consent::Consent};
use convene_kit::{Error, Result, Table};
use sea_orm::{ConnectionTrait, QueryOrder as _, Value, entity::prelude::*};

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub head_hash: Vec<u8>,
    pub state: String,
    pub created_at_ms: i64,
    pub meeting_id: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The consents' table.
pub struct Consents;

impl Table for Consents {
    type Machine = Consent;
    const NAME: &'static str = "consent";

    fn booking(consent: &Consent, _id: Uuid) -> BookingId {
        consent.booking
    }

    fn columns(consent: &Consent) -> Vec<(&'static str, Value)> {
        vec![("meeting_id", consent.meeting.as_uuid().into())]
    }
}

impl Model {
    /// The machine of the row.
    pub fn machine(&self) -> Result<Consent> {
        Ok(serde_json::from_str(&self.state)?)
    }
}

/// A consent of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: ConsentId) -> Result<Model> {
    find(c, tenant, id)
        .await?
        .ok_or_else(|| Error::not_found("consent"))
}

/// A consent of the tenant, when the person ever decided.
pub async fn find<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    id: ConsentId,
) -> Result<Option<Model>> {
    let key = (tenant.as_uuid(), id.as_uuid());
    Ok(Entity::find_by_id(key).one(c).await?)
}

/// All decisions about a meeting, given and withdrawn: at most one per guest and one of the host.
pub async fn of_meeting<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    meeting: MeetingId,
) -> Result<Vec<Model>> {
    let rows = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::MeetingId.eq(meeting.as_uuid()))
        .order_by_asc(Column::CreatedAtMs)
        .order_by_asc(Column::Id)
        .all(c)
        .await?;
    Ok(rows)
}

/// Who agrees at this moment.
pub async fn given<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    meeting: MeetingId,
) -> Result<BTreeSet<Audience>> {
    let mut given = BTreeSet::new();
    for row in of_meeting(c, tenant, meeting).await? {
        let consent = row.machine()?;
        if consent.given {
            given.insert(consent.audience);
        }
    }
    Ok(given)
}
