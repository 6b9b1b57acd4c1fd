//! I2: one meeting per booking, whatever the provider does.

use convene_proto::meeting::v1::MeetingPhase;
use serde_json::{Value, json};

use crate::world::{TIMEOUT_MS, World, answered};

/// After a creation or cancellation the provider is looked at once more after this time, in milliseconds.
const RECONCILE_MS: i64 = convene_domain::meeting::RECONCILE_MS;

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_is_made_once_and_repeats_are_answered() {
    let world = World::start().await;
    let (asked, wish) = world.wish();
    for _ in 0..3 {
        let request = world.system(wish.clone());
        answered(world.client().ensure_meeting(request).await).unwrap();
    }
    let ready = world.until_phase(asked, MeetingPhase::Ready).await;
    world.drained().await;
    assert_eq!(ready.provider, "graph-calendar");
    assert_eq!(ready.host_id, wish.host_id);
    assert_eq!(
        (
            ready.lobby_bypass_wanted.as_str(),
            ready.lobby_bypass_effective.as_str()
        ),
        ("everyone", "everyone")
    );
    let meeting = world.provider.meeting().await;
    assert_eq!(meeting["lobbyBypassScope"], "everyone");
    assert_eq!(world.provider.created().await, 1, "I2");
    assert_eq!(world.told(asked, "MeetingWanted").await, 1);

    let again = answered(world.client().ensure_meeting(world.system(wish)).await).unwrap();
    assert_eq!(again, ready, "a repeat answers the meeting as it is");
    let events = world.events(asked).await;
    let all: String = events.iter().map(|event| event.data.as_str()).collect();
    assert!(!all.contains("First visit") && !all.contains("teams.microsoft.com"));
    world.end().await;
}

/// Everything that can go wrong on the way of one request.
fn troubles() -> [Value; 7] {
    [
        json!("dropBefore"),
        json!("dropAfter"),
        json!({"errorBefore": {"status": 503}}),
        json!({"errorAfter": {"status": 500}}),
        json!({"throttle": {"retryAfter": 0.2}}),
        json!({"delayBefore": {"ms": 5 * TIMEOUT_MS}}),
        json!({"delayAfter": {"ms": 5 * TIMEOUT_MS}}),
    ]
}

async fn survives(repeats_conflict: bool) {
    let world = World::start().await;
    world.provider.repeats_conflict(repeats_conflict).await;
    for trouble in troubles() {
        for (method, path) in [
            ("POST", "/events"),
            ("GET", "/events"),
            ("GET", "/onlineMeetings"),
            ("PATCH", "/onlineMeetings"),
        ] {
            let fault = world.provider.fault(method, path, 1, trouble.clone());
            fault.await;
            let asked = world.ready().await;
            let live = world.provider.events(&asked.key()).await;
            assert_eq!(live, 1, "I2: {trouble} on {method} {path}");
            assert_eq!(world.told(asked, "MeetingReady").await, 1);
            world.provider.heal().await;
        }
    }
    world.drained().await;
    let (created, live) = (world.provider.created().await, world.provider.live().await);
    assert_eq!(created, live as u64, "I2: more were made on the way");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_makes_no_second_meeting() {
    survives(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_makes_no_second_meeting_where_repeats_conflict() {
    survives(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttling_provider_is_given_its_time() {
    let world = World::start().await;
    let throttle = json!({"throttle": {"retryAfter": 1.3}});
    world.provider.fault("POST", "/events", 1, throttle).await;
    world.ready().await;
    let posts = world.provider.requests("POST", "/events").await;
    assert_eq!(posts.len(), 2);
    let pause = posts[1]["atMs"].as_i64().unwrap() - posts[0]["atMs"].as_i64().unwrap();
    assert!(pause >= 1_300, "back after {pause} ms");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_cancelled_while_it_is_made_is_gone() {
    let world = World::start().await;
    for slow in [
        json!({"delayAfter": {"ms": 400}}),
        json!({"delayAfter": {"ms": 5 * TIMEOUT_MS}}),
        json!("dropAfter"),
        json!({"throttle": {"retryAfter": 0.5}}),
    ] {
        world
            .provider
            .fault("POST", "/events", 1, slow.clone())
            .await;
        let asked = world.ask().await;
        world.cancel(asked).await;
        world.drained().await;
        world.until_phase(asked, MeetingPhase::Cancelled).await;
        assert_eq!(world.provider.events(&asked.key()).await, 0, "I2: {slow}");
        world.provider.heal().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_cancellation_is_repeated() {
    let world = World::start().await;
    for trouble in troubles() {
        let asked = world.ready().await;
        world
            .provider
            .fault("POST", "/cancel", 1, trouble.clone())
            .await;
        world.cancel(asked).await;
        world.until_phase(asked, MeetingPhase::Cancelled).await;
        let live = world.provider.events(&asked.key()).await;
        assert_eq!(live, 0, "I2: {trouble}");
        world.provider.heal().await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_many_is_removed_in_the_end() {
    let world = World::start().await;
    let (kept, cancelled, ended) = (
        world.ready().await,
        world.ready().await,
        world.ready().await,
    );
    world.cancel(cancelled).await;
    world.until_phase(cancelled, MeetingPhase::Cancelled).await;
    let end = convene_proto::meeting::v1::EndMeetingRequest {
        id: ended.id.to_string(),
    };
    answered(world.client().end_meeting(world.system(end)).await).unwrap();
    for asked in [kept, cancelled, ended] {
        world.provider.stray_event(&asked.key()).await;
    }
    assert_eq!(world.provider.live().await, 5);
    world.advance(RECONCILE_MS + 1_000);
    world.drained().await;
    assert_eq!(world.provider.events(&kept.key()).await, 1, "ours stays");
    // Of the ended meeting nothing is touched: its own and the stray one; of the cancelled one nothing is left.
    assert_eq!(world.provider.live().await, 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_fails_the_meeting_and_leaves_nothing_behind() {
    let world = World::start().await;
    let denied = world.provider.env().graph_denied_user;
    for (organizer, reason) in [
        (denied.as_str(), "NO_ACCESS_POLICY"),
        ("nobody-of-this-directory", "ORGANIZER_UNKNOWN"),
    ] {
        let (asked, mut wish) = world.wish();
        wish.organizer = organizer.to_owned();
        answered(world.client().ensure_meeting(world.system(wish)).await).unwrap();
        let failed = world.until_phase(asked, MeetingPhase::Failed).await;
        assert_eq!(failed.reason, reason);
        world.drained().await;
        assert_eq!(world.provider.events(&asked.key()).await, 0, "{reason}");
        // A booking without meeting can still be cancelled.
        world.cancel(asked).await;
        world.until_phase(asked, MeetingPhase::Cancelled).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_stays_away_fails_the_meeting() {
    let world = World::start().await;
    let throttle = json!({"throttle": {"retryAfter": 0}});
    world.provider.fault("POST", "/events", 0, throttle).await;
    let asked = world.ask().await;
    let failed = world.until_phase(asked, MeetingPhase::Failed).await;
    assert_eq!(failed.reason, "PROVIDER_UNAVAILABLE");
    let tries = world.provider.requests("POST", "/events").await.len();
    assert_eq!(tries, 20, "tries are bounded");
    world.end().await;
}
