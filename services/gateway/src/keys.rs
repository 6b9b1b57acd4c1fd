//! API keys: random, shown once, stored as hashes.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convene_domain::{HostId, TenantId};
use convene_kit::{Caller, Clock, Db, Error, Result, Scope, convert, digest, ids};
use lru::LruCache;
use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};
use secrecy::SecretString;
use tokio::time::Instant;

/// What a key begins with, so that people and scanners recognise one.
const PREFIX: &str = "cvn_";
/// Longest key that is looked up, in bytes.
const KEY_BYTES_MAX: usize = 128;
/// Keys whose callers are remembered.
const KNOWN: usize = 1_000;
/// How long a caller is remembered, in milliseconds of unmoved time: so much longer a revoked key holds at the most.
const KNOWN_MS: u64 = 5_000;

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

/// Callers of keys that were looked up a moment ago, by the keys' hashes.
pub struct KnownKeys(Mutex<LruCache<[u8; 32], (Caller, Instant)>>);

impl Default for KnownKeys {
    fn default() -> Self {
        let known = NonZeroUsize::new(KNOWN).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(known)))
    }
}

impl KnownKeys {
    /// The caller that a key stands for.
    pub async fn resolve<C: ConnectionTrait>(&self, connection: &C, key: &str) -> Result<Caller> {
        if !key.starts_with(PREFIX) || key.len() > KEY_BYTES_MAX {
            return Err(unknown());
        }
        let hash = digest::sha256(key.as_bytes());
        let known = self.lock().get(&hash).cloned();
        if let Some((caller, until)) = known
            && Instant::now() < until
        {
            return Ok(caller);
        }
        let caller = look_up(connection, &hash).await?;
        let until = Instant::now() + Duration::from_millis(KNOWN_MS);
        self.lock().put(hash, (caller.clone(), until));
        Ok(caller)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<[u8; 32], (Caller, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown() -> Error {
    Error::unauthenticated(
        "KEY_UNKNOWN",
        "this is not a valid API key; an admin makes one with createApiKey",
    )
}

async fn look_up<C: ConnectionTrait>(connection: &C, hash: &[u8; 32]) -> Result<Caller> {
    let row = Entity::find()
        .filter(Column::Hash.eq(hash.to_vec()))
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

#[cfg(test)]
mod tests {
    use convene_migrations::gateway::Migrator;
    use secrecy::ExposeSecret as _;

    use super::*;

    async fn revoke(db: &Db, id: Uuid) {
        db.write(move |tx| {
            Box::pin(async move {
                Entity::update_many()
                    .col_expr(Column::RevokedAtMs, Expr::value(1))
                    .filter(Column::Id.eq(id))
                    .exec(tx)
                    .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_key_opens_its_tenant_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite::<Migrator>(folder.path(), "gateway");
        let db = db.await.unwrap();
        let tenant = TenantId::from_uuid(ids::new());
        let new = NewApiKey {
            name: "desk".into(),
            role: KeyRole::BookingApp,
            host: None,
        };
        let made = create_api_key(&db, &Clock::default(), tenant, new).await;
        let (id, secret) = made.unwrap();
        let keys = KnownKeys::default();
        let resolve = |secret: &str| {
            let (secret, keys, db) = (secret.to_owned(), &keys, &db);
            async move { keys.resolve(db.read(), &secret).await }
        };
        let caller = resolve(secret.expose_secret()).await.unwrap();
        assert_eq!((caller.tenant, caller.scope), (tenant, Scope::BookingApp));
        assert_eq!(caller.principal, format!("key:{id}"));

        let row = Entity::find().one(db.read()).await.unwrap().unwrap();
        assert_eq!(
            row.hash,
            digest::sha256(secret.expose_secret().as_bytes()),
            "the key itself is not stored"
        );
        let other = format!("{}x", secret.expose_secret());
        let long = format!("{PREFIX}{}", "x".repeat(KEY_BYTES_MAX));
        for bad in ["", PREFIX, "cvn", &other, &long] {
            assert_eq!(resolve(bad).await.unwrap_err().reason, "KEY_UNKNOWN");
        }

        revoke(&db, id).await;
        assert!(resolve(secret.expose_secret()).await.is_ok(), "remembered");
        tokio::time::pause();
        tokio::time::advance(Duration::from_millis(KNOWN_MS)).await;
        tokio::time::resume();
        let revoked = resolve(secret.expose_secret()).await.unwrap_err();
        assert_eq!(revoked.reason, "KEY_UNKNOWN");
    }

    #[tokio::test]
    async fn a_host_key_names_its_host_and_no_other_does() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite::<Migrator>(folder.path(), "gateway");
        let db = db.await.unwrap();
        let host = HostId::from_uuid(ids::new());
        for (role, host) in [(KeyRole::Host, None), (KeyRole::Admin, Some(host))] {
            let new = NewApiKey {
                name: "desk".into(),
                role,
                host,
            };
            let tenant = TenantId::from_uuid(ids::new());
            let made = create_api_key(&db, &Clock::default(), tenant, new).await;
            assert_eq!(made.unwrap_err().reason, "HOST_MISMATCH");
        }
        let stored = Entity::find().all(db.read()).await.unwrap();
        assert!(stored.is_empty());
    }
}
