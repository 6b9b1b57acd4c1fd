//! The keys of an installation. They live in a key file beside the databases, never in one. Each role is handed only what it needs, and
//! goes on over a rotation: what it was handed follows the file.

mod file;
mod ring;
mod seal;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ::ring::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use tokio_util::sync::CancellationToken;

use crate::{
    BoxFuture,
    clock::unmoved,
    error::{Error, Result},
};

pub use self::ring::{Key, Ring};
pub(crate) use file::ensure_private;
pub use file::{KeyFile, Use};
pub use seal::{Sealed, Sealer};

/// Pause between two looks at the key file, in milliseconds. A new key begins later than that ([`BEGIN_MS`]).
const LOOK_MS: u64 = 2_000;
/// How long after a rotation the new key begins unless told otherwise, in milliseconds: by then every process has read it.
pub const BEGIN_MS: i64 = 60_000;

/// Signs and verifies with a key that the other side shares.
pub type Shared = Ring<hmac::Key>;
/// Signs permits.
pub type PermitKeys = Ring<Arc<Ed25519KeyPair>>;
/// Verifies permits: public halves, 32 bytes each.
pub type PermitPublicKeys = Ring<Vec<u8>>;

/// The keys that a process was given.
pub struct Keys {
    path: Option<PathBuf>,
    /// The file as it was read.
    seen: Option<file::Stamp>,
    caller: Shared,
    permit: PermitKeys,
    permit_public: PermitPublicKeys,
    join_details: Ring<Vec<u8>>,
    link: Shared,
    webhooks: Ring<Vec<u8>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    /// Keys that live in memory only, for tests.
    pub fn ephemeral() -> Result<Self> {
        Self::of(&KeyFile::new(unmoved())?, None)
    }

    /// Reads the key file; makes it first when `create` and it is not there.
    pub fn open(path: &Path, create: bool) -> Result<Self> {
        if create && !path.exists() {
            KeyFile::new(unmoved())?.write(path)?;
        }
        let mut seen = file::stamp(path);
        let mut file = KeyFile::read(path)?;
        if create && file.complete(unmoved())? {
            file.write(path)?;
            seen = file::stamp(path);
        }
        let mut keys = Self::of(&file, Some(path.to_owned()))?;
        keys.seen = seen;
        Ok(keys)
    }

    fn of(file: &KeyFile, path: Option<PathBuf>) -> Result<Self> {
        let keys = Self {
            path,
            seen: None,
            caller: Ring::default(),
            permit: Ring::default(),
            permit_public: Ring::default(),
            join_details: Ring::default(),
            link: Ring::default(),
            webhooks: Ring::default(),
        };
        keys.take(file)?;
        Ok(keys)
    }

    /// Takes over what a file holds; all of it or, when something in it cannot be used, nothing.
    fn take(&self, file: &KeyFile) -> Result<()> {
        let shared = |bytes: &[u8]| Ok(hmac::Key::new(hmac::HMAC_SHA256, bytes));
        let raw = |bytes: &[u8]| Ok(bytes.to_vec());
        let caller = file.decoded(Use::Caller, shared)?;
        let permit = file.decoded(Use::Permit, pair)?;
        let mut public = file.decoded(Use::PermitPublic, raw)?;
        public.extend(file.decoded(Use::Permit, |seed| {
            Ok(pair(seed)?.public_key().as_ref().to_vec())
        })?);
        let join_details = file.decoded(Use::JoinDetails, raw)?;
        let link = file.decoded(Use::Link, shared)?;
        let webhooks = file.decoded(Use::Webhooks, raw)?;
        self.caller.replace(caller);
        self.permit.replace(permit);
        self.permit_public.replace(public);
        self.join_details.replace(join_details);
        self.link.replace(link);
        self.webhooks.replace(webhooks);
        Ok(())
    }

    /// Follows the key file until `stop`. One that cannot be used changes nothing and is told of.
    pub fn follow(self, stop: CancellationToken) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let Some(path) = &self.path else {
                return Ok(());
            };
            let following = async {
                let mut seen = self.seen;
                loop {
                    tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
                    let stamp = file::stamp(path);
                    if stamp == seen {
                        continue;
                    }
                    seen = stamp;
                    match KeyFile::read(path).and_then(|file| self.take(&file)) {
                        Ok(()) => tracing::info!("the key file changed and was read"),
                        Err(error) => {
                            tracing::error!(%error, "the key file changed and cannot be used; the keys in force stay");
                        }
                    }
                }
            };
            stop.run_until_cancelled(following).await;
            Ok(())
        })
    }

    /// Keys of signed callers between roles.
    pub fn caller(&self) -> Result<Shared> {
        self.given(Use::Caller, &self.caller)
    }

    /// Keys of the gateway's short-lived links.
    pub fn link(&self) -> Result<Shared> {
        self.given(Use::Link, &self.link)
    }

    /// The key pairs that sign permits.
    pub fn permit(&self) -> Result<PermitKeys> {
        self.given(Use::Permit, &self.permit)
    }

    /// The halves that verify permits.
    pub fn permit_public(&self) -> Result<PermitPublicKeys> {
        self.given(Use::PermitPublic, &self.permit_public)
    }

    /// What seals join details.
    pub fn join_details(&self) -> Result<Sealer> {
        Ok(Sealer::new(
            self.given(Use::JoinDetails, &self.join_details)?,
        ))
    }

    /// What seals the secrets of webhook endpoints.
    pub fn webhooks(&self) -> Result<Sealer> {
        Ok(Sealer::new(self.given(Use::Webhooks, &self.webhooks)?))
    }

    fn given<K>(&self, what: Use, ring: &Ring<K>) -> Result<Ring<K>> {
        if !ring.is_empty() {
            return Ok(ring.clone());
        }
        let place = self.path.as_deref().unwrap_or_else(|| Path::new("memory"));
        Err(Error::unavailable(
            "KEY_MISSING",
            format!(
                "the key file {} has no {what} key, which a role of this process needs; export one for its roles with `convene keys export --roles …`",
                place.display()
            ),
        ))
    }
}

fn pair(seed: &[u8]) -> Result<Arc<Ed25519KeyPair>> {
    Ed25519KeyPair::from_seed_unchecked(seed)
        .map(Arc::new)
        .map_err(|_| Error::internal("a permit key of the key file is not a seed"))
}

#[cfg(test)]
mod tests;
