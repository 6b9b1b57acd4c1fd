//! Why a machine said no.

/// A refusal that the caller can act on: a stable reason and a sentence with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Refused {
    /// Stable, SCREAMING_SNAKE; listed in `schema/error-codes.md`.
    pub reason: &'static str,
    /// For people; free of personal data.
    pub message: &'static str,
}

impl Refused {
    /// A refusal by its reason and remedy.
    pub const fn new(reason: &'static str, message: &'static str) -> Self {
        Self { reason, message }
    }

    /// The event makes no sense for an object that does not exist yet, or begins one that does.
    pub const OUT_OF_ORDER: Self = Self::new(
        "OUT_OF_ORDER",
        "this event does not fit the object's history",
    );
}
