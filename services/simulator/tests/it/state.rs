//! The state file: what was acknowledged is there after a restart.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use convene_simulator::{Simulator, SimulatorConfig, SimulatorError};
use reqwest::Method;
use serde_json::json;

use crate::desk::{Desk, segment, send};

fn config(file: &Path, seed: u64) -> SimulatorConfig {
    SimulatorConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        seed,
        state_file: Some(file.to_owned()),
        https: None,
        ..SimulatorConfig::default()
    }
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("simulator.json");
    let desk = Desk::with(config(&file, 7)).await;
    let (event, meeting) = desk.meeting().await;
    let body = json!({"externalId": "kept"});
    let path = desk.host("/onlineMeetings/createOrGet");
    let external = desk.post(&path, body.clone()).await.with(201);
    let call = desk.call_into(&meeting).await;
    let person = desk.comes(&meeting, "organizer").await;
    desk.act(&call, "startRecording").await;
    desk.advance(5_000).await;
    desk.act(&call, "stopRecording").await;
    desk.online_event("To be removed").await;
    let summary = desk.summary().await;
    let doomed = summary["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] != event["id"])
        .unwrap();
    desk.delete(&desk.host(&format!("/events/{}", segment(&doomed["id"]))))
        .await;
    let before = desk.summary().await;
    let recordings = desk.host(&format!(
        "/onlineMeetings/{}/recordings",
        segment(&meeting["id"])
    ));
    let listed = desk.get(&recordings).await.with(200)["value"][0].clone();
    let content = format!("{recordings}/{}/content", listed["id"].as_str().unwrap());
    let bytes = desk.get(&content).await.bytes;
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let clock = desk.control(Method::GET, "clock", None).await.with(200);
    let (secret, token) = (desk.env.graph_client_secret.clone(), desk.token.clone());
    // No farewell: what counts is what is on disk already.
    let copy = folder.path().join("copy.json");
    std::fs::copy(&file, &copy).unwrap();
    desk.simulator.shutdown().await;

    let again = Desk::with(config(&copy, 99)).await;
    assert_eq!(
        again.env.graph_client_secret, secret,
        "the file's seed wins"
    );
    let users = format!("{}/users", again.env.graph_base);
    send(again.http.get(users).bearer_auth(token))
        .await
        .with(200);
    assert_eq!(again.summary().await, before);
    let moved = again.control(Method::GET, "clock", None).await.with(200);
    assert_eq!(moved["offsetMs"], clock["offsetMs"]);
    assert_eq!(again.get(&content).await.bytes, bytes);
    assert_eq!(again.get(&call).await.with(200)["state"], "established");
    // All ways of finding things work again.
    let found = again.post(&path, body).await.with(200);
    assert_eq!(found["id"], external["id"]);
    let filter = format!(
        "JoinWebUrl eq '{}'",
        meeting["joinWebUrl"].as_str().unwrap()
    );
    let found = again
        .find(&again.host("/onlineMeetings"), &[("$filter", &filter)])
        .await
        .with(200);
    assert_eq!(found["value"][0]["id"], meeting["id"]);
    let leave = format!("attendees/{}/leave", person["id"].as_str().unwrap());
    again.control(Method::POST, &leave, None).await.with(200);
    let fresh = again.online_event("New").await;
    assert_ne!(fresh["id"], event["id"]);
}

#[tokio::test]
async fn many_changes_at_once_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("simulator.json");
    let desk = Desk::with(config(&file, 1)).await;
    let creating = (0..40).map(|number| {
        let (path, desk) = (desk.host("/events"), &desk);
        async move {
            desk.post(&path, crate::desk::online(&format!("{number}")))
                .await
                .with(201)
        }
    });
    let mut creating: Vec<_> = creating.map(Box::pin).collect();
    // All are under way before the first is waited for.
    let all = std::future::poll_fn(|context| {
        creating.retain_mut(|one| one.as_mut().poll(context).is_pending());
        match creating.is_empty() {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    });
    all.await;
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(kept["world"]["events"].as_object().unwrap().len(), 40);
}

#[tokio::test]
async fn a_file_that_is_none_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("simulator.json");
    std::fs::write(&file, "not a world").unwrap();
    let error = Simulator::start(config(&file, 1)).await.unwrap_err();
    assert!(matches!(error, SimulatorError::State(..)));
    assert!(error.to_string().contains("simulator.json"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"not a world");
    let nowhere = folder.path().join("missing/simulator.json");
    let error = Simulator::start(config(&nowhere, 1)).await.unwrap_err();
    assert!(matches!(error, SimulatorError::State(..)));
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("data");
    std::fs::create_dir(&inner).unwrap();
    let desk = Desk::with(config(&inner.join("simulator.json"), 1)).await;
    std::fs::remove_dir_all(&inner).unwrap();
    let reply = desk
        .post(&desk.host("/events"), crate::desk::online("x"))
        .await;
    reply.refused(500, "generalException");
}
