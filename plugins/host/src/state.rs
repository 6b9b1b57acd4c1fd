//! What belongs to one call: its budget, its record, its ways out.

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};
use wasmtime::ResourceLimiter;

use crate::{
    Grants, Limits,
    capability::{
        Ports, kv,
        log::{Because, Line},
    },
    reason::{Fault, Reason},
    record::HostCall,
};

/// Where the answers of capabilities come from.
pub enum Tape {
    /// The ports; answers are written down.
    Recording(Vec<HostCall>),
    /// A record; the ports are not asked.
    Playing {
        /// What the record holds.
        calls: Vec<HostCall>,
        /// How many have been answered.
        at: usize,
    },
}

/// One call's own.
pub struct State {
    pub limits: Limits,
    pub grants: Grants,
    pub ports: Ports,
    pub tape: Tape,
    pub meter: Meter,
    pub logs: Vec<Line>,
    pub because: Vec<Because>,
    pub kv: kv::View,
    pub said_bytes: usize,
    pub requests: u32,
    host_calls: u32,
}

impl State {
    pub fn new(limits: Limits, grants: Grants, ports: Ports, tape: Tape) -> Self {
        Self {
            meter: Meter::new(&limits),
            limits,
            grants,
            ports,
            tape,
            logs: Vec::new(),
            because: Vec::new(),
            kv: kv::View::default(),
            said_bytes: 0,
            requests: 0,
            host_calls: 0,
        }
    }

    /// Counts a call of the guest against the budget. The time limit alone would let hundreds of thousands through.
    pub fn count_host_call(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        let limit = self.limits.host_calls;
        if self.host_calls > limit {
            let detail = format!("more than {limit} calls of capabilities");
            return Err(Fault::new(Reason::TooManyHostCalls, detail).into());
        }
        Ok(())
    }

    /// The answer of a port, written down; or the one that was written down, when this is a replay.
    pub async fn host_call<I, O>(
        &mut self,
        name: &'static str,
        input: &I,
        act: impl Future<Output = O> + Send,
    ) -> wasmtime::Result<O>
    where
        I: Serialize + ?Sized,
        O: Serialize + DeserializeOwned,
    {
        let input = json(input)?;
        match &mut self.tape {
            Tape::Recording(calls) => {
                let output = act.await;
                calls.push(HostCall {
                    name: name.to_owned(),
                    input,
                    output: json(&output)?,
                });
                Ok(output)
            }
            Tape::Playing { calls, at } => {
                let place = *at + 1;
                let diverged = |detail| Fault::new(Reason::Diverged, detail);
                let Some(call) = calls.get(*at) else {
                    let detail = format!("{name} is asked, and the record ends before");
                    return Err(diverged(detail).into());
                };
                if call.name != name || call.input != input {
                    let detail = format!(
                        "call {place} of a capability is {name} {input}, the record has {} {}",
                        call.name, call.input
                    );
                    return Err(diverged(crate::reason::short(&detail)).into());
                }
                *at += 1;
                let output = O::deserialize(&call.output);
                output.map_err(|_| {
                    let detail = format!("answer {place} in the record is not one of {name}");
                    diverged(detail).into()
                })
            }
        }
    }
}

fn json<T: Serialize + ?Sized>(value: &T) -> wasmtime::Result<serde_json::Value> {
    serde_json::to_value(value).map_err(wasmtime::Error::new)
}

/// Memory and tables of one call.
pub struct Meter {
    memory: usize,
    memory_max: usize,
    /// The most memory at a time, in bytes.
    pub memory_peak: usize,
    table: usize,
    table_max: usize,
}

impl Meter {
    fn new(limits: &Limits) -> Self {
        Self {
            memory: 0,
            memory_max: limits.memory_bytes,
            memory_peak: 0,
            table: 0,
            table_max: limits.table_elements,
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.memory_max {
            let detail = format!("{total} bytes of memory, {} are allowed", self.memory_max);
            return Err(Fault::new(Reason::OutOfMemory, detail).into());
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory = total;
        self.memory_peak = self.memory_peak.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table.saturating_add(desired.saturating_sub(current));
        if total > self.table_max {
            let detail = format!("{total} entries of tables, {} are allowed", self.table_max);
            return Err(Fault::new(Reason::OutOfTable, detail).into());
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.table = total;
        Ok(true)
    }
}
