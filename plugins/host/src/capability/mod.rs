//! What a plugin can do beside deciding, one module a capability.
//!
//! The host judges (granted? within quota? allowed origin?) and records; the ports behind it only fetch. Everything goes through
//! [`State::host_call`](crate::state::State::host_call), so nothing escapes the budget or the record.

pub mod facts;
pub mod http;
pub mod kv;
pub mod log;

use std::sync::Arc;

use crate::{bindings::v0_1::convene::plugin::types, state::State};

/// The ways out of a call. A port that is missing answers as unavailable.
#[derive(Clone, Default)]
pub struct Ports {
    /// The plugin's own values.
    pub kv: Option<Arc<dyn kv::Store>>,
    /// Requests to other systems.
    pub http: Option<Arc<dyn http::Client>>,
    /// Look-ups of the case.
    pub facts: Option<Arc<dyn facts::Source>>,
}

// Types only.
impl types::Host for State {}

/// `Vec<u8>` as base64 text in records.
pub(crate) mod base64_bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
