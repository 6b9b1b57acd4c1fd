//! Slots that are kept for a while: taken like booked ones, free when their time is over, and turned into bookings by whoever shows the token.

use convene_tests::{Cast, SetUp, World, fault};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::DAY_MS;

crate::on_every_world!(
    a_hold_keeps_the_slot_for_whoever_shows_its_token,
    a_hold_ends_with_its_time,
    holds_and_bookings_at_once_overbook_nobody,
);
crate::on_replicas!(holds_and_bookings_at_once_overbook_nobody);

const HALF_HOUR_MS: i64 = 30 * 60_000;

/// Asks for a hold with more fields of the input.
async fn hold(cast: &Cast, wish: &Value, with: Value) -> Value {
    let mut input = wish["input"].clone();
    let fields = input.as_object_mut().unwrap();
    fields.remove("guests");
    fields.insert("idempotencyKey".into(), Uuid::now_v7().to_string().into());
    fields.extend(with.as_object().unwrap().clone());
    let query = "mutation($input: HoldSlotInput!) { holdSlot(input: $input) {
        hold { token hostIds start end expiresAt bookingId } refusal { reason field } } }";
    cast.app
        .call(query, json!({ "input": input }))
        .await
        .unwrap()["holdSlot"]
        .take()
}

/// The same wish under a new key, with the token of a hold.
fn with_token(wish: &Value, token: &Value) -> Value {
    let mut wish = wish.clone();
    let fields = wish["input"].as_object_mut().unwrap();
    fields.remove("hostId");
    fields.insert("holdToken".into(), token.clone());
    fields.insert("idempotencyKey".into(), Uuid::now_v7().to_string().into());
    wish
}

fn anew(wish: &Value) -> Value {
    let mut wish = wish.clone();
    wish["input"]["idempotencyKey"] = Uuid::now_v7().to_string().into();
    wish
}

async fn a_hold_keeps_the_slot_for_whoever_shows_its_token(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let wish = cast.wish(&world, DAY_MS, 1).await;
    let key = json!({ "idempotencyKey": "hold" });
    let held = hold(&cast, &wish, key.clone()).await;
    let token = held["hold"]["token"].clone();
    assert!(token.is_string(), "{held}");
    assert_eq!(
        hold(&cast, &wish, key).await,
        held,
        "a repeat answers the same hold"
    );

    // Taken for everybody else, in lists and explanations too.
    assert_eq!(
        cast.ask(anew(&wish)).await["refusal"]["reason"],
        "SLOT_TAKEN"
    );
    assert_eq!(
        hold(&cast, &wish, json!({})).await["refusal"]["reason"],
        "SLOT_TAKEN"
    );
    let query = "query($service: ID!, $start: DateTime!) { explainSlot(serviceId: $service, start: $start) { offered hosts { verdicts { rule holds holdCount } } } }";
    let asked = json!({ "service": cast.service, "start": wish["input"]["start"] });
    let explained = cast.app.call(query, asked).await.unwrap();
    assert_eq!(explained["explainSlot"]["offered"], false);
    let verdicts = explained["explainSlot"]["hosts"][0]["verdicts"].as_array();
    let broken = verdicts.unwrap().iter().find(|one| one["holds"] == false);
    assert_eq!(
        broken.unwrap(),
        &json!({ "rule": "CAPACITY", "holds": false, "holdCount": 1 })
    );

    // The token opens this slot only, once.
    let mut other = with_token(&wish, &token);
    let start: chrono::DateTime<chrono::Utc> =
        wish["input"]["start"].as_str().unwrap().parse().unwrap();
    other["input"]["start"] = (start + chrono::TimeDelta::hours(5)).to_rfc3339().into();
    assert_eq!(cast.ask(other).await["refusal"]["reason"], "HOLD_MISMATCH");
    let named = {
        let mut named = with_token(&wish, &token);
        named["input"]["hostId"] = cast.host_id.clone().into();
        named
    };
    assert_eq!(cast.ask(named).await["refusal"]["reason"], "HOLD_MISMATCH");
    let wrong = with_token(&wish, &json!(Uuid::now_v7().to_string()));
    assert_eq!(cast.ask(wrong).await["refusal"]["reason"], "NOT_FOUND");
    let booking = with_token(&wish, &token);
    let booked = cast.ask(booking.clone()).await;
    assert_eq!(booked["booking"]["state"], "CONFIRMED", "{booked}");
    assert_eq!(
        cast.ask(booking).await["booking"]["id"],
        booked["booking"]["id"],
        "a repeat"
    );
    assert_eq!(
        cast.ask(with_token(&wish, &token)).await["refusal"]["reason"],
        "HOLD_USED"
    );
    let release = "mutation($token: String!) { releaseHold(input: { holdToken: $token }) { hold { expiresAt } refusal { reason } } }";
    let released = cast
        .app
        .call(release, json!({ "token": token }))
        .await
        .unwrap();
    assert_eq!(released["releaseHold"]["refusal"]["reason"], "HOLD_USED");

    // Given back, it is free at once.
    let next = cast.wish(&world, 2 * DAY_MS, 1).await;
    let held = hold(&cast, &next, json!({})).await;
    let token = held["hold"]["token"].clone();
    let released = cast
        .app
        .call(release, json!({ "token": token }))
        .await
        .unwrap();
    assert_eq!(released["releaseHold"]["refusal"], Value::Null);
    assert_eq!(
        cast.ask(with_token(&next, &token)).await["refusal"]["reason"],
        "HOLD_EXPIRED"
    );
    assert_eq!(cast.ask(anew(&next)).await["booking"]["state"], "CONFIRMED");
    for client in [
        &cast.host,
        &cast
            .invite(&cast.book(&world, 3 * DAY_MS, 1).await, 0)
            .await
            .client,
    ] {
        let answer = client
            .answer(release, json!({ "token": token }))
            .await
            .unwrap();
        assert_eq!(fault(&answer), "FORBIDDEN");
    }
    world.stop().await;
}

async fn a_hold_ends_with_its_time(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let wish = cast.wish(&world, DAY_MS, 1).await;
    for (ttl, reason) in [
        (29_999, "OUT_OF_RANGE"),
        (3_600_001, "OUT_OF_RANGE"),
        (0, "OUT_OF_RANGE"),
    ] {
        let refused = hold(&cast, &wish, json!({ "ttlMs": ttl })).await;
        assert_eq!(refused["refusal"]["reason"], reason, "{ttl}");
    }
    let held = hold(&cast, &wish, json!({ "ttlMs": 60_000 })).await;
    world.advance(45_000).await;
    assert_eq!(
        cast.ask(anew(&wish)).await["refusal"]["reason"],
        "SLOT_TAKEN",
        "never early"
    );
    world.advance(15_001).await;
    let late = cast.ask(with_token(&wish, &held["hold"]["token"])).await;
    assert_eq!(late["refusal"]["reason"], "HOLD_EXPIRED");
    assert_eq!(cast.ask(anew(&wish)).await["booking"]["state"], "CONFIRMED");
    world.stop().await;
}

async fn holds_and_bookings_at_once_overbook_nobody(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 2).await;
    let wish = cast.wish(&world, DAY_MS, 1).await;
    let overlapping = |nth: i64| {
        let mut wish = anew(&wish);
        let start: chrono::DateTime<chrono::Utc> =
            wish["input"]["start"].as_str().unwrap().parse().unwrap();
        wish["input"]["start"] = (start
            + chrono::TimeDelta::milliseconds(nth % 4 * HALF_HOUR_MS / 4))
        .to_rfc3339()
        .into();
        wish
    };
    // Some hold first and book then, some book at once.
    let holders = (0..12).map(|nth| {
        let (cast, wish) = (&cast, overlapping(nth));
        async move {
            let held = hold(cast, &wish, json!({})).await;
            let token = &held["hold"]["token"];
            match token.is_string() {
                true => cast.ask(with_token(&wish, token)).await,
                false => held,
            }
        }
    });
    let bookers = (0..12).map(|nth| cast.ask(overlapping(nth)));
    let (holders, bookers) = tokio::join!(join_all(holders), join_all(bookers));
    let answers = || holders.iter().chain(&bookers);
    for answer in answers() {
        let why = answer["refusal"]["reason"].as_str();
        assert!(why.is_none_or(|why| why == "SLOT_TAKEN"), "{answer}");
    }
    assert_eq!(
        answers().filter(|one| one["booking"].is_object()).count(),
        2,
        "I1"
    );
    world.drained().await;
    assert_eq!(world.provider.live_events().await, 2);
    world.stop().await;
}
