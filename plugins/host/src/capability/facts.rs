//! Read-only look-ups of what a call is about.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{bindings::v0_1::convene::plugin::facts, state::State};

/// Where the facts of one case come from. It is made for the case, so that there is no id to ask by.
#[async_trait]
pub trait Source: Send + Sync {
    /// The fact as a JSON object; `Ok(None)` when there is none of that subject. `Err` when it cannot be had now.
    async fn look_up(&self, subject: &str) -> Result<Option<String>, Unavailable>;
}

/// A port that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("not available now")]
pub struct Unavailable;

/// Longest subject, in bytes.
const SUBJECT_BYTES_MAX: usize = 64;

impl facts::Host for State {
    async fn look_up(
        &mut self,
        subject: String,
    ) -> wasmtime::Result<Result<Option<String>, facts::Error>> {
        self.count_host_call()?;
        if !self.grants.facts {
            return Ok(Err(facts::Error::Denied));
        }
        if subject.len() > SUBJECT_BYTES_MAX {
            return Ok(Ok(None));
        }
        let source = self.ports.facts.clone();
        let asked = subject.clone();
        let answer = self.host_call("facts.look-up", &asked, async move {
            match source {
                Some(source) => source.look_up(&subject).await,
                None => Err(Unavailable),
            }
        });
        Ok(answer
            .await?
            .map_err(|Unavailable| facts::Error::Unavailable))
    }
}
