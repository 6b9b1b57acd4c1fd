//! How things are found without looking at all of them. Derived from the world, never stored.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Event, Meeting};

/// A user's object id and a key of theirs.
type Owned = (String, String);
/// A user's object id, and id and value of an extended property.
type Property = (String, (String, String));
/// Event ids by the number of their making.
type Numbered = BTreeSet<(u64, String)>;

/// Ids by what they are asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Event by organizer and `transactionId`.
    pub by_transaction: HashMap<Owned, String>,
    /// Events by organizer and extended property, in order of their making.
    by_property: HashMap<Property, Numbered>,
    /// Events of an organizer, in order of their making.
    calendars: HashMap<String, BTreeMap<u64, String>>,
    /// Meeting by organizer and `externalId`.
    pub by_external: HashMap<Owned, String>,
    /// Meeting by join link.
    pub by_join_url: HashMap<String, String>,
    /// Meeting by the digits of joining by id.
    pub by_join_id: HashMap<String, String>,
    /// Meeting by chat thread.
    pub by_thread: HashMap<String, String>,
    /// Meeting by the id of a person in it.
    pub by_attendee: HashMap<String, String>,
}

impl Index {
    pub fn add_event(&mut self, event: &Event) {
        let owner = &event.organizer;
        if let Some(key) = &event.transaction_id {
            let key = (owner.clone(), key.clone());
            self.by_transaction.insert(key, event.id.clone());
        }
        for property in &event.extended {
            let key = (owner.clone(), property.clone());
            let found = self.by_property.entry(key).or_default();
            found.insert((event.number, event.id.clone()));
        }
        let calendar = self.calendars.entry(owner.clone()).or_default();
        calendar.insert(event.number, event.id.clone());
    }

    pub fn remove_event(&mut self, event: &Event) {
        let owner = &event.organizer;
        if let Some(key) = &event.transaction_id {
            self.by_transaction.remove(&(owner.clone(), key.clone()));
        }
        for property in &event.extended {
            let key = (owner.clone(), property.clone());
            if let Some(found) = self.by_property.get_mut(&key) {
                found.remove(&(event.number, event.id.clone()));
                if found.is_empty() {
                    self.by_property.remove(&key);
                }
            }
        }
        if let Some(calendar) = self.calendars.get_mut(owner) {
            calendar.remove(&event.number);
            if calendar.is_empty() {
                self.calendars.remove(owner);
            }
        }
    }

    pub fn add_meeting(&mut self, meeting: &Meeting) {
        let id = &meeting.id;
        if let Some(key) = &meeting.external_id {
            let key = (meeting.organizer.clone(), key.clone());
            self.by_external.insert(key, id.clone());
        }
        self.by_join_url
            .insert(meeting.join_web_url.clone(), id.clone());
        self.by_join_id
            .insert(meeting.join_meeting_id.clone(), id.clone());
        self.by_thread.insert(meeting.thread_id.clone(), id.clone());
        for attendee in &meeting.attendees {
            self.by_attendee.insert(attendee.id.clone(), id.clone());
        }
    }

    pub fn remove_meeting(&mut self, meeting: &Meeting) {
        if let Some(key) = &meeting.external_id {
            let key = (meeting.organizer.clone(), key.clone());
            self.by_external.remove(&key);
        }
        self.by_join_url.remove(&meeting.join_web_url);
        self.by_join_id.remove(&meeting.join_meeting_id);
        self.by_thread.remove(&meeting.thread_id);
        for attendee in &meeting.attendees {
            self.by_attendee.remove(&attendee.id);
        }
    }

    /// Ids of an organizer's events, the oldest first.
    pub fn calendar(&self, organizer: &str) -> impl Iterator<Item = &String> {
        self.calendars
            .get(organizer)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// Ids of an organizer's events that carry a property, the oldest first.
    pub fn with_property(
        &self,
        organizer: &str,
        property: (String, String),
    ) -> impl Iterator<Item = &String> {
        self.by_property
            .get(&(organizer.to_owned(), property))
            .into_iter()
            .flatten()
            .map(|(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use crate::world::{Directory, Kind, Members, NewEvent, NewMeeting, World};

    fn event(organizer: &str, number: u64) -> NewEvent {
        NewEvent {
            organizer: organizer.to_owned(),
            start_ms: 0,
            end_ms: 1,
            zones: ("UTC".to_owned(), "UTC".to_owned()),
            transaction_id: (!number.is_multiple_of(3)).then(|| format!("t{number}")),
            extended: vec![("id".to_owned(), format!("{}", number % 5))],
            online: number.is_multiple_of(2),
            recurrence: None,
            members: Members::new(),
        }
    }

    /// Whatever happens, what was kept up step by step is what a restart builds anew.
    #[test]
    fn it_says_the_same_when_it_is_built_anew() {
        let directory = Directory::new(1).unwrap();
        let mut world = World::default();
        let mut dice = 12_345u64;
        for step in 0..2_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let throw = dice >> 33;
            let organizer = if throw.is_multiple_of(2) { "a" } else { "b" };
            let some_event = world.events().nth(throw as usize % 7).cloned();
            let some_meeting = world.meetings().nth(throw as usize % 7);
            let some_meeting = some_meeting.map(|meeting| meeting.id.clone());
            match (throw % 11, some_event, some_meeting) {
                (0..=3, ..) => {
                    world
                        .make_event(&directory, event(organizer, step), 0)
                        .unwrap();
                }
                (4, Some(mut event), _) => {
                    event.extended = vec![("id".to_owned(), format!("new {step}"))];
                    world.change_event(&directory, event, true, 1).unwrap();
                }
                (5 | 6, Some(event), _) => world.remove_event(&event.id, 1),
                (7, _, Some(meeting)) => world.remove_meeting(&meeting, 1),
                (8, _, Some(meeting)) => {
                    world
                        .come(&directory, &meeting, Kind::Guest, None, 1)
                        .unwrap();
                }
                (9, ..) => {
                    let new = NewMeeting {
                        external_id: Some(format!("e{step}")),
                        ..NewMeeting::default()
                    };
                    world.make_meeting(&directory, organizer, new, 0).unwrap();
                }
                (10, _, Some(meeting)) => {
                    let call = world.join(&directory, &meeting, String::new(), 0).unwrap();
                    let id = call.id.clone();
                    if throw.is_multiple_of(2) {
                        assert!(world.end_call(&id, 1));
                    }
                }
                _ => {}
            }
        }
        assert!(world.events().count() > 50 && world.removed().count() > 50);
        let text = serde_json::to_string(&world).unwrap();
        let mut anew: World = serde_json::from_str(&text).unwrap();
        anew.reindex();
        assert_eq!(world.index, anew.index);
        let calls = world.meetings().flat_map(|meeting| &meeting.calls);
        let calls = calls.filter(|call| world.call(call).is_some());
        assert_eq!(
            calls.count(),
            world.calls.len(),
            "calls and meetings know each other"
        );
    }
}
