//! Why a call brought no verdict.

use serde::{Deserialize, Serialize};

/// Why a call brought no verdict: a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// It took longer than it may.
    Timeout,
    /// It used up its fuel.
    OutOfFuel,
    /// It wanted more memory than it may have.
    OutOfMemory,
    /// It wanted larger tables than it may have.
    OutOfTable,
    /// It called itself too deeply.
    StackOverflow,
    /// It called capabilities more often than it may.
    TooManyHostCalls,
    /// It logged or explained more than it may.
    TooMuchLogged,
    /// An answer or an argument was larger than may cross.
    TooMuchData,
    /// It executed something that stops it: a panic, a division by zero, an access out of bounds.
    Trap,
    /// What it gave back does not mean anything: no valid text, no such case, an id or a code of the wrong form.
    BadOutput,
    /// It said itself that it cannot decide.
    Fault,
    /// No place was free within its time.
    Busy,
    /// The module cannot be had or started at present.
    Unavailable,
    /// It failed again and again, and was not asked.
    Tripped,
    /// A replay did something else than the record says.
    Diverged,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 15] = [
        Self::Timeout,
        Self::OutOfFuel,
        Self::OutOfMemory,
        Self::OutOfTable,
        Self::StackOverflow,
        Self::TooManyHostCalls,
        Self::TooMuchLogged,
        Self::TooMuchData,
        Self::Trap,
        Self::BadOutput,
        Self::Fault,
        Self::Busy,
        Self::Unavailable,
        Self::Tripped,
        Self::Diverged,
    ];

    /// Stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::OutOfFuel => "OUT_OF_FUEL",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::OutOfTable => "OUT_OF_TABLE",
            Self::StackOverflow => "STACK_OVERFLOW",
            Self::TooManyHostCalls => "TOO_MANY_HOST_CALLS",
            Self::TooMuchLogged => "TOO_MUCH_LOGGED",
            Self::TooMuchData => "TOO_MUCH_DATA",
            Self::Trap => "TRAP",
            Self::BadOutput => "BAD_OUTPUT",
            Self::Fault => "FAULT",
            Self::Busy => "BUSY",
            Self::Unavailable => "UNAVAILABLE",
            Self::Tripped => "TRIPPED",
            Self::Diverged => "DIVERGED",
        }
    }

    /// Whether the same inputs bring the same reason every time. Where not, a replay reads the record and runs nothing.
    pub const fn is_deterministic(self) -> bool {
        !matches!(
            self,
            Self::Timeout | Self::Busy | Self::Unavailable | Self::Tripped
        )
    }
}

/// A call without verdict: why, and what its owner may read about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {detail}", reason.name())]
pub struct Fault {
    /// Why.
    pub reason: Reason,
    /// The limit that was met, or what the plugin said.
    pub detail: String,
}

impl Fault {
    /// A fault.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// What stopped a call.
pub fn classify(error: &wasmtime::Error) -> Fault {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return fault.clone();
    }
    let root = error.root_cause().to_string();
    let Some(trap) = error.downcast_ref::<wasmtime::Trap>() else {
        // The runtime's own type for this is private; `tests/it/hostile.rs` notices when the words change.
        let reason = if root.starts_with("too much data is being copied") {
            Reason::TooMuchData
        } else {
            Reason::BadOutput
        };
        return Fault::new(reason, short(&root));
    };
    let reason = match trap {
        wasmtime::Trap::OutOfFuel => Reason::OutOfFuel,
        wasmtime::Trap::Interrupt => Reason::Timeout,
        wasmtime::Trap::StackOverflow => Reason::StackOverflow,
        // What the guest handed over, not what it executed.
        wasmtime::Trap::StringOutOfBounds
        | wasmtime::Trap::ListOutOfBounds
        | wasmtime::Trap::InvalidDiscriminant
        | wasmtime::Trap::InvalidChar
        | wasmtime::Trap::UnalignedPointer => Reason::BadOutput,
        _ => Reason::Trap,
    };
    Fault::new(reason, short(&trap.to_string()))
}

/// At most 500 bytes, cut between characters.
pub fn short(text: &str) -> String {
    let mut end = text.len().min(500);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_is_serialised() {
        for reason in Reason::ALL {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json, format!("\"{}\"", reason.name()));
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let text = "é".repeat(400);
        assert_eq!(short(&text).len(), 500);
        assert_eq!(short(&format!("a{text}")).len(), 499);
    }
}
