//! A guest has arrived in a lobby.

use serde::{Deserialize, Serialize};
use wasmtime::Store;

use super::{Hook, code, context, fault, name};
use crate::{
    bindings::v0_1::{convene::plugin::types, exports::convene::plugin::lobby as wire},
    plugin::Plugin,
    reason::{Fault, Reason},
    record::Context,
    state::State,
};

/// The hook.
pub struct Lobby;

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Stable id within the tenant.
    pub id: String,
    /// "guest", "host", …
    pub kind: String,
    /// Only when granted.
    pub display_name: Option<String>,
    /// Only when granted.
    pub address: Option<String>,
    /// Whether the party is outside the tenant.
    pub external: bool,
    /// Further fields.
    pub attributes: Vec<(String, String)>,
}

/// What the hook is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Id of the lobby.
    pub lobby: String,
    /// Id of the visit.
    pub visit: String,
    /// Id of the booking.
    pub booking: String,
    /// Who arrived.
    pub guest: Party,
    /// When, in milliseconds of business time.
    pub arrived_at_ms: u64,
    /// When the lobby closes by itself, in milliseconds of business time.
    pub closes_at_ms: u64,
    /// 1 is next.
    pub position: u32,
    /// How many wait, this guest included.
    pub waiting: u32,
    /// Further fields.
    pub attributes: Vec<(String, String)>,
}

/// What the hook decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Let the guest in, for this reason code.
    Admit(String),
    /// Let a host decide, for this reason code.
    Wait(String),
    /// Turn the guest away, for this reason code.
    Deny(String),
    /// The guest waits in this queue.
    Route(String),
    /// The guest waits until this step is done.
    RequireStep(String),
}

impl Verdict {
    /// "ADMIT", "WAIT", "DENY", "ROUTE" or "REQUIRE_STEP".
    pub fn word(&self) -> &'static str {
        match self {
            Self::Admit(_) => "ADMIT",
            Self::Wait(_) => "WAIT",
            Self::Deny(_) => "DENY",
            Self::Route(_) => "ROUTE",
            Self::RequireStep(_) => "REQUIRE_STEP",
        }
    }

    /// The reason code, or the queue or step.
    pub fn subject(&self) -> &str {
        match self {
            Self::Admit(text)
            | Self::Wait(text)
            | Self::Deny(text)
            | Self::Route(text)
            | Self::RequireStep(text) => text,
        }
    }
}

impl Hook for Lobby {
    const NAME: &'static str = "lobby";
    type Input = Arrival;
    type Verdict = Verdict;

    async fn call(
        plugin: &Plugin,
        store: &mut Store<State>,
        about: &Context,
        arrival: &Arrival,
    ) -> wasmtime::Result<Verdict> {
        let Some(pre) = &plugin.lobby else {
            let detail = "the module does not export the hook lobby";
            return Err(Fault::new(Reason::Unavailable, detail).into());
        };
        let bound = pre.instantiate_async(&mut *store).await?;
        let hook = bound.convene_plugin_lobby();
        let (about, arrival) = (context(about), to_wire(arrival));
        match hook.call_on_lobby_arrival(store, &about, &arrival).await? {
            Ok(decision) => Ok(from_wire(decision)?),
            Err(said) => Err(fault(&said).into()),
        }
    }
}

fn to_wire(arrival: &Arrival) -> wire::Arrival {
    let guest = &arrival.guest;
    wire::Arrival {
        lobby: arrival.lobby.clone(),
        visit: arrival.visit.clone(),
        booking: arrival.booking.clone(),
        guest: types::Party {
            id: guest.id.clone(),
            kind: guest.kind.clone(),
            display_name: guest.display_name.clone(),
            address: guest.address.clone(),
            external: guest.external,
            attributes: guest.attributes.clone(),
        },
        arrived_at_ms: arrival.arrived_at_ms,
        closes_at_ms: arrival.closes_at_ms,
        position: arrival.position,
        waiting: arrival.waiting,
        attributes: arrival.attributes.clone(),
    }
}

fn from_wire(decision: wire::Decision) -> Result<Verdict, Fault> {
    Ok(match decision {
        wire::Decision::Admit(reason) => Verdict::Admit(code(reason)?),
        wire::Decision::Wait(reason) => Verdict::Wait(code(reason)?),
        wire::Decision::Deny(reason) => Verdict::Deny(code(reason)?),
        wire::Decision::Route(queue) => Verdict::Route(name(queue)?),
        wire::Decision::RequireStep(step) => Verdict::RequireStep(name(step)?),
    })
}
