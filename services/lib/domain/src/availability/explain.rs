//! Why a slot is offered or not, rule by rule.

use super::{
    Availability, HostTime, Match, Rule,
    engine::{Candidate, Taker},
};
use crate::{HostId, Interval, ScheduleId};

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub rule: Rule,
    /// Whether the slot satisfies it.
    pub holds: bool,
    /// For people: against what it was judged.
    pub says: String,
    /// What it comes from when it does not hold.
    pub sources: Vec<Source>,
}

/// What a verdict comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Hours that are closed.
    Schedule(ScheduleId),
    /// Who takes the time or the place below a cap.
    Taker(Taker),
}

/// Why a slot is offered or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Whether [`Availability::slots`] has it, and a booking may take it.
    pub offered: bool,
    /// Rules that depend on no host.
    pub verdicts: Vec<Verdict>,
    /// Each host's own.
    pub hosts: Vec<HostExplained>,
}

/// Whether a host could take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostExplained {
    /// Who.
    pub host: HostId,
    /// Whether all rules of the host hold.
    pub free: bool,
    /// Rule by rule.
    pub verdicts: Vec<Verdict>,
}

/// Bookings that one verdict names.
const SOURCES_MAX: usize = 20;

impl Availability {
    /// Every rule's verdict on a slot.
    pub fn explain(&self, slot: Interval, who: Match) -> Explained {
        let slot = self.candidate(slot);
        let verdicts: Vec<_> = Rule::OF_SLOT
            .into_iter()
            .map(|rule| {
                let holds = self.slot_holds(rule, &slot);
                let (says, sources) = self.says_of_slot(rule, &slot);
                verdict(rule, holds, says, sources)
            })
            .collect();
        let hosts: Vec<_> = self
            .hosts
            .iter()
            .map(|host| self.explain_host(&slot, host))
            .collect();
        let free = hosts.iter().filter(|host| host.free).count();
        Explained {
            offered: verdicts.iter().all(|one| one.holds) && self.enough(who, free),
            verdicts,
            hosts,
        }
    }

    fn explain_host(&self, slot: &Candidate, host: &HostTime) -> HostExplained {
        let verdicts: Vec<_> = Rule::OF_HOST
            .into_iter()
            .map(|rule| {
                let holds = self.host_holds(rule, slot, host);
                let (says, sources) = self.says_of_host(rule, slot, host);
                verdict(rule, holds, says, sources)
            })
            .collect();
        HostExplained {
            host: host.host,
            free: verdicts.iter().all(|one| one.holds),
            verdicts,
        }
    }

    fn says_of_slot(&self, rule: Rule, slot: &Candidate) -> (String, Vec<Source>) {
        let rules = &self.rules;
        let show = |at| rules.zone.show(at);
        let says = match rule {
            Rule::Duration => format!("{} ms of {:?}", slot.slot.millis(), rules.durations_ms),
            Rule::Step => match rules.step_ms {
                None => "any start".to_owned(),
                Some(step) => format!(
                    "{} in steps of {step} ms since midnight in {}",
                    show(slot.slot.start()),
                    rules.zone
                ),
            },
            Rule::Notice => {
                format!("from {} on", show(self.now.plus_millis(rules.notice_ms)))
            }
            Rule::Horizon => match rules.horizon_ms {
                None => "without end".to_owned(),
                Some(ms) => format!("until {}", show(self.now.plus_millis(ms))),
            },
            _ => return hours(&self.hours, slot, |at| rules.zone.show(at)),
        };
        (says, Vec::new())
    }

    fn says_of_host(&self, rule: Rule, slot: &Candidate, host: &HostTime) -> (String, Vec<Source>) {
        let cap = |cap: Option<u32>, within: Option<Interval>| match (cap, within) {
            (Some(cap), Some(within)) => {
                let counted = host.counted(&within);
                let sources = counted.iter().map(|(_, by)| Source::Taker(*by));
                let says = format!("{} of {cap}", counted.len());
                (says, sources.take(SOURCES_MAX).collect())
            }
            _ => ("no cap".to_owned(), Vec::new()),
        };
        match rule {
            Rule::DayCap => cap(self.rules.per_day, slot.day),
            Rule::WeekCap => cap(self.rules.per_week, slot.week),
            Rule::Capacity => {
                let peak = host.profile.peak(&slot.occupies);
                let taking = host
                    .taken
                    .iter()
                    .filter(|one| one.occupies.overlaps(&slot.occupies));
                let sources = taking.map(|one| Source::Taker(one.by));
                (
                    format!("{peak} of {} taken, buffers included", host.capacity),
                    sources.take(SOURCES_MAX).collect(),
                )
            }
            _ => hours(&host.hours, slot, |at| self.rules.zone.show(at)),
        }
    }
}

fn hours(
    hours: &super::Hours,
    slot: &Candidate,
    show: impl Fn(crate::Timestamp) -> String,
) -> (String, Vec<Source>) {
    if hours.cover(&slot.slot) {
        return ("open".to_owned(), Vec::new());
    }
    let says = match hours.next(slot.slot.start()) {
        Some(at) if at > slot.slot.start() => format!("closed; opens at {}", show(at)),
        Some(_) => "closes before the end".to_owned(),
        None => "closed".to_owned(),
    };
    let closed = hours.closed_by(&slot.slot).into_iter();
    (says, closed.map(Source::Schedule).collect())
}

/// A rule that holds needs no source.
fn verdict(rule: Rule, holds: bool, says: String, sources: Vec<Source>) -> Verdict {
    let sources = match holds {
        true => Vec::new(),
        false => sources,
    };
    Verdict {
        rule,
        holds,
        says,
        sources,
    }
}
