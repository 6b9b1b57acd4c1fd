//! What takes a while: recording and the lobby. Each action answers 202 with an operation that tells later how it went.

use http::StatusCode;
use serde_json::{Value, json};

use super::participants::present;
use crate::{
    graph::{
        ask::{Ask, Keys, Object},
        error::{Answer, Failure},
        odata,
    },
    world::{Ended, Members, Operation, Presence, World},
};

/// `clientContext`, in characters.
const CLIENT_CONTEXT_MAX: usize = 256;

/// Reasons of failure. The numbers are our own choice: no page lists them.
mod subcode {
    pub const RECORDING_RUNS: u32 = 8534;
    pub const NO_RECORDING_RUNS: u32 = 8535;
    pub const NOBODY_IS_IN: u32 = 8536;
    pub const RECORDING_IS_OFF: u32 = 8537;
    pub const NOT_IN_LOBBY: u32 = 8538;
}

pub async fn list(ask: Ask, Keys(id): Keys<String>) -> Answer {
    let world = ask.shared.read();
    let call = super::live(&world, &id)?;
    let shown: Vec<_> = call.operations().map(|one| show(&ask, one)).collect();
    let context = format!("{}/$metadata#operations", ask.root());
    let page = json!({"@odata.context": context, "value": shown});
    Ok(odata::json(StatusCode::OK, &page))
}

pub async fn read(ask: Ask, Keys((id, operation)): Keys<(String, String)>) -> Answer {
    let world = ask.shared.read();
    let operation = super::live(&world, &id)?.operation(&operation);
    let shown = show(&ask, operation.ok_or_else(Failure::not_found)?);
    Ok(odata::entity(&ask, StatusCode::OK, "operations", shown))
}

fn show(ask: &Ask, operation: &Operation) -> Value {
    let status = operation.status(ask.now_ms);
    let ended = Some(&operation.ended).filter(|_| status != "running");
    json!({
        "@odata.type": format!("#microsoft.graph.{}", operation.kind),
        "id": operation.id,
        "status": status,
        "clientContext": operation.client_context,
        "resultInfo": ended.map(|ended| {
            json!({"code": ended.code, "subcode": ended.subcode, "message": ended.message})
        }),
    })
}

pub async fn start_recording(ask: Ask, Keys(id): Keys<String>, Object(body): Object) -> Answer {
    let (seed, now_ms) = (ask.shared.directory.seed, ask.now_ms);
    operate(
        &ask,
        &id,
        &body,
        "startRecordingOperation",
        |world, meeting| {
            let Some(meeting) = world.meeting_mut(meeting) else {
                return Err(Failure::not_found());
            };
            let allowed = meeting.members.get("allowRecording") != Some(&Value::Bool(false));
            Ok(match (allowed, meeting.present()) {
                (false, _) => Ended::badly(
                    subcode::RECORDING_IS_OFF,
                    "The meeting does not allow recording.",
                ),
                (true, 0) => Ended::badly(subcode::NOBODY_IS_IN, "Nobody is in the meeting."),
                (true, _) => match meeting.start_recording(seed, Some(&id), now_ms) {
                    true => Ended::well(),
                    false => Ended::badly(
                        subcode::RECORDING_RUNS,
                        "The meeting is being recorded already.",
                    ),
                },
            })
        },
    )
}

pub async fn stop_recording(ask: Ask, Keys(id): Keys<String>, Object(body): Object) -> Answer {
    let now_ms = ask.now_ms;
    operate(
        &ask,
        &id,
        &body,
        "stopRecordingOperation",
        |world, meeting| {
            let meeting = world.meeting_mut(meeting).ok_or_else(Failure::not_found)?;
            Ok(match meeting.stop_recording(now_ms) {
                true => Ended::well(),
                false => Ended::badly(
                    subcode::NO_RECORDING_RUNS,
                    "The meeting is not being recorded.",
                ),
            })
        },
    )
}

pub async fn admit_all(ask: Ask, Keys(id): Keys<String>, Object(body): Object) -> Answer {
    operate(
        &ask,
        &id,
        &body,
        "admitAllFromLobbyOperation",
        |world, meeting| {
            let meeting = world.meeting(meeting).ok_or_else(Failure::not_found)?;
            let people = meeting.attendees.iter();
            let waiting = people.filter(|attendee| attendee.presence == Presence::InLobby);
            let waiting: Vec<String> = waiting.map(|attendee| attendee.id.clone()).collect();
            for attendee in waiting {
                let directory = &ask.shared.directory;
                world.person(directory, &attendee, ask.now_ms, |person| person.admit());
            }
            Ok(Ended::well())
        },
    )
}

pub async fn admit(
    ask: Ask,
    Keys((id, participant)): Keys<(String, String)>,
    Object(body): Object,
) -> Answer {
    from_lobby(
        &ask,
        (&id, &participant),
        &body,
        "admitFromLobbyOperation",
        true,
    )
}

pub async fn remove(
    ask: Ask,
    Keys((id, participant)): Keys<(String, String)>,
    Object(body): Object,
) -> Answer {
    from_lobby(
        &ask,
        (&id, &participant),
        &body,
        "removeFromLobbyOperation",
        false,
    )
}

fn from_lobby(
    ask: &Ask,
    (id, participant): (&str, &str),
    body: &Members,
    kind: &str,
    admit: bool,
) -> Answer {
    operate(ask, id, body, kind, |world, meeting| {
        if present(world, meeting, participant)?.presence != Presence::InLobby {
            return Ok(Ended::badly(
                subcode::NOT_IN_LOBBY,
                "The participant is not in the lobby.",
            ));
        }
        let directory = &ask.shared.directory;
        world.person(directory, participant, ask.now_ms, |person| match admit {
            true => person.admit(),
            false => person.leave(ask.now_ms),
        });
        Ok(Ended::well())
    })
}

/// Acts on the meeting of an established call, and answers 202 with the operation.
fn operate(
    ask: &Ask,
    id: &str,
    body: &Members,
    kind: &str,
    act: impl FnOnce(&mut World, &str) -> Result<Ended, Failure>,
) -> Answer {
    let context = client_context(body)?;
    ask.shared.change(|world| {
        let call = super::live(world, id)?;
        if call.state(ask.now_ms) != "established" {
            return Err(Failure::bad("The call is not established yet."));
        }
        let meeting = call.meeting.clone();
        let ended = act(world, &meeting)?;
        let directory = &ask.shared.directory;
        let operation = world
            .begin_operation(directory, id, kind, context, ended, ask.now_ms)
            .ok_or_else(Failure::not_found)?;
        let place = format!(
            "{}/communications/calls/{id}/operations/{}",
            ask.root(),
            operation.id
        );
        let shown = show(ask, operation);
        let answer = odata::entity(ask, StatusCode::ACCEPTED, "operations", shown);
        Ok(super::located(answer, &place))
    })
}

fn client_context(body: &Members) -> Result<Option<String>, Failure> {
    match body.get("clientContext") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= CLIENT_CONTEXT_MAX => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(Failure::bad(format!(
            "clientContext must be a string of at most {CLIENT_CONTEXT_MAX} characters."
        ))),
    }
}
