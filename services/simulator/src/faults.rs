//! Scripted faults: what goes wrong, where, and how often.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Rules at the same time.
pub const RULES_MAX: usize = 100;
/// Longest delay, in milliseconds.
pub const DELAY_MS_MAX: u64 = 600_000;
/// Longest `Retry-After`, in seconds.
const RETRY_AFTER_S_MAX: f64 = 3_600.0;

/// A rule. The first rule that matches a request (and whose dice fall so) acts on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Only this method; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that contain this text, for example `/events`; `*` in it stands for any text, as in `/users/*/events`.
    #[serde(default)]
    pub path_contains: String,
    /// How often it acts; then it is gone. Always when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// How likely it acts on a request that matches, 0 to 1, by dice of the simulator's seed. Always when absent.
    #[serde(default)]
    pub probability: Option<f64>,
    /// What it does.
    pub action: Action,
}

/// What a rule does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Waits before the effect. A client who gives up meanwhile does not stop the effect.
    DelayBefore {
        /// For so long.
        ms: u64,
    },
    /// Waits after the effect, before the answer.
    DelayAfter {
        /// For so long.
        ms: u64,
    },
    /// 429 without an effect.
    #[serde(rename_all = "camelCase")]
    Throttle {
        /// `Retry-After`, in seconds; fractions have been seen in the field, and answers without the header.
        #[serde(default)]
        retry_after: Option<f64>,
    },
    /// This status without an effect.
    ErrorBefore {
        /// 500 to 599.
        status: u16,
    },
    /// The effect happens, then this status.
    ErrorAfter {
        /// 500 to 599.
        status: u16,
    },
    /// The connection is closed without an effect.
    DropBefore,
    /// The effect happens, then the connection is closed.
    DropAfter,
    /// The effect happens, then a success that says nothing: `{}`. Failures are answered as they are.
    HollowAfter,
}

impl Rule {
    /// What is wrong with it, as a sentence that names the field.
    pub fn problem(&self) -> Option<String> {
        match self.action {
            Action::DelayBefore { ms } | Action::DelayAfter { ms } if ms > DELAY_MS_MAX => {
                return Some(format!("action ms is at most {DELAY_MS_MAX}"));
            }
            Action::ErrorBefore { status } | Action::ErrorAfter { status }
                if !(500..=599).contains(&status) =>
            {
                return Some("action status is 500 to 599".to_owned());
            }
            Action::Throttle {
                retry_after: Some(seconds),
            } if !(0.0..=RETRY_AFTER_S_MAX).contains(&seconds) => {
                return Some(format!(
                    "action retryAfter is 0 to {RETRY_AFTER_S_MAX} seconds"
                ));
            }
            _ => {}
        }
        if self.times == Some(0) {
            return Some("times is at least 1; leave it out for always".to_owned());
        }
        let likely = self.probability.unwrap_or(1.0);
        (!(0.0..=1.0).contains(&likely)).then(|| "probability is 0 to 1".to_owned())
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let wanted = self.method.as_ref();
        wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && contains(path, &self.path_contains)
    }
}

/// Whether the parts between the stars come in this order.
fn contains(path: &str, pattern: &str) -> bool {
    let mut rest = path;
    pattern.split('*').all(|part| {
        let found = rest.find(part);
        if let Some(at) = found {
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
        found.is_some()
    })
}

/// The rules in force.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Rule>,
    /// Throws of the dice so far.
    throws: u64,
}

impl Faults {
    /// Nothing goes wrong yet.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule; `false` when there are too many.
    pub fn add(&self, rule: Rule) -> bool {
        let mut inner = self.inner();
        let room = inner.rules.len() < RULES_MAX;
        if room {
            inner.rules.push(rule);
        }
        room
    }

    /// The rules as they stand.
    pub fn list(&self) -> Vec<Rule> {
        self.inner().rules.clone()
    }

    /// Removes all; the dice begin anew.
    pub fn clear(&self) {
        *self.inner() = Inner::default();
    }

    /// The action for a request; counts it.
    pub fn act(&self, method: &str, path: &str) -> Option<Action> {
        let mut inner = self.inner();
        let Inner { rules, throws } = &mut *inner;
        let at = rules.iter().position(|rule| {
            rule.matches(method, path)
                && rule.probability.is_none_or(|likely| {
                    *throws += 1;
                    dice(self.seed, *throws) < likely
                })
        })?;
        let rule = rules.get_mut(at)?;
        let action = rule.action.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                rules.remove(at);
            }
        }
        Some(action)
    }
}

/// The nth throw of a seed, from 0 up to 1 (SplitMix64).
fn dice(seed: u64, throw: u64) -> f64 {
    let mut z = seed.wrapping_add(throw.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    // 53 bits are what a double holds exactly.
    (z >> 11) as f64 / (1u64 << 53) as f64
}

/// A bounded delay.
pub async fn delay(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms.min(DELAY_MS_MAX))).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_rule_acts_as_often_as_it_says_and_only_where_it_says() {
        let faults = Faults::new(1);
        let text = r#"{"method": "post", "pathContains": "/users/*/events", "times": 2, "action": "dropAfter"}"#;
        assert!(faults.add(rule(text)));
        assert!(faults.act("GET", "/v1.0/users/a/events").is_none());
        assert!(faults.act("POST", "/v1.0/events/users").is_none());
        assert!(faults.act("POST", "/v1.0/users/a/events").is_some());
        assert!(faults.act("POST", "/v1.0/users/b/events/c").is_some());
        assert!(faults.act("POST", "/v1.0/users/a/events").is_none());
        assert!(faults.list().is_empty());
    }

    #[test]
    fn the_dice_fall_the_same_for_the_same_seed() {
        let run = |seed| {
            let faults = Faults::new(seed);
            let text = r#"{"probability": 0.3, "action": {"errorBefore": {"status": 503}}}"#;
            faults.add(rule(text));
            (0..1_000)
                .map(|_| faults.act("GET", "/").is_some())
                .collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let often = run(7).into_iter().filter(|acted| *acted).count();
        assert!((250..350).contains(&often), "{often} of 1000 at 0.3");
    }

    #[test]
    fn impossible_rules_are_told() {
        for text in [
            r#"{"action": {"delayBefore": {"ms": 600001}}}"#,
            r#"{"action": {"errorAfter": {"status": 404}}}"#,
            r#"{"action": {"throttle": {"retryAfter": -1.0}}}"#,
            r#"{"times": 0, "action": "dropBefore"}"#,
            r#"{"probability": 1.5, "action": "dropBefore"}"#,
        ] {
            assert!(rule(text).problem().is_some(), "{text}");
        }
        assert!(rule(r#"{"action": {"throttle": {}}}"#).problem().is_none());
    }
}
