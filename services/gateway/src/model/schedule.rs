//! Opening hours.

use async_graphql::{Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use convene_proto::scheduler::v1 as wire;

use super::time;
use crate::ids::{Kind, encode};

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum Weekday {
    /// The first day of the week.
    Monday = 1,
    /// The second day of the week.
    Tuesday,
    /// The third day of the week.
    Wednesday,
    /// The fourth day of the week.
    Thursday,
    /// The fifth day of the week.
    Friday,
    /// The sixth day of the week.
    Saturday,
    /// The seventh day of the week.
    Sunday,
}

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// Opening hours, which several services and hosts may share.
pub struct Schedule(pub wire::Schedule);

/// Opening hours, which several services and hosts may share.
#[Object]
impl Schedule {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Schedule, &self.0.id)
    }

    /// For people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whose wall clock is meant; an IANA name.
    async fn zone(&self) -> &str {
        self.hours().map_or("", |hours| &hours.zone)
    }

    /// Open every week; null when it is always open but for what follows.
    async fn weekly(&self) -> Option<Vec<WeeklyWindow>> {
        let hours = self.hours().filter(|hours| !hours.always)?;
        let windows = hours.weekly.iter().filter_map(|one| {
            let day = usize::try_from(one.day).ok()?.checked_sub(1)?;
            let window = one.window.as_ref()?;
            Some(WeeklyWindow {
                day: *WEEK.get(day)?,
                from: window.from.clone(),
                to: window.to.clone(),
            })
        });
        Some(windows.collect())
    }

    /// Dates on which other windows hold.
    async fn overrides(&self) -> Vec<DateOverride> {
        let overrides = self.hours().map_or(&[][..], |hours| &hours.overrides);
        let shown = overrides.iter().map(|one| DateOverride {
            date: one.date.clone(),
            windows: one.windows.iter().cloned().map(Into::into).collect(),
        });
        shown.collect()
    }

    /// Closed, whatever else is said.
    async fn blackouts(&self) -> Vec<Blackout> {
        let blackouts = self.hours().map_or(&[][..], |hours| &hours.blackouts);
        let shown = blackouts.iter().map(|one| Blackout {
            start: time::from_wire(one.start),
            end: time::from_wire(one.end),
        });
        shown.collect()
    }

    /// When it was made.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.created_at)
    }
}

impl Schedule {
    fn hours(&self) -> Option<&wire::Hours> {
        self.0.hours.as_ref()
    }
}

/// Open on one day of every week. What a change of the clock skips is lost, what it repeats belongs to the window.
#[derive(SimpleObject)]
struct WeeklyWindow {
    /// Which day.
    day: Weekday,
    /// HH:MM on the wall clock.
    from: String,
    /// HH:MM on the wall clock, to 24:00.
    to: String,
}

/// A part of a day.
#[derive(SimpleObject)]
struct Window {
    /// HH:MM on the wall clock.
    from: String,
    /// HH:MM on the wall clock, to 24:00.
    to: String,
}

impl From<wire::Window> for Window {
    fn from(window: wire::Window) -> Self {
        Self {
            from: window.from,
            to: window.to,
        }
    }
}

/// Other windows on one date.
#[derive(SimpleObject)]
struct DateOverride {
    /// YYYY-MM-DD.
    date: String,
    /// None for closed.
    windows: Vec<Window>,
}

/// Closed for a span of time.
#[derive(SimpleObject)]
struct Blackout {
    /// From.
    start: Option<DateTime<Utc>>,
    /// To.
    end: Option<DateTime<Utc>>,
}

/// Opening hours.
#[derive(InputObject)]
pub struct HoursInput {
    /// Whose wall clock is meant: an IANA name, or a Windows one.
    #[graphql(default_with = "super::availability::utc()")]
    zone: String,
    /// Open every week; always open but for what follows when left out. At most 100 windows.
    weekly: Option<Vec<WeeklyWindowInput>>,
    /// Dates on which other windows hold; at most 1000.
    #[graphql(default)]
    overrides: Vec<DateOverrideInput>,
    /// Closed, whatever else is said; at most 1000.
    #[graphql(default)]
    blackouts: Vec<BlackoutInput>,
}

/// Open on one day of every week.
#[derive(InputObject)]
struct WeeklyWindowInput {
    /// Which day.
    day: Weekday,
    /// HH:MM on the wall clock.
    from: String,
    /// HH:MM on the wall clock, after `from`, to 24:00. Split what goes beyond midnight.
    to: String,
}

/// A part of a day.
#[derive(InputObject)]
struct WindowInput {
    /// HH:MM on the wall clock.
    from: String,
    /// HH:MM on the wall clock, after `from`, to 24:00.
    to: String,
}

/// Other windows on one date.
#[derive(InputObject)]
struct DateOverrideInput {
    /// YYYY-MM-DD; once in a schedule.
    date: String,
    /// None for closed; at most 24.
    windows: Vec<WindowInput>,
}

/// Closed for a span of time.
#[derive(InputObject)]
struct BlackoutInput {
    /// From.
    start: DateTime<Utc>,
    /// To.
    end: DateTime<Utc>,
}

impl HoursInput {
    /// For the scheduler.
    pub fn into_wire(self) -> wire::Hours {
        let weekly = self.weekly.iter().flatten();
        let window = |from: &str, to: &str| wire::Window {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        wire::Hours {
            weekly: weekly
                .map(|one| wire::WeeklyWindow {
                    day: one.day as u32,
                    window: Some(window(&one.from, &one.to)),
                })
                .collect(),
            always: self.weekly.is_none(),
            overrides: self
                .overrides
                .into_iter()
                .map(|one| wire::DateOverride {
                    windows: one
                        .windows
                        .iter()
                        .map(|one| window(&one.from, &one.to))
                        .collect(),
                    date: one.date,
                })
                .collect(),
            blackouts: self
                .blackouts
                .into_iter()
                .map(|one| wire::Blackout {
                    start: Some(time::to_wire(one.start)),
                    end: Some(time::to_wire(one.end)),
                })
                .collect(),
            zone: self.zone,
        }
    }
}
