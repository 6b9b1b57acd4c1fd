//! What there is in a call.

use std::collections::BTreeMap;

use convene_domain::{ParticipantId, call::Call, leg::Leg, participant::Participant};
use serde::{Deserialize, Serialize};

use super::{Told, lanes::Lane};

/// A call with its parties.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Opaque text that all legs share.
    pub id: String,
    /// For logs.
    pub correlation: String,
    /// Who called, as who is called sees it: raw id and name.
    pub caller: (String, Option<String>),
    /// Who is there, and whether it is over.
    pub call: Call,
    /// Everybody but applications.
    pub parties: BTreeMap<ParticipantId, Somebody>,
    /// Call connection ids of applications in it.
    pub legs: Vec<String>,
}

/// A party that is no application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Somebody {
    /// Who.
    pub raw_id: String,
    /// How they stand.
    pub participant: Participant,
    /// Who wants to know whether they come.
    pub invitation: Option<Invitation>,
}

/// An invitation that is not answered yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invitation {
    /// The leg that invited.
    pub leg: String,
    /// For cancelling it.
    pub id: String,
    /// What the answer to it is told with.
    pub told: Told,
    /// By which operation.
    pub by: Invited,
}

/// How somebody came to be invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Invited {
    /// With the call.
    Create,
    /// Into a running call.
    Add,
    /// To take over somebody of another call.
    Transfer {
        /// Raw id.
        transferee: String,
    },
}

/// An application's leg.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppLeg {
    /// The call.
    pub call: String,
    /// Itself in the call.
    pub participant: ParticipantId,
    /// Where callbacks go.
    pub callback: String,
    /// Given with the operation that made the leg.
    pub operation_context: Option<String>,
    /// How it stands.
    pub leg: Leg,
    /// Whether it placed the call.
    pub placed: bool,
    /// Whether it was told that it is connected: the first thing that it is told.
    pub announced: bool,
    /// Whom it called, or who called it.
    pub targets: Vec<String>,
    /// The application itself.
    pub source: String,
    /// A phone number that it showed.
    pub caller_id: Option<String>,
    /// A name that it showed.
    pub display_name: Option<String>,
    /// Who answered on this leg.
    pub answered_by: Option<String>,
    /// What is played and listened for: to everybody under the empty name, else by raw id.
    pub lanes: BTreeMap<String, Lane>,
    /// Whose tones are told as they come: how many there were, and how they are told.
    pub continuous: BTreeMap<String, (u32, Told)>,
}

/// A call that an application may answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Incoming {
    /// The call.
    pub call: String,
    /// Who is called.
    pub participant: ParticipantId,
}
