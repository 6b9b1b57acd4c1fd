//! One time of a series, read and changed by its own id.

use axum::response::Response;
use http::StatusCode;

use super::{ordered, preferred, show::Show, unchanged, wanted::Wanted};
use crate::{
    graph::{
        ask::Ask,
        error::{Answer, Failure},
        odata,
    },
    world::{Exception, Occurrence, World},
};

pub fn answer(ask: &Ask, show: &Show, world: &World, one: &Occurrence) -> Response {
    let set = format!("users('{}')/events", one.event.organizer);
    let shown = show.occurrence(&ask.shared.directory, world, one);
    preferred(ask, odata::entity(ask, StatusCode::OK, &set, shown))
}

/// It becomes an exception; the series stays as it is.
pub fn change(
    ask: &Ask,
    show: &Show,
    world: &mut World,
    one: Occurrence,
    wanted: Wanted,
) -> Answer {
    unchanged(ask, &one.event)?;
    if wanted.recurrence.is_some_and(|value| !value.is_null()) {
        return Err(Failure::invalid(
            "recurrence can be set on the series only, not on one time of it.",
        ));
    }
    let start_ms = wanted.start.map_or(one.event.start_ms, |start| start.0);
    let end_ms = wanted.end.map_or(one.event.end_ms, |end| end.0);
    ordered(start_ms, end_ms)?;
    let series = world.series_of(&one).ok_or_else(Failure::item_not_found)?;
    let (mut members, change) = match series.exceptions.get(&one.day) {
        Some(Exception::Changed {
            members, change, ..
        }) => (members.clone(), change + 1),
        _ => Default::default(),
    };
    members.extend(wanted.members);
    let exception = Exception::Changed {
        start_ms,
        end_ms,
        members,
        change: change.max(1),
    };
    let changed = world.except(&one.event.id, exception, ask.now_ms);
    let changed = changed.ok_or_else(Failure::item_not_found)?;
    Ok(answer(ask, show, world, &changed))
}
