//! People open join links, wait in the provider's lobby, are let in or not, and leave; the organizer ends the meeting.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde::Deserialize;

use super::body::{Body, refuse};
use crate::{
    state::Shared,
    world::{ATTENDEES_MAX, Attendee, Kind, Meeting, World},
};

/// A name, in characters.
const NAME_MAX: usize = 256;

/// A meeting by its link or by its id.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Which {
    join_web_url: Option<String>,
    meeting_id: Option<String>,
}

impl Which {
    fn of<'a>(&self, world: &'a World) -> Result<&'a Meeting, Box<Response>> {
        let found = match (&self.join_web_url, &self.meeting_id) {
            (Some(url), None) => world.by_join_url(url),
            (None, Some(id)) => world.meeting(id),
            _ => {
                let message = "give either joinWebUrl or meetingId";
                return Err(Box::new(refuse(StatusCode::BAD_REQUEST, message)));
            }
        };
        found.ok_or_else(|| {
            Box::new(refuse(
                StatusCode::NOT_FOUND,
                "no meeting has this link or id",
            ))
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Join {
    join_web_url: Option<String>,
    meeting_id: Option<String>,
    kind: Kind,
    /// Shown in the roster.
    name: Option<String>,
}

/// A person opens the join link: in at once, or into the provider's lobby by the meeting's bypass scope.
pub async fn join(State(shared): State<Arc<Shared>>, Body(join): Body<Join>) -> Response {
    let long = |name: &String| name.chars().count() > NAME_MAX;
    if join.name.as_ref().is_some_and(long) {
        let message = format!("name has at most {NAME_MAX} characters");
        return refuse(StatusCode::BAD_REQUEST, message);
    }
    let which = Which {
        join_web_url: join.join_web_url,
        meeting_id: join.meeting_id,
    };
    let now_ms = shared.clock.now_ms();
    shared.change(|world| {
        let meeting = match which.of(world) {
            Ok(meeting) => meeting.id.clone(),
            Err(refusal) => return *refusal,
        };
        match world.come(&shared.directory, &meeting, join.kind, join.name, now_ms) {
            Some(attendee) => (StatusCode::CREATED, Json(attendee)).into_response(),
            None => refuse(
                StatusCode::CONFLICT,
                format!("{ATTENDEES_MAX} people have come to this meeting, it takes no more"),
            ),
        }
    })
}

/// Who came to a meeting.
pub async fn roster(
    State(shared): State<Arc<Shared>>,
    which: Result<Query<Which>, QueryRejection>,
) -> Response {
    let Ok(Query(which)) = which else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "give either joinWebUrl or meetingId",
        );
    };
    match which.of(&shared.read()) {
        Ok(meeting) => Json(&meeting.attendees).into_response(),
        Err(refusal) => *refusal,
    }
}

/// The organizer lets a person in.
pub async fn admit(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    person(&shared, &id, |attendee, _| attendee.admit())
}

/// The organizer sends a person away.
pub async fn deny(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    person(&shared, &id, Attendee::leave)
}

/// A person leaves the meeting or its lobby.
pub async fn leave(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    person(&shared, &id, Attendee::leave)
}

fn person(shared: &Shared, id: &str, act: impl FnOnce(&mut Attendee, i64)) -> Response {
    let now_ms = shared.clock.now_ms();
    let done = shared.change(|world| {
        world.person(&shared.directory, id, now_ms, |attendee| {
            act(attendee, now_ms);
        })
    });
    match done {
        Some(attendee) => Json(attendee).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "nobody has this id"),
    }
}

/// The organizer ends the meeting for all.
pub async fn end(State(shared): State<Arc<Shared>>, Body(which): Body<Which>) -> Response {
    let now_ms = shared.clock.now_ms();
    shared.change(|world| match which.of(world) {
        Ok(meeting) => {
            let id = meeting.id.clone();
            world.end_meeting(&id, now_ms);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => *refusal,
    })
}
