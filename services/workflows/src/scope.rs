//! What expressions and templates can read.

use std::collections::BTreeMap;

use cel::Value;
use convene_domain::{Timestamp, run::Run};
use convene_events::global_id;
use serde_json::{Map, Value as Json, json};

use crate::{
    definition::{Scope, of_json, of_moment},
    store::booking,
};

/// Names and addresses: for templates of what is sent, never for events.
#[derive(Clone, Debug)]
pub struct People {
    /// Name of the service.
    pub service: String,
    /// Name of the host.
    pub host: String,
    /// Name of the guest; empty where no guest is meant.
    pub guest: String,
    /// The guest's address.
    pub guest_email: String,
}

impl People {
    /// `service`, `host` and `guest`.
    pub fn variables(&self) -> Scope {
        vec![
            ("service", of_json(&json!({ "name": self.service }))),
            ("host", of_json(&json!({ "name": self.host }))),
            (
                "guest",
                of_json(&json!({ "name": self.guest, "email": self.guest_email })),
            ),
        ]
    }
}

/// `booking`, `trigger`, `steps` and `now`.
pub fn of_run(run: &Run, booking: &booking::Model, now: Timestamp) -> Scope {
    let steps: Map<String, Json> = run
        .steps
        .iter()
        .map(|(id, step)| {
            let state = json!({ "state": step.phase.name(), "output": step.output });
            (id.clone(), state)
        })
        .collect();
    let trigger = &run.trigger;
    vec![
        ("booking", booking_value(booking)),
        (
            "trigger",
            happening(&trigger.name, trigger.at, &trigger.data),
        ),
        ("steps", of_json(&Json::Object(steps))),
        ("now", of_moment(now)),
    ]
}

/// What the condition of a workflow reads.
pub fn of_trigger(
    name: &str,
    at: Timestamp,
    data: &Json,
    booking: &booking::Model,
    now: Timestamp,
) -> Scope {
    vec![
        ("booking", booking_value(booking)),
        ("trigger", happening(name, at, data)),
        ("steps", of_json(&json!({}))),
        ("now", of_moment(now)),
    ]
}

/// An event as expressions see it: `name`, `at` and `data`.
pub fn happening(name: &str, at: Timestamp, data: &Json) -> Value {
    map([
        ("name", Value::from(name)),
        ("at", of_moment(at)),
        ("data", of_json(data)),
    ])
}

fn booking_value(row: &booking::Model) -> Value {
    let id = |kind: &str, id| Value::from(global_id(kind, id));
    map([
        ("id", id("Booking", row.id)),
        ("serviceId", id("Service", row.service_id)),
        ("hostId", id("Host", row.host_id)),
        ("start", of_moment(Timestamp::from_millis(row.start_ms))),
        ("end", of_moment(Timestamp::from_millis(row.end_ms))),
        ("guests", Value::Int(i64::from(row.guests))),
        ("state", Value::from(row.state.as_str())),
    ])
}

/// A booking for trying expressions on.
pub fn booking_sample() -> Value {
    booking_value(&booking::Model {
        tenant_id: uuid::Uuid::nil(),
        id: uuid::Uuid::nil(),
        service_id: uuid::Uuid::nil(),
        host_id: uuid::Uuid::nil(),
        start_ms: 86_400_000,
        end_ms: 90_000_000,
        guests: 1,
        state: booking::BOOKED.to_owned(),
    })
}

fn map<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    let fields: BTreeMap<_, _> = fields.into_iter().collect();
    let fields: std::collections::HashMap<String, Value> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    fields.into()
}
