//! The hooks that services call, one module each.

pub mod lobby;

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};
use wasmtime::Store;

use crate::{
    bindings::v0_1::convene::plugin::types,
    plugin::Plugin,
    reason::{Fault, Reason, short},
    record::Context,
    state::State,
};

/// A hook of the contract.
pub trait Hook: Send + Sync + 'static {
    /// Its interface's name.
    const NAME: &'static str;
    /// What it is told.
    type Input: Serialize + DeserializeOwned + Send + Sync;
    /// What it decides.
    type Verdict: Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug + Send;

    /// Starts a fresh instance and asks it.
    fn call(
        plugin: &Plugin,
        store: &mut Store<State>,
        context: &Context,
        input: &Self::Input,
    ) -> impl Future<Output = wasmtime::Result<Self::Verdict>> + Send;
}

fn context(context: &Context) -> types::Context {
    types::Context {
        tenant: context.tenant.clone(),
        invocation: context.invocation.clone(),
        now_ms: context.now_ms,
        seed: context.seed,
        attempt: context.attempt,
        attributes: context.attributes.clone(),
    }
}

/// The plugin says that it cannot decide.
fn fault(fault: &types::Fault) -> Fault {
    let code = if is_code(&fault.code) {
        fault.code.as_str()
    } else {
        "UNNAMED"
    };
    let retry = if fault.retry {
        " (may be tried again)"
    } else {
        ""
    };
    Fault::new(
        Reason::Fault,
        short(&format!("{code}: {}{retry}", fault.message)),
    )
}

fn is_code(text: &str) -> bool {
    let of = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_';
    (1..=64).contains(&text.len()) && text.bytes().all(of)
}

fn is_name(text: &str) -> bool {
    let of = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(of)
}

fn code(text: String) -> Result<String, Fault> {
    if is_code(&text) {
        return Ok(text);
    }
    let detail = "the reason is not 1 to 64 of A-Z, 0-9 and _";
    Err(Fault::new(Reason::BadOutput, detail))
}

fn name(text: String) -> Result<String, Fault> {
    if is_name(&text) {
        return Ok(text);
    }
    let detail = "the queue or step is not 1 to 64 of a-z, 0-9 and -";
    Err(Fault::new(Reason::BadOutput, detail))
}
