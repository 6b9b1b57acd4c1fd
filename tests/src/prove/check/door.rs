//! I3: join details reach only the guest who was let in, after somebody asked to let the guest in, on a journalled permit; and the host.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{named, text};
use crate::prove::tape::{Answer, Tape, Who};

/// What every link of the provider contains.
const MARK: &str = "meetup-join";
/// A passcode that is shorter may stand somewhere by chance, in characters.
const PASSCODE_CHARS_MIN: usize = 6;

pub fn check(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    let secrets = secrets(tape);
    for answer in &tape.answers {
        let body = answer.body.to_string();
        let told = body.contains(MARK) || secrets.iter().any(|secret| body.contains(secret));
        if told && let Some(why) = wrong(tape, answer) {
            said.push(format!(
                "join details went to {:?} in {}: {why}",
                answer.who, answer.operation
            ));
        }
    }
    for kept in &tape.bookings {
        for event in kept.trail.iter().chain(kept.pushed.iter().flatten()) {
            let body = event.to_string();
            if body.contains(MARK) || secrets.iter().any(|secret| body.contains(secret)) {
                said.push(format!("an event of {} holds join details", kept.uuid));
            }
        }
    }
    said
}

/// Links of the provider, and the passcodes that were handed out.
fn secrets(tape: &Tape) -> BTreeSet<String> {
    let links = tape
        .bookings
        .iter()
        .flat_map(|kept| kept.secrets.iter().cloned());
    let passcodes = tape.answers.iter().filter_map(|answer| {
        let details = &answer.body["data"][answer.operation]["joinDetails"];
        let passcode = details["passcode"].as_str()?;
        (passcode.len() >= PASSCODE_CHARS_MIN).then(|| passcode.to_owned())
    });
    links.chain(passcodes).collect()
}

/// Why this caller must not have been told by this answer.
fn wrong(tape: &Tape, answer: &Answer) -> Option<&'static str> {
    match (&answer.who, answer.operation) {
        (Who::Host, "hostJoinDetails") => {
            let kept = tape.bookings.iter().find(|kept| kept.id == answer.about)?;
            let permits = named(kept, "PermitIssued")
                .any(|event| text(event, "/data").contains("HOST_OF_THE_MEETING"));
            (!permits).then_some("no permit of the host is on record")
        }
        (Who::Guest(visit), "joinDetails") => {
            let asked = tape.answers.iter().any(|admission| {
                admission.operation == "admitVisit"
                    && &admission.about == visit
                    && answer.answered.is_none_or(|at| admission.asked < at)
            });
            if !asked {
                return Some("nobody had asked to let this guest in");
            }
            let own = super::super::tape::uuid(visit);
            let kept = tape
                .bookings
                .iter()
                .find(|kept| kept.visits.iter().any(|stay| &stay.visit == visit))?;
            let admitted =
                named(kept, "GuestAdmitted").any(|event| text(event, "/objectId") == own);
            let permit =
                named(kept, "PermitIssued").any(|event| text(event, "/data").contains(&own));
            let released = named(kept, "JoinDetailsReleased")
                .any(|event: &Value| text(event, "/data").contains(&own));
            match (admitted, permit, released) {
                (false, ..) => Some("no admission is on record"),
                (_, false, _) => Some("no permit is on record"),
                (.., false) => Some("the release is not on record"),
                _ => None,
            }
        }
        _ => Some("nobody gets them this way"),
    }
}
