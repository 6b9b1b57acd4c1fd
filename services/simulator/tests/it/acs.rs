//! Communication services in front of the simulator's world. What the wire looks like is tested in `lib/acs` and with the official clients.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convene_simulator::SimulatorConfig;
use reqwest::{Method, StatusCode};
use ring::{
    digest::{SHA256, digest},
    hmac,
};
use serde_json::{Value, json};

use crate::desk::{Desk, Reply, send};

/// Signed with the key of the connection string.
pub async fn ask(desk: &Desk, method: Method, path: &str, body: &str) -> Reply {
    let (endpoint, key) = desk
        .env
        .acs_connection_string
        .split_once(";accesskey=")
        .unwrap();
    let endpoint = endpoint.strip_prefix("endpoint=").unwrap();
    assert_eq!(endpoint, desk.env.acs_endpoint);
    let host = endpoint.strip_prefix("http://").unwrap();
    let version = match path.split('/').nth(1) {
        Some("rooms") => "2025-03-13",
        Some("calling") => "2026-03-12",
        _ => "2023-10-01",
    };
    let path = format!("{path}?api-version={version}");
    // Signatures are judged by the wall, whatever the simulator's clock shows.
    let clock = desk.control(Method::GET, "clock", None).await.with(200);
    let wall_ms = clock["nowMs"].as_i64().unwrap() - clock["offsetMs"].as_i64().unwrap();
    let date = chrono::DateTime::from_timestamp_millis(wall_ms).unwrap();
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT");
    let hash = STANDARD.encode(digest(&SHA256, body.as_bytes()));
    let text = format!("{method}\n{path}\n{date};{host};{hash}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let request = desk
        .http
        .request(method, format!("{endpoint}{path}"))
        .header("x-ms-date", date.to_string())
        .header("x-ms-content-sha256", hash)
        .header(
            "authorization",
            format!(
                "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
            ),
        )
        .body(body.to_owned());
    send(request).await
}

async fn user(desk: &Desk) -> Value {
    let made = ask(desk, Method::POST, "/identities", "").await.with(201);
    made["identity"]["id"].clone()
}

#[tokio::test]
async fn users_and_rooms_live_on_in_the_state_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = || SimulatorConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        seed: 7,
        state_file: Some(folder.path().join("state.json")),
        https: None,
        ..SimulatorConfig::default()
    };
    let desk = Desk::with(config()).await;
    let guest = user(&desk).await;
    let body = json!({"participants": {guest.as_str().unwrap(): {"role": "Presenter"}}});
    let room = ask(&desk, Method::POST, "/rooms", &body.to_string())
        .await
        .with(201);
    desk.advance(86_400_000).await;
    let path = format!("/rooms/{}", room["id"].as_str().unwrap());
    let read = ask(&desk, Method::GET, &path, "").await.with(200);
    assert_eq!(read, room);
    desk.simulator.shutdown().await;

    let desk = Desk::with(config()).await;
    assert_eq!(ask(&desk, Method::GET, &path, "").await.with(200), room);
    let people = ask(&desk, Method::GET, &format!("{path}/participants"), "").await;
    let wanted = json!({"value": [{"rawId": guest, "role": "Presenter"}]});
    assert_eq!(people.with(200), wanted);
    assert_ne!(user(&desk).await, guest);
}

#[tokio::test]
async fn a_seed_is_a_resource_and_its_keys() {
    let of = |seed| {
        Desk::with(SimulatorConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            seed,
            ..SimulatorConfig::default()
        })
    };
    let (one, other) = (of(1).await, of(2).await);
    assert_ne!(one.env.acs_resource_id, other.env.acs_resource_id);
    let (first, second) = (user(&one).await, user(&other).await);
    assert_ne!(first, second);
    let path = format!("/identities/{}", first.as_str().unwrap());
    ask(&other, Method::DELETE, &path, "")
        .await
        .refused_by_acs(403, "Forbidden");
    let key = one
        .env
        .acs_connection_string
        .split_once(";accesskey=")
        .unwrap()
        .1;
    assert!(!format!("{:?}", one.env).contains(key));
}

#[tokio::test]
async fn reset_leaves_nothing() {
    let desk = Desk::new().await;
    let guest = user(&desk).await;
    desk.control(Method::POST, "reset", None).await.with(204);
    let path = format!("/identities/{}", guest.as_str().unwrap());
    ask(&desk, Method::DELETE, &path, "")
        .await
        .refused_by_acs(404, "IdentityNotFound");
}

#[tokio::test]
async fn scripted_faults_hit_communication_services_too() {
    let desk = Desk::new().await;
    desk.fault(
        json!({"pathContains": "/rooms", "times": 1, "action": {"errorAfter": {"status": 503}}}),
    )
    .await;
    let lost = ask(&desk, Method::POST, "/rooms", "{}").await;
    assert_eq!(lost.status, StatusCode::SERVICE_UNAVAILABLE);
    let rooms = ask(&desk, Method::GET, "/rooms", "").await.with(200);
    assert_eq!(
        rooms["value"].as_array().unwrap().len(),
        1,
        "it was made all the same"
    );
}

#[tokio::test]
async fn entra_has_tokens_for_each_resource_apart() {
    let desk = Desk::new().await;
    let mut form = desk.token_form();
    form.retain(|(name, _)| *name != "scope");
    form.push((
        "scope",
        "https://communication.azure.com//.default".to_owned(),
    ));
    let token = desk.ask_token(&form).await.with(200);
    let token = token["access_token"].as_str().unwrap();
    let with = |path: &str, token: &str| {
        let url = format!("{}{path}", desk.simulator.base_url());
        send(desk.http.get(url).bearer_auth(token))
    };
    let rooms = "/rooms?api-version=2025-03-13";
    with(rooms, token).await.with(200);
    with("/v1.0/users", token).await.with(401);
    with(rooms, &desk.token).await.refused_by_acs(401, "Denied");
}
