//! `convene migrate`.

use convene_kit::Result;

use super::print;
use crate::{
    config::Config,
    roles::{RoleName, spec},
};

/// Brings the databases of these roles up to date, then lets go of them.
pub async fn run(config: &Config, roles: &[RoleName]) -> Result<()> {
    crate::node::prepare(&config.data)?;
    for role in roles {
        (spec(*role).open)(&config.database(), role.as_str(), true).await?;
        print(&format!("{role:<22} up to date\n"));
    }
    Ok(())
}
