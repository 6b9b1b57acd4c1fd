//! Outcomes of requests that have an effect once: bounded, the oldest is forgotten first.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{Once, Outcome, Problem};

/// Outcomes that are remembered.
const KEPT_MAX: usize = 10_000;

/// What was done under which id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(String, Kept)>", into = "Vec<(String, Kept)>")]
pub struct Repeats {
    kept: BTreeMap<String, Kept>,
    order: VecDeque<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    digest: String,
    outcome: Outcome,
}

impl From<Vec<(String, Kept)>> for Repeats {
    fn from(all: Vec<(String, Kept)>) -> Self {
        Self {
            order: all.iter().map(|(id, _)| id.clone()).collect(),
            kept: all.into_iter().collect(),
        }
    }
}

impl From<Repeats> for Vec<(String, Kept)> {
    fn from(mut repeats: Repeats) -> Self {
        let order = repeats.order.into_iter();
        order
            .filter_map(|id| repeats.kept.remove(&id).map(|kept| (id, kept)))
            .collect()
    }
}

impl Repeats {
    /// The outcome of the same request before.
    pub fn find(&self, once: &Once) -> Result<Option<Outcome>, Problem> {
        match self.kept.get(&once.id) {
            None => Ok(None),
            Some(kept) if kept.digest == once.digest => Ok(Some(kept.outcome.clone())),
            Some(_) => {
                let text =
                    "This Repeatability-Request-ID was used for another request; use a new one.";
                Err(Problem::bad("Repeatability-Request-ID", text))
            }
        }
    }

    /// Remembers an outcome.
    pub fn keep(&mut self, once: &Once, outcome: &Outcome) {
        if self.order.len() >= KEPT_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.kept.remove(&oldest);
        }
        let kept = Kept {
            digest: once.digest.clone(),
            outcome: outcome.clone(),
        };
        self.order.push_back(once.id.clone());
        self.kept.insert(once.id.clone(), kept);
    }
}
