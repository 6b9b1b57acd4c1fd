//! What all answers have in common.

use reqwest::Method;
use serde_json::json;

use crate::desk::{Desk, online, send};

#[tokio::test]
async fn answers_carry_ids_and_odata_headers() {
    let desk = Desk::new().await;
    let request = || {
        desk.request(Method::GET, "/users")
            .header("client-request-id", "mine")
    };
    let (first, second) = (send(request()).await, send(request()).await);
    assert_eq!(first.header("client-request-id"), "mine");
    assert_eq!(first.header("odata-version"), "4.0");
    assert!(
        first
            .header("content-type")
            .starts_with("application/json;odata.metadata=minimal")
    );
    assert!(!first.header("request-id").is_empty());
    assert_ne!(first.header("request-id"), second.header("request-id"));
    let context = &first.with(200)["@odata.context"];
    assert_eq!(*context, format!("{}/$metadata#users", desk.env.graph_base));

    let missing = desk.request(Method::GET, "/users/nobody");
    let missing = send(missing.header("client-request-id", "mine")).await;
    missing.refused(404, "Request_ResourceNotFound");
    assert_eq!(
        missing.json()["error"]["innerError"]["client-request-id"],
        "mine"
    );
    assert_eq!(missing.header("client-request-id"), "mine");
}

#[tokio::test]
async fn paths_may_be_written_as_graph_allows() {
    let desk = Desk::new().await;
    let event = desk.online_event("Found").await;
    let (user, id) = (&desk.env.graph_user, event["id"].as_str().unwrap());
    for path in [
        format!("/USERS/{user}/Events/{id}"),
        format!("/users('{user}')/events('{id}')"),
        format!("/users(%27{user}%27)/events/{id}"),
        format!("/beta/users/{user}/events/{id}"),
        format!("/V1.0/users/{user}/calendar/EVENTS/{id}"),
    ] {
        let found = desk.get(&path).await.with(200);
        assert_eq!(found["id"], id, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let desk = Desk::new().await;
    for path in [
        "/subscriptions",
        "/solutions/bookingBusinesses",
        "/communications/onlineMeetings",
    ] {
        desk.get(path).await.refused(501, "NotImplemented");
    }
    desk.get("/$batch").await.refused(405, "Request_BadRequest");
    desk.get("/sites").await.refused(501, "NotImplemented");
    desk.delete("/users")
        .await
        .refused(405, "Request_BadRequest");
    let put = desk.request(Method::PUT, &desk.host("/events"));
    send(put).await.refused(405, "Request_BadRequest");
    // Not even these without a token.
    let bare = desk
        .http
        .get(format!("{}/subscriptions", desk.env.graph_base));
    send(bare).await.refused(401, "InvalidAuthenticationToken");
    let root = desk.http.get(format!("{}/", desk.simulator.base_url()));
    assert!(send(root).await.with(404)["error"].is_string());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let desk = Desk::new().await;
    let body = online(&"x".repeat(1024 * 1024));
    let reply = desk.post(&desk.host("/events"), body).await;
    reply.refused(413, "RequestEntityTooLarge");
    let rule = Some(json!({"pathContains": "x".repeat(1024 * 1024), "action": "dropAfter"}));
    desk.control(Method::POST, "faults", rule).await.with(413);
}
