//! What is asked twice is done once.

use http::Method;

use crate::desk::{DATE, Desk, Reply, wanted};

async fn create(desk: &Desk, id: &str, body: &str) -> Reply {
    let mut request = wanted(Method::POST, "/rooms", body);
    request.headers = vec![
        ("repeatability-request-id", id.to_owned()),
        ("repeatability-first-sent", DATE.to_owned()),
    ];
    desk.send(request).await
}

async fn rooms(desk: &Desk) -> usize {
    let rooms = desk.ask(Method::GET, "/rooms", "").await.with(200);
    rooms["value"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_id_gets_the_same_room_after_a_restart_too() {
    let desk = Desk::new();
    let first = create(&desk, "a", "{}").await.with(201);
    let kept = serde_json::to_string(&*desk.memory.state.lock().unwrap()).unwrap();
    *desk.memory.state.lock().unwrap() = serde_json::from_str(&kept).unwrap();
    assert_eq!(create(&desk, "a", "{}").await.with(201), first);
    assert_ne!(create(&desk, "b", "{}").await.with(201), first);
    assert_eq!(rooms(&desk).await, 2);
}

#[tokio::test]
async fn another_request_under_the_same_id_is_refused() {
    let desk = Desk::new();
    create(&desk, "a", "{}").await.with(201);
    let body = r#"{"pstnDialOutEnabled": true}"#;
    let refused = create(&desk, "a", body).await.with(400);
    assert_eq!(refused["error"]["target"], "Repeatability-Request-ID");
    assert_eq!(rooms(&desk).await, 1);
}

#[tokio::test]
async fn what_was_refused_may_be_asked_again() {
    let desk = Desk::new();
    let body = r#"{"validUntil": "2020-01-01T00:00:00Z"}"#;
    create(&desk, "a", body).await.with(400);
    create(&desk, "a", "{}").await.with(201);
}

#[tokio::test]
async fn the_oldest_id_is_forgotten_first() {
    let desk = Desk::new();
    let first = create(&desk, "0", "{}").await.with(201);
    for number in 1..10_000 {
        create(&desk, &number.to_string(), "{}").await.with(201);
    }
    assert_eq!(create(&desk, "0", "{}").await.with(201), first);
    create(&desk, "10000", "{}").await.with(201);
    assert_ne!(create(&desk, "0", "{}").await.with(201), first);
}
