//! Users and calendar events.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, at, online, segment, send};

const PROPERTY: &str = "String {11111111-2222-3333-4444-555555555555} Name Key";

#[tokio::test]
async fn users_are_found_by_id_and_by_name() {
    let desk = Desk::new().await;
    let all = desk.get("/users").await.with(200);
    assert_eq!(all["value"].as_array().unwrap().len(), 3);
    let by_id = desk.get(&desk.host("")).await.with(200);
    assert_eq!(by_id["userPrincipalName"], desk.env.graph_user_email);
    let name = desk.env.graph_user_email.to_uppercase().replace('@', "%40");
    let by_name = desk.get(&format!("/users/{name}")).await.with(200);
    assert_eq!(by_name["id"], desk.env.graph_user);
    desk.get("/users/nobody")
        .await
        .refused(404, "Request_ResourceNotFound");
    desk.get("/me").await.refused(400, "BadRequest");
    desk.get("/me/events").await.refused(400, "BadRequest");
}

#[tokio::test]
async fn an_online_event_has_a_meeting_that_lives_and_dies_with_it() {
    let desk = Desk::new().await;
    let (event, meeting) = desk.meeting().await;
    assert_eq!(event["isOnlineMeeting"], true);
    assert_eq!(event["onlineMeetingProvider"], "teamsForBusiness");
    assert_eq!(event["onlineMeetingUrl"], Value::Null);
    assert_eq!(event["subject"], "Visit");
    assert_eq!(
        event["organizer"]["emailAddress"]["address"],
        desk.env.graph_user_email
    );
    assert_eq!(event["onlineMeeting"]["joinUrl"], meeting["joinWebUrl"]);
    assert_eq!(meeting["subject"], "Visit");
    assert_eq!(meeting["startDateTime"], "2031-01-06T10:00:00Z");

    let path = desk.host(&format!("/events/{}", segment(&event["id"])));
    let body = json!({"end": at(12), "subject": "Longer visit"});
    let changed = desk.patch(&path, body).await.with(200);
    assert_eq!(changed["end"]["dateTime"], "2031-01-06T12:00:00.0000000");
    assert_ne!(changed["@odata.etag"], event["@odata.etag"]);
    let at_meeting = desk.host(&format!("/onlineMeetings/{}", segment(&meeting["id"])));
    let followed = desk.get(&at_meeting).await.with(200);
    assert_eq!(followed["endDateTime"], "2031-01-06T12:00:00Z");
    assert_eq!(followed["subject"], "Longer visit");

    desk.patch(&path, json!({"isOnlineMeeting": false}))
        .await
        .refused(400, "ErrorPropertyValidationFailure");
    assert_eq!(desk.delete(&path).await.status, 204);
    desk.get(&path).await.refused(404, "ErrorItemNotFound");
    desk.delete(&path).await.refused(404, "ErrorItemNotFound");
    desk.get(&at_meeting).await.refused(404, "NotFound");
}

#[tokio::test]
async fn an_event_goes_online_later_and_is_cancelled() {
    let desk = Desk::new().await;
    let body = json!({"subject": "Plain", "start": at(9), "end": at(10)});
    let plain = desk
        .post(&desk.host("/calendar/events"), body)
        .await
        .with(201);
    assert_eq!(plain["onlineMeeting"], Value::Null);
    assert!(plain.get("transactionId").is_none());
    let path = desk.host(&format!("/calendar/events/{}", segment(&plain["id"])));
    let turned = desk
        .patch(&path, json!({"isOnlineMeeting": true}))
        .await
        .with(200);
    assert!(turned["onlineMeeting"]["joinUrl"].is_string());
    let cancelled = desk
        .post(&format!("{path}/cancel"), json!({"Comment": "No."}))
        .await;
    assert_eq!(cancelled.status, 202);
    assert!(cancelled.bytes.is_empty());
    assert_eq!(desk.summary().await["meetings"], json!([]));
}

#[tokio::test]
async fn a_transaction_id_makes_one_event() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    let mut body = online("Once");
    body["transactionId"] = "t-1".into();
    let first = desk.post(&path, body.clone()).await.with(201);
    assert_eq!(first["transactionId"], "t-1");
    let second = desk.post(&path, body.clone()).await.with(201);
    assert_eq!(first["id"], second["id"]);
    let conflict = Some(json!({"conflict": true}));
    assert_eq!(
        desk.control(Method::POST, "repeats", conflict).await.status,
        204
    );
    desk.post(&path, body.clone())
        .await
        .refused(409, "ErrorDuplicateTransactionId");
    assert_eq!(desk.summary().await["createdEvents"], 1);
    // Another mailbox has its own keys.
    let users = desk.get("/users").await.with(200);
    let other = format!(
        "/users/{}/events",
        users["value"][1]["id"].as_str().unwrap()
    );
    let foreign = desk.post(&other, body.clone()).await.with(201);
    assert_ne!(foreign["id"], first["id"]);
    desk.get(&desk.host(&format!("/events/{}", segment(&foreign["id"]))))
        .await
        .refused(404, "ErrorItemNotFound");
    // Fixed afterwards, and free again with the event's end.
    let one = format!("{path}/{}", segment(&first["id"]));
    desk.patch(&one, json!({"transactionId": "t-2"}))
        .await
        .refused(400, "ErrorPropertyValidationFailure");
    desk.delete(&one).await;
    let again = desk.post(&path, body).await.with(201);
    assert_ne!(again["id"], first["id"]);
    let removed = &desk.summary().await["removed"];
    assert_eq!(removed[0]["transactionId"], "t-1");
    assert_eq!(removed[0]["id"], first["id"]);
}

#[tokio::test]
async fn events_are_found_by_their_extended_property() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    let property = |value: &str| json!([{"id": PROPERTY, "value": value}]);
    for value in ["one", "it's two", "one"] {
        let mut body = online(value);
        body["singleValueExtendedProperties"] = property(value);
        desk.post(&path, body).await.with(201);
    }
    let filter = |value: &str| {
        format!(
            "singleValueExtendedProperties/Any(ep: ep/id eq '{PROPERTY}' and ep/value eq '{value}')"
        )
    };
    let expand = format!("singleValueExtendedProperties($filter=id eq '{PROPERTY}')");
    let found = |value: &str| {
        let (filter, expand, path, desk) = (filter(value), expand.clone(), path.clone(), &desk);
        async move {
            let query = [("$filter", filter.as_str()), ("$expand", expand.as_str())];
            desk.find(&path, &query).await.with(200)["value"].clone()
        }
    };
    assert_eq!(found("one").await.as_array().unwrap().len(), 2);
    let two = found("it''s two").await;
    assert_eq!(two[0]["subject"], "it's two");
    assert_eq!(
        two[0]["singleValueExtendedProperties"],
        property("it's two")
    );
    assert_eq!(found("three").await, json!([]));
    // Hidden unless asked for, and only the one that is asked for.
    let one = format!("{path}/{}", segment(&two[0]["id"]));
    let plain = desk.get(&one).await.with(200);
    assert!(plain.get("singleValueExtendedProperties").is_none());
    let other = [(
        "$expand",
        "singleValueExtendedProperties($filter=id eq 'x')",
    )];
    let other = desk.find(&one, &other).await.with(200);
    assert_eq!(other["singleValueExtendedProperties"], json!([]));
    // A changed property is found by its new value, a removed event not at all.
    let body = json!({"singleValueExtendedProperties": property("three")});
    desk.patch(&one, body).await.with(200);
    assert_eq!(found("it''s two").await, json!([]));
    assert_eq!(found("three").await[0]["id"], two[0]["id"]);
    desk.delete(&one).await;
    assert_eq!(found("three").await, json!([]));
    for (name, wrong) in [
        ("$filter", "transactionId eq 'x'"),
        ("$filter", "singleValueExtendedProperties/Any("),
        ("$expand", "attachments"),
        ("$search", "x"),
        ("$top", "many"),
        ("$top", "1001"),
        ("$skip", "-1"),
    ] {
        let reply = desk.find(&path, &[(name, wrong)]).await;
        reply.refused(400, "BadRequest");
    }
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    for number in 0..25 {
        desk.online_event(&format!("{number}")).await;
    }
    let query = [("$select", "subject"), ("$count", "true"), ("$top", "10")];
    let mut page = desk.find(&path, &query).await.with(200);
    assert_eq!(page["@odata.count"], 25);
    let mut seen = Vec::new();
    loop {
        for event in page["value"].as_array().unwrap() {
            seen.push(event["subject"].as_str().unwrap().to_owned());
            assert!(event.get("start").is_none(), "not selected: {event}");
            assert!(event["id"].is_string() && event["@odata.etag"].is_string());
        }
        let Some(next) = page["@odata.nextLink"].as_str() else {
            break;
        };
        page = send(desk.http.get(next).bearer_auth(&desk.token))
            .await
            .with(200);
    }
    let wanted: Vec<String> = (0..25).map(|number| number.to_string()).collect();
    assert_eq!(seen, wanted);
    let newest = [("$orderby", "createdDateTime desc"), ("$top", "1")];
    let newest = desk.find(&path, &newest).await.with(200);
    assert_eq!(newest["value"][0]["subject"], "24");
}

#[tokio::test]
async fn times_are_told_in_the_zone_that_is_preferred() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    let body = json!({
        "subject": "Summer",
        "start": {"dateTime": "2031-07-01T14:00:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2031-07-01T13:00:00", "timeZone": "UTC"},
    });
    let event = desk.post(&path, body).await.with(201);
    assert_eq!(
        event["start"],
        json!({"dateTime": "2031-07-01T12:00:00.0000000", "timeZone": "UTC"})
    );
    assert_eq!(event["originalStartTimeZone"], "Europe/Berlin");
    let one = format!("{path}/{}", segment(&event["id"]));
    let prefer = |zone: &str| {
        desk.request(Method::GET, &one).header(
            "prefer",
            format!("outlook.timezone=\"{zone}\", outlook.body-content-type=\"text\""),
        )
    };
    let told = send(prefer("America/New_York")).await;
    let start = &told.with(200)["start"];
    assert_eq!(
        *start,
        json!({"dateTime": "2031-07-01T08:00:00.0000000", "timeZone": "America/New_York"})
    );
    assert_eq!(
        told.header("preference-applied"),
        "outlook.timezone=\"America/New_York\""
    );
    send(prefer("Moon/Base"))
        .await
        .refused(400, "TimeZoneNotSupportedException");
}

#[tokio::test]
async fn wrong_events_are_refused_and_leave_nothing() {
    let desk = Desk::new().await;
    let path = desk.host("/events");
    let with = |name: &str, value: Value| {
        let mut body = online("x");
        body[name] = value;
        body
    };
    let validation = "ErrorPropertyValidationFailure";
    for (body, status, code) in [
        (with("end", at(9)), 400, validation),
        (with("end", Value::Null), 400, validation),
        (with("start", json!({})), 400, validation),
        (
            with("start", json!({"dateTime": "tomorrow"})),
            400,
            validation,
        ),
        (with("start", json!("2031-01-06")), 400, "BadRequest"),
        (
            with(
                "start",
                json!({"dateTime": "2031-01-06T10:00:00", "timeZone": "X"}),
            ),
            400,
            "TimeZoneNotSupportedException",
        ),
        (with("subject", json!(1)), 400, "BadRequest"),
        (with("showAs", json!("lazy")), 400, "BadRequest"),
        (with("nonsense", json!(1)), 400, "BadRequest"),
        (with("isOnlineMeeting", json!("yes")), 400, "BadRequest"),
        (
            with("onlineMeetingProvider", json!("skypeForBusiness")),
            400,
            validation,
        ),
        (
            with("singleValueExtendedProperties", json!([{"id": "x"}])),
            400,
            "BadRequest",
        ),
        (with("recurrence", json!({"pattern": {}})), 400, validation),
    ] {
        let reply = desk.post(&path, body.clone()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (status, code),
            "{body}"
        );
    }
    desk.post("/users/nobody/events", online("x"))
        .await
        .refused(404, "Request_ResourceNotFound");
    assert_eq!(desk.summary().await["createdEvents"], 0);
}

#[tokio::test]
async fn if_match_guards_against_lost_changes() {
    let desk = Desk::new().await;
    let event = desk.online_event("Tagged").await;
    let path = desk.host(&format!("/events/{}", segment(&event["id"])));
    let patch = |tag: &str| {
        let request = desk.request(Method::PATCH, &path).header("if-match", tag);
        request.json(&json!({"subject": "Changed"}))
    };
    let tag = event["@odata.etag"].as_str().unwrap();
    send(patch(tag)).await.with(200);
    send(patch(tag))
        .await
        .refused(412, "ErrorIrresolvableConflict");
    send(patch("*")).await.with(200);
}
