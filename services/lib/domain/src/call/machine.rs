//! The transitions of a call.

use super::*;
use crate::{Charted, Machine, Outcome, Step};

impl Machine for Call {
    const KIND: &'static str = "call";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::CallBegun { kind } = event else {
            return Err(Refused::OUT_OF_ORDER);
        };
        Ok(Step::to(Self {
            kind,
            established_at: None,
            participants: BTreeMap::new(),
            sequence: 0,
            phase: Phase::Establishing,
        }))
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        match event {
            Event::CallBegun { .. } => Err(Refused::OUT_OF_ORDER),
            Event::ParticipantInvited {
                participant,
                party,
                role,
            } => self.invited(participant, party, role),
            Event::ParticipantJoined { participant } => self.joined(participant, now),
            Event::RoleChanged { participant, role } => self.role_changed(participant, role),
            Event::ParticipantChanged { participant } => self.changed(participant),
            Event::ParticipantLeft {
                participant,
                reason,
            } => self.left(participant, reason),
            Event::EndWanted { reason } => Ok(self.end(reason)),
        }
    }

    fn wanted(&self, effect: &Effect) -> bool {
        match effect {
            Effect::TellRoster { sequence } => *sequence == self.sequence,
            Effect::Disconnect { participant, .. } => {
                self.present().any(|(present, _)| present == *participant)
            }
        }
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Establishing => "ESTABLISHING",
            Phase::Established => "ESTABLISHED",
            Phase::Terminating { .. } => "TERMINATING",
            Phase::Terminated { .. } => "TERMINATED",
        }
    }
}

impl Call {
    fn is_ending(&self) -> bool {
        matches!(
            self.phase,
            Phase::Terminating { .. } | Phase::Terminated { .. }
        )
    }

    fn stands(&self, participant: ParticipantId) -> Result<Stands, Refused> {
        let member = self.participants.get(&participant);
        member.map(|member| member.stands).ok_or(NOT_IN_CALL)
    }

    fn invited(mut self, participant: ParticipantId, party: Party, role: Role) -> Outcome<Self> {
        if self.is_ending() {
            return Err(CALL_OVER);
        }
        match self.participants.get(&participant) {
            // Who comes again is a new participant.
            Some(member) if matches!(member.stands, Stands::Gone(_)) => {
                return Err(Refused::OUT_OF_ORDER);
            }
            Some(_) => return Ok(None),
            None => {}
        }
        if self.present().count() >= PARTICIPANTS_MAX {
            return Err(CALL_FULL);
        }
        let member = Member {
            party,
            role,
            stands: Stands::Invited,
        };
        self.participants.insert(participant, member);
        // It grows under the same id, and nobody's own id changes.
        if self.present().count() > 2 {
            self.kind = Kind::Group;
        }
        Ok(Some(Step::to(self)))
    }

    fn joined(mut self, participant: ParticipantId, now: Timestamp) -> Outcome<Self> {
        match self.stands(participant)? {
            Stands::Joined => return Ok(None),
            Stands::Gone(_) => return Err(Refused::OUT_OF_ORDER),
            Stands::Invited if self.is_ending() => return Err(CALL_OVER),
            Stands::Invited => self.set(participant, Stands::Joined),
        }
        let together = match self.kind {
            Kind::OneToOne => 2,
            // Somebody waits in a group alone.
            Kind::Group => 1,
        };
        if self.phase == Phase::Establishing && self.there() >= together {
            self.phase = Phase::Established;
            self.established_at = Some(now);
        }
        Ok(Some(self.tells_of(participant)))
    }

    fn role_changed(mut self, participant: ParticipantId, role: Role) -> Outcome<Self> {
        if let Stands::Gone(_) = self.stands(participant)? {
            return Err(NOT_IN_CALL);
        }
        match self.participants.get_mut(&participant) {
            Some(member) if member.role != role => member.role = role,
            _ => return Ok(None),
        }
        Ok(Some(self.tells()))
    }

    fn changed(self, participant: ParticipantId) -> Outcome<Self> {
        match self.stands(participant)? {
            Stands::Joined => Ok(Some(self.tells())),
            Stands::Invited | Stands::Gone(_) => Err(NOT_IN_CALL),
        }
    }

    fn left(mut self, participant: ParticipantId, reason: EndReason) -> Outcome<Self> {
        let was = self.stands(participant)?;
        if matches!(was, Stands::Gone(_)) {
            return Ok(None);
        }
        self.set(participant, Stands::Gone(reason));
        let left = self.present().count();
        Ok(Some(match (self.phase, self.kind) {
            (Phase::Terminating { reason }, _) if left == 0 => self.over(reason),
            (Phase::Terminating { .. } | Phase::Terminated { .. }, _) => Step::to(self),
            (_, _) if left == 0 => self.over(reason),
            // One of two is no call.
            (_, Kind::OneToOne) => self.ends(reason),
            (_, Kind::Group) if was == Stands::Joined => self.tells_of(participant),
            (_, Kind::Group) => Step::to(self),
        }))
    }

    fn end(self, reason: EndReason) -> Option<Step<Self>> {
        if self.is_ending() {
            return None;
        }
        let empty = self.present().next().is_none();
        Some(match empty {
            true => self.over(reason),
            false => self.ends(reason),
        })
    }

    fn ends(self, reason: EndReason) -> Step<Self> {
        let present: Vec<_> = self.present().map(|(id, _)| id).collect();
        let step = Step::to(Self {
            phase: Phase::Terminating { reason },
            ..self
        });
        present.into_iter().fold(step, |step, participant| {
            step.then(Effect::Disconnect {
                participant,
                reason,
            })
        })
    }

    fn over(self, reason: EndReason) -> Step<Self> {
        Step::to(Self {
            phase: Phase::Terminated { reason },
            ..self
        })
    }

    fn there(&self) -> usize {
        let joined = self
            .present()
            .filter(|(_, member)| member.stands == Stands::Joined);
        joined.count()
    }

    fn set(&mut self, participant: ParticipantId, stands: Stands) {
        if let Some(member) = self.participants.get_mut(&participant) {
            member.stands = stands;
        }
    }

    /// A coming or going that everybody is told, unless rosters leave the party out.
    fn tells_of(self, participant: ParticipantId) -> Step<Self> {
        let member = self.participants.get(&participant);
        match member.is_some_and(|member| member.party == Party::Bot) {
            true => Step::to(self),
            false => self.tells(),
        }
    }

    /// A change that everybody in the call is told.
    fn tells(mut self) -> Step<Self> {
        self.sequence += 1;
        let sequence = self.sequence;
        Step::to(self).then(Effect::TellRoster { sequence })
    }
}

impl Charted for Call {
    fn chart_events() -> (Event, Vec<Event>) {
        let first = Event::CallBegun {
            kind: Kind::OneToOne,
        };
        let each = |number: u128| ParticipantId::from_uuid(uuid::Uuid::from_u128(number));
        let mut later = vec![Event::EndWanted {
            reason: EndReason::ENDED_BY_BOT,
        }];
        for (number, party) in [(1, Party::User), (2, Party::Bot), (3, Party::Phone)] {
            let participant = each(number);
            later.extend([
                Event::ParticipantInvited {
                    participant,
                    party,
                    role: Role::Attendee,
                },
                Event::ParticipantJoined { participant },
                Event::ParticipantLeft {
                    participant,
                    reason: EndReason::ENDED_BY_USER,
                },
            ]);
        }
        let participant = each(1);
        let role = Role::Presenter;
        later.push(Event::RoleChanged { participant, role });
        (first, later)
    }
}
