//! `/users`.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query as Parse, State},
    routing::{any, get},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, request};
use crate::{state::Shared, world::User};

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/users", get(list))
        .route("/users/{user}", get(one))
        .route("/me", any(me))
        .route("/me/{*rest}", any(me))
}

fn show(user: &User) -> Value {
    json!({
        "id": user.id,
        "displayName": user.display_name,
        "userPrincipalName": user.principal_name,
        "mail": user.principal_name,
    })
}

async fn list(State(shared): State<Arc<Shared>>, Parse(query): Parse<request::Query>) -> Answer {
    let users = shared.directory.users().iter();
    let users = users.map(|user| request::select(&query, show(user)));
    let page = request::collection(&shared, "/v1.0/users", &query, users.collect())?;
    Ok(request::json(StatusCode::OK, &page))
}

async fn one(
    State(shared): State<Arc<Shared>>,
    Path(key): Path<String>,
    Parse(query): Parse<request::Query>,
) -> Answer {
    let user = show(request::user(&shared, &key)?);
    Ok(request::json(
        StatusCode::OK,
        &request::select(&query, user),
    ))
}

async fn me() -> Answer {
    Err(request::me())
}
