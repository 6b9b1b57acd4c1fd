//! Planted faults: what a broken product would have shown, put into a tape. Each must be caught by its checker.

use serde_json::{Value, json};

use super::{
    Promise,
    tape::{Answer, Tape, Who, millis},
};

/// A breakage; `plant` answers whether the tape had a place for it.
pub struct Plant {
    /// What is broken.
    pub name: &'static str,
    /// Which promise that breaks.
    pub promise: Promise,
    /// Breaks it.
    pub plant: fn(&mut Tape) -> bool,
}

/// All of them.
pub const PLANTS: &[Plant] = &[
    Plant {
        name: "one booking more than the capacity",
        promise: Promise::I1,
        plant: one_too_many,
    },
    Plant {
        name: "an acknowledged booking is gone",
        promise: Promise::I1,
        plant: gone,
    },
    Plant {
        name: "a random transaction id",
        promise: Promise::I2,
        plant: random_key,
    },
    Plant {
        name: "a second event under the same key",
        promise: Promise::I2,
        plant: second_event,
    },
    Plant {
        name: "a cancelled booking's event stays",
        promise: Promise::I2,
        plant: left_over,
    },
    Plant {
        name: "join details before the admission was asked for",
        promise: Promise::I3,
        plant: before_admission,
    },
    Plant {
        name: "join details in an answer to the booking app",
        promise: Promise::I3,
        plant: to_the_app,
    },
    Plant {
        name: "a release without a permit on record",
        promise: Promise::I3,
        plant: no_permit,
    },
    Plant {
        name: "a visit that waits for ever",
        promise: Promise::I4,
        plant: waits_on,
    },
    Plant {
        name: "the end state is not pushed",
        promise: Promise::I4,
        plant: not_pushed,
    },
    Plant {
        name: "a capture with somebody inside who has not consented",
        promise: Promise::I5,
        plant: captured,
    },
    Plant {
        name: "a withdrawal that stops nothing",
        promise: Promise::I5,
        plant: not_stopped,
    },
    Plant {
        name: "the provider records after the end",
        promise: Promise::I5,
        plant: records_on,
    },
    Plant {
        name: "a timer fires early",
        promise: Promise::I6,
        plant: early,
    },
    Plant {
        name: "a timer fires twice",
        promise: Promise::I6,
        plant: twice,
    },
    Plant {
        name: "a timer never fires",
        promise: Promise::I6,
        plant: never,
    },
    Plant {
        name: "an event is skipped",
        promise: Promise::I7,
        plant: skipped,
    },
    Plant {
        name: "an event comes twice",
        promise: Promise::I7,
        plant: repeated,
    },
    Plant {
        name: "two events change places",
        promise: Promise::I7,
        plant: swapped,
    },
    Plant {
        name: "an event was changed afterwards",
        promise: Promise::I7,
        plant: changed,
    },
];

fn one_too_many(tape: &mut Tape) -> bool {
    let Some(look) = tape
        .answers
        .iter_mut()
        .rfind(|answer| answer.operation == "bookings")
    else {
        return false;
    };
    let nodes = look
        .body
        .pointer_mut("/data/bookings/nodes")
        .and_then(Value::as_array_mut);
    let Some(nodes) = nodes else { return false };
    let Some(taken) = nodes
        .iter()
        .find(|one| one["state"] != "CANCELLED")
        .cloned()
    else {
        return false;
    };
    for _ in 0..tape.capacity {
        nodes.push(taken.clone());
    }
    true
}

fn gone(tape: &mut Tape) -> bool {
    let mut found = false;
    for look in tape
        .answers
        .iter_mut()
        .filter(|answer| answer.operation == "bookings")
    {
        let nodes = look
            .body
            .pointer_mut("/data/bookings/nodes")
            .and_then(Value::as_array_mut);
        found |= nodes.is_some_and(|nodes| nodes.pop().is_some());
    }
    found
}

fn random_key(tape: &mut Tape) -> bool {
    let event = tape.events.first_mut();
    event
        .map(|event| event["transactionId"] = json!(uuid::Uuid::nil()))
        .is_some()
}

fn second_event(tape: &mut Tape) -> bool {
    let again = tape.events.first().cloned();
    tape.events.extend(again.clone());
    again.is_some()
}

fn left_over(tape: &mut Tape) -> bool {
    let cancelled = tape
        .bookings
        .iter()
        .find(|kept| kept.last["state"] == "CANCELLED");
    let Some(kept) = cancelled else { return false };
    let key = super::tape::external_key(&tape.tenant, &kept.uuid);
    tape.events.push(json!({ "transactionId": key }));
    true
}

fn let_in(tape: &Tape) -> Option<usize> {
    tape.answers.iter().position(|answer| {
        matches!(answer.who, Who::Guest(_))
            && answer.body["data"]["joinDetails"]["joinDetails"]["joinUrl"].is_string()
    })
}

fn before_admission(tape: &mut Tape) -> bool {
    let Some(place) = let_in(tape) else {
        return false;
    };
    tape.answers[place].answered = Some(0);
    true
}

fn to_the_app(tape: &mut Tape) -> bool {
    let Some(place) = let_in(tape) else {
        return false;
    };
    let told = Answer {
        who: Who::App,
        operation: "booking",
        ..tape.answers[place].clone()
    };
    tape.answers.push(told);
    true
}

fn no_permit(tape: &mut Tape) -> bool {
    let found = let_in(tape).is_some();
    for kept in &mut tape.bookings {
        kept.trail.retain(|event| event["type"] != "PermitIssued");
    }
    found
}

fn stay(tape: &mut Tape) -> Option<&mut super::tape::Stay> {
    tape.bookings
        .iter_mut()
        .flat_map(|kept| &mut kept.visits)
        .next()
}

fn waits_on(tape: &mut Tape) -> bool {
    stay(tape)
        .map(|stay| stay.last["state"] = json!("WAITING"))
        .is_some()
}

fn not_pushed(tape: &mut Tape) -> bool {
    let pushed = stay(tape).and_then(|stay| stay.pushed.as_mut());
    let Some(pushed) = pushed else { return false };
    let waiting = |update: &Value| {
        ["WAITING", "EXPECTED"].contains(&update["visit"]["state"].as_str().unwrap_or(""))
    };
    pushed.retain(waiting);
    true
}

fn captured(tape: &mut Tape) -> bool {
    for answer in &mut tape.answers {
        if let Some(meeting) = answer.body.pointer_mut("/data/booking/meeting")
            && meeting["capture"] == "ON"
        {
            meeting["holdersWithoutConsent"] = json!(1);
            return true;
        }
    }
    false
}

/// A consent taken back while it runs, and no stop behind it.
fn not_stopped(tape: &mut Tape) -> bool {
    for kept in &mut tape.bookings {
        let began = kept
            .trail
            .iter()
            .position(|event| event["type"] == "CaptureStarted");
        let released = kept
            .trail
            .iter()
            .find(|event| event["type"] == "JoinDetailsReleased")
            .cloned();
        let (Some(began), Some(released)) = (began, released) else {
            continue;
        };
        let data: Value =
            serde_json::from_str(released["data"].as_str().unwrap_or("")).unwrap_or_default();
        let withdrawn = json!({"audience": data["audience"], "given": false}).to_string();
        let event = json!({"objectKind": "meeting", "type": "ConsentRecorded", "data": withdrawn});
        kept.trail.truncate(began + 1);
        kept.trail.push(event);
        return true;
    }
    false
}

fn records_on(tape: &mut Tape) -> bool {
    let meeting = tape.meetings.values_mut().next();
    meeting
        .map(|meeting| meeting["recording"] = json!(true))
        .is_some()
}

fn timed(tape: &mut Tape) -> Option<&mut super::tape::Kept> {
    tape.bookings.iter_mut().find(|kept| !kept.ended_by_people)
}

fn completed(trail: &mut [Value]) -> Option<&mut Value> {
    trail
        .iter_mut()
        .find(|event| event["type"] == "BookingCompleted")
}

fn early(tape: &mut Tape) -> bool {
    let Some(kept) = timed(tape) else {
        return false;
    };
    let Some(end) = millis(&kept.last["end"]) else {
        return false;
    };
    let a_millisecond_early = chrono::DateTime::from_timestamp_millis(end + 30 * 60_000 - 1);
    let early = a_millisecond_early.map(|at| at.to_rfc3339());
    completed(&mut kept.trail)
        .map(|event| event["occurredAt"] = json!(early))
        .is_some()
}

fn twice(tape: &mut Tape) -> bool {
    let Some(kept) = timed(tape) else {
        return false;
    };
    let again = completed(&mut kept.trail).cloned();
    kept.trail.extend(again.clone());
    again.is_some()
}

fn never(tape: &mut Tape) -> bool {
    let Some(kept) = timed(tape) else {
        return false;
    };
    kept.trail
        .retain(|event| event["type"] != "BookingCompleted");
    true
}

fn pushed(tape: &mut Tape) -> Option<&mut Vec<Value>> {
    tape.bookings
        .iter_mut()
        .find_map(|kept| kept.pushed.as_mut().filter(|pushed| pushed.len() > 3))
}

fn skipped(tape: &mut Tape) -> bool {
    pushed(tape).map(Vec::pop).is_some()
}

fn repeated(tape: &mut Tape) -> bool {
    let Some(pushed) = pushed(tape) else {
        return false;
    };
    pushed.extend(pushed.last().cloned());
    true
}

fn swapped(tape: &mut Tape) -> bool {
    let Some(pushed) = pushed(tape) else {
        return false;
    };
    let first = pushed[0]["objectId"].clone();
    let next = (1..pushed.len()).find(|place| pushed[*place]["objectId"] == first);
    next.map(|next| pushed.swap(0, next)).is_some()
}

fn changed(tape: &mut Tape) -> bool {
    let event = tape
        .bookings
        .iter_mut()
        .find_map(|kept| kept.trail.first_mut());
    event
        .map(|event| event["actor"] = json!("key:somebody-else"))
        .is_some()
}
