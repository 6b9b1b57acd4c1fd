//! What exists in the simulated tenant. Pure: no HTTP, no clock of its own.

mod calls;
mod directory;
mod meetings;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use calls::{Call, Operation, Recording, SETTLE_MS};
pub use directory::{Directory, User, derived_hex, derived_uuid};
pub use meetings::{Attendee, Event, Meeting, NewMeeting, Presence};

/// All mutable state.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct World {
    /// Rises with every object: the source of ids.
    made: u64,
    /// Calendar events by id; deleted ones are gone.
    pub events: BTreeMap<String, Event>,
    /// Online meetings by id.
    pub meetings: BTreeMap<String, Meeting>,
    /// Calls by id; ended ones are gone.
    pub calls: BTreeMap<String, Call>,
    /// Recordings in order of their start.
    pub recordings: Vec<Recording>,
    /// What was created since the start, deleted or not: for tests that count.
    pub created_events: u64,
    /// How a repeated `transactionId` is answered: `false` the same event, `true` 409.
    pub repeat_conflicts: bool,
}

impl World {
    /// The next number of this world; ids are derived from it and the seed.
    pub fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}

/// JSON members that a client sent and the simulator keeps as they are.
pub type Members = Map<String, Value>;
