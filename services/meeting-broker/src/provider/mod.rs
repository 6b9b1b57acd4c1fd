//! Providers of meetings, behind one trait and a matrix of what each can do.

mod capability;
mod graph;

use async_trait::async_trait;
use bytes::Bytes;
use convene_domain::{Interval, meeting::External};
use convene_kit::{Clock, Result, finding::Finding};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

pub use capability::{Capability, CapabilityLevel};
pub use graph::{FINDINGS, GraphCalendar, NEEDS, Need, Part};

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
    /// Not, and it will not; a stable reason.
    Refused(String),
}

/// A capture that ended, as the provider can tell it apart: it names the call only, and the rest is order.
#[derive(Debug)]
pub struct Captured<'a> {
    /// The call it ran through.
    pub call: &'a str,
    /// Its place (from 0) among the captures through this call.
    pub nth: usize,
    /// How many captures through this call have ended.
    pub ended: usize,
}

/// Bytes of an artefact, in order; an error ends them.
pub type Chunks = mpsc::Receiver<Result<Bytes>>;

/// What the broker needs of a provider. Every method may be called again after an unknown outcome: it looks before it acts, or says who has to.
/// [`Code::Refused`](convene_kit::Code::Refused) is for good; any other error is worth another try.
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

    /// Gives an event another time. The event stays the same one, and so do its join details.
    async fn reschedule(&self, organizer: &str, event: &str, interval: Interval) -> Result<()>;

    /// Removes every meeting that carries the key, except `keep`; answers how many there were.
    async fn remove(&self, organizer: &str, key: &str, keep: Option<&str>) -> Result<usize>;

    /// Enters the meeting anew; answers the call, which may still be connecting.
    async fn join(&self, meeting: &External) -> Result<String>;

    /// Waits, within bounds, until a call is in its meeting; `false` when the call is over.
    async fn connected(&self, call: &str) -> Result<bool>;

    /// Starts recording through a call, unless it records already.
    async fn start_capture(&self, call: &str, context: &str) -> Result<Told>;

    /// Whether the meeting of a call is being recorded, as far as the provider shows; `false` when the call is over.
    async fn captures(&self, call: &str) -> Result<bool>;

    /// Stops recording through a call; a call that is over or records nothing is stopped.
    async fn stop_capture(&self, call: &str, context: &str) -> Result<()>;

    /// The artefact of a capture that ended; `None` while the provider prepares it.
    async fn locate_artefact(
        &self,
        meeting: &External,
        captured: &Captured<'_>,
    ) -> Result<Option<String>>;

    /// Content type and bytes of an artefact.
    async fn artefact(&self, meeting: &External, artefact: &str) -> Result<(String, Chunks)>;

    /// Leaves the call, when it is not over already.
    async fn leave(&self, call: &str) -> Result<()>;

    /// Looks at how it is, for its operators, and at what these organizers lack; reads only, in bounded time.
    async fn examine(&self, users: &[String], clock: &Clock) -> Vec<Finding>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn join_details_are_not_printed() {
        let details = JoinDetails {
            join_url: "canary".into(),
            join_meeting_id: "canary".into(),
            passcode: "canary".into(),
            dial_in_numbers: vec!["canary".into()],
            conference_id: "canary".into(),
        };
        assert!(!format!("{details:?} {details:#?}").contains("canary"));
    }
}
