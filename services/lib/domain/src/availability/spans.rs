//! Sets of time: intervals that are sorted, apart from each other, and do not touch.

use crate::{Interval, Timestamp};

/// A set of moments as the fewest intervals that hold exactly them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Interval>);

impl Spans {
    /// All moments that are in one of the intervals, whatever their order and overlap.
    pub fn of(intervals: impl IntoIterator<Item = Interval>) -> Self {
        let mut intervals: Vec<_> = intervals.into_iter().collect();
        intervals.sort_unstable_by_key(|interval| (interval.start(), interval.end()));
        let mut spans: Vec<Interval> = Vec::with_capacity(intervals.len());
        for interval in intervals {
            match spans.last_mut() {
                Some(last) if interval.start() <= last.end() => {
                    let end = last.end().max(interval.end());
                    *last = Interval::new(last.start(), end).unwrap_or(*last);
                }
                _ => spans.push(interval),
            }
        }
        Self(spans)
    }

    /// The intervals, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = &Interval> {
        self.0.iter()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in both. Linear in both.
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut ours, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
            both.extend(Interval::new(
                a.start().max(b.start()),
                a.end().min(b.end()),
            ));
            if a.end() <= b.end() {
                ours.next();
            } else {
                theirs.next();
            }
        }
        Self(both)
    }

    /// What is in this and not in the other. Linear in both.
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut holes = other.0.iter().peekable();
        for span in &self.0 {
            let mut from = span.start();
            while holes.next_if(|hole| hole.end() <= from).is_some() {}
            while let Some(hole) = holes.peek().filter(|hole| hole.start() < span.end()) {
                left.extend(Interval::new(from, hole.start()));
                from = hole.end();
                if from >= span.end() {
                    break;
                }
                holes.next();
            }
            left.extend(Interval::new(from, span.end()));
        }
        Self(left)
    }

    /// Whether all of the interval is in it. Logarithmic.
    pub fn cover(&self, interval: &Interval) -> bool {
        let behind = self
            .0
            .partition_point(|span| span.end() <= interval.start());
        self.0
            .get(behind)
            .is_some_and(|span| span.start() <= interval.start() && interval.end() <= span.end())
    }

    /// The first moment of the set at or after a moment.
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let behind = self.0.partition_point(|span| span.end() <= at);
        self.0.get(behind).map(|span| span.start().max(at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Moments that the naive model looks at.
    const WORLD: i64 = 60;

    fn interval(start: i64, end: i64) -> Interval {
        Interval::new(Timestamp::from_millis(start), Timestamp::from_millis(end)).unwrap()
    }

    fn lists() -> impl Strategy<Value = Vec<Interval>> {
        let one = (0..WORLD - 1, 1i64..12).prop_map(|(s, l)| interval(s, (s + l).min(WORLD)));
        prop::collection::vec(one, 0..10)
    }

    /// Moment by moment: slow, and obviously right.
    fn naive(intervals: &[Interval]) -> Vec<bool> {
        let holds = |at| intervals.iter().any(|i| i.overlaps(&interval(at, at + 1)));
        (0..WORLD).map(holds).collect()
    }

    fn of(spans: &Spans) -> Vec<bool> {
        naive(&spans.0)
    }

    proptest! {
        #[test]
        fn sets_are_what_counting_every_moment_says(a in lists(), b in lists(), s in 0..WORLD - 1, l in 1i64..20) {
            let (in_a, in_b) = (naive(&a), naive(&b));
            let (a, b) = (Spans::of(a), Spans::of(b));
            prop_assert_eq!(&of(&a), &in_a);
            let pairs = || in_a.iter().zip(&in_b);
            let (both, left) = (a.intersect(&b), a.minus(&b));
            prop_assert_eq!(of(&both), pairs().map(|(a, b)| *a && *b).collect::<Vec<_>>());
            prop_assert_eq!(of(&left), pairs().map(|(a, b)| *a && !*b).collect::<Vec<_>>());
            for set in [&a, &both, &left] {
                let apart = set.0.windows(2).all(|pair| pair[0].end() < pair[1].start());
                prop_assert!(apart, "the fewest intervals: {:?}", set);
            }
            let e = (s + l).min(WORLD);
            let all = in_a[s as usize..e as usize].iter().all(|held| *held);
            prop_assert_eq!(a.cover(&interval(s, e)), all);
            let next = (s..WORLD).find(|at| in_a[*at as usize]).map(Timestamp::from_millis);
            prop_assert_eq!(a.next(Timestamp::from_millis(s)), next);
        }
    }
}
