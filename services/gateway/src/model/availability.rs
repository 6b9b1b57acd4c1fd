//! Hours, what limits slots, slots, and why.

use async_graphql::{Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use convene_domain::{Timestamp, availability::Zone};
use convene_kit::{Error, Result, convert};
use convene_proto::scheduler::v1 as wire;

use super::time;
use crate::ids::{self, Kind, encode};

/// What limits the slots of a service. Lengths in milliseconds.
#[derive(SimpleObject)]
pub struct ServiceAvailability {
    /// Whose wall clock steps, days and weeks are read from; an IANA name.
    zone: String,
    /// Lengths that can be asked for besides the service's own.
    other_durations_ms: Vec<i64>,
    /// Slots start on multiples of this since midnight; null for any moment.
    step_ms: Option<i64>,
    /// So long before its start a slot is booked at the latest.
    minimum_notice_ms: i64,
    /// So long before its start a slot is booked at the earliest; null for as early as one likes.
    horizon_ms: Option<i64>,
    /// Bookings of this service that one host takes on a date; null for no cap.
    max_per_day: Option<u32>,
    /// Bookings of this service that one host takes from Monday to Sunday; null for no cap.
    max_per_week: Option<u32>,
    /// Open when all of these schedules are; always without any.
    schedule_ids: Vec<ID>,
}

impl From<wire::ServiceAvailability> for ServiceAvailability {
    fn from(limits: wire::ServiceAvailability) -> Self {
        Self {
            zone: limits.zone,
            other_durations_ms: limits.other_durations_ms,
            step_ms: Some(limits.step_ms).filter(|ms| *ms != 0),
            minimum_notice_ms: limits.minimum_notice_ms,
            horizon_ms: Some(limits.horizon_ms).filter(|ms| *ms != 0),
            max_per_day: Some(limits.max_per_day).filter(|cap| *cap != 0),
            max_per_week: Some(limits.max_per_week).filter(|cap| *cap != 0),
            schedule_ids: of(Kind::Schedule, &limits.schedule_ids),
        }
    }
}

/// What limits the slots of a service; what is left out limits nothing. Lengths in milliseconds.
#[derive(InputObject)]
pub struct ServiceAvailabilityInput {
    /// Whose wall clock steps, days and weeks are read from: an IANA name, or a Windows one.
    #[graphql(default_with = "utc()")]
    zone: String,
    /// Lengths that can be asked for besides the service's own; at most 16.
    #[graphql(default)]
    other_durations_ms: Vec<i64>,
    /// Slots start on multiples of this since midnight: whole minutes, to a day.
    step_ms: Option<i64>,
    /// So long before its start a slot is booked at the latest; at most two years.
    #[graphql(default)]
    minimum_notice_ms: i64,
    /// So long before its start a slot is booked at the earliest; at most two years.
    horizon_ms: Option<i64>,
    /// Bookings of this service that one host takes on a date.
    max_per_day: Option<u32>,
    /// Bookings of this service that one host takes from Monday to Sunday.
    max_per_week: Option<u32>,
    /// Open when all of these schedules are; at most 8.
    #[graphql(default)]
    schedule_ids: Vec<ID>,
}

impl ServiceAvailabilityInput {
    /// For the scheduler.
    pub fn into_wire(self) -> Result<wire::ServiceAvailability> {
        Ok(wire::ServiceAvailability {
            zone: self.zone,
            other_durations_ms: self.other_durations_ms,
            step_ms: given("stepMs", self.step_ms)?,
            minimum_notice_ms: self.minimum_notice_ms,
            horizon_ms: given("horizonMs", self.horizon_ms)?,
            max_per_day: given("maxPerDay", self.max_per_day)?,
            max_per_week: given("maxPerWeek", self.max_per_week)?,
            schedule_ids: texts(Kind::Schedule, "scheduleIds", &self.schedule_ids)?,
        })
    }
}

/// What limits the time of a host besides its capacity.
#[derive(SimpleObject)]
pub struct HostAvailability {
    /// Open when all of these schedules are; always without any.
    schedule_ids: Vec<ID>,
}

impl From<wire::HostAvailability> for HostAvailability {
    fn from(limits: wire::HostAvailability) -> Self {
        Self {
            schedule_ids: of(Kind::Schedule, &limits.schedule_ids),
        }
    }
}

/// What limits the time of a host besides its capacity.
#[derive(InputObject)]
pub struct HostAvailabilityInput {
    /// Open when all of these schedules are; at most 8.
    #[graphql(default)]
    schedule_ids: Vec<ID>,
}

impl HostAvailabilityInput {
    /// For the scheduler.
    pub fn into_wire(self) -> Result<wire::HostAvailability> {
        Ok(wire::HostAvailability {
            schedule_ids: texts(Kind::Schedule, "scheduleIds", &self.schedule_ids)?,
        })
    }
}

/// A slot that can be booked.
pub struct Slot {
    zone: Zone,
    slot: wire::Slot,
}

/// A slot that can be booked.
#[Object]
impl Slot {
    /// From.
    async fn start(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.slot.start)
    }

    /// To.
    async fn end(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.slot.end)
    }

    /// The start on the wall clock of the asked zone, with its offset (RFC 3339).
    async fn local_start(&self) -> String {
        let at = self.slot.start.map(convert::from_wire);
        self.zone.show(at.unwrap_or(Timestamp::from_millis(0)))
    }

    /// Who could take it, in the order in which hosts were named.
    async fn host_ids(&self) -> Vec<ID> {
        of(Kind::Host, &self.slot.host_ids)
    }
}

/// Slots that can be booked, the earliest first.
#[derive(SimpleObject)]
pub struct AvailableSlots {
    /// Whose wall clock `localStart` shows; an IANA name.
    zone: &'static str,
    /// The slots.
    slots: Vec<Slot>,
    /// Whether there are more in the span: ask again from the end of the last one's start.
    has_more: bool,
}

impl AvailableSlots {
    /// As somebody in this zone reads them.
    pub fn new(zone: Zone, found: wire::ListSlotsResponse) -> Self {
        let slots = found.slots.into_iter().map(|slot| Slot { zone, slot });
        Self {
            zone: zone.name(),
            slots: slots.collect(),
            has_more: found.has_more,
        }
    }

    /// The slots alone.
    pub fn into_slots(self) -> Vec<Slot> {
        self.slots
    }
}

/// One thing that a slot has to satisfy.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum SlotRule {
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
    /// The host has room, buffers included.
    Capacity,
}

/// What became of one rule.
#[derive(SimpleObject)]
pub struct SlotVerdict {
    /// Which.
    rule: SlotRule,
    /// Whether the slot satisfies it.
    holds: bool,
    /// Against what it was judged.
    says: String,
    /// Schedules that are closed then.
    schedule_ids: Vec<ID>,
    /// Bookings that take the time or the place below a cap; at most 20.
    booking_ids: Vec<ID>,
    /// How many holds do so too.
    hold_count: u32,
}

/// Whether one host could take a slot.
#[derive(SimpleObject)]
pub struct HostVerdicts {
    /// Who.
    host_id: ID,
    /// Whether all its rules hold.
    free: bool,
    /// Rule by rule.
    verdicts: Vec<SlotVerdict>,
}

/// Why a slot can be booked, or why not.
#[derive(SimpleObject)]
pub struct SlotExplanation {
    /// Whether it can.
    offered: bool,
    /// From.
    start: Option<DateTime<Utc>>,
    /// To.
    end: Option<DateTime<Utc>>,
    /// Rules that depend on no host.
    verdicts: Vec<SlotVerdict>,
    /// Each host's own.
    hosts: Vec<HostVerdicts>,
}

impl SlotExplanation {
    /// From the wire.
    pub fn new(explained: wire::ExplainSlotResponse) -> Result<Self> {
        let hosts = explained.hosts.into_iter().map(|one| {
            Ok(HostVerdicts {
                host_id: encode(Kind::Host, &one.host_id),
                free: one.free,
                verdicts: verdicts(one.verdicts)?,
            })
        });
        Ok(Self {
            offered: explained.offered,
            start: time::from_wire(explained.start),
            end: time::from_wire(explained.end),
            verdicts: verdicts(explained.verdicts)?,
            hosts: hosts.collect::<Result<_>>()?,
        })
    }
}

fn verdicts(verdicts: Vec<wire::Verdict>) -> Result<Vec<SlotVerdict>> {
    let shown = verdicts.into_iter().map(|one| {
        let rule = match one.rule.as_str() {
            "DURATION" => SlotRule::Duration,
            "STEP" => SlotRule::Step,
            "NOTICE" => SlotRule::Notice,
            "HORIZON" => SlotRule::Horizon,
            "SERVICE_HOURS" => SlotRule::ServiceHours,
            "HOST_HOURS" => SlotRule::HostHours,
            "DAY_CAP" => SlotRule::DayCap,
            "WEEK_CAP" => SlotRule::WeekCap,
            "CAPACITY" => SlotRule::Capacity,
            _ => return Err(Error::internal("the scheduler judged by an unknown rule")),
        };
        Ok(SlotVerdict {
            rule,
            holds: one.holds,
            says: one.says,
            schedule_ids: of(Kind::Schedule, &one.schedule_ids),
            booking_ids: of(Kind::Booking, &one.booking_ids),
            hold_count: one.hold_count,
        })
    });
    shown.collect()
}

/// The zone of an argument.
pub fn zone(name: &str) -> Result<Zone> {
    Zone::named(name).map_err(|refused| Error::from(refused).on_field("zone"))
}

/// The UUIDs of global ids of one kind.
pub fn texts(kind: Kind, field: &'static str, ids: &[ID]) -> Result<Vec<String>> {
    ids.iter().map(|id| ids::text(kind, field, id)).collect()
}

pub fn utc() -> String {
    Zone::UTC.name().to_owned()
}

fn of(kind: Kind, uuids: &[String]) -> Vec<ID> {
    uuids.iter().map(|uuid| encode(kind, uuid)).collect()
}

/// On the wire 0 stands for what is left out, so nobody may mean it.
fn given<T: Default + PartialEq>(field: &'static str, value: Option<T>) -> Result<T> {
    match value {
        None => Ok(T::default()),
        Some(value) if value != T::default() => Ok(value),
        Some(_) => Err(Error::invalid(
            field,
            "OUT_OF_RANGE",
            format!("{field} is at least 1; leave it out for none"),
        )),
    }
}
