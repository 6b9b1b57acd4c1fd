//! What all machines have in common.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Refused, Timestamp};

/// A pure state machine. Its events and effects are serde enums tagged `type`; the tag is the name that logs, feeds and charts show.
pub trait Machine:
    Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The object's kind on feeds and in audit trails, for example `"booking"`.
    const KIND: &'static str;

    /// What became true. Free of personal data and secrets: events are kept for ever and hash-chained.
    type Event: Clone + fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// What the world now needs. One enum per machine shows all that a service does to the outside.
    type Effect: Clone
        + fmt::Debug
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static;

    /// The first event of an object.
    fn begin(event: Self::Event, now: Timestamp) -> Result<Step<Self>, Refused>;

    /// Every later one. `Ok(None)` says that it already is so: nothing has to be written.
    fn on(self, event: Self::Event, now: Timestamp) -> Outcome<Self>;

    /// Whether an effect of the past is still wanted in this state; unwanted work is dropped, not done.
    fn wanted(&self, effect: &Self::Effect) -> bool;

    /// The state's name in SCREAMING_SNAKE, as APIs show it.
    fn state(&self) -> &'static str;
}

/// Next state, nothing to do, or a refusal.
pub type Outcome<M> = Result<Option<Step<M>>, Refused>;

/// The answer of a machine to an event.
#[derive(Clone, Debug)]
pub struct Step<M: Machine> {
    /// The state from now on.
    pub next: M,
    /// What the world needs because of it, in this order.
    pub effects: Vec<Due<M::Effect>>,
}

impl<M: Machine> Step<M> {
    /// A step without effects.
    pub fn to(next: M) -> Self {
        Self {
            next,
            effects: Vec::new(),
        }
    }

    /// Adds an effect that is due at once.
    pub fn then(mut self, effect: M::Effect) -> Self {
        self.effects.push(Due { at: None, effect });
        self
    }

    /// Adds an effect that is due at a moment of business time (a timer).
    pub fn then_at(mut self, at: Timestamp, effect: M::Effect) -> Self {
        self.effects.push(Due {
            at: Some(at),
            effect,
        });
        self
    }
}

/// An effect and the moment before which it must not happen.
#[derive(Clone, Debug)]
pub struct Due<E> {
    /// `None`: at once.
    pub at: Option<Timestamp>,
    /// What to do.
    pub effect: E,
}

/// The effects of a machine that has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoEffect {}
