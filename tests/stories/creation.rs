//! I2: one meeting per booking, whatever the provider does.

use convene_tests::{SetUp, World};
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(
    lost_answers_make_no_second_meeting,
    refused_and_dropped_requests_are_tried_again,
    trouble_behind_the_creation_does_not_repeat_it,
    a_throttling_provider_is_given_its_time,
    a_booking_cancelled_while_its_meeting_is_made_leaves_none,
    a_host_without_access_policy_gets_a_clear_reason,
);

/// Plays a fault on the requests that make a meeting; the meeting must be there once in the end.
async fn survives(set_up: SetUp, name: &str, faults: Vec<Value>, repeats_conflict: bool) {
    let world = World::open(set_up).await;
    world.provider.repeats_conflict(repeats_conflict).await;
    let cast = world.cast().await;
    for fault in faults {
        world.provider.fault(fault).await;
    }
    let booked = cast.booked(&world, DAY_MS, 1).await;
    let seen = cast.until(&booked, "/booking/meeting/state", "READY").await;
    assert_eq!(
        seen["booking"]["meeting"]["lobbyBypassEffective"], "everyone",
        "{name}"
    );
    assert_eq!(world.provider.live_events().await, 1, "I2: {name}");
    let created = world.provider.meetings().await["createdEvents"].clone();
    assert_eq!(created, 1, "I2: {name} made more than one on the way");
    world.drained().await;
    world.stop().await;
}

fn on_create(action: Value) -> Vec<Value> {
    vec![json!({"method": "POST", "pathContains": "/events", "times": 1, "action": action})]
}

async fn lost_answers_make_no_second_meeting(set_up: SetUp) {
    survives(
        set_up.clone(),
        "dropped after",
        on_create(json!("dropAfter")),
        false,
    )
    .await;
    survives(
        set_up.clone(),
        "5xx after",
        on_create(json!({"errorAfter": {"status": 504}})),
        false,
    )
    .await;
    survives(
        set_up.clone(),
        "dropped after, repeats conflict",
        on_create(json!("dropAfter")),
        true,
    )
    .await;
}

async fn refused_and_dropped_requests_are_tried_again(set_up: SetUp) {
    survives(
        set_up.clone(),
        "dropped before",
        on_create(json!("dropBefore")),
        false,
    )
    .await;
    survives(
        set_up.clone(),
        "5xx before",
        on_create(json!({"errorBefore": {"status": 500}})),
        false,
    )
    .await;
    survives(
        set_up.clone(),
        "throttled",
        on_create(json!({"throttle": {"retryAfter": 0.3}})),
        false,
    )
    .await;
}

async fn trouble_behind_the_creation_does_not_repeat_it(set_up: SetUp) {
    for action in [
        json!("dropAfter"),
        json!({"errorBefore": {"status": 503}}),
        json!("dropBefore"),
    ] {
        let faults = ["onlineMeetings", "/token", "PATCH"]
            .map(|place| match place {
                "PATCH" => json!({"method": "PATCH", "times": 1, "action": action}),
                path => json!({"pathContains": path, "times": 1, "action": action}),
            })
            .to_vec();
        survives(set_up.clone(), "after creation", faults, false).await;
    }
}

async fn a_throttling_provider_is_given_its_time(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let throttle = json!({"throttle": {"retryAfter": 1.2}});
    world.provider.fault(on_create(throttle).remove(0)).await;
    let booked = cast.booked(&world, DAY_MS, 1).await;
    cast.until(&booked, "/booking/meeting/state", "READY").await;
    let requests = world.provider.requests().await;
    let posts: Vec<_> = requests
        .iter()
        .filter(|r| r["method"] == "POST" && r["path"].as_str().unwrap().ends_with("/events"))
        .collect();
    assert_eq!(posts.len(), 2);
    let pause = posts[1]["atMs"].as_i64().unwrap() - posts[0]["atMs"].as_i64().unwrap();
    assert!(
        pause >= 1_200,
        "came back after {pause} ms although Retry-After said 1.2 s"
    );
    world.stop().await;
}

async fn a_booking_cancelled_while_its_meeting_is_made_leaves_none(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let slow = json!({"delayAfter": {"ms": 400}});
    world.provider.fault(on_create(slow).remove(0)).await;
    let booked = cast.booked(&world, DAY_MS, 1).await;
    let query = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id, idempotencyKey: \"c\", reason: \"X\" }) { booking { state } } }";
    cast.app
        .call(query, json!({"id": booked.id}))
        .await
        .unwrap();
    world.drained().await;
    cast.until(&booked, "/booking/meeting/state", "CANCELLED")
        .await;
    assert_eq!(world.provider.live_events().await, 0, "I2");
    world.stop().await;
}

async fn a_host_without_access_policy_gets_a_clear_reason(set_up: SetUp) {
    let world = World::open(set_up).await;
    let env: Value = reqwest::get(format!("{}/_simulator/env", world.provider.base()))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let query = "mutation($user: String!) { createHost(input: { idempotencyKey: \"u\", name: \"U\", providerUser: $user }) { host { id } } }";
    let denied = json!({"user": env["GRAPH_DENIED_USER"]});
    let made = world.admin.call(query, denied).await.unwrap();
    let mut cast = world.cast().await;
    cast.host_id = made["createHost"]["host"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let booked = cast.booked(&world, DAY_MS, 1).await;
    let seen = cast
        .until(&booked, "/booking/meeting/state", "FAILED")
        .await;
    assert_eq!(seen["booking"]["meeting"]["reason"], "NO_ACCESS_POLICY");
    world.stop().await;
}
