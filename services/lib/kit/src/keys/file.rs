//! The key file: readable by its owner only, written whole or not at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    io::Write as _,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use convene_domain::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use super::Key;
use crate::{
    digest,
    error::{Error, Result},
};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// HMAC-SHA-256: callers between roles.
    Caller,
    /// Ed25519 seed: permits; the lobby manager's.
    Permit,
    /// The half that verifies permits; the broker's.
    PermitPublic,
    /// AES-256-GCM: join details at rest; the broker's alone.
    JoinDetails,
    /// HMAC-SHA-256: short-lived links; the gateway's.
    Link,
    /// AES-256-GCM: secrets of webhook endpoints at rest; the webhooks role's alone.
    Webhooks,
}

impl Use {
    /// Those that a key file of an installation holds; public halves are made from them.
    pub const SECRET: [Self; 5] = [
        Self::Caller,
        Self::Permit,
        Self::JoinDetails,
        Self::Link,
        Self::Webhooks,
    ];

    /// How long what a key of this use has signed may still come in after another has taken its place, in milliseconds; what is sealed is counted where it lies.
    fn outlasts_ms(self) -> i64 {
        match self {
            Self::Link => 10 * 60_000,
            _ => 2 * 60_000,
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "caller",
            Self::Permit => "permit",
            Self::PermitPublic => "permit-public",
            Self::JoinDetails => "join-details",
            Self::Link => "link",
            Self::Webhooks => "webhooks",
        })
    }
}

/// The keys of an installation, or of some of its roles: by use, then by id.
#[derive(Serialize)]
#[serde(transparent)]
pub struct KeyFile {
    keys: BTreeMap<Use, BTreeMap<String, Stored>>,
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyFile")
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// When the key begins, in milliseconds of unmoved time.
    from_ms: i64,
    /// 32 bytes in base64.
    bytes: Secret,
}

#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct Secret(SecretString);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl Secret {
    fn of(bytes: &[u8]) -> Self {
        Self(BASE64.encode(bytes).into())
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        BASE64
            .decode(self.0.expose_secret())
            .ok()
            .filter(|bytes| bytes.len() == 32)
            .ok_or_else(|| Error::internal("a key of the key file is not 32 bytes of base64"))
    }
}

/// A key as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub what: Use,
    /// When it begins.
    pub from: Timestamp,
    /// Whether it signs and seals now.
    pub current: bool,
}

impl KeyFile {
    /// New keys for everything.
    pub fn new(now: Timestamp) -> Result<Self> {
        let mut file = Self {
            keys: BTreeMap::new(),
        };
        for what in Use::SECRET {
            file.rotate(what, now)?;
        }
        Ok(file)
    }

    /// Makes what an older file lacks; answers whether there was anything.
    pub(super) fn complete(&mut self, now: Timestamp) -> Result<bool> {
        let lacking = |what: &Use| self.keys.get(what).is_none_or(BTreeMap::is_empty);
        let lacking: Vec<_> = Use::SECRET.into_iter().filter(lacking).collect();
        for what in &lacking {
            self.rotate(*what, now)?;
        }
        Ok(!lacking.is_empty())
    }

    /// Reads a file that its owner alone can read.
    pub fn read(path: &Path) -> Result<Self> {
        let unusable = |what: String| {
            Error::unavailable(
                "KEY_FILE_UNUSABLE",
                format!("key file {}: {what}", path.display()),
            )
        };
        ensure_private(path).map_err(unusable)?;
        let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let malformed =
            |error: serde_json::Error| unusable(format!("not a key file: line {}", error.line()));
        match serde_json::from_str(&text) {
            Ok(keys) => Ok(Self { keys }),
            Err(error) => match serde_json::from_str::<Legacy>(&text) {
                Ok(legacy) => Ok(legacy.into()),
                Err(_) => Err(malformed(error)),
            },
        }
    }

    /// Writes it beside and renames it: a crash leaves the file as it was or as it shall be.
    pub fn write(&self, path: &Path) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::unavailable(
                "KEY_FILE_UNUSABLE",
                format!("key file {} cannot be written: {error}", path.display()),
            )
        };
        let beside = path.with_extension("new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(failed)?;
        file.write_all(self.text()?.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&beside, path))
            .and_then(|()| match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => {
                    fs::File::open(folder)?.sync_all()
                }
                _ => Ok(()),
            })
            .map_err(failed)
    }

    /// What stands in the file.
    pub fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The keys of one use.
    pub(super) fn decoded<K>(
        &self,
        what: Use,
        decode: impl Fn(&[u8]) -> Result<K>,
    ) -> Result<Vec<Key<K>>> {
        let stored = self.keys.get(&what).into_iter().flatten();
        stored
            .map(|(id, stored)| {
                Ok(Key {
                    id: id.clone(),
                    from: Timestamp::from_millis(stored.from_ms),
                    key: decode(&stored.bytes.bytes()?)?,
                })
            })
            .collect()
    }

    /// A new key that begins at `from`; answers its id. Those before it go on verifying and opening until they are retired.
    pub fn rotate(&mut self, what: Use, from: Timestamp) -> Result<String> {
        let keys = self.keys.entry(what).or_default();
        // One more than any so far, so that a retired id never comes back with another key while a row may name it.
        let number = keys
            .keys()
            .filter_map(|id| id.rsplit_once('-')?.1.parse::<u64>().ok())
            .max()
            .unwrap_or(0);
        let id = format!("{what}-{}", number + 1);
        let stored = Stored {
            from_ms: from.as_millis(),
            bytes: Secret::of(&digest::random::<32>()?),
        };
        keys.insert(id.clone(), stored);
        Ok(id)
    }

    /// Every key.
    pub fn list(&self, now: Timestamp) -> Vec<Listed> {
        let mut listed = Vec::new();
        for (what, keys) in &self.keys {
            let current = current(keys, now);
            listed.extend(keys.iter().map(|(id, stored)| Listed {
                id: id.clone(),
                what: *what,
                from: Timestamp::from_millis(stored.from_ms),
                current: current == Some(id),
            }));
        }
        listed
    }

    /// Removes a key that another has replaced long enough ago.
    pub fn retire(&mut self, id: &str, now: Timestamp) -> Result<Use> {
        let found = self.keys.iter_mut().find(|(_, keys)| keys.contains_key(id));
        let Some((what, keys)) = found else {
            return Err(Error::not_found("key in this key file"));
        };
        let successor = current(keys, now).and_then(|id| keys.get(id));
        let replaced_ms = successor.map_or(now.as_millis(), |stored| stored.from_ms);
        let waiting = keys
            .get(id)
            .is_some_and(|own| own.from_ms > now.as_millis());
        let in_use = current(keys, now).is_some_and(|current| current == id);
        if in_use || (!waiting && now.as_millis() < replaced_ms + what.outlasts_ms()) {
            return Err(Error::refused(
                "KEY_IN_USE",
                format!(
                    "{id} signs now, or did until lately; run `convene keys rotate --{what}` and retire it {} minutes after the new key began",
                    what.outlasts_ms() / 60_000
                ),
            ));
        }
        keys.remove(id);
        Ok(*what)
    }

    /// What these uses need, and nothing else; public halves are made from their seeds.
    pub fn only(&self, uses: &BTreeSet<Use>) -> Result<Self> {
        let mut keys = BTreeMap::new();
        for what in uses {
            let kept = match what {
                Use::PermitPublic => self.public()?,
                what => self.keys.get(what).cloned().unwrap_or_default(),
            };
            if kept.is_empty() {
                return Err(Error::refused(
                    "KEY_MISSING",
                    format!(
                        "this key file has no {what} key; export from the installation's own file"
                    ),
                ));
            }
            keys.insert(*what, kept);
        }
        Ok(Self { keys })
    }

    fn public(&self) -> Result<BTreeMap<String, Stored>> {
        let mut public = self
            .keys
            .get(&Use::PermitPublic)
            .cloned()
            .unwrap_or_default();
        for (id, stored) in self.keys.get(&Use::Permit).into_iter().flatten() {
            let pair = Ed25519KeyPair::from_seed_unchecked(&stored.bytes.bytes()?)
                .map_err(|_| Error::internal("a permit key of the key file is not a seed"))?;
            let half = Stored {
                from_ms: stored.from_ms,
                bytes: Secret::of(pair.public_key().as_ref()),
            };
            public.insert(id.clone(), half);
        }
        Ok(public)
    }
}

/// The file as it was before keys could be rotated.
#[derive(Deserialize)]
struct Legacy {
    caller: Secret,
    permit: Secret,
    join_details: BTreeMap<String, Secret>,
    link: Secret,
    #[serde(default)]
    webhooks: BTreeMap<String, Secret>,
}

impl From<Legacy> for KeyFile {
    fn from(legacy: Legacy) -> Self {
        let always = |bytes| Stored { from_ms: 0, bytes };
        let one = |what: Use, bytes| BTreeMap::from([(format!("{what}-1"), always(bytes))]);
        // Rows name these by the ids they had.
        let named = |keys: BTreeMap<String, Secret>| {
            let keys = keys.into_iter();
            keys.map(|(id, bytes)| (id, always(bytes))).collect()
        };
        Self {
            keys: BTreeMap::from([
                (Use::Caller, one(Use::Caller, legacy.caller)),
                (Use::Permit, one(Use::Permit, legacy.permit)),
                (Use::JoinDetails, named(legacy.join_details)),
                (Use::Link, one(Use::Link, legacy.link)),
                (Use::Webhooks, named(legacy.webhooks)),
            ]),
        }
    }
}

/// The newest that has begun.
fn current(keys: &BTreeMap<String, Stored>, now: Timestamp) -> Option<&String> {
    let begun = keys
        .iter()
        .filter(|(_, key)| key.from_ms <= now.as_millis());
    let newest = begun.max_by_key(|(id, key)| (key.from_ms, *id));
    newest.map(|(id, _)| id)
}

/// What changes when a file is replaced or written: inode, time, length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64, i64, i64, u64);

pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok()?;
    Some(Stamp(
        about.ino(),
        about.mtime(),
        about.mtime_nsec(),
        about.len(),
    ))
}

/// Refuses a secret file that others may read; says what is wrong and how to mend it. A file that nobody may write may be readable for its
/// group (0440): secrets are mounted into containers that way.
pub(crate) fn ensure_private(path: &Path) -> std::result::Result<(), String> {
    let mode = fs::metadata(path)
        .map_err(|error| error.to_string())?
        .permissions()
        .mode();
    if mode & 0o077 == 0 || mode & 0o777 == 0o440 {
        return Ok(());
    }
    Err(format!(
        "others may read it (mode {:o}); run `chmod 600` on it",
        mode & 0o777
    ))
}
