//! One call: who is in it, whether it is between two or a group, and when it is over. What a single client sees of it is a [`leg`](crate::leg), how
//! each party stands is a [`participant`](crate::participant).

mod machine;
mod reason;
mod role;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ParticipantId, Refused, Timestamp};
pub use reason::EndReason;
pub use role::{Capability, Role};

/// Parties that are in a call at the same time.
pub const PARTICIPANTS_MAX: usize = 350;

/// A call. Its id, and those of its participants, stay the same when it grows from two to many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Between two, or a group.
    pub kind: Kind,
    /// When it became established.
    pub established_at: Option<Timestamp>,
    /// Who is or was in it.
    pub participants: BTreeMap<ParticipantId, Member>,
    /// Rises with every change of who is there and how: what clients order roster updates by.
    pub sequence: u64,
    /// Where the call stands.
    pub phase: Phase,
}

/// How a call began or what it became.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Ends when one of the two goes.
    OneToOne,
    /// Goes on until nobody is left.
    Group,
}

/// What kind of party somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// A user, of communication services or of the provider.
    User,
    /// A telephone; it has no role.
    Phone,
    /// An application. Rosters leave it out.
    Bot,
}

/// A party of the call.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// What they are.
    pub party: Party,
    /// What they may do.
    pub role: Role,
    /// How they stand in the call.
    pub stands: Stands,
}

/// How a party stands in the call as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stands {
    /// Asked to come, not there yet.
    Invited,
    /// There.
    Joined,
    /// Gone, or never came.
    Gone(EndReason),
}

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state")]
pub enum Phase {
    /// Nobody has answered.
    Establishing,
    /// People are together.
    Established,
    /// It is being ended for everyone.
    Terminating {
        /// Why.
        reason: EndReason,
    },
    /// Over; final.
    Terminated {
        /// Why.
        reason: EndReason,
    },
}

/// Facts of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// Somebody places it, or joins a group that was not there.
    CallBegun {
        /// Between two, or a group from the start.
        kind: Kind,
    },
    /// Somebody is asked to come.
    ParticipantInvited {
        /// Who.
        participant: ParticipantId,
        /// What they are.
        party: Party,
        /// What they may do.
        role: Role,
    },
    /// Somebody is there.
    ParticipantJoined {
        /// Who.
        participant: ParticipantId,
    },
    /// Somebody may do other things now.
    RoleChanged {
        /// Who.
        participant: ParticipantId,
        /// What they may do.
        role: Role,
    },
    /// How somebody is there changed (mute, hold): rosters are told anew.
    ParticipantChanged {
        /// Who.
        participant: ParticipantId,
    },
    /// Somebody is gone, or did not come.
    ParticipantLeft {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: EndReason,
    },
    /// Somebody entitled ends it for everyone.
    EndWanted {
        /// Why.
        reason: EndReason,
    },
}

/// What a call needs done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Effect {
    /// Tell everybody in the call who is there.
    TellRoster {
        /// The state that is told; a newer one replaces it.
        sequence: u64,
    },
    /// Take a party out.
    Disconnect {
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: EndReason,
    },
}

/// The call is as large as calls get.
pub const CALL_FULL: Refused = Refused::new(
    "CALL_FULL",
    "the call has 350 participants, as many as a call holds; remove one first",
);
/// Nothing happens in a call any more.
pub const CALL_OVER: Refused = Refused::new("CALL_OVER", "the call is over; place a new one");
/// An event about somebody who is not in the call.
pub const NOT_IN_CALL: Refused = Refused::new(
    "NOT_IN_CALL",
    "the participant is not in this call; invite them first",
);

impl Call {
    /// Parties who are there or are asked to come.
    pub fn present(&self) -> impl Iterator<Item = (ParticipantId, &Member)> {
        let all = self.participants.iter();
        all.filter(|(_, member)| !matches!(member.stands, Stands::Gone(_)))
            .map(|(id, member)| (*id, member))
    }

    /// Parties who are there, applications left out: what a roster shows.
    pub fn roster(&self) -> impl Iterator<Item = ParticipantId> {
        let joined = self
            .present()
            .filter(|(_, member)| member.stands == Stands::Joined && member.party != Party::Bot);
        joined.map(|(id, _)| id)
    }

    /// Why it is over, when it is.
    pub fn ended(&self) -> Option<EndReason> {
        match self.phase {
            Phase::Terminated { reason } => Some(reason),
            _ => None,
        }
    }
}
