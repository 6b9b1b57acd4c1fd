//! Meetings and what providers can do.

use async_graphql::{Enum, ID, Object, SimpleObject};
use convene_proto::meeting::v1 as wire;

use crate::ids::{Kind, encode};

/// Where a meeting stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum MeetingState {
    /// Being made.
    Pending,
    /// Made at the provider.
    Ready,
    /// The provider refuses for good; see `reason`.
    Failed,
    /// Being removed.
    Cancelling,
    /// Gone at the provider.
    Cancelled,
    /// Over.
    Ended,
}

/// Whether the provider records.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum CaptureState {
    /// It does not.
    Off,
    /// It was asked to.
    Starting,
    /// It confirmed that it does.
    On,
    /// It was asked to stop.
    Stopping,
}

/// The meeting of a booking. Join details are not here: they need a permit.
pub struct Meeting {
    wire: wire::Meeting,
    state: MeetingState,
}

impl Meeting {
    /// As the broker has it.
    pub fn known(wire: wire::Meeting) -> Self {
        let state = match wire.phase() {
            wire::MeetingPhase::Ready => MeetingState::Ready,
            wire::MeetingPhase::Failed => MeetingState::Failed,
            wire::MeetingPhase::Cancelling => MeetingState::Cancelling,
            wire::MeetingPhase::Cancelled => MeetingState::Cancelled,
            wire::MeetingPhase::Ended => MeetingState::Ended,
            wire::MeetingPhase::Pending | wire::MeetingPhase::Unspecified => MeetingState::Pending,
        };
        Self { wire, state }
    }

    /// Before the broker has heard of it.
    pub fn unknown(id: String, state: MeetingState) -> Self {
        let wire = wire::Meeting {
            id,
            ..wire::Meeting::default()
        };
        Self { wire, state }
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// The meeting of a booking. Join details are not here: they need a permit.
#[Object]
impl Meeting {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Meeting, &self.wire.id)
    }

    /// Where it stands.
    async fn state(&self) -> MeetingState {
        self.state
    }

    /// Stable reason when FAILED.
    async fn reason(&self) -> Option<&str> {
        some(&self.wire.reason)
    }

    /// The adapter that made it.
    async fn provider(&self) -> Option<&str> {
        some(&self.wire.provider)
    }

    /// Whether the provider records.
    async fn capture(&self) -> CaptureState {
        match self.wire.capture() {
            wire::CaptureState::Starting => CaptureState::Starting,
            wire::CaptureState::On => CaptureState::On,
            wire::CaptureState::Stopping => CaptureState::Stopping,
            wire::CaptureState::Off | wire::CaptureState::Unspecified => CaptureState::Off,
        }
    }

    /// How many hold join details.
    async fn holders(&self) -> usize {
        self.wire.holders.len()
    }

    /// How many of them have not consented to recording.
    async fn holders_without_consent(&self) -> usize {
        self.wire.holders_without_consent.len()
    }

    /// Who was to skip the provider's lobby.
    async fn lobby_bypass_wanted(&self) -> Option<&str> {
        some(&self.wire.lobby_bypass_wanted)
    }

    /// Who does skip it, as the provider answered.
    async fn lobby_bypass_effective(&self) -> Option<&str> {
        some(&self.wire.lobby_bypass_effective)
    }
}

/// An adapter and what it can do.
#[derive(SimpleObject)]
pub struct MeetingProvider {
    /// Name.
    name: String,
    /// For people.
    description: String,
    /// The matrix.
    capabilities: Vec<Capability>,
}

/// One row of the matrix.
#[derive(SimpleObject)]
pub struct Capability {
    /// CREATE, LOBBY_ADMIT, RECORDING_PAUSE …
    name: String,
    /// How far.
    level: CapabilityLevel,
    /// What is lost, or how it works.
    note: String,
}

/// How far a provider can do something.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum CapabilityLevel {
    /// Without loss.
    Full,
    /// With the loss that the note names.
    Partial,
    /// Not at all.
    None,
}

impl From<wire::Provider> for MeetingProvider {
    fn from(provider: wire::Provider) -> Self {
        let capability = |capability: wire::Capability| Capability {
            level: match capability.level() {
                wire::CapabilityLevel::Full => CapabilityLevel::Full,
                wire::CapabilityLevel::Partial => CapabilityLevel::Partial,
                wire::CapabilityLevel::None | wire::CapabilityLevel::Unspecified => {
                    CapabilityLevel::None
                }
            },
            name: capability.name,
            note: capability.note,
        };
        Self {
            name: provider.name,
            description: provider.description,
            capabilities: provider.capabilities.into_iter().map(capability).collect(),
        }
    }
}

/// How to join: bearer secrets for one person. Never store or forward them.
#[derive(SimpleObject)]
pub struct JoinDetails {
    /// Link.
    join_url: String,
    /// Digits for joining by id.
    join_meeting_id: Option<String>,
    /// Passcode to the digits.
    passcode: Option<String>,
    /// Numbers to dial.
    dial_in_numbers: Vec<String>,
    /// What to dial then.
    conference_id: Option<String>,
}

impl From<wire::JoinDetails> for JoinDetails {
    fn from(details: wire::JoinDetails) -> Self {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            join_url: details.join_url,
            join_meeting_id: some(details.join_meeting_id),
            passcode: some(details.passcode),
            dial_in_numbers: details.dial_in_numbers,
            conference_id: some(details.conference_id),
        }
    }
}
