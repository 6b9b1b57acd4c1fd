//! Callbacks of calls on their way. What calls mean is tested in `lib/acs` and with the official clients.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use axum::{Json, Router, extract::State, routing::post};
use convene_simulator::SimulatorConfig;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{acs::ask, desk::Desk};

/// An application that is told.
#[derive(Default)]
struct Told {
    status: AtomicU16,
    /// Attempts, taken or not.
    events: Mutex<Vec<(u16, Value)>>,
    came: Notify,
}

impl Told {
    async fn listen(status: u16) -> (Arc<Self>, String) {
        let told = Arc::new(Self::default());
        told.status.store(status, Ordering::Relaxed);
        let take = async |State(told): State<Arc<Self>>, Json(body): Json<Value>| {
            let status = told.status.load(Ordering::Relaxed);
            told.events.lock().unwrap().push((status, body[0].clone()));
            told.came.notify_one();
            StatusCode::from_u16(status).unwrap()
        };
        let router = Router::new()
            .route("/", post(take))
            .with_state(told.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (told, url)
    }

    /// The first attempt of this kind that was answered so.
    async fn first(&self, status: u16, kind: &str) -> Value {
        loop {
            let came = self.came.notified();
            let kind = format!("Microsoft.Communication.{kind}");
            let found = {
                let events = self.events.lock().unwrap();
                let mut fit = events
                    .iter()
                    .filter(|(one, event)| *one == status && event["type"] == kind);
                fit.next().map(|(_, event)| event.clone())
            };
            match found {
                Some(event) => return event,
                None => came.await,
            }
        }
    }
}

async fn call(desk: &Desk, url: &str) -> Value {
    let body = json!({"targets": [{"rawId": "8:echo123"}], "callbackUri": url});
    ask(
        desk,
        Method::POST,
        "/calling/callConnections",
        &body.to_string(),
    )
    .await
    .with(201)
}

#[tokio::test]
async fn what_was_not_taken_comes_after_a_restart_under_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let config = || SimulatorConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        state_file: Some(folder.path().join("state.json")),
        ..SimulatorConfig::default()
    };
    let (told, url) = Told::listen(500).await;
    let desk = Desk::with(config()).await;
    let placed = call(&desk, &url).await;
    let refused = told.first(500, "CallConnected").await;
    desk.simulator.shutdown().await;

    told.status.store(200, Ordering::Relaxed);
    let desk = Desk::with(config()).await;
    let taken = told.first(200, "CallConnected").await;
    assert_eq!(taken["id"], refused["id"]);
    let updated = told.first(200, "ParticipantsUpdated").await;
    assert_eq!(updated["data"]["serverCallId"], placed["serverCallId"]);
    let path = format!(
        "/calling/callConnections/{}",
        placed["callConnectionId"].as_str().unwrap()
    );
    let read = ask(&desk, Method::GET, &path, "").await.with(200);
    assert_eq!(read["callConnectionState"], "connected", "the call goes on");
}

#[tokio::test]
async fn the_clock_moves_what_happens_by_itself() {
    let desk = Desk::new().await;
    let (told, url) = Told::listen(200).await;
    let body = json!({
        "targets": [{"phoneNumber": {"value": "+14255550140"}}],
        "sourceCallerIdNumber": {"value": "+14255550190"},
        "callbackUri": url,
    });
    ask(
        &desk,
        Method::POST,
        "/calling/callConnections",
        &body.to_string(),
    )
    .await
    .with(201);
    desk.advance(86_400_000).await;
    let failed = told.first(200, "CreateCallFailed").await;
    assert_eq!(failed["data"]["resultInformation"]["subCode"], 10_004);
}

#[tokio::test]
async fn reset_ends_calls_without_a_word() {
    let desk = Desk::new().await;
    let (told, url) = Told::listen(200).await;
    let placed = call(&desk, &url).await;
    told.first(200, "ParticipantsUpdated").await;
    desk.control(Method::POST, "reset", None).await.with(204);
    let path = format!(
        "/calling/callConnections/{}",
        placed["callConnectionId"].as_str().unwrap()
    );
    ask(&desk, Method::GET, &path, "")
        .await
        .refused_by_acs(404, "8522");
    call(&desk, &url).await;
    assert!(
        told.events
            .lock()
            .unwrap()
            .iter()
            .all(|(_, event)| event["type"] != "Microsoft.Communication.CallDisconnected")
    );
}
