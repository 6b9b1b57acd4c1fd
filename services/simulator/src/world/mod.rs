//! What exists in the simulated tenant. Pure: no HTTP, no clock of its own; every change is handed the time.

mod access;
mod calls;
mod directory;
mod events;
mod index;
mod meetings;
mod people;
mod recordings;
mod recurrence;
mod series;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use access::Access;
pub use calls::{Call, Ended, JoinError, Operation, SETTLE_MS};
pub use directory::{Directory, User, derived_bytes, derived_hex, derived_uuid};
pub use events::{Event, NewEvent};
use index::Index;
pub use meetings::{Meeting, NewMeeting};
pub use people::{ATTENDEES_MAX, Attendee, Kind, Presence};
pub use recordings::Recording;
pub use recurrence::{Pattern, Range, Recurrence};
pub use series::{Exception, Occurrence, parse_id};

/// Events, meetings and calls that exist at the same time.
pub const OBJECTS_MAX: usize = 200_000;
/// Removed objects that are remembered; the oldest is forgotten first.
const REMOVED_MAX: usize = 200_000;

/// All mutable state.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct World {
    /// Rises with every object: the source of ids.
    made: u64,
    events: BTreeMap<String, Event>,
    meetings: BTreeMap<String, Meeting>,
    calls: BTreeMap<String, Call>,
    removed: VecDeque<Removed>,
    created_events: u64,
    /// How a repeated `transactionId` is answered: `false` the same event, `true` 409.
    pub repeat_conflicts: bool,
    #[serde(default)]
    access: Access,
    /// Users, rooms and calls of the communication resource.
    #[serde(default)]
    pub acs: convene_acs::State,
    #[serde(skip)]
    index: Index,
}

/// What was an event or a stand-alone meeting.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Removed {
    /// `event` or `onlineMeeting`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Object id of its organizer.
    pub organizer: String,
    /// Key of an event's creation.
    pub transaction_id: Option<String>,
    /// Key of `createOrGet`.
    pub external_id: Option<String>,
    /// When, in milliseconds.
    pub removed_ms: i64,
}

/// There is no room; the remedy is the control API's `reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// JSON members that a client sent and the simulator keeps as they are.
pub type Members = Map<String, Value>;

impl World {
    /// The next number of this world; ids are derived from it and the seed.
    pub fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Finds everything again after the world was read from disk.
    pub fn reindex(&mut self) {
        self.index = Index::default();
        for event in self.events.values() {
            self.index.add_event(event);
        }
        for meeting in self.meetings.values() {
            self.index.add_meeting(meeting);
        }
    }

    /// Events that were ever made, for tests that count.
    pub fn created_events(&self) -> u64 {
        self.created_events
    }

    /// What was removed, the oldest first.
    pub fn removed(&self) -> impl Iterator<Item = &Removed> {
        self.removed.iter()
    }

    fn room(&self) -> Result<(), Full> {
        let objects = self.events.len() + self.meetings.len() + self.calls.len();
        if objects < OBJECTS_MAX {
            Ok(())
        } else {
            Err(Full)
        }
    }

    fn remember(&mut self, removed: Removed) {
        if self.removed.len() >= REMOVED_MAX {
            self.removed.pop_front();
        }
        self.removed.push_back(removed);
    }
}
