//! What becomes of a booking: agreed to or not, called off in time or too late, or nobody came.

use convene_tests::{Booked, Cast, SetUp, World, fault, reason};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{DAY_MS, reschedule::reschedule};

crate::on_every_world!(
    a_booking_waits_for_whoever_has_to_agree,
    what_nobody_agrees_to_ends_when_it_would_start,
    windows_and_reasons_bind_those_who_act_for_guests,
    nobody_came,
);

const HOUR_MS: i64 = 3_600_000;

async fn govern(world: &World, cast: &Cast, policy: Value) {
    let query = "mutation($id: ID!, $p: ServicePolicyInput!) { setServicePolicy(input: { serviceId: $id, policy: $p }) { service { policy { confirmation cancelReasons } } refusal { reason } } }";
    let set = world
        .admin
        .call(query, json!({ "id": cast.service, "p": policy }))
        .await;
    assert_eq!(reason(&set.unwrap(), "setServicePolicy"), "");
}

/// `confirmBooking` and its like by somebody; answers the payload.
async fn settle(by: &convene_tests::Caller, mutation: &str, booking: &str, more: &str) -> Value {
    let query = format!(
        "mutation($id: ID!) {{ {mutation}(input: {{ bookingId: $id {more} }}) {{ booking {{ state cancelReason }} refusal {{ reason }} }} }}"
    );
    by.call(&query, json!({ "id": booking })).await.unwrap()[mutation].take()
}

async fn cancel(by: &convene_tests::Caller, booking: &str, why: &str) -> Value {
    let query = "mutation($id: ID!, $key: String!, $why: String!) { cancelBooking(input: { bookingId: $id, idempotencyKey: $key, reason: $why }) { booking { state } refusal { reason field } } }";
    let variables = json!({ "id": booking, "key": Uuid::now_v7(), "why": why });
    by.call(query, variables).await.unwrap()["cancelBooking"].take()
}

fn id(answer: &Value) -> String {
    answer["booking"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

async fn a_booking_waits_for_whoever_has_to_agree(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    govern(&world, &cast, json!({ "confirmation": true })).await;
    let asked = cast.ask(cast.wish(&world, DAY_MS, 1).await).await;
    assert_eq!(asked["booking"]["state"], "PENDING", "{asked}");
    let first = id(&asked);
    // Its time is taken, and nothing is made for it.
    let second = cast.ask(cast.wish(&world, DAY_MS, 1).await).await;
    assert_eq!(second["refusal"]["reason"], "SLOT_TAKEN");
    world.drained().await;
    assert_eq!(world.provider.live_events().await, 0);
    let ended = settle(&cast.host, "endMeeting", &first, "").await;
    assert_eq!(ended["refusal"]["reason"], "BOOKING_NOT_CONFIRMED");

    let declined = settle(&cast.host, "declineBooking", &first, "reason: \"FULL\"").await;
    assert_eq!(
        declined["booking"],
        json!({ "state": "DECLINED", "cancelReason": "FULL" })
    );
    let again = settle(&cast.host, "declineBooking", &first, "reason: \"OTHER\"").await;
    assert_eq!(again["booking"]["cancelReason"], "FULL", "a repeat");
    let late = settle(&cast.host, "confirmBooking", &first, "").await;
    assert_eq!(late["refusal"]["reason"], "BOOKING_DECLINED");

    // Whoever acts for the guests does not agree in place of the organisation.
    let query =
        "mutation($id: ID!) { confirmBooking(input: { bookingId: $id }) { booking { state } } }";
    let itself = cast
        .app
        .answer(query, json!({ "id": first }))
        .await
        .unwrap();
    assert_eq!(fault(&itself), "FORBIDDEN");

    // Free again; it may be moved while it waits, and is made at its new time once somebody agrees.
    let third = id(&cast.ask(cast.wish(&world, DAY_MS, 1).await).await);
    let moved = reschedule(&world, &cast, &third, 2 * DAY_MS, json!({})).await;
    assert_eq!(moved["booking"]["state"], "PENDING");
    world.advance(DAY_MS + HOUR_MS).await;
    world.drained().await;
    let confirmed = settle(&world.admin, "confirmBooking", &third, "").await;
    assert_eq!(
        confirmed["booking"]["state"], "CONFIRMED",
        "the old start declines nothing"
    );
    assert_eq!(
        settle(&world.admin, "confirmBooking", &third, "").await["booking"]["state"],
        "CONFIRMED"
    );
    let booked = Booked {
        id: third,
        guests: vec![],
    };
    cast.until(&booked, "/booking/meeting/state", "READY").await;
    cast.until(&booked, "/booking/lobby/state", "OPEN").await;
    assert!(crate::reschedule::at_its_time(&world, &cast, &booked).await);
    // The timer of its new end, and no other.
    world.advance(DAY_MS - HOUR_MS + 30 * 60_000).await;
    world.drained().await;
    assert_eq!(cast.see(&booked).await["booking"]["state"], "CONFIRMED");
    world.advance(HOUR_MS).await;
    cast.until(&booked, "/booking/state", "COMPLETED").await;
    world.audited().await;
    world.stop().await;
}

async fn what_nobody_agrees_to_ends_when_it_would_start(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    govern(&world, &cast, json!({ "confirmation": true })).await;
    let booking = id(&cast.ask(cast.wish(&world, DAY_MS, 1).await).await);
    let cancelled = id(&cast.ask(cast.wish(&world, 2 * DAY_MS, 1).await).await);
    assert_eq!(
        cancel(&cast.app, &cancelled, "X").await["booking"]["state"],
        "CANCELLED"
    );
    let booked = Booked {
        id: booking,
        guests: vec![],
    };
    world.advance(DAY_MS - 60_000).await;
    world.drained().await;
    assert_eq!(
        cast.see(&booked).await["booking"]["state"],
        "PENDING",
        "never early"
    );
    world.advance(61_000).await;
    let seen = cast.until(&booked, "/booking/state", "DECLINED").await;
    assert_eq!(seen["booking"]["cancelReason"], "NOT_CONFIRMED_IN_TIME");
    world.drained().await;
    assert_eq!(world.provider.meetings().await["createdEvents"], 0);
    world.stop().await;
}

async fn windows_and_reasons_bind_those_who_act_for_guests(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let policy = json!({ "cancelNoticeMs": 24 * HOUR_MS, "rescheduleNoticeMs": 48 * HOUR_MS, "cancelReasons": ["ILL", "OTHER"] });
    govern(&world, &cast, policy).await;
    let [far, near, soon] = [
        cast.booked(&world, 30 * HOUR_MS, 1).await.id,
        cast.booked(&world, 23 * HOUR_MS, 1).await.id,
        cast.booked(&world, 20 * HOUR_MS, 1).await.id,
    ];
    let odd = cancel(&cast.app, &far, "BORED").await;
    assert_eq!(
        odd["refusal"],
        json!({ "reason": "REASON_NOT_OFFERED", "field": "reason" })
    );
    assert_eq!(
        cancel(&cast.app, &near, "ILL").await["refusal"]["reason"],
        "CANCELLATION_TOO_LATE"
    );
    let moved = reschedule(&world, &cast, &far, 90 * HOUR_MS, json!({})).await;
    assert_eq!(moved["refusal"]["reason"], "RESCHEDULE_TOO_LATE");
    assert_eq!(
        cancel(&cast.app, &far, "ILL").await["booking"]["state"],
        "CANCELLED"
    );
    assert_eq!(
        cancel(&cast.host, &near, "OTHER").await["booking"]["state"],
        "CANCELLED"
    );
    assert_eq!(
        cancel(&world.admin, &soon, "ILL").await["booking"]["state"],
        "CANCELLED"
    );
    let query = "mutation($id: ID!) { setServicePolicy(input: { serviceId: $id, policy: { cancelReasons: [\"not a code\"] } }) { refusal { reason } } }";
    let refused = world
        .admin
        .call(query, json!({ "id": cast.service }))
        .await
        .unwrap();
    assert_eq!(reason(&refused, "setServicePolicy"), "REASONS_OUT_OF_RANGE");
    world.stop().await;
}

async fn nobody_came(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let early = settle(&cast.host, "markNoShow", &booked.id, "").await;
    assert_eq!(early["refusal"]["reason"], "BOOKING_NOT_STARTED");
    world.advance(DAY_MS + 10 * 60_000).await;
    let query =
        "mutation($id: ID!) { markNoShow(input: { bookingId: $id }) { booking { state } } }";
    let forbidden = cast
        .app
        .answer(query, json!({ "id": booked.id }))
        .await
        .unwrap();
    assert_eq!(fault(&forbidden), "FORBIDDEN");
    let marked = settle(&cast.host, "markNoShow", &booked.id, "").await;
    assert_eq!(marked["booking"]["state"], "NO_SHOW", "{marked}");
    cast.until(&booked, "/booking/meeting/state", "ENDED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    // Said afterwards of another one that ended by itself.
    let other = cast.book(&world, DAY_MS, 1).await;
    world.advance(DAY_MS + 2 * HOUR_MS).await;
    cast.until(&other, "/booking/state", "COMPLETED").await;
    assert_eq!(
        settle(&cast.host, "markNoShow", &other.id, "").await["booking"]["state"],
        "NO_SHOW"
    );
    assert_eq!(
        cancel(&cast.app, &other.id, "X").await["refusal"]["reason"],
        "BOOKING_COMPLETED"
    );
    world.drained().await;
    world.stop().await;
}
