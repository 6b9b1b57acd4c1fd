//! Pauses between tries: doubled each time, up to a bound, and half of them chance, so that many who wait do not come back together.

use std::time::Duration;

use crate::digest;

/// The pause after so many tries that failed, between half of the whole and the whole; the first and the longest whole are given in milliseconds.
pub fn pause((first, longest): (u64, u64), failures: u32) -> Duration {
    let doublings = failures.clamp(1, 20) - 1;
    let whole = first.saturating_mul(1 << doublings).min(longest);
    let chance = digest::random::<8>().map_or(0, u64::from_be_bytes);
    Duration::from_millis(whole / 2 + chance % (whole / 2 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let bounds = (200, 60_000);
        for failures in 0..=40 {
            let pause = pause(bounds, failures).as_millis() as u64;
            assert!((bounds.0 / 2..=bounds.1).contains(&pause), "{pause}");
        }
        assert!(pause(bounds, 20).as_millis() as u64 >= bounds.1 / 2);
    }
}
