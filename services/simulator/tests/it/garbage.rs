//! Garbage on every input: an answer of the 4xx kind, nothing stored, and the simulator lives on.

use reqwest::Method;
use serde_json::{Value, json};

use crate::desk::{Desk, segment, send};

fn bodies() -> Vec<Vec<u8>> {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let mut bodies: Vec<Vec<u8>> = [
        "{",
        "[]",
        "null",
        "1",
        "\"text\"",
        "{\"a\"}",
        "\u{0}",
        "{\"start\":{\"dateTime\":{}}}",
        "{\"externalId\":[]}",
        "{\"callbackUri\":{}}",
        "{\"participants\":[[]]}",
        "{\"lobbyBypassSettings\":{\"scope\":7}}",
        "{\"singleValueExtendedProperties\":{}}",
        "{\"clientContext\":{}}",
        "{\"Comment\":[]}",
        "{\"startDateTime\":\"9999999-01-01T00:00:00Z\"}",
        "{\"start\":{\"dateTime\":\"9999-99-99T00:00:00\"}}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    bodies.push(deep.into_bytes());
    bodies.push(vec![0xff, 0xfe, 0x00]);
    bodies.push(b"{\"subject\":\"\\ud800\"}".to_vec());
    bodies
}

#[tokio::test]
async fn garbage_in_bodies_is_refused() {
    let desk = Desk::new().await;
    let (event, meeting) = desk.meeting().await;
    let call = desk.call_into(&meeting).await;
    let before = desk.summary().await;
    let event = desk.host(&format!("/events/{}", segment(&event["id"])));
    let meeting = desk.host(&format!("/onlineMeetings/{}", segment(&meeting["id"])));
    let targets = [
        (Method::POST, desk.host("/events")),
        (Method::PATCH, event.clone()),
        (Method::POST, format!("{event}/cancel")),
        (Method::POST, desk.host("/onlineMeetings")),
        (Method::POST, desk.host("/onlineMeetings/createOrGet")),
        (Method::PATCH, meeting),
        (Method::POST, "/communications/calls".to_owned()),
        (Method::POST, format!("/beta{call}/startRecording")),
        (
            Method::POST,
            format!("/beta{call}/participants/admitAllFromLobby"),
        ),
    ];
    // Unreadable JSON is refused everywhere.
    for (method, path) in &targets {
        for body in ["{", "[]", "null", "1", "\"text\""] {
            let request = desk.request(method.clone(), path).body(body);
            let reply = send(request).await;
            reply.refused(400, "BadRequest");
        }
    }
    assert_eq!(desk.summary().await, before);
    // Anything else is refused or understood, but never breaks.
    for (method, path) in &targets {
        for body in bodies() {
            let reply = send(desk.request(method.clone(), path).body(body)).await;
            assert!(reply.status.as_u16() < 500, "{path}: {}", reply.status);
        }
    }
    desk.get("/users").await.with(200);
}

#[tokio::test]
async fn garbage_in_paths_and_queries_is_refused() {
    let desk = Desk::new().await;
    let (_, meeting) = desk.meeting().await;
    let user = &desk.env.graph_user;
    let good = segment(&meeting["id"]);
    for path in [
        "/users/%ff%fe".to_owned(),
        "/users/%00".to_owned(),
        "/users/()".to_owned(),
        "/users('')".to_owned(),
        format!("/users/{user}/events/%2e%2e%2f"),
        format!("/users/{user}/events/{}", "x".repeat(4_000)),
        format!("/users/{user}/events?$top=%ff"),
        format!("/users/{user}/events?$filter=%27"),
        format!("/users/{user}/events?$skip=99999999999999999999999"),
        format!("/users/{user}/onlineMeetings?$filter=JoinWebUrl%20eq%20%27"),
        format!("/users/{user}/onlineMeetings/{good}/recordings/%20"),
        "/communications/calls/%f0%9f%92%a9".to_owned(),
        "/communications/calls/x/operations/y".to_owned(),
        "//".to_owned(),
    ] {
        let reply = desk.get(&path).await;
        let status = reply.status.as_u16();
        assert!((400..500).contains(&status), "{path}: {status}");
        assert!(reply.json()["error"]["code"].is_string(), "{path}");
    }
    desk.get("/users(')").await.refused(501, "NotImplemented");
    let far = [("$skip", "18446744073709551615"), ("$top", "1000")];
    let far = desk.find(&desk.host("/events"), &far).await.with(200);
    assert_eq!(far["value"], json!([]));
}

#[tokio::test]
async fn garbage_for_the_control_api_is_refused() {
    let desk = Desk::new().await;
    for (method, path) in [
        (Method::PUT, "clock"),
        (Method::POST, "faults"),
        (Method::POST, "repeats"),
        (Method::POST, "meetings/join"),
        (Method::POST, "meetings/end"),
    ] {
        for body in bodies() {
            let url = format!("{}/_simulator/{path}", desk.simulator.base_url());
            let reply = send(desk.http.request(method.clone(), url).body(body)).await;
            assert_eq!(reply.status, 400, "{path}");
            assert!(reply.json()["error"].is_string());
        }
    }
    desk.control(Method::GET, "attendees", None).await.with(400);
    desk.control(Method::GET, "nothing", None).await.with(404);
    let none: Value = desk.summary().await["events"].clone();
    assert_eq!(none, json!([]));
}

#[tokio::test]
async fn what_is_not_http_closes_one_connection_only() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let desk = Desk::new().await;
    let address = desk.simulator.base_url().replace("http://", "");
    for garbage in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"\r\n\r\n\r\n\xff\xff",
        b"POST /v1.0/users HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(
            text.is_empty() || text.starts_with("HTTP/1.1 400"),
            "{text}"
        );
    }
    desk.get("/users").await.with(200);
}
