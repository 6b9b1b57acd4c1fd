//! Prometheus metrics of one node: one registry, passed in and never global. Labels are closed lists of words: no ids, no tenants, no
//! addresses, so that the number of series is bounded whatever happens.

mod calls;
mod work;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering};

use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

pub use calls::{Calls, Measured};
pub use work::{FeedMetrics, QueueMetrics, StoreMetrics};

use crate::error::{Error, Result};

/// Upper bounds of durations, in seconds.
pub const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// A histogram of durations.
pub fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

/// Counts of durations by label.
pub type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

/// Durations by label, empty.
pub fn durations<L: Clone + std::hash::Hash + Eq>() -> Durations<L> {
    Family::new_with_constructor(seconds as fn() -> Histogram)
}

/// A role.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfRole {
    role: &'static str,
}

/// A method of a role.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfMethod {
    role: &'static str,
    method: String,
}

/// How calls of a method ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfCode {
    role: &'static str,
    method: String,
    code: &'static str,
}

/// How changes of a role ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfChange {
    role: &'static str,
    outcome: &'static str,
}

/// A queue of a role.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfQueue {
    role: &'static str,
    queue: &'static str,
}

/// How jobs of a queue ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfOutcome {
    role: &'static str,
    queue: &'static str,
    outcome: &'static str,
}

/// A role that follows another.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct OfFeed {
    role: &'static str,
    source: &'static str,
}

/// What every role measures.
pub(crate) struct Families {
    pub calls: Family<OfCode, Counter>,
    pub call_seconds: Durations<OfMethod>,
    pub commits: Family<OfRole, Counter>,
    pub changes: Family<OfChange, Counter>,
    pub change_seconds: Durations<OfRole>,
    pub open_changes: Family<OfRole, Gauge>,
    pub claimed: Family<OfQueue, Counter>,
    pub tries: Family<OfOutcome, Counter>,
    pub job_seconds: Durations<OfQueue>,
    pub lateness: Durations<OfQueue>,
    pub open_jobs: Family<OfRole, Gauge>,
    pub dead_jobs: Family<OfRole, Gauge>,
    pub facts: Family<OfFeed, Counter>,
    pub passed_by: Family<OfFeed, Counter>,
    pub feed_lag: Durations<OfFeed>,
    pub feed_position: Family<OfFeed, Gauge>,
    pub feed_head: Family<OfRole, Gauge>,
}

/// What a role's database knows by itself.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Jobs that are due and not done.
    pub open_jobs: i64,
    /// Jobs that were given up.
    pub dead_jobs: i64,
    /// Newest position of the log.
    pub head: i64,
    /// Commits since the start.
    pub commits: u64,
}

/// The metrics of a node. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    families: Arc<Families>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let families = Families {
            calls: Family::default(),
            call_seconds: durations(),
            commits: Family::default(),
            changes: Family::default(),
            change_seconds: durations(),
            open_changes: Family::default(),
            claimed: Family::default(),
            tries: Family::default(),
            job_seconds: durations(),
            lateness: durations(),
            open_jobs: Family::default(),
            dead_jobs: Family::default(),
            facts: Family::default(),
            passed_by: Family::default(),
            feed_lag: durations(),
            feed_position: Family::default(),
            feed_head: Family::default(),
        };
        let mut registry = Registry::with_prefix("convene");
        families.register(&mut registry);
        Self {
            registry: Arc::new(Mutex::new(registry)),
            families: Arc::new(families),
        }
    }
}

impl Families {
    fn register(&self, to: &mut Registry) {
        to.register(
            "rpc_requests",
            "gRPC calls answered, by code",
            self.calls.clone(),
        );
        to.register_with_unit(
            "rpc_duration",
            "Time until a gRPC answer begins",
            Unit::Seconds,
            self.call_seconds.clone(),
        );
        to.register(
            "store_commits",
            "Commits; changes for each are those that shared one",
            self.commits.clone(),
        );
        to.register(
            "store_changes",
            "Changes that were stored, or refused and left nothing",
            self.changes.clone(),
        );
        to.register_with_unit(
            "store_change_duration",
            "Time of a change from its wish to its commit, waiting included",
            Unit::Seconds,
            self.change_seconds.clone(),
        );
        to.register(
            "store_changes_open",
            "Changes that wait for a transaction or run in one",
            self.open_changes.clone(),
        );
        to.register("jobs_claimed", "Jobs claimed", self.claimed.clone());
        to.register(
            "jobs_tries",
            "Tries of jobs: done, retried, dead, lost to another worker",
            self.tries.clone(),
        );
        to.register_with_unit(
            "job_duration",
            "Time that one try of a job took",
            Unit::Seconds,
            self.job_seconds.clone(),
        );
        to.register_with_unit(
            "job_lateness",
            "Time from when a job was due until its first try, in business time",
            Unit::Seconds,
            self.lateness.clone(),
        );
        to.register(
            "jobs_open",
            "Jobs that are due and not done",
            self.open_jobs.clone(),
        );
        to.register(
            "jobs_dead",
            "Jobs that were given up",
            self.dead_jobs.clone(),
        );
        to.register(
            "feed_facts",
            "Facts of another role that were applied",
            self.facts.clone(),
        );
        to.register(
            "feed_facts_passed_by",
            "Facts of another role that did not fit",
            self.passed_by.clone(),
        );
        to.register_with_unit(
            "feed_lag",
            "Age of a fact when it was applied, in business time",
            Unit::Seconds,
            self.feed_lag.clone(),
        );
        to.register(
            "feed_position",
            "Position of the last fact applied",
            self.feed_position.clone(),
        );
        to.register(
            "feed_head",
            "Newest position of a role's own log",
            self.feed_head.clone(),
        );
    }
}

impl Metrics {
    /// Adds what only one role measures.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.lock());
    }

    /// The page that Prometheus reads, in its text format 0.0.4.
    pub fn page(&self) -> Result<String> {
        let mut page = String::new();
        prometheus_text::encode(&mut page, &self.lock())
            .map_err(|error| Error::internal(format!("metrics: {error}")))?;
        Ok(page)
    }

    /// What is looked up when somebody asks for the page.
    pub fn found(&self, role: &'static str, found: Found) {
        let of = OfRole { role };
        let families = &self.families;
        families.open_jobs.get_or_create(&of).set(found.open_jobs);
        families.dead_jobs.get_or_create(&of).set(found.dead_jobs);
        families.feed_head.get_or_create(&of).set(found.head);
        let commits = families.commits.get_or_create_owned(&of);
        commits.inner().store(found.commits, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_measured_is_on_the_page_once() {
        let metrics = Metrics::default();
        let queue = metrics.queue("scheduler", "booking");
        queue.claimed(2);
        queue.late_ms(1_500);
        queue.done(Duration::from_millis(3));
        metrics.queue("broker", "meeting").claimed(1);
        let found = Found {
            open_jobs: 1,
            dead_jobs: 2,
            head: 3,
            commits: 4,
        };
        metrics.found("scheduler", found);
        let page = metrics.page().unwrap();
        for line in [
            "convene_jobs_claimed_total{role=\"scheduler\",queue=\"booking\"} 2",
            "convene_jobs_claimed_total{role=\"broker\",queue=\"meeting\"} 1",
            "convene_jobs_tries_total{role=\"scheduler\",queue=\"booking\",outcome=\"done\"} 1",
            "convene_job_lateness_seconds_sum{role=\"scheduler\",queue=\"booking\"} 1.5",
            "convene_jobs_dead{role=\"scheduler\"} 2",
            "convene_feed_head{role=\"scheduler\"} 3",
            "convene_store_commits_total{role=\"scheduler\"} 4",
        ] {
            assert!(page.contains(line), "{line} in {page}");
        }
        let types: Vec<&str> = page.lines().filter(|l| l.starts_with("# TYPE")).collect();
        let mut once = types.clone();
        once.dedup();
        assert_eq!(types.len(), once.len());
    }

    /// Run it by hand: `cargo test -p convene-kit --lib what_measuring_costs -- --ignored --nocapture`; MEASUREMENTS.md has its figure.
    #[test]
    #[ignore = "a measurement"]
    #[allow(clippy::print_stdout)]
    fn what_measuring_costs() {
        const ROUNDS: u32 = 1_000_000;
        let metrics = Metrics::default();
        let calls = metrics.calls("scheduler").unwrap();
        let store = metrics.store("scheduler");
        let began = tokio::time::Instant::now();
        for _ in 0..ROUNDS {
            let took = Duration::from_millis(1);
            calls.answered("/convene.scheduler.v1.Scheduler/BookMeeting", 0, took);
        }
        let call = began.elapsed() / ROUNDS;
        let began = tokio::time::Instant::now();
        for _ in 0..ROUNDS {
            store.begin().ended(&Ok(()));
        }
        let change = began.elapsed() / ROUNDS;
        println!("a call {call:?}, a change {change:?}");
    }

    #[test]
    fn methods_that_nobody_serves_share_one_name() {
        let metrics = Metrics::default();
        let calls = metrics.calls("scheduler").unwrap();
        let took = Duration::from_millis(1);
        calls.answered("/convene.scheduler.v1.Scheduler/GetHost", 5, took);
        for stranger in 0..100 {
            calls.answered(&format!("/x.Y/Z{stranger}"), 12, took);
        }
        let page = metrics.page().unwrap();
        let found = "convene_rpc_requests_total{role=\"scheduler\",method=\"convene.scheduler.v1.Scheduler/GetHost\",code=\"NOT_FOUND\"} 1";
        assert!(page.contains(found), "{page}");
        let other = "convene_rpc_requests_total{role=\"scheduler\",method=\"other\",code=\"UNIMPLEMENTED\"} 100";
        assert!(page.contains(other), "{page}");
    }
}
