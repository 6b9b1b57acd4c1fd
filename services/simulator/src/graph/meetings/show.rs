//! Online meetings as clients see them.

use serde_json::{Value, json};

use crate::{clock::rfc3339, graph::ask::Ask, world::Meeting};

/// Scopes that newer versions of the metadata added; sent by their names only when they are asked for.
const NEWER_SCOPES: [&str; 2] = ["invited", "organizationExcludingGuests"];

/// The whole meeting. Defaults are those of the pages' texts and samples; the rest follows the organizer's policy and is left out.
pub fn meeting(ask: &Ask, meeting: &Meeting) -> Value {
    let organizer = ask.shared.directory.user(&meeting.organizer);
    let mut shown = meeting.members.clone();
    let attendees = shown.remove("attendees").unwrap_or_else(|| json!([]));
    for (name, value) in [
        ("subject", Value::Null),
        ("allowedPresenters", json!("everyone")),
        ("allowMeetingChat", json!("enabled")),
        ("allowAttendeeToEnableCamera", json!(true)),
        ("allowAttendeeToEnableMic", json!(true)),
        ("allowTeamworkReactions", json!(true)),
        ("isEntryExitAnnounced", json!(true)),
        ("recordAutomatically", json!(false)),
    ] {
        shown.entry(name).or_insert(value);
    }
    let mut set = |name: &str, value: Value| {
        shown.insert(name.to_owned(), value);
    };
    set("id", meeting.id.clone().into());
    set("creationDateTime", rfc3339(meeting.created_ms).into());
    set("startDateTime", rfc3339(meeting.start_ms).into());
    set("endDateTime", rfc3339(meeting.end_ms).into());
    set("joinWebUrl", meeting.join_web_url.clone().into());
    set("externalId", meeting.external_id.clone().into());
    set("meetingType", "scheduled".into());
    // No licence for dial-in.
    set("audioConferencing", Value::Null);
    set("videoTeleconferenceId", Value::Null);
    set(
        "chatInfo",
        json!({"threadId": meeting.thread_id, "messageId": "0", "replyChainMessageId": null}),
    );
    set(
        "joinMeetingIdSettings",
        json!({
            "isPasscodeRequired": meeting.passcode.is_some(),
            "joinMeetingId": meeting.join_meeting_id,
            "passcode": meeting.passcode,
        }),
    );
    let scope = meeting.lobby_scope.as_str();
    let scope = match NEWER_SCOPES.contains(&scope) && !ask.unknown_members {
        true => "unknownFutureValue",
        false => scope,
    };
    set(
        "lobbyBypassSettings",
        json!({"scope": scope, "isDialInBypassEnabled": meeting.dial_in_bypass}),
    );
    set(
        "participants",
        json!({
            "organizer": {
                "upn": organizer.map(|user| &user.principal_name),
                "role": "presenter",
                "identity": {"user": {
                    "id": meeting.organizer,
                    "displayName": organizer.map(|user| &user.display_name),
                    "tenantId": ask.shared.directory.tenant,
                }},
            },
            "attendees": attendees,
        }),
    );
    shown.into()
}
