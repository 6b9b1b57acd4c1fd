//! Providers of meetings, behind one trait and a matrix of what each can do.

mod capability;
mod graph;

use async_trait::async_trait;
use bytes::Bytes;
use convene_domain::{Interval, meeting::External};
use convene_kit::{BoxFuture, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub use capability::{Capability, CapabilityLevel};
pub use graph::GraphCalendar;

/// A meeting to be made.
pub struct Wish {
    /// What it is about.
    pub subject: String,
    /// Mailbox that organises it.
    pub organizer: String,
    /// From when to when.
    pub interval: Interval,
    /// Our key at the provider: the same for every try.
    pub key: String,
}

/// A meeting that the provider has.
pub struct Made {
    /// Its names.
    pub external: External,
    /// How to join.
    pub details: JoinDetails,
}

/// How to join: bearer secrets. They are sealed at once, and nothing prints them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct JoinDetails {
    /// Link.
    pub join_url: String,
    /// Digits.
    pub join_meeting_id: String,
    /// Passcode to the digits.
    pub passcode: String,
    /// Numbers to dial.
    pub dial_in_numbers: Vec<String>,
    /// What to dial then.
    pub conference_id: String,
}

impl std::fmt::Debug for JoinDetails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinDetails")
    }
}

/// Whether the provider did as it was told.
#[derive(Debug)]
pub enum Told {
    /// Confirmed.
    Done,
    /// Not, and it will not.
    Refused(String),
}

/// Bytes of an artefact, in order; an error ends them.
pub type Chunks = mpsc::Receiver<Result<Bytes>>;

/// What the broker needs of a provider. Every method may be called again after an unknown outcome: it looks before it acts.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// Name in APIs.
    fn name(&self) -> &'static str;

    /// One sentence for people.
    fn description(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> Vec<Capability>;

    /// Makes the meeting, or finds the one that an earlier try made.
    async fn ensure(&self, wish: &Wish) -> Result<Made>;

    /// Removes every meeting that carries the key, except `keep`; answers how many there were.
    async fn remove(&self, organizer: &str, key: &str, keep: Option<&str>) -> Result<usize>;

    /// A call in the meeting: the given one while it stands, else a new one.
    async fn join(&self, meeting: &External, call: Option<&str>) -> Result<String>;

    /// Starts recording through a call.
    async fn start_capture(&self, call: &str, context: &str) -> Result<Told>;

    /// Stops recording through a call.
    async fn stop_capture(&self, call: &str, context: &str) -> Result<Told>;

    /// The artefact of the `nth` (from 0) capture through a call; `None` while the provider prepares it.
    async fn locate_artefact(
        &self,
        meeting: &External,
        call: &str,
        nth: usize,
    ) -> Result<Option<String>>;

    /// Content type and bytes of an artefact.
    fn artefact<'a>(
        &'a self,
        meeting: &'a External,
        artefact: &'a str,
    ) -> BoxFuture<'a, Result<(String, Chunks)>>;

    /// Leaves the call.
    async fn leave(&self, call: &str) -> Result<()>;
}
