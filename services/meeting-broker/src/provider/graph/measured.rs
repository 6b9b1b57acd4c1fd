//! Requests to Graph as metrics: by the path's template, never by what stands in it.

use convene_graph::Exchange;
use convene_kit::{
    Metrics,
    metrics::{Durations, durations},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Unit,
};

/// Outcome of a request that was answered well.
const OK: &str = "OK";
/// Upper bounds of the pauses that the provider asks for, in seconds; the client cuts them to an hour.
const PAUSES: [f64; 8] = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOutcome {
    method: String,
    route: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRoute {
    method: String,
    route: &'static str,
}

/// What the client tells of every request.
pub fn watcher(metrics: &Metrics) -> impl Fn(&Exchange) + Send + Sync + use<> {
    let requests = Family::<OfOutcome, Counter>::default();
    let seconds: Durations<OfRoute> = durations();
    let pauses = Histogram::new(PAUSES);
    metrics.register(|to| {
        to.register(
            "provider_requests",
            "Requests to the provider, by outcome; PROVIDER_THROTTLED is 429",
            requests.clone(),
        );
        to.register_with_unit(
            "provider_request_duration",
            "Time until the provider's answer begins, tokens included",
            Unit::Seconds,
            seconds.clone(),
        );
        to.register_with_unit(
            "provider_retry_after",
            "Pauses that the provider asked for",
            Unit::Seconds,
            pauses.clone(),
        );
    });
    move |exchange| {
        let (method, route) = (exchange.method.to_string(), exchange.route);
        let of = OfOutcome {
            method: method.clone(),
            route,
            outcome: exchange.failure.unwrap_or(OK),
        };
        requests.get_or_create(&of).inc();
        let of = OfRoute { method, route };
        let took = exchange.took.as_secs_f64();
        seconds.get_or_create(&of).observe(took);
        if let Some(pause) = exchange.retry_after {
            pauses.observe(pause.as_secs_f64());
        }
    }
}
