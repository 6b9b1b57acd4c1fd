//! Rules of faults over HTTP.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;

use super::body::{Body, refuse};
use crate::{
    faults::{RULES_MAX, Rule},
    state::Shared,
};

pub async fn list(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.faults.list()).into_response()
}

pub async fn add(State(shared): State<Arc<Shared>>, Body(rule): Body<Rule>) -> Response {
    if let Some(problem) = rule.problem() {
        return refuse(StatusCode::BAD_REQUEST, problem);
    }
    if !shared.faults.add(rule) {
        return refuse(
            StatusCode::CONFLICT,
            format!("there are {RULES_MAX} rules already; DELETE them first"),
        );
    }
    StatusCode::CREATED.into_response()
}

pub async fn clear(State(shared): State<Arc<Shared>>) -> Response {
    shared.faults.clear();
    StatusCode::NO_CONTENT.into_response()
}
