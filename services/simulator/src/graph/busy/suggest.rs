//! `findMeetingTimes`: when most people could come. Graph answers it to signed-in users only; here applications may ask too.

use http::StatusCode;
use serde_json::{Value, json};

use super::{at_work, either, items, parameter, status_in};
use crate::{
    graph::{
        ask::{Ask, Keys, Object},
        error::{Answer, Failure},
        members, odata,
        time::{self, Zone},
    },
    world::{Event, Members, World},
    zone,
};

/// Suggestions begin at full and half hours.
const STEP_MS: i64 = 30 * 60_000;
/// Starts that are tried.
const STEPS_MAX: i64 = 2_000;
const CANDIDATES_MAX: u64 = 100;
/// Slots and people of one question.
const ENTRIES_MAX: usize = 100;

struct Wish {
    slots: Vec<(i64, i64)>,
    length_ms: i64,
    attendees: Vec<String>,
    at_work: bool,
    percentage: f64,
    organizer_optional: bool,
    candidates: usize,
    reasons: bool,
    zone: Zone,
}

pub async fn find(ask: Ask, Keys(key): Keys<String>, Object(body): Object) -> Answer {
    let user = ask.user(&key)?;
    let wish = Wish::read(&ask, &body)?;
    let world = ask.shared.read();
    let mut found = wish.suggestions(&ask, &world, &user.id);
    // The surest first, then the earliest.
    found.sort_by(|(one, a), (other, b)| other.total_cmp(one).then(a.0.cmp(&b.0)));
    found.truncate(wish.candidates);
    let reason = match found.is_empty() {
        false => "",
        true if wish.attendees.is_empty() => "OrganizerUnavailable",
        true => "AttendeesUnavailable",
    };
    let shown: Vec<Value> = (1..)
        .zip(&found)
        .map(|(order, (confidence, slot))| {
            wish.show(&ask, &world, &user.id, order, *confidence, *slot)
        })
        .collect();
    let answer = json!({
        "@odata.context": format!("{}/$metadata#microsoft.graph.meetingTimeSuggestionsResult", ask.root()),
        "emptySuggestionsReason": reason,
        "meetingTimeSuggestions": shown,
    });
    Ok(odata::json(StatusCode::OK, &answer))
}

impl Wish {
    fn read(ask: &Ask, body: &Members) -> Result<Self, Failure> {
        let constraint = either(body, "timeConstraint");
        let slots = constraint["timeSlots"].as_array().cloned();
        let slots: Result<Vec<_>, Failure> = slots
            .unwrap_or_default()
            .iter()
            .map(|slot| {
                let moment = |name: &str| {
                    let given = time::read_date_time_time_zone(&slot[name], name)?;
                    given.ok_or_else(|| parameter("timeSlots have start and end."))
                };
                Ok((moment("start")?.0, moment("end")?.0))
            })
            .collect();
        let mut slots = slots?;
        if slots.is_empty() {
            // The next week.
            slots.push((ask.now_ms, ask.now_ms + 7 * 86_400_000));
        }
        let length_ms = match either(body, "meetingDuration") {
            Value::Null => STEP_MS,
            text => text
                .as_str()
                .and_then(time::duration)
                .filter(|ms| *ms > 0)
                .ok_or_else(|| parameter("meetingDuration is a duration such as PT1H."))?,
        };
        let attendees = either(body, "attendees").as_array().cloned();
        let attendees = attendees.unwrap_or_default();
        let attendees = attendees.iter().filter_map(|one| {
            let optional = one["type"] == "resource";
            let address = one.pointer("/emailAddress/address")?.as_str()?;
            (!optional).then(|| address.to_owned())
        });
        let attendees: Vec<String> = attendees.collect();
        if slots.len() > ENTRIES_MAX || attendees.len() > ENTRIES_MAX {
            let sentence = format!("timeSlots and attendees are at most {ENTRIES_MAX}.");
            return Err(parameter(&sentence));
        }
        let percentage = either(body, "minimumAttendeePercentage").as_f64();
        let candidates = either(body, "maxCandidates").as_u64().unwrap_or(20);
        let flag = |name: &str| either(body, name).as_bool().unwrap_or(false);
        Ok(Self {
            slots,
            length_ms,
            attendees,
            at_work: !matches!(
                members::text(constraint.as_object().unwrap_or(body), "activityDomain"),
                Some("personal" | "unrestricted")
            ),
            percentage: percentage.unwrap_or(50.0),
            organizer_optional: flag("isOrganizerOptional"),
            candidates: usize::try_from(candidates.min(CANDIDATES_MAX)).unwrap_or(0),
            reasons: flag("returnSuggestionReasons"),
            zone: ask.zone.clone().unwrap_or_else(Zone::utc),
        })
    }

    /// Confidence and span of all that would do.
    fn suggestions(&self, ask: &Ask, world: &World, organizer: &str) -> Vec<(f64, (i64, i64))> {
        let mut found = Vec::new();
        for (from, to) in &self.slots {
            let own = items(world, organizer, *from, *to);
            let others: Vec<_> = self.calendars(ask, world, *from, *to);
            let first = from.div_euclid(STEP_MS) + i64::from(from.rem_euclid(STEP_MS) > 0);
            for step in first..first.saturating_add(STEPS_MAX) {
                let slot = (step * STEP_MS, step * STEP_MS + self.length_ms);
                if slot.1 > *to {
                    break;
                }
                let local = |ms| zone::local(chrono_tz::UTC, ms);
                let working = matches!(
                    (local(slot.0), local(slot.1)),
                    (Some(from), Some(to)) if at_work(from, to)
                );
                let own = availability(Some(&own), slot);
                if (self.at_work && !working) || (own != "free" && !self.organizer_optional) {
                    continue;
                }
                let confidence = confidence(&others, slot);
                if confidence >= self.percentage {
                    found.push((confidence, slot));
                }
            }
        }
        found
    }

    /// Of those whose calendar is here; nothing is known of the others.
    fn calendars(&self, ask: &Ask, world: &World, from: i64, to: i64) -> Vec<Option<Vec<Event>>> {
        let known = |address: &String| ask.shared.directory.user(address);
        let of = |address| Some(items(world, &known(address)?.id, from, to));
        self.attendees.iter().map(of).collect()
    }

    fn show(
        &self,
        ask: &Ask,
        world: &World,
        organizer: &str,
        order: u32,
        confidence: f64,
        slot: (i64, i64),
    ) -> Value {
        let calendars = self.calendars(ask, world, slot.0, slot.1);
        let people = self.attendees.iter().zip(&calendars);
        let attendees: Vec<Value> = people
            .map(|(address, calendar)| {
                json!({
                    "availability": availability(calendar.as_ref(), slot),
                    "attendee": {"type": "required", "emailAddress": {"address": address}},
                })
            })
            .collect();
        let own = items(world, organizer, slot.0, slot.1);
        json!({
            "confidence": confidence,
            "order": order,
            "organizerAvailability": availability(Some(&own), slot),
            "attendeeAvailability": attendees,
            "locations": [],
            "suggestionReason": self.reasons.then_some("Suggested because it is one of the nearest times when most attendees are available."),
            "meetingTimeSlot": {"start": self.zone.show(slot.0), "end": self.zone.show(slot.1)},
        })
    }
}

fn availability(calendar: Option<&Vec<Event>>, slot: (i64, i64)) -> &str {
    calendar.map_or("unknown", |items| status_in(items, slot.0, slot.1))
}

/// The mean of 100 for the free, 49 for those of whom nothing is known, and 0.
fn confidence(calendars: &[Option<Vec<Event>>], slot: (i64, i64)) -> f64 {
    if calendars.is_empty() {
        return 100.0;
    }
    let chance = |calendar: &Option<Vec<Event>>| match availability(calendar.as_ref(), slot) {
        "free" | "workingElsewhere" => 100.0,
        "unknown" => 49.0,
        _ => 0.0,
    };
    let sum: f64 = calendars.iter().map(chance).sum();
    sum / calendars.len() as f64
}
