//! Why a module is not taken.

use crate::reason::Fault;

/// Why a module is not taken: a closed list. The text names the thing to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {self_text}", self.name(), self_text = self.text())]
pub enum Refusal {
    /// More bytes than a module may have.
    TooLarge {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A core module, a precompiled file, or no WebAssembly at all.
    NotAComponent(String),
    /// It breaks off, or does not hold what the format demands.
    Malformed(String),
    /// One of the [`Bounds`](crate::Bounds) is passed.
    TooComplex {
        /// What there is too much of.
        what: &'static str,
        /// How much was found, at least.
        found: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// It starts with more memory or a larger table than a call may have.
    StartsTooLarge {
        /// "memory bytes" or "table elements".
        what: &'static str,
        /// How much it declares.
        found: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// It exports no hook.
    NoHook,
    /// It exports only hooks that no service calls yet, or an interface that the contract does not have.
    HookNotServed(String),
    /// It was built for another version of the contract.
    ContractUnsupported(String),
    /// It imports something that is not in the contract.
    ImportUnknown(String),
    /// It imports a capability that was not granted.
    CapabilityNotGranted(String),
    /// An export or import has another type than the contract says.
    WrongType(String),
    /// It did not survive being started once.
    StartFailed(Fault),
}

impl Refusal {
    /// Stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "MODULE_TOO_LARGE",
            Self::NotAComponent(_) => "NOT_A_COMPONENT",
            Self::Malformed(_) => "MODULE_MALFORMED",
            Self::TooComplex { .. } => "MODULE_TOO_COMPLEX",
            Self::StartsTooLarge { .. } => "MODULE_STARTS_TOO_LARGE",
            Self::NoHook => "NO_HOOK",
            Self::HookNotServed(_) => "HOOK_NOT_SERVED",
            Self::ContractUnsupported(_) => "CONTRACT_UNSUPPORTED",
            Self::ImportUnknown(_) => "IMPORT_UNKNOWN",
            Self::CapabilityNotGranted(_) => "CAPABILITY_NOT_GRANTED",
            Self::WrongType(_) => "WRONG_TYPE",
            Self::StartFailed(_) => "START_FAILED",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::TooLarge { bytes, limit } => {
                format!("the module has {bytes} bytes, {limit} are allowed; strip it")
            }
            Self::NotAComponent(text) => format!(
                "{text}; build a component (target wasm32-wasip2, wasm-component-ld, or `wasm-tools component new`)"
            ),
            Self::Malformed(text) => text.clone(),
            Self::TooComplex { what, found, limit } => {
                format!("the module has {found} {what}, {limit} are allowed")
            }
            Self::StartsTooLarge { what, found, limit } => {
                format!("the module starts with {found} {what}, a call may have {limit}")
            }
            Self::NoHook => format!(
                "the module exports no hook; export convene:plugin/lobby@{}",
                crate::CONTRACT
            ),
            Self::HookNotServed(text)
            | Self::ContractUnsupported(text)
            | Self::ImportUnknown(text)
            | Self::CapabilityNotGranted(text)
            | Self::WrongType(text) => text.clone(),
            Self::StartFailed(fault) => format!("the module fails when it is started: {fault}"),
        }
    }
}
