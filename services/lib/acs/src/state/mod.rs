//! The state of one resource as plain data: what a simulator keeps in memory, and the meaning of commands for whoever keeps it elsewhere.

mod repeats;

use std::{cell::Cell, collections::BTreeMap};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Calls, Command, Fetch, Identity, Once, Outcome, Page, Parties, Problem, RawId, Room, TokenWish,
};
use repeats::Repeats;

use crate::calls::{Looked, Surroundings};

/// Users and rooms of a resource.
pub const OBJECTS_MAX: usize = 200_000;

/// Everything that a resource holds.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    identities: BTreeMap<String, Identity>,
    rooms: BTreeMap<String, Room>,
    repeats: Repeats,
    calls: Calls,
}

/// What a command needs of its surroundings.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The resource's id.
    pub resource: &'a str,
    /// Business time, in milliseconds.
    pub now_ms: i64,
    /// A new id for what the command makes.
    pub fresh: Uuid,
    /// Who plays the parties of calls.
    pub parties: &'a dyn Parties,
}

impl State {
    /// Runs a command; what is refused changes nothing.
    pub fn run(
        &mut self,
        command: Command,
        once: Option<&Once>,
        moment: Moment<'_>,
    ) -> Result<Outcome, Problem> {
        if let Some(once) = once
            && let Some(outcome) = self.repeats.find(once)?
        {
            return Ok(outcome);
        }
        let outcome = self.decide(command, moment)?;
        if let Some(once) = once {
            self.repeats.keep(once, &outcome);
        }
        Ok(outcome)
    }

    /// Whether a user holds a token that may start calls.
    pub fn rings(&self, user: &str, now_ms: i64) -> bool {
        rings(&self.identities, user, now_ms)
    }

    /// Calls, and what of them is to be delivered.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// What was delivered is taken out.
    pub fn calls_mut(&mut self) -> &mut Calls {
        &mut self.calls
    }

    /// Lets happen in calls what is due.
    pub fn tick(&mut self, moment: Moment<'_>) {
        self.with_calls(moment, Calls::tick);
    }

    /// What was found out about a prompt: its length in milliseconds, or a sub-code with a sentence.
    pub fn fetched(&mut self, fetch: &Fetch, looked: Looked, moment: Moment<'_>) {
        self.with_calls(moment, |calls, around| calls.fetched(fetch, looked, around));
    }

    fn with_calls<T>(
        &mut self,
        moment: Moment<'_>,
        act: impl FnOnce(&mut Calls, &Surroundings<'_>) -> T,
    ) -> T {
        let Self {
            identities, calls, ..
        } = self;
        let rings = |user: &str| rings(identities, user, moment.now_ms);
        let around = Surroundings {
            now_ms: moment.now_ms,
            resource: moment.resource,
            base: moment.fresh,
            made: Cell::new(0),
            rings: &rings,
            parties: moment.parties,
        };
        act(calls, &around)
    }

    fn decide(&mut self, command: Command, moment: Moment<'_>) -> Result<Outcome, Problem> {
        let now_ms = moment.now_ms;
        Ok(match command {
            Command::CreateIdentity(wish) => self.create_identity(wish.as_ref(), moment)?,
            Command::IssueToken(id, wish) => {
                let expires_ms = self.identity(&id, moment.resource)?.issue(&wish, now_ms);
                Outcome::Identity {
                    id,
                    expires_ms: Some(expires_ms),
                }
            }
            Command::RevokeTokens(id) => {
                self.identity(&id, moment.resource)?.revoke(now_ms);
                Outcome::Done
            }
            Command::DeleteIdentity(id) => {
                self.identity(&id, moment.resource)?;
                self.identities.remove(&id);
                Outcome::Done
            }
            Command::CreateRoom(new) => {
                self.space()?;
                let room = Room::open(room_id(moment.fresh), new, now_ms)?;
                self.rooms.insert(room.id.clone(), room.clone());
                Outcome::Room(room)
            }
            Command::ReadRoom(id) => Outcome::Room(self.room(&id)?.clone()),
            Command::ListRooms { after } => {
                let behind = self.rooms.range(behind(after)..);
                Outcome::Rooms(Page::of(
                    behind.map(|(id, room)| (id.clone(), room.clone())),
                ))
            }
            Command::UpdateRoom(id, change) => {
                let room = self.room(&id)?;
                room.change(&change, now_ms)?;
                Outcome::Room(room.clone())
            }
            Command::DeleteRoom(id) => {
                self.room(&id)?;
                self.rooms.remove(&id);
                Outcome::Done
            }
            Command::ListParticipants { room, after } => {
                let behind = self.room(&room)?.participants.range(behind(after)..);
                let each = behind.map(|(id, role)| (id.clone(), (id.clone(), *role)));
                Outcome::Participants(Page::of(each))
            }
            Command::UpdateParticipants(id, changes) => {
                self.room(&id)?.invite(changes)?;
                Outcome::Done
            }
            Command::Call(command) => {
                let answer = self.with_calls(moment, |calls, around| calls.run(command, around));
                Outcome::Answer(answer?)
            }
        })
    }

    fn create_identity(
        &mut self,
        wish: Option<&TokenWish>,
        moment: Moment<'_>,
    ) -> Result<Outcome, Problem> {
        self.space()?;
        // One underscore: with two, every SDK takes it for a Teams user.
        let id = format!("8:acs:{}_{}", moment.resource, moment.fresh);
        let mut identity = Identity::default();
        let expires_ms = wish.map(|wish| identity.issue(wish, moment.now_ms));
        self.identities.insert(id.clone(), identity);
        Ok(Outcome::Identity { id, expires_ms })
    }

    fn identity(&mut self, id: &str, own: &str) -> Result<&mut Identity, Problem> {
        if let RawId::User { resource } = RawId::of(id)
            && resource.is_some_and(|resource| resource != own)
        {
            let text =
                "The identity belongs to another resource; use a connection string of that one.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "Forbidden", text).at("id"));
        }
        self.identities.get_mut(id).ok_or_else(|| {
            let text = "There is no such identity; it may have been deleted. Create one first.";
            Problem::not_found("IdentityNotFound", text).at("id")
        })
    }

    fn room(&mut self, id: &str) -> Result<&mut Room, Problem> {
        self.rooms.get_mut(id).ok_or_else(|| {
            let text = "There is no such room; it may have been deleted. List the rooms.";
            Problem::not_found("NotFound", text).at("roomId")
        })
    }

    fn space(&self) -> Result<(), Problem> {
        if self.identities.len() + self.rooms.len() < OBJECTS_MAX {
            return Ok(());
        }
        let text = format!("The resource holds {OBJECTS_MAX} users and rooms; delete some.");
        let status = StatusCode::INSUFFICIENT_STORAGE;
        Err(Problem::new(status, "InsufficientStorage", text))
    }
}

fn rings(identities: &BTreeMap<String, Identity>, user: &str, now_ms: i64) -> bool {
    let known = identities.get(user);
    known.is_some_and(|identity| identity.voip_until_ms > now_ms)
}

/// The first key behind one.
fn behind(after: Option<String>) -> String {
    // The smallest text that is greater.
    after.map_or_else(String::new, |after| after + "\0")
}

/// 17 digits, the first two of them nines.
fn room_id(fresh: Uuid) -> String {
    const DIGITS: u128 = 1_000_000_000_000_000;
    format!("99{:015}", fresh.as_u128() % DIGITS)
}
