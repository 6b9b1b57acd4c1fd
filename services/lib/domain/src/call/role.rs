//! What somebody may do in a call, by role. A table: what is not in it nobody may.

use serde::{Deserialize, Serialize};

/// Roles of calls, rooms and meetings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// A party without one, like a phone, or a call without roles.
    Unknown,
    /// Whose meeting it is.
    Organizer,
    /// Helps the organizer.
    CoOrganizer,
    /// Everything in a room.
    Presenter,
    /// Own audio and video.
    Attendee,
    /// Receives only.
    Consumer,
    /// As an attendee, and shares the screen.
    Collaborator,
}

/// Something that one may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Capability {
    /// Own video.
    TurnVideoOn,
    /// Own microphone.
    UnmuteMic,
    /// Screen, window or tab.
    ShareScreen,
    /// Takes somebody out.
    RemoveParticipant,
    /// Ends it for all.
    HangUpForEveryOne,
    /// Invites a communication user.
    AddCommunicationUser,
    /// Invites a Teams user.
    AddTeamsUser,
    /// Calls a phone.
    AddPhoneNumber,
    /// Admits from the lobby.
    ManageLobby,
    /// Puts somebody in the light.
    SpotlightParticipant,
    /// Takes all out of the light.
    RemoveParticipantsSpotlight,
    /// Asks to speak.
    RaiseHand,
    /// Calls phones from a room.
    PstnDialOut,
    /// Mutes somebody else.
    MuteOthers,
}

use Capability as C;
use Role as R;

const LEADERS: &[Role] = &[R::Organizer, R::CoOrganizer, R::Presenter];
const SPEAKERS: &[Role] = &[
    R::Organizer,
    R::CoOrganizer,
    R::Presenter,
    R::Attendee,
    R::Collaborator,
];
const SHARERS: &[Role] = &[R::Organizer, R::CoOrganizer, R::Presenter, R::Collaborator];
const ALL: &[Role] = &[
    R::Organizer,
    R::CoOrganizer,
    R::Presenter,
    R::Attendee,
    R::Consumer,
    R::Collaborator,
];

impl Capability {
    /// All, with the roles that have it.
    pub const TABLE: &'static [(Self, &'static [Role])] = &[
        (C::TurnVideoOn, SPEAKERS),
        (C::UnmuteMic, SPEAKERS),
        (C::ShareScreen, SHARERS),
        (C::RemoveParticipant, LEADERS),
        (C::HangUpForEveryOne, LEADERS),
        (C::AddCommunicationUser, LEADERS),
        (C::AddTeamsUser, LEADERS),
        (C::AddPhoneNumber, LEADERS),
        (C::ManageLobby, LEADERS),
        (C::SpotlightParticipant, LEADERS),
        (C::RemoveParticipantsSpotlight, LEADERS),
        (C::RaiseHand, ALL),
        (C::PstnDialOut, LEADERS),
        (C::MuteOthers, LEADERS),
    ];
}

impl Role {
    /// Whether the role has a capability. Where nobody has a role, as in a call between two, everybody may do everything but manage a lobby.
    pub fn may(self, capability: Capability) -> bool {
        if self == Self::Unknown {
            return capability != Capability::ManageLobby;
        }
        let mut table = Capability::TABLE.iter();
        let found = table.find(|(one, _)| *one == capability);
        found.is_some_and(|(_, roles)| roles.contains(&self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_rooms_may_what_the_documents_say() {
        for (capability, _) in Capability::TABLE {
            assert!(R::Presenter.may(*capability), "{capability:?}");
        }
        for (role, speaks, shares, leads) in [
            (R::Attendee, true, false, false),
            (R::Collaborator, true, true, false),
            (R::Consumer, false, false, false),
        ] {
            assert_eq!(role.may(C::UnmuteMic), speaks);
            assert_eq!(role.may(C::ShareScreen), shares);
            assert_eq!(role.may(C::RemoveParticipant), leads);
            assert!(role.may(C::RaiseHand));
        }
        assert!(R::Unknown.may(C::MuteOthers) && !R::Unknown.may(C::ManageLobby));
    }
}
