//! Events and online meetings.

use reqwest::Method;
use serde_json::json;

use crate::cloud::{Cloud, answered, online};

#[tokio::test]
async fn a_repeated_transaction_is_one_event() {
    let cloud = Cloud::new().await;
    let first = cloud.event("t1").await;
    assert_eq!(cloud.event("t1").await["id"], first["id"]);
    cloud
        .control(Method::POST, "repeats", json!({"conflict": true}))
        .await;
    let (status, _) = cloud
        .send(Method::POST, &cloud.events(), online("t1"))
        .await;
    assert_eq!(status, 409);
    let (_, world) = cloud.control(Method::GET, "meetings", json!(null)).await;
    assert_eq!(world["createdEvents"], 1);

    let found = |value: &str| {
        let filter = format!(
            "singleValueExtendedProperties/Any(ep: ep/id eq 'String {{x}} Name K' and ep/value eq '{value}')"
        );
        let request = cloud.graph(Method::GET, &cloud.events());
        async move { answered(request.query(&[("$filter", filter)])).await.1["value"].clone() }
    };
    assert_eq!(found("t1").await.as_array().unwrap().len(), 1);
    assert_eq!(found("t2").await, json!([]));
}

#[tokio::test]
async fn an_event_has_a_meeting_and_takes_it_along() {
    let cloud = Cloud::new().await;
    let event = cloud.event("t").await;
    assert_eq!(event["start"]["dateTime"], "2031-01-01T10:00:00.0000000");
    assert_eq!(
        event["onlineMeetingUrl"],
        json!(null),
        "the old field stays null"
    );
    let meeting = cloud.meeting(&event).await;
    assert_eq!(meeting["lobbyBypassSettings"]["scope"], "organization");
    let path = format!("{}/{}", cloud.meetings(), escaped(&meeting));
    let options = json!({"lobbyBypassSettings": {"scope": "everyone"}});
    let (_, patched) = cloud.send(Method::PATCH, &path, options).await;
    assert_eq!(
        patched["lobbyBypassSettings"],
        json!({"scope": "everyone", "isDialInBypassEnabled": false}),
        "nested settings merge"
    );
    for wrong in [
        json!({"lobbyBypassSettings": {"scope": "nobody"}}),
        json!({"startDateTime": "2031-01-01T10:00:00Z"}),
        json!({"joinMeetingIdSettings": {"isPasscodeRequired": false}}),
    ] {
        let (status, body) = cloud.send(Method::PATCH, &path, wrong).await;
        assert_eq!(
            (status, body["error"]["code"].as_str().unwrap()),
            (400, "BadRequest")
        );
    }
    let event_path = format!(
        "{}/{}",
        cloud.events(),
        event["id"].as_str().unwrap().replace('=', "%3D")
    );
    let removed = cloud
        .graph(Method::DELETE, &event_path)
        .send()
        .await
        .unwrap();
    assert_eq!(removed.status(), 204);
    assert_eq!(cloud.get(&path).await.0, 404);
    assert_eq!(
        cloud.get(&event_path).await.1["error"]["code"],
        "ErrorItemNotFound"
    );
}

fn escaped(meeting: &serde_json::Value) -> String {
    let id = meeting["id"].as_str().unwrap();
    id.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

#[tokio::test]
async fn stand_alone_meetings_are_created_or_got() {
    let cloud = Cloud::new().await;
    let path = format!("{}/createOrGet", cloud.meetings());
    let body = json!({"externalId": "e1", "subject": "x"});
    let (status, made) = cloud.send(Method::POST, &path, body.clone()).await;
    assert_eq!(status, 201);
    let (status, got) = cloud.send(Method::POST, &path, body).await;
    assert_eq!((status, &got["id"]), (200, &made["id"]));
    assert_eq!(cloud.send(Method::POST, &path, json!({})).await.0, 400);
    let recordings = format!("{}/{}/recordings", cloud.meetings(), escaped(&made));
    let (status, body) = cloud.get(&recordings).await;
    assert_eq!(status, 400);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("No iCalUid found")
    );
}

#[tokio::test]
async fn the_access_policy_and_me_refuse_as_they_really_do() {
    let cloud = Cloud::new().await;
    let path = format!("/users/{}/onlineMeetings", cloud.env.graph_denied_user);
    let (status, body) = cloud.send(Method::POST, &path, json!({})).await;
    assert_eq!(status, 403);
    assert_eq!(
        body["error"]["message"],
        "No application access policy found for this app"
    );
    assert_eq!(cloud.get("/me/events").await.0, 400);
    assert_eq!(
        cloud.get("/users/nobody").await.1["error"]["code"],
        "Request_ResourceNotFound"
    );
    assert_eq!(
        cloud.get("/sites").await.0,
        501,
        "what is not there says so"
    );
}

#[tokio::test]
async fn garbage_is_refused_and_breaks_nothing() {
    let cloud = Cloud::new().await;
    let mut wrong = vec![
        json!([]),
        json!(1),
        json!({}),
        json!({"start": 1, "end": 2}),
    ];
    let mut event = online("g");
    event["end"]["dateTime"] = json!("2030-01-01T00:00:00");
    wrong.push(event.clone());
    event["end"]["dateTime"] = json!("soon");
    wrong.push(event.clone());
    event["end"] = json!({"dateTime": "2031-01-01T11:00:00", "timeZone": "Middle Earth"});
    wrong.push(event);
    for body in wrong {
        let (status, answer) = cloud
            .send(Method::POST, &cloud.events(), body.clone())
            .await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"]["code"].is_string());
    }
    let huge = cloud
        .graph(Method::POST, &cloud.events())
        .body(vec![b'x'; 1_100_000]);
    assert_eq!(huge.send().await.unwrap().status(), 413);
    let raw = cloud.graph(Method::POST, &cloud.events()).body("{");
    assert_eq!(raw.send().await.unwrap().status(), 400);
    let (_, page) = cloud.get(&format!("{}?$top=x", cloud.events())).await;
    assert_eq!(page["error"]["code"], "BadRequest");
    for n in 0..12 {
        cloud.event(&format!("p{n}")).await;
    }
    let (_, page) = cloud.get(&cloud.events()).await;
    assert_eq!(page["value"].as_array().unwrap().len(), 10);
    let next = page["@odata.nextLink"].as_str().unwrap();
    let (_, rest) = answered(cloud.http.get(next).bearer_auth(&cloud.token)).await;
    assert_eq!(rest["value"].as_array().unwrap().len(), 2);
}
