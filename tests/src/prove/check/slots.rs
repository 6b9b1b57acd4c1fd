//! I1: whatever anybody was shown at one moment, the host never has more at the same time than its capacity; and what was confirmed stays.

use std::collections::BTreeSet;

use serde_json::Value;

use super::text;
use crate::prove::tape::{Tape, millis};

pub fn check(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    let looks = tape
        .answers
        .iter()
        .filter(|answer| answer.operation == "bookings");
    let mut last = Vec::new();
    for look in looks {
        let nodes = look
            .body
            .pointer("/data/bookings/nodes")
            .and_then(Value::as_array);
        let Some(nodes) = nodes else { continue };
        last.clone_from(nodes);
        let busiest = busiest(tape, nodes);
        if busiest > tape.capacity as usize {
            said.push(format!(
                "{busiest} at the same time with a capacity of {}",
                tape.capacity
            ));
        }
    }
    let there: BTreeSet<&str> = last.iter().map(|one| text(one, "/id")).collect();
    for answer in &tape.answers {
        let acknowledged = text(&answer.body, "/data/bookMeeting/booking/id");
        if !acknowledged.is_empty() && !there.contains(acknowledged) {
            said.push(format!(
                "a booking was acknowledged and is gone: {acknowledged}"
            ));
        }
    }
    said
}

/// The largest number of bookings that take the host at one moment. Such a number is reached where one of them begins.
fn busiest(tape: &Tape, bookings: &[Value]) -> usize {
    let (before, after) = tape.buffers_ms;
    let spans: Vec<(i64, i64)> = bookings
        .iter()
        .filter(|one| text(one, "/state") != "CANCELLED")
        .filter_map(|one| {
            Some((
                millis(&one["start"])? - before,
                millis(&one["end"])? + after,
            ))
        })
        .collect();
    let at = |moment: i64| {
        spans
            .iter()
            .filter(|(start, end)| *start <= moment && moment < *end)
            .count()
    };
    spans.iter().map(|(start, _)| at(*start)).max().unwrap_or(0)
}
