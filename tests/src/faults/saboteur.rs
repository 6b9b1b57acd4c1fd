//! A probe that counts what is passed and strikes once.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use async_trait::async_trait;
use convene_kit::probe::{Point, Probe, Verdict};

use super::Plan;

/// Counts points, and fails or repeats the one that it is armed for.
#[derive(Default)]
pub struct Saboteur(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    passed: BTreeMap<Point, usize>,
    plan: Option<Plan>,
    struck: bool,
}

impl Saboteur {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Forgets what was passed and waits for the nth pass of a point.
    pub fn arm(&self, plan: Option<Plan>) {
        *self.inner() = Inner {
            plan,
            ..Inner::default()
        };
    }

    /// How often each point was passed.
    pub fn passed(&self) -> BTreeMap<Point, usize> {
        self.inner().passed.clone()
    }

    /// Whether it has struck since it was armed.
    pub fn struck(&self) -> bool {
        self.inner().struck
    }
}

#[async_trait]
impl Probe for Saboteur {
    async fn at(&self, point: Point) -> Verdict {
        let mut inner = self.inner();
        let passed = inner.passed.entry(point.clone()).or_default();
        *passed += 1;
        let passed = *passed;
        match &inner.plan {
            Some((wanted, nth, verdict)) if *wanted == point && *nth == passed && !inner.struck => {
                let verdict = *verdict;
                inner.struck = true;
                verdict
            }
            _ => Verdict::Pass,
        }
    }
}
