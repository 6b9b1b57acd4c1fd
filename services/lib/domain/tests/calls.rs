//! Random histories of calls: whatever comes in whatever order, only legal traces are written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use convene_domain::{
    Charted, Machine, ParticipantId, Timestamp,
    call::{self, CALL_FULL, Call, EndReason, Kind, PARTICIPANTS_MAX, Party, Role, Stands},
    leg::{self, Leg},
    participant::{self, Participant},
};
use proptest::prelude::*;
use uuid::Uuid;

/// What calling SDKs publish about the states of a client's call.
const LEG: &[(&str, &[&str])] = &[
    ("NONE", &["CONNECTING", "DISCONNECTING"]),
    (
        "CONNECTING",
        &[
            "RINGING",
            "EARLY_MEDIA",
            "IN_LOBBY",
            "CONNECTED",
            "DISCONNECTING",
        ],
    ),
    ("RINGING", &["EARLY_MEDIA", "CONNECTED", "DISCONNECTING"]),
    ("EARLY_MEDIA", &["CONNECTED", "DISCONNECTING"]),
    ("IN_LOBBY", &["CONNECTED", "DISCONNECTING"]),
    // Straight to the end when the network is lost.
    (
        "CONNECTED",
        &["LOCAL_HOLD", "REMOTE_HOLD", "DISCONNECTING", "DISCONNECTED"],
    ),
    (
        "LOCAL_HOLD",
        &["CONNECTED", "REMOTE_HOLD", "DISCONNECTING", "DISCONNECTED"],
    ),
    (
        "REMOTE_HOLD",
        &["CONNECTED", "LOCAL_HOLD", "DISCONNECTING", "DISCONNECTED"],
    ),
    ("DISCONNECTING", &["DISCONNECTED"]),
    ("DISCONNECTED", &[]),
];

/// The same of a participant.
const PARTICIPANT: &[(&str, &[&str])] = &[
    ("IDLE", &["CONNECTING", "IN_LOBBY", "DISCONNECTED"]),
    (
        "CONNECTING",
        &["RINGING", "EARLY_MEDIA", "CONNECTED", "DISCONNECTED"],
    ),
    ("RINGING", &["CONNECTED", "DISCONNECTED"]),
    ("EARLY_MEDIA", &["CONNECTED", "DISCONNECTED"]),
    ("IN_LOBBY", &["CONNECTING", "CONNECTED", "DISCONNECTED"]),
    ("CONNECTED", &["HOLD", "DISCONNECTED"]),
    ("HOLD", &["CONNECTED", "DISCONNECTED"]),
    ("DISCONNECTED", &[]),
];

fn now() -> Timestamp {
    Timestamp::from_millis(0)
}

/// All states on the way of sample events.
fn play<M: Charted>(indices: &[usize]) -> Vec<M> {
    let (first, later) = M::chart_events();
    let mut states = vec![M::begin(first, now()).unwrap().next];
    for index in indices {
        let current = states.last().unwrap().clone();
        if let Ok(Some(step)) = current.on(later[index % later.len()].clone(), now()) {
            states.push(step.next);
        }
    }
    states
}

/// Every step is in the table, and every pair of the table happens when all histories are tried.
fn legal<M: Charted>(table: &[(&str, &[&str])], states: &[M]) {
    for pair in states.windows(2) {
        let [from, to] = [pair[0].state(), pair[1].state()];
        let (_, allowed) = table.iter().find(|(state, _)| *state == from).unwrap();
        assert!(from == to || allowed.contains(&to), "{from} -> {to}");
    }
}

fn every_pair_is_met<M: Charted>(table: &[(&str, &[&str])]) {
    let (first, later) = M::chart_events();
    let mut met = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![M::begin(first, now()).unwrap().next];
    while let Some(state) = open.pop() {
        if !seen.insert(format!("{state:?}")) {
            continue;
        }
        for event in &later {
            if let Ok(Some(step)) = state.clone().on(event.clone(), now()) {
                met.insert((state.state(), step.next.state()));
                open.push(step.next);
            }
        }
    }
    for (from, allowed) in table {
        for to in *allowed {
            assert!(met.contains(&(*from, *to)), "{from} -> {to} is never met");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_legal_traces(indices in prop::collection::vec(0usize..64, 0..60)) {
        let legs = play::<Leg>(&indices);
        legal(LEG, &legs);
        let over = legs.iter().filter(|leg| leg.ended().is_some()).count();
        prop_assert!(over <= 1, "nothing comes behind the end");
        let participants = play::<Participant>(&indices);
        legal(PARTICIPANT, &participants);
        for one in &participants {
            prop_assert!(!one.muted_by_others || one.muted);
            prop_assert!(one.connected_at.is_some() || !one.muted, "only who is there does something");
            prop_assert!(one.left().is_none() || one.hand_raised_at.is_none() && !one.sharing);
        }
        prop_assert!(participants.iter().filter(|one| one.left().is_some()).count() <= 1);
    }

    #[test]
    fn a_call_keeps_its_promises(indices in prop::collection::vec(0usize..64, 0..60)) {
        let calls = play::<Call>(&indices);
        for pair in calls.windows(2) {
            let [from, to] = [&pair[0], &pair[1]];
            prop_assert!(to.sequence >= from.sequence);
            prop_assert!(from.kind == Kind::OneToOne || to.kind == Kind::Group, "a group stays one");
            let known: Vec<_> = from.participants.keys().collect();
            prop_assert!(known.iter().all(|id| to.participants.contains_key(id)), "ids stay");
            for (id, member) in &from.participants {
                let now = to.participants[id].stands;
                let before = member.stands;
                prop_assert!(!matches!(before, Stands::Gone(_)) || before == now, "who is gone stays gone");
                prop_assert!(before != Stands::Joined || now != Stands::Invited);
            }
            prop_assert!(from.ended().is_none() || to.ended() == from.ended(), "the end is final");
        }
        for call in &calls {
            if call.ended().is_some() {
                prop_assert_eq!(call.present().count(), 0, "nobody stays in a call that is over");
            }
            prop_assert!(call.kind == Kind::Group || call.present().count() <= 2);
            prop_assert!(call.roster().all(|id| call.participants[&id].party != Party::Bot));
        }
    }

    #[test]
    fn all_survive_storage(indices in prop::collection::vec(0usize..64, 0..40)) {
        fn same<M: Charted + PartialEq>(states: &[M]) {
            for state in states {
                let text = serde_json::to_string(state).unwrap();
                assert!(serde_json::from_str::<M>(&text).unwrap() == *state, "{text}");
            }
        }
        same(&play::<Leg>(&indices));
        same(&play::<Participant>(&indices));
        same(&play::<Call>(&indices));
    }
}

#[test]
fn every_published_transition_happens() {
    every_pair_is_met::<Leg>(LEG);
    every_pair_is_met::<Participant>(PARTICIPANT);
}

fn id(number: usize) -> ParticipantId {
    ParticipantId::from_uuid(Uuid::from_u128(number as u128))
}

fn on(call: Call, event: call::Event) -> Call {
    call.on(event, now()).unwrap().unwrap().next
}

fn invited(call: Call, number: usize) -> Call {
    let event = call::Event::ParticipantInvited {
        participant: id(number),
        party: Party::User,
        role: Role::Unknown,
    };
    on(call, event)
}

fn joined(call: Call, number: usize) -> Call {
    let participant = id(number);
    on(call, call::Event::ParticipantJoined { participant })
}

fn begun(kind: Kind) -> Call {
    Call::begin(call::Event::CallBegun { kind }, now())
        .unwrap()
        .next
}

#[test]
fn a_call_between_two_grows_under_the_same_ids_and_does_not_shrink() {
    let two = joined(joined(invited(invited(begun(Kind::OneToOne), 1), 2), 1), 2);
    assert_eq!((two.kind, two.state()), (Kind::OneToOne, "ESTABLISHED"));
    let three = joined(invited(two.clone(), 3), 3);
    assert_eq!(three.kind, Kind::Group);
    for number in [1, 2] {
        assert_eq!(
            three.participants[&id(number)],
            two.participants[&id(number)]
        );
    }
    let reason = EndReason::ENDED_BY_USER;
    let participant = id(3);
    let two = on(
        three,
        call::Event::ParticipantLeft {
            participant,
            reason,
        },
    );
    assert_eq!((two.kind, two.state()), (Kind::Group, "ESTABLISHED"));
}

#[test]
fn a_call_between_two_ends_when_one_goes() {
    let two = joined(joined(invited(invited(begun(Kind::OneToOne), 1), 2), 1), 2);
    let reason = EndReason::PHONE_HUNG_UP;
    let left = |participant| call::Event::ParticipantLeft {
        participant,
        reason,
    };
    let step = two.on(left(id(2)), now()).unwrap().unwrap();
    assert_eq!(step.next.state(), "TERMINATING");
    let effects: Vec<_> = step.effects.iter().map(|due| &due.effect).collect();
    let participant = id(1);
    assert_eq!(
        effects,
        [&call::Effect::Disconnect {
            participant,
            reason
        }]
    );
    let over = on(step.next, left(id(1)));
    assert_eq!(over.ended(), Some(reason));
}

#[test]
fn the_351st_is_refused() {
    let mut full = begun(Kind::Group);
    for number in 1..=PARTICIPANTS_MAX {
        full = joined(invited(full, number), number);
    }
    assert_eq!(full.roster().count(), PARTICIPANTS_MAX);
    let one_more = call::Event::ParticipantInvited {
        participant: id(1_000),
        party: Party::User,
        role: Role::Unknown,
    };
    assert_eq!(
        full.clone().on(one_more.clone(), now()).unwrap_err(),
        CALL_FULL
    );
    let (participant, reason) = (id(7), EndReason::REMOVED);
    let room = on(
        full,
        call::Event::ParticipantLeft {
            participant,
            reason,
        },
    );
    assert!(room.on(one_more, now()).unwrap().is_some());
}

#[test]
fn both_who_hold_must_resume() {
    let play = |events: &[leg::Event]| {
        let mut leg = Leg::begin(leg::Event::LegMade, now()).unwrap().next;
        for event in [leg::Event::ConnectingBegun, leg::Event::LegConnected]
            .iter()
            .chain(events)
        {
            leg = leg.on(event.clone(), now()).unwrap().unwrap().next;
        }
        leg.state()
    };
    use leg::Event::{HeldHere, HeldThere, ResumedHere, ResumedThere};
    assert_eq!(play(&[HeldHere]), "LOCAL_HOLD");
    assert_eq!(play(&[HeldThere]), "REMOTE_HOLD");
    assert_eq!(play(&[HeldHere, HeldThere, ResumedHere]), "REMOTE_HOLD");
    assert_eq!(play(&[HeldHere, HeldThere, ResumedThere]), "LOCAL_HOLD");
    assert_eq!(
        play(&[HeldHere, HeldThere, ResumedHere, ResumedThere]),
        "CONNECTED"
    );
}

#[test]
fn nobody_is_unmuted_by_others() {
    use participant::Event::{ConnectingBegun, Muted, ParticipantConnected, Unmuted};
    let mut one = Participant::begin(participant::Event::ParticipantMade, now())
        .unwrap()
        .next;
    for event in [
        ConnectingBegun,
        ParticipantConnected,
        Muted { by_others: true },
    ] {
        one = one.on(event, now()).unwrap().unwrap().next;
    }
    assert!(one.muted && one.muted_by_others);
    let again = one.clone().on(Muted { by_others: true }, now()).unwrap();
    assert!(again.is_none(), "it already is so");
    let own = one.on(Unmuted, now()).unwrap().unwrap().next;
    assert!(!own.muted && !own.muted_by_others);
}

#[test]
fn applications_come_and_go_without_a_word_to_rosters() {
    let invited = call::Event::ParticipantInvited {
        participant: id(1),
        party: Party::Bot,
        role: Role::Unknown,
    };
    let call = on(begun(Kind::Group), invited);
    let step = call.on(call::Event::ParticipantJoined { participant: id(1) }, now());
    let step = step.unwrap().unwrap();
    assert_eq!((step.next.sequence, step.effects.len()), (0, 0));
    assert_eq!(step.next.roster().count(), 0);
}
