//! Business time is moved for all or, where somebody was ahead, from there.

use convene_domain::TenantId;
use convene_kit::{Caller, Context};
use convene_proto::clock::v1::{GetRequest, SetRequest, clock_client::ClockClient};
use serde_json::json;
use uuid::Uuid;

use crate::world::{World, reason};

#[tokio::test(flavor = "multi_thread")]
async fn a_move_goes_on_from_the_newest_offset_that_any_role_has() {
    let world = World::new().await;
    let system = || {
        let nobody = TenantId::from_uuid(Uuid::nil());
        Context::begin(Caller::system(nobody, "test"))
    };
    // As after the gateway's database was restored from before the last moves.
    let ahead = SetRequest {
        offset_ms: 5_000,
        version: 7,
    };
    let request = system().request(&world.callers, ahead).unwrap();
    let mut lobby = ClockClient::new(world.peers.lobby.clone());
    lobby.set(request).await.unwrap();

    let query = "mutation { advanceClock(input: { byMs: 1000 }) { clock { offsetMs version } refusal { reason } } }";
    let moved = world.data(&world.admin, query, json!({})).await;
    let clock = &moved["advanceClock"]["clock"];
    assert_eq!(
        (&clock["offsetMs"], &clock["version"]),
        (&json!(6_000), &json!(8))
    );
    for channel in [
        &world.peers.scheduler,
        &world.peers.broker,
        &world.peers.lobby,
        &world.peers.recording,
    ] {
        let request = system().request(&world.callers, GetRequest {}).unwrap();
        let has = ClockClient::new(channel.clone()).get(request).await;
        let has = has.unwrap().into_inner();
        assert_eq!((has.offset_ms, has.version), (6_000, 8));
    }
    // Whoever lost the answer says it again, and moves no further.
    let to = "mutation { advanceClock(input: { toOffsetMs: 9000 }) { clock { offsetMs } refusal { reason field } } }";
    for _ in 0..2 {
        let moved = world.data(&world.admin, to, json!({})).await;
        assert_eq!(moved["advanceClock"]["clock"]["offsetMs"], 9_000);
    }
    for (input, reason, field) in [
        ("toOffsetMs: 8999", "OUT_OF_RANGE", "toOffsetMs"),
        ("toOffsetMs: 999999999999999", "OUT_OF_RANGE", "toOffsetMs"),
        ("byMs: 1, toOffsetMs: 9001", "ONE_OF_TWO", "byMs"),
        ("", "ONE_OF_TWO", "byMs"),
    ] {
        let query = format!(
            "mutation {{ advanceClock(input: {{ {input} }}) {{ refusal {{ reason field }} }} }}"
        );
        let refused = world.data(&world.admin, &query, json!({})).await;
        let refusal = &refused["advanceClock"]["refusal"];
        assert_eq!(*refusal, json!({"reason": reason, "field": field}));
    }
    for by in [0, -1, i64::MAX] {
        let query = format!(
            "mutation {{ advanceClock(input: {{ byMs: {by} }}) {{ refusal {{ reason field }} }} }}"
        );
        let refused = world.data(&world.admin, &query, json!({})).await;
        let refusal = &refused["advanceClock"]["refusal"];
        assert_eq!(
            (&refusal["reason"], &refusal["field"]),
            (&json!("OUT_OF_RANGE"), &json!("byMs"))
        );
    }
    let booked = world.booked().await;
    let query = "mutation { resetClock { clock { offsetMs } refusal { reason } } }";
    let denied = world.ask(&booked.app, query, json!({})).await;
    assert_eq!(reason(&denied), "FORBIDDEN");
    let reset = world.data(&world.admin, query, json!({})).await;
    assert_eq!(reset["resetClock"]["clock"]["offsetMs"], 0);
    world.stop().await.0.unwrap();
}
