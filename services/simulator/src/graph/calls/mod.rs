//! Calls of the application into meetings (cloud communications API, application permissions only).

mod join;
mod operations;
mod participants;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{
    ask::{Ask, Keys},
    error::{Answer, Failure},
    odata,
};
use crate::{
    state::Shared,
    world::{Call, World},
};

const BASE: &str = "/communications/calls";

/// In v1.0 and in beta.
pub fn routes() -> Router<Arc<Shared>> {
    let call = format!("{BASE}/{{call}}");
    let roster = format!("{call}/participants");
    Router::new()
        .route(BASE, post(join::join))
        .route(&call, get(read).delete(hang_up))
        .route(&format!("{call}/keepAlive"), post(keep_alive))
        .route(&roster, get(participants::list))
        .route(
            &format!("{roster}/{{participant}}"),
            get(participants::read).delete(participants::remove),
        )
        .route(&format!("{call}/operations"), get(operations::list))
        .route(
            &format!("{call}/operations/{{operation}}"),
            get(operations::read),
        )
}

/// In beta only: recording (its page is of 2024) and the lobby (by Graph's permission rows of 2026).
pub fn beta_routes() -> Router<Arc<Shared>> {
    let call = format!("{BASE}/{{call}}");
    let roster = format!("{call}/participants");
    Router::new()
        .route(
            &format!("{call}/startRecording"),
            post(operations::start_recording),
        )
        .route(
            &format!("{call}/stopRecording"),
            post(operations::stop_recording),
        )
        .route(
            &format!("{roster}/admitAllFromLobby"),
            post(operations::admit_all),
        )
        .route(
            &format!("{roster}/{{participant}}/admitFromLobby"),
            post(operations::admit),
        )
        .route(
            &format!("{roster}/{{participant}}/removeFromLobby"),
            post(operations::remove),
        )
}

fn live<'a>(world: &'a World, id: &str) -> Result<&'a Call, Failure> {
    world.call(id).ok_or_else(Failure::not_found)
}

fn show(ask: &Ask, call: &Call) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.call",
        "id": call.id,
        "state": call.state(ask.now_ms),
        "direction": "outgoing",
        "callbackUri": call.callback_uri,
        "callChainId": call.chain_id,
        "myParticipantId": call.participant_id,
        "tenantId": ask.shared.directory.tenant,
    })
}

async fn read(ask: Ask, Keys(id): Keys<String>) -> Answer {
    let world = ask.shared.read();
    let shown = show(&ask, live(&world, &id)?);
    Ok(odata::entity(
        &ask,
        StatusCode::OK,
        "communications/calls",
        shown,
    ))
}

/// The application leaves; the meeting goes on without it.
async fn hang_up(ask: Ask, Keys(id): Keys<String>) -> Answer {
    match ask.shared.change(|world| world.end_call(&id, ask.now_ms)) {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(Failure::not_found()),
    }
}

async fn keep_alive(ask: Ask, Keys(id): Keys<String>) -> Answer {
    live(&ask.shared.read(), &id)?;
    // An empty 200 must not claim to be JSON: official clients would try to parse it.
    Ok(StatusCode::OK.into_response())
}

/// An answer that says where its object is.
fn located(mut response: Response, place: &str) -> Response {
    if let Ok(place) = HeaderValue::from_str(place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}
