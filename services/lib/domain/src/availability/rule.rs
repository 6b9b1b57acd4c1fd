//! What a slot has to satisfy.

use serde::{Deserialize, Serialize};

use super::Zone;
use crate::Refused;

/// What a service asks of its slots. All lengths in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Whose wall clock steps, days and weeks are read from.
    pub zone: Zone,
    /// How long an appointment may last; the first one unless another is asked for.
    pub durations_ms: Vec<i64>,
    /// Time before the start that the host is taken too.
    pub buffer_before_ms: i64,
    /// Time after the end.
    pub buffer_after_ms: i64,
    /// Slots start on multiples of this since midnight on the wall clock. `None`: at any moment, and [`LISTED_STEP_MS`] apart in lists.
    pub step_ms: Option<i64>,
    /// So long before its start a slot is booked at the latest.
    pub notice_ms: i64,
    /// So long before its start a slot is booked at the earliest. `None`: as early as one likes.
    pub horizon_ms: Option<i64>,
    /// Bookings of this service that one host takes with starts on one date.
    pub per_day: Option<u32>,
    /// The same from Monday to Sunday.
    pub per_week: Option<u32>,
}

/// How far apart slots are listed where any start can be booked.
pub const LISTED_STEP_MS: i64 = 15 * 60_000;

/// One thing that a slot has to satisfy, in the order in which they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// It is as long as the service says.
    Duration,
    /// It starts on a step.
    Step,
    /// It starts in the future, and not too soon.
    Notice,
    /// It does not start too late.
    Horizon,
    /// The service is open.
    ServiceHours,
    /// The host is open.
    HostHours,
    /// The host may take one more on this date.
    DayCap,
    /// The host may take one more in this week.
    WeekCap,
    /// The host has room, buffers included (I1).
    Capacity,
}

impl Rule {
    /// Those that do not depend on a host.
    pub const OF_SLOT: [Self; 5] = [
        Self::Duration,
        Self::Step,
        Self::Notice,
        Self::Horizon,
        Self::ServiceHours,
    ];
    /// Those that each host satisfies or not.
    pub const OF_HOST: [Self; 4] = [Self::HostHours, Self::DayCap, Self::WeekCap, Self::Capacity];

    /// As APIs show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duration => "DURATION",
            Self::Step => "STEP",
            Self::Notice => "NOTICE",
            Self::Horizon => "HORIZON",
            Self::ServiceHours => "SERVICE_HOURS",
            Self::HostHours => "HOST_HOURS",
            Self::DayCap => "DAY_CAP",
            Self::WeekCap => "WEEK_CAP",
            Self::Capacity => "CAPACITY",
        }
    }

    /// Why a slot that breaks it is not booked.
    pub const fn refusal(self) -> Refused {
        match self {
            Self::Duration => Refused::new(
                "DURATION_NOT_OFFERED",
                "the service is not offered for so long; its durationsMs says how long",
            ),
            Self::Step => Refused::new(
                "OFF_STEP",
                "appointments of this service start on multiples of its stepMs since midnight in its zone; availableSlots lists them",
            ),
            Self::Notice => Refused::new(
                "NOTICE_TOO_SHORT",
                "this service is booked longer before; its minimumNoticeMs says how long",
            ),
            Self::Horizon => Refused::new(
                "BEYOND_HORIZON",
                "this service cannot be booked so early; its horizonMs says how long before",
            ),
            Self::ServiceHours | Self::HostHours => Refused::new(
                "OUTSIDE_HOURS",
                "the service or the host is closed then; availableSlots lists when they are open",
            ),
            Self::DayCap => Refused::new(
                "DAY_FULL",
                "the host takes no more appointments of this service on that day; choose another day",
            ),
            Self::WeekCap => Refused::new(
                "WEEK_FULL",
                "the host takes no more appointments of this service in that week; choose another week",
            ),
            Self::Capacity => Refused::new(
                "SLOT_TAKEN",
                "somebody else has this time already; choose another start",
            ),
        }
    }
}
