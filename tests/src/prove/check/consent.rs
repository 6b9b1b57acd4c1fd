//! I5: nobody without consent is inside while it records.

use std::collections::BTreeSet;

use serde_json::Value;

use super::text;
use crate::prove::tape::{Kept, Tape};

pub fn check(tape: &Tape) -> Vec<String> {
    let mut said = shown(tape);
    said.extend(inside(tape));
    for kept in &tape.bookings {
        said.extend(replayed(kept));
    }
    for (key, meeting) in &tape.meetings {
        let of_key =
            |kept: &&Kept| crate::prove::tape::external_key(&tape.tenant, &kept.uuid) == *key;
        let Some(kept) = tape.bookings.iter().find(of_key) else {
            continue;
        };
        let over = text(&kept.last, "/state") != "CONFIRMED";
        if over && meeting["recording"] == true {
            said.push(format!(
                "{} is over, and the provider still records it",
                kept.uuid
            ));
        }
    }
    said
}

/// No answer shows a running capture beside somebody inside who has not consented.
fn shown(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    for answer in &tape.answers {
        let many = answer
            .body
            .pointer("/data/bookings/nodes")
            .and_then(Value::as_array);
        let one = answer.body.pointer("/data/booking");
        for booking in many.into_iter().flatten().chain(one) {
            let runs = ["STARTING", "ON"].contains(&text(booking, "/meeting/capture"));
            let without = booking
                .pointer("/meeting/holdersWithoutConsent")
                .and_then(Value::as_u64);
            if runs && without.unwrap_or(0) > 0 {
                said.push(format!(
                    "an answer shows a capture with {without:?} inside without consent"
                ));
            }
        }
    }
    said
}

/// The provider's word: while it records, everybody inside has at least once asked to consent.
fn inside(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    for look in tape
        .answers
        .iter()
        .filter(|answer| answer.operation == "provider")
    {
        if look.body["recording"] != true {
            continue;
        }
        let attendees = look.body["attendees"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for attendee in attendees
            .iter()
            .filter(|one| one["presence"] == "inMeeting")
        {
            let joined = tape
                .answers
                .iter()
                .find(|answer| answer.operation == "joined" && answer.body["id"] == attendee["id"]);
            let Some(visit) = joined.map(|joined| &joined.about) else {
                continue;
            };
            let consented = tape.answers.iter().any(|answer| {
                answer.operation == "giveConsent"
                    && &answer.about == visit
                    && answer.asked < look.asked
            });
            if !consented {
                said.push(format!("the provider records {visit}, who never consented"));
            }
        }
    }
    said
}

/// The broker's log of one meeting, replayed: holders, consents, and whether it records.
fn replayed(kept: &Kept) -> Vec<String> {
    let mut said = Vec::new();
    let (mut holders, mut consents) = (BTreeSet::new(), BTreeSet::new());
    let (mut runs, mut must_stop) = (false, false);
    for event in kept
        .trail
        .iter()
        .filter(|event| event["objectKind"] == "meeting")
    {
        let data: Value = serde_json::from_str(text(event, "/data")).unwrap_or_default();
        let audience = data["audience"].to_string();
        match text(event, "/type") {
            "JoinDetailsReleased" => {
                if runs && !consents.contains(&audience) {
                    said.push(format!(
                        "{}: somebody without consent got in while it recorded",
                        kept.uuid
                    ));
                }
                holders.insert(audience);
            }
            "ConsentRecorded" if data["given"] == true => {
                consents.insert(audience);
            }
            "ConsentRecorded" => {
                consents.remove(&audience);
                must_stop |= runs && holders.contains(&audience);
            }
            "CaptureWanted" => {
                if !holders.is_subset(&consents) {
                    said.push(format!(
                        "{}: a capture began without everybody's consent",
                        kept.uuid
                    ));
                }
                runs = true;
            }
            "CaptureStopped" | "CaptureFailed" => (runs, must_stop) = (false, false),
            _ => {}
        }
    }
    if must_stop {
        said.push(format!(
            "{}: consent was taken back, and it was never stopped",
            kept.uuid
        ));
    }
    said
}
