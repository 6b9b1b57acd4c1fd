//! Tenants are made by whoever runs the node, straight in the gateway's database.

use convene_domain::TenantId;
use convene_gateway::{self as gateway, KeyRole, NewApiKey, create_api_key, is_tenant, made_by};
use convene_kit::{Clock, Db, Error, Result, ids, role::stored_offset};
use convene_migrations::gateway::Migrator;
use secrecy::SecretString;

use super::prepare;
use crate::config::Config;

/// Makes an ADMIN key with this name for a tenant of a node that stands still, for a new one unless named.
pub async fn make_admin_key(
    config: &Config,
    tenant: Option<TenantId>,
    name: &str,
) -> Result<(TenantId, SecretString)> {
    prepare(&config.data)?;
    let db = Db::open::<Migrator>(&config.database(), gateway::NAME).await?;
    if let Some(tenant) = tenant
        && !is_tenant(&db, tenant).await?
    {
        return Err(Error::not_found("tenant on this node").on_field("TENANT"));
    }
    let tenant = tenant.unwrap_or_else(|| TenantId::from_uuid(ids::new()));
    let clock = Clock::new(stored_offset(db.read()).await?);
    let origin = made_by("system:operator", tenant, &clock);
    let new = NewApiKey::new(name, KeyRole::Admin);
    let (_, secret) = create_api_key(&db, origin, new).await?;
    Ok((tenant, secret))
}
