//! How many bookings of a service each host of its assignment has taken; what was called off does not count.

use std::collections::BTreeMap;

use convene_domain::{HostId, ServiceId, TenantId};
use convene_kit::{Result, Writes};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, QueryTrait as _,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait as _, OnConflict},
};

/// One host's count.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "host_load")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub host_id: Uuid,
    pub assigned: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The counts of a service. Whoever decides by them holds the hosts' locks.
pub async fn of<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    service: ServiceId,
) -> Result<BTreeMap<HostId, u64>> {
    let rows = Entity::find()
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::ServiceId.eq(service.as_uuid()))
        .all(c)
        .await?;
    let counts = rows.into_iter();
    Ok(counts
        .map(|row| (HostId::from_uuid(row.host_id), row.assigned.unsigned_abs()))
        .collect())
}

/// Begins a host's count.
pub async fn begin<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    service: ServiceId,
    host: HostId,
    assigned: u64,
) -> Result<()> {
    let row = active(
        tenant,
        service,
        host,
        i64::try_from(assigned).unwrap_or(i64::MAX),
    );
    Entity::insert(row).exec_without_returning(c).await?;
    Ok(())
}

/// One booking more, with the writes that follow.
pub fn one_more(writes: &mut Writes, tenant: TenantId, service: ServiceId, host: HostId) {
    let more = Expr::col((Entity, Column::Assigned)).add(1);
    let known = OnConflict::columns([Column::TenantId, Column::ServiceId, Column::HostId])
        .value(Column::Assigned, more)
        .to_owned();
    let row = Entity::insert(active(tenant, service, host, 1)).on_conflict(known);
    writes.add(&row.into_query());
}

/// One booking fewer for each host, where they are counted.
pub async fn one_fewer<C: ConnectionTrait>(
    c: &C,
    tenant: TenantId,
    service: ServiceId,
    hosts: impl IntoIterator<Item = HostId>,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Assigned, Expr::col(Column::Assigned).sub(1))
        .filter(Column::TenantId.eq(tenant.as_uuid()))
        .filter(Column::ServiceId.eq(service.as_uuid()))
        .filter(Column::HostId.is_in(hosts.into_iter().map(|host| host.as_uuid())))
        .filter(Column::Assigned.gt(0))
        .exec(c)
        .await?;
    Ok(())
}

fn active(tenant: TenantId, service: ServiceId, host: HostId, assigned: i64) -> ActiveModel {
    ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        service_id: Set(service.as_uuid()),
        host_id: Set(host.as_uuid()),
        assigned: Set(assigned),
    }
}
