//! Free and busy: `getSchedule` and `findMeetingTimes`.

mod schedule;
mod suggest;

use std::sync::Arc;

use axum::{Router, routing::post};
use chrono::{Datelike as _, NaiveDateTime, Timelike as _, Weekday};
use serde_json::Value;

use super::error::Failure;
use crate::{
    state::Shared,
    world::{Event, World},
};

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/users/{user}/calendar/getSchedule", post(schedule::get))
        .route("/users/{user}/getSchedule", post(schedule::get))
        .route("/users/{user}/findMeetingTimes", post(suggest::find))
}

/// Everyone works so, in UTC.
const WORK_DAYS: [Weekday; 5] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
];
const WORK_HOURS: (u32, u32) = (8, 17);

/// Whether a span lies in the working hours of one day.
fn at_work(from: NaiveDateTime, to: NaiveDateTime) -> bool {
    let minutes = |time: NaiveDateTime| time.hour() * 60 + time.minute();
    from.date() == to.date()
        && WORK_DAYS.contains(&from.weekday())
        && minutes(from) >= WORK_HOURS.0 * 60
        && minutes(to) <= WORK_HOURS.1 * 60
}

/// Digit of `availabilityView`, and how much more it weighs than others.
fn digit(status: &str) -> u8 {
    match status {
        "tentative" => 1,
        "busy" => 2,
        "oof" => 3,
        "workingElsewhere" => 4,
        _ => 0,
    }
}

fn status(event: &Event) -> &str {
    let shown = event.members.get("showAs").and_then(Value::as_str);
    shown.unwrap_or("busy")
}

/// What a person has in a window, in order of the start.
fn items(world: &World, user: &str, from_ms: i64, to_ms: i64) -> Vec<Event> {
    let found = world.calendar_view(user, from_ms, to_ms).into_iter();
    found.map(|one| one.event).collect()
}

/// The weightiest status in a span; free when there is nothing.
fn status_in(items: &[Event], from_ms: i64, to_ms: i64) -> &str {
    let touching = items
        .iter()
        .filter(|event| event.start_ms < to_ms && event.end_ms > from_ms);
    let weight = |status: &&str| match digit(status) {
        // Who works elsewhere is less taken than who is busy.
        4 => 1,
        3 => 4,
        other => other * 2,
    };
    touching.map(status).max_by_key(weight).unwrap_or("free")
}

/// A member in either spelling: the metadata begins it with a capital.
fn either<'a>(body: &'a crate::world::Members, name: &str) -> &'a Value {
    let mut members = body.iter();
    let found = members.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or(&Value::Null, |(_, value)| value)
}

fn parameter(sentence: &str) -> Failure {
    Failure::new(
        http::StatusCode::BAD_REQUEST,
        "ErrorInvalidParameter",
        sentence,
    )
}
