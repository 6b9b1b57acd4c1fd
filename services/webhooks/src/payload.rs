//! The bytes that are sent: what happened, in ids. No personal data, no join details, no names at the provider.

use convene_domain::BookingId;
use convene_events::{Told, global_id};
use convene_kit::{Error, Result, feed::Fact};
use serde_json::json;

/// Body of a request, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024;

/// The body of every request about one fact.
pub fn payload(fact: &Fact, booking: BookingId, told: Told) -> Result<String> {
    let kind = &fact.object_kind;
    let mut data = told.fields;
    data["bookingId"] = global_id("Booking", booking.as_uuid()).into();
    data["objectKind"] = kind.as_str().into();
    data["objectId"] = global_id(&capitalised(kind), fact.object).into();
    data["seq"] = fact.seq.into();
    let body = json!({
        "type": told.name,
        "timestamp": fact.occurred_at.to_string(),
        "data": data,
    })
    .to_string();
    if body.len() > PAYLOAD_BYTES_MAX {
        // No fact comes near it: its texts are bounded where they enter.
        return Err(Error::refused(
            "PAYLOAD_TOO_LARGE",
            "the event does not fit into a webhook",
        ));
    }
    Ok(body)
}

/// `booking` as its GraphQL type is called.
fn capitalised(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
