//! The key file: beside the database, never in it, readable by its owner only.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    digest,
    error::{Error, Result},
};

/// All keys of one installation. Each role is handed only what it needs.
pub struct Keys {
    file: KeyFile,
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
    /// HMAC-SHA-256: callers between roles.
    caller: Secret,
    /// Ed25519 seed: permits; the lobby manager signs, the broker has the public half.
    permit: Secret,
    /// AES-256-GCM keys of sealed join details, by key id; the broker's alone.
    join_details: BTreeMap<String, Secret>,
    /// The key id that new rows use.
    join_details_current: String,
    /// HMAC-SHA-256: short-lived links of the gateway.
    link: Secret,
    /// AES-256-GCM keys of sealed webhook secrets, by key id; the webhooks role's alone. Key files of before have none.
    #[serde(default)]
    webhooks: BTreeMap<String, Secret>,
    /// The key id that new webhook secrets use.
    #[serde(default)]
    webhooks_current: String,
}

/// The id of a first key.
const FIRST: &str = "k1";

#[derive(Deserialize)]
#[serde(transparent)]
struct Secret(SecretString);

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl Secret {
    fn random() -> Result<Self> {
        Ok(Self(BASE64.encode(digest::random::<32>()?).into()))
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        BASE64
            .decode(self.0.expose_secret())
            .ok()
            .filter(|bytes| bytes.len() == 32)
            .ok_or_else(|| Error::internal("a key of the key file is not 32 bytes of base64"))
    }
}

impl Keys {
    /// Keys that live in memory only, for tests.
    pub fn ephemeral() -> Result<Self> {
        let mut keys = Self {
            file: KeyFile {
                caller: Secret::random()?,
                permit: Secret::random()?,
                join_details: BTreeMap::from([(FIRST.to_owned(), Secret::random()?)]),
                join_details_current: FIRST.to_owned(),
                link: Secret::random()?,
                webhooks: BTreeMap::new(),
                webhooks_current: String::new(),
            },
        };
        keys.complete()?;
        Ok(keys)
    }

    /// Makes what a key file of before lacks; answers whether there was anything.
    fn complete(&mut self) -> Result<bool> {
        let incomplete = self.file.webhooks.is_empty();
        if incomplete {
            let first = (FIRST.to_owned(), Secret::random()?);
            self.file.webhooks = BTreeMap::from([first]);
            self.file.webhooks_current = FIRST.to_owned();
        }
        Ok(incomplete)
    }

    /// Reads the key file; makes it first when `create` and it is not there.
    pub fn open(path: &Path, create: bool) -> Result<Self> {
        if create && !path.exists() {
            Self::ephemeral()?.write_new(path)?;
        }
        let unusable = |what: String| {
            Error::unavailable(
                "KEY_FILE_UNUSABLE",
                format!("key file {}: {what}", path.display()),
            )
        };
        ensure_private(path).map_err(unusable)?;
        let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let file = serde_json::from_str(&text)
            .map_err(|error| unusable(format!("not a key file: line {}", error.line())))?;
        let mut keys = Self { file };
        if create && keys.complete()? {
            keys.write_new(path)?;
        }
        Ok(keys)
    }

    fn write_new(&self, path: &Path) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::unavailable(
                "KEY_FILE_UNUSABLE",
                format!("key file {} cannot be written: {error}", path.display()),
            )
        };
        // Written beside and renamed: a crash leaves either no key file or a whole one.
        let beside = path.with_extension("new");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .map_err(failed)?;
        file.write_all(&serde_json::to_vec_pretty(&self.file)?)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&beside, path))
            .map_err(failed)
    }

    /// Key of signed callers between roles.
    pub fn caller(&self) -> Result<hmac::Key> {
        Ok(hmac::Key::new(
            hmac::HMAC_SHA256,
            &self.file.caller.bytes()?,
        ))
    }

    /// Key of the gateway's short-lived links.
    pub fn link(&self) -> Result<hmac::Key> {
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &self.file.link.bytes()?))
    }

    /// The key pair that signs permits.
    pub fn permit(&self) -> Result<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&self.file.permit.bytes()?)
            .map_err(|_| Error::internal("the permit key of the key file is not a seed"))
    }

    /// The half that verifies permits.
    pub fn permit_public(&self) -> Result<Vec<u8>> {
        Ok(self.permit()?.public_key().as_ref().to_vec())
    }

    /// What seals join details.
    pub fn join_details(&self) -> Result<Sealer> {
        Sealer::of(&self.file.join_details, &self.file.join_details_current)
    }

    /// What seals the secrets of webhook endpoints.
    pub fn webhooks(&self) -> Result<Sealer> {
        if self.file.webhooks.is_empty() {
            return Err(Error::unavailable(
                "KEY_FILE_INCOMPLETE",
                "the key file has no webhooks key; make it complete by starting once with a key file that may be written",
            ));
        }
        Sealer::of(&self.file.webhooks, &self.file.webhooks_current)
    }
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

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// Seals secrets with AES-256-GCM. The context (tenant and object id) is bound, so a row moved elsewhere does not open.
#[derive(Clone)]
pub struct Sealer {
    keys: BTreeMap<String, Vec<u8>>,
    current: String,
}

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which key opens it.
    pub key_id: String,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

impl Sealer {
    fn of(keys: &BTreeMap<String, Secret>, current: &str) -> Result<Self> {
        let keys = keys.iter();
        Ok(Self {
            keys: keys
                .map(|(id, secret)| Ok((id.clone(), secret.bytes()?)))
                .collect::<Result<_>>()?,
            current: current.to_owned(),
        })
    }

    /// Seals under the current key.
    pub fn seal(&self, plain: &[u8], context: &[&[u8]]) -> Result<Sealed> {
        let nonce = digest::random::<NONCE_LEN>()?;
        let mut body = plain.to_vec();
        self.key(&self.current)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(digest::of_parts(context)),
                &mut body,
            )
            .map_err(|_| Error::internal("sealing failed"))?;
        let mut bytes = nonce.to_vec();
        bytes.append(&mut body);
        Ok(Sealed {
            key_id: self.current.clone(),
            bytes,
        })
    }

    /// Opens what was sealed in the same context.
    pub fn open(&self, sealed: &Sealed, context: &[&[u8]]) -> Result<Vec<u8>> {
        let broken = || Error::internal("a sealed secret does not open");
        let (nonce, body) = sealed
            .bytes
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(broken)?;
        let mut body = body.to_vec();
        let plain = self
            .key(&sealed.key_id)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(digest::of_parts(context)),
                &mut body,
            )
            .map_err(|_| broken())?;
        Ok(plain.to_vec())
    }

    fn key(&self, id: &str) -> Result<LessSafeKey> {
        let bytes = self
            .keys
            .get(id)
            .ok_or_else(|| Error::internal(format!("the key file has no sealing key {id}")))?;
        let key = UnboundKey::new(&AES_256_GCM, bytes)
            .map_err(|_| Error::internal("a sealing key is not 32 bytes"))?;
        Ok(LessSafeKey::new(key))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_in_its_place() {
        let sealer = Keys::ephemeral().unwrap().join_details().unwrap();
        let sealed = sealer.seal(b"url", &[b"tenant", b"meeting"]).unwrap();
        assert_eq!(
            sealer.open(&sealed, &[b"tenant", b"meeting"]).unwrap(),
            b"url"
        );
        assert!(sealer.open(&sealed, &[b"tenant", b"other"]).is_err());
        assert!(!sealed.bytes.windows(3).any(|window| window == b"url"));
    }

    #[test]
    fn a_key_file_of_before_gains_what_it_lacks_and_keeps_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        let first = Keys::open(&path, true).unwrap();
        let sealed = first.join_details().unwrap().seal(b"url", &[]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let file = file.as_object_mut().unwrap();
        file.remove("webhooks").unwrap();
        file.remove("webhooks_current").unwrap();
        fs::write(&path, serde_json::to_vec(file).unwrap()).unwrap();

        let lacking = Keys::open(&path, false).unwrap();
        let error = lacking.webhooks().unwrap_err();
        assert_eq!(error.reason, "KEY_FILE_INCOMPLETE");
        let kept = Keys::open(&path, true).unwrap().webhooks().unwrap();
        let kept = kept.seal(b"secret", &[]).unwrap();
        let again = Keys::open(&path, false).unwrap();
        assert_eq!(
            again.webhooks().unwrap().open(&kept, &[]).unwrap(),
            b"secret"
        );
        let opened = again.join_details().unwrap().open(&sealed, &[]);
        assert_eq!(opened.unwrap(), b"url");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        Keys::open(&path, true).unwrap();
        Keys::open(&path, false).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Keys::open(&path, false).unwrap_err();
        assert_eq!(error.reason, "KEY_FILE_UNUSABLE");
    }
}
