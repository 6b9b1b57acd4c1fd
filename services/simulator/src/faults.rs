//! Scripted faults: what goes wrong, where, and how often.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Rules at the same time.
pub const RULES_MAX: usize = 100;
/// Longest delay, in milliseconds.
pub const DELAY_MS_MAX: u64 = 600_000;

/// A rule. The first rule that matches a request acts on it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Only this method; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that contain this text, for example `/events`.
    #[serde(default)]
    pub path_contains: String,
    /// How often it acts; then it is gone. Always when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// What it does.
    pub action: Action,
}

/// What a rule does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Action {
    /// Waits before the effect.
    #[serde(rename_all = "camelCase")]
    DelayBefore {
        /// For so long.
        ms: u64,
    },
    /// Waits after the effect, before the answer.
    #[serde(rename_all = "camelCase")]
    DelayAfter {
        /// For so long.
        ms: u64,
    },
    /// 429 without an effect.
    #[serde(rename_all = "camelCase")]
    Throttle {
        /// `Retry-After`, in seconds; fractions have been seen in the field.
        retry_after: f64,
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
}

/// The rules in force.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
}

impl Faults {
    /// Adds a rule; `false` when there are too many.
    pub fn add(&self, rule: Rule) -> bool {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let room = rules.len() < RULES_MAX;
        if room {
            rules.push(rule);
        }
        room
    }

    /// The rules as they stand.
    pub fn list(&self) -> Vec<Rule> {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Removes all.
    pub fn clear(&self) {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The action for a request; counts it.
    pub fn act(&self, method: &str, path: &str) -> Option<Action> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let at = rules.iter().position(|rule| {
            path.contains(&rule.path_contains)
                && rule
                    .method
                    .as_ref()
                    .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
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

/// A bounded delay.
pub async fn delay(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms.min(DELAY_MS_MAX))).await;
}
