//! What was asked of the simulator: bounded, without tokens, bodies and query strings.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use http::Method;
use serde::Serialize;

/// Requests that are remembered; the oldest is forgotten first.
const ENTRIES_MAX: usize = 10_000;

/// One request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Rises by one.
    pub number: u64,
    /// HTTP method.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// When it came, in milliseconds of the simulator's clock.
    pub at_ms: i64,
    /// Status of the answer; `None` while it is worked on, 0 when the connection was dropped.
    pub status: Option<u16>,
}

/// The log.
#[derive(Debug, Default)]
pub struct HttpLog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Number of the last request.
    last: u64,
    entries: VecDeque<Entry>,
}

impl HttpLog {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request that begins.
    pub fn begin(&self, method: &Method, path: &str, at_ms: i64) -> u64 {
        let entry = |number| Entry {
            number,
            method: method.as_str().to_owned(),
            path: path.to_owned(),
            at_ms,
            status: None,
        };
        let mut inner = self.inner();
        inner.last += 1;
        let number = inner.last;
        if inner.entries.len() >= ENTRIES_MAX {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry(number));
        number
    }

    /// Notes how it ended, unless it is forgotten already.
    pub fn end(&self, number: u64, status: u16) {
        let mut inner = self.inner();
        let first = inner.entries.front().map_or(0, |entry| entry.number);
        let place = number.checked_sub(first).map(usize::try_from);
        if let Some(Ok(place)) = place
            && let Some(entry) = inner.entries.get_mut(place)
        {
            entry.status = Some(status);
        }
    }

    /// Requests after a number.
    pub fn since(&self, number: u64) -> Vec<Entry> {
        let inner = self.inner();
        let after = inner.entries.iter().filter(|entry| entry.number > number);
        after.cloned().collect()
    }

    /// Forgets all; numbers go on.
    pub fn clear(&self) {
        self.inner().entries.clear();
    }
}
