//! Lines for the plugin's owner, and why it decides as it does. Kept with the call.

use serde::{Deserialize, Serialize};

use crate::{
    bindings::v0_1::convene::plugin::{explain, log},
    reason::{Fault, Reason},
    state::State,
};

/// A line of the plugin's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// "debug", "info", "warn" or "error".
    pub level: String,
    /// What it wrote.
    pub message: String,
}

/// A node of the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Because {
    /// The rule that was looked at.
    pub rule: String,
    /// Whether it held.
    pub outcome: bool,
    /// Anything else.
    pub detail: String,
}

impl State {
    fn said(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.count_host_call()?;
        self.said_bytes = self.said_bytes.saturating_add(bytes);
        let limit = self.limits.log_bytes;
        if self.said_bytes > limit {
            let detail = format!("more than {limit} bytes of log lines and explanations");
            return Err(Fault::new(Reason::TooMuchLogged, detail).into());
        }
        Ok(())
    }
}

impl log::Host for State {
    async fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        self.said(message.len())?;
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        self.logs.push(Line {
            level: level.to_owned(),
            message,
        });
        Ok(())
    }
}

impl explain::Host for State {
    async fn because(
        &mut self,
        rule: String,
        outcome: bool,
        detail: String,
    ) -> wasmtime::Result<()> {
        self.said(rule.len() + detail.len())?;
        self.because.push(Because {
            rule,
            outcome,
            detail,
        });
        Ok(())
    }
}
