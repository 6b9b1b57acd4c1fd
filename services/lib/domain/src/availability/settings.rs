//! What services and hosts are set to, as kept. The default limits nothing.

use serde::{Deserialize, Serialize};

use super::{Rules, Zone};
use crate::{Refused, ScheduleId};

/// What limits a service's slots besides its own duration and buffers. Lengths in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServiceAvailability {
    /// Whose wall clock steps, days and weeks are read from.
    pub zone: Zone,
    /// Lengths that can be asked for besides the service's own.
    pub other_durations_ms: Vec<i64>,
    /// See [`Rules::step_ms`].
    pub step_ms: Option<i64>,
    /// See [`Rules::notice_ms`].
    pub notice_ms: i64,
    /// See [`Rules::horizon_ms`].
    pub horizon_ms: Option<i64>,
    /// See [`Rules::per_day`].
    pub per_day: Option<u32>,
    /// See [`Rules::per_week`].
    pub per_week: Option<u32>,
    /// Open when all of them are; always without any.
    pub schedules: Vec<ScheduleId>,
}

/// What limits a host's time besides its capacity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostAvailability {
    /// Open when all of them are; always without any.
    pub schedules: Vec<ScheduleId>,
}

/// Schedules of one service or host.
pub const SCHEDULES_MAX: usize = 8;
/// Lengths of one service besides its own.
pub const DURATIONS_MAX: usize = 16;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// Two years.
const AHEAD_MS_MAX: i64 = 731 * DAY_MS;

const DURATIONS: Refused = Refused::new(
    "DURATIONS_OUT_OF_RANGE",
    "a service has at most 16 other durations, each 1 ms to a day, and none twice",
);
const STEP: Refused = Refused::new(
    "STEP_OUT_OF_RANGE",
    "a step is whole minutes, one minute to a day",
);
const AHEAD: Refused = Refused::new(
    "AHEAD_OUT_OF_RANGE",
    "minimum notice and horizon are at most two years, and the horizon lies behind the notice",
);
const CAPS: Refused = Refused::new(
    "CAP_OUT_OF_RANGE",
    "a cap is 1 to 10000; leave it out for none",
);
const SCHEDULES: Refused = Refused::new(
    "TOO_MANY_SCHEDULES",
    "a service or host has at most 8 schedules, and none twice",
);
const CAP_MAX: u32 = 10_000;

impl ServiceAvailability {
    /// Refuses what makes no sense for a service of this duration.
    pub fn check(&self, duration_ms: i64) -> Result<(), Refused> {
        let mut durations = self.other_durations_ms.clone();
        durations.push(duration_ms);
        let in_range = durations.iter().all(|one| (1..=DAY_MS).contains(one));
        if !in_range || durations.len() > DURATIONS_MAX + 1 || !distinct(&mut durations) {
            return Err(DURATIONS);
        }
        let whole = |step: i64| (MINUTE_MS..=DAY_MS).contains(&step) && step % MINUTE_MS == 0;
        if !self.step_ms.is_none_or(whole) {
            return Err(STEP);
        }
        let ahead = 0..=AHEAD_MS_MAX;
        let behind = |horizon| ahead.contains(&horizon) && horizon > self.notice_ms;
        if !ahead.contains(&self.notice_ms) || !self.horizon_ms.is_none_or(behind) {
            return Err(AHEAD);
        }
        let caps = [self.per_day, self.per_week];
        if !caps.iter().flatten().all(|cap| (1..=CAP_MAX).contains(cap)) {
            return Err(CAPS);
        }
        check_schedules(&self.schedules)
    }

    /// The rules of a service with this duration and these buffers.
    pub fn rules(&self, duration_ms: i64, buffers_ms: (i64, i64)) -> Rules {
        let others = self.other_durations_ms.iter().copied();
        Rules {
            zone: self.zone,
            durations_ms: std::iter::once(duration_ms).chain(others).collect(),
            buffer_before_ms: buffers_ms.0,
            buffer_after_ms: buffers_ms.1,
            step_ms: self.step_ms,
            notice_ms: self.notice_ms,
            horizon_ms: self.horizon_ms,
            per_day: self.per_day,
            per_week: self.per_week,
        }
    }
}

impl HostAvailability {
    /// Refuses too many schedules.
    pub fn check(&self) -> Result<(), Refused> {
        check_schedules(&self.schedules)
    }
}

fn check_schedules(schedules: &[ScheduleId]) -> Result<(), Refused> {
    match schedules.len() <= SCHEDULES_MAX && distinct(&mut schedules.to_vec()) {
        true => Ok(()),
        false => Err(SCHEDULES),
    }
}

fn distinct<T: Ord>(items: &mut Vec<T>) -> bool {
    let count = items.len();
    items.sort_unstable();
    items.dedup();
    items.len() == count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        let fine = ServiceAvailability::default();
        assert_eq!(fine.check(1), Ok(()));
        let with = |change: fn(&mut ServiceAvailability)| {
            let mut changed = fine.clone();
            change(&mut changed);
            changed.check(MINUTE_MS).map_err(|refused| refused.reason)
        };
        assert_eq!(
            with(|one| one.other_durations_ms = vec![MINUTE_MS]),
            Err("DURATIONS_OUT_OF_RANGE")
        );
        assert_eq!(
            with(|one| one.other_durations_ms = vec![0]),
            Err("DURATIONS_OUT_OF_RANGE")
        );
        assert_eq!(
            with(|one| one.other_durations_ms = (1..=17).collect()),
            Err("DURATIONS_OUT_OF_RANGE")
        );
        assert_eq!(
            with(|one| one.step_ms = Some(90_001)),
            Err("STEP_OUT_OF_RANGE")
        );
        assert_eq!(
            with(|one| one.step_ms = Some(2 * DAY_MS)),
            Err("STEP_OUT_OF_RANGE")
        );
        assert_eq!(with(|one| one.notice_ms = -1), Err("AHEAD_OUT_OF_RANGE"));
        assert_eq!(
            with(|one| one.horizon_ms = Some(i64::MAX)),
            Err("AHEAD_OUT_OF_RANGE")
        );
        assert_eq!(
            with(|one| (one.notice_ms, one.horizon_ms) = (5, Some(5))),
            Err("AHEAD_OUT_OF_RANGE")
        );
        assert_eq!(with(|one| one.per_day = Some(0)), Err("CAP_OUT_OF_RANGE"));
        let schedule = ScheduleId::from_uuid(uuid::Uuid::nil());
        let twice = HostAvailability {
            schedules: vec![schedule; 2],
        };
        assert_eq!(twice.check(), Err(SCHEDULES));
    }

    #[test]
    fn what_was_kept_before_a_setting_was_there_limits_nothing() {
        let kept = serde_json::from_str::<ServiceAvailability>("{}").unwrap();
        assert_eq!(kept, ServiceAvailability::default());
    }
}
