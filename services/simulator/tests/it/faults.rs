//! Faults: each does what it says, and no more.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, online, send};

fn on_create(action: Value) -> Value {
    json!({"method": "POST", "pathContains": "/events", "times": 1, "action": action})
}

async fn made(desk: &Desk) -> u64 {
    desk.summary().await["createdEvents"].as_u64().unwrap()
}

#[tokio::test]
async fn throttling_does_nothing_and_says_when_to_come_back() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    for (action, header) in [
        (json!({"throttle": {"retryAfter": 1.5}}), "1.5"),
        (json!({"throttle": {"retryAfter": 3}}), "3"),
        (json!({"throttle": {}}), ""),
    ] {
        desk.fault(on_create(action)).await;
        let reply = desk.post(&path, online("x")).await;
        reply.refused(429, "TooManyRequests");
        assert_eq!(reply.header("retry-after"), header);
        assert_eq!(made(&desk).await, 0);
    }
    desk.post(&path, online("x")).await.with(201);
}

#[tokio::test]
async fn errors_come_before_or_after_the_effect() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    desk.fault(on_create(json!({"errorBefore": {"status": 503}})))
        .await;
    desk.post(&path, online("x"))
        .await
        .refused(503, "ServiceUnavailable");
    assert_eq!(made(&desk).await, 0);
    desk.fault(on_create(json!({"errorAfter": {"status": 504}})))
        .await;
    desk.post(&path, online("x"))
        .await
        .refused(504, "GatewayTimeout");
    assert_eq!(made(&desk).await, 1);
}

#[tokio::test]
async fn connections_are_dropped_before_or_after_the_effect() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    for (action, effects) in [("dropBefore", 0), ("dropAfter", 1)] {
        desk.fault(on_create(json!(action))).await;
        let request = desk.request(Method::POST, &path).json(&online("x"));
        let error = request.send().await.unwrap_err();
        assert!(!error.is_timeout() && !error.is_status(), "{error:?}");
        assert_eq!(made(&desk).await, effects, "{action}");
        let log = desk.control(Method::GET, "requests", None).await.with(200);
        let last = log.as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["status"], 0, "{last}");
    }
}

#[tokio::test]
async fn a_dropped_connection_is_closed_without_a_byte() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let desk = Desk::new().await;
    desk.fault(json!({"action": "dropBefore", "times": 1}))
        .await;
    let address = desk.simulator.base_url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /v1.0/users HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn delays_are_waited_for() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    for action in ["delayBefore", "delayAfter"] {
        desk.fault(on_create(json!({action: {"ms": 80}}))).await;
        let begun = Instant::now();
        desk.post(&path, online("x")).await.with(201);
        assert!(begun.elapsed() >= Duration::from_millis(80), "{action}");
    }
}

#[tokio::test]
async fn the_effect_comes_even_when_the_client_gives_up() {
    let desk = Desk::new().await;
    desk.fault(on_create(json!({"delayBefore": {"ms": 300}})))
        .await;
    let request = desk.request(Method::POST, &desk.host("/events"));
    let request = request
        .json(&online("x"))
        .timeout(Duration::from_millis(30));
    assert!(request.send().await.unwrap_err().is_timeout());
    let patience = Instant::now() + Duration::from_secs(5);
    while made(&desk).await == 0 {
        assert!(Instant::now() < patience, "the effect never came");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn rules_are_matched_listed_and_cleared() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    desk.fault(json!({"pathContains": "/users/*/onlineMeetings", "action": {"errorBefore": {"status": 500}}})).await;
    desk.get(&path).await.with(200);
    let meetings = desk.host("/onlineMeetings");
    for _ in 0..3 {
        desk.get(&meetings)
            .await
            .refused(500, "InternalServerError");
    }
    // Tokens can fail too; the control API never does.
    desk.fault(
        json!({"pathContains": "/token", "times": 1, "action": {"errorBefore": {"status": 502}}}),
    )
    .await;
    assert_eq!(desk.ask_token(&desk.token_form()).await.status, 502);
    desk.fault(json!({"action": "dropBefore"})).await;
    let rules = desk.control(Method::GET, "faults", None).await.with(200);
    assert_eq!(
        rules.as_array().unwrap().len(),
        2,
        "the used-up one is gone: {rules}"
    );
    assert_eq!(
        desk.control(Method::DELETE, "faults", None).await.status,
        204
    );
    desk.get(&meetings).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn wrong_rules_are_told() {
    let desk = Desk::new().await;
    for rule in [
        json!({}),
        json!({"action": "explode"}),
        json!({"action": {"errorBefore": {"status": 404}}}),
        json!({"action": {"delayBefore": {"ms": 600_001}}}),
        json!({"action": {"delayBefore": {"ms": -1}}}),
        json!({"action": {"throttle": {"retryAfter": 3_601}}}),
        json!({"action": "dropAfter", "times": 0}),
        json!({"action": "dropAfter", "probability": 2}),
        json!({"action": "dropAfter", "chance": 1}),
    ] {
        let reply = desk
            .control(Method::POST, "faults", Some(rule.clone()))
            .await;
        assert!(reply.with(400)["error"].is_string(), "{rule}");
    }
    for _ in 0..100 {
        desk.fault(json!({"pathContains": "never", "action": "dropAfter"}))
            .await;
    }
    let more = Some(json!({"action": "dropAfter"}));
    desk.control(Method::POST, "faults", more).await.with(409);
}

#[tokio::test]
async fn chance_is_the_same_for_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let desk = Desk::new().await;
        desk.fault(json!({"probability": 0.5, "action": {"errorBefore": {"status": 503}}}))
            .await;
        let mut run = Vec::new();
        for _ in 0..20 {
            run.push(desk.get("/users").await.status.as_u16());
        }
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(
        runs[0].contains(&200) && runs[0].contains(&503),
        "{:?}",
        runs[0]
    );
}

#[tokio::test]
async fn an_answer_of_a_fault_echoes_the_client() {
    let desk = Desk::new().await;
    desk.fault(json!({"action": {"throttle": {"retryAfter": 1}}, "times": 1}))
        .await;
    let request = desk.request(Method::GET, "/users");
    let reply = send(request.header("client-request-id", "c-1")).await;
    reply.refused(429, "TooManyRequests");
    assert_eq!(reply.header("client-request-id"), "c-1");
}
