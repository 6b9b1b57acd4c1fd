//! Values of the plugin's own. What it writes stays with the call and is handed out with the verdict, to be committed together with the decision.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::facts::Unavailable;
use crate::{bindings::v0_1::convene::plugin::kv, state::State};

/// Where a plugin's values are read: made for one tenant and one plugin.
#[async_trait]
pub trait Store: Send + Sync {
    /// The value of a key.
    async fn get(&self, key: &str) -> Result<Option<Entry>, Unavailable>;
    /// Bytes of all keys and values.
    async fn used(&self) -> Result<u64, Unavailable>;
}

/// A stored value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The bytes.
    #[serde(with = "super::base64_bytes")]
    pub value: Vec<u8>,
    /// 1 for a new key, one more with each write.
    pub revision: u64,
}

/// A write that a call wants: to be applied only over the revision that the call has seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// The key.
    pub key: String,
    /// The revision that it goes over; 0: there was none.
    pub over: u64,
    /// What is there from now on; none deletes.
    pub entry: Option<Entry>,
}

/// Longest key and value, in bytes.
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 64 << 10;

/// What a call has seen and wants to write.
#[derive(Debug, Default)]
pub struct View {
    used: Option<u64>,
    keys: BTreeMap<String, Seen>,
}

#[derive(Clone, Debug)]
struct Seen {
    stored: u64,
    now: Option<Entry>,
    written: bool,
}

impl View {
    /// The writes, by key.
    pub fn writes(&self) -> Vec<Write> {
        let written = self.keys.iter().filter(|(_, seen)| seen.written);
        written
            .map(|(key, seen)| Write {
                key: key.clone(),
                over: seen.stored,
                entry: seen.now.clone(),
            })
            .collect()
    }
}

/// What every store can hold.
fn is_key(key: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&key.len()) && !key.chars().any(char::is_control)
}

fn size(key: &str, entry: Option<&Entry>) -> u64 {
    entry.map_or(0, |entry| (key.len() + entry.value.len()) as u64)
}

impl State {
    async fn seen(&mut self, key: &str) -> wasmtime::Result<Result<Seen, Unavailable>> {
        if let Some(seen) = self.kv.keys.get(key) {
            return Ok(Ok(seen.clone()));
        }
        let (store, asked) = (self.ports.kv.clone(), key.to_owned());
        let answer = self.host_call("kv.get", &key, async move {
            match store {
                Some(store) => store.get(&asked).await,
                None => Err(Unavailable),
            }
        });
        let entry = match answer.await? {
            Ok(entry) => entry,
            Err(unavailable) => return Ok(Err(unavailable)),
        };
        let seen = Seen {
            stored: entry.as_ref().map_or(0, |entry| entry.revision),
            now: entry,
            written: false,
        };
        self.kv.keys.insert(key.to_owned(), seen.clone());
        Ok(Ok(seen))
    }

    async fn used(&mut self) -> wasmtime::Result<Result<u64, Unavailable>> {
        if let Some(used) = self.kv.used {
            return Ok(Ok(used));
        }
        let store = self.ports.kv.clone();
        let answer = self.host_call("kv.used", &(), async move {
            match store {
                Some(store) => store.used().await,
                None => Err(Unavailable),
            }
        });
        Ok(answer.await?.inspect(|used| self.kv.used = Some(*used)))
    }

    /// Writes or deletes, when the expected revision is there and the quota allows.
    async fn write(
        &mut self,
        key: String,
        value: Option<Vec<u8>>,
        expect: Option<u64>,
    ) -> wasmtime::Result<Result<u64, kv::Error>> {
        self.count_host_call()?;
        if self.grants.kv_bytes == 0 {
            return Ok(Err(kv::Error::Denied));
        }
        if !is_key(&key) {
            let text = format!("a key has 1 to {KEY_BYTES_MAX} bytes and no control characters");
            return Ok(Err(kv::Error::Quota(text)));
        }
        if value.as_ref().is_some_and(|v| v.len() > VALUE_BYTES_MAX) {
            let text = format!("a value has at most {VALUE_BYTES_MAX} bytes");
            return Ok(Err(kv::Error::Quota(text)));
        }
        let (Ok(seen), Ok(used)) = (self.seen(&key).await?, self.used().await?) else {
            return Ok(Err(kv::Error::Unavailable));
        };
        let revision = seen.now.as_ref().map_or(0, |entry| entry.revision);
        if expect.is_some_and(|expected| expected != revision) {
            return Ok(Err(kv::Error::Conflict(revision)));
        }
        let entry = value.map(|value| Entry {
            value,
            revision: revision + 1,
        });
        let before = size(&key, seen.now.as_ref());
        let after = used.saturating_sub(before) + size(&key, entry.as_ref());
        let limit = self.grants.kv_bytes;
        // Who shrinks may always.
        if after > limit && after > used {
            let text = format!("{limit} bytes are granted, and this would make {after}");
            return Ok(Err(kv::Error::Quota(text)));
        }
        self.kv.used = Some(after);
        let seen = Seen {
            now: entry,
            written: true,
            ..seen
        };
        self.kv.keys.insert(key, seen);
        Ok(Ok(revision + 1))
    }
}

impl kv::Host for State {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<kv::Entry>, kv::Error>> {
        self.count_host_call()?;
        if self.grants.kv_bytes == 0 {
            return Ok(Err(kv::Error::Denied));
        }
        if !is_key(&key) {
            return Ok(Ok(None));
        }
        let Ok(seen) = self.seen(&key).await? else {
            return Ok(Err(kv::Error::Unavailable));
        };
        Ok(Ok(seen.now.map(|entry| kv::Entry {
            value: entry.value,
            revision: entry.revision,
        })))
    }

    async fn put(
        &mut self,
        key: String,
        value: Vec<u8>,
        expect: Option<u64>,
    ) -> wasmtime::Result<Result<u64, kv::Error>> {
        self.write(key, Some(value), expect).await
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<(), kv::Error>> {
        Ok(self.write(key, None, None).await?.map(drop))
    }
}
