//! The published limits, when they are enforced.

use reqwest::Method;
use serde_json::json;

use crate::desk::{Desk, online};

async fn enforced(scale: f64) -> Desk {
    let desk = Desk::new().await;
    let body = json!({"enforced": true, "scale": scale});
    let reply = desk.control(Method::PUT, "throttling", Some(body)).await;
    assert_eq!(reply.with(200)["enforced"], true);
    desk
}

#[tokio::test]
async fn a_mailbox_has_so_many_requests_and_then_waits() {
    let desk = enforced(0.001).await;
    let events = desk.host("/events");
    for number in 0..10 {
        let reply = desk.post(&events, online("Visit")).await;
        reply.with(201);
        let told = !reply.header("x-ms-throttle-limit-percentage").is_empty();
        assert_eq!(told, number >= 7, "{number}");
    }
    let reply = desk.post(&events, online("Visit")).await;
    reply.refused(429, "TooManyRequests");
    assert_eq!(reply.json()["error"]["innerError"]["code"], "429");
    assert_eq!(reply.header("x-ms-throttle-scope"), "outlook");
    let wait: f64 = reply.header("retry-after").parse().unwrap();
    assert!((500.0..=600.0).contains(&wait), "{wait}");
    desk.get(&desk.host("")).await.with(200);
    desk.advance((wait * 1_000.0) as i64 + 1).await;
    desk.post(&events, online("Visit")).await.with(201);
    let made = desk.summary().await["createdEvents"].as_u64();
    assert_eq!(made, Some(11), "a throttled request has done nothing");
}

#[tokio::test]
async fn four_at_a_time_in_a_mailbox() {
    let desk = enforced(1.0).await;
    let events = desk.host("/events");
    let asked = (0..40).map(|_| desk.post(&events, online("Visit")));
    let replies = futures_util::future::join_all(asked).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let turned_away = replies.iter().filter(|reply| reply.status == 429).count();
    assert!(made >= 4 && made + turned_away == 40, "{made} made");
    let counted = desk.summary().await["createdEvents"].as_u64().unwrap();
    assert_eq!(counted as usize, made);
    desk.post(&events, online("Visit")).await.with(201);
}
