//! The calendar of each user; there is one.

use std::sync::Arc;

use axum::{Router, routing::get};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    ask::{Ask, Keys},
    error::{Answer, Failure},
    odata,
};
use crate::{
    state::Shared,
    world::{User, derived_hex},
};

pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/users/{user}/calendar", get(only))
        .route("/users/{user}/calendars", get(list))
        .route("/users/{user}/calendars/{calendar}", get(one))
}

fn show(ask: &Ask, user: &User) -> Value {
    let hex = derived_hex(ask.shared.directory.seed, &format!("calendar/{}", user.id));
    json!({
        "id": format!("AAMk{hex}AAA="),
        "name": "Calendar",
        "color": "auto",
        "hexColor": "",
        "isDefaultCalendar": true,
        "canShare": true,
        "canViewPrivateItems": true,
        "canEdit": true,
        "isRemovable": false,
        "isTallyingResponses": true,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "owner": {"name": user.display_name, "address": user.principal_name},
    })
}

async fn only(ask: Ask, Keys(key): Keys<String>) -> Answer {
    let user = ask.user(&key)?;
    let set = format!("users('{}')/calendar", user.id);
    let shown = show(&ask, user);
    Ok(odata::entity(&ask, StatusCode::OK, &set, shown))
}

async fn list(ask: Ask, Keys(key): Keys<String>) -> Answer {
    let user = ask.user(&key)?;
    let path = format!("users('{}')/calendars", user.id);
    let shown = [show(&ask, user)];
    odata::page(&ask, &path, shown.iter(), Value::clone)
}

async fn one(ask: Ask, Keys((key, calendar)): Keys<(String, String)>) -> Answer {
    let user = ask.user(&key)?;
    let shown = show(&ask, user);
    if shown["id"] != calendar.as_str() {
        return Err(Failure::item_not_found());
    }
    let set = format!("users('{}')/calendars", user.id);
    Ok(odata::entity(&ask, StatusCode::OK, &set, shown))
}
