//! Online meetings (`onlineMeeting` resource type, Graph v1.0).

mod options;
mod show;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::StatusCode;
use serde_json::json;

use super::{
    ask::{Ask, Keys, Object},
    error::{Answer, Failure},
    odata,
};
use crate::{
    state::Shared,
    world::{Meeting, Members, NewMeeting, User, World},
};
use options::Options;

/// An hour, in milliseconds: how long a meeting without an end lasts.
const HOUR_MS: i64 = 3_600_000;

pub fn routes() -> Router<Arc<Shared>> {
    let base = "/users/{user}/onlineMeetings";
    Router::new()
        .route(base, get(find).post(create))
        .route(&format!("{base}/createOrGet"), post(create_or_get))
        .route(
            &format!("{base}/{{meeting}}"),
            get(read).patch(update).delete(remove),
        )
}

/// A meeting of this organizer.
pub fn own<'a>(world: &'a World, user: &User, id: &str) -> Result<&'a Meeting, Failure> {
    let meeting = world.meeting(id).ok_or_else(Failure::not_found)?;
    if meeting.organizer == user.id {
        return Ok(meeting);
    }
    let message = "Organizer Id mismatch User Id.";
    Err(Failure::new(StatusCode::FORBIDDEN, "Forbidden", message))
}

async fn create(ask: Ask, Keys(key): Keys<String>, Object(body): Object) -> Answer {
    let user = ask.covered(&key)?;
    let mut options = Options::read(body, user)?;
    // Settable by createOrGet alone.
    options.external_id = None;
    let new = wanted(&options, ask.now_ms)?;
    ask.shared
        .change(|world| made(&ask, world, user, new, options))
}

async fn create_or_get(ask: Ask, Keys(key): Keys<String>, Object(body): Object) -> Answer {
    let user = ask.covered(&key)?;
    let options = Options::read(body, user)?;
    let external_id = options.external_id.clone().filter(|id| !id.is_empty());
    let external_id = external_id.ok_or_else(|| Failure::bad("externalId is required."))?;
    let new = wanted(&options, ask.now_ms)?;
    ask.shared
        .change(|world| match world.by_external(&user.id, &external_id) {
            Some(meeting) => Ok(answer(&ask, StatusCode::OK, meeting)),
            None => made(&ask, world, user, new, options),
        })
}

/// A stand-alone meeting; without times it begins now, without end it lasts an hour.
fn wanted(options: &Options, now_ms: i64) -> Result<NewMeeting, Failure> {
    let (start_ms, end_ms) = match (options.start_ms, options.end_ms) {
        (None, Some(_)) => return Err(Failure::bad("endDateTime needs a startDateTime.")),
        (start, end) => {
            let start = start.unwrap_or(now_ms);
            (start, end.unwrap_or(start.saturating_add(HOUR_MS)))
        }
    };
    ordered(start_ms, end_ms)?;
    Ok(NewMeeting {
        event: None,
        external_id: options.external_id.clone(),
        start_ms,
        end_ms,
        passcode_required: options.passcode_required.unwrap_or(false),
        members: Members::new(),
    })
}

fn ordered(start_ms: i64, end_ms: i64) -> Result<(), Failure> {
    if start_ms <= end_ms {
        return Ok(());
    }
    Err(Failure::bad("endDateTime lies before startDateTime."))
}

fn made(ask: &Ask, world: &mut World, user: &User, new: NewMeeting, options: Options) -> Answer {
    let directory = &ask.shared.directory;
    let meeting = world.make_meeting(directory, &user.id, new, ask.now_ms)?;
    options.apply(meeting);
    Ok(answer(ask, StatusCode::CREATED, meeting))
}

fn answer(ask: &Ask, status: StatusCode, meeting: &Meeting) -> Response {
    let set = format!("users('{}')/onlineMeetings", meeting.organizer);
    odata::entity(ask, status, &set, show::meeting(ask, meeting))
}

async fn find(ask: Ask, Keys(key): Keys<String>) -> Answer {
    let user = ask.covered(&key)?;
    ask.only(&["$filter", "$select"])?;
    let filter = ask.query.get("$filter");
    let filter = filter.ok_or_else(|| Failure::bad("Filter expression expected."))?;
    let world = ask.shared.read();
    let by_url = odata::equals(filter, "JoinWebUrl");
    let by_digits = odata::equals(filter, "joinMeetingIdSettings/joinMeetingId");
    let found = match (by_url, by_digits) {
        (Some(url), _) => world.by_join_url(&url),
        (None, Some(digits)) => world.by_join_id(&digits),
        (None, None) => {
            return Err(Failure::bad(
                "Online meetings can be filtered by JoinWebUrl eq '...' or joinMeetingIdSettings/joinMeetingId eq '...' only.",
            ));
        }
    };
    let found: Vec<_> = found
        .filter(|meeting| meeting.organizer == user.id)
        .map(|meeting| odata::select(&ask, show::meeting(&ask, meeting)))
        .into_iter()
        .collect();
    let context = format!(
        "{}/$metadata#users('{}')/onlineMeetings",
        ask.root(),
        user.id
    );
    let page = json!({"@odata.context": context, "value": found});
    Ok(odata::json(StatusCode::OK, &page))
}

async fn read(ask: Ask, Keys((key, id)): Keys<(String, String)>) -> Answer {
    ask.only(&["$select"])?;
    let user = ask.covered(&key)?;
    let world = ask.shared.read();
    Ok(answer(&ask, StatusCode::OK, own(&world, user, &id)?))
}

async fn update(ask: Ask, Keys((key, id)): Keys<(String, String)>, Object(body): Object) -> Answer {
    let user = ask.covered(&key)?;
    if body.contains_key("joinMeetingIdSettings") {
        return Err(Failure::bad(
            "joinMeetingIdSettings cannot be changed after the meeting was created.",
        ));
    }
    let options = Options::read(body, user)?;
    let times = match (options.start_ms, options.end_ms) {
        (None, None) => None,
        (Some(start), Some(end)) => Some((start, end)),
        _ => {
            return Err(Failure::bad(
                "startDateTime and endDateTime can only be changed together.",
            ));
        }
    };
    if let Some((start, end)) = times {
        ordered(start, end)?;
    }
    ask.shared.change(|world| {
        let external_id = own(world, user, &id)?.external_id.as_ref();
        let other = options.external_id.as_ref();
        if other.is_some() && other != external_id {
            return Err(Failure::bad("externalId cannot be changed."));
        }
        let meeting = world.meeting_mut(&id).ok_or_else(Failure::not_found)?;
        if let Some(times) = times {
            (meeting.start_ms, meeting.end_ms) = times;
        }
        options.apply(meeting);
        Ok(answer(&ask, StatusCode::OK, meeting))
    })
}

async fn remove(ask: Ask, Keys((key, id)): Keys<(String, String)>) -> Answer {
    let user = ask.covered(&key)?;
    ask.shared.change(|world| {
        own(world, user, &id)?;
        world.remove_meeting(&id, ask.now_ms);
        Ok(StatusCode::NO_CONTENT.into_response())
    })
}
