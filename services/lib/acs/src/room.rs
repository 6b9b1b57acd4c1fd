//! Rooms: who may join which call when, in which role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Problem, RawId};

/// Longest time that a room is open, and for how long it is unless told otherwise, in milliseconds.
const OPEN_MS_MAX: i64 = 180 * 86_400_000;
/// People invited to a room: as many as a call holds.
pub const PARTICIPANTS_MAX: usize = 350;

/// What somebody may do in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Everything.
    Presenter,
    /// Own audio and video.
    #[default]
    Attendee,
    /// Receives only.
    Consumer,
    /// As an attendee, and shares the screen.
    Collaborator,
}

impl Role {
    /// By its name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "Presenter" => Self::Presenter,
            "Attendee" => Self::Attendee,
            "Consumer" => Self::Consumer,
            "Collaborator" => Self::Collaborator,
            _ => return None,
        })
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Presenter => "Presenter",
            Self::Attendee => "Attendee",
            Self::Consumer => "Consumer",
            Self::Collaborator => "Collaborator",
        }
    }
}

/// Raw ids with the new role, or with nothing for those who are not invited any more.
pub type RoleChanges = BTreeMap<String, Option<Role>>;

/// A room that is asked for. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRoom {
    /// Now unless told otherwise.
    pub valid_from_ms: Option<i64>,
    /// 180 days from now unless told otherwise.
    pub valid_until_ms: Option<i64>,
    /// Off unless told otherwise.
    pub pstn_dial_out: bool,
    /// Raw ids and roles.
    pub participants: RoleChanges,
}

/// What changes about a room; what is not named stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// In milliseconds.
    pub valid_from_ms: Option<i64>,
    /// In milliseconds.
    pub valid_until_ms: Option<i64>,
    /// Whether phones may be called from the room.
    pub pstn_dial_out: Option<bool>,
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// 17 digits.
    pub id: String,
    /// In milliseconds.
    pub created_ms: i64,
    /// In milliseconds.
    pub valid_from_ms: i64,
    /// In milliseconds.
    pub valid_until_ms: i64,
    /// Whether phones may be called from the room.
    pub pstn_dial_out: bool,
    /// Who is invited.
    pub participants: BTreeMap<String, Role>,
}

impl Room {
    /// A new room.
    pub fn open(id: String, new: NewRoom, now_ms: i64) -> Result<Self, Problem> {
        let mut room = Self {
            id,
            created_ms: now_ms,
            valid_from_ms: new.valid_from_ms.unwrap_or(now_ms),
            valid_until_ms: new.valid_until_ms.unwrap_or(now_ms + OPEN_MS_MAX),
            pstn_dial_out: new.pstn_dial_out,
            participants: BTreeMap::new(),
        };
        room.check_times(now_ms)?;
        room.invite(new.participants)?;
        Ok(room)
    }

    /// Other times, or dial-out.
    pub fn change(&mut self, change: &RoomChange, now_ms: i64) -> Result<(), Problem> {
        let mut changed = self.clone();
        changed.valid_from_ms = change.valid_from_ms.unwrap_or(self.valid_from_ms);
        changed.valid_until_ms = change.valid_until_ms.unwrap_or(self.valid_until_ms);
        changed.pstn_dial_out = change.pstn_dial_out.unwrap_or(self.pstn_dial_out);
        // A room that was opened long ago may be given dial-out still.
        if change.valid_from_ms.is_some() || change.valid_until_ms.is_some() {
            changed.check_times(now_ms)?;
        }
        *self = changed;
        Ok(())
    }

    /// Invites, changes roles, removes: all or nothing.
    pub fn invite(&mut self, changes: RoleChanges) -> Result<(), Problem> {
        let mut participants = self.participants.clone();
        for (raw_id, role) in changes {
            if !matches!(RawId::of(&raw_id), RawId::User { .. }) {
                let text = "Only communication users (8:acs:…) can be invited to a room.";
                return Err(Problem::bad(format!("participants['{raw_id}']"), text));
            }
            match role {
                Some(role) => participants.insert(raw_id, role),
                None => participants.remove(&raw_id),
            };
        }
        if participants.len() > PARTICIPANTS_MAX {
            let text = format!("A room has at most {PARTICIPANTS_MAX} participants; remove some.");
            return Err(Problem::bad("participants", text));
        }
        self.participants = participants;
        Ok(())
    }

    fn check_times(&self, now_ms: i64) -> Result<(), Problem> {
        let wrong = |text| Err(Problem::bad("validUntil", text));
        if self.valid_until_ms <= self.valid_from_ms {
            return wrong("validUntil must be later than validFrom.");
        }
        if self.valid_until_ms <= now_ms {
            return wrong("validUntil must be in the future.");
        }
        if self.valid_until_ms - self.valid_from_ms > OPEN_MS_MAX {
            return wrong("A room is open for at most 180 days; choose an earlier validUntil.");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;
    const USER: &str = "8:acs:r_u";

    fn room(new: NewRoom) -> Result<Room, Problem> {
        Room::open("9".to_owned(), new, DAY)
    }

    fn between(from: Option<i64>, until: Option<i64>) -> NewRoom {
        NewRoom {
            valid_from_ms: from,
            valid_until_ms: until,
            ..NewRoom::default()
        }
    }

    #[test]
    fn times_are_now_and_180_days_unless_told_otherwise() {
        let made = room(NewRoom::default()).unwrap();
        assert_eq!((made.valid_from_ms, made.valid_until_ms), (DAY, 181 * DAY));
        for (from, until) in [
            (Some(3 * DAY), Some(2 * DAY)),
            (Some(2 * DAY), Some(2 * DAY)),
            (Some(-9 * DAY), Some(DAY)),
            (None, Some(181 * DAY + 1)),
            (Some(200 * DAY), None),
        ] {
            let refused = room(between(from, until)).unwrap_err();
            assert_eq!(refused.target.as_deref(), Some("validUntil"), "{from:?}");
        }
        assert!(room(between(Some(2 * DAY), Some(182 * DAY))).is_ok());
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let mut made = room(NewRoom::default()).unwrap();
        let before = made.clone();
        let change = RoomChange {
            valid_until_ms: Some(0),
            pstn_dial_out: Some(true),
            ..RoomChange::default()
        };
        made.change(&change, DAY).unwrap_err();
        let strangers = ["8:orgid:x", "4:+14255550100", "8:acs:r_t_u", "8:echo123"];
        for stranger in strangers {
            let invited = [
                (USER.to_owned(), None),
                (stranger.to_owned(), Some(Role::Attendee)),
            ];
            made.invite(invited.into()).unwrap_err();
        }
        assert_eq!(made, before);
        // Long after its end too.
        let change = RoomChange {
            pstn_dial_out: Some(true),
            ..RoomChange::default()
        };
        made.change(&change, 1_000 * DAY).unwrap();
        assert!(made.pstn_dial_out);
    }

    #[test]
    fn a_room_holds_as_many_as_a_call() {
        let invited = |count: usize| {
            let each = (0..count).map(|n| (format!("{USER}{n}"), Some(Role::Consumer)));
            each.collect::<RoleChanges>()
        };
        let mut made = room(NewRoom::default()).unwrap();
        made.invite(invited(PARTICIPANTS_MAX)).unwrap();
        made.invite(invited(PARTICIPANTS_MAX + 1)).unwrap_err();
        assert_eq!(made.participants.len(), PARTICIPANTS_MAX);
        made.invite([(format!("{USER}0"), None)].into()).unwrap();
        assert_eq!(made.participants.len(), PARTICIPANTS_MAX - 1);
    }
}
