//! Permissions and the application access policy: what is missing is refused as the real cloud refuses it.

use reqwest::Method;
use serde_json::json;

use crate::desk::{Desk, online, segment};

async fn granted(desk: &mut Desk, permissions: &[&str]) {
    let body = json!({"granted": permissions});
    let reply = desk.control(Method::PUT, "permissions", Some(body)).await;
    reply.with(200);
    desk.token = desk.fresh_token().await;
}

#[tokio::test]
async fn each_workload_refuses_a_missing_permission_in_its_own_words() {
    let mut desk = Desk::new().await;
    let (event, meeting) = desk.meeting().await;
    let event = desk.host(&format!("/events/{}", segment(&event["id"])));
    let meetings = desk.host("/onlineMeetings");
    let recordings = format!("{meetings}/{}/recordings", segment(&meeting["id"]));
    let host = desk.host("");
    granted(&mut desk, &["Calendars.Read"]).await;
    desk.get(&event).await.with(200);
    let changed = desk.patch(&event, json!({"subject": "x"})).await;
    changed.refused(403, "ErrorAccessDenied");
    desk.get(&host)
        .await
        .refused(403, "Authorization_RequestDenied");
    let made = desk.post(&meetings, json!({})).await;
    made.refused(403, "Forbidden");
    assert!(
        !made.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("policy")
    );
    let call = desk.post("/communications/calls", json!({})).await;
    call.refused(403, "7504");
    granted(&mut desk, &["OnlineMeetings.ReadWrite.All"]).await;
    desk.post(&meetings, json!({})).await.with(201);
    desk.get(&recordings).await.refused(403, "Forbidden");
    desk.get(&event).await.refused(403, "ErrorAccessDenied");
    desk.control(Method::POST, "reset", None).await.with(204);
    desk.token = desk.fresh_token().await;
    desk.post(&desk.host("/events"), online("x"))
        .await
        .with(201);
}

#[tokio::test]
async fn a_token_keeps_what_it_was_issued_with() {
    let mut desk = Desk::new().await;
    let old = desk.token.clone();
    granted(&mut desk, &["Calendars.Read"]).await;
    desk.get("/users").await.with(403);
    desk.token = old;
    desk.get("/users").await.with(200);
}

#[tokio::test]
async fn the_policy_of_a_user_is_given_and_taken() {
    let desk = Desk::new().await;
    let (covered, denied) = (&desk.env.graph_user_email, &desk.env.graph_denied_user);
    let create = async |user: &str| {
        let path = format!("/users/{user}/onlineMeetings");
        desk.post(&path, json!({})).await
    };
    create(denied).await.refused(403, "Forbidden");
    let body = json!({denied.as_str(): true, covered.as_str(): false});
    let all = desk.control(Method::PUT, "policies", Some(body)).await;
    assert_eq!(all.with(200)[&desk.env.graph_user], false);
    create(denied).await.with(201);
    let refused = create(covered).await;
    refused.refused(403, "Forbidden");
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains("No application access policy found for this app"));
    // The calendar needs no such policy.
    desk.online_event("Visit").await;
}

#[tokio::test]
async fn wrong_wishes_are_told() {
    let desk = Desk::new().await;
    let put = async |path, body| desk.control(Method::PUT, path, Some(body)).await;
    put("permissions", json!({"granted": ["Everything"]}))
        .await
        .with(400);
    put("policies", json!({"nobody": true})).await.with(404);
    put("throttling", json!({"enforced": true, "scale": 0}))
        .await
        .with(400);
}
