//! Scripted faults do exactly what they say; a state file keeps the world.

use convene_simulator::{Simulator, SimulatorConfig, SimulatorError};
use reqwest::Method;
use serde_json::{Value, json};

use crate::cloud::{Cloud, online};

async fn live(cloud: &Cloud) -> u64 {
    let (_, world) = cloud.control(Method::GET, "meetings", json!(null)).await;
    world["createdEvents"].as_u64().unwrap()
}

#[tokio::test]
async fn a_fault_acts_before_or_after_the_effect_as_it_says() {
    let cloud = Cloud::new().await;
    let mut made = 0;
    for (action, answer, effect) in [
        (json!({"delayBefore": {"ms": 1}}), Some(201), 1),
        (json!({"delayAfter": {"ms": 1}}), Some(201), 1),
        (json!({"throttle": {"retryAfter": 1.5}}), Some(429), 0),
        (json!({"errorBefore": {"status": 503}}), Some(503), 0),
        (json!({"errorAfter": {"status": 502}}), Some(502), 1),
        (json!("dropBefore"), None, 0),
        (json!("dropAfter"), None, 1),
    ] {
        let rule =
            json!({"method": "POST", "pathContains": "/events", "times": 1, "action": action});
        assert_eq!(cloud.control(Method::POST, "faults", rule).await.0, 201);
        let key = format!("{action}");
        let request = cloud
            .graph(Method::POST, &cloud.events())
            .json(&online(&key));
        let answered = request.send().await;
        assert_eq!(
            answered.as_ref().ok().map(|a| a.status().as_u16()),
            answer,
            "{action}"
        );
        if let (Ok(answered), Some(429)) = (&answered, answer) {
            assert_eq!(answered.headers()["retry-after"], "1.5");
        }
        made += effect;
        assert_eq!(live(&cloud).await, made, "{action}");
        let (_, rules) = cloud.control(Method::GET, "faults", json!(null)).await;
        assert_eq!(rules, json!([]), "acted once and is gone");
    }
    let (_, log) = cloud.control(Method::GET, "requests", json!(null)).await;
    let text = log.to_string();
    assert!(!text.contains(&cloud.token), "no tokens in the log");
    let dropped = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["status"] == 0);
    assert_eq!(dropped.count(), 2);
}

#[tokio::test]
async fn wrong_rules_are_refused_with_the_remedy() {
    let cloud = Cloud::new().await;
    for rule in [
        json!({"action": {"errorBefore": {"status": 200}}}),
        json!({"action": {"throttle": {"retryAfter": -1}}}),
        json!({"action": {"delayBefore": {"ms": 99_999_999}}}),
        json!({"action": "explode"}),
        json!({"times": 0, "action": "dropBefore"}),
        json!({"action": "dropBefore", "unknown": 1}),
        json!({}),
    ] {
        let (status, body) = cloud.control(Method::POST, "faults", rule.clone()).await;
        assert!((400..500).contains(&status), "{rule}: {status}");
        assert!(body["error"].is_string());
    }
}

#[tokio::test]
async fn a_state_file_keeps_the_world_and_a_seed_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let config = SimulatorConfig {
        state_file: Some(folder.path().join("world.json")),
        ..SimulatorConfig::default()
    };
    let cloud = Cloud::with(config.clone()).await;
    let event: Value = cloud.event("t").await;
    let env = cloud.env.clone();
    cloud.simulator.shutdown().await;
    let cloud = Cloud::with(config).await;
    assert_eq!(cloud.env.graph_client_secret, env.graph_client_secret);
    assert_eq!(
        cloud.event("t").await["id"],
        event["id"],
        "it is still there"
    );
    let other = Cloud::with(SimulatorConfig {
        seed: 2,
        ..SimulatorConfig::default()
    })
    .await;
    assert_ne!(other.env.graph_tenant, env.graph_tenant);
}

#[tokio::test]
async fn it_listens_on_loopback_only_and_says_what_is_wrong() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let refused = Simulator::start(SimulatorConfig {
        listen,
        ..SimulatorConfig::default()
    })
    .await;
    assert!(matches!(refused, Err(SimulatorError::NotLoopback(_))));
    let cloud = Cloud::new().await;
    let taken = cloud
        .simulator
        .base_url()
        .replace("http://", "")
        .parse()
        .unwrap();
    let refused = Simulator::start(SimulatorConfig {
        listen: taken,
        ..SimulatorConfig::default()
    })
    .await;
    assert!(matches!(refused, Err(SimulatorError::Listen(..))));
}
