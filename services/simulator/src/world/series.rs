//! Occurrences of recurring events. They are not kept: they follow from the series, but for those that were changed or removed.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Event, Members, World};
use crate::zone;

/// What is different about one occurrence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Exception {
    /// It does not happen.
    Removed,
    /// It is at another time, or of other words.
    #[serde(rename_all = "camelCase")]
    Changed {
        /// Start in milliseconds.
        start_ms: i64,
        /// End in milliseconds.
        end_ms: i64,
        /// Members that differ from those of the series.
        members: Members,
        /// Rises with every change.
        change: u64,
    },
}

/// One time of a series, as an event: `type` is told by whether it differs.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// The event as it is this time.
    pub event: Event,
    /// Its day.
    pub day: NaiveDate,
    /// Whether it differs from the series.
    pub exception: bool,
}

/// The id of an occurrence: that of its series and its day.
pub fn occurrence_id(series: &str, day: NaiveDate) -> String {
    format!("{}.{}=", series.trim_end_matches('='), day.format("%Y%m%d"))
}

/// Series and day of an occurrence's id.
pub fn parse_id(id: &str) -> Option<(String, NaiveDate)> {
    let (series, day) = id.strip_suffix('=')?.split_once('.')?;
    let day = NaiveDate::parse_from_str(day, "%Y%m%d").ok()?;
    Some((format!("{series}="), day))
}

impl Event {
    /// The zone that a series keeps its wall-clock time in.
    fn zone(&self) -> Tz {
        let wanted = self.recurrence.as_ref().and_then(|r| r.zone.as_deref());
        let wanted = wanted.filter(|name| !name.is_empty());
        zone::named(wanted.unwrap_or(&self.zones.0)).unwrap_or(Tz::UTC)
    }

    /// The day of a series' first time, in the zone of its days.
    fn first_day(&self) -> Option<NaiveDate> {
        Some(zone::local(self.zone(), self.start_ms)?.date())
    }

    /// After the series was set or moved: it begins on the day of its event, and nothing differs any more.
    pub fn begin_series(&mut self) {
        let first = self.first_day();
        if let (Some(recurrence), Some(first)) = (&mut self.recurrence, first) {
            recurrence.start = first;
        }
        self.exceptions.clear();
    }

    /// The series on a day, were it to happen then: start and end keep their wall-clock times.
    fn on(&self, day: NaiveDate) -> Option<(i64, i64)> {
        let zone = self.zone();
        let (start, end) = (
            zone::local(zone, self.start_ms)?,
            zone::local(zone, self.end_ms)?,
        );
        let at = day.and_time(start.time());
        let until = at.checked_add_signed(end - start)?;
        Some((zone::millis(zone, at)?, zone::millis(zone, until)?))
    }

    fn occurrence(&self, day: NaiveDate) -> Option<Occurrence> {
        let mut event = self.clone();
        (event.start_ms, event.end_ms) = self.on(day)?;
        event.id = occurrence_id(&self.id, day);
        event.recurrence = None;
        event.transaction_id = None;
        let exception = match self.exceptions.get(&day) {
            Some(Exception::Removed) => return None,
            Some(Exception::Changed {
                start_ms,
                end_ms,
                members,
                change,
            }) => {
                (event.start_ms, event.end_ms) = (*start_ms, *end_ms);
                event.members.extend(members.clone());
                event.change += change;
                true
            }
            None => false,
        };
        Some(Occurrence {
            event,
            day,
            exception,
        })
    }

    /// Times of a series that touch a window, in order of their days.
    pub fn occurrences(&self, from_ms: i64, to_ms: i64) -> Vec<Occurrence> {
        let Some(recurrence) = &self.recurrence else {
            return Vec::new();
        };
        // A changed occurrence may have moved from a later day.
        let moved = self.exceptions.keys().next_back().copied();
        let last = zone::local(self.zone(), to_ms).map(|last| last.date());
        let last = last.and_then(|last| last.checked_add_days(Days::new(1)));
        let Some(last) = last.max(moved) else {
            return Vec::new();
        };
        let days = recurrence.days(last).into_iter();
        let found = days.filter_map(|day| self.occurrence(day));
        let touches = |one: &Occurrence| touches(&one.event, from_ms, to_ms);
        found.filter(touches).collect()
    }
}

/// Whether an event is in a window; one without length is in it at its start.
pub fn touches(event: &Event, from_ms: i64, to_ms: i64) -> bool {
    event.start_ms < to_ms && (event.end_ms > from_ms || event.start_ms >= from_ms)
}

impl World {
    /// One time of a series.
    pub fn occurrence(&self, organizer: &str, id: &str) -> Option<Occurrence> {
        let (series, day) = parse_id(id)?;
        let event = self.event(organizer, &series)?;
        let recurrence = event.recurrence.as_ref()?;
        let happens = recurrence.days(day).last() == Some(&day);
        happens.then(|| event.occurrence(day)).flatten()
    }

    /// The master of one time.
    pub fn series_of(&self, one: &Occurrence) -> Option<&Event> {
        let (series, _) = parse_id(&one.event.id)?;
        self.event(&one.event.organizer, &series)
    }

    /// Puts a difference onto one time of a series; answers it as it is then.
    pub fn except(&mut self, id: &str, exception: Exception, now_ms: i64) -> Option<Occurrence> {
        let (series, day) = parse_id(id)?;
        let event = self.events.get_mut(&series)?;
        event.exceptions.insert(day, exception);
        event.modified_ms = now_ms;
        event.occurrence(day)
    }

    /// Everything in a calendar that touches a window, series expanded, in order of the start.
    pub fn calendar_view(&self, organizer: &str, from_ms: i64, to_ms: i64) -> Vec<Occurrence> {
        let mut found = Vec::new();
        for event in self.calendar(organizer) {
            if event.recurrence.is_some() {
                found.extend(event.occurrences(from_ms, to_ms));
            } else if touches(event, from_ms, to_ms) {
                found.push(Occurrence {
                    event: event.clone(),
                    day: NaiveDate::default(),
                    exception: false,
                });
            }
        }
        found.sort_by_key(|one| (one.event.start_ms, one.event.number));
        found
    }
}
