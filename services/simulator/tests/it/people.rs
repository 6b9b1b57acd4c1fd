//! People in meetings: the provider's lobby, leaving, and the end.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, segment};

#[tokio::test]
async fn the_scope_decides_who_waits() {
    let desk = Desk::new().await;
    for (scope, waiting) in [
        ("everyone", vec![]),
        ("organization", vec!["guest"]),
        ("organizationAndFederated", vec!["guest"]),
        ("organizer", vec!["user", "guest"]),
    ] {
        let (_, meeting) = desk.meeting().await;
        let one = desk.host(&format!("/onlineMeetings/{}", segment(&meeting["id"])));
        let body = json!({"lobbyBypassSettings": {"scope": scope}});
        desk.patch(&one, body).await.with(200);
        for kind in ["organizer", "user", "guest"] {
            let person = desk.comes(&meeting, kind).await;
            let wanted = if waiting.contains(&kind) {
                "inLobby"
            } else {
                "inMeeting"
            };
            assert_eq!(person["presence"], wanted, "{kind} under {scope}");
        }
    }
}

async fn act(desk: &Desk, person: &Value, action: &str) -> Value {
    let path = format!("attendees/{}/{action}", person["id"].as_str().unwrap());
    desk.control(Method::POST, &path, None).await.with(200)
}

#[tokio::test]
async fn people_wait_are_let_in_or_not_and_leave() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let body = json!({"meetingId": meeting["id"], "kind": "guest", "name": "Shown Name"});
    let guest = desk
        .control(Method::POST, "meetings/join", Some(body))
        .await
        .with(201);
    assert_eq!(guest["name"], "Shown Name");
    let other = desk.comes(&meeting, "guest").await;
    assert_eq!(act(&desk, &guest, "admit").await["presence"], "inMeeting");
    assert_eq!(act(&desk, &other, "deny").await["presence"], "left");
    assert_eq!(
        act(&desk, &other, "admit").await["presence"],
        "left",
        "too late"
    );
    let call = desk.call_into(&meeting).await;
    let roster = desk.get(&format!("{call}/participants")).await.with(200);
    assert_eq!(
        roster["value"][0]["info"]["identity"]["guest"]["displayName"],
        "Shown Name"
    );
    let left = act(&desk, &guest, "leave").await;
    assert!(left["leftMs"].as_i64().unwrap() >= left["arrivedMs"].as_i64().unwrap());
    let id = meeting["id"].as_str().unwrap();
    let query = format!("attendees?meetingId={}", segment(&json!(id)));
    let all = desk.control(Method::GET, &query, None).await.with(200);
    assert_eq!(all.as_array().unwrap().len(), 2);
    desk.control(Method::POST, "attendees/none/admit", None)
        .await
        .with(404);
}

#[tokio::test]
async fn the_end_puts_everyone_out_and_stops_recording() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let call = desk.call_into(&meeting).await;
    desk.comes(&meeting, "organizer").await;
    desk.comes(&meeting, "guest").await;
    desk.act(&call, "startRecording").await;
    let body = json!({"joinWebUrl": meeting["joinWebUrl"]});
    let ended = desk.control(Method::POST, "meetings/end", Some(body)).await;
    assert_eq!(ended.status, 204);
    desk.get(&call).await.refused(404, "NotFound");
    let summary = desk.summary().await["meetings"][0].clone();
    assert_eq!(summary["recording"], false);
    assert_eq!(summary["recordings"], 1);
    for attendee in summary["attendees"].as_array().unwrap() {
        assert_eq!(attendee["presence"], "left");
    }
    // It stays on the calendar, and can be joined again.
    assert_eq!(
        desk.comes(&meeting, "organizer").await["presence"],
        "inMeeting"
    );
}

#[tokio::test]
async fn wrong_wishes_are_told() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let url = &meeting["joinWebUrl"];
    for (path, body, status) in [
        (
            "meetings/join",
            json!({"joinWebUrl": url, "kind": "ghost"}),
            400,
        ),
        ("meetings/join", json!({"joinWebUrl": url}), 400),
        ("meetings/join", json!({"kind": "guest"}), 400),
        (
            "meetings/join",
            json!({"joinWebUrl": url, "meetingId": "x", "kind": "guest"}),
            400,
        ),
        (
            "meetings/join",
            json!({"joinWebUrl": url, "kind": "guest", "name": "x".repeat(257)}),
            400,
        ),
        (
            "meetings/join",
            json!({"joinWebUrl": "https://x", "kind": "guest"}),
            404,
        ),
        ("meetings/end", json!({"meetingId": "x"}), 404),
        ("meetings/end", json!([]), 400),
    ] {
        let reply = desk.control(Method::POST, path, Some(body.clone())).await;
        assert!(reply.with(status)["error"].is_string(), "{path} {body}");
    }
}
