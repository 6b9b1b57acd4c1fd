//! What the gateway measures: operations, and what lasts longer than one.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_graphql::{
    Response,
    parser::types::{DocumentOperations, ExecutableDocument, OperationType},
};
use convene_kit::{
    Metrics,
    metrics::{Durations, durations},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Unit,
};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOutcome {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOperation {
    operation: &'static str,
}

/// The gateway's metrics.
#[derive(Clone)]
pub struct GatewayMetrics {
    operations: Family<OfOutcome, Counter>,
    seconds: Durations<OfOperation>,
    /// Subscriptions over SSE and WebSocket connections that are open.
    pub streams: Gauge,
    /// Subscriptions that run.
    pub subscriptions: Gauge,
    /// Answers that subscribers were sent.
    pub delivered: Counter,
    /// Connections that were closed because their reader was too slow or gone.
    pub slow: Counter,
}

impl GatewayMetrics {
    pub fn new(metrics: &Metrics) -> Self {
        let of = Self {
            operations: Family::default(),
            seconds: durations(),
            streams: Gauge::default(),
            subscriptions: Gauge::default(),
            delivered: Counter::default(),
            slow: Counter::default(),
        };
        metrics.register(|to| {
            to.register(
                "graphql_requests",
                "Queries and mutations; refusals in payloads are ok, entries in errors are not",
                of.operations.clone(),
            );
            to.register_with_unit(
                "graphql_duration",
                "Time of queries and mutations",
                Unit::Seconds,
                of.seconds.clone(),
            );
            to.register(
                "streams_open",
                "SSE streams and WebSocket connections that are open",
                of.streams.clone(),
            );
            to.register(
                "subscriptions_open",
                "Subscriptions that run",
                of.subscriptions.clone(),
            );
            to.register(
                "subscription_answers",
                "Answers that subscribers were sent",
                of.delivered.clone(),
            );
            to.register(
                "streams_closed_slow",
                "WebSocket connections whose reader was too slow or gone",
                of.slow.clone(),
            );
        });
        of
    }

    /// A query or mutation was answered.
    pub fn answered(&self, asked: &Asked, response: &Response, took: Duration) {
        let operation = asked.operation();
        let outcome = if response.is_ok() { "ok" } else { "error" };
        let of = OfOutcome { operation, outcome };
        self.operations.get_or_create(&of).inc();
        let seconds = self.seconds.get_or_create(&OfOperation { operation });
        seconds.observe(took.as_secs_f64());
    }
}

/// A gauge that counts something as long as this lives.
pub struct Open(Gauge);

impl Open {
    pub fn one(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What kind of operation a request turned out to be; known once its document is parsed.
#[derive(Clone, Default)]
pub struct Asked(Arc<OnceLock<OperationType>>);

impl Asked {
    /// The document of the request; of several operations the first one counts.
    pub fn parsed(&self, document: &ExecutableDocument) {
        let first = match &document.operations {
            DocumentOperations::Single(operation) => Some(operation.node.ty),
            DocumentOperations::Multiple(named) => named.values().next().map(|one| one.node.ty),
        };
        if let Some(first) = first {
            // A request has one document.
            let _ = self.0.set(first);
        }
    }

    fn operation(&self) -> &'static str {
        match self.0.get() {
            Some(OperationType::Query) => "query",
            Some(OperationType::Mutation) => "mutation",
            Some(OperationType::Subscription) => "subscription",
            None => "unreadable",
        }
    }
}
