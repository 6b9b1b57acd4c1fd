//! `convene tenant`.

use convene_kit::{Error, Result};
use secrecy::ExposeSecret as _;

use super::print;
use crate::{config::Config, node::make_admin_key};

/// Makes an admin key of a tenant, of a new one unless named; it is printed here and never again.
pub async fn create(config: &Config, tenant: Option<&str>, name: &str) -> Result<()> {
    let tenant = tenant.map(str::parse).transpose();
    let tenant = tenant.map_err(|malformed| Error::from(malformed).on_field("TENANT"))?;
    let (tenant, secret) = make_admin_key(config, tenant, name).await?;
    print(&format!(
        "tenant     {tenant}\nadmin key  {}\n",
        secret.expose_secret()
    ));
    Ok(())
}
