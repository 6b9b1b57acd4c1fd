//! API keys: random, shown once, stored as hashes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convene_domain::{HostId, TenantId};
use convene_kit::{Caller, Clock, Db, Error, Result, Scope, convert, digest, ids};
use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};
use secrecy::SecretString;

/// What a key begins with, so that people and scanners recognise one.
const PREFIX: &str = "cvn_";
/// Longest key that is looked up, in bytes.
const KEY_BYTES_MAX: usize = 128;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub tenant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub hash: Vec<u8>,
    pub name: String,
    pub role: String,
    pub host_id: Option<Uuid>,
    pub created_at_ms: i64,
    pub revoked_at_ms: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
pub enum KeyRole {
    /// Sets up services, hosts and keys; may do all that the tenant's other callers may, but not get join details.
    Admin,
    /// Books, cancels, hands out tickets; sees states, never join details.
    BookingApp,
    /// Decides over the visits of one host's bookings.
    Host,
}

impl KeyRole {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Admin, "ADMIN"),
        (Self::BookingApp, "BOOKING_APP"),
        (Self::Host, "HOST"),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(role, _)| *role == self)
            .map_or("", |(_, name)| name)
    }
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// For people.
    pub name: String,
    /// What it may do.
    pub role: KeyRole,
    /// The host of a HOST key.
    pub host: Option<HostId>,
}

/// Makes a key; the secret is in this answer only.
pub async fn create_api_key(
    db: &Db,
    clock: &Clock,
    tenant: TenantId,
    new: NewApiKey,
) -> Result<(Uuid, SecretString)> {
    let name = convert::text("name", &new.name)?;
    if (new.role == KeyRole::Host) != new.host.is_some() {
        return Err(Error::invalid(
            "hostId",
            "HOST_MISMATCH",
            "a HOST key names its host, and no other key does",
        ));
    }
    let secret = format!(
        "{PREFIX}{}",
        URL_SAFE_NO_PAD.encode(digest::random::<32>()?)
    );
    let id = ids::new();
    let row = ActiveModel {
        tenant_id: Set(tenant.as_uuid()),
        id: Set(id),
        hash: Set(digest::sha256(secret.as_bytes()).to_vec()),
        name: Set(name),
        role: Set(new.role.name().to_owned()),
        host_id: Set(new.host.map(|host| host.as_uuid())),
        created_at_ms: Set(clock.now().as_millis()),
        revoked_at_ms: Set(None),
    };
    db.write(move |tx| {
        Box::pin(async move {
            Entity::insert(row).exec_without_returning(tx).await?;
            Ok(())
        })
    })
    .await?;
    Ok((id, secret.into()))
}

/// The caller that a key stands for.
pub async fn resolve<C: ConnectionTrait>(connection: &C, key: &str) -> Result<Caller> {
    let unknown = || {
        Error::unauthenticated(
            "KEY_UNKNOWN",
            "this is not a valid API key; an admin makes one with createApiKey",
        )
    };
    if !key.starts_with(PREFIX) || key.len() > KEY_BYTES_MAX {
        return Err(unknown());
    }
    let hash = digest::sha256(key.as_bytes()).to_vec();
    let row = Entity::find()
        .filter(Column::Hash.eq(hash))
        .one(connection)
        .await?
        .filter(|row| row.revoked_at_ms.is_none())
        .ok_or_else(unknown)?;
    let role = KeyRole::ALL.iter().find(|(_, name)| *name == row.role);
    let (scope, principal) = match (role, row.host_id) {
        (Some((KeyRole::Admin, _)), _) => (Scope::Admin, format!("key:{}", row.id)),
        (Some((KeyRole::BookingApp, _)), _) => (Scope::BookingApp, format!("key:{}", row.id)),
        (Some((KeyRole::Host, _)), Some(host)) => {
            (Scope::Host(HostId::from_uuid(host)), format!("host:{host}"))
        }
        _ => return Err(unknown()),
    };
    Ok(Caller {
        tenant: TenantId::from_uuid(row.tenant_id),
        scope,
        principal,
    })
}
