//! Histories side by side: each in a tenant of its own, all on one clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, future::join_all, stream};
use serde_json::{Value, json};

use super::{
    Promise,
    actor::Actor,
    house::House,
    plan::Plan,
    play::Scene,
    tape::{Recorder, Tape, Who, external_key, millis},
};

/// Histories that are played at the same moment.
const AT_ONCE: usize = 48;
/// An appointment is over so long after its end when nobody said so, in milliseconds.
const GRACE_MS: i64 = 30 * 60_000;
/// Behind the broker's second look at the provider, in milliseconds.
const RECONCILED_MS: i64 = 6 * 60_000;
/// How long a history is waited for until it is at rest.
const REST: Duration = Duration::from_secs(40);
const DAY_MS: i64 = 24 * 3_600_000;

/// Histories that share a stretch of business time.
pub struct Batch {
    house: Arc<House>,
    promise: Promise,
    scenes: Vec<Scene>,
}

impl Batch {
    /// One history for each tenant, from a seed on.
    pub async fn new(
        house: &Arc<House>,
        promise: Promise,
        from: u64,
        tenants: Vec<(String, String)>,
        strike_percent: u64,
    ) -> Self {
        let organizer = house.cloud.organizer().await;
        let mut scenes = Vec::new();
        for (seed, (tenant, key)) in (from..).zip(tenants) {
            let tape = Arc::new(Recorder::default());
            scenes.push(Scene {
                house: house.clone(),
                plan: Plan::new(promise, seed, strike_percent),
                promise,
                admin: Actor::new(house, &tape, Who::Admin, format!("Bearer {key}")),
                tape,
                tenant,
                day_ms: 0,
                organizer: organizer.clone(),
                kept: Vec::new().into(),
            });
        }
        let mut batch = Self {
            house: house.clone(),
            promise,
            scenes,
        };
        let day_ms = batch.now().await.0 / 3_600_000 * 3_600_000 + DAY_MS;
        batch
            .scenes
            .iter_mut()
            .for_each(|scene| scene.day_ms = day_ms);
        batch
    }

    /// Faults that its plans script.
    pub fn faults(&self) -> usize {
        self.scenes
            .iter()
            .map(|scene| scene.plan.faults.len())
            .sum()
    }

    /// Plays all of them to their end; answers what was seen.
    pub async fn play(self) -> Vec<Tape> {
        let playing = stream::iter(&self.scenes);
        playing
            .for_each_concurrent(AT_ONCE, |scene| scene.play())
            .await;
        self.house.cloud.heal().await;
        self.house.mended().await;
        self.rest().await;
        let looks = self.timers().await;
        self.house.mended().await;
        self.rest().await;
        if self.promise == Promise::I2 {
            self.advance_to(looks + RECONCILED_MS).await;
            self.house.cloud.quiet().await;
        }
        self.tapes().await
    }

    /// Lets time pass until every timer has fired; with stops before and after each where histories want them.
    async fn timers(&self) -> i64 {
        let mut dues = BTreeSet::new();
        for scene in &self.scenes {
            for wish in &scene.plan.wishes {
                let end = scene.day_ms + wish.slot_min * 60_000 + GRACE_MS;
                dues.insert(end + GRACE_MS);
            }
        }
        let last = dues.last().copied().unwrap_or_default() + 1_000;
        let strikes = self.scenes.iter().filter_map(|scene| scene.plan.strike);
        let mut strikes = strikes.cycle();
        if self.scenes.iter().any(|scene| scene.plan.stops) {
            for due in dues {
                self.advance_to(due - 1_500).await;
                join_all(self.scenes.iter().map(|scene| scene.look(&scene.admin))).await;
                if let Some(strike) = strikes.next() {
                    // In the middle of the move, or of what it sets off.
                    self.house.strike(strike);
                }
                self.advance_to(due + 500).await;
            }
        }
        self.advance_to(last).await;
        last
    }

    /// Business time, and how far it stands from wall time, in milliseconds.
    async fn now(&self) -> (i64, i64) {
        let admin = &self.scenes[0].admin;
        let query = "{ clock { businessTime offsetMs } }";
        for _ in 0..10 {
            let clock = admin.field("clock", "", query, json!({})).await;
            let seen = (millis(&clock["businessTime"]), clock["offsetMs"].as_i64());
            if let (Some(now), Some(offset)) = seen {
                return (now, offset);
            }
        }
        panic!("no clock")
    }

    /// Moves the clock to a moment, whatever gets lost on the way; never back.
    async fn advance_to(&self, goal_ms: i64) {
        let admin = &self.scenes[0].admin;
        let query = "mutation($to: Int!) { advanceClock(input: { toOffsetMs: $to }) { refusal { reason } } }";
        let (now, stands) = self.now().await;
        if goal_ms <= now {
            return;
        }
        let to = json!({ "to": goal_ms - (now - stands) });
        for _ in 0..100 {
            let moved = admin.once("advanceClock", "", query, &to).await;
            if moved["errors"].is_null() {
                assert_eq!(moved["data"]["advanceClock"]["refusal"], Value::Null);
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let goal = DateTime::<Utc>::from_timestamp_millis(goal_ms);
        panic!("the clock does not move to {goal:?}")
    }

    /// Waits until nothing is on its way any more; who never rests is the checkers' affair.
    async fn rest(&self) {
        let until = tokio::time::Instant::now() + REST;
        join_all(self.scenes.iter().map(|scene| async move {
            let (mut pause, mut looks) = (50, 0);
            loop {
                let seen = scene.look(&scene.admin).await;
                looks += 1;
                if seen.iter().all(|one| rests(one, looks)) && (!seen.is_empty() || looks > 2) {
                    return;
                }
                if tokio::time::Instant::now() > until {
                    let moving = seen.iter().find(|one| !rests(one, looks));
                    eprintln!("seed {} does not come to rest: {moving:?}", scene.plan.seed);
                    return;
                }
                tokio::time::sleep(Duration::from_millis(pause)).await;
                pause = (pause * 2).min(1_000);
            }
        }))
        .await;
    }

    async fn tapes(self) -> Vec<Tape> {
        let there = self.house.cloud.ask("meetings").await;
        let secrets = self.house.cloud.secrets().await;
        let list = |name: &str| there[name].as_array().cloned().unwrap_or_default();
        let mut events: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for event in list("events") {
            let key = event["transactionId"].as_str().unwrap_or_default();
            events.entry(key.to_owned()).or_default().push(event);
        }
        let meetings: BTreeMap<String, Value> = list("meetings")
            .into_iter()
            .map(|meeting| {
                (
                    meeting["transactionId"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    meeting,
                )
            })
            .collect();
        join_all(
            self.scenes
                .into_iter()
                .map(|scene| tape(scene, &events, &meetings, &secrets)),
        )
        .await
    }
}

/// Whether a booking stands where it stays until somebody or a timer does something. What was ended before its lobby was wanted never has one: that is
/// seen after a few `looks`.
fn rests(booking: &Value, looks: usize) -> bool {
    let text = |pointer: &str| {
        booking
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("")
    };
    let (meeting, lobby) = (text("/meeting/state"), text("/lobby/state"));
    let closed = lobby == "CLOSED" || (lobby.is_empty() && looks > 5);
    let recordings = booking["recordings"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let recorded = |of: &[&str]| {
        let state = |one: &Value| one["state"].as_str().unwrap_or("").to_owned();
        recordings
            .iter()
            .all(|one| of.contains(&state(one).as_str()))
    };
    match text("/state") {
        "CONFIRMED" => {
            ["READY", "FAILED"].contains(&meeting)
                && lobby == "OPEN"
                && recorded(&["RECORDING", "PAUSED", "STORED", "FAILED"])
        }
        "CANCELLED" => {
            ["CANCELLED", "FAILED"].contains(&meeting)
                && closed
                // What the provider removed with the meeting cannot be fetched any more.
                && recorded(&["STORED", "FAILED", "PROCESSING", "AVAILABLE"])
        }
        "COMPLETED" => {
            ["ENDED", "FAILED"].contains(&meeting) && closed && recorded(&["STORED", "FAILED"])
        }
        _ => false,
    }
}

async fn tape(
    scene: Scene,
    events: &BTreeMap<String, Vec<Value>>,
    meetings: &BTreeMap<String, Value>,
    secrets: &BTreeMap<String, Vec<String>>,
) -> Tape {
    let looks = scene.look(&scene.admin).await;
    let (before, after) = scene.plan.buffers_min;
    let mut tape = Tape {
        seed: scene.plan.seed,
        tenant: scene.tenant.clone(),
        capacity: scene.plan.capacity,
        buffers_ms: (before * 60_000, after * 60_000),
        ..Tape::default()
    };
    for mut played in scene.kept.into_inner() {
        let id = played.kept.id.clone();
        let query = "query($id: ID!) { auditTrail(bookingId: $id) { events { source position objectKind objectId seq type actor occurredAt data previousHash hash } } }";
        let trail = scene
            .admin
            .field("auditTrail", &id, query, json!({ "id": id }))
            .await;
        played.kept.trail = trail["events"].as_array().cloned().unwrap_or_default();
        played.kept.last = looks
            .iter()
            .find(|look| look["id"] == id.as_str())
            .cloned()
            .unwrap_or_default();
        let happened = played.kept.trail.len();
        if let Some(follower) = &played.follower {
            played.kept.pushed = Some(follower.until(|seen| seen.len() >= happened).await);
        }
        for (stay, (actor, follower)) in played.kept.visits.iter_mut().zip(&played.guests) {
            stay.last = actor
                .field(
                    "visit",
                    &stay.visit,
                    "{ visit { state reason endedAt } }",
                    json!({}),
                )
                .await;
            if let Some(follower) = follower {
                let told = |seen: &[Value]| {
                    seen.last()
                        .is_some_and(|last| last["visit"]["state"] == stay.last["state"])
                };
                stay.pushed = Some(follower.until(told).await);
            }
        }
        let key = external_key(&scene.tenant, &played.kept.uuid);
        played.kept.secrets = secrets.get(&key).cloned().unwrap_or_default();
        tape.events
            .extend(events.get(&key).into_iter().flatten().cloned());
        if let Some(meeting) = meetings.get(&key) {
            tape.meetings.insert(key, meeting.clone());
        }
        tape.bookings.push(played.kept);
    }
    tape.answers = scene.tape.answers();
    tape
}
