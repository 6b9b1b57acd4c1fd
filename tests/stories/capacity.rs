//! I1: no overbooking.

use convene_tests::{Cast, SetUp, World};
use futures_util::future::join_all;

use crate::DAY_MS;

crate::on_every_world!(
    two_hundred_want_one_slot_and_one_gets_it,
    a_host_of_capacity_three_holds_three,
    the_same_request_a_hundred_times_is_one_booking,
    neighbours_fit_and_overlaps_do_not,
);
crate::on_replicas!(
    two_hundred_want_one_slot_and_one_gets_it,
    the_same_request_a_hundred_times_is_one_booking,
);

async fn race(set_up: SetUp, capacity: u32, attempts: usize) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, capacity).await;
    let wish = cast.wish(&world, DAY_MS, 1).await;
    let asked = (0..attempts).map(|_| {
        let mut wish = wish.clone();
        wish["input"]["idempotencyKey"] = uuid::Uuid::now_v7().to_string().into();
        cast.ask(wish)
    });
    let answers = join_all(asked).await;
    let winners = answers
        .iter()
        .filter(|a| a["booking"]["state"] == "CONFIRMED");
    let taken = answers
        .iter()
        .filter(|a| a["refusal"]["reason"] == "SLOT_TAKEN");
    assert_eq!(winners.count(), capacity as usize, "I1");
    assert_eq!(taken.count(), attempts - capacity as usize);
    world.drained().await;
    assert_eq!(world.provider.live_events().await, capacity as usize);
    world.stop().await;
}

async fn two_hundred_want_one_slot_and_one_gets_it(set_up: SetUp) {
    race(set_up, 1, 200).await;
}

async fn a_host_of_capacity_three_holds_three(set_up: SetUp) {
    race(set_up, 3, 50).await;
}

async fn the_same_request_a_hundred_times_is_one_booking(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let wish = cast.wish(&world, DAY_MS, 1).await;
    let answers = join_all((0..100).map(|_| cast.ask(wish.clone()))).await;
    let first = &answers[0]["booking"]["id"];
    assert!(first.is_string());
    assert!(
        answers
            .iter()
            .all(|answer| answer["booking"]["id"] == *first)
    );
    let mut other = wish.clone();
    other["input"]["guests"][0]["name"] = "Somebody else".into();
    let reused = cast.ask(other).await;
    assert_eq!(reused["refusal"]["reason"], "IDEMPOTENCY_KEY_REUSED");
    world.drained().await;
    assert_eq!(world.provider.live_events().await, 1);
    world.stop().await;
}

async fn neighbours_fit_and_overlaps_do_not(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let half_hour = 30 * 60_000;
    let wish = cast.wish(&world, DAY_MS, 1).await;
    let start: chrono::DateTime<chrono::Utc> =
        wish["input"]["start"].as_str().unwrap().parse().unwrap();
    for (shift_ms, taken) in [
        (0, false),
        (half_hour - 1, true),
        (1 - half_hour, true),
        (half_hour, false),
        (-half_hour, false),
    ] {
        let mut wish = cast.wish(&world, DAY_MS, 1).await;
        let shifted = start + chrono::TimeDelta::milliseconds(shift_ms);
        wish["input"]["start"] = shifted.to_rfc3339().into();
        let answer = cast.ask(wish).await;
        assert_eq!(
            answer["refusal"]["reason"] == "SLOT_TAKEN",
            taken,
            "{shift_ms}"
        );
    }
    world.stop().await;
}
