//! I5 over random histories of the real role and the real provider.

use std::collections::BTreeSet;

use convene_domain::RecordingId;
use convene_proto::meeting::v1::{self as wire, CaptureState};
use serde_json::json;

use crate::world::{World, guest, recording};

/// Deterministic dice (splitmix64): a failing seed can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

const PEOPLE: u64 = 3;
const STEPS: usize = 60;

/// While it records, or is about to, every holder has consented.
fn holds(meeting: &wire::Meeting, seed: u64) {
    let records = matches!(meeting.capture(), CaptureState::Starting | CaptureState::On);
    let lacking = &meeting.holders_without_consent;
    assert!(
        !records || lacking.is_empty(),
        "I5, seed {seed}: {lacking:?}"
    );
}

async fn play(seed: u64) {
    let world = World::start().await;
    let asked = world.ready().await;
    let mut dice = Dice(seed);
    let mut running: Option<(RecordingId, u32)> = None;
    let (mut take, mut segment) = (recording(), 0);
    let mut inside = BTreeSet::new();
    let mut consenting = BTreeSet::new();
    for _ in 0..STEPS {
        let person = dice.roll(PEOPLE);
        let audience = guest(person.into());
        match dice.roll(8) {
            0 | 1 => {
                let before = world.see(asked).await;
                if world.release(asked, audience).await.is_ok() {
                    let bare = before.capture() == CaptureState::On && before.segment == segment;
                    let still = world.see(asked).await.version == before.version + 1;
                    let lets_in = consenting.contains(&person) || inside.contains(&person);
                    assert!(!(bare && still) || lets_in, "I5, seed {seed}");
                    inside.insert(person);
                }
            }
            2 | 3 => {
                holds(&world.consent(asked, audience, true).await, seed);
                consenting.insert(person);
            }
            4 => {
                holds(&world.consent(asked, audience, false).await, seed);
                consenting.remove(&person);
            }
            5 | 6 => {
                segment += 1;
                match world.start_capture(asked, take, segment).await {
                    Ok(meeting) => {
                        assert!(inside.is_subset(&consenting), "I5, seed {seed}");
                        holds(&meeting, seed);
                        running = Some((take, segment));
                    }
                    Err(error) => {
                        let known = ["CONSENT_MISSING", "CAPTURE_BUSY"];
                        assert!(known.contains(&error.reason.as_ref()), "{error}");
                        segment -= 1;
                    }
                }
                if dice.roll(3) == 0 {
                    let lost = json!({"errorAfter": {"status": 503}});
                    world.provider.fault("POST", "Recording", 1, lost).await;
                }
            }
            _ => {
                if let Some((take, segment)) = running.take() {
                    world.stop_capture(asked, take, segment).await;
                }
                if dice.roll(4) == 0 {
                    (take, segment) = (recording(), 0);
                }
            }
        }
        if dice.roll(3) == 0 {
            world.drained().await;
            let meeting = world.see(asked).await;
            holds(&meeting, seed);
            // At rest the provider does what the broker says, and nothing else.
            let records = world.provider.meeting().await["recording"] == true;
            assert_eq!(
                records,
                meeting.capture() == CaptureState::On,
                "I5, seed {seed}"
            );
        }
    }
    world.drained().await;
    let started = world.told(asked, "CaptureStarted").await;
    let recordings = world.provider.meeting().await;
    let ended = recordings["recordings"].as_u64().unwrap();
    let now = u64::from(recordings["recording"] == true);
    assert_eq!(
        started as u64,
        ended + now,
        "seed {seed}: all that ran is on record"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_history_records_anybody_without_consent() {
    for seed in 1..=6 {
        play(seed).await;
    }
}
