//! I1: how many intervals are active at the same time.

use crate::Interval;

/// A span of a host's or resource's time that is taken, buffers included.
pub type Occupied = Interval;

/// The largest number of `taken` intervals that share a moment with each other inside `wanted`.
///
/// A further interval `wanted` fits a capacity `c` exactly when `peak(wanted, taken) < c`. Cost: sorting the overlapping ones.
pub fn peak(wanted: &Interval, taken: &[Occupied]) -> usize {
    let mut edges: Vec<(i64, i32)> = Vec::with_capacity(taken.len() * 2);
    for interval in taken.iter().filter(|taken| taken.overlaps(wanted)) {
        // Cut to `wanted`: two that meet elsewhere do not compete here.
        edges.push((interval.start().max(wanted.start()).as_millis(), 1));
        edges.push((interval.end().min(wanted.end()).as_millis(), -1));
    }
    // Ends sort before starts of the same moment, because intervals are half-open.
    edges.sort_unstable();
    let mut active = 0i32;
    let mut peak = 0i32;
    for (_, change) in edges {
        active += change;
        peak = peak.max(active);
    }
    usize::try_from(peak).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;

    fn interval(start: i64, length: i64) -> Interval {
        Interval::new(
            Timestamp::from_millis(start),
            Timestamp::from_millis(start + length),
        )
        .unwrap()
    }

    #[test]
    fn neighbours_do_not_overlap() {
        assert_eq!(
            peak(&interval(10, 10), &[interval(0, 10), interval(20, 5)]),
            0
        );
    }

    proptest! {
        /// Counting moment by moment is slow and obviously right.
        #[test]
        fn the_sweep_equals_the_count_of_every_moment(
            spans in prop::collection::vec((0i64..40, 1i64..12), 0..12),
            start in 0i64..40, length in 1i64..12,
        ) {
            let taken: Vec<_> = spans.iter().map(|&(s, l)| interval(s, l)).collect();
            let busiest = (start..start + length)
                .map(|t| taken.iter().filter(|i| i.overlaps(&interval(t, 1))).count())
                .max()
                .unwrap_or(0);
            prop_assert_eq!(peak(&interval(start, length), &taken), busiest);
        }
    }
}
