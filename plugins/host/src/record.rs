//! What is kept of a call: enough to make it again, bit by bit.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Grants, Limits,
    capability::{
        kv::Write,
        log::{Because, Line},
    },
    reason::Fault,
};

/// What every call is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The tenant, a UUID.
    pub tenant: String,
    /// This call, a UUID.
    pub invocation: String,
    /// Business time in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Fresh random bits.
    pub seed: u64,
    /// 1 for the first attempt of the same decision.
    pub attempt: u32,
    /// Settings of the binding.
    pub attributes: Vec<(String, String)>,
}

/// A capability's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostCall {
    /// Such as `kv.get`.
    pub name: String,
    /// What was asked; secret headers are hashes.
    pub input: Value,
    /// What was answered.
    pub output: Value,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a verdict of the hook.
    Verdict(Value),
    /// Without.
    Fault(Fault),
}

/// A call, whole. Equal records of equal modules are equal calls, but for the time they took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// SHA-256 of the module, in hex.
    pub digest: String,
    /// Version of the contract.
    pub contract: String,
    /// The runtime: fuel is comparable within one.
    pub runtime: String,
    /// The hook.
    pub hook: String,
    /// What every call is told.
    pub context: Context,
    /// What this hook is told.
    pub input: Value,
    /// What it was allowed.
    pub grants: Grants,
    /// What it might cost.
    pub limits: Limits,
    /// The capabilities' answers, in order.
    pub host_calls: Vec<HostCall>,
    /// What it wrote.
    pub logs: Vec<Line>,
    /// What it explained.
    pub because: Vec<Because>,
    /// What it wants to keep. Counts only with a verdict.
    pub writes: Vec<Write>,
    /// What it cost.
    pub fuel: u64,
    /// The most memory at a time, in bytes.
    pub memory_bytes: u64,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// How it ended.
    pub outcome: Outcome,
}

impl Record {
    /// Where a replay differs; empty when it is the same, time aside.
    pub fn differences(&self, replay: &Self) -> Vec<&'static str> {
        let same = [
            ("digest", self.digest == replay.digest),
            ("outcome", self.outcome == replay.outcome),
            ("fuel", self.fuel == replay.fuel),
            ("memory", self.memory_bytes == replay.memory_bytes),
            ("host calls", self.host_calls == replay.host_calls),
            ("logs", self.logs == replay.logs),
            ("because", self.because == replay.because),
            ("writes", self.writes == replay.writes),
        ];
        let differs = same.into_iter().filter(|(_, same)| !same);
        differs.map(|(what, _)| what).collect()
    }
}
