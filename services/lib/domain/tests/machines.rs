//! Random histories: whatever comes in whatever order, the machines keep their promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use convene_domain::{
    Audience, BookingId, Charted, Interval, Machine, PermitId, RecordingId, Timestamp, VisitId,
    booking::Booking,
    consent::Consent,
    delivery::Delivery,
    lobby::Lobby,
    meeting::{self, Capture, External, Meeting, SegmentId, StopCause},
    permit::Permit,
    recording::{self, Recording},
    visit::{self, Visit},
};
use proptest::prelude::*;
use uuid::Uuid;

/// Plays sample events by index; answers every state on the way. Refusals leave the state as it was.
fn play<M: Charted>(indices: &[usize]) -> Vec<M> {
    let (first, later) = M::chart_events();
    let now = Timestamp::from_millis(0);
    let mut states = vec![M::begin(first, now).unwrap().next];
    for index in indices {
        let event = later[index % later.len()].clone();
        let current = states.last().unwrap().clone();
        match current.clone().on(event.clone(), now) {
            Ok(Some(step)) => {
                for due in &step.effects {
                    assert!(
                        step.next.wanted(&due.effect),
                        "{:?} is not wanted at once",
                        due.effect
                    );
                }
                states.push(step.next);
            }
            Ok(None) | Err(_) => assert_eq!(states.last().unwrap().state(), current.state()),
        }
    }
    states
}

/// Stored states come back as they were.
fn survives_storage<M: Charted + PartialEq>(states: &[M]) {
    for state in states {
        let text = serde_json::to_string(state).unwrap();
        assert!(
            serde_json::from_str::<M>(&text).unwrap() == *state,
            "{text}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_machines_survive_any_history(indices in prop::collection::vec(0usize..64, 0..40)) {
        survives_storage(&play::<Booking>(&indices));
        survives_storage(&play::<Meeting>(&indices));
        survives_storage(&play::<Lobby>(&indices));
        survives_storage(&play::<Visit>(&indices));
        survives_storage(&play::<Permit>(&indices));
        survives_storage(&play::<Consent>(&indices));
        survives_storage(&play::<Recording>(&indices));
        survives_storage(&play::<Delivery>(&indices));
    }

    /// I4: an end state is final.
    #[test]
    fn a_visit_ends_once(indices in prop::collection::vec(0usize..64, 0..40)) {
        let states = play::<Visit>(&indices);
        let ended = states.iter().position(Visit::is_over).unwrap_or(states.len());
        for state in &states[ended..] {
            prop_assert_eq!(state, &states[ended]);
            prop_assert!(state.ended_at.is_some());
            prop_assert!(!matches!(state.phase, visit::Phase::Waiting));
        }
    }

    /// I5: while the provider records or is told to, every holder of join details has consented.
    #[test]
    fn nobody_is_recorded_without_consent(moves in prop::collection::vec((0u8..9, 0u8..3), 0..60)) {
        let now = Timestamp::from_millis(0);
        let booking = BookingId::from_uuid(Uuid::nil());
        let hour = Interval::new(now, now.plus_millis(3_600_000)).unwrap();
        let first = meeting::Event::MeetingWanted { booking, generation: 1, interval: hour };
        let mut meeting = Meeting::begin(first, now).unwrap().next;
        let external = External {
            provider: String::new(), organizer_id: String::new(), event_id: String::new(), online_meeting_id: String::new(),
            lobby_bypass_wanted: String::new(), lobby_bypass_effective: String::new(),
        };
        meeting = meeting.on(meeting::Event::MeetingReady { external }, now).unwrap().unwrap().next;
        let mut segment = SegmentId { recording: RecordingId::from_uuid(Uuid::nil()), segment: 1 };
        let mut newest = std::collections::BTreeMap::new();
        for (moment, (action, who)) in (1u64..).zip(moves) {
            let audience = Audience::Visit(VisitId::from_uuid(Uuid::from_u128(who.into())));
            let event = match action {
                0 | 1 => meeting::Event::JoinDetailsReleased { permit: PermitId::from_uuid(Uuid::nil()), audience },
                2 => meeting::Event::ConsentRecorded { audience, given: true, version: 4 * moment },
                // Overtaken on its way by every decision of the last three moments.
                3 => meeting::Event::ConsentRecorded { audience, given: true, version: 4 * moment.saturating_sub(3) + 1 },
                4 => meeting::Event::ConsentRecorded { audience, given: false, version: 4 * moment },
                5 => meeting::Event::CaptureWanted { segment },
                6 => meeting::Event::CaptureStarted { segment, call: "c".into() },
                7 => meeting::Event::CaptureStopWanted { segment },
                _ => meeting::Event::CaptureStopped { segment, cause: StopCause::Requested },
            };
            if let meeting::Event::ConsentRecorded { audience, given, version } = event {
                let known = newest.entry(audience).or_insert((0, false));
                *known = (*known).max((version, given));
            }
            let stops = matches!(event, meeting::Event::CaptureStopped { .. });
            if let Ok(Some(step)) = meeting.clone().on(event, now) {
                meeting = step.next;
                if stops {
                    segment.segment += 1;
                }
            }
            if matches!(meeting.capture, Capture::Starting(_) | Capture::On(_)) {
                prop_assert_eq!(meeting.holders_without_consent().count(), 0, "I5");
                for holder in &meeting.holders {
                    prop_assert!(newest.get(holder).is_some_and(|(_, given)| *given), "I5: by the newest decision");
                }
            }
        }
    }

    /// A recording that is over keeps every segment that the provider confirmed, and is stored only when all are.
    #[test]
    fn a_stored_recording_has_all_its_segments(indices in prop::collection::vec(0usize..64, 0..60)) {
        for state in play::<Recording>(&indices) {
            if state.phase == recording::Phase::Stored {
                prop_assert!(!state.segments.is_empty());
                prop_assert!(state.segments.values().all(|segment| segment.artefact.is_some()));
            }
        }
    }
}

#[test]
fn children_of_a_booking_have_the_same_ids_every_time() {
    let booking = BookingId::from_uuid(Uuid::from_u128(1));
    assert_eq!(booking.meeting(1), booking.meeting(1));
    assert_ne!(booking.meeting(1), booking.meeting(2));
    assert_ne!(booking.meeting(1).as_uuid(), booking.lobby().as_uuid());
    let other = BookingId::from_uuid(Uuid::from_u128(2));
    assert_ne!(booking.lobby(), other.lobby());
}
