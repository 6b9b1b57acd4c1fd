//! People in meetings: they come, wait in the provider's lobby, are let in, and leave.

use serde::{Deserialize, Serialize};

use super::{Directory, Meeting, World, derived_uuid};

/// People of one meeting, present or gone.
pub const ATTENDEES_MAX: usize = 1_000;

/// A person who came.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attendee {
    /// Participant id.
    pub id: String,
    /// Who it is to the tenant.
    pub kind: Kind,
    /// Name shown in the roster, when one was given.
    pub name: Option<String>,
    /// Where they are.
    pub presence: Presence,
    /// Arrived, in milliseconds.
    pub arrived_ms: i64,
    /// Left, in milliseconds.
    pub left_ms: Option<i64>,
}

/// Who a person is to the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The organizer.
    Organizer,
    /// A user of the organizer's tenant.
    User,
    /// Anyone else.
    Guest,
}

/// Where an attendee is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    /// In the provider's lobby.
    InLobby,
    /// In the meeting.
    InMeeting,
    /// Gone.
    Left,
}

impl Attendee {
    /// From the lobby into the meeting; nothing for those who are elsewhere.
    pub fn admit(&mut self) {
        if self.presence == Presence::InLobby {
            self.presence = Presence::InMeeting;
        }
    }

    /// Out, from wherever they are.
    pub fn leave(&mut self, now_ms: i64) {
        if self.presence != Presence::Left {
            self.presence = Presence::Left;
            self.left_ms = Some(now_ms);
        }
    }
}

impl Meeting {
    /// Whether somebody of this kind skips the lobby (`lobbyBypassScope`). A guest is outside of every organization and not invited by name, so
    /// only `everyone` helps.
    fn bypassed_by(&self, kind: Kind) -> bool {
        match (kind, self.lobby_scope.as_str()) {
            (Kind::Organizer, _) | (_, "everyone") => true,
            (Kind::User, scope) => scope != "organizer",
            (Kind::Guest, _) => false,
        }
    }

    /// How many are in the meeting.
    pub fn present(&self) -> usize {
        let inside = |attendee: &&Attendee| attendee.presence == Presence::InMeeting;
        self.attendees.iter().filter(inside).count()
    }

    /// A person of this meeting.
    pub fn attendee_mut(&mut self, id: &str) -> Option<&mut Attendee> {
        self.attendees.iter_mut().find(|attendee| attendee.id == id)
    }
}

impl World {
    /// A person opens the join link; answers them with the place they are in. `None` when the meeting is unknown or full.
    pub fn come(
        &mut self,
        directory: &Directory,
        meeting: &str,
        kind: Kind,
        name: Option<String>,
        now_ms: i64,
    ) -> Option<Attendee> {
        let number = self.next();
        let meeting = self.meetings.get_mut(meeting)?;
        if meeting.attendees.len() >= ATTENDEES_MAX {
            return None;
        }
        let presence = match meeting.bypassed_by(kind) {
            true => Presence::InMeeting,
            false => Presence::InLobby,
        };
        let attendee = Attendee {
            id: derived_uuid(directory.seed, &format!("attendee/{number}")),
            kind,
            name,
            presence,
            arrived_ms: now_ms,
            left_ms: None,
        };
        self.index
            .by_attendee
            .insert(attendee.id.clone(), meeting.id.clone());
        let before = meeting.present();
        meeting.attendees.push(attendee.clone());
        meeting.follow_presence(before, directory.seed, now_ms);
        Some(attendee)
    }

    /// Acts on one person; answers them as they are then.
    pub fn person(
        &mut self,
        directory: &Directory,
        id: &str,
        now_ms: i64,
        act: impl FnOnce(&mut Attendee),
    ) -> Option<Attendee> {
        let meeting = self.index.by_attendee.get(id)?;
        let meeting = self.meetings.get_mut(meeting)?;
        let before = meeting.present();
        let attendee = meeting.attendee_mut(id)?;
        act(attendee);
        let attendee = attendee.clone();
        meeting.follow_presence(before, directory.seed, now_ms);
        Some(attendee)
    }
}
