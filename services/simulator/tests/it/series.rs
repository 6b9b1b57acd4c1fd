//! Series, calendar views, free and busy.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, send};

fn zoned(day: &str, time: &str, zone: &str) -> Value {
    json!({"dateTime": format!("{day}T{time}:00"), "timeZone": zone})
}

/// Mondays at nine in Berlin, in both namings, over the change to summer time on 2031-03-30.
fn weekly(zone: &str) -> Value {
    json!({
        "subject": "Weekly",
        "start": zoned("2031-03-17", "09:00", zone),
        "end": zoned("2031-03-17", "09:30", zone),
        "isOnlineMeeting": true,
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
            "range": {"type": "numbered", "startDate": "2031-03-17", "numberOfOccurrences": 4},
        },
    })
}

async fn view(desk: &Desk, path: &str) -> Vec<Value> {
    let window = [
        ("startDateTime", "2031-03-01T00:00:00"),
        ("endDateTime", "2031-05-01T00:00:00Z"),
    ];
    let found = desk.find(&desk.host(path), &window).await.with(200);
    found["value"].as_array().unwrap().clone()
}

fn starts(events: &[Value]) -> Vec<&str> {
    let start = events.iter().map(|event| &event["start"]["dateTime"]);
    start.map(|text| &text.as_str().unwrap()[..16]).collect()
}

#[tokio::test]
async fn a_series_keeps_its_wall_clock_time() {
    for zone in ["Europe/Berlin", "W. Europe Standard Time"] {
        let desk = Desk::new().await;
        let made = desk
            .post(&desk.host("/events"), weekly(zone))
            .await
            .with(201);
        assert_eq!(made["type"], "seriesMaster");
        assert_eq!(made["originalStartTimeZone"], zone);
        assert_eq!(made["recurrence"]["range"]["recurrenceTimeZone"], zone);
        let found = view(&desk, "/calendarView").await;
        let wanted = [
            "2031-03-17T08:00",
            "2031-03-24T08:00",
            "2031-03-31T07:00",
            "2031-04-07T07:00",
        ];
        assert_eq!(starts(&found), wanted, "{zone}");
        for one in &found {
            assert_eq!(one["type"], "occurrence");
            assert_eq!(one["seriesMasterId"], made["id"]);
            assert_eq!(one["onlineMeeting"], made["onlineMeeting"]);
        }
        let instances = format!("/events/{}/instances", made["id"].as_str().unwrap());
        assert_eq!(view(&desk, &instances).await, found);
        let listed = desk.get(&desk.host("/events")).await.with(200);
        assert_eq!(listed["value"].as_array().unwrap().len(), 1);
        let request = desk.request(Method::GET, &desk.host("/calendarView"));
        let request = request
            .query(&[
                ("startDateTime", "2031-03-31T00:00:00"),
                ("endDateTime", "2031-04-01T00:00:00"),
            ])
            .header("Prefer", format!("outlook.timezone=\"{zone}\""));
        let local = send(request).await;
        assert_eq!(
            local.header("preference-applied"),
            format!("outlook.timezone=\"{zone}\"")
        );
        let local = local.with(200);
        assert_eq!(
            local["value"][0]["start"],
            json!({"dateTime": "2031-03-31T09:00:00.0000000", "timeZone": zone})
        );
    }
}

#[tokio::test]
async fn one_time_of_a_series_may_differ_or_be_left_out() {
    let desk = Desk::new().await;
    let made = desk
        .post(&desk.host("/events"), weekly("UTC"))
        .await
        .with(201);
    let found = view(&desk, "/calendarView").await;
    let path = |one: &Value| desk.host(&format!("/events/{}", one["id"].as_str().unwrap()));
    let body = json!({
        "subject": "Later",
        "start": zoned("2031-03-25", "14:00", "UTC"),
        "end": zoned("2031-03-25", "15:00", "UTC"),
    });
    let changed = desk.patch(&path(&found[1]), body).await.with(200);
    assert_eq!(changed["type"], "exception");
    assert_ne!(changed["@odata.etag"], found[1]["@odata.etag"]);
    desk.delete(&path(&found[2])).await.with(204);
    desk.get(&path(&found[2]))
        .await
        .refused(404, "ErrorItemNotFound");
    let left = view(&desk, "/calendarView").await;
    assert_eq!(
        starts(&left),
        ["2031-03-17T09:00", "2031-03-25T14:00", "2031-04-07T09:00"]
    );
    assert_eq!(left[1]["subject"], "Later");
    assert_eq!(left[0]["subject"], "Weekly");
    let series = desk
        .patch(&path(&found[0]), json!({"recurrence": made["recurrence"]}))
        .await;
    series.refused(400, "ErrorPropertyValidationFailure");
    // The series moves as a whole, and differences are gone.
    let body = json!({"start": zoned("2031-03-18", "10:00", "UTC"), "end": zoned("2031-03-18", "10:30", "UTC"), "recurrence": {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "endDate", "startDate": "2031-03-18", "endDate": "2031-03-19"},
    }});
    desk.patch(&path(&made), body).await.with(200);
    assert_eq!(
        starts(&view(&desk, "/calendarView").await),
        ["2031-03-18T10:00", "2031-03-19T10:00"]
    );
    let once = desk
        .patch(&path(&made), json!({"recurrence": null}))
        .await
        .with(200);
    assert_eq!(once["type"], "singleInstance");
}

#[tokio::test]
async fn windows_and_series_that_make_no_sense_are_refused() {
    let desk = Desk::new().await;
    let path = desk.host("/calendarView");
    for window in [
        vec![],
        vec![("startDateTime", "2031-01-01T00:00:00")],
        vec![
            ("startDateTime", "soon"),
            ("endDateTime", "2031-01-01T00:00:00"),
        ],
        vec![
            ("startDateTime", "2031-01-02"),
            ("endDateTime", "2031-01-01"),
        ],
        vec![
            ("startDateTime", "2031-01-02"),
            ("endDateTime", "2041-01-01"),
        ],
    ] {
        desk.find(&path, &window)
            .await
            .refused(400, "ErrorInvalidParameter");
    }
    let mut body = weekly("UTC");
    body["recurrence"]["range"]["startDate"] = "2031-03-18".into();
    let refused = desk.post(&desk.host("/events"), body).await;
    refused.refused(400, "ErrorPropertyValidationFailure");
    let mut body = weekly("UTC");
    body["recurrence"]["range"]["recurrenceTimeZone"] = "Middle Earth Time".into();
    let refused = desk.post(&desk.host("/events"), body).await;
    refused.refused(400, "TimeZoneNotSupportedException");
}

#[tokio::test]
async fn pages_of_a_view_hang_together() {
    let desk = Desk::new().await;
    desk.post(&desk.host("/events"), weekly("UTC"))
        .await
        .with(201);
    let path = format!(
        "{}?startDateTime=2031-03-01T00:00:00%2B01:00&endDateTime=2031-05-01T00:00:00Z&$top=3",
        desk.host("/calendarView")
    );
    let first = desk.get(&path).await.with(200);
    assert_eq!(first["value"].as_array().unwrap().len(), 3);
    let next = first["@odata.nextLink"].as_str().unwrap();
    let rest = send(desk.http.get(next).bearer_auth(&desk.token))
        .await
        .with(200);
    assert_eq!(rest["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn schedules_tell_free_and_busy() {
    let desk = Desk::new().await;
    for (hour, status) in [(9, "tentative"), (10, "busy"), (11, "oof"), (12, "free")] {
        let body = json!({
            "subject": status, "showAs": status,
            "start": zoned("2031-01-06", &format!("{hour:02}:00"), "UTC"),
            "end": zoned("2031-01-06", &format!("{hour:02}:30"), "UTC"),
        });
        desk.post(&desk.host("/events"), body).await.with(201);
    }
    let ask = |names: Value| {
        json!({
            "Schedules": names,
            "startTime": zoned("2031-01-06", "09:00", "UTC"),
            "endTime": zoned("2031-01-06", "13:00", "UTC"),
            "availabilityViewInterval": 30,
        })
    };
    let path = desk.host("/calendar/getSchedule");
    let names = json!([desk.env.graph_user_email, "nobody@sim.example"]);
    let found = desk.post(&path, ask(names)).await.with(200);
    let [mine, other] = [&found["value"][0], &found["value"][1]];
    assert_eq!(mine["availabilityView"], "10203000");
    assert_eq!(mine["scheduleItems"].as_array().unwrap().len(), 4);
    assert_eq!(mine["scheduleItems"][1]["status"], "busy");
    assert_eq!(other["error"]["responseCode"], "ErrorMailRecipientNotFound");
    for (name, value) in [
        ("Schedules", json!([])),
        ("endTime", json!(null)),
        ("endTime", zoned("2031-01-06", "08:00", "UTC")),
        ("availabilityViewInterval", json!(4)),
    ] {
        let mut body = ask(json!(["a"]));
        body[name] = value;
        let refused = desk.post(&path, body).await;
        refused.refused(400, "ErrorInvalidParameter");
    }
}

#[tokio::test]
async fn meeting_times_are_those_when_most_can_come() {
    let desk = Desk::new().await;
    let users = desk.get("/users").await.with(200);
    let colleague = users["value"][1]["userPrincipalName"].clone();
    let busy = json!({
        "start": zoned("2031-01-06", "09:00", "UTC"),
        "end": zoned("2031-01-06", "10:00", "UTC"),
    });
    let theirs = format!("/users/{}/events", colleague.as_str().unwrap());
    desk.post(&theirs, busy).await.with(201);
    let ask = |attendees: Value| {
        let person = |address: &Value| json!({"emailAddress": {"address": address}});
        let attendees: Vec<_> = attendees.as_array().unwrap().iter().map(person).collect();
        json!({
            "attendees": attendees,
            "meetingDuration": "PT1H",
            "returnSuggestionReasons": true,
            "timeConstraint": {"activityDomain": "work", "timeSlots": [{
                "start": zoned("2031-01-06", "07:00", "UTC"),
                "end": zoned("2031-01-06", "11:00", "UTC"),
            }]},
        })
    };
    let path = desk.host("/findMeetingTimes");
    let found = desk.post(&path, ask(json!([colleague]))).await.with(200);
    let found = found["meetingTimeSuggestions"].as_array().unwrap();
    let slots: Vec<_> = found
        .iter()
        .map(|one| &one["meetingTimeSlot"]["start"]["dateTime"])
        .collect();
    assert_eq!(
        slots,
        ["2031-01-06T08:00:00.0000000", "2031-01-06T10:00:00.0000000"]
    );
    assert_eq!(found[0]["confidence"], 100.0);
    assert_eq!(found[0]["attendeeAvailability"][0]["availability"], "free");
    // Nothing is known of strangers: 49 is less than the half that is wanted.
    let stranger = desk
        .post(&path, ask(json!(["x@example.com"])))
        .await
        .with(200);
    assert_eq!(stranger["emptySuggestionsReason"], "AttendeesUnavailable");
    let mut body = ask(json!(["x@example.com", colleague]));
    body["minimumAttendeePercentage"] = 70.into();
    let both = desk.post(&path, body).await.with(200);
    assert_eq!(both["meetingTimeSuggestions"][0]["confidence"], 74.5);
}

#[tokio::test]
async fn each_user_has_one_calendar() {
    let desk = Desk::new().await;
    let only = desk.get(&desk.host("/calendar")).await.with(200);
    assert_eq!(
        only["allowedOnlineMeetingProviders"],
        json!(["teamsForBusiness"])
    );
    let all = desk.get(&desk.host("/calendars")).await.with(200);
    assert_eq!(all["value"][0]["id"], only["id"]);
    let path = desk.host(&format!("/calendars/{}", only["id"].as_str().unwrap()));
    desk.get(&path).await.with(200);
    desk.get(&desk.host("/calendars/x"))
        .await
        .refused(404, "ErrorItemNotFound");
}
