//! What is sent, member by member.

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use convene_graph::{
    CallState, EventChange, JoinById, JoinCall, LobbyBypassSettings, MeetingOptions, NewEvent,
    NewMeeting, OperationStatus, RequestContext,
};
use serde_json::json;

use crate::server::{Asked, LINK, Server, nothing};

const MEETING: &str = r#"{"id":"m","joinWebUrl":"https://x.example","someday":{"new":1}}"#;
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn ten() -> DateTime<Utc> {
    at("2031-01-01T10:00:00Z")
}

fn eleven() -> DateTime<Utc> {
    at("2031-01-01T11:00:00Z")
}

fn answer(status: u16, body: &'static str) -> impl Fn(usize, &Asked) -> Response {
    move |_, _| (StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// Method and target of the one request.
fn line(server: &Server) -> String {
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    format!("{} {}", asked[0].method, asked[0].target)
}

/// The `$filter` of the one request, as a server decodes it.
fn filter(server: &Server) -> String {
    let asked = server.asked();
    let url = reqwest::Url::parse(&format!("{}{}", server.base, asked[0].target)).unwrap();
    let pair = url.query_pairs().find(|(name, _)| name == "$filter");
    pair.unwrap().1.into_owned()
}

#[tokio::test]
async fn a_join_link_is_encoded_once_more_in_a_filter() {
    let server = Server::start(|_, _| nothing()).await;
    server
        .graph()
        .find_online_meeting("u@x", LINK)
        .await
        .unwrap();
    let line = line(&server);
    assert!(
        line.starts_with("GET /v1.0/users/u%40x/onlineMeetings?"),
        "{line}"
    );
    assert!(
        line.contains("%253ameeting_") && line.contains("%2540thread"),
        "{line}"
    );
    assert_eq!(
        filter(&server),
        format!("JoinWebUrl eq '{}'", LINK.replace('\'', "''"))
    );
}

#[tokio::test]
async fn an_event_is_found_by_what_it_was_made_with() {
    let server = Server::start(answer(201, r#"{"id":"e","onlineMeeting":null}"#)).await;
    let new = NewEvent {
        subject: "Talk".into(),
        start: ten(),
        end: eleven(),
        key: "key".into(),
    };
    let event = server.graph().create_event("u", &new).await.unwrap();
    assert_eq!((event.id.as_str(), event.join_url()), ("e", None));
    assert_eq!(line(&server), "POST /v1.0/users/u/events");
    let sent = server.asked()[0].json();
    assert_eq!(
        sent["start"],
        json!({"dateTime": "2031-01-01T10:00:00.0000000", "timeZone": "UTC"})
    );
    assert_eq!(
        (&sent["transactionId"], &sent["isOnlineMeeting"]),
        (&json!("key"), &json!(true))
    );
    let property = &sent["singleValueExtendedProperties"][0];
    assert_eq!(property["value"], "key");

    let server = Server::start(|_, _| nothing()).await;
    server.graph().find_events("u", "o'key").await.unwrap();
    let id = property["id"].as_str().unwrap();
    let any =
        format!("singleValueExtendedProperties/Any(ep: ep/id eq '{id}' and ep/value eq 'o''key')");
    assert_eq!(filter(&server), any);
}

#[tokio::test]
async fn events_are_changed_and_removed() {
    let server = Server::start(answer(200, r#"{"id":"e"}"#)).await;
    let change = EventChange {
        interval: Some((ten(), eleven())),
        ..EventChange::default()
    };
    server
        .graph()
        .update_event("u", "e/1", &change)
        .await
        .unwrap();
    assert_eq!(line(&server), "PATCH /v1.0/users/u/events/e%2F1");
    let sent = server.asked()[0].json();
    let end = json!({"dateTime": "2031-01-01T11:00:00.0000000", "timeZone": "UTC"});
    assert_eq!((sent.as_object().unwrap().len(), &sent["end"]), (2, &end));

    let server = Server::start(answer(204, "")).await;
    assert!(server.graph().delete_event("u", "e").await.unwrap());
    assert_eq!(line(&server), "DELETE /v1.0/users/u/events/e");

    let server = Server::start(answer(202, "")).await;
    assert!(server.graph().cancel_event("u", "e", "why").await.unwrap());
    assert_eq!(line(&server), "POST /v1.0/users/u/events/e/cancel");
    assert_eq!(server.asked()[0].json(), json!({"Comment": "why"}));
}

#[tokio::test]
async fn a_meeting_is_made_once_and_then_got() {
    for (status, expected) in [(201, true), (200, false)] {
        let server = Server::start(answer(status, MEETING)).await;
        let new = NewMeeting {
            external_id: "key".into(),
            subject: "Talk".into(),
            start: ten(),
            end: eleven(),
        };
        let told = server.graph().create_or_get_online_meeting("u", &new).await;
        let (meeting, made) = told.unwrap();
        assert_eq!((meeting.id.as_str(), made), ("m", expected));
        assert_eq!(
            line(&server),
            "POST /v1.0/users/u/onlineMeetings/createOrGet"
        );
        let expected = json!({
            "externalId": "key",
            "subject": "Talk",
            "startDateTime": "2031-01-01T10:00:00.000Z",
            "endDateTime": "2031-01-01T11:00:00.000Z",
        });
        assert_eq!(server.asked()[0].json(), expected);
    }
}

#[tokio::test]
async fn meetings_are_changed_and_deleted() {
    let server = Server::start(answer(200, MEETING)).await;
    let scope = "everyone".to_owned();
    let options = MeetingOptions {
        lobby_bypass_settings: Some(LobbyBypassSettings { scope }),
    };
    server
        .graph()
        .patch_online_meeting("u", "m*0", &options)
        .await
        .unwrap();
    assert_eq!(line(&server), "PATCH /v1.0/users/u/onlineMeetings/m%2A0");
    let expected = json!({"lobbyBypassSettings": {"scope": "everyone"}});
    assert_eq!(server.asked()[0].json(), expected);

    let server = Server::start(answer(204, "")).await;
    assert!(
        server
            .graph()
            .delete_online_meeting("u", "m")
            .await
            .unwrap()
    );
    assert_eq!(line(&server), "DELETE /v1.0/users/u/onlineMeetings/m");
}

#[tokio::test]
async fn a_call_names_its_meeting_either_way() {
    let server = Server::start(answer(201, r#"{"id":"c","state":"establishing"}"#)).await;
    let graph = server.graph();
    let callback_uri = "https://callback.invalid".to_owned();
    let by_chat = JoinCall {
        callback_uri: callback_uri.clone(),
        organizer_id: "organizer".into(),
        thread_id: "thread".into(),
    };
    assert_eq!(
        graph.join_call(&by_chat).await.unwrap().state,
        CallState::Establishing
    );
    let by_id = JoinById {
        callback_uri,
        join_meeting_id: "123".into(),
        passcode: Some("canary".into()),
    };
    graph.join_call_by_id(&by_id).await.unwrap();
    let sent: Vec<_> = server.asked().iter().map(Asked::json).collect();
    for sent in &sent {
        assert_eq!(sent["tenantId"], "tenant");
        assert_eq!(sent["callbackUri"], "https://callback.invalid");
    }
    assert_eq!(sent[0]["chatInfo"]["threadId"], "thread");
    let user = &sent[0]["meetingInfo"]["organizer"]["user"];
    assert_eq!(
        (&user["id"], &user["tenantId"]),
        (&json!("organizer"), &json!("tenant"))
    );
    let expected = json!({
        "@odata.type": "#microsoft.graph.joinMeetingIdMeetingInfo",
        "joinMeetingId": "123",
        "passcode": "canary",
    });
    assert_eq!(sent[1]["meetingInfo"], expected);
}

#[tokio::test]
async fn recording_is_a_matter_of_beta() {
    let server = Server::start(answer(202, r#"{"id":"o","status":"COMPLETED"}"#)).await;
    let graph = server.graph();
    let operation = graph.start_recording("c", "mine").await.unwrap();
    assert_eq!(operation.status(), OperationStatus::Completed);
    graph.stop_recording("c", "mine").await.unwrap();
    graph.get_operation("c", "o").await.unwrap();
    let asked = server.asked();
    let targets: Vec<_> = asked.iter().map(|asked| asked.target.as_str()).collect();
    let expected = [
        "/beta/communications/calls/c/startRecording",
        "/beta/communications/calls/c/stopRecording",
        "/beta/communications/calls/c/operations/o",
    ];
    assert_eq!(targets, expected);
    assert_eq!(asked[0].json(), json!({"clientContext": "mine"}));
}

#[tokio::test]
async fn states_that_are_new_to_us_are_kept() {
    let server = Server::start(answer(200, r#"{"id":"c","state":"pondering"}"#)).await;
    let call = server.graph().get_call("c").await.unwrap();
    assert_eq!(call.state, CallState::Other("pondering".into()));
}

#[tokio::test]
async fn requests_name_their_cause() {
    let server = Server::start(|_, _| nothing()).await;
    let graph = server.graph();
    let id = uuid::Uuid::new_v4();
    let context = |traceparent: &str| RequestContext {
        client_request_id: Some(id),
        traceparent: Some(traceparent.to_owned()),
    };
    graph
        .within(context(TRACEPARENT))
        .find_events("u", "k")
        .await
        .unwrap();
    // A trace must never fail a request.
    graph
        .within(context("nonsense\r\nx: y"))
        .find_events("u", "k")
        .await
        .unwrap();
    graph.find_events("u", "k").await.unwrap();
    graph.find_events("u", "k").await.unwrap();
    let asked = server.asked();
    assert_eq!(asked[0].header("traceparent"), Some(TRACEPARENT));
    assert!(
        asked[1..]
            .iter()
            .all(|asked| asked.header("traceparent").is_none())
    );
    let sent: Vec<uuid::Uuid> = asked
        .iter()
        .map(|asked| asked.header("client-request-id").unwrap().parse().unwrap())
        .collect();
    assert_eq!((sent[0], sent[1]), (id, id));
    assert_ne!(sent[2], sent[3]);
    assert_eq!(server.tokens(), 1, "clones share the token");
}
