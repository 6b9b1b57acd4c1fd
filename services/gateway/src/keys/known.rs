//! Whom a key stands for: looked up in the database, and remembered for a moment.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use convene_domain::TenantId;
use convene_kit::{Caller, Clock, Db, Error, Result, Scope, digest};
use lru::LruCache;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    KeyRole, PREFIX,
    row::{self, Model},
};

/// Longest key that is looked up, in bytes.
const KEY_BYTES_MAX: usize = 128;
/// Keys whose callers are remembered.
const KNOWN: usize = 1_000;
/// How long a caller is remembered, in milliseconds of unmoved time: so much longer a key holds at the most that another node revoked.
pub const KNOWN_MS: u64 = 5_000;
/// How old the remembered last use of a key may get, in milliseconds of business time: an hour.
pub const USED_MS: i64 = 3_600_000;

/// Callers of keys that were looked up a moment ago, by the keys' hashes.
pub struct KnownKeys(Mutex<Known>);

struct Known {
    callers: LruCache<[u8; 32], Entry>,
    /// Rises with every revocation here: what was looked up before one is not remembered after it.
    revocations: u64,
}

#[derive(Clone)]
struct Entry {
    key: Uuid,
    caller: Caller,
    until: Instant,
    expires_at_ms: Option<i64>,
}

impl Default for KnownKeys {
    fn default() -> Self {
        let known = NonZeroUsize::new(KNOWN).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(Known {
            callers: LruCache::new(known),
            revocations: 0,
        }))
    }
}

impl KnownKeys {
    /// The caller that a key stands for.
    pub async fn resolve(&self, db: &Db, clock: &Clock, key: &str) -> Result<Caller> {
        if !key.starts_with(PREFIX) || key.len() > KEY_BYTES_MAX {
            return Err(unknown());
        }
        let hash = digest::sha256(key.as_bytes());
        let now_ms = clock.now().as_millis();
        let (known, revocations) = {
            let mut known = self.lock();
            (known.callers.get(&hash).cloned(), known.revocations)
        };
        if let Some(known) = known
            && Instant::now() < known.until
        {
            return match known.expires_at_ms {
                Some(end) if end <= now_ms => Err(unknown()),
                _ => Ok(known.caller),
            };
        }
        let row = row::of_hash(db.read(), &hash).await?;
        let row = row.filter(|row| row.holds(now_ms)).ok_or_else(unknown)?;
        let entry = Entry {
            key: row.id,
            caller: caller(&row)?,
            until: Instant::now() + Duration::from_millis(KNOWN_MS),
            expires_at_ms: row.expires_at_ms,
        };
        remember_use(db, &row, now_ms).await;
        let caller = entry.caller.clone();
        let mut known = self.lock();
        if known.revocations == revocations {
            known.callers.put(hash, entry);
        }
        Ok(caller)
    }

    /// Forgets a key that was revoked.
    pub fn forget(&self, key: Uuid) {
        let mut known = self.lock();
        known.revocations += 1;
        let hash = known.callers.iter().find(|(_, entry)| entry.key == key);
        if let Some(hash) = hash.map(|(hash, _)| *hash) {
            known.callers.pop(&hash);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown() -> Error {
    Error::unauthenticated(
        "KEY_UNKNOWN",
        "this is not a valid API key; an admin makes one with createApiKey",
    )
}

fn caller(row: &Model) -> Result<Caller> {
    let (scope, principal) = match (row.role()?, row.host()) {
        (KeyRole::Admin, _) => (Scope::Admin, format!("key:{}", row.id)),
        (KeyRole::BookingApp, _) => (Scope::BookingApp, format!("key:{}", row.id)),
        (KeyRole::Host, Some(host)) => (Scope::Host(host), format!("host:{host}")),
        (KeyRole::Host, None) => return Err(unknown()),
    };
    Ok(Caller {
        narrowed: row.narrowed()?,
        ..Caller::new(TenantId::from_uuid(row.tenant_id), scope, principal)
    })
}

/// At most one write an hour; a request does not fail because of it.
async fn remember_use(db: &Db, row: &Model, now_ms: i64) {
    let (id, since_ms) = (row.id, now_ms - USED_MS);
    if row.last_used_at_ms.is_some_and(|used| used >= since_ms) {
        return;
    }
    let written = db.write(move |tx| Box::pin(row::used(tx, id, now_ms, since_ms)));
    if let Err(error) = written.await {
        tracing::warn!(reason = %error.reason, "the use of a key was not remembered");
    }
}
