//! Who is in a call, and what applications do with them.

use convene_domain::{
    ParticipantId,
    call::{self, EndReason},
    participant,
};
use serde_json::{Value, json};

use super::{
    Adding, Answer, CallCommand, Calls, Surroundings, Told, Wanted, emit,
    model::{Invitation, Invited},
    place, problem,
};
use crate::{Page, Problem, raw_id};

impl Calls {
    /// Runs a command of an application.
    pub fn run(&mut self, command: CallCommand, around: &Surroundings<'_>) -> Answer {
        self.tick(around);
        match command {
            CallCommand::Create(new) => self.create(new, around),
            CallCommand::Answer {
                context,
                callback,
                operation_context,
                answered_by,
            } => self.answer(&context, callback, operation_context, answered_by, around),
            CallCommand::Redirect { context, target } => self.redirect(&context, target, around),
            CallCommand::Reject { context, reason } => {
                self.reject(&context, reason.as_deref(), around)
            }
            CallCommand::Connect {
                call,
                callback,
                operation_context,
            } => self.connect(&call, callback, operation_context, around),
            CallCommand::Leg(leg, wanted) => self.wanted(&leg, wanted, around),
        }
    }

    fn wanted(&mut self, leg: &str, wanted: Wanted, around: &Surroundings<'_>) -> Answer {
        match wanted {
            Wanted::Read => self.read(leg),
            Wanted::HangUp | Wanted::Terminate => self.hang_up(leg, &wanted, around),
            Wanted::Participants { after } => self.participants(leg, after),
            Wanted::Participant(raw_id) => self.participant(leg, &raw_id),
            Wanted::Add(adding) => self.add(leg, adding, around),
            Wanted::CancelAdd { invitation, told } => {
                self.cancel_add(leg, &invitation, &told, around)
            }
            Wanted::Remove { target, told } => self.remove(leg, &target, &told, around),
            Wanted::Mute { targets } => self.mute(leg, &targets, around),
            Wanted::Hold { target, on } => self.hold(leg, &target, on, around),
            Wanted::Transfer {
                target,
                transferee,
                caller_id,
                told,
            } => self.transfer(leg, target, transferee, caller_id.as_deref(), told, around),
            Wanted::Media(command) => self.media(leg, command, around),
        }
    }

    /// The call of a leg that is connected.
    pub(super) fn established(&self, leg: &str) -> Result<String, Problem> {
        let leg = self
            .legs
            .get(leg)
            .ok_or_else(|| problem::no_call("call connection"))?;
        match leg.announced {
            true => Ok(leg.call.clone()),
            false => Err(problem::not_established()),
        }
    }

    /// Who is in a call under this raw id.
    pub(super) fn find(&self, call: &str, raw_id: &str) -> Option<ParticipantId> {
        let session = self.sessions.get(call)?;
        let all = emit::roster(session).into_iter();
        let mut found = all.filter(|(_, somebody)| somebody.raw_id == raw_id);
        found.next().map(|(id, _)| id)
    }

    fn participants(&self, leg: &str, after: Option<String>) -> Answer {
        let leg = self
            .legs
            .get(leg)
            .ok_or_else(|| problem::no_call("call connection"))?;
        let session = self
            .sessions
            .get(&leg.call)
            .ok_or_else(|| problem::no_call("call"))?;
        let all = emit::roster(session).into_iter();
        let all = all.map(|(id, somebody)| (id.to_string(), emit::show(somebody)));
        let behind = all.filter(|(id, _)| after.as_ref().is_none_or(|after| id > after));
        let page = Page::of(behind);
        Ok(json!({"value": page.items, "next": page.next}))
    }

    fn participant(&self, leg: &str, raw_id: &str) -> Answer {
        let leg = self
            .legs
            .get(leg)
            .ok_or_else(|| problem::no_call("call connection"))?;
        let id = self.find(&leg.call, raw_id);
        let session = self.sessions.get(&leg.call);
        let somebody = session.and_then(|session| session.parties.get(&id?));
        somebody
            .map(emit::show)
            .ok_or_else(|| problem::not_there("participantRawId"))
    }

    fn add(&mut self, leg: &str, adding: Adding, around: &Surroundings<'_>) -> Answer {
        let call = self.established(leg)?;
        place::caller_id(&adding.target, adding.caller_id.as_deref(), around)?;
        let present = self.sessions.get(&call).is_some_and(|session| {
            let mut all = session.parties.values();
            all.any(|one| one.raw_id == adding.target && one.participant.left().is_none())
        });
        if present {
            let text = "The participant is in the call already, or invited.";
            return Err(problem::invalid("participantToAdd", text));
        }
        let id = around.fresh().to_string();
        let invitation = Invitation {
            leg: leg.to_owned(),
            id: id.clone(),
            told: adding.told.clone(),
            by: Invited::Add,
        };
        let ring_ms = adding.timeout_s.map(|seconds| seconds * 1_000);
        self.invite(
            &call,
            adding.target.clone(),
            Some(invitation),
            ring_ms,
            around,
        )?;
        Ok(json!({
            "participant": {
                "identifier": raw_id::identifier(&adding.target),
                "isMuted": false,
                "isOnHold": false,
            },
            "operationContext": adding.told.operation_context,
            "invitationId": id,
        }))
    }

    fn cancel_add(
        &mut self,
        leg: &str,
        invitation: &str,
        told: &Told,
        around: &Surroundings<'_>,
    ) -> Answer {
        let call = self.established(leg)?;
        let session = self.sessions.get_mut(&call);
        let invited = session.and_then(|session| {
            let mut all = session.parties.iter_mut();
            all.find(|(_, somebody)| {
                let open = somebody.invitation.as_ref();
                open.is_some_and(|one| one.id == invitation)
            })
        });
        let answer =
            json!({"invitationId": invitation, "operationContext": told.operation_context});
        match invited {
            Some((id, somebody)) => {
                let id = *id;
                // Who cancels is told so, and not that the invitation failed.
                somebody.invitation = None;
                self.incoming
                    .retain(|_, incoming| incoming.participant != id);
                let data =
                    json!({"invitationId": invitation, "resultInformation": emit::success()});
                self.emit_told(leg, "CancelAddParticipantSucceeded", data, told, around);
                self.disconnect(&call, id, EndReason::CANCELLED, around);
            }
            None => {
                let text = "The invitation is answered already, or unknown.";
                let data = json!({
                    "invitationId": invitation,
                    "resultInformation": emit::result(404, 8522, text),
                });
                self.emit_told(leg, "CancelAddParticipantFailed", data, told, around);
            }
        }
        Ok(answer)
    }

    fn remove(
        &mut self,
        leg: &str,
        target: &str,
        told: &Told,
        around: &Surroundings<'_>,
    ) -> Answer {
        let call = self.established(leg)?;
        let id = self.find(&call, target);
        let data = |result| json!({"participant": raw_id::identifier(target), "resultInformation": result});
        match id {
            Some(id) => {
                self.emit_told(
                    leg,
                    "RemoveParticipantSucceeded",
                    data(emit::success()),
                    told,
                    around,
                );
                self.disconnect(&call, id, EndReason::REMOVED_FROM_CALL, around);
            }
            None => {
                let result = emit::result(404, 8522, "The participant is not in the call.");
                self.emit_told(leg, "RemoveParticipantFailed", data(result), told, around);
            }
        }
        Ok(json!({"operationContext": told.operation_context}))
    }

    fn mute(&mut self, leg: &str, targets: &[String], around: &Surroundings<'_>) -> Answer {
        let call = self.established(leg)?;
        let mut found = Vec::new();
        for target in targets {
            if !emit::is_user(target) {
                let text = "Only communication users can be muted.";
                return Err(problem::invalid("targetParticipants", text));
            }
            let id = self.find(&call, target);
            found.push(id.ok_or_else(|| problem::not_there("targetParticipants"))?);
        }
        for participant in found {
            let muted = participant::Event::Muted { by_others: true };
            if self.changes(&call, participant, muted, around) {
                self.tell(
                    &call,
                    call::Event::ParticipantChanged { participant },
                    around,
                );
            }
        }
        Ok(Value::Null)
    }

    fn hold(&mut self, leg: &str, target: &str, on: bool, around: &Surroundings<'_>) -> Answer {
        let call = self.established(leg)?;
        let participant = self.find(&call, target);
        let participant = participant.ok_or_else(|| problem::not_there("targetParticipant"))?;
        let event = match on {
            true => participant::Event::HoldBegun,
            false => participant::Event::HoldEnded,
        };
        if self.changes(&call, participant, event, around) {
            self.tell(
                &call,
                call::Event::ParticipantChanged { participant },
                around,
            );
        }
        Ok(Value::Null)
    }
}
