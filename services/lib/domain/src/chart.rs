//! State charts drawn from the machines themselves, so that a chart cannot lie.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{Interval, Machine, Timestamp};

/// A machine that can be explored: sample events from which every state is reached.
pub trait Charted: Machine {
    /// The node of the chart that this value belongs to.
    fn chart_state(&self) -> String {
        self.state().to_owned()
    }

    /// The event that begins an object, and samples of all later ones.
    fn chart_events() -> (Self::Event, Vec<Self::Event>);
}

/// The interval that charts use where a machine wants one.
pub(crate) fn an_hour() -> Interval {
    let hour_ms = 3_600_000;
    match Interval::new(Timestamp::from_millis(0), Timestamp::from_millis(hour_ms)) {
        Some(interval) => interval,
        None => unreachable!("0 is before an hour"),
    }
}

/// Distinct machine values that an exploration visits at the most.
const VALUES_MAX: usize = 5_000;

/// A Mermaid state diagram of all that is reachable from the first event.
pub fn chart<M: Charted>() -> String {
    let (first, later) = M::chart_events();
    let now = an_hour().start();
    let mut edges: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::new();

    if let Ok(step) = M::begin(first.clone(), now) {
        edges
            .entry(("[*]".into(), step.next.chart_state()))
            .or_default()
            .insert(name(&first));
        open.push_back(step.next);
    }
    while let Some(machine) = open.pop_front() {
        if seen.len() >= VALUES_MAX || !seen.insert(format!("{machine:?}")) {
            continue;
        }
        for event in &later {
            let Ok(Some(step)) = machine.clone().on(event.clone(), now) else {
                continue;
            };
            let edge = (machine.chart_state(), step.next.chart_state());
            if edge.0 != edge.1 {
                edges.entry(edge).or_default().insert(name(event));
            }
            open.push_back(step.next);
        }
    }

    let mut text = String::from("stateDiagram-v2\n");
    for ((from, to), names) in edges {
        let names: Vec<_> = names.into_iter().collect();
        text.push_str(&format!("  {from} --> {to}: {}\n", names.join(", ")));
    }
    text
}

fn name<E: serde::Serialize>(event: &E) -> String {
    serde_json::to_value(event)
        .ok()
        .and_then(|value| Some(value.get("type")?.as_str()?.to_owned()))
        .unwrap_or_default()
}
