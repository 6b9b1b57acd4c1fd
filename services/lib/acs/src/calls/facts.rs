//! What parties do.

use convene_domain::{
    Machine as _, ParticipantId,
    call::{self, EndReason},
    leg,
    participant::{self, Phase},
};
use serde_json::json;

use super::{
    Calls, Fact, Surroundings, Told, emit,
    model::{Invited, Session},
};
use crate::raw_id;

/// Whom a call was handed to hangs up after so long, in milliseconds.
const HANDED_ON_MS: i64 = 600_000;

impl Calls {
    /// A party does something. What comes too late is nobody's affair.
    pub(super) fn fact(
        &mut self,
        call: &str,
        participant: ParticipantId,
        fact: Fact,
        around: &Surroundings<'_>,
    ) {
        match fact {
            Fact::Rings => {
                self.changes(call, participant, participant::Event::RingingBegun, around);
            }
            Fact::Answers => self.answers(call, participant, around),
            Fact::Refuses(reason) if self.waits(call, participant) => {
                self.disconnect(call, participant, reason, around);
            }
            Fact::HangsUp(reason) if self.is_there(call, participant) => {
                self.disconnect(call, participant, reason, around);
            }
            Fact::Presses(tone) => self.pressed(call, participant, tone, around),
            Fact::Says(text) => self.said(call, participant, &text, around),
            Fact::Refuses(_) | Fact::HangsUp(_) => {}
        }
    }

    /// Nobody answered in time.
    pub(super) fn not_answered(
        &mut self,
        call: &str,
        participant: ParticipantId,
        around: &Surroundings<'_>,
    ) {
        if self.waits(call, participant) {
            self.incoming
                .retain(|_, incoming| incoming.participant != participant);
            self.disconnect(call, participant, EndReason::NOT_ANSWERED, around);
        }
    }

    /// A fact of a participant; whether it fitted.
    pub(super) fn changes(
        &mut self,
        call: &str,
        participant: ParticipantId,
        event: participant::Event,
        around: &Surroundings<'_>,
    ) -> bool {
        let session = self.sessions.get_mut(call);
        let Some(somebody) = session.and_then(|session| session.parties.get_mut(&participant))
        else {
            return false;
        };
        match somebody.participant.clone().on(event, around.now()) {
            Ok(Some(step)) => {
                somebody.participant = step.next;
                true
            }
            Ok(None) | Err(_) => false,
        }
    }

    fn phase(&self, call: &str, participant: ParticipantId) -> Option<Phase> {
        let somebody = self.sessions.get(call)?.parties.get(&participant)?;
        Some(somebody.participant.phase)
    }

    fn waits(&self, call: &str, participant: ParticipantId) -> bool {
        let phase = self.phase(call, participant);
        matches!(
            phase,
            Some(Phase::Connecting | Phase::Ringing | Phase::EarlyMedia)
        )
    }

    pub(super) fn is_there(&self, call: &str, participant: ParticipantId) -> bool {
        let phase = self.phase(call, participant);
        matches!(phase, Some(Phase::Connected | Phase::Hold))
    }

    /// Somebody is there: the application that placed the call is connected with the first of them.
    pub(super) fn answers(
        &mut self,
        call: &str,
        participant: ParticipantId,
        around: &Surroundings<'_>,
    ) {
        let connected = participant::Event::ParticipantConnected;
        if !self.changes(call, participant, connected, around) {
            return;
        }
        let waiting = |session: &Session| session.legs.clone();
        for leg in self.sessions.get(call).map(waiting).unwrap_or_default() {
            self.connects(&leg, around);
        }
        let session = self.sessions.get_mut(call);
        let Some(somebody) = session.and_then(|session| session.parties.get_mut(&participant))
        else {
            return;
        };
        let (raw_id, invitation) = (somebody.raw_id.clone(), somebody.invitation.take());
        if let Some(invitation) = invitation {
            match &invitation.by {
                Invited::Create => {}
                Invited::Add => {
                    let data = json!({
                        "participant": raw_id::identifier(&raw_id),
                        "resultInformation": emit::success(),
                    });
                    let (leg, told) = (&invitation.leg, &invitation.told);
                    self.emit_told(leg, "AddParticipantSucceeded", data, told, around);
                }
                Invited::Transfer { transferee } => {
                    self.transferred(call, &invitation, transferee, &raw_id, around);
                    // Nobody of a call without an application would ever end it.
                    let hangs_up = Fact::HangsUp(EndReason::ENDED_BY_USER);
                    self.schedule(call, participant, vec![(HANDED_ON_MS, hangs_up)], around);
                }
            }
        }
        let joined = call::Event::ParticipantJoined { participant };
        self.tell(call, joined, around);
    }

    /// A leg is connected: the first thing that it is told.
    pub(super) fn connects(&mut self, id: &str, around: &Surroundings<'_>) {
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.announced) else {
            return;
        };
        let Ok(Some(step)) = leg.leg.clone().on(leg::Event::LegConnected, around.now()) else {
            return;
        };
        leg.leg = step.next;
        let (call, participant) = (leg.call.clone(), leg.participant);
        let told = Told {
            operation_context: leg.operation_context.clone(),
            callback: None,
        };
        self.tell(
            &call,
            call::Event::ParticipantJoined { participant },
            around,
        );
        let data = json!({"resultInformation": emit::success()});
        self.emit_told(id, "CallConnected", data, &told, around);
        if let Some(leg) = self.legs.get_mut(id) {
            leg.announced = true;
        }
    }
}
