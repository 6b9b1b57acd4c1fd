//! Slots that are kept for somebody for a while. Their time is in `occupancy`, where it ends by itself.

use convene_domain::{HoldId, HostId, Interval, TenantId, Timestamp};
use convene_kit::{Error, Result, Writes};
use sea_orm::{
    ConnectionTrait, IntoActiveModel as _, PaginatorTrait as _, QuerySelect as _, QueryTrait as _,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, Query},
};

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hold")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The fence: whoever shows it speaks for this hold. Worth nothing without a credential of the tenant.
    pub token: Uuid,
    /// Who keeps it, as in audit trails.
    pub principal: String,
    pub service_id: Uuid,
    /// JSON list of ids; the first one organises the meeting.
    pub hosts: String,
    pub start_ms: i64,
    pub end_ms: i64,
    pub created_at_ms: i64,
    pub expires_at_ms: i64,
    /// What it became.
    pub booking_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Expired holds that one change forgets at the most.
const FORGET_MAX: u64 = 100;

impl Model {
    /// Its id.
    pub fn id(&self) -> HoldId {
        HoldId::from_uuid(self.id)
    }

    /// Whose time is kept, the organiser's first.
    pub fn hosts(&self) -> Result<Vec<HostId>> {
        Ok(serde_json::from_str(&self.hosts)?)
    }

    /// From when to when, without buffers.
    pub fn interval(&self) -> Result<Interval> {
        let at = Timestamp::from_millis;
        Interval::new(at(self.start_ms), at(self.end_ms))
            .ok_or_else(|| Error::internal("a hold without time"))
    }
}

/// A hold of the tenant.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId, id: HoldId) -> Result<Model> {
    Entity::find_by_id((tenant.as_uuid(), id.as_uuid()))
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("hold"))
}

/// The hold of a token, for a change.
pub async fn lock<C: ConnectionTrait>(c: &C, tenant: TenantId, token: Uuid) -> Result<Model> {
    Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Token.eq(token))
        .lock_exclusive()
        .one(c)
        .await?
        .ok_or_else(|| Error::not_found("hold").on_field("holdToken"))
}

/// How many holds somebody keeps.
pub async fn kept_by<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    principal: &str,
    now: Timestamp,
) -> Result<u64> {
    let kept = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::Principal.eq(principal))
        .filter(Column::ExpiresAtMs.gt(now.as_millis()))
        .filter(Column::BookingId.is_null());
    Ok(kept.count(c).await?)
}

/// Stores a new hold, and forgets some that ended more than a while ago.
pub fn insert(writes: &mut Writes, row: &Model, forget_before: Timestamp) {
    let ended = Query::select()
        .columns([Column::TenantId, Column::Id])
        .from(Entity)
        .and_where(Column::TenantId.eq(row.tenant_id))
        .and_where(Column::ExpiresAtMs.lte(forget_before.as_millis()))
        .limit(FORGET_MAX)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .to_owned();
    let key = Expr::tuple([Column::TenantId, Column::Id].map(Expr::col));
    writes.add(
        &Entity::delete_many()
            .filter(key.in_subquery(ended))
            .into_query(),
    );
    writes.add(&Entity::insert(row.clone().into_active_model().reset_all()).into_query());
}

/// Ends a hold: it became this booking, or was given back.
pub async fn end<C: ConnectionTrait>(
    c: &C,
    row: &Model,
    booking: Option<Uuid>,
    now: Timestamp,
) -> Result<()> {
    let ends_at = Ord::min(now.as_millis(), row.expires_at_ms);
    Entity::update_many()
        .col_expr(Column::BookingId, Expr::value(booking))
        .col_expr(Column::ExpiresAtMs, Expr::value(ends_at))
        .filter(Column::TenantId.eq(row.tenant_id))
        .filter(Column::Id.eq(row.id))
        .exec(c)
        .await?;
    Ok(())
}
