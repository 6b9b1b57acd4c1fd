//! When somebody is open whose time several schedules limit.

use std::{collections::BTreeMap, sync::Arc};

use super::Spans;
use crate::{Interval, ScheduleId, Timestamp};

/// Open when all schedules are; always without any.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    parts: Vec<(ScheduleId, Arc<Spans>)>,
    all: Option<Arc<Spans>>,
}

impl Hours {
    /// Of schedules whose open time is known; those that are not in `known` limit nothing.
    pub fn of(ids: &[ScheduleId], known: &BTreeMap<ScheduleId, Arc<Spans>>) -> Self {
        let parts: Vec<_> = ids
            .iter()
            .filter_map(|id| Some((*id, known.get(id)?.clone())))
            .collect();
        let all = parts
            .iter()
            .fold(None, |all: Option<Arc<Spans>>, (_, one)| {
                Some(match all {
                    None => one.clone(),
                    Some(all) => Arc::new(all.intersect(one)),
                })
            });
        Self { parts, all }
    }

    /// Whether all of the interval is open.
    pub fn cover(&self, interval: &Interval) -> bool {
        self.all.as_ref().is_none_or(|open| open.cover(interval))
    }

    /// Whose schedules do not cover the interval.
    pub fn closed_by(&self, interval: &Interval) -> Vec<ScheduleId> {
        let closed = self.parts.iter().filter(|(_, open)| !open.cover(interval));
        closed.map(|(id, _)| *id).collect()
    }

    /// When it is open next, as far as was looked; `None` when never or always.
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        self.all.as_ref().and_then(|open| open.next(at))
    }
}
