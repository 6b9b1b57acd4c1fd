//! `calendarView` and `instances`: everything between two moments, series expanded.

use super::{filter, show::Show};
use crate::{
    graph::{
        ask::{Ask, Keys},
        error::{Answer, Failure},
        odata, time,
    },
    world::Occurrence,
};
use http::StatusCode;

/// Five years, in milliseconds: the longest view.
const VIEW_MS_MAX: i64 = 1_825 * 86_400_000;
const OPTIONS: [&str; 6] = ["$top", "$skip", "$select", "$expand", "$count", "$orderby"];

pub async fn calendar_view(ask: Ask, Keys(key): Keys<String>) -> Answer {
    let user = &ask.user(&key)?.id;
    view(
        &ask,
        &format!("users('{user}')/calendarView"),
        |from, to| Ok(ask.shared.read().calendar_view(user, from, to)),
    )
}

pub async fn instances(ask: Ask, Keys((key, id)): Keys<(String, String)>) -> Answer {
    let user = &ask.user(&key)?.id;
    let path = format!("users('{user}')/events('{id}')/instances");
    view(&ask, &path, |from, to| {
        let world = ask.shared.read();
        let event = super::own(&world, user, &id)?;
        if event.recurrence.is_none() {
            let code = "ErrorOccurrenceCrossingBoundary";
            let message = "Only a seriesMaster has instances.";
            return Err(Failure::new(StatusCode::BAD_REQUEST, code, message));
        }
        Ok(event.occurrences(from, to))
    })
}

fn view(
    ask: &Ask,
    path: &str,
    find: impl FnOnce(i64, i64) -> Result<Vec<Occurrence>, Failure>,
) -> Answer {
    ask.only(&OPTIONS)?;
    let show = Show::new(ask)?;
    let (from, to) = window(ask)?;
    let mut found = find(from, to)?;
    if filter::latest_first(ask.query.get("$orderby"))? {
        found.reverse();
    }
    let world = ask.shared.read();
    let shown = |one: &Occurrence| show.occurrence(&ask.shared.directory, &world, one);
    let page = odata::page(ask, path, found.iter(), shown)?;
    Ok(super::preferred(ask, page))
}

/// Both are required; without an offset they are in UTC, whatever `Prefer` says.
fn window(ask: &Ask) -> Result<(i64, i64), Failure> {
    let refused =
        |message: &str| Failure::new(StatusCode::BAD_REQUEST, "ErrorInvalidParameter", message);
    let moment = |name: &str| {
        let mut options = ask.query.iter();
        let (_, text) = options.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        // A plus in a query is a blank to those who decode it.
        time::moment(&text.replace(' ', "+"))
    };
    match (moment("startDateTime"), moment("endDateTime")) {
        (Some(from), Some(to)) if to < from => {
            Err(refused("The endDateTime lies before the startDateTime."))
        }
        (Some(from), Some(to)) if to - from > VIEW_MS_MAX => {
            Err(refused("The time window is longer than 1825 days."))
        }
        (Some(from), Some(to)) => Ok((from, to)),
        _ => Err(refused(
            "This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.",
        )),
    }
}
