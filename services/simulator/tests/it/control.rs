//! The control API: environment, clock, log, reset.

use convene_simulator::{Simulator, SimulatorConfig, SimulatorEnv, SimulatorError};
use reqwest::Method;
use serde_json::json;

use crate::desk::{Desk, send};

#[tokio::test]
async fn the_environment_is_told_and_can_be_exported() {
    let desk = Desk::new().await;
    let told = desk.control(Method::GET, "env", None).await.with(200);
    let env: SimulatorEnv = serde_json::from_value(told.clone()).unwrap();
    assert_eq!(env.exports(), desk.env.exports());
    let exports = env.exports();
    for name in [
        "GRAPH_BASE",
        "GRAPH_BETA_BASE",
        "GRAPH_TOKEN_URL",
        "GRAPH_AUTHORITY",
        "GRAPH_TENANT",
        "GRAPH_CLIENT_ID",
        "GRAPH_CLIENT_SECRET",
        "GRAPH_USER",
        "GRAPH_USER_EMAIL",
        "GRAPH_DENIED_USER",
        "ACS_CONNECTION_STRING",
        "ACS_ENDPOINT",
        "ACS_RESOURCE_ID",
    ] {
        let line = format!("export {name}='{}'\n", told[name].as_str().unwrap());
        assert!(exports.contains(&line), "{line}");
    }
    assert!(!format!("{env:?}").contains(&env.graph_client_secret));
    assert_eq!(desk.control(Method::GET, "health", None).await.bytes, b"ok");
}

#[tokio::test]
async fn differences_are_told_in_sentences() {
    let desk = Desk::new().await;
    let told = desk
        .control(Method::GET, "known-differences", None)
        .await
        .with(200);
    for area in ["entra", "graph", "acs"] {
        let all = told.as_array().unwrap().iter();
        let mut of = all.filter(|one| one["area"] == area);
        assert!(
            of.all(|one| one["difference"].as_str().unwrap().ends_with('.')),
            "{area}"
        );
    }
}

#[tokio::test]
async fn the_clock_goes_forward_or_home() {
    let desk = Desk::new().await;
    let set = |offset: i64| desk.control(Method::PUT, "clock", Some(json!({"offsetMs": offset})));
    let day = 86_400_000;
    let before = desk.control(Method::GET, "clock", None).await.with(200);
    let after = set(day).await.with(200);
    let moved = after["nowMs"].as_i64().unwrap() - before["nowMs"].as_i64().unwrap();
    assert!(moved >= day);
    set(day).await.with(200);
    assert!(set(day - 1).await.with(409)["error"].is_string());
    assert!(set(-day).await.with(409)["error"].is_string());
    assert_eq!(set(0).await.with(200)["offsetMs"], 0);
    let wrong = Some(json!({"offset": 1}));
    desk.control(Method::PUT, "clock", wrong).await.with(400);
}

#[tokio::test]
async fn the_log_remembers_paths_without_secrets() {
    let desk = Desk::new().await;
    desk.find("/users", &[("$top", "hidden")]).await;
    let log = desk.control(Method::GET, "requests", None).await.with(200);
    let entries = log.as_array().unwrap();
    assert_eq!(
        entries.len(),
        2,
        "the token and the users; control calls are not noted"
    );
    assert_eq!(entries[1]["path"], "/v1.0/users");
    assert_eq!(entries[1]["method"], "GET");
    assert_eq!(entries[1]["status"], 400);
    let text = log.to_string();
    assert!(!text.contains("hidden") && !text.contains(&desk.token));
    let since = format!("requests?since={}", entries[1]["number"]);
    assert_eq!(
        desk.control(Method::GET, &since, None).await.with(200),
        json!([])
    );
    desk.control(Method::GET, "requests?since=x", None)
        .await
        .with(400);
}

#[tokio::test]
async fn reset_is_a_new_world_with_the_same_ids() {
    let desk = Desk::new().await;
    let first = desk.online_event("First").await;
    desk.fault(json!({"action": "dropBefore", "pathContains": "never"}))
        .await;
    desk.advance(1_000).await;
    assert_eq!(desk.control(Method::POST, "reset", None).await.status, 204);
    let summary = desk.summary().await;
    for what in ["events", "meetings", "removed"] {
        assert_eq!(summary[what], json!([]));
    }
    assert_eq!(
        desk.control(Method::GET, "faults", None).await.with(200),
        json!([])
    );
    assert_eq!(
        desk.control(Method::GET, "requests", None).await.with(200),
        json!([])
    );
    assert_eq!(
        desk.control(Method::GET, "clock", None).await.with(200)["offsetMs"],
        0
    );
    assert_eq!(
        desk.online_event("First").await["id"],
        first["id"],
        "seeded ids"
    );
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_tells_a_taken_port() {
    let config = |listen: &str| SimulatorConfig {
        listen: listen.parse().unwrap(),
        ..SimulatorConfig::default()
    };
    let open = Simulator::start(config("0.0.0.0:0")).await.unwrap_err();
    assert!(matches!(open, SimulatorError::NotLoopback(_)));
    let desk = Desk::new().await;
    let address = desk.simulator.base_url().replace("http://", "");
    let taken = Simulator::start(config(&address)).await.unwrap_err();
    assert!(matches!(taken, SimulatorError::Listen(..)));
    let (http, url) = (
        desk.http.clone(),
        format!("{}/_simulator/health", desk.simulator.base_url()),
    );
    assert_eq!(send(http.get(&url)).await.status, 200);
    desk.simulator.shutdown().await;
    assert!(http.get(&url).send().await.unwrap_err().is_connect());
}
