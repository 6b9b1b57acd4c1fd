//! The call engine: calls, the legs of applications in them, and what applications are told. Pure: commands and facts come in, callbacks and
//! wishes go out. It states nothing about parties by itself: whoever plays them ([`Parties`] today, media nodes one day) states facts.

mod command;
mod deliver;
mod emit;
mod facts;
mod incoming;
mod lanes;
mod listen;
mod media;
mod model;
mod parties;
mod place;
mod problem;
mod roster;
mod transfer;

use std::{
    cell::Cell,
    collections::{BTreeMap, VecDeque},
};

use convene_domain::{Timestamp, call};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Problem;
pub use command::{
    Adding, CallCommand, Choice, MediaCommand, NewCall, Prompt, Recognition, Told, Wanted,
};
pub use deliver::{Callback, Fetch, GridEvent};
pub use media::Looked;
use model::{AppLeg, Incoming, Session};
pub use parties::{Fact, Listening, Parties, Reach, Simulated, Tone};

/// Calls at the same time.
pub const CALLS_MAX: usize = 10_000;

/// Everything that is called.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Calls {
    /// By server call id.
    sessions: BTreeMap<String, Session>,
    /// By call connection id.
    legs: BTreeMap<String, AppLeg>,
    /// By incoming call context.
    incoming: BTreeMap<String, Incoming>,
    /// What happens later, in order.
    due: VecDeque<Due>,
    /// Callbacks that are not delivered yet, by the leg whose order they keep.
    outbox: BTreeMap<String, VecDeque<Callback>>,
    /// Event Grid events that are not delivered yet.
    grid: VecDeque<GridEvent>,
    /// Prompts to look at.
    fetches: VecDeque<Fetch>,
    /// Rises with everything that is numbered here.
    made: u64,
}

/// Something that happens later.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Due {
    at_ms: i64,
    what: Later,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Later {
    /// A party does something.
    Fact {
        call: String,
        participant: convene_domain::ParticipantId,
        fact: Fact,
    },
    /// Nobody answered.
    RingTimeOut {
        call: String,
        participant: convene_domain::ParticipantId,
    },
    /// A source of a prompt has been played.
    Played { leg: String, operation: u64 },
    /// Nothing was pressed or said; the number is that of tones so far.
    Silence {
        leg: String,
        operation: u64,
        tones: usize,
    },
    /// Tones have been sent.
    TonesSent {
        leg: String,
        participant: convene_domain::ParticipantId,
        tones: Vec<Tone>,
        told: Told,
    },
}

/// What the engine needs of its surroundings.
pub struct Surroundings<'a> {
    /// Business time, in milliseconds.
    pub now_ms: i64,
    /// The resource's id.
    pub resource: &'a str,
    /// Where new ids come from.
    pub base: Uuid,
    /// Counts them.
    pub made: Cell<u32>,
    /// Whether a user holds a token that may start calls.
    pub rings: &'a dyn Fn(&str) -> bool,
    /// Who plays the parties.
    pub parties: &'a dyn Parties,
}

impl Surroundings<'_> {
    fn fresh(&self) -> Uuid {
        self.made.set(self.made.get() + 1);
        Uuid::new_v5(&self.base, &self.made.get().to_be_bytes())
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms)
    }
}

impl Calls {
    /// When the next thing happens by itself, in milliseconds.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.due.front().map(|due| due.at_ms)
    }

    /// Lets happen what is due, each at its own time.
    pub fn tick(&mut self, around: &Surroundings<'_>) {
        let now_ms = around.now_ms;
        while let Some(due) = self.due.front().filter(|due| due.at_ms <= now_ms).cloned() {
            self.due.pop_front();
            let then = Surroundings {
                now_ms: due.at_ms,
                made: Cell::new(around.made.get()),
                ..*around
            };
            self.happens(due.what, &then);
            around.made.set(then.made.get());
        }
    }

    fn happens(&mut self, what: Later, around: &Surroundings<'_>) {
        match what {
            Later::Fact {
                call,
                participant,
                fact,
            } => self.fact(&call, participant, fact, around),
            Later::RingTimeOut { call, participant } => {
                self.not_answered(&call, participant, around);
            }
            Later::Played { leg, operation } => self.played(&leg, operation, around),
            Later::Silence {
                leg,
                operation,
                tones,
            } => self.silence(&leg, operation, tones, around),
            Later::TonesSent {
                leg,
                participant,
                tones,
                told,
            } => self.tones_sent(&leg, participant, tones, &told, around),
        }
    }

    /// Something will happen after so many milliseconds.
    fn later(&mut self, after_ms: i64, what: Later, around: &Surroundings<'_>) {
        let at_ms = around.now_ms + after_ms.max(0);
        let place = self.due.partition_point(|due| due.at_ms <= at_ms);
        self.due.insert(place, Due { at_ms, what });
    }

    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// A fact of a call, and all that follows from it. What the machine refuses has been overtaken by something else.
    fn tell(&mut self, call: &str, event: call::Event, around: &Surroundings<'_>) {
        use convene_domain::Machine as _;
        let Some(session) = self.sessions.get_mut(call) else {
            return;
        };
        let Ok(Some(step)) = session.call.clone().on(event, around.now()) else {
            return;
        };
        session.call = step.next;
        for due in step.effects {
            match due.effect {
                call::Effect::TellRoster { .. } => self.tell_roster(call, around),
                call::Effect::Disconnect {
                    participant,
                    reason,
                } => self.disconnect(call, participant, reason, around),
            }
        }
        let over = |session: &Session| session.call.ended().is_some();
        if self.sessions.get(call).is_some_and(over) {
            self.sessions.remove(call);
            self.incoming.retain(|_, incoming| incoming.call != call);
        }
    }
}

/// The members of an object that is written down as JSON.
fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

type Answer = Result<Value, Problem>;
