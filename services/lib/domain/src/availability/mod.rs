//! Which slots can be booked, and why others cannot.
//!
//! [`Availability`] holds what is known of a service and its hosts at one moment and judges slots by [`Rule`]s. The list of slots, the explanation
//! of one slot and the check inside a booking all come from [`Availability::holds`], so they cannot disagree.

mod engine;
mod explain;
mod hours;
mod profile;
mod rule;
mod schedule;
mod settings;
mod spans;
mod zone;

pub use engine::{
    Availability, Found, HOSTS_MAX, HostTime, Match, Offered, SLOTS_MAX, Taken, Taker,
    WINDOW_MS_MAX,
};
pub use explain::{Explained, HostExplained, Source, Verdict};
pub use hours::Hours;
pub use profile::Profile;
pub use rule::{LISTED_STEP_MS, Rule, Rules};
pub use schedule::{
    BLACKOUTS_MAX, DATE_WINDOWS_MAX, DateOverride, OVERRIDES_MAX, Schedule, TimeOfDay, WEEKLY_MAX,
    WeeklyWindow, Window,
};
pub use settings::{DURATIONS_MAX, HostAvailability, SCHEDULES_MAX, ServiceAvailability};
pub use spans::Spans;
pub use zone::{Fold, Gap, Zone};
