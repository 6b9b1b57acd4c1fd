//! Making and revoking keys. Each is a fact in the gateway's log, chained per key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convene_domain::{HostId, TenantId, Timestamp};
use convene_kit::{
    Clock, Db, Error, KeyScope, KeyScopes, Origin, Result, Tx, convert, digest,
    event::{Head, journal},
    ids, telemetry,
};
use sea_orm::{ActiveValue::Set, IntoActiveModel as _, entity::prelude::*};
use secrecy::SecretString;
use serde::Serialize;

use super::{
    KeyRole, NewApiKey, PREFIX,
    row::{self, ActiveModel, Entity, Model, TABLE},
};

/// What happened to a key. The name is for people and may name one, so it is not here.
#[derive(Serialize)]
#[serde(tag = "type")]
enum Event<'a> {
    ApiKeyCreated {
        role: &'a str,
        host: Option<HostId>,
        scopes: &'a Option<String>,
        expires_at: Option<Timestamp>,
    },
    ApiKeyRevoked,
}

/// The origin of keys that a node, not a caller, makes for a tenant.
pub fn made_by(actor: &str, tenant: TenantId, clock: &Clock) -> Origin {
    Origin {
        tenant,
        actor: actor.to_owned(),
        now: clock.now(),
        traceparent: telemetry::current(),
    }
}

/// Makes a key of the origin's tenant; the secret is in this answer only.
pub async fn create_api_key(
    db: &Db,
    origin: Origin,
    new: NewApiKey,
) -> Result<(Model, SecretString)> {
    let name = convert::text("name", &new.name)?;
    let scopes = checked(&new, origin.now)?.map(row::text);
    let secret = format!(
        "{PREFIX}{}",
        URL_SAFE_NO_PAD.encode(digest::random::<32>()?)
    );
    let row = Model {
        tenant_id: origin.tenant.as_uuid(),
        id: ids::new(),
        hash: digest::sha256(secret.as_bytes()).to_vec(),
        name,
        role: new.role.name().to_owned(),
        host_id: new.host.map(|host| host.as_uuid()),
        created_at_ms: origin.now.as_millis(),
        revoked_at_ms: None,
        scopes,
        expires_at_ms: new.expires_at.map(|at| at.as_millis()),
        last_used_at_ms: None,
        created_by: Some(origin.actor.clone()),
        revoked_by: None,
        version: 0,
        head_hash: None,
    };
    let row = db
        .write(move |tx| Box::pin(async move { insert(tx, &origin, row).await }))
        .await?;
    Ok((row, secret.into()))
}

fn checked(new: &NewApiKey, now: Timestamp) -> Result<Option<KeyScopes>> {
    if (new.role == KeyRole::Host) != new.host.is_some() {
        return Err(Error::invalid(
            "hostId",
            "HOST_MISMATCH",
            "a HOST key names its host, and no other key does",
        ));
    }
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::invalid(
            "expiresAt",
            "EXPIRY_IN_THE_PAST",
            "expiresAt must lie in the future; leave it out for a key that lasts until revoked",
        ));
    }
    let Some(scopes) = new.scopes else {
        return Ok(None);
    };
    if scopes.is_empty() {
        return Err(Error::invalid(
            "scopes",
            "SCOPES_EMPTY",
            "a key without scopes opens nothing; leave scopes out for all that the role may",
        ));
    }
    let beyond = scopes.beyond(new.role.scopes());
    if !beyond.is_empty() {
        return Err(Error::invalid(
            "scopes",
            "SCOPE_NOT_OF_ROLE",
            format!(
                "scopes narrow a role and give it nothing: {} may not have {}",
                new.role.name(),
                row::text(beyond)
            ),
        ));
    }
    Ok(Some(scopes))
}

async fn insert(tx: &Tx, origin: &Origin, row: Model) -> Result<Model> {
    let created = Event::ApiKeyCreated {
        role: &row.role,
        host: row.host(),
        scopes: &row.scopes,
        expires_at: row.expires_at_ms.map(Timestamp::from_millis),
    };
    let head = journal(tx, origin, TABLE, row.id, Head::default(), &created).await?;
    let row = Model {
        version: head.version,
        head_hash: Some(head.hash),
        ..row
    };
    Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(tx)
        .await?;
    Ok(row)
}

/// Revokes a key of the origin's tenant; a repeat answers the key as it is.
pub async fn revoke(db: &Db, origin: Origin, id: Uuid) -> Result<Model> {
    db.write(move |tx| Box::pin(async move { revoke_in(tx, &origin, id).await }))
        .await
}

async fn revoke_in(tx: &Tx, origin: &Origin, id: Uuid) -> Result<Model> {
    let now = origin.now.as_millis();
    // Locked before the key is read: two admins who revoke each other's key do it one after the other.
    let admins = row::lock_admins(tx, origin.tenant).await?;
    let key = row::get(tx, origin.tenant, id).await?;
    if key.revoked_at_ms.is_some() {
        return Ok(key);
    }
    if key.administers(now)? {
        let mut others = admins.iter().filter(|other| other.id != id);
        if !others.any(|other| other.administers(now).unwrap_or(false)) {
            return Err(Error::refused(
                "LAST_ADMIN_KEY",
                "without this key nobody could make keys any more; make another ADMIN key first",
            ));
        }
    }
    let version = key.version;
    let head = key.head_hash.clone();
    let head = head.map_or_else(Head::default, |hash| Head { version, hash });
    let head = journal(tx, origin, TABLE, id, head, &Event::ApiKeyRevoked).await?;
    let mut change: ActiveModel = key.into_active_model();
    change.revoked_at_ms = Set(Some(now));
    change.revoked_by = Set(Some(origin.actor.clone()));
    change.version = Set(head.version);
    change.head_hash = Set(Some(head.hash));
    Ok(change.update(tx).await?)
}

/// Refuses a key that could do what its maker's key was narrowed away from.
pub fn ensure_no_wider(new: &NewApiKey, own: Option<KeyScopes>) -> Result<()> {
    let Some(own) = own else { return Ok(()) };
    let beyond = new.scopes.unwrap_or(new.role.scopes()).beyond(own);
    if beyond.is_empty() {
        return Ok(());
    }
    let missing: Vec<&str> = beyond.iter().map(KeyScope::name).collect();
    Err(Error::invalid(
        "scopes",
        "SCOPE_BEYOND_OWN",
        format!(
            "a narrowed key makes no wider one: yours lacks {}; name fewer scopes",
            missing.join(", ")
        ),
    ))
}
