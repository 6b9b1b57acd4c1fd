//! `/users`.

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    ask::{Ask, Keys},
    error::{Answer, Failure},
    odata,
};
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

async fn list(ask: Ask) -> Answer {
    ask.only(&["$top", "$skip", "$select", "$count"])?;
    odata::page(&ask, "users", ask.shared.directory.users().iter(), show)
}

async fn one(ask: Ask, Keys(key): Keys<String>) -> Answer {
    ask.only(&["$select"])?;
    let user = show(ask.user(&key)?);
    Ok(odata::entity(&ask, StatusCode::OK, "users", user))
}

/// It needs a signed-in user, and there is none.
async fn me() -> Answer {
    Err(Failure::bad(
        "/me request is only valid with delegated authentication flow.",
    ))
}
