//! Uploading and publishing modules.

use convene_kit::{Context, Error, Origin, Result, Tx, store as spine};
use convene_plugin_host::{Grants, Limits, Refusal, digest};

use super::Plugins;
use crate::store::plugin::module::{self, Published};

/// Modules of one tenant: published, and uploaded only.
const PUBLISHED_MAX: u64 = 200;
const UPLOADED_MAX: u64 = 10;
/// Largest module, in bytes.
pub const MODULE_BYTES_MAX: usize = 4 << 20;

/// A module to be published.
#[derive(Debug)]
pub struct Publish {
    pub digest: String,
    pub name: String,
    pub version: String,
}

impl Plugins {
    /// Keeps the bytes of a module; nothing is compiled. The same bytes again change nothing.
    pub async fn upload(&self, context: &Context, named: &str, bytes: Vec<u8>) -> Result<String> {
        context.caller.ensure_admin()?;
        let digest = digest(&bytes);
        if !named.eq_ignore_ascii_case(&digest) {
            return Err(Error::invalid(
                "digest",
                "DIGEST_MISMATCH",
                format!(
                    "the bytes have the SHA-256 {digest}; send the whole file, and the digest in hex"
                ),
            ));
        }
        let origin = context.origin(&self.deps.clock);
        let row = module::Model {
            tenant_id: origin.tenant.as_uuid(),
            digest: digest.clone(),
            size_bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            bytes,
            uploaded_at_ms: origin.now.as_millis(),
            name: None,
            version: None,
            hooks: "[]".into(),
            capabilities: "[]".into(),
            published_at_ms: None,
        };
        let write = self.deps.db.write(move |tx| {
            Box::pin(async move {
                lock(tx, &origin).await?;
                if module::is_there(tx, origin.tenant, &row.digest).await? {
                    return Ok(());
                }
                let (_, uploaded) = module::counts(tx, origin.tenant).await?;
                if uploaded >= UPLOADED_MAX {
                    module::forget_oldest(tx, origin.tenant).await?;
                }
                module::insert(tx, row).await
            })
        });
        write.await?;
        Ok(digest)
    }

    /// Checks a module, compiles it, starts it once, and gives it a name for ever.
    pub async fn publish(&self, context: &Context, wish: Publish) -> Result<Published> {
        context.caller.ensure_admin()?;
        let name = label("name", &wish.name, 40)?;
        let version = label("version", &wish.version, 30)?;
        let tenant = context.caller.tenant;
        let bytes = module::bytes(self.deps.db.read(), tenant, &wish.digest).await?;
        let size_bytes = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let host = self.host().await?;
        let taken = host
            .validate(bytes, &Grants::all(), &Limits::default())
            .await;
        let plugin = taken.map_err(|refusal| refused(&refusal))?;
        let origin = context.origin(&self.deps.clock);
        let made = Published {
            digest: wish.digest,
            size_bytes,
            name,
            version,
            hooks: serde_json::to_string(plugin.hooks())?,
            capabilities: serde_json::to_string(&plugin.capabilities())?,
            published_at_ms: origin.now.as_millis(),
        };
        let write = self.deps.db.write(move |tx| {
            Box::pin(async move {
                lock(tx, &origin).await?;
                publish(tx, &origin, made).await
            })
        });
        write.await
    }

    /// All published modules, newest first.
    pub async fn modules(&self, context: &Context) -> Result<Vec<Published>> {
        context.caller.ensure_admin()?;
        module::all(self.deps.db.read(), context.caller.tenant).await
    }
}

async fn publish(tx: &Tx, origin: &Origin, made: Published) -> Result<Published> {
    let tenant = origin.tenant;
    if let Some(before) = module::published(tx, tenant, &made.digest).await? {
        if (&before.name, &before.version) == (&made.name, &made.version) {
            return Ok(before);
        }
        return Err(Error::refused(
            "MODULE_PUBLISHED",
            format!(
                "this module is published as {} {}; a module has one name",
                before.name, before.version
            ),
        ));
    }
    if module::named(tx, tenant, &made.name, &made.version)
        .await?
        .is_some()
    {
        return Err(Error::refused(
            "VERSION_TAKEN",
            "this version has another module, and versions never change; publish it as another version",
        ));
    }
    let (published, _) = module::counts(tx, tenant).await?;
    if published >= PUBLISHED_MAX {
        return Err(Error::too_many(
            "TOO_MANY_MODULES",
            format!("there are {PUBLISHED_MAX} published modules"),
        ));
    }
    module::publish(tx, tenant, made.clone()).await?;
    Ok(made)
}

/// One changes a tenant's modules after the other.
async fn lock(tx: &Tx, origin: &Origin) -> Result<()> {
    spine::lock(tx, &format!("plugin_modules/{}", origin.tenant)).await
}

/// What the host says about a module becomes the API's refusal: its name is the reason.
pub fn refused(refusal: &Refusal) -> Error {
    let text = refusal.to_string();
    let text = text
        .split_once(": ")
        .map_or("", |(_, text)| text)
        .to_owned();
    Error::refused(refusal.name(), text)
}

fn label(field: &'static str, text: &str, most: usize) -> Result<String> {
    let of = |c: char| c.is_ascii_alphanumeric() || ".-+_".contains(c);
    if (1..=most).contains(&text.len()) && text.chars().all(of) {
        return Ok(text.to_owned());
    }
    Err(Error::invalid(
        field,
        "MALFORMED_NAME",
        format!("{field} has 1 to {most} of A-Z, a-z, 0-9 and .-+_"),
    ))
}
