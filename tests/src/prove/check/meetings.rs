//! I2: at rest the provider has exactly one event under a live booking's key, and none under a cancelled one's.

use super::{named, text};
use crate::prove::tape::{Tape, external_key};

pub fn check(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    for kept in &tape.bookings {
        let key = external_key(&tape.tenant, &kept.uuid);
        let alive = tape
            .events
            .iter()
            .filter(|event| event["transactionId"] == key.as_str());
        let alive = alive.count();
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
