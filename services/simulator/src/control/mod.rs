//! The simulator's own API under `/_simulator`: faults, clock, people, and what happened.

mod access;
mod body;
mod faults;
mod people;
mod summary;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use crate::{state::Shared, throttle::Enforcement};
use body::{Body, refuse};

const KNOWN_DIFFERENCES: &str = include_str!("../../data/known-differences.json");
/// Smallest share of the published limits.
const SCALE_MIN: f64 = 0.000_01;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/env", get(env))
        .route("/known-differences", get(known_differences))
        .route("/clock", get(clock).put(set_clock))
        .route(
            "/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route("/repeats", post(repeats))
        .route("/throttling", get(throttling).put(enforce))
        .route("/permissions", get(access::granted).put(access::grant))
        .route("/policies", get(access::policies).put(access::cover))
        .route("/requests", get(requests))
        .route("/reset", post(reset))
        .route("/meetings", get(summary::meetings))
        .route("/meetings/join", post(people::join))
        .route("/meetings/end", post(people::end))
        .route("/attendees", get(people::roster))
        .route("/attendees/{attendee}/admit", post(people::admit))
        .route("/attendees/{attendee}/deny", post(people::deny))
        .route("/attendees/{attendee}/leave", post(people::leave))
        .fallback(unknown)
}

async fn unknown() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "the control API has health, env, known-differences, clock, faults, repeats, throttling, permissions, policies, requests, reset, meetings and attendees",
    )
}

/// Where it is not as Microsoft's clouds are, in sentences.
async fn known_differences() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, KNOWN_DIFFERENCES).into_response()
}

#[derive(Deserialize)]
struct Scheme {
    scheme: Option<String>,
}

/// Over plain HTTP unless `?scheme=https`.
async fn env(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<Scheme>, QueryRejection>,
) -> Response {
    let scheme = query.ok().and_then(|Query(query)| query.scheme);
    match scheme.as_deref() {
        None | Some("http") => Json(shared.env(false)).into_response(),
        Some("https") => Json(shared.env(true)).into_response(),
        Some(_) => refuse(StatusCode::BAD_REQUEST, "scheme is http or https"),
    }
}

async fn clock(State(shared): State<Arc<Shared>>) -> Response {
    Json(json!({"offsetMs": shared.clock.offset_ms(), "nowMs": shared.clock.now_ms()}))
        .into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewOffset {
    offset_ms: i64,
}

/// Time goes forward, or back to wall time.
async fn set_clock(State(shared): State<Arc<Shared>>, Body(new): Body<NewOffset>) -> Response {
    if new.offset_ms != 0 && new.offset_ms < shared.clock.offset_ms() {
        return refuse(
            StatusCode::CONFLICT,
            "offsetMs would set the clock back; 0 sets it to wall time",
        );
    }
    shared.set_clock(new.offset_ms);
    clock(State(shared)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeats {
    conflict: bool,
}

/// How a repeated `transactionId` is answered; Microsoft's pages do not say, so both can be played.
async fn repeats(State(shared): State<Arc<Shared>>, Body(repeats): Body<Repeats>) -> Response {
    shared.change(|world| world.repeat_conflicts = repeats.conflict);
    StatusCode::NO_CONTENT.into_response()
}

async fn throttling(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.throttle.enforcement()).into_response()
}

/// Whether the published limits count, and at which scale.
async fn enforce(State(shared): State<Arc<Shared>>, Body(wanted): Body<Enforcement>) -> Response {
    if !(SCALE_MIN..=1.0).contains(&wanted.scale) {
        let message = format!("scale is {SCALE_MIN} to 1");
        return refuse(StatusCode::BAD_REQUEST, message);
    }
    shared.throttle.enforce(wanted);
    throttling(State(shared)).await
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn requests(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<Since>, QueryRejection>,
) -> Response {
    match query {
        Ok(Query(Since { since })) => Json(shared.log.since(since)).into_response(),
        Err(_) => refuse(StatusCode::BAD_REQUEST, "since is the number of a request"),
    }
}

/// Everything as it was at the first start: no events, no faults, wall time. Ids begin anew too.
async fn reset(State(shared): State<Arc<Shared>>) -> Response {
    shared.reset();
    StatusCode::NO_CONTENT.into_response()
}
