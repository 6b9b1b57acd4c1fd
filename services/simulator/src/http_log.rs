//! What was asked of the simulator: bounded, without tokens, bodies and query strings.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

/// Requests that are remembered.
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
    entries: Mutex<(u64, VecDeque<Entry>)>,
}

impl HttpLog {
    /// Notes a request that begins.
    pub fn begin(&self, method: &str, path: &str, at_ms: i64) -> u64 {
        let mut guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, entries) = &mut *guard;
        *count += 1;
        if entries.len() >= ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(Entry {
            number: *count,
            method: method.to_owned(),
            path: path.to_owned(),
            at_ms,
            status: None,
        });
        *count
    }

    /// Notes how it ended.
    pub fn end(&self, number: u64, status: u16) {
        let mut guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = guard.1.iter_mut().rev().find(|e| e.number == number) {
            entry.status = Some(status);
        }
    }

    /// Requests after a number.
    pub fn since(&self, number: u64) -> Vec<Entry> {
        let guard = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let after = guard.1.iter().filter(|entry| entry.number > number);
        after.cloned().collect()
    }
}
