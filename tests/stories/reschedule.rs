//! Another time for the same booking: nothing of it is made anew.

use convene_tests::{Booked, Cast, SetUp, World, fault, reason};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::DAY_MS;

crate::on_every_world!(
    everything_follows_and_nothing_is_made_anew,
    a_taken_time_is_refused_and_the_old_one_stays,
    timers_follow_and_fire_once,
    moving_and_booking_at_once_overbook_nobody,
);
crate::on_replicas!(
    moving_and_booking_at_once_overbook_nobody,
    timers_follow_and_fire_once
);

const HALF_HOUR_MS: i64 = 30 * 60_000;

/// Gives a booking another time, `ahead_ms` from now, with more fields of the input.
pub async fn reschedule(
    world: &World,
    cast: &Cast,
    booking: &str,
    ahead_ms: i64,
    with: Value,
) -> Value {
    let start = world.now().await + chrono::TimeDelta::milliseconds(ahead_ms);
    let mut input = json!({ "idempotencyKey": Uuid::now_v7(), "bookingId": booking, "start": start.to_rfc3339() });
    input
        .as_object_mut()
        .unwrap()
        .extend(with.as_object().unwrap().clone());
    let query = "mutation($input: RescheduleBookingInput!) { rescheduleBooking(input: $input) {
        booking { id state start end version reschedules } refusal { reason field } } }";
    let mut data = cast
        .app
        .call(query, json!({ "input": input }))
        .await
        .unwrap();
    data["rescheduleBooking"].take()
}

/// Whether the provider has one event for the booking, at the booking's time.
pub async fn at_its_time(world: &World, cast: &Cast, booked: &Booked) -> bool {
    let query = "query($id: ID!) { booking(id: $id) { start end } }";
    let seen = cast
        .app
        .call(query, json!({ "id": booked.id }))
        .await
        .unwrap();
    let ms = |name: &str| {
        let text = seen["booking"][name].as_str().unwrap();
        let at: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
        at.timestamp_millis()
    };
    let there = world.provider.meetings().await;
    let events = there["events"].as_array().unwrap();
    events
        .iter()
        .filter(|one| one["startMs"] == ms("start") && one["endMs"] == ms("end"))
        .count()
        == 1
}

async fn everything_follows_and_nothing_is_made_anew(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 2).await;
    let (inside, waiting) = (cast.arrive(&booked, 0).await, cast.arrive(&booked, 1).await);
    cast.decide("admitVisit", &inside).await;
    let link = inside.join_details().await["joinDetails"]["joinUrl"].clone();
    let before = cast.see(&booked).await;

    let key = json!({ "idempotencyKey": "move" });
    let moved = reschedule(&world, &cast, &booked.id, 3 * DAY_MS, key.clone()).await;
    assert_eq!(moved["booking"]["id"], json!(booked.id), "{moved}");
    assert_eq!(moved["booking"]["reschedules"], 1);
    world.drained().await;
    assert!(
        at_its_time(&world, &cast, &booked).await,
        "the provider has the new time"
    );
    let there = world.provider.meetings().await;
    assert_eq!(
        (
            there["events"].as_array().unwrap().len(),
            &there["createdEvents"]
        ),
        (1, &json!(1)),
        "I2: the same event"
    );
    let mut after = cast.see(&booked).await;
    after["booking"]["version"] = before["booking"]["version"].clone();
    assert_eq!(
        after, before,
        "states, visits and places are what they were"
    );

    // The repeat of a request is not another one; the same key for another time is refused.
    let reused = reschedule(&world, &cast, &booked.id, 5 * DAY_MS, key).await;
    assert_eq!(reused["refusal"]["reason"], "IDEMPOTENCY_KEY_REUSED");

    // Long behind the old end: tickets open, who was let in is in, who waits is let in.
    world.advance(2 * DAY_MS).await;
    world.drained().await;
    assert_eq!(cast.see(&booked).await["booking"]["lobby"]["state"], "OPEN");
    assert_eq!(inside.join_details().await["joinDetails"]["joinUrl"], link);
    let decided = cast.decide("admitVisit", &waiting).await;
    assert_eq!(reason(&decided, "admitVisit"), "");
    assert_eq!(waiting.join_details().await["joinDetails"]["joinUrl"], link);

    // What it was told is on its trail, without a word of cancelling.
    let query = "query($id: ID!) { auditTrail(bookingId: $id) { events { type } } }";
    let trail = world
        .admin
        .call(query, json!({ "id": booked.id }))
        .await
        .unwrap()
        .to_string();
    for kind in [
        "BookingRescheduled",
        "MoveWanted",
        "MeetingMoved",
        "LobbyMoved",
    ] {
        assert_eq!(trail.matches(&format!("\"{kind}\"")).count(), 1, "{kind}");
    }
    assert!(!trail.contains("Cancel"));
    world.audited().await;
    world.stop().await;
}

async fn a_taken_time_is_refused_and_the_old_one_stays(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let (first, second) = (
        cast.booked(&world, DAY_MS, 1).await,
        cast.booked(&world, 2 * DAY_MS, 1).await,
    );
    let taken = reschedule(
        &world,
        &cast,
        &second.id,
        DAY_MS + HALF_HOUR_MS / 2,
        json!({}),
    )
    .await;
    assert_eq!(
        (&taken["refusal"]["reason"], &taken["refusal"]["field"]),
        (&json!("SLOT_TAKEN"), &json!("start"))
    );
    // It does not stand in its own way, and its old time is free at once.
    let nudged = reschedule(
        &world,
        &cast,
        &first.id,
        DAY_MS + HALF_HOUR_MS / 2,
        json!({}),
    )
    .await;
    assert_eq!(nudged["booking"]["state"], "CONFIRMED", "{nudged}");
    // What the meeting tells counts too: the version is looked at when nothing moves.
    world.drained().await;
    let version = cast.see(&first).await["booking"]["version"].clone();
    let far = reschedule(
        &world,
        &cast,
        &first.id,
        4 * DAY_MS,
        json!({ "version": version }),
    )
    .await;
    assert_eq!(far["booking"]["reschedules"], 2);
    let stale = reschedule(
        &world,
        &cast,
        &first.id,
        5 * DAY_MS,
        json!({ "version": version }),
    )
    .await;
    assert_eq!(stale["refusal"]["reason"], "VERSION_MISMATCH");
    let there = reschedule(&world, &cast, &second.id, DAY_MS, json!({})).await;
    assert_eq!(there["booking"]["state"], "CONFIRMED", "{there}");

    let past = reschedule(&world, &cast, &first.id, -DAY_MS, json!({})).await;
    assert_eq!(past["refusal"]["reason"], "START_IN_THE_PAST");
    let long = world.now().await + chrono::TimeDelta::days(30);
    let long = reschedule(
        &world,
        &cast,
        &first.id,
        DAY_MS,
        json!({ "end": long.to_rfc3339() }),
    )
    .await;
    assert_eq!(long["refusal"]["reason"], "END_MISMATCH");
    let cancel = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id, idempotencyKey: \"c\", reason: \"X\" }) { refusal { reason } } }";
    cast.app
        .call(cancel, json!({ "id": first.id }))
        .await
        .unwrap();
    let gone = reschedule(&world, &cast, &first.id, 6 * DAY_MS, json!({})).await;
    assert_eq!(gone["refusal"]["reason"], "BOOKING_CANCELLED");
    world.advance(DAY_MS + HALF_HOUR_MS / 2).await;
    let begun = reschedule(&world, &cast, &second.id, 6 * DAY_MS, json!({})).await;
    assert_eq!(begun["refusal"]["reason"], "BOOKING_STARTED");
    let guest = cast.invite(&second, 0).await;
    let query = "mutation($id: ID!) { rescheduleBooking(input: { idempotencyKey: \"g\", bookingId: $id, start: \"2099-01-01T00:00:00Z\" }) { booking { id } } }";
    let answer = guest
        .client
        .answer(query, json!({ "id": second.id }))
        .await
        .unwrap();
    assert_eq!(fault(&answer), "FORBIDDEN");
    world.stop().await;
}

async fn timers_follow_and_fire_once(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    // Away, back again, and away: three timers, of which the last one counts.
    for days in [3, 1, 2] {
        let moved = reschedule(&world, &cast, &booked.id, days * DAY_MS, json!({})).await;
        assert_eq!(moved["booking"]["state"], "CONFIRMED");
    }
    world.drained().await;
    assert!(at_its_time(&world, &cast, &booked).await);
    world.advance(DAY_MS + 3 * HALF_HOUR_MS).await;
    world.drained().await;
    assert_eq!(
        cast.see(&booked).await["booking"]["state"],
        "CONFIRMED",
        "I6: never early"
    );
    world.advance(DAY_MS).await;
    cast.until(&booked, "/booking/state", "COMPLETED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    world.advance(2 * DAY_MS).await;
    world.drained().await;
    let query = "query($id: ID!) { auditTrail(bookingId: $id) { events { type } } }";
    let trail = world
        .admin
        .call(query, json!({ "id": booked.id }))
        .await
        .unwrap()
        .to_string();
    for kind in ["BookingCompleted", "LobbyClosed"] {
        assert_eq!(
            trail.matches(&format!("\"{kind}\"")).count(),
            1,
            "I6: once, {kind}"
        );
    }
    world.stop().await;
}

async fn moving_and_booking_at_once_overbook_nobody(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 2).await;
    let mut bookings = Vec::new();
    for nth in 0..8 {
        bookings.push(cast.booked(&world, (nth + 5) * DAY_MS, 1).await);
    }
    // All of them want to the same hour, together with new ones.
    let moves = bookings.iter().enumerate().map(|(nth, one)| {
        let ahead = DAY_MS + nth as i64 % 4 * HALF_HOUR_MS / 4;
        let (world, cast) = (&world, &cast);
        async move { reschedule(world, cast, &one.id, ahead, json!({})).await }
    });
    let wishes = (0..8).map(|nth| {
        let (world, cast) = (&world, &cast);
        async move {
            cast.ask(
                cast.wish(world, DAY_MS + nth % 4 * HALF_HOUR_MS / 4, 1)
                    .await,
            )
            .await
        }
    });
    let (moved, booked) = tokio::join!(join_all(moves), join_all(wishes));
    for answer in moved.iter().chain(&booked) {
        let why = answer["refusal"]["reason"].as_str();
        assert!(why.is_none_or(|why| why == "SLOT_TAKEN"), "{answer}");
    }
    // The lists of the public API, counted without a rule of the product.
    let query = "{ bookings(first: 100) { edges { node { state start end } } } }";
    let listed = cast.app.call(query, json!({})).await.unwrap();
    let spans: Vec<(String, String)> = listed["bookings"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| &edge["node"])
        .filter(|node| node["state"] == "CONFIRMED")
        .map(|node| {
            (
                node["start"].as_str().unwrap().to_owned(),
                node["end"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let time = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    for (start, _) in &spans {
        let at = time(start);
        let active = spans
            .iter()
            .filter(|(from, to)| time(from) <= at && at < time(to))
            .count();
        assert!(active <= 2, "I1: {active} at {start}");
    }
    assert_eq!(
        moved
            .iter()
            .chain(&booked)
            .filter(|one| one["refusal"].is_null())
            .count(),
        2
    );
    world.drained().await;
    assert_eq!(world.provider.live_events().await, spans.len());
    world.stop().await;
}
