//! Call Automation: calls, who is in them, media.

mod media;
mod read;

use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Ask, Reply,
    json::Fields,
    operation::{CallAction, Operation},
    paged, repeat, unexpected,
};
use crate::{
    CallCommand, Command, Outcome, Page, Port, Problem, RawId,
    calls::{Adding, NewCall, Told, Wanted},
};
use read::{callback, identifier, identifiers, number, required_callback, told};

/// Targets of one call.
const TARGETS_MAX: usize = 349;
/// How long somebody may be asked, in seconds.
const INVITATION_S: std::ops::RangeInclusive<i64> = 0..=180;

/// Any operation on calls.
pub async fn handle(port: &dyn Port, ask: &Ask, action: CallAction) -> Result<Reply, Problem> {
    let reply = answer(port, ask, action).await;
    // Call Automation has numbers for codes.
    reply.map_err(|problem| match problem.code.as_str() {
        "BadRequest" => problem.coded("8523"),
        _ => problem,
    })
}

async fn answer(port: &dyn Port, ask: &Ask, action: CallAction) -> Result<Reply, Problem> {
    let fields = ask.fields()?;
    let leg = |wanted| CallCommand::Leg(ask.id(), wanted);
    let (status, command) = match action {
        CallAction::Create => (StatusCode::CREATED, CallCommand::Create(new_call(&fields)?)),
        CallAction::Answer => (
            StatusCode::OK,
            CallCommand::Answer {
                context: fields.required_text("incomingCallContext")?,
                callback: required_callback(&fields, "callbackUri")?,
                operation_context: fields.text("operationContext")?,
                answered_by: answered_by(&fields)?,
            },
        ),
        CallAction::Redirect => (
            StatusCode::NO_CONTENT,
            CallCommand::Redirect {
                context: fields.required_text("incomingCallContext")?,
                target: identifier(&fields, "target")?,
            },
        ),
        CallAction::Reject => (
            StatusCode::NO_CONTENT,
            CallCommand::Reject {
                context: fields.required_text("incomingCallContext")?,
                reason: fields.text("callRejectReason")?,
            },
        ),
        CallAction::Read => (StatusCode::OK, leg(Wanted::Read)),
        CallAction::HangUp => (StatusCode::NO_CONTENT, leg(Wanted::HangUp)),
        CallAction::Terminate => (StatusCode::NO_CONTENT, leg(Wanted::Terminate)),
        CallAction::Connect => (
            StatusCode::OK,
            CallCommand::Connect {
                call: located(&fields)?,
                callback: required_callback(&fields, "callbackUri")?,
                operation_context: fields.text("operationContext")?,
            },
        ),
        CallAction::Transfer => (
            StatusCode::ACCEPTED,
            leg(Wanted::Transfer {
                target: identifier(&fields, "targetParticipant")?,
                transferee: fields
                    .object("transferee")?
                    .map(|transferee| crate::raw_id::read(&transferee))
                    .transpose()?,
                caller_id: number(&fields, "sourceCallerIdNumber")?,
                told: told(&fields)?,
            }),
        ),
        CallAction::Participants => {
            let after = ask.query.get("after").map(str::to_owned);
            (StatusCode::OK, leg(Wanted::Participants { after }))
        }
        CallAction::Participant => {
            let raw_id = ask.target.detail.clone();
            (StatusCode::OK, leg(Wanted::Participant(raw_id)))
        }
        CallAction::Add => (StatusCode::ACCEPTED, leg(Wanted::Add(adding(&fields)?))),
        CallAction::CancelAdd => (
            StatusCode::ACCEPTED,
            leg(Wanted::CancelAdd {
                invitation: fields.required_text("invitationId")?,
                told: told(&fields)?,
            }),
        ),
        CallAction::Remove => (
            StatusCode::ACCEPTED,
            leg(Wanted::Remove {
                target: identifier(&fields, "participantToRemove")?,
                told: told(&fields)?,
            }),
        ),
        CallAction::Mute => (
            StatusCode::OK,
            leg(Wanted::Mute {
                targets: identifiers(&fields, "targetParticipants")?,
            }),
        ),
        CallAction::Hold | CallAction::Unhold => (
            StatusCode::OK,
            leg(Wanted::Hold {
                target: identifier(&fields, "targetParticipant")?,
                on: action == CallAction::Hold,
            }),
        ),
        CallAction::Play
        | CallAction::Recognize
        | CallAction::CancelMedia
        | CallAction::SendTones
        | CallAction::StartContinuous
        | CallAction::StopContinuous => {
            let (status, command) = media::command(&fields, action)?;
            (status, leg(Wanted::Media(command)))
        }
        CallAction::NotThere => return Err(not_there()),
    };
    let once = match ask.target.operation {
        Operation::Calls(action) if action.is_repeatable() => repeat::once(ask)?,
        _ => None,
    };
    let repeatable = once.is_some();
    let said = match port.run(Command::Call(command), once).await? {
        Outcome::Answer(said) => said,
        other => return Err(unexpected(&other)),
    };
    let said = match action {
        CallAction::Participants => list(ask, said),
        // Answered with an object even when there is nothing to say.
        CallAction::Mute => Value::Object(context(&fields)?),
        _ => said,
    };
    Ok(Reply {
        status,
        body: said.is_object().then(|| without_nulls(said)),
        repeatable,
    })
}

fn context(fields: &Fields) -> Result<Map<String, Value>, Problem> {
    let context = fields.text("operationContext")?;
    let context = context.map(|context| ("operationContext".to_owned(), context.into()));
    Ok(context.into_iter().collect())
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.collect())
        }
        other => other,
    }
}

/// A list with a link in place of the engine's last id.
fn list(ask: &Ask, said: Value) -> Value {
    let items = said.get("value").and_then(Value::as_array);
    let next = said.get("next").and_then(Value::as_str);
    let page = Page {
        items: items.cloned().unwrap_or_default(),
        next: next.map(str::to_owned),
    };
    paged(ask, page, |item| item, str::to_owned)
}

fn new_call(fields: &Fields) -> Result<NewCall, Problem> {
    let targets = identifiers(fields, "targets")?;
    if targets.len() > TARGETS_MAX {
        let text = format!("A call is placed to at most {TARGETS_MAX} targets.");
        return Err(Problem::bad("targets", text));
    }
    for (at, target) in targets.iter().enumerate() {
        if targets.iter().take(at).any(|before| before == target) {
            return Err(Problem::bad("targets", "targets names somebody twice."));
        }
    }
    Ok(NewCall {
        targets,
        callback: required_callback(fields, "callbackUri")?,
        operation_context: fields.text("operationContext")?,
        caller_id: number(fields, "sourceCallerIdNumber")?,
        display_name: fields.text("sourceDisplayName")?,
    })
}

fn adding(fields: &Fields) -> Result<Adding, Problem> {
    let timeout_s = fields.integer("invitationTimeoutInSeconds")?;
    if timeout_s.is_some_and(|seconds| !INVITATION_S.contains(&seconds)) {
        let text = "invitationTimeoutInSeconds is 0 to 180.";
        return Err(Problem::bad("invitationTimeoutInSeconds", text));
    }
    Ok(Adding {
        target: identifier(fields, "participantToAdd")?,
        caller_id: number(fields, "sourceCallerIdNumber")?,
        timeout_s,
        told: Told {
            operation_context: fields.text("operationContext")?,
            callback: callback(fields, "operationCallbackUri")?,
        },
    })
}

fn answered_by(fields: &Fields) -> Result<Option<String>, Problem> {
    let by = fields.object("answeredBy")?;
    let id = by.map(|by| by.required_text("id")).transpose()?;
    if let Some(id) = &id
        && !matches!(RawId::of(id), RawId::User { .. })
    {
        return Err(Problem::bad(
            "answeredBy.id",
            "answeredBy must be a communication user.",
        ));
    }
    Ok(id)
}

/// The running call that a locator names. Clients of groups and rooms are not there yet, so no call runs in them.
fn located(fields: &Fields) -> Result<String, Problem> {
    let locator = fields.object("callLocator")?;
    let locator = locator.ok_or_else(|| Problem::bad("callLocator", "callLocator is required."))?;
    if let Some(call) = locator.text("serverCallId")? {
        return Ok(call);
    }
    match (locator.text("groupCallId")?, locator.text("roomId")?) {
        (None, None) => Err(Problem::bad(
            "callLocator",
            "callLocator names a serverCallId, a groupCallId or a roomId.",
        )),
        _ => Err(not_there()),
    }
}

fn not_there() -> Problem {
    let text =
        "This operation is not simulated yet; /_simulator/known-differences lists what is not.";
    Problem::new(StatusCode::NOT_IMPLEMENTED, "NotImplemented", text)
}
