//! The judge of slots.

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{Hours, LISTED_STEP_MS, Profile, Rule, Rules, Zone};
use crate::{BookingId, HoldId, HostId, Interval, Refused, ServiceId, Timestamp};

/// Longest span of time that one question is about, in milliseconds: 92 days.
pub const WINDOW_MS_MAX: i64 = 92 * DAY_MS;
/// Hosts in one question.
pub const HOSTS_MAX: usize = 100;
/// Slots in one answer.
pub const SLOTS_MAX: usize = 5_000;
/// Judgements of one question: starts times hosts.
const WORK_MAX: i64 = 2_000_000;
const DAY_MS: i64 = 24 * 3_600_000;

const WINDOW_TOO_LONG: Refused = Refused::new(
    "WINDOW_TOO_LONG",
    "ask for at most 92 days at once, and continue where the answer ends",
);
const TOO_MANY_HOSTS: Refused = Refused::new("TOO_MANY_HOSTS", "ask for 1 to 100 hosts at once");
const TOO_MUCH_ASKED: Refused = Refused::new(
    "TOO_MUCH_ASKED",
    "so many starts and hosts cannot be judged at once; ask for fewer days or fewer hosts",
);

/// What is known of a service and of hosts around a span of time, at one moment.
#[derive(Clone, Debug)]
pub struct Availability {
    /// Business time.
    pub now: Timestamp,
    /// What the service asks.
    pub rules: Rules,
    /// When the service is open.
    pub hours: Hours,
    /// Who may take a slot.
    pub hosts: Vec<HostTime>,
}

/// A host's time.
#[derive(Clone, Debug)]
pub struct HostTime {
    service: ServiceId,
    /// Who.
    pub host: HostId,
    /// Meetings at the same time.
    pub capacity: u32,
    /// When the host is open.
    pub hours: Hours,
    pub(super) taken: Vec<Taken>,
    pub(super) profile: Profile,
    /// Starts of the service's bookings, sorted.
    starts: Vec<(Timestamp, Taker)>,
}

/// A share of a host's time that is given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// To whom.
    pub by: Taker,
    /// Of which service.
    pub service: ServiceId,
    /// When the appointment starts, without buffers.
    pub starts: Timestamp,
    /// All that it takes, buffers included.
    pub occupies: Interval,
}

/// Who takes a host's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Taker {
    /// A booking.
    Booking(BookingId),
    /// A hold, until it expires.
    Hold(HoldId),
}

/// Who has to be free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// One of the hosts.
    Any,
    /// All of them.
    All,
}

/// A slot that can be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// From when to when.
    pub slot: Interval,
    /// Who could take it, in the order in which hosts were given.
    pub hosts: Vec<HostId>,
}

/// An answer, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The slots.
    pub slots: Vec<Offered>,
    /// Whether there are more than were wanted.
    pub more: bool,
}

/// A slot with what rules need to know of it.
pub(super) struct Candidate {
    pub slot: Interval,
    pub occupies: Interval,
    /// The date of its start, where caps are.
    pub day: Option<Interval>,
    /// The week of its start, where caps are.
    pub week: Option<Interval>,
}

impl HostTime {
    /// A host whose time is given away so; `taken` holds at least what touches the slots that are judged, and, where caps are, the weeks around them.
    pub fn new(
        host: HostId,
        capacity: u32,
        hours: Hours,
        service: ServiceId,
        taken: Vec<Taken>,
    ) -> Self {
        let own = taken.iter().filter(|one| one.service == service);
        let mut starts: Vec<_> = own.map(|one| (one.starts, one.by)).collect();
        starts.sort_unstable();
        Self {
            service,
            host,
            capacity,
            hours,
            profile: Profile::of(taken.iter().map(|one| &one.occupies)),
            taken,
            starts,
        }
    }

    /// Appointments of the service with starts in a span.
    pub(super) fn counted(&self, within: &Interval) -> &[(Timestamp, Taker)] {
        let before = |at: Timestamp| self.starts.partition_point(|(start, _)| *start < at);
        &self.starts[before(within.start())..before(within.end())]
    }
}

impl Availability {
    /// The time around slots that has to be known of hosts: buffers, and whole weeks where there are caps.
    pub fn reach(rules: &Rules, slots: Interval) -> Interval {
        let mut reach = slots.widened(rules.buffer_before_ms, rules.buffer_after_ms);
        if rules.per_day.is_some() || rules.per_week.is_some() {
            // A week, and a day for what clocks do.
            reach = reach.widened(8 * DAY_MS, 8 * DAY_MS);
        }
        // An appointment may start in a week and lie elsewhere with its buffers.
        reach.widened(rules.buffer_before_ms, rules.buffer_after_ms)
    }

    /// The same as if a taker were not there: what it takes does not stand in its own way.
    pub fn without(mut self, taker: Taker) -> Self {
        let hosts = std::mem::take(&mut self.hosts).into_iter().map(|host| {
            let others = host.taken.into_iter().filter(|one| one.by != taker);
            HostTime::new(
                host.host,
                host.capacity,
                host.hours,
                host.service,
                others.collect(),
            )
        });
        self.hosts = hosts.collect();
        self
    }

    /// Refuses a span of starts that is too long.
    pub fn check_span(starts: Interval) -> Result<(), Refused> {
        match starts.millis() > WINDOW_MS_MAX {
            true => Err(WINDOW_TOO_LONG),
            false => Ok(()),
        }
    }

    /// The slots of one length with starts in [from, to), the earliest first.
    pub fn slots(
        &self,
        starts: Interval,
        duration_ms: i64,
        who: Match,
        first: usize,
    ) -> Result<Found, Refused> {
        let step_ms = self.rules.step_ms.unwrap_or(LISTED_STEP_MS).max(1);
        self.check(starts, step_ms)?;
        let mut found = Found::default();
        for start in steps(self.rules.zone, step_ms, starts) {
            let end = start.plus_millis(duration_ms);
            let Some(slot) = Interval::new(start, end).map(|slot| self.candidate(slot)) else {
                continue;
            };
            if !Rule::OF_SLOT
                .iter()
                .all(|rule| self.slot_holds(*rule, &slot))
            {
                continue;
            }
            let hosts = self.hosts.iter().filter(|host| self.free(&slot, host));
            let hosts: Vec<_> = hosts.map(|host| host.host).collect();
            if !self.enough(who, hosts.len()) {
                continue;
            }
            if found.slots.len() == first.min(SLOTS_MAX) {
                found.more = true;
                break;
            }
            found.slots.push(Offered {
                slot: slot.slot,
                hosts,
            });
        }
        Ok(found)
    }

    /// The first rule that keeps a host from a slot, as a refusal; `Ok` when it may be booked. A host that was not given is refused like a full one.
    pub fn may_take(&self, slot: Interval, host: HostId) -> Result<(), Refused> {
        let slot = self.candidate(slot);
        let broken = Rule::OF_SLOT
            .iter()
            .find(|rule| !self.slot_holds(**rule, &slot));
        if let Some(rule) = broken {
            return Err(rule.refusal());
        }
        let mut hosts = self.hosts.iter();
        let Some(host) = hosts.find(|one| one.host == host) else {
            return Err(Rule::Capacity.refusal());
        };
        let broken = Rule::OF_HOST
            .iter()
            .find(|rule| !self.host_holds(**rule, &slot, host));
        broken.map_or(Ok(()), |rule| Err(rule.refusal()))
    }

    pub(super) fn enough(&self, who: Match, free: usize) -> bool {
        match who {
            Match::Any => free > 0,
            Match::All => free > 0 && free == self.hosts.len(),
        }
    }

    pub(super) fn candidate(&self, slot: Interval) -> Candidate {
        let rules = &self.rules;
        let capped = rules.per_day.is_some() || rules.per_week.is_some();
        let date = capped.then(|| rules.zone.date(slot.start()));
        let days = |from: NaiveDate, days| rules.zone.days(from, from + TimeDelta::days(days));
        Candidate {
            slot,
            occupies: slot.widened(rules.buffer_before_ms, rules.buffer_after_ms),
            day: date.and_then(|date| days(date, 1)),
            week: date.and_then(|date| {
                let monday = i64::from(date.weekday().num_days_from_monday());
                days(date - TimeDelta::days(monday), 7)
            }),
        }
    }

    /// Whether a slot satisfies a rule that depends on no host.
    pub(super) fn slot_holds(&self, rule: Rule, slot: &Candidate) -> bool {
        let (rules, start) = (&self.rules, slot.slot.start());
        let after = |ms| self.now.plus_millis(ms);
        match rule {
            Rule::Duration => rules.durations_ms.contains(&slot.slot.millis()),
            Rule::Step => rules
                .step_ms
                .is_none_or(|step| on_step(rules.zone, step, start)),
            Rule::Notice => start > self.now && start >= after(rules.notice_ms),
            Rule::Horizon => rules.horizon_ms.is_none_or(|ms| start <= after(ms)),
            Rule::ServiceHours => self.hours.cover(&slot.slot),
            Rule::HostHours | Rule::DayCap | Rule::WeekCap | Rule::Capacity => true,
        }
    }

    /// Whether a host satisfies a rule for a slot.
    pub(super) fn host_holds(&self, rule: Rule, slot: &Candidate, host: &HostTime) -> bool {
        let below = |cap: Option<u32>, within: &Option<Interval>| match (cap, within) {
            (Some(cap), Some(within)) => host.counted(within).len() < cap as usize,
            _ => true,
        };
        match rule {
            Rule::HostHours => host.hours.cover(&slot.slot),
            Rule::DayCap => below(self.rules.per_day, &slot.day),
            Rule::WeekCap => below(self.rules.per_week, &slot.week),
            Rule::Capacity => host.profile.peak(&slot.occupies) < host.capacity,
            Rule::Duration | Rule::Step | Rule::Notice | Rule::Horizon | Rule::ServiceHours => true,
        }
    }

    fn free(&self, slot: &Candidate, host: &HostTime) -> bool {
        Rule::OF_HOST
            .iter()
            .all(|rule| self.host_holds(*rule, slot, host))
    }

    fn check(&self, starts: Interval, step_ms: i64) -> Result<(), Refused> {
        Self::check_span(starts)?;
        if self.hosts.is_empty() || self.hosts.len() > HOSTS_MAX {
            return Err(TOO_MANY_HOSTS);
        }
        let hosts = i64::try_from(self.hosts.len()).unwrap_or(i64::MAX);
        match (starts.millis() / step_ms).saturating_mul(hosts) > WORK_MAX {
            true => Err(TOO_MUCH_ASKED),
            false => Ok(()),
        }
    }
}

/// Whether the wall clock shows a multiple of the step since midnight.
fn on_step(zone: Zone, step_ms: i64, at: Timestamp) -> bool {
    let local = zone.local(at);
    let since = local - midnight(local.date());
    since.num_milliseconds() % step_ms.max(1) == 0
}

/// All moments of a span at which [`on_step`] holds, in order.
fn steps(zone: Zone, step_ms: i64, within: Interval) -> Vec<Timestamp> {
    let day = TimeDelta::days(1);
    // Where the clock goes back over midnight, dates come twice.
    let last = zone.date(within.end()) + day;
    let mut date = zone.date(within.start()) - day;
    let mut steps = Vec::new();
    while date <= last {
        let since = (0..DAY_MS).step_by(usize::try_from(step_ms).unwrap_or(usize::MAX));
        let shown = since.map(|ms| midnight(date) + TimeDelta::milliseconds(ms));
        steps.extend(shown.flat_map(|local| zone.moments(local)));
        date += day;
    }
    steps.retain(|at| within.start() <= *at && *at < within.end());
    steps.sort_unstable();
    steps
}

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}
