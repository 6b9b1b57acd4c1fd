//! Calendar events (`event` resource type, Graph v1.0).

mod filter;
mod occurrence;
mod recurrence;
mod show;
mod view;
mod wanted;

use std::sync::Arc;

use axum::{
    Router,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode};

use super::{
    ask::{Ask, Keys, Object},
    error::{Answer, Failure},
    odata,
};
use crate::{
    state::Shared,
    world::{Event, Exception, NewEvent, World},
};
use show::Show;
use wanted::Wanted;

pub fn routes() -> Router<Arc<Shared>> {
    let many = get(list).post(create);
    let one = get(read).patch(update).delete(remove);
    let mut router = Router::new();
    for base in ["/users/{user}", "/users/{user}/calendar"] {
        router = router
            .route(&format!("{base}/events"), many.clone())
            .route(&format!("{base}/events/{{event}}"), one.clone())
            .route(&format!("{base}/events/{{event}}/cancel"), post(cancel))
            .route(
                &format!("{base}/events/{{event}}/instances"),
                get(view::instances),
            )
            .route(&format!("{base}/calendarView"), get(view::calendar_view));
    }
    router
}

async fn create(ask: Ask, Keys(key): Keys<String>, Object(body): Object) -> Answer {
    let user = ask.user(&key)?.id.clone();
    let show = Show::new(&ask)?;
    let wanted = Wanted::read(body)?;
    let start = wanted.start.ok_or_else(|| missing("start"))?;
    let end = wanted.end.ok_or_else(|| missing("end"))?;
    ordered(start.0, end.0)?;
    let recurrence = wanted.recurrence.as_ref();
    let recurrence = recurrence.map(|value| wanted::series(value, &start));
    let recurrence = recurrence.transpose()?.flatten();
    let new = NewEvent {
        organizer: user.clone(),
        start_ms: start.0,
        end_ms: end.0,
        zones: (start.1, end.1),
        transaction_id: wanted.transaction_id,
        extended: wanted.extended,
        online: wanted.online == Some(true),
        recurrence,
        members: wanted.members,
    };
    ask.shared.change(|world| {
        let conflicts = world.repeat_conflicts;
        let key = new.transaction_id.as_ref();
        match key.and_then(|key| world.made_by(&user, key)) {
            Some(_) if conflicts => Err(Failure::new(
                StatusCode::CONFLICT,
                "ErrorDuplicateTransactionId",
                "An event with this transactionId exists.",
            )),
            Some(event) => Ok(answer(&ask, &show, world, StatusCode::CREATED, event)),
            None => {
                let made = world.make_event(&ask.shared.directory, new, ask.now_ms)?;
                let id = made.id.clone();
                let event = own(world, &user, &id)?;
                Ok(answer(&ask, &show, world, StatusCode::CREATED, event))
            }
        }
    })
}

async fn list(ask: Ask, Keys(key): Keys<String>) -> Answer {
    ask.only(&[
        "$filter", "$top", "$skip", "$select", "$expand", "$count", "$orderby",
    ])?;
    let user = &ask.user(&key)?.id;
    let show = Show::new(&ask)?;
    let newest_first = filter::newest_first(ask.query.get("$orderby"))?;
    let wanted = ask.query.get("$filter").map(|text| filter::property(text));
    let wanted = wanted.transpose()?;
    let path = format!("users('{user}')/events");
    let world = ask.shared.read();
    let mut found: Vec<&Event> = match wanted {
        Some(property) => world.with_property(user, property).collect(),
        None => world.calendar(user).collect(),
    };
    if newest_first {
        found.reverse();
    }
    let shown = |event| show.event(&ask.shared.directory, &world, event);
    let page = odata::page(&ask, &path, found.into_iter(), shown)?;
    Ok(preferred(&ask, page))
}

async fn read(ask: Ask, Keys((key, id)): Keys<(String, String)>) -> Answer {
    ask.only(&["$select", "$expand"])?;
    let user = &ask.user(&key)?.id;
    let show = Show::new(&ask)?;
    let world = ask.shared.read();
    if let Some(one) = world.occurrence(user, &id) {
        return Ok(occurrence::answer(&ask, &show, &world, &one));
    }
    let event = own(&world, user, &id)?;
    Ok(answer(&ask, &show, &world, StatusCode::OK, event))
}

async fn update(ask: Ask, Keys((key, id)): Keys<(String, String)>, Object(body): Object) -> Answer {
    let user = ask.user(&key)?.id.clone();
    let show = Show::new(&ask)?;
    let wanted = Wanted::read(body)?;
    ask.shared.change(|world| {
        if let Some(one) = world.occurrence(&user, &id) {
            return occurrence::change(&ask, &show, world, one, wanted);
        }
        let mut event = own(world, &user, &id)?.clone();
        unchanged(&ask, &event)?;
        if wanted.transaction_id.is_some() && wanted.transaction_id != event.transaction_id {
            return Err(Failure::invalid(
                "transactionId cannot be changed after the event was created.",
            ));
        }
        if wanted.online == Some(false) && event.meeting.is_some() {
            return Err(Failure::invalid(
                "isOnlineMeeting cannot be turned off once the event is an online meeting.",
            ));
        }
        let moved = wanted.start.is_some() || wanted.end.is_some();
        if let Some(start) = wanted.start {
            (event.start_ms, event.zones.0) = start;
        }
        if let Some(end) = wanted.end {
            (event.end_ms, event.zones.1) = end;
        }
        ordered(event.start_ms, event.end_ms)?;
        if let Some(value) = &wanted.recurrence {
            let start = (event.start_ms, event.zones.0.clone());
            event.recurrence = wanted::series(value, &start)?;
        }
        if moved || wanted.recurrence.is_some() {
            event.begin_series();
        }
        event
            .extended
            .retain(|(id, _)| wanted.extended.iter().all(|(new, _)| new != id));
        event.extended.extend(wanted.extended);
        event.members.extend(wanted.members);
        let online = wanted.online == Some(true);
        world.change_event(&ask.shared.directory, event, online, ask.now_ms)?;
        let event = own(world, &user, &id)?;
        Ok(answer(&ask, &show, world, StatusCode::OK, event))
    })
}

async fn remove(ask: Ask, Keys((key, id)): Keys<(String, String)>) -> Answer {
    gone(&ask, &key, &id, StatusCode::NO_CONTENT)
}

/// As the organizer, who is the only one who may; nobody is written to.
async fn cancel(ask: Ask, Keys((key, id)): Keys<(String, String)>, Object(body): Object) -> Answer {
    let comment = body.get("Comment").or_else(|| body.get("comment"));
    if comment.is_some_and(|comment| !comment.is_string() && !comment.is_null()) {
        return Err(Failure::bad("The parameter 'Comment' must be a string."));
    }
    gone(&ask, &key, &id, StatusCode::ACCEPTED)
}

fn gone(ask: &Ask, key: &str, id: &str, status: StatusCode) -> Answer {
    let user = &ask.user(key)?.id;
    ask.shared.change(|world| {
        if let Some(one) = world.occurrence(user, id) {
            unchanged(ask, &one.event)?;
            world.except(id, Exception::Removed, ask.now_ms);
            return Ok(status.into_response());
        }
        unchanged(ask, own(world, user, id)?)?;
        world.remove_event(id, ask.now_ms);
        Ok(status.into_response())
    })
}

fn own<'a>(world: &'a World, user: &str, id: &str) -> Result<&'a Event, Failure> {
    world.event(user, id).ok_or_else(Failure::item_not_found)
}

/// `If-Match` must name the event as it stands.
fn unchanged(ask: &Ask, event: &Event) -> Result<(), Failure> {
    match ask.if_match.as_deref() {
        None | Some("*") => Ok(()),
        Some(tag) if tag == show::etag(event) => Ok(()),
        Some(_) => Err(Failure::new(
            StatusCode::PRECONDITION_FAILED,
            "ErrorIrresolvableConflict",
            "The event was changed meanwhile; read it again.",
        )),
    }
}

fn missing(name: &str) -> Failure {
    Failure::invalid(format!("{name} is required: {{dateTime, timeZone}}."))
}

fn ordered(start_ms: i64, end_ms: i64) -> Result<(), Failure> {
    if start_ms <= end_ms {
        return Ok(());
    }
    Err(Failure::invalid(
        "The end of the event lies before its start.",
    ))
}

/// An event as it is told to this client.
fn answer(ask: &Ask, show: &Show, world: &World, status: StatusCode, event: &Event) -> Response {
    let set = format!("users('{}')/events", event.organizer);
    let shown = show.event(&ask.shared.directory, world, event);
    preferred(ask, odata::entity(ask, status, &set, shown))
}

/// Says which preference was followed.
fn preferred(ask: &Ask, mut response: Response) -> Response {
    let applied = ask.zone.as_ref().map(|zone| {
        let text = format!("outlook.timezone=\"{}\"", zone.name);
        HeaderValue::from_str(&text)
    });
    if let Some(Ok(applied)) = applied {
        response.headers_mut().insert("preference-applied", applied);
    }
    response
}
