//! I6: what nobody ends, ends by itself: once, and never before its time.

use super::{named, text};
use crate::prove::tape::{Kept, Tape, millis};

/// An appointment is over so long after its end when nobody said so, in milliseconds.
const GRACE_MS: i64 = 30 * 60_000;

pub fn check(tape: &Tape) -> Vec<String> {
    tape.bookings.iter().flat_map(of_booking).collect()
}

fn of_booking(kept: &Kept) -> Vec<String> {
    let mut said = Vec::new();
    let Some(end) = millis(&kept.last["end"]) else {
        return vec![format!("{} is gone", kept.uuid)];
    };
    let due = end + GRACE_MS;
    let id = &kept.uuid;
    for kind in ["BookingCompleted", "LobbyClosed"] {
        let fired: Vec<_> = named(kept, kind).collect();
        if fired.len() > 1 {
            said.push(format!("{id}: {kind} {} times", fired.len()));
        }
        for event in &fired {
            let by_itself = text(event, "/actor").starts_with("system:") && !kept.ended_by_people;
            let early = millis(&event["occurredAt"]).is_none_or(|at| at < due);
            if by_itself && early {
                said.push(format!("{id}: {kind} before it was due"));
            }
        }
        if !kept.ended_by_people && fired.is_empty() {
            said.push(format!("{id}: {kind} never came"));
        }
    }
    if !kept.ended_by_people && text(&kept.last, "/state") != "COMPLETED" {
        said.push(format!(
            "{id}: time is over, and it is {}",
            text(&kept.last, "/state")
        ));
    }
    said
}
