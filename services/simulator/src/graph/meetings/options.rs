//! What a client wants of an online meeting: the body of a create or an update, checked.

use serde_json::Value;

use crate::{
    graph::{
        error::Failure,
        members::{self, Kind, Known},
        time,
    },
    world::{Meeting, Members, User},
};

/// `lobbyBypassScope` members of the metadata that can be set.
const SCOPES: &[&str] = &[
    "organizer",
    "organization",
    "organizationAndFederated",
    "everyone",
    "invited",
    "organizationExcludingGuests",
];
/// `onlineMeetingRole` members that can be set.
const ROLES: [&str; 4] = ["attendee", "presenter", "producer", "coorganizer"];

/// Members of v1.0 metadata, type `onlineMeeting`. The type is open: others are tolerated and kept.
const KNOWN: &Known = &[
    ("subject", Kind::Text),
    ("externalId", Kind::Text),
    ("participants", Kind::Object),
    ("joinMeetingIdSettings", Kind::Object),
    ("lobbyBypassSettings", Kind::Object),
    (
        "allowedLobbyAdmitters",
        Kind::OneOf(&[
            "organizerAndCoOrganizersAndPresenters",
            "organizerAndCoOrganizers",
        ]),
    ),
    (
        "allowedPresenters",
        Kind::OneOf(&["everyone", "organization", "roleIsPresenter", "organizer"]),
    ),
    (
        "allowMeetingChat",
        Kind::OneOf(&["enabled", "disabled", "limited"]),
    ),
    (
        "shareMeetingChatHistoryDefault",
        Kind::OneOf(&["none", "all"]),
    ),
    ("allowLiveShare", Kind::OneOf(&["enabled", "disabled"])),
    ("allowAttendeeToEnableCamera", Kind::Flag),
    ("allowAttendeeToEnableMic", Kind::Flag),
    ("allowTeamworkReactions", Kind::Flag),
    ("allowRecording", Kind::Flag),
    ("allowTranscription", Kind::Flag),
    ("allowBreakoutRooms", Kind::Flag),
    ("allowCopyingAndSharingMeetingContent", Kind::Flag),
    ("allowParticipantsToChangeName", Kind::Flag),
    ("allowPowerPointSharing", Kind::Flag),
    ("allowWhiteboard", Kind::Flag),
    ("isEntryExitAnnounced", Kind::Flag),
    ("isEndToEndEncryptionEnabled", Kind::Flag),
    ("recordAutomatically", Kind::Flag),
    ("watermarkProtection", Kind::Object),
    ("chatRestrictions", Kind::Object),
    ("sensitivityLabelAssignment", Kind::Object),
    ("meetingTemplateId", Kind::Text),
    ("meetingSpokenLanguageTag", Kind::Text),
];

/// Members that only the service sets, and those that are kept apart from the rest.
const APART: [&str; 16] = [
    "id",
    "attendees",
    "startDateTime",
    "endDateTime",
    "creationDateTime",
    "externalId",
    "joinWebUrl",
    "joinUrl",
    "joinInformation",
    "chatInfo",
    "joinMeetingIdSettings",
    "lobbyBypassSettings",
    "participants",
    "audioConferencing",
    "videoTeleconferenceId",
    "meetingType",
];

/// A checked body. What is `None` was not sent.
#[derive(Debug, Default)]
pub struct Options {
    pub start_ms: Option<i64>,
    pub end_ms: Option<i64>,
    pub external_id: Option<String>,
    pub passcode_required: Option<bool>,
    scope: Option<String>,
    dial_in_bypass: Option<bool>,
    attendees: Option<Value>,
    /// What is kept as it was sent.
    pub members: Members,
}

impl Options {
    /// Reads a body, or says what is wrong with it.
    pub fn read(mut body: Members, organizer: &User) -> Result<Self, Failure> {
        if let Some(sentence) = members::wrong(&body, KNOWN) {
            return Err(Failure::bad(sentence));
        }
        let lobby = part(&body, "lobbyBypassSettings");
        let nested: &Known = &[
            ("scope", Kind::OneOf(SCOPES)),
            ("isDialInBypassEnabled", Kind::Flag),
        ];
        let join = part(&body, "joinMeetingIdSettings");
        let joining: &Known = &[("isPasscodeRequired", Kind::Flag)];
        let sentence = members::wrong(&lobby, nested).or_else(|| members::wrong(&join, joining));
        if let Some(sentence) = sentence {
            return Err(Failure::bad(sentence));
        }
        let flag = |of: &Members, name: &str| of.get(name).and_then(Value::as_bool);
        let options = Self {
            start_ms: time::date_time_offset(&body, "startDateTime")?,
            end_ms: time::date_time_offset(&body, "endDateTime")?,
            external_id: members::text(&body, "externalId").map(str::to_owned),
            passcode_required: flag(&join, "isPasscodeRequired"),
            scope: members::text(&lobby, "scope").map(str::to_owned),
            dial_in_bypass: flag(&lobby, "isDialInBypassEnabled"),
            attendees: attendees(&body, organizer)?,
            members: Members::new(),
        };
        body.retain(|name, _| !APART.contains(&name.as_str()) && !name.contains('@'));
        Ok(Self {
            members: body,
            ..options
        })
    }

    /// Puts what was sent onto a meeting: nested settings merge, attendees are the whole list.
    pub fn apply(self, meeting: &mut Meeting) {
        if let Some(scope) = self.scope {
            meeting.lobby_scope = scope;
        }
        if let Some(bypass) = self.dial_in_bypass {
            meeting.dial_in_bypass = bypass;
        }
        if let Some(attendees) = self.attendees {
            meeting.members.insert("attendees".into(), attendees);
        }
        meeting.members.extend(self.members);
    }
}

fn part(body: &Members, name: &str) -> Members {
    let part = body.get(name).and_then(Value::as_object);
    part.cloned().unwrap_or_default()
}

/// Invited people. The organizer may be named, but not another one.
fn attendees(body: &Members, organizer: &User) -> Result<Option<Value>, Failure> {
    let participants = part(body, "participants");
    let named = participants.get("organizer").and_then(|who| {
        let id = who.pointer("/identity/user/id").or_else(|| who.get("upn"));
        id?.as_str()
    });
    let is_organizer = |key: &str| {
        key.eq_ignore_ascii_case(&organizer.id)
            || key.eq_ignore_ascii_case(&organizer.principal_name)
    };
    if named.is_some_and(|key| !is_organizer(key)) {
        return Err(Failure::bad(
            "participants.organizer cannot be another user than the one in the path.",
        ));
    }
    let Some(attendees) = participants.get("attendees") else {
        return Ok(None);
    };
    let list = attendees
        .as_array()
        .ok_or_else(|| Failure::bad("participants.attendees must be an array."))?;
    let role_is_known = |who: &Value| match who.get("role") {
        None | Some(Value::Null) => who.is_object(),
        Some(role) => role.as_str().is_some_and(|role| ROLES.contains(&role)),
    };
    if !list.iter().all(role_is_known) {
        return Err(Failure::bad(format!(
            "participants.attendees must be objects whose role is one of {}.",
            ROLES.join(", ")
        )));
    }
    Ok(Some(attendees.clone()))
}
