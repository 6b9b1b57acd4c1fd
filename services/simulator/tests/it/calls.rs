//! Calls, people, and recordings with real bytes.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::cloud::Cloud;

async fn until(cloud: &Cloud, path: &str, pointer: &str, wanted: &str) -> Value {
    loop {
        let (_, seen) = cloud.get(path).await;
        if seen.pointer(pointer).and_then(Value::as_str) == Some(wanted) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_recording_is_what_happened_between_start_and_stop() {
    let cloud = Cloud::new().await;
    let event = cloud.event("t").await;
    let meeting = cloud.meeting(&event).await;
    let join_url = meeting["joinWebUrl"].as_str().unwrap();
    let person = json!({"joinWebUrl": join_url, "kind": "guest"});
    let (_, guest) = cloud
        .control(Method::POST, "meetings/join", person.clone())
        .await;
    assert_eq!(
        guest["presence"], "inLobby",
        "scope organization keeps guests in the lobby"
    );
    let admit = format!("attendees/{}/admit", guest["id"].as_str().unwrap());
    let (_, guest) = cloud.control(Method::POST, &admit, json!(null)).await;
    assert_eq!(guest["presence"], "inMeeting");

    let digits = &meeting["joinMeetingIdSettings"];
    let mut join = json!({
        "callbackUri": "https://callback.invalid", "requestedModalities": ["audio"],
        "meetingInfo": {"@odata.type": "#microsoft.graph.joinMeetingIdMeetingInfo", "joinMeetingId": digits["joinMeetingId"], "passcode": digits["passcode"]},
    });
    let (status, call) = cloud
        .send(Method::POST, "/communications/calls", join.clone())
        .await;
    assert_eq!(
        (status, call["state"].as_str().unwrap()),
        (201, "establishing")
    );
    join["meetingInfo"]["passcode"] = json!("wrong!");
    assert_eq!(
        cloud
            .send(Method::POST, "/communications/calls", join)
            .await
            .0,
        404
    );
    let path = format!("/communications/calls/{}", call["id"].as_str().unwrap());
    until(&cloud, &path, "/state", "established").await;

    let (status, operation) = cloud.beta(&format!("{path}/startRecording")).await;
    assert_eq!(
        (status, operation["status"].as_str().unwrap()),
        (202, "running")
    );
    let operations = format!("{path}/operations/{}", operation["id"].as_str().unwrap());
    until(&cloud, &operations, "/status", "completed").await;
    let (_, twice) = cloud.beta(&format!("{path}/startRecording")).await;
    let operations = format!("{path}/operations/{}", twice["id"].as_str().unwrap());
    let failed = until(&cloud, &operations, "/status", "failed").await;
    assert_eq!(failed["resultInfo"]["subcode"], 8534);
    cloud.beta(&format!("{path}/stopRecording")).await;

    let id = meeting["id"].as_str().unwrap().replace('=', "%3D");
    let recordings = format!("{}/{id}/recordings", cloud.meetings());
    let listed = loop {
        let (_, listed) = cloud.get(&recordings).await;
        if listed["value"].as_array().unwrap().len() == 1 {
            break listed;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(listed["value"][0]["callId"], call["id"]);
    let url = listed["value"][0]["recordingContentUrl"].as_str().unwrap();
    let fetch = || async {
        let answer = cloud
            .http
            .get(url)
            .bearer_auth(&cloud.token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["content-type"], "video/mp4");
        answer.bytes().await.unwrap()
    };
    let bytes = fetch().await;
    assert_eq!(&bytes[4..8], b"ftyp");
    assert_eq!(bytes, fetch().await, "the same bytes at every fetch");

    let gone = cloud.graph(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert_eq!(cloud.get(&path).await.0, 404);
}
