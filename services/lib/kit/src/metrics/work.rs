//! Work behind the calls: commits, jobs, feeds.

use std::time::Duration;

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};

use tokio::time::Instant;

use super::{Metrics, OfChange, OfFeed, OfOutcome, OfQueue, OfRole};
use crate::error::Result;

/// The changes of one database.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    stored: Counter,
    refused: Counter,
    failed: Counter,
    seconds: Histogram,
    open: Gauge,
}

/// A change that is under way; dropped before its end it is open no more and counts as failed.
pub struct OpenChange<'a> {
    of: &'a StoreMetrics,
    began: Instant,
    outcome: &'a Counter,
}

impl StoreMetrics {
    /// A change begins to wait for a transaction.
    pub fn begin(&self) -> OpenChange<'_> {
        self.open.inc();
        OpenChange {
            of: self,
            began: Instant::now(),
            outcome: &self.failed,
        }
    }
}

impl OpenChange<'_> {
    /// How it ended.
    pub fn ended<T>(mut self, outcome: &Result<T>) {
        self.outcome = match outcome {
            Ok(_) => &self.of.stored,
            Err(error) if error.is_refusal() => &self.of.refused,
            Err(_) => &self.of.failed,
        };
    }
}

impl Drop for OpenChange<'_> {
    fn drop(&mut self) {
        self.outcome.inc();
        self.of.open.dec();
        self.of.seconds.observe(self.began.elapsed().as_secs_f64());
    }
}

/// The jobs of one queue.
#[derive(Clone, Debug)]
pub struct QueueMetrics {
    claimed: Counter,
    done: Counter,
    retried: Counter,
    dead: Counter,
    lost: Counter,
    seconds: Histogram,
    lateness: Histogram,
}

impl QueueMetrics {
    /// So many jobs were claimed.
    pub fn claimed(&self, jobs: usize) {
        self.claimed.inc_by(jobs as u64);
    }

    /// A job came to its first try so long after it was due.
    pub fn late_ms(&self, millis: i64) {
        let late = Duration::from_millis(millis.max(0).unsigned_abs());
        self.lateness.observe(late.as_secs_f64());
    }

    /// A try brought its fact home, or had nothing to do any more.
    pub fn done(&self, took: Duration) {
        self.done.inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// A try failed; the job is tried again, or was given up.
    pub fn failed(&self, dead: bool, took: Duration) {
        if dead { &self.dead } else { &self.retried }.inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// A try lost its lease, or its end could not be stored.
    pub fn lost(&self, took: Duration) {
        self.lost.inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

/// One role that follows another.
#[derive(Clone, Debug)]
pub struct FeedMetrics {
    facts: Counter,
    passed_by: Counter,
    lag: Histogram,
    position: Gauge,
}

impl FeedMetrics {
    /// A fact of this age was applied, or passed by because it did not fit.
    pub fn applied(&self, position: u64, age_ms: i64, fitted: bool) {
        if fitted { &self.facts } else { &self.passed_by }.inc();
        let age = Duration::from_millis(age_ms.max(0).unsigned_abs());
        self.lag.observe(age.as_secs_f64());
        self.position
            .set(i64::try_from(position).unwrap_or(i64::MAX));
    }
}

impl Metrics {
    /// What a role's database is measured by.
    pub fn store(&self, role: &'static str) -> StoreMetrics {
        let (of, families) = (OfRole { role }, &self.families);
        let changes = |outcome| {
            let of = OfChange { role, outcome };
            families.changes.get_or_create_owned(&of)
        };
        StoreMetrics {
            stored: changes("stored"),
            refused: changes("refused"),
            failed: changes("failed"),
            seconds: families.change_seconds.get_or_create_owned(&of),
            open: families.open_changes.get_or_create_owned(&of),
        }
    }

    /// What a queue is measured by.
    pub fn queue(&self, role: &'static str, queue: &'static str) -> QueueMetrics {
        let (of, families) = (OfQueue { role, queue }, &self.families);
        let tries = |outcome| {
            families.tries.get_or_create_owned(&OfOutcome {
                role,
                queue,
                outcome,
            })
        };
        QueueMetrics {
            claimed: families.claimed.get_or_create_owned(&of),
            done: tries("done"),
            retried: tries("retried"),
            dead: tries("dead"),
            lost: tries("lost"),
            seconds: families.job_seconds.get_or_create_owned(&of),
            lateness: families.lateness.get_or_create_owned(&of),
        }
    }

    /// What a follower is measured by.
    pub fn feed(&self, role: &'static str, source: &'static str) -> FeedMetrics {
        let (of, families) = (OfFeed { role, source }, &self.families);
        FeedMetrics {
            facts: families.facts.get_or_create_owned(&of),
            passed_by: families.passed_by.get_or_create_owned(&of),
            lag: families.feed_lag.get_or_create_owned(&of),
            position: families.feed_position.get_or_create_owned(&of),
        }
    }
}
