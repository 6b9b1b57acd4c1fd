//! Replicas of roles on one PostgreSQL database: they share the work, and whoever goes takes nothing along.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use convene::roles::RoleName;
use convene_scratch::{Place, on_postgres};
use convene_tests::{Caller, SetUp, World, reason, until};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::DAY_MS;

/// Who books at the same time.
const APPS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn two_whole_nodes_share_their_work() {
    on_postgres(|place| Box::pin(shared(place))).await;
}

async fn shared(place: Place) {
    let mut world = World::open(SetUp::Twice(place)).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 2).await;
    let (first, second) = (cast.arrive(&booked, 0).await, cast.arrive(&booked, 1).await);
    assert_eq!(second.see().await["position"], 2);
    cast.decide("admitVisit", &first).await;
    assert_eq!(second.see().await["position"], 1);
    let link = first.join_details().await["joinDetails"]["joinUrl"].clone();
    assert_eq!(link, cast.host_link(&booked).await);

    // One moved the clock, both have it.
    world.advance(60_000).await;
    for caller in [&cast.app, &cast.host] {
        let clock = caller.call("{ clock { offsetMs } }", json!({})).await;
        assert_eq!(clock.unwrap()["clock"]["offsetMs"], 60_000);
    }

    world.stop_one("gateway".parse().unwrap()).await;
    let end = "mutation($id: ID!) { endMeeting(input: { bookingId: $id }) { booking { state } refusal { reason } } }";
    let ended = world.admin.call(end, json!({ "id": booked.id })).await;
    assert_eq!(reason(&ended.unwrap(), "endMeeting"), "");
    until("it ends", || async {
        let seen = state(&world.admin, &booked.id).await;
        (seen == ["COMPLETED", "ENDED", "CLOSED"]).then_some(())
    })
    .await;
    // And there is nothing that only both could do.
    let cast = world.cast().await;
    cast.book(&world, DAY_MS, 1).await;
    world.drained().await;
    assert!(world.audited().await > 20);
    world.stop().await;
}

async fn state(caller: &Caller, booking: &str) -> [String; 3] {
    let query = "query($id: ID!) { booking(id: $id) { state meeting { state } lobby { state } } }";
    let seen = caller.call(query, json!({ "id": booking })).await.unwrap();
    ["/state", "/meeting/state", "/lobby/state"].map(|of| {
        let state = seen["booking"].pointer(of).and_then(Value::as_str);
        state.unwrap_or_default().to_owned()
    })
}

/// Repeats with the same key what failed for a reason that passes; anything else fails the test.
async fn book(admin: &Caller, input: &Value) -> String {
    let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id } refusal { reason } } }";
    loop {
        let answer = admin.answer(query, input.clone()).await.unwrap();
        if answer["errors"].is_null() {
            let booked = &answer["data"]["bookMeeting"]["booking"]["id"];
            return booked.as_str().expect("no slot is taken").to_owned();
        }
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "UNAVAILABLE", "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_each_role_goes_while_bookings_are_made() {
    on_postgres(|place| Box::pin(going(place))).await;
}

async fn going(place: Place) {
    let mut world = World::open(SetUp::Replicated(place)).await;
    let cast = convene_tests::Cast::new(&world, 1_000).await;
    let wish = cast.wish(&world, DAY_MS, 1).await;
    let over = Arc::new(AtomicBool::new(false));
    let booking = (0..APPS).map(|app| {
        let (admin, mut wish, over) = (world.admin.clone(), wish.clone(), over.clone());
        tokio::spawn(async move {
            let mut made = Vec::new();
            while !over.load(Ordering::Relaxed) {
                wish["input"]["idempotencyKey"] = format!("{app}-{}", made.len()).into();
                made.push(book(&admin, &wish).await);
            }
            made
        })
    });
    let booking: Vec<_> = booking.collect();
    for role in RoleName::all() {
        world.stop_one(role).await;
    }
    over.store(true, Ordering::Relaxed);
    let made = join_all(booking).await.into_iter();
    let made: Vec<String> = made.flat_map(Result::unwrap).collect();
    assert!(made.len() > APPS, "bookings were made");
    for booking in &made {
        until("it has what it needs", || async {
            let seen = state(&world.admin, booking).await;
            (seen == ["CONFIRMED", "READY", "OPEN"]).then_some(())
        })
        .await;
    }
    world.drained().await;
    assert_eq!(world.provider.live_events().await, made.len(), "I2");
    assert!(world.audited().await > made.len());
    world.stop().await;
}
