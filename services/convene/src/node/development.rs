//! The first key of a development node: made once, kept beside the database, printed by `up`.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use convene_domain::TenantId;
use convene_gateway::{KeyRole, NewApiKey, create_api_key, made_by};
use convene_kit::{Deps, Error, Result, ids};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// An admin's key of the development tenant.
pub struct DevelopmentKey {
    tenant: TenantId,
    secret: SecretString,
}

impl std::fmt::Debug for DevelopmentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DevelopmentKey({})", self.tenant)
    }
}

impl DevelopmentKey {
    /// Its tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The key itself, for the developer's eyes.
    pub fn secret(&self) -> &str {
        self.secret.expose_secret()
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    tenant: TenantId,
    key: String,
}

/// The key of this data folder; made when there is none.
pub async fn key(data: &Path, gateway: &Deps) -> Result<DevelopmentKey> {
    let path = data.join("development-key.json");
    let failed = |error: std::io::Error| {
        Error::unavailable(
            "DATA_FOLDER_UNUSABLE",
            format!("{} cannot be used: {error}", path.display()),
        )
    };
    if path.exists() {
        let kept: Kept = serde_json::from_slice(&fs::read(&path).map_err(failed)?)?;
        return Ok(DevelopmentKey {
            tenant: kept.tenant,
            secret: kept.key.into(),
        });
    }
    let tenant = TenantId::from_uuid(ids::new());
    let origin = made_by("system:gateway", tenant, &gateway.clock);
    let new = NewApiKey::new("development", KeyRole::Admin);
    let (_, secret) = create_api_key(&gateway.db, origin, new).await?;
    let kept = Kept {
        tenant,
        key: secret.expose_secret().to_owned(),
    };
    // A crash before this leaves a key that nobody knows: harmless, the next start makes another.
    let beside = path.with_extension("new");
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| file.write_all(&serde_json::to_vec(&kept)?))
        .and_then(|()| fs::rename(&beside, &path))
        .map_err(failed)?;
    Ok(DevelopmentKey { tenant, secret })
}
