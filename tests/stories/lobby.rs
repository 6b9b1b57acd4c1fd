//! I4: every waiter is told; and what tickets open.

use convene_tests::{SetUp, World, fault, reason};
use futures_util::future::join_all;
use serde_json::json;

use crate::DAY_MS;

crate::on_every_world!(
    everyone_is_told_an_end_when_the_lobby_closes,
    a_reconnect_keeps_the_place,
    a_decision_is_made_once,
    a_ticket_opens_one_visit_and_nothing_else,
);

async fn everyone_is_told_an_end_when_the_lobby_closes(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 5).await;
    let mut guests = Vec::new();
    for nth in 0..4 {
        guests.push(cast.arrive(&booked, nth).await);
    }
    guests.push(cast.invite(&booked, 4).await);
    cast.decide("admitVisit", &guests[0]).await;
    cast.decide("denyVisit", &guests[1]).await;
    let left = "mutation { leaveLobby { visit { state } refusal { reason } } }";
    guests[2].client.call(left, json!({})).await.unwrap();
    cast.host_does("endMeeting", &booked, "booking { state }")
        .await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    let mut ends = Vec::new();
    for guest in &guests {
        ends.push(guest.see().await["state"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        ends,
        ["ADMITTED", "DENIED", "LEFT", "TIMED_OUT", "TIMED_OUT"],
        "I4"
    );
    assert_eq!(guests[3].see().await["reason"], "LOBBY_CLOSED");
    assert_eq!(guests[4].see().await["reason"], "NOT_ARRIVED");
    let late = guests[4].enter().await;
    assert_eq!(
        late["enterLobby"]["visit"]["state"], "TIMED_OUT",
        "told, not queued"
    );
    let late = cast.decide("admitVisit", &guests[3]).await;
    assert_eq!(reason(&late, "admitVisit"), "VISIT_ENDED");
    world.stop().await;
}

async fn a_reconnect_keeps_the_place(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 3).await;
    let mut guests = Vec::new();
    for nth in 0..3 {
        guests.push(cast.arrive(&booked, nth).await);
    }
    // A new ticket opens the same visit; the old one opens nothing.
    let renewed = cast.invite(&booked, 0).await;
    assert_eq!(renewed.visit, guests[0].visit);
    let entered = renewed.enter().await;
    assert_eq!(entered["enterLobby"]["visit"]["position"], 1);
    let answer = guests[0]
        .client
        .answer("{ visit { state } }", json!({}))
        .await;
    assert_eq!(fault(&answer.unwrap()), "TICKET_REPLACED");
    assert_eq!(guests[2].see().await["position"], 3);
    world.stop().await;
}

async fn a_decision_is_made_once(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 2).await;
    let guest = cast.arrive(&booked, 0).await;
    let expected = cast.invite(&booked, 1).await;
    let early = cast.decide("admitVisit", &expected).await;
    assert_eq!(reason(&early, "admitVisit"), "GUEST_NOT_ARRIVED");

    let answers = join_all((0..20).map(|_| cast.decide("admitVisit", &guest))).await;
    assert!(
        answers
            .iter()
            .all(|a| a["admitVisit"]["visit"]["state"] == "ADMITTED")
    );
    let opposite = cast.decide("denyVisit", &guest).await;
    assert_eq!(reason(&opposite, "denyVisit"), "VISIT_ENDED");
    let query = "query($id: ID!) { auditTrail(bookingId: $id) { events { type } } }";
    let trail = world
        .admin
        .call(query, json!({"id": booked.id}))
        .await
        .unwrap();
    let events = trail["auditTrail"]["events"].as_array().unwrap();
    let permits = events
        .iter()
        .filter(|event| event["type"] == "PermitIssued");
    assert_eq!(permits.count(), 1, "one admission, one permit");
    world.stop().await;
}

async fn a_ticket_opens_one_visit_and_nothing_else(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 2).await;
    let (guest, other) = (cast.arrive(&booked, 0).await, cast.arrive(&booked, 1).await);
    let node = "query($id: ID!) { node(id: $id) { id } }";
    let own = guest
        .client
        .call(node, json!({"id": guest.visit}))
        .await
        .unwrap();
    assert_eq!(own["node"]["id"], guest.visit.as_str());
    let answer = guest.client.answer(node, json!({"id": other.visit})).await;
    assert_eq!(fault(&answer.unwrap()), "NOT_FOUND");
    for query in [
        "{ bookings { edges { node { id } } } }",
        "{ hosts { edges { node { id } } } }",
        "mutation { createApiKey(input: { name: \"x\", role: ADMIN }) { secret } }",
        "mutation { advanceClock(input: { byMs: 1 }) { clock { offsetMs } } }",
    ] {
        let answer = guest.client.answer(query, json!({})).await.unwrap();
        assert_eq!(
            answer["errors"][0]["extensions"]["code"], "FORBIDDEN",
            "{query}"
        );
    }
    let admit = "mutation($v: ID!) { admitVisit(input: { visitId: $v }) { visit { state } refusal { reason } } }";
    let answer = guest.client.answer(admit, json!({"v": guest.visit})).await;
    assert_eq!(
        fault(&answer.unwrap()),
        "FORBIDDEN",
        "nobody admits oneself"
    );
    world.stop().await;
}
