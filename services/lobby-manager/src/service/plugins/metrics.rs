//! What plugins do, measured. Verdicts and reasons are closed lists, so the number of series is bounded.

use convene_kit::{
    Metrics,
    metrics::{Durations, durations},
};
use convene_plugin_host::{Fault, Record, hook::lobby::Verdict};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Unit,
};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOutcome {
    role: &'static str,
    outcome: &'static str,
    shadow: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRole {
    role: &'static str,
}

/// Calls of plugins.
#[derive(Clone)]
pub struct PluginMetrics {
    calls: Family<OfOutcome, Counter>,
    seconds: Durations<OfRole>,
}

impl PluginMetrics {
    pub fn new(metrics: &Metrics) -> Self {
        let of = Self {
            calls: Family::default(),
            seconds: durations(),
        };
        metrics.register(|to| {
            to.register(
                "plugin_calls",
                "Calls of plugins: by verdict, or by the reason why there was none",
                of.calls.clone(),
            );
            to.register_with_unit(
                "plugin_call_duration",
                "Time of calls of plugins, waiting for a place included",
                Unit::Seconds,
                of.seconds.clone(),
            );
        });
        of
    }

    /// A plugin was asked.
    pub fn asked(&self, outcome: &Result<Verdict, Fault>, record: Option<&Record>, shadow: bool) {
        let role = crate::NAME;
        let of = OfOutcome {
            role,
            outcome: match outcome {
                Ok(verdict) => verdict.word(),
                Err(fault) => fault.reason.name(),
            },
            shadow: if shadow { "yes" } else { "no" },
        };
        self.calls.get_or_create(&of).inc();
        if let Some(record) = record {
            let seconds = record.duration_us as f64 / 1_000_000.0;
            self.seconds
                .get_or_create(&OfRole { role })
                .observe(seconds);
        }
    }
}
