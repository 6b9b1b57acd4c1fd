//! Keys of one use. The newest that has begun signs and seals; all verify and open.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use convene_domain::Timestamp;
use ring::{hmac, signature::Ed25519KeyPair};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    clock::unmoved,
    error::{Error, Result},
    token::{self, Forged},
};

/// A key with its name.
#[derive(Clone)]
pub struct Key<K> {
    /// Its id.
    pub id: String,
    /// When it begins.
    pub from: Timestamp,
    /// The key.
    pub key: K,
}

/// The keys of one use, newest first. Clones share them and see a rotation.
pub struct Ring<K> {
    keys: Arc<RwLock<Arc<[Key<K>]>>>,
}

impl<K> Clone for Ring<K> {
    fn clone(&self) -> Self {
        Self {
            keys: self.keys.clone(),
        }
    }
}

impl<K> Default for Ring<K> {
    fn default() -> Self {
        Self {
            keys: Arc::new(RwLock::new(Arc::from([]))),
        }
    }
}

impl<K> fmt::Debug for Ring<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ring")
    }
}

impl<K> From<K> for Ring<K> {
    fn from(key: K) -> Self {
        let ring = Self::default();
        ring.replace(vec![Key {
            id: "only".to_owned(),
            from: Timestamp::from_millis(0),
            key,
        }]);
        ring
    }
}

impl<K> Ring<K> {
    pub(super) fn replace(&self, mut keys: Vec<Key<K>>) {
        keys.sort_by(|a, b| (b.from, &b.id).cmp(&(a.from, &a.id)));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.into();
    }

    /// All keys, newest first.
    pub fn all(&self) -> Arc<[Key<K>]> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.clone()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }
}

impl<K: Clone> Ring<K> {
    /// The key that signs and seals now.
    pub fn current(&self) -> Result<Key<K>> {
        let now = unmoved();
        let keys = self.all();
        let begun = keys.iter().find(|key| key.from <= now);
        // Before the first one begins there is no other.
        let current = begun.or_else(|| keys.last());
        current
            .cloned()
            .ok_or_else(|| Error::internal("a key that the role needs is missing"))
    }

    /// A key by its id.
    pub fn get(&self, id: &str) -> Option<K> {
        let keys = self.all();
        let found = keys.iter().find(|key| key.id == id);
        found.map(|key| key.key.clone())
    }
}

impl Ring<hmac::Key> {
    /// Signs with the current key.
    pub fn sign<T: Serialize>(&self, statement: &T) -> Result<String> {
        token::sign_shared(&self.current()?.key, statement)
    }

    /// Verifies with any of the keys.
    pub fn verify<T: DeserializeOwned>(&self, text: &str) -> Result<T, Forged> {
        let keys = self.all();
        let mut tried = keys.iter().map(|key| token::verify_shared(&key.key, text));
        tried.find(Result::is_ok).unwrap_or(Err(Forged))
    }
}

impl Ring<Arc<Ed25519KeyPair>> {
    /// Signs with the current key.
    pub fn sign<T: Serialize>(&self, statement: &T) -> Result<String> {
        token::sign(&self.current()?.key, statement)
    }
}

impl Ring<Vec<u8>> {
    /// Verifies with any of the public halves.
    pub fn verify<T: DeserializeOwned>(&self, text: &str) -> Result<T, Forged> {
        let keys = self.all();
        let mut tried = keys.iter().map(|key| token::verify(&key.key, text));
        tried.find(Result::is_ok).unwrap_or(Err(Forged))
    }
}
