//! `getSchedule`: what people have in a window, and a digit for each slot of it.

use http::StatusCode;
use serde_json::{Value, json};

use super::{digit, either, items, parameter, status, status_in};
use crate::{
    graph::{
        ask::{Ask, Keys, Object},
        error::{Answer, Failure},
        odata,
        time::{self, Zone},
    },
    world::{Event, World},
};

/// Sixty-two days, in milliseconds: the longest window.
const WINDOW_MS_MAX: i64 = 62 * 86_400_000;
/// People asked for at once.
const SCHEDULES_MAX: usize = 100;
const MINUTE_MS: i64 = 60_000;

struct Window {
    from_ms: i64,
    to_ms: i64,
    slot_ms: i64,
    zone: Zone,
}

pub async fn get(ask: Ask, Keys(key): Keys<String>, Object(body): Object) -> Answer {
    ask.user(&key)?;
    let names = either(&body, "schedules").as_array();
    let names = names.filter(|names| !names.is_empty() && names.len() <= SCHEDULES_MAX);
    let names = names
        .ok_or_else(|| parameter(&format!("schedules names 1 to {SCHEDULES_MAX} addresses.")))?;
    let moment = |name: &str| {
        let value = either(&body, name);
        let given = time::read_date_time_time_zone(value, name)?;
        given.ok_or_else(|| parameter(&format!("{name} is required: {{dateTime, timeZone}}.")))
    };
    let ((from_ms, _), (to_ms, _)) = (moment("startTime")?, moment("endTime")?);
    if to_ms <= from_ms || to_ms - from_ms > WINDOW_MS_MAX {
        return Err(parameter(
            "endTime lies after startTime, by 62 days at the most.",
        ));
    }
    let minutes = match either(&body, "availabilityViewInterval") {
        Value::Null => 30,
        value => value
            .as_i64()
            .filter(|minutes| (5..=1_440).contains(minutes))
            .ok_or_else(|| parameter("availabilityViewInterval is 5 to 1440 minutes."))?,
    };
    let window = Window {
        from_ms,
        to_ms,
        slot_ms: minutes * MINUTE_MS,
        zone: ask.zone.clone().unwrap_or_else(Zone::utc),
    };
    let world = ask.shared.read();
    let shown: Result<Vec<Value>, Failure> = names
        .iter()
        .map(|name| {
            let name = name.as_str();
            let name = name.ok_or_else(|| parameter("schedules are addresses."))?;
            Ok(one(&ask, &world, name, &window))
        })
        .collect();
    let context = format!(
        "{}/$metadata#Collection(microsoft.graph.scheduleInformation)",
        ask.root()
    );
    let page = json!({"@odata.context": context, "value": shown?});
    Ok(odata::json(StatusCode::OK, &page))
}

/// A mailbox that is not there is an item with an error, not a failed request.
fn one(ask: &Ask, world: &World, name: &str, window: &Window) -> Value {
    let Some(user) = ask.shared.directory.user(name) else {
        return json!({"scheduleId": name, "error": {
            "message": "Unable to resolve the address to an object of the directory.",
            "responseCode": "ErrorMailRecipientNotFound",
        }});
    };
    let items = items(world, &user.id, window.from_ms, window.to_ms);
    let mut view = String::new();
    let mut at = window.from_ms;
    while at < window.to_ms {
        let end = (at + window.slot_ms).min(window.to_ms);
        view.push_str(&digit(status_in(&items, at, end)).to_string());
        at = end;
    }
    let shown: Vec<Value> = items
        .iter()
        .map(|event| item(event, &window.zone))
        .collect();
    json!({
        "scheduleId": name,
        "availabilityView": view,
        "scheduleItems": shown,
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": "UTC"},
        },
    })
}

fn item(event: &Event, zone: &Zone) -> Value {
    let private = event.members.get("sensitivity").and_then(Value::as_str);
    json!({
        "status": status(event),
        "subject": event.members.get("subject"),
        "location": event.members.get("location").and_then(|place| place.get("displayName")),
        "isMeeting": event.meeting.is_some(),
        "isPrivate": private == Some("private"),
        "isRecurring": event.id.contains('.'),
        "start": zone.show(event.start_ms),
        "end": zone.show(event.end_ms),
    })
}
