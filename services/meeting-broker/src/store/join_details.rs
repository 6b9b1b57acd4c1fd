//! Sealed join details.

use convene_domain::{MeetingId, TenantId};
use convene_kit::{Error, Result, Tx, keys::Sealed, keys::Sealer};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, QueryOrder as _, QuerySelect as _,
    entity::prelude::*,
    sea_query::{Condition, OnConflict},
};

use crate::provider::JoinDetails;

/// Join details under a key that only the broker has.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "join_details")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub meeting_id: Uuid,
    pub key_id: String,
    pub sealed: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Seals join details for one meeting's row.
pub fn seal(
    sealer: &Sealer,
    tenant: TenantId,
    meeting: MeetingId,
    details: &JoinDetails,
) -> Result<Sealed> {
    let plain = serde_json::to_vec(details)?;
    let (tenant, meeting) = (tenant.as_uuid(), meeting.as_uuid());
    sealer.seal(&plain, &[tenant.as_bytes(), meeting.as_bytes()])
}

/// Opens what [`seal`] sealed.
pub fn open(
    sealer: &Sealer,
    tenant: TenantId,
    meeting: MeetingId,
    sealed: &Sealed,
) -> Result<JoinDetails> {
    let (tenant, meeting) = (tenant.as_uuid(), meeting.as_uuid());
    let plain = sealer.open(sealed, &[tenant.as_bytes(), meeting.as_bytes()])?;
    Ok(serde_json::from_slice(&plain)?)
}

/// Stores sealed details; a later creation of the same meeting takes the place of an earlier one.
pub async fn store(tx: &Tx, tenant: TenantId, meeting: MeetingId, sealed: Sealed) -> Result<()> {
    Entity::insert(ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        meeting_id: Set(meeting.as_uuid()),
        key_id: Set(sealed.key_id),
        sealed: Set(sealed.bytes),
    })
    .on_conflict(
        OnConflict::columns([Column::TenantId, Column::MeetingId])
            .update_columns([Column::KeyId, Column::Sealed])
            .to_owned(),
    )
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// The sealed details of a meeting.
pub async fn get<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    meeting: MeetingId,
) -> Result<Sealed> {
    let row = Entity::find_by_id((tenant.as_uuid(), meeting.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::internal("a ready meeting has no join details"))?;
    Ok(Sealed {
        key_id: row.key_id,
        bytes: row.sealed,
    })
}

/// A row that another key than the current one opens.
pub struct Old {
    pub tenant: TenantId,
    pub meeting: MeetingId,
    pub sealed: Sealed,
}

/// Rows that are not sealed with `current`, in the order of their keys, after one of them.
pub async fn sealed_otherwise<C: ConnectionTrait>(
    c: &C,
    current: &str,
    after: Option<(TenantId, MeetingId)>,
    limit: u64,
) -> Result<Vec<Old>> {
    let mut query = Entity::find().filter(Column::KeyId.ne(current));
    if let Some((tenant, meeting)) = after {
        let same = Condition::all()
            .add(Column::TenantId.eq(tenant.as_uuid()))
            .add(Column::MeetingId.gt(meeting.as_uuid()));
        let behind = Condition::any().add(Column::TenantId.gt(tenant.as_uuid()));
        query = query.filter(behind.add(same));
    }
    let rows = query
        .order_by_asc(Column::TenantId)
        .order_by_asc(Column::MeetingId)
        .limit(limit)
        .all(c)
        .await?;
    let old = rows.into_iter().map(|row| Old {
        tenant: TenantId::from_uuid(row.tenant_id),
        meeting: MeetingId::from_uuid(row.meeting_id),
        sealed: Sealed {
            key_id: row.key_id,
            bytes: row.sealed,
        },
    });
    Ok(old.collect())
}

/// Puts the same details under another key, unless they have changed since they were read.
pub async fn replace(tx: &Tx, old: Old, sealed: Sealed) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::KeyId, Expr::value(sealed.key_id))
        .col_expr(Column::Sealed, Expr::value(sealed.bytes))
        .filter(Column::TenantId.eq(old.tenant.as_uuid()))
        .filter(Column::MeetingId.eq(old.meeting.as_uuid()))
        .filter(Column::Sealed.eq(old.sealed.bytes))
        .exec(tx)
        .await?;
    Ok(())
}

/// How many rows a key still seals.
pub async fn sealed_with<C: ConnectionTrait>(c: &C, key_id: &str) -> Result<u64> {
    Ok(Entity::find()
        .filter(Column::KeyId.eq(key_id))
        .count(c)
        .await?)
}
