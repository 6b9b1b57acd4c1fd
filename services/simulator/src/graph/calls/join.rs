//! The application joins a meeting.

use http::StatusCode;
use serde_json::Value;

use crate::{
    graph::{
        ask::{Ask, Object},
        error::{Answer, Failure},
        members::{self, Kind, Known, required},
        odata,
    },
    world::{Full, JoinError, Meeting, Members, World},
};

const KNOWN: &Known = &[
    ("callbackUri", Kind::Text),
    ("requestedModalities", Kind::Texts),
    ("mediaConfig", Kind::Object),
    ("meetingInfo", Kind::Object),
    ("chatInfo", Kind::Object),
    ("targets", Kind::Objects),
    ("tenantId", Kind::Text),
    ("source", Kind::Object),
    ("subject", Kind::Text),
];
/// `modality` members of the metadata.
const MODALITIES: [&str; 4] = ["audio", "video", "videoBasedScreenSharing", "data"];

pub async fn join(ask: Ask, Object(body): Object) -> Answer {
    if let Some(sentence) = members::wrong(&body, KNOWN) {
        return Err(Failure::bad(sentence));
    }
    let callback = callback(&body)?;
    modalities(&body)?;
    let info = body.get("meetingInfo").filter(|info| !info.is_null());
    let info = info.ok_or_else(|| match body.contains_key("targets") {
        true => {
            Failure::not_implemented("The simulator joins meetings; it does not call people yet.")
        }
        false => Failure::bad("Either meetingInfo or targets is required."),
    })?;
    ask.shared.change(|world| {
        let meeting = meeting_of(world, info, &body)?.id.clone();
        let directory = &ask.shared.directory;
        let call = world
            .join(directory, &meeting, callback, ask.now_ms)
            .map_err(|error| match error {
                JoinError::Unknown => Failure::not_found(),
                JoinError::Full => Failure::from(Full),
            })?;
        let shown = super::show(&ask, call);
        let place = format!("{}/communications/calls/{}", ask.root(), call.id);
        let set = "communications/calls";
        let answer = odata::entity(&ask, StatusCode::CREATED, set, shown);
        Ok(super::located(answer, &place))
    })
}

/// Graph wants https; http is let through because callbacks of a development machine are on its loopback.
fn callback(body: &Members) -> Result<String, Failure> {
    members::text(body, "callbackUri")
        .filter(|text| {
            let uri = text.parse::<http::Uri>();
            uri.is_ok_and(|uri| matches!(uri.scheme_str(), Some("https" | "http")))
        })
        .map(str::to_owned)
        .ok_or_else(|| Failure::bad("callbackUri is required and must be an absolute URI."))
}

fn modalities(body: &Members) -> Result<(), Failure> {
    let wanted = body.get("requestedModalities").and_then(Value::as_array);
    let unknown = |name: &&Value| !name.as_str().is_some_and(|name| MODALITIES.contains(&name));
    match wanted.into_iter().flatten().find(unknown) {
        None => Ok(()),
        Some(name) => Err(Failure::bad(format!(
            "requestedModalities has {name}; known are {}.",
            MODALITIES.join(", ")
        ))),
    }
}

/// The meeting that `meetingInfo` names; for `organizerMeetingInfo` together with `chatInfo`.
fn meeting_of<'a>(world: &'a World, info: &Value, body: &Members) -> Result<&'a Meeting, Failure> {
    let found = match required(info, "/@odata.type")? {
        "#microsoft.graph.organizerMeetingInfo" => {
            let organizer = required(info, "/organizer/user/id")?;
            let chat = body.get("chatInfo").unwrap_or(&Value::Null);
            let found = world.by_thread(required(chat, "/threadId")?);
            found.filter(|meeting| meeting.organizer.eq_ignore_ascii_case(organizer))
        }
        "#microsoft.graph.joinMeetingIdMeetingInfo" => {
            let digits = required(info, "/joinMeetingId")?.replace(' ', "");
            let passcode = info.get("passcode").and_then(Value::as_str);
            // With a wrong passcode it is as if there were no such meeting.
            let opens = |wanted: &String| passcode == Some(wanted);
            let found = world.by_join_id(&digits);
            found.filter(|meeting| meeting.passcode.as_ref().is_none_or(opens))
        }
        "#microsoft.graph.tokenMeetingInfo" => {
            return Err(Failure::not_implemented(
                "The simulator joins by organizerMeetingInfo or joinMeetingIdMeetingInfo, not by token yet.",
            ));
        }
        other => {
            return Err(Failure::bad(format!(
                "'{other}' is not a kind of meetingInfo."
            )));
        }
    };
    found.ok_or_else(Failure::not_found)
}
