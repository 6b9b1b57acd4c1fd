//! Stand-alone online meetings and the rules of changing them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, segment, send};

#[tokio::test]
async fn a_meeting_is_made_found_changed_and_removed() {
    let desk = Desk::new().await;
    let path = desk.host("/onlineMeetings");
    let body = json!({
        "subject": "Alone",
        "startDateTime": "2031-01-06T10:00:00+02:00",
        "endDateTime": "2031-01-06T11:00:00+02:00",
        "joinMeetingIdSettings": {"isPasscodeRequired": true},
        "participants": {"attendees": [{"upn": "a@b.example", "role": "presenter"}]},
        "externalId": "ignored here",
    });
    let made = desk.post(&path, body).await.with(201);
    assert_eq!(made["startDateTime"], "2031-01-06T08:00:00Z");
    assert_eq!(made["externalId"], Value::Null);
    assert_eq!(
        made["lobbyBypassSettings"],
        json!({"scope": "organization", "isDialInBypassEnabled": false})
    );
    assert_eq!(made["participants"]["attendees"][0]["upn"], "a@b.example");
    assert_eq!(
        made["participants"]["organizer"]["identity"]["user"]["id"],
        desk.env.graph_user
    );
    assert_eq!(made["chatInfo"]["messageId"], "0");
    let joining = &made["joinMeetingIdSettings"];
    assert!(joining["passcode"].is_string());

    let url = made["joinWebUrl"].as_str().unwrap();
    assert!(url.contains("%3ameeting_"), "encoded inside: {url}");
    for filter in [
        format!("JoinWebUrl eq '{url}'"),
        format!("joinWebUrl eq '{url}'"),
        format!(
            "joinMeetingIdSettings/joinMeetingId eq '{}'",
            joining["joinMeetingId"].as_str().unwrap()
        ),
    ] {
        let found = desk.find(&path, &[("$filter", &filter)]).await.with(200);
        assert_eq!(found["value"][0]["id"], made["id"], "{filter}");
    }
    // Sent without encoding it once more, the link is another one.
    let raw = format!(
        "{}{path}?$filter=JoinWebUrl%20eq%20'{url}'",
        desk.env.graph_base
    );
    let found = send(desk.http.get(raw).bearer_auth(&desk.token))
        .await
        .with(200);
    assert_eq!(found["value"], json!([]));

    let one = format!("{path}/{}", segment(&made["id"]));
    let body = json!({"lobbyBypassSettings": {"isDialInBypassEnabled": true}, "allowMeetingChat": "limited"});
    let changed = desk.patch(&one, body).await.with(200);
    assert_eq!(
        changed["lobbyBypassSettings"],
        json!({"scope": "organization", "isDialInBypassEnabled": true}),
        "nested settings merge"
    );
    assert_eq!(changed["allowMeetingChat"], "limited");
    let body = json!({"participants": {"attendees": []}});
    let changed = desk.patch(&one, body).await.with(200);
    assert_eq!(
        changed["participants"]["attendees"],
        json!([]),
        "the whole list"
    );

    assert_eq!(desk.delete(&one).await.status, 204);
    desk.get(&one).await.refused(404, "NotFound");
    desk.delete(&one).await.refused(404, "NotFound");
    assert_eq!(desk.summary().await["removed"][0]["kind"], "onlineMeeting");
}

#[tokio::test]
async fn create_or_get_makes_one_meeting_per_key() {
    let desk = Desk::new().await;
    let path = desk.host("/onlineMeetings/createOrGet");
    let body = json!({"externalId": "e-1", "subject": "First"});
    let first = desk.post(&path, body).await.with(201);
    assert_eq!(first["externalId"], "e-1");
    let body = json!({"externalId": "e-1", "subject": "Second"});
    let second = desk.post(&path, body).await.with(200);
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["subject"], "First");
    let start = "2031-01-06T10:00:00Z";
    let body = json!({"externalId": "e-2", "startDateTime": start});
    let other = desk.post(&path, body).await.with(201);
    assert_eq!(other["endDateTime"], "2031-01-06T11:00:00Z", "an hour");
    for wrong in [
        json!({}),
        json!({"externalId": ""}),
        json!({"externalId": 5}),
        json!({"externalId": "e-3", "endDateTime": start}),
        json!({"externalId": "e-3", "startDateTime": start, "endDateTime": "2031-01-06T09:00:00Z"}),
    ] {
        desk.post(&path, wrong).await.refused(400, "BadRequest");
    }
    assert_eq!(
        desk.summary().await["meetings"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn what_must_not_change_does_not() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let one = desk.host(&format!("/onlineMeetings/{}", segment(&meeting["id"])));
    let time = "2031-01-06T10:00:00Z";
    for wrong in [
        json!({"startDateTime": time}),
        json!({"endDateTime": time}),
        json!({"startDateTime": time, "endDateTime": "2031-01-06T09:00:00Z"}),
        json!({"startDateTime": "soon", "endDateTime": "later"}),
        json!({"joinMeetingIdSettings": {"isPasscodeRequired": false}}),
        json!({"externalId": "new"}),
        json!({"lobbyBypassSettings": {"scope": "nobody"}}),
        json!({"lobbyBypassSettings": {"scope": "unknownFutureValue"}}),
        json!({"lobbyBypassSettings": "everyone"}),
        json!({"allowedPresenters": "me"}),
        json!({"recordAutomatically": "yes"}),
        json!({"participants": {"organizer": {"upn": "other@b.example"}}}),
        json!({"participants": {"attendees": [{"role": "king"}]}}),
        json!({"participants": {"attendees": "all"}}),
    ] {
        let reply = desk.patch(&one, wrong.clone()).await;
        assert_eq!(reply.code(), "BadRequest", "{wrong}");
    }
    let now = desk.get(&one).await.with(200);
    let mut now = now;
    now["@odata.context"] = Value::Null;
    let mut before = meeting;
    before["@odata.context"] = Value::Null;
    assert_eq!(now, before);
}

#[tokio::test]
async fn newer_scopes_are_named_to_those_who_ask() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let one = desk.host(&format!("/onlineMeetings/{}", segment(&meeting["id"])));
    let body = json!({"lobbyBypassSettings": {"scope": "invited"}});
    let changed = desk.patch(&one, body).await.with(200);
    assert_eq!(
        changed["lobbyBypassSettings"]["scope"],
        "unknownFutureValue"
    );
    let asked = desk.request(Method::GET, &one);
    let asked = asked.header("prefer", "include-unknown-enum-members");
    let told = send(asked).await.with(200);
    assert_eq!(told["lobbyBypassSettings"]["scope"], "invited");
}

#[tokio::test]
async fn the_application_needs_a_policy_for_the_user() {
    let desk = Desk::new().await;
    let denied = format!("/users/{}/onlineMeetings", desk.env.graph_denied_user);
    let one = format!("{denied}/x");
    for reply in [
        desk.post(&denied, json!({})).await,
        desk.post(&format!("{denied}/createOrGet"), json!({"externalId": "x"}))
            .await,
        desk.find(&denied, &[("$filter", "JoinWebUrl eq 'x'")])
            .await,
        desk.get(&one).await,
        desk.patch(&one, json!({})).await,
        desk.delete(&one).await,
        desk.get(&format!("{one}/recordings")).await,
    ] {
        reply.refused(403, "Forbidden");
        let message = &reply.json()["error"]["message"];
        assert_eq!(message, "No application access policy found for this app");
    }
}

#[tokio::test]
async fn questions_that_cannot_be_answered_are_refused() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let path = desk.host("/onlineMeetings");
    desk.get(&path).await.refused(400, "BadRequest");
    for filter in [
        "",
        "subject eq 'x'",
        "JoinWebUrl ne 'x'",
        "JoinWebUrl eq x",
        "JoinWebUrl eq 'x' or subject eq 'y'",
    ] {
        desk.find(&path, &[("$filter", filter)])
            .await
            .refused(400, "BadRequest");
    }
    let users = desk.get("/users").await.with(200);
    let other = users["value"][1]["id"].as_str().unwrap();
    let foreign = format!("/users/{other}/onlineMeetings");
    let one = format!("{foreign}/{}", segment(&meeting["id"]));
    desk.get(&one).await.refused(403, "Forbidden");
    let filter = format!(
        "JoinWebUrl eq '{}'",
        meeting["joinWebUrl"].as_str().unwrap()
    );
    let found = desk.find(&foreign, &[("$filter", &filter)]).await.with(200);
    assert_eq!(found["value"], json!([]));
    desk.get(&desk.host("/onlineMeetings/MSo"))
        .await
        .refused(404, "NotFound");
    desk.post("/users/nobody/onlineMeetings", json!({}))
        .await
        .refused(404, "Request_ResourceNotFound");
}
