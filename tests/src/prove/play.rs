//! Plays a plan through the public API.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    Promise,
    actor::Actor,
    follow::Follower,
    house::House,
    plan::{End, Person, Plan, Wish},
    tape::{Answer, Kept, Recorder, Stay, Who, external_key, uuid},
};

/// What a look at a booking shows.
pub const LOOK: &str = "id state start end cancelReason
    meeting { state reason capture holders holdersWithoutConsent }
    lobby { state visits { id state reason } } recordings { id state segments }";

/// A history while it is played.
pub struct Scene {
    pub house: Arc<House>,
    pub plan: Plan,
    pub promise: Promise,
    pub tape: Arc<Recorder>,
    pub admin: Actor,
    pub tenant: String,
    /// The beginning of its day, in milliseconds of business time.
    pub day_ms: i64,
    pub organizer: String,
    pub kept: Mutex<Vec<Played>>,
}

/// A booking while the history lasts.
pub struct Played {
    pub kept: Kept,
    pub follower: Option<Follower>,
    pub guests: Vec<(Actor, Option<Follower>)>,
}

struct Cast {
    app: Actor,
    host: Actor,
    service: String,
    host_id: String,
}

const HALF_HOUR_MS: i64 = 30 * 60_000;

impl Scene {
    /// From the setting-up to what people do last; timers come later.
    pub async fn play(&self) {
        for fault in &self.plan.faults {
            // A full list of faults is trouble enough; a refused one would be no trouble at all.
            let refused = self.house.cloud.tell("faults", fault).await.is_none();
            assert!(
                !refused
                    || self
                        .house
                        .cloud
                        .ask("faults")
                        .await
                        .as_array()
                        .is_some_and(|all| all.len() >= 100),
                "{fault}"
            );
        }
        let cast = self.cast().await;
        self.milestone(0);
        let wishes = self.plan.wishes.iter().enumerate();
        let lives = wishes.map(|(nth, wish)| self.live(&cast, nth, wish));
        join_all(lives).await;
        self.milestone(4);
        self.look(&cast.app).await;
    }

    /// Strikes when that is planned here.
    fn milestone(&self, reached: usize) {
        if let Some(strike) = self.plan.strike
            && strike.milestone == reached
        {
            self.house.strike(strike);
        }
    }

    async fn cast(&self) -> Cast {
        let (before, after) = self.plan.buffers_min;
        let query = "mutation($user: String!, $duration: Int!, $before: Int!, $after: Int!, $capacity: Int!, $key: String!) {
            createService(input: { idempotencyKey: $key, name: \"First visit\", durationMs: $duration, bufferBeforeMs: $before, bufferAfterMs: $after }) { service { id } }
            createHost(input: { idempotencyKey: $key, name: \"Front desk\", providerUser: $user, capacity: $capacity }) { host { id } } }";
        let variables = json!({
            "user": self.organizer, "duration": HALF_HOUR_MS, "before": before * 60_000, "after": after * 60_000,
            "capacity": self.plan.capacity, "key": format!("cast-{}", self.plan.seed),
        });
        let made = self.admin.ask("cast", "", query, variables).await;
        let id = |pointer| {
            let id = made.pointer(pointer).and_then(Value::as_str);
            id.unwrap_or_default().to_owned()
        };
        let (service, host_id) = (
            id("/data/createService/service/id"),
            id("/data/createHost/host/id"),
        );
        let query = "mutation($host: ID!) {
            app: createApiKey(input: { name: \"app\", role: BOOKING_APP }) { secret }
            desk: createApiKey(input: { name: \"desk\", role: HOST, hostId: $host }) { secret } }";
        let keys = self
            .admin
            .ask("keys", "", query, json!({ "host": host_id }))
            .await;
        let actor = |who, pointer: &str| {
            let secret = keys.pointer(pointer).and_then(Value::as_str);
            let header = format!("Bearer {}", secret.unwrap_or_default());
            Actor::new(&self.house, &self.tape, who, header)
        };
        Cast {
            app: actor(Who::App, "/data/app/secret"),
            host: actor(Who::Host, "/data/desk/secret"),
            service,
            host_id,
        }
    }

    /// All bookings as they are at this moment.
    pub async fn look(&self, actor: &Actor) -> Vec<Value> {
        let query = format!("{{ bookings(first: 10) {{ nodes {{ {LOOK} }} }} }}");
        let seen = actor.field("bookings", "", &query, json!({})).await;
        seen["nodes"].as_array().cloned().unwrap_or_default()
    }

    async fn live(&self, cast: &Cast, nth: usize, wish: &Wish) {
        let Some(booked) = self.book(cast, nth, wish).await else {
            return;
        };
        self.milestone(1);
        let id = booked["id"].as_str().unwrap_or_default().to_owned();
        let follower =
            (!wish.cuts.is_empty()).then(|| Follower::of_booking(&cast.app, &id, &wish.cuts));
        let mut played = Played {
            kept: Kept {
                uuid: uuid(&id),
                id: id.clone(),
                ended_by_people: wish.end != End::Timer,
                ..Kept::default()
            },
            follower,
            guests: Vec::new(),
        };
        if wish.end == End::CancelledAtOnce {
            self.cancel(cast, &id).await;
        } else {
            let ids: Vec<&str> = booked["guests"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|guest| guest["id"].as_str())
                .collect();
            let people = wish
                .guests
                .iter()
                .zip(&ids)
                .filter(|(person, _)| person.comes);
            let stays =
                join_all(people.map(|(person, guest)| self.stay(cast, &id, guest, person))).await;
            self.milestone(2);
            if wish.host_link {
                let query = "mutation($id: ID!) { hostJoinDetails(input: { bookingId: $id }) { joinDetails { joinUrl passcode } refusal { reason } } }";
                cast.host
                    .field("hostJoinDetails", &id, query, json!({ "id": id }))
                    .await;
            }
            if !wish.recording.is_empty() {
                self.record(cast, &id, wish, &stays).await;
            }
            self.milestone(3);
            match wish.end {
                End::Cancelled => self.cancel(cast, &id).await,
                End::Hosted => {
                    let query = "mutation($id: ID!) { endMeeting(input: { bookingId: $id }) { booking { state } refusal { reason } } }";
                    cast.host
                        .field("endMeeting", &id, query, json!({ "id": id }))
                        .await;
                }
                End::Timer | End::CancelledAtOnce => {}
            }
            for (stay, actor, follower) in stays.into_iter().flatten() {
                played.kept.visits.push(stay);
                played.guests.push((actor, follower));
            }
        }
        self.kept.lock().await.push(played);
    }

    /// The booking, unless the slot is taken.
    async fn book(&self, cast: &Cast, nth: usize, wish: &Wish) -> Option<Value> {
        let start = chrono::DateTime::from_timestamp_millis(self.day_ms + wish.slot_min * 60_000)?;
        let guests: Vec<Value> = (0..wish.guests.len())
            .map(|n| json!({"name": format!("Guest {n}"), "email": format!("guest{n}@guest.example")}))
            .collect();
        // Whoever needs the meeting waits for it.
        let wait_ms = if wish.guests.iter().any(|guest| guest.comes) {
            5_000
        } else {
            0
        };
        let variables = json!({"input": {
            "idempotencyKey": format!("book-{}-{nth}", self.plan.seed), "serviceId": cast.service, "hostId": cast.host_id,
            "start": start.to_rfc3339(), "guests": guests, "waitForMeetingMs": wait_ms,
        }});
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id state start end guests { id } } refusal { reason } } }";
        let ask = || cast.app.field("bookMeeting", "", query, variables.clone());
        let (booked, again) = match wish.twice {
            true => tokio::join!(ask(), ask()),
            false => (ask().await, Value::Null),
        };
        let booking = booked["booking"].clone();
        (!booking.is_null()).then_some(booking).or_else(|| {
            let again = again["booking"].clone();
            (!again.is_null()).then_some(again)
        })
    }

    async fn cancel(&self, cast: &Cast, id: &str) {
        let query = "mutation($id: ID!, $key: String!) { cancelBooking(input: { bookingId: $id, idempotencyKey: $key, reason: \"CALLED_OFF\" }) { booking { state } refusal { reason } } }";
        let key = format!("cancel-{id}");
        cast.app
            .field("cancelBooking", id, query, json!({"id": id, "key": key}))
            .await;
    }

    /// A guest's visit, with the host's decision over it.
    async fn stay(
        &self,
        cast: &Cast,
        booking: &str,
        guest: &str,
        person: &Person,
    ) -> Option<(Stay, Actor, Option<Follower>)> {
        let mut ticket = self.ticket(cast, booking, guest).await?;
        if person.reissued {
            ticket = self.ticket(cast, booking, guest).await?;
        }
        let visit = ticket["visitId"].as_str()?.to_owned();
        let header = format!("Ticket {}", ticket["ticket"].as_str()?);
        let actor = Actor::new(&self.house, &self.tape, Who::Guest(visit.clone()), header);
        let follower = (!person.cuts.is_empty()).then(|| Follower::of_visit(&actor, &person.cuts));
        if person.impatient {
            join(&actor, &visit).await;
        }
        let enter = "mutation { enterLobby { visit { state position } refusal { reason } } }";
        actor.field("enterLobby", &visit, enter, json!({})).await;
        if person.leaves {
            let leave = "mutation { leaveLobby { visit { state } refusal { reason } } }";
            actor.field("leaveLobby", &visit, leave, json!({})).await;
        }
        let decide = async {
            if !person.decision.is_empty() {
                let query = format!(
                    "mutation($v: ID!) {{ {}(input: {{ visitId: $v }}) {{ visit {{ state }} refusal {{ reason }} }} }}",
                    person.decision
                );
                cast.host
                    .field(person.decision, &visit, &query, json!({ "v": visit }))
                    .await;
            }
        };
        let presses = async {
            if person.impatient {
                join(&actor, &visit).await;
            }
        };
        tokio::join!(decide, presses);
        if person.consents && self.promise == Promise::I5 {
            consent(&actor, &visit, true).await;
        }
        let details = join(&actor, &visit).await;
        if let Some(link) = details["joinDetails"]["joinUrl"].as_str()
            && self.promise == Promise::I5
        {
            let body = json!({"joinWebUrl": link, "kind": "guest", "name": visit});
            let joined = self.house.cloud.tell("meetings/join", &body).await;
            self.word("joined", &visit, joined.unwrap_or_default());
        }
        let stay = Stay {
            visit,
            ..Stay::default()
        };
        Some((stay, actor, follower))
    }

    /// A ticket, once the lobby is there.
    async fn ticket(&self, cast: &Cast, booking: &str, guest: &str) -> Option<Value> {
        let query = "mutation($b: ID!, $g: ID!) { issueTicket(input: { bookingId: $b, guestId: $g }) { ticket visitId refusal { reason } } }";
        for _ in 0..200 {
            let issued = cast
                .app
                .field(
                    "issueTicket",
                    booking,
                    query,
                    json!({"b": booking, "g": guest}),
                )
                .await;
            if issued["ticket"].is_string() {
                return Some(issued);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        None
    }

    /// The host's commands, each after the one before has come into force or has been refused.
    async fn record(
        &self,
        cast: &Cast,
        booking: &str,
        wish: &Wish,
        stays: &[Option<(Stay, Actor, Option<Follower>)>],
    ) {
        let mut recording = Value::Null;
        for (nth, command) in wish.recording.iter().enumerate() {
            let told = match *command {
                "startRecording" => {
                    let query = "mutation($id: ID!) { startRecording(input: { bookingId: $id }) { recording { id state } refusal { reason } } }";
                    cast.host
                        .field("startRecording", booking, query, json!({ "id": booking }))
                        .await
                }
                command => {
                    let query = format!(
                        "mutation($id: ID!) {{ {command}(input: {{ recordingId: $id }}) {{ recording {{ id state }} refusal {{ reason }} }} }}"
                    );
                    cast.host
                        .field(command, booking, &query, json!({ "id": recording }))
                        .await
                }
            };
            if told["recording"].is_null() {
                return;
            }
            recording = told["recording"]["id"].clone();
            self.rests(cast, booking).await;
            self.provider_look(booking).await;
            if nth == 0 {
                let people = wish.guests.iter().zip(stays);
                let leaving = people.filter(|(person, _)| person.withdraws);
                for (stay, actor, _) in leaving.filter_map(|(_, stay)| stay.as_ref()) {
                    consent(actor, &stay.visit, false).await;
                }
            }
        }
    }

    /// Waits until the recording of a booking is where it stays.
    async fn rests(&self, cast: &Cast, booking: &str) {
        let query = format!("query($id: ID!) {{ booking(id: $id) {{ {LOOK} }} }}");
        for _ in 0..60 {
            let seen = cast
                .app
                .field("booking", booking, &query, json!({ "id": booking }))
                .await;
            let recordings = seen["recordings"].as_array().cloned().unwrap_or_default();
            let moving = ["REQUESTED", "STARTING", "PAUSING", "RESUMING", "STOPPING"];
            if recordings
                .iter()
                .all(|one| !moving.contains(&one["state"].as_str().unwrap_or("")))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The provider's word on who is inside while it records.
    async fn provider_look(&self, booking: &str) {
        let mut there = self.house.cloud.ask("meetings").await;
        let key = external_key(&self.tenant, &uuid(booking));
        let meetings = there["meetings"].as_array_mut().map(std::mem::take);
        let mut meetings = meetings.unwrap_or_default().into_iter();
        let own = meetings.find(|meeting| meeting["transactionId"] == key.as_str());
        self.word("provider", booking, own.unwrap_or_default());
    }

    /// What the provider said, on the tape beside the answers.
    fn word(&self, operation: &'static str, about: &str, body: Value) {
        let moment = self.tape.moment();
        self.tape.keep(Answer {
            who: Who::Admin,
            operation,
            about: about.to_owned(),
            asked: moment,
            answered: Some(moment),
            body,
        });
    }
}

async fn join(actor: &Actor, visit: &str) -> Value {
    let query = "mutation { joinDetails { joinDetails { joinUrl joinMeetingId passcode } refusal { reason } } }";
    actor.field("joinDetails", visit, query, json!({})).await
}

async fn consent(actor: &Actor, visit: &str, given: bool) {
    let (operation, query) = match given {
        true => (
            "giveConsent",
            "mutation { giveConsent(input: { textVersion: \"1\", locale: \"en\" }) { consent { given } refusal { reason } } }",
        ),
        false => (
            "withdrawConsent",
            "mutation { withdrawConsent { consent { given } refusal { reason } } }",
        ),
    };
    actor.field(operation, visit, query, json!({})).await;
}
