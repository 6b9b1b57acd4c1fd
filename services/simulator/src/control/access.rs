//! What the tenant's administrator grants: application permissions and the application access policy.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::body::{Body, refuse};
use crate::{permissions, state::Shared};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permissions {
    granted: Option<BTreeSet<String>>,
}

pub async fn granted(State(shared): State<Arc<Shared>>) -> Response {
    let granted = Some(shared.read().permissions().clone());
    Json(Permissions { granted }).into_response()
}

/// As in Entra, a token keeps what it was issued with: the change shows with the next one.
pub async fn grant(State(shared): State<Arc<Shared>>, Body(wanted): Body<Permissions>) -> Response {
    let mut names = wanted.granted.iter().flatten();
    if let Some(name) = names.find(|name| !permissions::known(name)) {
        let message = format!("granted has '{name}', which opens nothing here");
        return refuse(StatusCode::BAD_REQUEST, message);
    }
    shared.change(|world| world.grant(wanted.granted));
    granted(State(shared)).await
}

/// Whether each user is covered, by object id.
pub async fn policies(State(shared): State<Arc<Shared>>) -> Response {
    let world = shared.read();
    let users = shared.directory.users().iter();
    let all: BTreeMap<_, _> = users
        .map(|user| (user.id.clone(), world.covers(user)))
        .collect();
    Json(all).into_response()
}

/// By object id or principal name. It takes effect at once; in Teams it may take half an hour.
pub async fn cover(
    State(shared): State<Arc<Shared>>,
    Body(wanted): Body<BTreeMap<String, bool>>,
) -> Response {
    let mut users = Vec::new();
    for (key, covered) in wanted {
        match shared.directory.user(&key) {
            Some(user) => users.push((user, covered)),
            None => return refuse(StatusCode::NOT_FOUND, format!("no user is '{key}'")),
        }
    }
    shared.change(|world| {
        for (user, covered) in users {
            world.cover(user, covered);
        }
    });
    policies(State(shared.clone())).await
}
