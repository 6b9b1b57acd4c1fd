//! A plugin that fails again and again is left alone for a while: guests get what the failure policy says at once, and the plugin's owner is told. Pure.

use convene_domain::Timestamp;
use convene_plugin_host::{Fault, Reason};
use serde::{Deserialize, Serialize};

/// Faults one after the other that trip it.
const FAULTS_MAX: u32 = 5;
/// The first pause, and the longest: it doubles with each trial that fails.
const PAUSE_MS: i64 = 60_000;
const PAUSE_MS_MAX: i64 = 3_600_000;

/// How a plugin has done of late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Faults since it last brought a verdict.
    pub faults: u32,
    /// It is not asked before; what comes then is a trial. In milliseconds of business time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// Pauses since it last brought a verdict.
    #[serde(default)]
    pub pauses: u32,
}

/// What changed for the plugin's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is not asked until then.
    Tripped(Timestamp),
    /// It is asked again.
    Recovered,
}

impl Breaker {
    /// Whether the plugin is asked now.
    pub fn asks(&self, now: Timestamp) -> bool {
        self.until_ms.is_none_or(|until| now.as_millis() >= until)
    }

    /// Whether an outcome changes it: most do not, and then nothing has to be locked or written.
    pub fn minds(&self, fault: Option<&Fault>) -> bool {
        match fault {
            Some(fault) => counts(fault),
            None => *self != Self::default(),
        }
    }

    /// After an outcome; what is to be told, when it turned.
    pub fn after(self, fault: Option<&Fault>, now: Timestamp) -> (Self, Option<Turn>) {
        match fault {
            None => {
                let turn = self.until_ms.map(|_| Turn::Recovered);
                (Self::default(), turn)
            }
            Some(fault) if counts(fault) => self.failed(now),
            Some(_) => (self, None),
        }
    }

    fn failed(self, now: Timestamp) -> (Self, Option<Turn>) {
        let faults = self.faults.saturating_add(1);
        // A call that began before it tripped is no trial.
        if faults < FAULTS_MAX || !self.asks(now) {
            return (Self { faults, ..self }, None);
        }
        let pause = PAUSE_MS << self.pauses.min(10);
        let until = now.as_millis() + pause.min(PAUSE_MS_MAX);
        let next = Self {
            faults,
            until_ms: Some(until),
            pauses: self.pauses.saturating_add(1),
        };
        (next, Some(Turn::Tripped(Timestamp::from_millis(until))))
    }
}

/// What is not the plugin's doing says nothing about it.
fn counts(fault: &Fault) -> bool {
    !matches!(
        fault.reason,
        Reason::Busy | Reason::Unavailable | Reason::Tripped | Reason::Diverged
    )
}

/// Breakers of a binding: the one that decides and its shadow fail apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breakers {
    pub active: Breaker,
    pub shadow: Breaker,
}

impl Breakers {
    /// That of one place.
    pub fn of(&self, shadow: bool) -> &Breaker {
        if shadow { &self.shadow } else { &self.active }
    }

    /// That of one place, to be changed.
    pub fn of_mut(&mut self, shadow: bool) -> &mut Breaker {
        if shadow {
            &mut self.shadow
        } else {
            &mut self.active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn trap() -> Fault {
        Fault::new(Reason::Trap, "x")
    }

    fn failed(mut breaker: Breaker, times: u32, now: Timestamp) -> (Breaker, Option<Turn>) {
        let mut turn = None;
        for _ in 0..times {
            (breaker, turn) = breaker.after(Some(&trap()), now);
        }
        (breaker, turn)
    }

    #[test]
    fn it_trips_after_faults_in_a_row_only() {
        let (almost, turn) = failed(Breaker::default(), FAULTS_MAX - 1, at(0));
        assert_eq!(turn, None);
        assert!(almost.asks(at(0)));
        assert_eq!(almost.after(None, at(0)), (Breaker::default(), None));
        let (tripped, turn) = failed(almost, 1, at(0));
        assert_eq!(turn, Some(Turn::Tripped(at(60))));
        assert!(!tripped.asks(at(59)));
        assert!(tripped.asks(at(60)));
    }

    #[test]
    fn a_trial_closes_it_or_doubles_the_pause() {
        let (tripped, _) = failed(Breaker::default(), FAULTS_MAX, at(0));
        let (closed, turn) = tripped.after(None, at(60));
        assert_eq!((closed, turn), (Breaker::default(), Some(Turn::Recovered)));
        let (again, turn) = failed(tripped, 1, at(60));
        assert_eq!(turn, Some(Turn::Tripped(at(60 + 120))));
        // Those who were on their way meanwhile trip it no second time.
        assert_eq!(failed(again, 3, at(61)).1, None);
        let mut breaker = again;
        for _ in 0..100 {
            let now = Timestamp::from_millis(breaker.until_ms.unwrap());
            breaker = failed(breaker, 1, now).0;
            assert!(breaker.until_ms.unwrap() - now.as_millis() <= PAUSE_MS_MAX);
        }
    }

    #[test]
    fn what_is_not_the_plugins_doing_does_not_count() {
        for reason in [Reason::Busy, Reason::Unavailable, Reason::Tripped] {
            let fault = Fault::new(reason, "x");
            let (mut breaker, mut turn) = (Breaker::default(), None);
            for _ in 0..20 {
                (breaker, turn) = breaker.after(Some(&fault), at(0));
            }
            assert_eq!((breaker, turn), (Breaker::default(), None));
            assert!(!breaker.minds(Some(&fault)));
        }
        assert!(Breaker::default().minds(Some(&trap())));
        assert!(!Breaker::default().minds(None));
    }
}
