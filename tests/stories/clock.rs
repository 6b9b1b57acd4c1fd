//! I6: timers fire once and never early, on one clock that development can move.

use convene_tests::{SetUp, World, fault};
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(
    what_nobody_ends_ends_by_itself_and_not_before,
    a_ticket_ends_with_its_time,
    the_offset_outlives_a_restart_and_every_role_has_it,
    a_role_that_missed_a_move_has_it_after_a_restart,
    the_clock_goes_forward_or_back_to_the_wall,
);
crate::on_replicas!(
    what_nobody_ends_ends_by_itself_and_not_before,
    the_offset_outlives_a_restart_and_every_role_has_it,
);

/// The service lasts half an hour, and the grace after it as long, in milliseconds.
const HALF_HOUR_MS: i64 = 30 * 60_000;

async fn count(world: &World, booking: &str, kind: &str) -> usize {
    let query = "query($id: ID!) { auditTrail(bookingId: $id) { events { type } } }";
    let trail = world
        .admin
        .call(query, json!({ "id": booking }))
        .await
        .unwrap();
    let events = trail["auditTrail"]["events"].as_array().unwrap().clone();
    events.iter().filter(|event| event["type"] == kind).count()
}

async fn what_nobody_ends_ends_by_itself_and_not_before(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    // A minute before the grace is over.
    world.advance(DAY_MS + 2 * HALF_HOUR_MS - 60_000).await;
    world.drained().await;
    assert_eq!(
        cast.see(&booked).await["booking"]["state"],
        "CONFIRMED",
        "I6: never early"
    );
    world.advance(61_000).await;
    cast.until(&booked, "/booking/state", "COMPLETED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    assert_eq!(guest.see().await["state"], "TIMED_OUT");
    world.advance(DAY_MS).await;
    world.drained().await;
    assert_eq!(
        count(&world, &booked.id, "BookingCompleted").await,
        1,
        "I6: once"
    );
    assert_eq!(count(&world, &booked.id, "LobbyClosed").await, 1);
    world.stop().await;
}

async fn a_ticket_ends_with_its_time(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    world.advance(DAY_MS + 2 * HALF_HOUR_MS + 1_000).await;
    let told = guest.see().await;
    assert!(
        told["state"].is_string(),
        "the end stays readable for a while"
    );
    world.advance(2 * HALF_HOUR_MS).await;
    let answer = guest.client.answer("{ visit { state } }", json!({})).await;
    assert_eq!(fault(&answer.unwrap()), "TICKET_EXPIRED");
    world.stop().await;
}

async fn the_offset_outlives_a_restart_and_every_role_has_it(set_up: SetUp) {
    let world = World::open(set_up).await;
    world.advance(DAY_MS).await;
    world.advance(DAY_MS).await;
    let database = world.database();
    let _folder = world.stop().await;
    for name in convene::node::DATABASES {
        let rows = convene_kit::db::snapshot(&database, name).await.unwrap();
        let offset = convene_kit::role::stored_offset(&rows.unwrap()).await;
        let offset = offset.unwrap();
        assert_eq!((offset.millis, offset.version), (2 * DAY_MS, 2), "{name}");
    }
}

async fn a_role_that_missed_a_move_has_it_after_a_restart(set_up: SetUp) {
    let world = World::open(set_up).await;
    world.advance(DAY_MS).await;
    let world = world
        .reopened(async |folder| {
            // As a crash in the middle of a move leaves it: the gateway knows, the scheduler does not.
            let name = "scheduler";
            let db = convene_kit::Db::open_sqlite::<convene_migrations::scheduler::Migrator>(
                folder, name,
            );
            let db = db.await.unwrap();
            db.write(|tx| {
                Box::pin(async move {
                    use sea_orm::ConnectionTrait as _;
                    tx.execute_unprepared("DELETE FROM clock_offset").await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
            "cvn_none".to_owned()
        })
        .await;
    let cast = world.cast().await;
    // An hour after wall time: the future for a scheduler on wall time, the past in business time.
    let mut wish = cast.wish(&world, DAY_MS, 1).await;
    let past = world.now().await - chrono::TimeDelta::hours(23);
    wish["input"]["start"] = past.to_rfc3339().into();
    assert_eq!(
        cast.ask(wish).await["refusal"]["reason"],
        "START_IN_THE_PAST"
    );
    world.stop().await;
}

async fn the_clock_goes_forward_or_back_to_the_wall(set_up: SetUp) {
    let world = World::open(set_up).await;
    let query = "mutation($by: Int!) { advanceClock(input: { byMs: $by }) { clock { offsetMs } refusal { reason field } } }";
    for by in [0, -1, i64::MAX] {
        let answer = world
            .admin
            .answer(query, json!({ "by": by }))
            .await
            .unwrap();
        let refusal = &answer["data"]["advanceClock"]["refusal"];
        assert_eq!(
            *refusal,
            json!({"reason": "OUT_OF_RANGE", "field": "byMs"}),
            "{answer}"
        );
    }
    world.advance(5_000).await;
    let reset = "mutation { resetClock { clock { offsetMs version } } }";
    let data = world.admin.call(reset, json!({})).await.unwrap();
    assert_eq!(
        data["resetClock"]["clock"],
        json!({"offsetMs": 0, "version": 2})
    );
    let cast = world.cast().await;
    let answer = cast.app.answer(reset, json!({})).await.unwrap();
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        Value::from("FORBIDDEN")
    );
    world.stop().await;
}
