//! Calls that an application may answer, redirect or reject.

use convene_domain::{
    Machine as _, ParticipantId,
    call::EndReason,
    leg::{self, Leg},
    participant,
};
use serde_json::Value;

use super::{
    Answer, Calls, Surroundings,
    model::{AppLeg, Incoming},
    place, problem,
};

impl Calls {
    fn taken(&mut self, context: &str) -> Result<Incoming, crate::Problem> {
        let incoming = self.incoming.get(context).cloned();
        incoming.ok_or_else(|| problem::no_call("incoming call").at("incomingCallContext"))
    }

    /// An application takes it for whoever is called.
    pub(super) fn answer(
        &mut self,
        context: &str,
        callback: String,
        operation_context: Option<String>,
        answered_by: Option<String>,
        around: &Surroundings<'_>,
    ) -> Answer {
        let incoming = self.taken(context)?;
        self.incoming.remove(context);
        let call = incoming.call;
        let session = self
            .sessions
            .get(&call)
            .ok_or_else(|| problem::no_call("call"))?;
        let somebody = session.parties.get(&incoming.participant);
        let called = somebody
            .map(|somebody| somebody.raw_id.clone())
            .unwrap_or_default();
        let caller = session.legs.first().and_then(|leg| self.legs.get(leg));
        let (source, caller_id, display_name) = caller.map_or_else(Default::default, |leg| {
            (
                leg.source.clone(),
                leg.caller_id.clone(),
                leg.display_name.clone(),
            )
        });
        let made = Leg::begin(leg::Event::LegMade, around.now())
            .and_then(|step| step.next.on(leg::Event::ConnectingBegun, around.now()))
            .map_err(|refused| problem::wrong_state(refused.message))?;
        let made = made.ok_or_else(|| problem::wrong_state("The call cannot be answered now."))?;
        let leg = self.app_joins(
            &call,
            AppLeg {
                call: call.clone(),
                participant: ParticipantId::from_uuid(around.fresh()),
                callback,
                operation_context,
                leg: made.next,
                placed: false,
                announced: false,
                targets: vec![called],
                source,
                caller_id,
                display_name,
                answered_by,
                lanes: Default::default(),
                continuous: Default::default(),
            },
            around,
        );
        let rings = participant::Event::RingingBegun;
        self.changes(&call, incoming.participant, rings, around);
        self.answers(&call, incoming.participant, around);
        self.read(&leg)
    }

    /// Somebody else is called in place of whom it was for, under the same participant.
    pub(super) fn redirect(
        &mut self,
        context: &str,
        target: String,
        around: &Surroundings<'_>,
    ) -> Answer {
        let incoming = self.taken(context)?;
        let caller = self.sessions.get(&incoming.call).and_then(|session| {
            let leg = self.legs.get(session.legs.first()?)?;
            leg.caller_id.clone()
        });
        place::caller_id(&target, caller.as_deref(), around)?;
        self.incoming.remove(context);
        let session = self.sessions.get_mut(&incoming.call);
        let session = session.ok_or_else(|| problem::no_call("call"))?;
        if let Some(somebody) = session.parties.get_mut(&incoming.participant) {
            somebody.raw_id.clone_from(&target);
        }
        self.reach(&incoming.call, incoming.participant, &target, around);
        Ok(Value::Null)
    }

    /// The caller is told no.
    pub(super) fn reject(
        &mut self,
        context: &str,
        reason: Option<&str>,
        around: &Surroundings<'_>,
    ) -> Answer {
        let incoming = self.taken(context)?;
        let reason = match reason {
            None | Some("none") => EndReason::DECLINED,
            Some("busy") => EndReason::BUSY,
            Some("forbidden") => EndReason::FORBIDDEN,
            Some(_) => {
                let text = "callRejectReason is none, busy or forbidden.";
                return Err(problem::invalid("callRejectReason", text));
            }
        };
        self.incoming.remove(context);
        self.disconnect(&incoming.call, incoming.participant, reason, around);
        Ok(Value::Null)
    }
}
