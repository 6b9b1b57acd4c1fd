//! What applications are told.

use std::collections::VecDeque;

use convene_domain::{ParticipantId, call::EndReason, participant::Phase};
use serde_json::{Map, Value, json};

use super::{
    Callback, Calls, GridEvent, Surroundings, Told, members,
    model::{Session, Somebody},
};
use crate::{RawId, raw_id};

/// Callbacks of one leg, and Event Grid events, that wait to be delivered; the newest is dropped beyond.
const WAITING_MAX: usize = 10_000;

/// A result as callbacks carry it.
pub fn result(code: u16, sub_code: u32, message: &str) -> Value {
    json!({"code": code, "subCode": sub_code, "message": message})
}

/// The reason of an end as callbacks carry it.
pub fn reason(reason: EndReason) -> Value {
    result(reason.code, reason.sub_code, reason.meaning())
}

/// A success without more to say.
pub fn success() -> Value {
    result(200, 0, "Action completed successfully.")
}

/// How a participant is shown.
pub fn show(somebody: &Somebody) -> Value {
    json!({
        "identifier": raw_id::identifier(&somebody.raw_id),
        "isMuted": somebody.participant.muted,
        "isOnHold": somebody.participant.phase == Phase::Hold,
    })
}

/// Who is in a call, by rising id.
pub fn roster(session: &Session) -> Vec<(ParticipantId, &Somebody)> {
    let there = session.call.roster();
    there
        .filter_map(|id| Some((id, session.parties.get(&id)?)))
        .collect()
}

impl Calls {
    /// Tells a leg that something of an operation came out.
    pub(super) fn emit_told(
        &mut self,
        leg: &str,
        kind: &str,
        data: Value,
        told: &Told,
        around: &Surroundings<'_>,
    ) {
        let mut data = members(data);
        if let Some(context) = &told.operation_context {
            data.insert("operationContext".to_owned(), context.clone().into());
        }
        self.push(leg, kind, data, told.callback.clone(), around);
    }

    /// Tells a leg something.
    pub(super) fn emit(&mut self, leg: &str, kind: &str, data: Value, around: &Surroundings<'_>) {
        self.push(leg, kind, members(data), None, around);
    }

    /// Nothing reaches a leg that is over: it is gone from the table when its last event was written.
    fn push(
        &mut self,
        leg: &str,
        kind: &str,
        mut data: Map<String, Value>,
        url: Option<String>,
        around: &Surroundings<'_>,
    ) {
        let Some(known) = self.legs.get(leg) else {
            return;
        };
        let Some(session) = self.sessions.get(&known.call) else {
            return;
        };
        for (name, value) in [
            ("callConnectionId", leg),
            ("serverCallId", &session.id),
            ("correlationId", &session.correlation),
        ] {
            data.insert(name.to_owned(), value.into());
        }
        let callback = Callback {
            id: around.fresh().to_string(),
            url: url.unwrap_or_else(|| known.callback.clone()),
            kind: kind.to_owned(),
            at_ms: around.now_ms,
            data: Value::Object(data),
        };
        let queue: &mut VecDeque<_> = self.outbox.entry(leg.to_owned()).or_default();
        if queue.len() < WAITING_MAX {
            queue.push_back(callback);
        }
    }

    /// Tells all legs of a call who is there.
    pub(super) fn tell_roster(&mut self, call: &str, around: &Surroundings<'_>) {
        let legs = self.sessions.get(call).map(|session| session.legs.clone());
        for leg in legs.unwrap_or_default() {
            // Connected is the first thing that a leg is told.
            if self.legs.get(&leg).is_some_and(|leg| leg.announced) {
                self.emit_roster(&leg, call, around);
            }
        }
    }

    /// Tells one leg who is there.
    pub(super) fn emit_roster(&mut self, leg: &str, call: &str, around: &Surroundings<'_>) {
        let Some(session) = self.sessions.get(call) else {
            return;
        };
        let people = roster(session).into_iter().map(|(_, one)| show(one));
        let data = json!({
            "participants": people.collect::<Vec<_>>(),
            "sequenceNumber": session.call.sequence,
            "resultInformation": success(),
        });
        self.emit(leg, "ParticipantsUpdated", data, around);
    }

    /// Tells Event Grid of a call that an application may answer.
    pub(super) fn tell_incoming(
        &mut self,
        context: &str,
        call: &str,
        from: &str,
        to: &str,
        display_name: Option<&str>,
        around: &Surroundings<'_>,
    ) {
        let Some(session) = self.sessions.get(call) else {
            return;
        };
        let data = json!({
            "to": raw_id::identifier(to),
            "from": raw_id::identifier(from),
            "serverCallId": session.id,
            "callerDisplayName": display_name.unwrap_or_default(),
            "incomingCallContext": context,
            "correlationId": session.correlation,
            "customContext": {"voipHeaders": {}, "sipHeaders": {}},
        });
        let event = GridEvent {
            id: around.fresh().to_string(),
            at_ms: around.now_ms,
            kind: "IncomingCall".to_owned(),
            subject: format!("/caller/{from}/recipient/{to}"),
            data,
        };
        if self.grid.len() < WAITING_MAX {
            self.grid.push_back(event);
        }
    }
}

/// Whether the id is that of a communication user.
pub fn is_user(raw_id: &str) -> bool {
    matches!(RawId::of(raw_id), RawId::User { .. })
}
