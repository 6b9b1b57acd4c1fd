//! I2: at rest the provider has exactly one event under a live booking's key, and none under a cancelled one's; a moved one is the same event, at the
//! booking's time.

use serde_json::Value;

use super::{named, text};
use crate::prove::tape::{Kept, Tape, external_key, millis};

pub fn check(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    for kept in &tape.bookings {
        let key = external_key(&tape.tenant, &kept.uuid);
        let events = tape.events.iter();
        let events: Vec<_> = events
            .filter(|event| event["transactionId"] == key.as_str())
            .collect();
        let alive = events.len();
        let start = millis(&kept.last["start"]);
        if followed(kept) && events.iter().any(|one| one["startMs"].as_i64() != start) {
            said.push(format!(
                "booking {} has another time than its event",
                kept.uuid
            ));
        }
        let (state, meeting) = (
            text(&kept.last, "/state"),
            text(&kept.last, "/meeting/state"),
        );
        let made = named(kept, "MeetingReady").next().is_some();
        let fits = match (state, meeting) {
            ("CONFIRMED" | "COMPLETED", "READY") => alive == 1,
            // One that ended before it was made may have none.
            ("COMPLETED", "ENDED") => alive == 1 || (alive == 0 && !made),
            ("CANCELLED", "CANCELLED" | "FAILED") => alive == 0,
            _ => false,
        };
        if !fits {
            said.push(format!(
                "booking {} is {state}, its meeting {meeting} ({}), and the provider has {alive} of it",
                kept.uuid,
                text(&kept.last, "/meeting/reason")
            ));
        }
    }
    said
}

/// Whether the last change of the booking's time is on record as one that the provider has confirmed.
fn followed(kept: &Kept) -> bool {
    let confirmed = named(kept, "MeetingMoved").filter_map(|event| {
        let data: Value = serde_json::from_str(text(event, "/data")).ok()?;
        data["moves"].as_u64()
    });
    let last = kept.last["reschedules"].as_u64();
    last.is_some_and(|last| last > 0) && confirmed.max() == last
}
