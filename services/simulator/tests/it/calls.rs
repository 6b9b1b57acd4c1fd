//! Calls of the application, their operations, and the beta lobby.

use serde_json::{Value, json};

use crate::desk::{Desk, join};

#[tokio::test]
async fn a_call_is_established_kept_and_ended() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let reply = desk.post("/communications/calls", join(&meeting)).await;
    let call = reply.with(201);
    assert_eq!(call["state"], "establishing");
    assert_eq!(call["direction"], "outgoing");
    let path = format!("/communications/calls/{}", call["id"].as_str().unwrap());
    assert_eq!(
        reply.header("location"),
        format!("{}{path}", desk.env.graph_base)
    );
    desk.advance(60).await;
    assert_eq!(desk.get(&path).await.with(200)["state"], "established");

    let kept = desk.post(&format!("{path}/keepAlive"), json!({})).await;
    assert_eq!(kept.status, 200);
    assert_eq!(kept.header("content-type"), "", "an empty 200 is not JSON");
    assert_eq!(desk.summary().await["meetings"][0]["calls"], 1);
    assert_eq!(desk.delete(&path).await.status, 204);
    desk.get(&path).await.refused(404, "NotFound");
    desk.delete(&path).await.refused(404, "NotFound");
    desk.post(&format!("{path}/keepAlive"), json!({}))
        .await
        .refused(404, "NotFound");
    assert_eq!(desk.summary().await["meetings"][0]["calls"], 0);
}

#[tokio::test]
async fn a_meeting_is_joined_by_digits_and_passcode() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let settings = &meeting["joinMeetingIdSettings"];
    let body = |digits: &Value, passcode: &Value| {
        json!({
            "callbackUri": "https://example.com/calls",
            "meetingInfo": {
                "@odata.type": "#microsoft.graph.joinMeetingIdMeetingInfo",
                "joinMeetingId": digits,
                "passcode": passcode,
            },
        })
    };
    let path = "/communications/calls";
    let digits = &settings["joinMeetingId"];
    desk.post(path, body(digits, &settings["passcode"]))
        .await
        .with(201);
    desk.post(path, body(digits, &json!("wrong")))
        .await
        .refused(404, "NotFound");
    desk.post(path, body(digits, &Value::Null))
        .await
        .refused(404, "NotFound");
    desk.post(path, body(&json!("000"), &Value::Null))
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn wrong_calls_are_refused() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let with = |name: &str, value: Value| {
        let mut body = join(&meeting);
        body[name] = value;
        body
    };
    for (body, status, code) in [
        (with("callbackUri", Value::Null), 400, "BadRequest"),
        (with("callbackUri", json!("ftp://x")), 400, "BadRequest"),
        (with("callbackUri", json!("no uri")), 400, "BadRequest"),
        (
            with("requestedModalities", json!(["smell"])),
            400,
            "BadRequest",
        ),
        (with("meetingInfo", Value::Null), 400, "BadRequest"),
        (with("meetingInfo", json!({})), 400, "BadRequest"),
        (
            with("meetingInfo", json!({"@odata.type": "x"})),
            400,
            "BadRequest",
        ),
        (
            with(
                "meetingInfo",
                json!({"@odata.type": "#microsoft.graph.tokenMeetingInfo"}),
            ),
            501,
            "NotImplemented",
        ),
        (with("chatInfo", Value::Null), 400, "BadRequest"),
        (
            with("chatInfo", json!({"threadId": "19:x@thread.v2"})),
            404,
            "NotFound",
        ),
        (
            json!({"callbackUri": "https://x", "targets": []}),
            501,
            "NotImplemented",
        ),
        (json!({}), 400, "BadRequest"),
    ] {
        let reply = desk.post("/communications/calls", body.clone()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (status, code),
            "{body}"
        );
    }
    let path = desk.call_into(&meeting).await;
    let long = json!({"clientContext": "x".repeat(257)});
    desk.post(&format!("/beta{path}/stopRecording"), long)
        .await
        .refused(400, "BadRequest");
    // In beta only, and not there yet.
    desk.post(&format!("{path}/startRecording"), json!({}))
        .await
        .refused(501, "NotImplemented");
    desk.post(&format!("{path}/mute"), json!({}))
        .await
        .refused(501, "NotImplemented");
}

#[tokio::test]
async fn recording_tells_how_it_went() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let call = desk.call_into(&meeting).await;
    let ended = |operation: &Value| {
        let status = operation["status"].as_str().unwrap().to_owned();
        (status, operation["resultInfo"]["subcode"].as_u64().unwrap())
    };
    let nobody = desk.act(&call, "startRecording").await;
    assert_eq!(ended(&nobody), ("failed".to_owned(), 8_536));
    desk.comes(&meeting, "organizer").await;
    let begun = desk.act(&call, "startRecording").await;
    assert_eq!(ended(&begun), ("completed".to_owned(), 0));
    assert_eq!(
        begun["@odata.type"],
        "#microsoft.graph.startRecordingOperation"
    );
    let twice = desk.act(&call, "startRecording").await;
    assert_eq!(ended(&twice), ("failed".to_owned(), 8_534));
    assert_eq!(status_in_roster(&desk, &call).await, "recording");
    let stopped = desk.act(&call, "stopRecording").await;
    assert_eq!(stopped["status"], "completed");
    assert_eq!(status_in_roster(&desk, &call).await, "notRecording");
    let again = desk.act(&call, "stopRecording").await;
    assert_eq!(ended(&again), ("failed".to_owned(), 8_535));
    let all = desk.get(&format!("{call}/operations")).await.with(200);
    assert_eq!(all["value"].as_array().unwrap().len(), 5);

    let echoed = json!({"clientContext": "mine"});
    let echoed = desk
        .post(&format!("/beta{call}/stopRecording"), echoed)
        .await;
    let operation = echoed.with(202);
    assert_eq!(operation["clientContext"], "mine");
    let place = format!(
        "/beta{call}/operations/{}",
        operation["id"].as_str().unwrap()
    );
    assert!(echoed.header("location").ends_with(&place));
    desk.get(&format!("{call}/operations/none"))
        .await
        .refused(404, "NotFound");
}

async fn status_in_roster(desk: &Desk, call: &str) -> String {
    let roster = desk.get(&format!("{call}/participants")).await.with(200);
    let people = roster["value"].as_array().unwrap();
    let status = people
        .iter()
        .find_map(|one| one["recordingInfo"]["recordingStatus"].as_str());
    status.unwrap().to_owned()
}

#[tokio::test]
async fn the_lobby_is_emptied_one_by_one_or_at_once() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let call = desk.call_into(&meeting).await;
    let mut guests = Vec::new();
    for _ in 0..4 {
        let guest = desk.comes(&meeting, "guest").await;
        assert_eq!(guest["presence"], "inLobby");
        guests.push(guest["id"].as_str().unwrap().to_owned());
    }
    let roster = desk.get(&format!("{call}/participants")).await.with(200);
    assert_eq!(
        roster["value"].as_array().unwrap().len(),
        5,
        "guests and the application"
    );
    assert_eq!(roster["value"][0]["isInLobby"], true);
    let first = format!("participants/{}", guests[0]);
    let admitted = desk.act(&call, &format!("{first}/admitFromLobby")).await;
    assert_eq!(admitted["status"], "completed");
    let one = desk.get(&format!("{call}/{first}")).await.with(200);
    assert_eq!(one["isInLobby"], false);
    let twice = desk.act(&call, &format!("{first}/admitFromLobby")).await;
    assert_eq!(twice["status"], "failed");

    let second = format!("participants/{}", guests[1]);
    let removed = desk.act(&call, &format!("{second}/removeFromLobby")).await;
    assert_eq!(removed["status"], "completed");
    desk.get(&format!("{call}/{second}"))
        .await
        .refused(404, "NotFound");
    let gone = desk
        .post(&format!("/beta{call}/{second}/admitFromLobby"), json!({}))
        .await;
    gone.refused(404, "NotFound");

    let rest = desk.act(&call, "participants/admitAllFromLobby").await;
    assert_eq!(
        rest["@odata.type"],
        "#microsoft.graph.admitAllFromLobbyOperation"
    );
    let attendees = desk.summary().await["meetings"][0]["attendees"].clone();
    let places: Vec<_> = attendees
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["presence"].as_str().unwrap())
        .collect();
    assert_eq!(places, ["inMeeting", "left", "inMeeting", "inMeeting"]);
    assert_eq!(desk.delete(&format!("{call}/{first}")).await.status, 204);
    desk.delete(&format!("{call}/{first}"))
        .await
        .refused(404, "NotFound");
}
