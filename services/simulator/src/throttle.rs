//! The published limits (`data/limits.json`), counted when they are enforced. Windows follow each other, in time of the simulator's clock.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{
    pattern::{Pattern, below_version},
    world::Directory,
};

/// `Retry-After` of those who ask too much at the same time, in seconds.
const CONCURRENT_RETRY_AFTER_S: f64 = 0.5;
/// Share of a limit from which on answers tell it.
const TOLD_FROM: f64 = 0.8;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Limit {
    name: String,
    #[serde(default)]
    methods: Vec<String>,
    paths: Vec<Pattern>,
    per: Per,
    requests: Option<f64>,
    #[serde(default)]
    window_ms: i64,
    concurrent: Option<f64>,
    /// Where Microsoft says so.
    #[serde(rename = "source")]
    _source: String,
}

/// Whose requests are counted together. There is one application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Per {
    Application,
    Mailbox,
}

/// Read once; a test reads the file too, so that it is never broken.
static LIMITS: LazyLock<Vec<Limit>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/limits.json")).unwrap_or_default());

/// How limits are counted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Enforcement {
    /// Whether at all.
    pub enforced: bool,
    /// Limits are multiplied by it, so that a test need not send a hundred thousand requests.
    #[serde(default = "one")]
    pub scale: f64,
}

fn one() -> f64 {
    1.0
}

impl Default for Enforcement {
    fn default() -> Self {
        Self {
            enforced: false,
            scale: 1.0,
        }
    }
}

/// A limit and whom it is counted for.
type Key = (usize, String);

/// What was counted.
#[derive(Debug, Default)]
pub struct Throttle {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    enforcement: Enforcement,
    /// Start of the window, and requests in it.
    windows: HashMap<Key, (i64, f64)>,
    running: HashMap<Key, f64>,
}

/// A request that is let through; what it holds is given back when it is dropped.
#[derive(Debug, Default)]
pub struct Pass {
    inner: Option<Arc<Mutex<Inner>>>,
    held: Vec<Key>,
    /// The fullest limit, when it is nearly used up.
    pub share: Option<f64>,
}

/// Which limit is used up, and for how long, in seconds.
#[derive(Debug, PartialEq)]
pub struct Over {
    pub limit: &'static str,
    pub retry_after_s: f64,
}

fn locked(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Throttle {
    /// How it stands.
    pub fn enforcement(&self) -> Enforcement {
        locked(&self.inner).enforcement
    }

    /// Counts anew.
    pub fn enforce(&self, enforcement: Enforcement) {
        let mut inner = locked(&self.inner);
        inner.enforcement = enforcement;
        inner.windows.clear();
    }

    /// Counts a request, or says which limit it is over. Who is turned away is not counted.
    pub fn admit(
        &self,
        directory: &Directory,
        method: &Method,
        path: &str,
        now_ms: i64,
    ) -> Result<Pass, Over> {
        let mut guard = locked(&self.inner);
        let inner = &mut *guard;
        if !inner.enforcement.enforced {
            return Ok(Pass::default());
        }
        let scale = inner.enforcement.scale;
        let path = below_version(path);
        let mailbox = path.split('/').nth(2).unwrap_or_default();
        let found: Vec<(Key, &'static Limit)> = (0..)
            .zip(LIMITS.iter())
            .filter(|(_, limit)| limit.counts(method, path))
            .map(|(number, limit)| {
                let whose = match limit.per {
                    Per::Application => String::new(),
                    // By either name it is the same mailbox.
                    Per::Mailbox => directory
                        .user(mailbox)
                        .map_or_else(String::new, |user| user.id.clone()),
                };
                ((number, whose), limit)
            })
            .collect();
        let mut share: f64 = 0.0;
        for (key, limit) in &found {
            if let Some(most) = limit.concurrent {
                let most = (most * scale).max(1.0);
                if inner
                    .running
                    .get(key)
                    .is_some_and(|running| running + 1.0 > most)
                {
                    return Err(limit.over(CONCURRENT_RETRY_AFTER_S));
                }
            }
            if let Some(most) = limit.requests {
                let most = (most * scale).max(1.0);
                let window = inner.windows.entry(key.clone()).or_insert((now_ms, 0.0));
                if now_ms >= window.0 + limit.window_ms {
                    *window = (now_ms, 0.0);
                }
                if window.1 + 1.0 > most {
                    let left_ms = window.0 + limit.window_ms - now_ms;
                    return Err(limit.over(left_ms as f64 / 1_000.0));
                }
                share = share.max((window.1 + 1.0) / most);
            }
        }
        let mut held = Vec::new();
        for (key, limit) in found {
            if limit.concurrent.is_some() {
                *inner.running.entry(key.clone()).or_default() += 1.0;
                held.push(key.clone());
            }
            if let Some(window) = inner.windows.get_mut(&key) {
                window.1 += 1.0;
            }
        }
        drop(guard);
        Ok(Pass {
            inner: Some(self.inner.clone()),
            held,
            share: (share >= TOLD_FROM).then_some(share),
        })
    }
}

impl Limit {
    fn counts(&self, method: &Method, path: &str) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|one| one == method.as_str()))
            && self.paths.iter().any(|pattern| pattern.holds(path))
    }

    fn over(&'static self, retry_after_s: f64) -> Over {
        Over {
            limit: &self.name,
            retry_after_s,
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let Some(inner) = &self.inner else {
            return;
        };
        let mut inner = locked(inner);
        for key in &self.held {
            if let Some(running) = inner.running.get_mut(key) {
                *running -= 1.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(scale: f64) -> (Throttle, Directory) {
        assert!(LIMITS.len() >= 5, "the file is whole");
        let throttle = Throttle::default();
        throttle.enforce(Enforcement {
            enforced: true,
            scale,
        });
        (throttle, Directory::new(1).unwrap())
    }

    #[test]
    fn a_window_is_used_up_per_mailbox_and_begins_anew() {
        let (throttle, directory) = throttle(0.001);
        let [first, second, _] = directory.users() else {
            panic!("three users")
        };
        let ask = |user: &str, now_ms| {
            let path = format!("/v1.0/users/{user}/events");
            throttle.admit(&directory, &Method::GET, &path, now_ms)
        };
        for number in 0..10 {
            let pass = ask(&first.id, number).unwrap();
            assert_eq!(pass.share.is_some(), number >= 7, "{number}");
        }
        let over = ask(&first.principal_name, 1_000).unwrap_err();
        assert_eq!((over.limit, over.retry_after_s), ("outlook", 599.0));
        assert!(ask(&second.id, 1_000).is_ok(), "another mailbox");
        assert!(ask(&first.id, 600_000).is_ok(), "the next window");
    }

    #[test]
    fn only_so_many_run_at_the_same_time() {
        let (throttle, directory) = throttle(1.0);
        let path = format!("/v1.0/users/{}/events", directory.host().id);
        let ask = || throttle.admit(&directory, &Method::POST, &path, 0);
        let running: Vec<_> = (0..4).map(|_| ask().unwrap()).collect();
        assert_eq!(ask().unwrap_err().limit, "outlook");
        drop(running);
        assert!(ask().is_ok());
    }

    #[test]
    fn nothing_is_counted_unless_it_is_enforced() {
        let directory = Directory::new(1).unwrap();
        let throttle = Throttle::default();
        let path = format!("/v1.0/users/{}/events", directory.host().id);
        for _ in 0..20_000 {
            throttle.admit(&directory, &Method::GET, &path, 0).unwrap();
        }
    }
}
