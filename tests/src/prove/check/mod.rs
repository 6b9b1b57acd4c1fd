//! Independent checkers: each reads a tape and says what breaks its promise. They share no rule with the product.

mod consent;
mod door;
mod events;
mod meetings;
mod slots;
mod timers;
mod visits;

use serde_json::Value;

use super::{
    Promise,
    tape::{Kept, Tape},
};

/// What breaks a promise; empty when it holds.
pub fn check(promise: Promise, tape: &Tape) -> Vec<String> {
    let mut said = match promise {
        Promise::I1 => slots::check(tape),
        Promise::I2 => meetings::check(tape),
        Promise::I3 => door::check(tape),
        Promise::I4 => visits::check(tape),
        Promise::I5 => consent::check(tape),
        Promise::I6 => timers::check(tape),
        Promise::I7 => events::check(tape),
    };
    said.extend(broken_answers(tape));
    said
}

/// No history asks for what breaks the product or is wrong by itself, and each one does something.
fn broken_answers(tape: &Tape) -> Vec<String> {
    let mut said = Vec::new();
    for answer in &tape.answers {
        let error = &answer.body["errors"][0];
        let code = text(error, "/extensions/code");
        if ["INTERNAL", "INVALID_ARGUMENT", "FORBIDDEN"].contains(&code) {
            said.push(format!("{} was answered {error}", answer.operation));
        }
    }
    if tape.bookings.is_empty() {
        said.push("nothing was booked".to_owned());
    }
    said
}

/// The events of a booking with this name.
fn named<'a>(kept: &'a Kept, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    kept.trail.iter().filter(move |event| event["type"] == kind)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}
