//! Figures: the median of the rounds' ratios with the smallest and the largest.

use std::{fmt, time::Duration};

/// Values of the rounds.
#[derive(Clone, Debug, Default)]
pub struct Rounds(Vec<f64>);

impl Rounds {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn push(&mut self, value: f64) {
        assert!(value.is_finite(), "a round without a value");
        self.0.push(value);
    }

    /// A median over a few rounds: the middle one, of an even number the mean of the two.
    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        }
    }
}

/// `median (min..max)`.
impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let digits = if most < 100.0 { 2 } else { 0 };
        write!(
            f,
            "{:.digits$} ({least:.digits$}..{most:.digits$})",
            self.median()
        )
    }
}

/// One thing measured on both sides.
#[derive(Debug, Default)]
pub struct Pair {
    product: Rounds,
    limit: Rounds,
    ratio: Rounds,
}

impl Pair {
    pub fn push(&mut self, product: f64, limit: f64) {
        self.product.push(product);
        self.limit.push(limit);
        self.ratio.push(product / limit);
    }

    /// The line that counts, with both absolute values behind it.
    pub fn print(&self, name: &str, unit: &str, goal: &str) {
        println!(
            "FIGURE name={name} ratio={} goal={goal} product={} limit={} unit={unit}",
            self.ratio, self.product, self.limit
        );
    }
}

/// A value without a limit beside it, against a bound.
pub fn print_bound(name: &str, values: &Rounds, bound: f64, unit: &str) {
    let mut ratio = Rounds::default();
    for value in &values.0 {
        ratio.push(value / bound);
    }
    println!(
        "FIGURE name={name} ratio={ratio} goal=<=1.00 product={values} limit={bound} unit={unit}"
    );
}

/// Microseconds.
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The value below which this share of them lies.
pub fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let last = times.len() - 1;
    times[(last as f64 * share).round() as usize]
}
