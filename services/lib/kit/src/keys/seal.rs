//! Sealing secrets at rest.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::Ring;
use crate::{
    digest,
    error::{Error, Result},
};

/// Seals secrets with AES-256-GCM. The context (tenant and object id) is bound, so a row moved elsewhere does not open.
#[derive(Clone, Debug)]
pub struct Sealer {
    keys: Ring<Vec<u8>>,
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
    /// Over these keys.
    pub fn new(keys: Ring<Vec<u8>>) -> Self {
        Self { keys }
    }

    /// Id of the key that seals now.
    pub fn current(&self) -> Result<String> {
        Ok(self.keys.current()?.id)
    }

    /// Seals under the current key.
    pub fn seal(&self, plain: &[u8], context: &[&[u8]]) -> Result<Sealed> {
        let current = self.keys.current()?;
        let nonce = digest::random::<NONCE_LEN>()?;
        let mut body = plain.to_vec();
        cipher(&current.key)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(digest::of_parts(context)),
                &mut body,
            )
            .map_err(|_| Error::internal("sealing failed"))?;
        let mut bytes = nonce.to_vec();
        bytes.append(&mut body);
        Ok(Sealed {
            key_id: current.id,
            bytes,
        })
    }

    /// Opens what was sealed in the same context.
    pub fn open(&self, sealed: &Sealed, context: &[&[u8]]) -> Result<Vec<u8>> {
        let broken = || Error::internal("a sealed secret does not open");
        let key = self.keys.get(&sealed.key_id).ok_or_else(|| {
            Error::internal(format!("the key file has no sealing key {}", sealed.key_id))
        })?;
        let (nonce, body) = sealed
            .bytes
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(broken)?;
        let mut body = body.to_vec();
        let plain = cipher(&key)?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(digest::of_parts(context)),
                &mut body,
            )
            .map_err(|_| broken())?;
        Ok(plain.to_vec())
    }
}

fn cipher(bytes: &[u8]) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, bytes)
        .map_err(|_| Error::internal("a sealing key is not 32 bytes"))?;
    Ok(LessSafeKey::new(key))
}
