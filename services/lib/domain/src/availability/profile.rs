//! How much of a host is taken, moment by moment.

use crate::{Interval, Timestamp};

/// The number of intervals that are active, as a step function: built once, asked often.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// From each of these moments on, until the next, so many are active; sorted.
    steps: Vec<(Timestamp, u32)>,
}

impl Profile {
    /// Of intervals in any order.
    pub fn of<'a>(taken: impl IntoIterator<Item = &'a Interval>) -> Self {
        let mut edges: Vec<(Timestamp, i32)> = taken
            .into_iter()
            .flat_map(|interval| [(interval.start(), 1), (interval.end(), -1)])
            .collect();
        edges.sort_unstable();
        let mut steps: Vec<(Timestamp, u32)> = Vec::with_capacity(edges.len());
        let mut active = 0i32;
        for (at, change) in edges {
            active += change;
            let level = u32::try_from(active).unwrap_or(0);
            match steps.last_mut() {
                Some(last) if last.0 == at => last.1 = level,
                _ => steps.push((at, level)),
            }
        }
        Self { steps }
    }

    /// The largest number that is active at a moment of the interval: what [`crate::peak`] says of the same intervals.
    pub fn peak(&self, wanted: &Interval) -> u32 {
        let behind = self.steps.partition_point(|(at, _)| *at <= wanted.start());
        let from = behind.saturating_sub(1);
        let inside = self.steps[from..].iter();
        inside
            .take_while(|(at, _)| *at < wanted.end())
            .map(|(_, level)| *level)
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_sweep_of_i1(
            spans in prop::collection::vec((0i64..40, 1i64..12), 0..12),
            start in 0i64..60, length in 1i64..12,
        ) {
            let interval = |s, l| Interval::new(Timestamp::from_millis(s), Timestamp::from_millis(s + l)).unwrap();
            let taken: Vec<_> = spans.iter().map(|&(s, l)| interval(s, l)).collect();
            let wanted = interval(start, length);
            prop_assert_eq!(Profile::of(&taken).peak(&wanted) as usize, crate::peak(&wanted, &taken));
        }
    }
}
