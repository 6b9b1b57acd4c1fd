//! Applications that come into a running call, and calls that are handed on.

use convene_domain::{
    Machine as _, ParticipantId,
    call::{EndReason, Kind},
    leg::{self, Leg},
};
use serde_json::{Value, json};

use super::{
    Answer, Calls, Surroundings, Told, emit,
    model::{AppLeg, Invitation, Invited},
    place, problem,
};
use crate::raw_id;

/// How long somebody rings to whom a call is handed on, in milliseconds.
const RING_MS: i64 = 60_000;

impl Calls {
    /// An application comes into a running call, by the id that all legs share.
    pub(super) fn connect(
        &mut self,
        call: &str,
        callback: String,
        operation_context: Option<String>,
        around: &Surroundings<'_>,
    ) -> Answer {
        let session = self
            .sessions
            .get(call)
            .ok_or_else(|| problem::no_call("call"))?;
        if emit::roster(session).is_empty() {
            return Err(problem::not_established());
        }
        if session.call.present().count() >= convene_domain::call::PARTICIPANTS_MAX {
            return Err(problem::invalid(
                "callLocator",
                convene_domain::call::CALL_FULL.message,
            ));
        }
        let targets = emit::roster(session)
            .into_iter()
            .map(|(_, one)| one.raw_id.clone());
        let targets = targets.collect();
        let made = Leg::begin(leg::Event::LegMade, around.now())
            .and_then(|step| step.next.on(leg::Event::ConnectingBegun, around.now()))
            .map_err(|refused| problem::wrong_state(refused.message))?;
        let made = made.ok_or_else(|| problem::wrong_state("The call cannot be joined now."))?;
        let leg = AppLeg {
            call: call.to_owned(),
            participant: ParticipantId::from_uuid(around.fresh()),
            callback,
            operation_context,
            leg: made.next,
            placed: false,
            announced: false,
            targets,
            source: format!("28:acs:{}_{}", around.resource, around.fresh()),
            caller_id: None,
            display_name: None,
            answered_by: None,
            lanes: Default::default(),
            continuous: Default::default(),
        };
        let leg = self.app_joins(call, leg, around);
        let answer = self.read(&leg)?;
        self.connects(&leg, around);
        self.emit_roster(&leg, call, around);
        Ok(answer)
    }

    /// Hands somebody on to somebody else: a new call between the two, once the other has answered.
    pub(super) fn transfer(
        &mut self,
        leg: &str,
        target: String,
        transferee: Option<String>,
        caller_id: Option<&str>,
        told: Told,
        around: &Surroundings<'_>,
    ) -> Answer {
        let call = self.established(leg)?;
        place::caller_id(&target, caller_id, around)?;
        let session = self
            .sessions
            .get(&call)
            .ok_or_else(|| problem::no_call("call"))?;
        let people = emit::roster(session);
        let transferee = match (transferee, people.as_slice()) {
            (Some(named), _) => named,
            (None, [(_, only)]) => only.raw_id.clone(),
            (None, _) => {
                let text =
                    "transferee is required when there is not exactly one other participant.";
                return Err(problem::invalid("transferee", text));
            }
        };
        if !people.iter().any(|(_, one)| one.raw_id == transferee) {
            return Err(problem::not_there("transferee"));
        }
        if people.iter().any(|(_, one)| one.raw_id == target) {
            let text = "targetParticipant is in the call already.";
            return Err(problem::invalid("targetParticipant", text));
        }
        let context = told.operation_context.clone();
        let aside = self.open(Kind::OneToOne, (transferee.clone(), None), around)?;
        let invitation = Invitation {
            leg: leg.to_owned(),
            id: String::new(),
            told,
            by: Invited::Transfer { transferee },
        };
        self.invite(&aside, target, Some(invitation), Some(RING_MS), around)?;
        Ok(json!({"operationContext": context}))
    }

    /// Whom a call is handed to has answered in the new call: the other comes too, and leaves the old one.
    pub(super) fn transferred(
        &mut self,
        aside: &str,
        invitation: &Invitation,
        transferee: &str,
        target: &str,
        around: &Surroundings<'_>,
    ) {
        let old = self.legs.get(&invitation.leg).map(|leg| leg.call.clone());
        let Some((old, id)) = old.and_then(|old| self.find(&old, transferee).map(|id| (old, id)))
        else {
            // Who was to be handed on has gone meanwhile.
            let mut waiting = self
                .sessions
                .get(aside)
                .into_iter()
                .flat_map(|one| one.parties.keys());
            if let Some(id) = waiting.next().copied() {
                self.disconnect(aside, id, EndReason::ENDED_BY_USER, around);
            }
            return;
        };
        let data = json!({
            "transferTarget": raw_id::identifier(target),
            "transferee": raw_id::identifier(transferee),
            "resultInformation": emit::success(),
        });
        self.emit_told(
            &invitation.leg,
            "CallTransferAccepted",
            data,
            &invitation.told,
            around,
        );
        self.comes(aside, transferee, around);
        self.disconnect(&old, id, EndReason::ENDED_BY_BOT, around);
    }

    /// Whom a call was to be handed to does not come.
    pub(super) fn not_transferred(
        &mut self,
        invitation: &Invitation,
        reason: EndReason,
        around: &Surroundings<'_>,
    ) {
        let data: Value = json!({"resultInformation": emit::reason(reason)});
        self.emit_told(
            &invitation.leg,
            "CallTransferFailed",
            data,
            &invitation.told,
            around,
        );
    }
}
