//! I4: every visit reaches an end state; the ticket shows it, and who watches is pushed it.

use super::text;
use crate::prove::tape::Tape;

const ENDS: [&str; 4] = ["ADMITTED", "DENIED", "TIMED_OUT", "LEFT"];

pub fn check(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    for kept in &tape.bookings {
        let visits = kept
            .last
            .pointer("/lobby/visits")
            .and_then(serde_json::Value::as_array);
        for visit in visits.into_iter().flatten() {
            if !ENDS.contains(&text(visit, "/state")) {
                said.push(format!(
                    "a visit of {} is over and still {}",
                    kept.uuid,
                    text(visit, "/state")
                ));
            }
        }
        for stay in &kept.visits {
            let end = text(&stay.last, "/state");
            if !ENDS.contains(&end) {
                said.push(format!(
                    "the ticket of {} shows {:?}, no end state",
                    stay.visit, stay.last
                ));
            }
            if stay.last["endedAt"].is_null() {
                said.push(format!("the visit {} ended at no time", stay.visit));
            }
            let Some(pushed) = &stay.pushed else { continue };
            let told = pushed.last().map_or("", |last| text(last, "/visit/state"));
            if told != end {
                said.push(format!(
                    "the guest of {} was last pushed {told:?}, and it ended {end}",
                    stay.visit
                ));
            }
            let after = pushed
                .iter()
                .skip_while(|update| !ENDS.contains(&text(update, "/visit/state")));
            if after
                .skip(1)
                .any(|update| text(update, "/visit/state") != end)
            {
                said.push(format!(
                    "the guest of {} was pushed something else after the end",
                    stay.visit
                ));
            }
        }
    }
    said
}
