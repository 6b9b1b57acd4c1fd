//! A case for a developer's desk: what the plugin is told, and what it should say.

use std::collections::BTreeMap;

use async_trait::async_trait;
use convene_kit::{Error, Result};
use convene_plugin_host::{
    Context, Grants, Limits,
    capability::{
        Ports,
        facts::{Source, Unavailable},
        kv::{Entry, Store},
    },
    hook::lobby::{Arrival, Party},
};
use serde::Deserialize;
use serde_json::Value;

/// A fixture file. Only what matters to the case has to be there.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Fixture {
    /// What the hook is told.
    pub input: Input,
    /// Settings of the binding.
    pub settings: BTreeMap<String, String>,
    /// What the plugin is allowed.
    pub grants: Grants,
    /// Values that it has kept, as text.
    pub kv: BTreeMap<String, String>,
    /// Facts by subject.
    pub facts: BTreeMap<String, Value>,
    /// Business time in milliseconds.
    pub now_ms: u64,
    /// Random bits.
    pub seed: u64,
    /// The verdict, such as `{"admit": "VIP"}`, or `{"fault": "TRAP"}`.
    pub expect: Option<Value>,
}

/// What the lobby hook is told; what is left out is a guest who is first and alone.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Input {
    lobby: String,
    visit: String,
    booking: String,
    guest: Guest,
    arrived_at_ms: u64,
    closes_at_ms: u64,
    position: Option<u32>,
    waiting: Option<u32>,
    attributes: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
struct Guest {
    id: String,
    display_name: Option<String>,
    address: Option<String>,
    attributes: BTreeMap<String, String>,
}

impl Fixture {
    /// Reads one.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::invalid(
                "fixture",
                "FIXTURE_MALFORMED",
                format!("the fixture: {error}"),
            )
        })
    }

    /// What every call is told.
    pub fn context(&self) -> Context {
        Context {
            tenant: "tenant".into(),
            invocation: "invocation".into(),
            now_ms: self.now_ms,
            seed: self.seed,
            attempt: 1,
            attributes: self.settings.clone().into_iter().collect(),
        }
    }

    /// What the hook is told.
    pub fn arrival(&self) -> Arrival {
        let (input, or) = (&self.input, |text: &str, default: &str| {
            if text.is_empty() { default } else { text }.to_owned()
        });
        Arrival {
            lobby: or(&input.lobby, "lobby"),
            visit: or(&input.visit, "visit"),
            booking: or(&input.booking, "booking"),
            guest: Party {
                id: or(&input.guest.id, "guest"),
                kind: "guest".into(),
                display_name: input.guest.display_name.clone(),
                address: input.guest.address.clone(),
                external: true,
                attributes: input.guest.attributes.clone().into_iter().collect(),
            },
            arrived_at_ms: input.arrived_at_ms,
            closes_at_ms: input.closes_at_ms,
            position: input.position.unwrap_or(1),
            waiting: input.waiting.unwrap_or(1),
            attributes: input.attributes.clone().into_iter().collect(),
        }
    }

    /// The node's own budget, but no hurry: a developer's machine may be busy.
    pub fn limits(&self) -> Limits {
        Limits {
            time_ms: 10_000,
            ..Limits::default()
        }
    }

    /// Values and facts of the file.
    pub fn ports(&self) -> Ports {
        Ports {
            kv: Some(std::sync::Arc::new(Values(self.kv.clone()))),
            facts: Some(std::sync::Arc::new(Facts(self.facts.clone()))),
            http: None,
        }
    }
}

struct Values(BTreeMap<String, String>);

#[async_trait]
impl Store for Values {
    async fn get(&self, key: &str) -> std::result::Result<Option<Entry>, Unavailable> {
        Ok(self.0.get(key).map(|value| Entry {
            value: value.clone().into_bytes(),
            revision: 1,
        }))
    }

    async fn used(&self) -> std::result::Result<u64, Unavailable> {
        let sizes = self.0.iter().map(|(key, value)| key.len() + value.len());
        Ok(sizes.sum::<usize>() as u64)
    }
}

struct Facts(BTreeMap<String, Value>);

#[async_trait]
impl Source for Facts {
    async fn look_up(&self, subject: &str) -> std::result::Result<Option<String>, Unavailable> {
        Ok(self.0.get(subject).map(Value::to_string))
    }
}
