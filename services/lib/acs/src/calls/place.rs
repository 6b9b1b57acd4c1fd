//! Placing calls, and how they end.

use convene_domain::{
    Machine as _, ParticipantId,
    call::{self, Call, EndReason, Kind, Party, Role},
    leg::{self, Leg},
    participant::{self, Participant},
};
use serde_json::{Value, json};

use super::{
    Answer, CALLS_MAX, Calls, Later, NewCall, Reach, Surroundings, Told, Wanted, emit,
    model::{AppLeg, Incoming, Invitation, Invited, Session, Somebody},
    problem,
};
use crate::{Problem, RawId, raw_id};

/// How long somebody may ring, in milliseconds: users and phones.
const RING_MS_USER: i64 = 85_000;
const RING_MS_PHONE: i64 = 115_000;

impl Calls {
    /// A new call with an application in it.
    pub(super) fn create(&mut self, new: NewCall, around: &Surroundings<'_>) -> Answer {
        for target in &new.targets {
            caller_id(target, new.caller_id.as_deref(), around)?;
        }
        if self.sessions.len() >= CALLS_MAX {
            let text = format!("The resource has {CALLS_MAX} calls; end some.");
            return Err(Problem::new(
                http::StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequests",
                text,
            ));
        }
        let kind = match new.targets.len() {
            1 => Kind::OneToOne,
            _ => Kind::Group,
        };
        let source = format!("28:acs:{}_{}", around.resource, around.fresh());
        let shown = new.caller_id.as_ref().map(|number| format!("4:{number}"));
        let caller = (
            shown.unwrap_or_else(|| source.clone()),
            new.display_name.clone(),
        );
        let call = self.open(kind, caller, around)?;
        let leg = self.app_joins(
            &call,
            AppLeg {
                call: call.clone(),
                participant: ParticipantId::from_uuid(around.fresh()),
                callback: new.callback,
                operation_context: new.operation_context.clone(),
                leg: Leg {
                    connected_at: None,
                    held_here: false,
                    held_there: false,
                    phase: leg::Phase::Connecting,
                },
                placed: true,
                announced: false,
                targets: new.targets.clone(),
                source,
                caller_id: new.caller_id,
                display_name: new.display_name,
                answered_by: None,
                lanes: Default::default(),
                continuous: Default::default(),
            },
            around,
        );
        for target in new.targets {
            let invitation = Invitation {
                leg: leg.clone(),
                id: String::new(),
                told: Told::default(),
                by: Invited::Create,
            };
            self.invite(&call, target, Some(invitation), None, around)?;
        }
        self.read(&leg)
    }

    /// A call without anybody.
    pub(super) fn open(
        &mut self,
        kind: Kind,
        caller: (String, Option<String>),
        around: &Surroundings<'_>,
    ) -> Result<String, Problem> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let begun = Call::begin(call::Event::CallBegun { kind }, around.now());
        let begun = begun.map_err(|refused| problem::wrong_state(refused.message))?;
        // Opaque text, as long as a whole number of bytes is, so that no padding has to be written into paths.
        let id = STANDARD.encode(format!("convene:{}:c", around.fresh().simple()));
        let session = Session {
            id: id.clone(),
            correlation: around.fresh().to_string(),
            caller,
            call: begun.next,
            parties: Default::default(),
            legs: Vec::new(),
        };
        self.sessions.insert(id.clone(), session);
        Ok(id)
    }

    /// An application's leg, asked to come.
    pub(super) fn app_joins(
        &mut self,
        call: &str,
        leg: AppLeg,
        around: &Surroundings<'_>,
    ) -> String {
        let id = around.fresh().to_string();
        let invited = call::Event::ParticipantInvited {
            participant: leg.participant,
            party: Party::Bot,
            role: Role::Unknown,
        };
        self.legs.insert(id.clone(), leg);
        if let Some(session) = self.sessions.get_mut(call) {
            session.legs.push(id.clone());
        }
        self.tell(call, invited, around);
        id
    }

    /// Asks somebody to come. The machine refuses the 351st.
    pub(super) fn invite(
        &mut self,
        call: &str,
        raw_id: String,
        invitation: Option<Invitation>,
        ring_ms: Option<i64>,
        around: &Surroundings<'_>,
    ) -> Result<(), Problem> {
        let session = self
            .sessions
            .get_mut(call)
            .ok_or_else(|| problem::no_call("call"))?;
        let id = ParticipantId::from_uuid(around.fresh());
        let party = match RawId::of(&raw_id) {
            RawId::Phone(_) => Party::Phone,
            _ => Party::User,
        };
        let invited = call::Event::ParticipantInvited {
            participant: id,
            party,
            role: Role::Unknown,
        };
        let step = session.call.clone().on(invited, around.now());
        let step = step.map_err(|refused| problem::invalid("participantToAdd", refused.message))?;
        if let Some(step) = step {
            session.call = step.next;
        }
        let participant = Participant::begin(participant::Event::ParticipantMade, around.now());
        let participant = participant.and_then(|step| {
            let connecting = step
                .next
                .clone()
                .on(participant::Event::ConnectingBegun, around.now())?;
            Ok(connecting.map_or(step.next, |step| step.next))
        });
        let participant = participant.map_err(|refused| problem::wrong_state(refused.message))?;
        let ring_ms = ring_ms.unwrap_or(match party {
            Party::Phone => RING_MS_PHONE,
            Party::User | Party::Bot => RING_MS_USER,
        });
        session.parties.insert(
            id,
            Somebody {
                raw_id: raw_id.clone(),
                participant,
                invitation,
            },
        );
        self.reach(call, id, &raw_id, around);
        let time_out = Later::RingTimeOut {
            call: call.to_owned(),
            participant: id,
        };
        self.later(ring_ms, time_out, around);
        Ok(())
    }

    /// Rings a party, or tells of an incoming call that an application may answer.
    pub(super) fn reach(
        &mut self,
        call: &str,
        participant: ParticipantId,
        raw_id: &str,
        around: &Surroundings<'_>,
    ) {
        match around.parties.reach(raw_id, (around.rings)(raw_id)) {
            Reach::Party => {
                for (after_ms, fact) in around.parties.ring(raw_id) {
                    let later = Later::Fact {
                        call: call.to_owned(),
                        participant,
                        fact,
                    };
                    self.later(after_ms, later, around);
                }
            }
            Reach::Application => {
                let context = format!("incoming-{}", around.fresh().simple());
                let caller = self
                    .sessions
                    .get(call)
                    .map(|session| session.caller.clone());
                let (from, name) = caller.unwrap_or_default();
                let incoming = Incoming {
                    call: call.to_owned(),
                    participant,
                };
                self.incoming.insert(context.clone(), incoming);
                self.tell_incoming(&context, call, &from, raw_id, name.as_deref(), around);
            }
        }
    }

    /// Somebody is in the call without being asked.
    pub(super) fn comes(&mut self, call: &str, raw_id: &str, around: &Surroundings<'_>) {
        let id = ParticipantId::from_uuid(around.fresh());
        let Ok(made) = Participant::begin(participant::Event::ParticipantMade, around.now()) else {
            return;
        };
        let Some(session) = self.sessions.get_mut(call) else {
            return;
        };
        session.parties.insert(
            id,
            Somebody {
                raw_id: raw_id.to_owned(),
                participant: made.next,
                invitation: None,
            },
        );
        let party = match RawId::of(raw_id) {
            RawId::Phone(_) => Party::Phone,
            _ => Party::User,
        };
        let role = Role::Unknown;
        let invited = call::Event::ParticipantInvited {
            participant: id,
            party,
            role,
        };
        self.tell(call, invited, around);
        for event in [
            participant::Event::ConnectingBegun,
            participant::Event::ParticipantConnected,
        ] {
            self.changes(call, id, event, around);
        }
        self.tell(
            call,
            call::Event::ParticipantJoined { participant: id },
            around,
        );
    }

    /// How a leg stands.
    pub(super) fn read(&self, id: &str) -> Answer {
        let leg = self
            .legs
            .get(id)
            .ok_or_else(|| problem::no_call("call connection"))?;
        let session = self
            .sessions
            .get(&leg.call)
            .ok_or_else(|| problem::no_call("call"))?;
        let targets: Vec<_> = leg
            .targets
            .iter()
            .map(|target| raw_id::identifier(target))
            .collect();
        let state = match leg.leg.state() {
            "CONNECTED" | "LOCAL_HOLD" | "REMOTE_HOLD" => "connected",
            "DISCONNECTING" => "disconnecting",
            "DISCONNECTED" => "disconnected",
            _ => "connecting",
        };
        let mut shown = super::members(json!({
            "callConnectionId": id,
            "serverCallId": session.id,
            "correlationId": session.correlation,
            "targets": targets,
            "callConnectionState": state,
            "callbackUri": leg.callback,
            "source": raw_id::identifier(&leg.source),
        }));
        let mut put = |name: &str, value: Option<Value>| {
            shown.extend(value.map(|value| (name.to_owned(), value)));
        };
        put(
            "sourceCallerIdNumber",
            leg.caller_id
                .as_ref()
                .map(|number| json!({"value": number})),
        );
        put(
            "sourceDisplayName",
            leg.display_name.clone().map(Value::from),
        );
        put(
            "answeredBy",
            leg.answered_by.as_ref().map(|id| json!({"id": id})),
        );
        Ok(Value::Object(shown))
    }

    /// The application leaves, or ends the call for everyone.
    pub(super) fn hang_up(
        &mut self,
        id: &str,
        wanted: &Wanted,
        around: &Surroundings<'_>,
    ) -> Answer {
        let leg = self
            .legs
            .get(id)
            .ok_or_else(|| problem::no_call("call connection"))?;
        let (call, participant) = (leg.call.clone(), leg.participant);
        let reason = EndReason::ENDED_BY_BOT;
        match wanted {
            Wanted::Terminate => self.tell(&call, call::Event::EndWanted { reason }, around),
            _ => self.disconnect(&call, participant, reason, around),
        }
        Ok(Value::Null)
    }

    /// Somebody is out, whoever they are.
    pub(super) fn disconnect(
        &mut self,
        call: &str,
        participant: ParticipantId,
        reason: EndReason,
        around: &Surroundings<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(call) else {
            return;
        };
        if let Some(somebody) = session.parties.get_mut(&participant) {
            let left = participant::Event::ParticipantLeft { reason };
            if let Ok(Some(step)) = somebody.participant.clone().on(left, around.now()) {
                somebody.participant = step.next;
            }
            let (raw_id, invitation) = (somebody.raw_id.clone(), somebody.invitation.take());
            if let Some(invitation) = invitation {
                match invitation.by {
                    Invited::Create => {}
                    Invited::Add => {
                        let data = json!({
                            "participant": raw_id::identifier(&raw_id),
                            "resultInformation": emit::reason(reason),
                        });
                        let (leg, told) = (&invitation.leg, &invitation.told);
                        self.emit_told(leg, "AddParticipantFailed", data, told, around);
                    }
                    Invited::Transfer { .. } => self.not_transferred(&invitation, reason, around),
                }
            }
            self.silences(call, &raw_id, around);
        } else {
            let legs = session.legs.clone();
            let mut own = legs.into_iter().filter(|id| {
                let leg = self.legs.get(id);
                leg.is_some_and(|leg| leg.participant == participant)
            });
            if let Some(id) = own.next() {
                self.leg_ends(&id, reason, around);
            }
        }
        let left = call::Event::ParticipantLeft {
            participant,
            reason,
        };
        self.tell(call, left, around);
        self.alone(call, reason, around);
    }

    /// Applications alone are no call.
    fn alone(&mut self, call: &str, reason: EndReason, around: &Surroundings<'_>) {
        let alone = self.sessions.get(call).is_some_and(|session| {
            let mut present = session.call.present();
            present.all(|(_, member)| member.party == Party::Bot)
        });
        if alone {
            self.tell(call, call::Event::EndWanted { reason }, around);
        }
    }

    /// The last thing that a leg is told, and nothing behind it.
    fn leg_ends(&mut self, id: &str, reason: EndReason, around: &Surroundings<'_>) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        for event in [
            leg::Event::EndBegun { reason },
            leg::Event::LegEnded { reason },
        ] {
            if let Ok(Some(step)) = leg.leg.clone().on(event, around.now()) {
                leg.leg = step.next;
            }
        }
        let failed = leg.placed && !leg.announced && reason != EndReason::ENDED_BY_BOT;
        let kind = match failed {
            true => "CreateCallFailed",
            false => "CallDisconnected",
        };
        let told = Told {
            operation_context: leg.operation_context.clone(),
            callback: None,
        };
        let data = json!({"resultInformation": emit::reason(reason)});
        self.emit_told(id, kind, data, &told, around);
        self.legs.remove(id);
        for session in self.sessions.values_mut() {
            session.legs.retain(|leg| leg != id);
        }
    }
}

/// A phone is called under a number of one's own only.
pub fn caller_id(
    target: &str,
    caller_id: Option<&str>,
    around: &Surroundings<'_>,
) -> Result<(), Problem> {
    if !matches!(RawId::of(target), RawId::Phone(_)) {
        return Ok(());
    }
    match caller_id {
        None => Err(problem::invalid(
            "sourceCallerIdNumber",
            "sourceCallerIdNumber is required to call a phone; give a number of the resource.",
        )),
        Some(number) if !around.parties.owns(number) => Err(problem::invalid(
            "sourceCallerIdNumber",
            "sourceCallerIdNumber is not a number of the resource.",
        )),
        Some(_) => Ok(()),
    }
}
