//! Teams-style meetings behind calendar events, through Microsoft Graph or anything that speaks like it.

mod artefacts;
mod calls;
mod failure;
mod health;
mod measured;
mod meetings;

use async_trait::async_trait;
use convene_domain::{Interval, meeting::External};
use convene_graph::{Graph, GraphConfig};
use convene_kit::{Clock, Metrics, Result, finding::Finding};

use super::{Capability, Captured, Chunks, Made, Provider, Told, Wish, capability::GRAPH_CALENDAR};

pub use health::{FINDINGS, NEEDS, Need, Part};

const NAME: &str = "graph-calendar";

/// The adapter.
#[derive(Debug)]
pub struct GraphCalendar {
    graph: Graph,
    known: health::Known,
    callback_uri: String,
    lobby_bypass: String,
}

impl GraphCalendar {
    /// Nothing is sent yet.
    pub fn new(
        config: GraphConfig,
        callback_uri: String,
        lobby_bypass: String,
        metrics: &Metrics,
    ) -> Result<Self> {
        let known = health::Known::of(&config);
        let graph = Graph::new(config).map_err(failure::failed)?;
        Ok(Self {
            graph: graph.watched(measured::watcher(metrics)),
            known,
            callback_uri,
            lobby_bypass,
        })
    }
}

#[async_trait]
impl Provider for GraphCalendar {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Teams-style meetings behind calendar events, through a Graph-like API"
    }

    fn capabilities(&self) -> Vec<Capability> {
        GRAPH_CALENDAR.to_vec()
    }

    async fn ensure(&self, wish: &Wish) -> Result<Made> {
        self.made(wish).await
    }

    async fn reschedule(&self, organizer: &str, event: &str, interval: Interval) -> Result<()> {
        self.moved(organizer, event, interval).await
    }

    async fn remove(&self, organizer: &str, key: &str, keep: Option<&str>) -> Result<usize> {
        self.removed(organizer, key, keep).await
    }

    async fn join(&self, meeting: &External) -> Result<String> {
        self.joined(meeting).await
    }

    async fn connected(&self, call: &str) -> Result<bool> {
        self.is_connected(call).await
    }

    async fn start_capture(&self, call: &str, context: &str) -> Result<Told> {
        self.started(call, context).await
    }

    async fn captures(&self, call: &str) -> Result<bool> {
        self.is_recording(call).await
    }

    async fn stop_capture(&self, call: &str, context: &str) -> Result<()> {
        self.stopped(call, context).await
    }

    async fn locate_artefact(
        &self,
        meeting: &External,
        captured: &Captured<'_>,
    ) -> Result<Option<String>> {
        self.located(meeting, captured).await
    }

    async fn artefact(&self, meeting: &External, artefact: &str) -> Result<(String, Chunks)> {
        self.opened(meeting, artefact).await
    }

    async fn leave(&self, call: &str) -> Result<()> {
        let left = self.graph.hang_up(call).await;
        left.map(drop).map_err(failure::failed)
    }

    async fn examine(&self, users: &[String], clock: &Clock) -> Vec<Finding> {
        self.examined(users, clock).await
    }
}
