//! What operators see: whether a node is alive and ready, and what it measures.

use std::{collections::BTreeSet, fs, path::Path};

use convene_tests::{SetUp, World, reason, until};
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(every_process_says_when_it_is_ready);
crate::on_replicas!(every_process_says_when_it_is_ready);

async fn every_process_says_when_it_is_ready(set_up: SetUp) {
    let roles = convene::roles::ROLES.len();
    let processes = match set_up {
        SetUp::Embedded => 1,
        SetUp::Split => roles,
        SetUp::Twice(_) => 2,
        SetUp::Replicated(_) => 2 * roles,
    };
    let world = World::open(set_up).await;
    assert_eq!(world.operations.len(), processes);
    for process in &world.operations {
        until("it is ready", || async {
            let (status, said) = ask(process, "ready").await;
            let ready = said == r#"{"ready":true,"problems":[]}"#;
            assert!(ready || said.contains("\"remedy\":\""), "{said}");
            assert_eq!(status, if ready { 200 } else { 503 });
            ready.then_some(())
        })
        .await;
        let (_, page) = ask(process, "metrics").await;
        assert!(page.contains("convene_store_commits_total"), "{page}");
    }
    world.stop().await;
}

async fn get(world: &World, path: &str) -> (u16, String) {
    ask(&world.operations[0], path).await
}

async fn ask(process: &str, path: &str) -> (u16, String) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{process}/{path}");
    let answer = http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The value of the one series whose line begins like this; 0 when there is none yet.
fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find(|line| line.starts_with(series));
    line.map_or(0.0, |line| {
        line.rsplit(' ').next().unwrap().parse().unwrap()
    })
}

/// A world in which everything that is measured has happened, one throttled request included.
async fn lived() -> World {
    let world = World::embedded().await;
    let throttled = json!({"method": "POST", "pathContains": "/events", "times": 1, "action": {"throttle": {"retryAfter": 1}}});
    world.provider.fault(throttled).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    let admitted = cast.decide("admitVisit", &guest).await;
    assert_eq!(reason(&admitted, "admitVisit"), "");
    guest.join_details().await;
    let ended = cast
        .host_does("endMeeting", &booked, "booking { id }")
        .await;
    assert_eq!(reason(&ended, "endMeeting"), "");
    world.drained().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_what_it_does_and_nothing_about_whom() {
    let world = lived().await;
    assert_eq!(get(&world, "health").await, (200, "ok".to_owned()));
    let (status, ready) = get(&world, "ready").await;
    assert_eq!(
        (status, ready.as_str()),
        (200, r#"{"ready":true,"problems":[]}"#)
    );
    let (_, page) = get(&world, "metrics").await;
    for (series, least) in [
        (
            "convene_rpc_requests_total{role=\"scheduler\",method=\"convene.scheduler.v1.Scheduler/BookMeeting\",code=\"OK\"}",
            1.0,
        ),
        (
            "convene_rpc_duration_seconds_count{role=\"lobby-manager\",method=\"convene.lobby.v1.LobbyManager/AdmitVisit\"}",
            1.0,
        ),
        (
            "convene_graphql_requests_total{operation=\"mutation\",outcome=\"ok\"}",
            5.0,
        ),
        (
            "convene_store_changes_total{role=\"scheduler\",outcome=\"stored\"}",
            2.0,
        ),
        ("convene_store_commits_total{role=\"scheduler\"}", 2.0),
        (
            "convene_jobs_tries_total{role=\"meeting-broker\",queue=\"meeting\",outcome=\"retried\"}",
            1.0,
        ),
        (
            "convene_jobs_tries_total{role=\"meeting-broker\",queue=\"meeting\",outcome=\"done\"}",
            1.0,
        ),
        (
            "convene_feed_facts_total{role=\"scheduler\",source=\"meeting-broker\"}",
            2.0,
        ),
        (
            "convene_feed_position{role=\"scheduler\",source=\"meeting-broker\"}",
            2.0,
        ),
        (
            "convene_provider_requests_total{method=\"POST\",route=\"/users/{user}/events\",outcome=\"PROVIDER_THROTTLED\"}",
            1.0,
        ),
        (
            "convene_provider_requests_total{method=\"POST\",route=\"/users/{user}/events\",outcome=\"OK\"}",
            1.0,
        ),
        ("convene_provider_retry_after_seconds_sum", 1.0),
    ] {
        let found = value(&page, series);
        assert!(found >= least, "{series} is {found}");
    }
    assert_eq!(
        value(&page, "convene_jobs_dead{role=\"meeting-broker\"}"),
        0.0
    );
    // Series are bounded: no id, address or secret is a label.
    for line in page.lines() {
        let hyphens = line.matches('-').count();
        assert!(
            !line.contains('@') && !line.contains("://") && hyphens < 4,
            "{line}"
        );
    }
    assert!(page.lines().count() < 5_000, "{}", page.lines().count());
    world.stop().await;
}

/// Every subscription that is opened is counted, and gone when its reader is.
#[tokio::test(flavor = "multi_thread")]
async fn open_subscriptions_are_counted() {
    let world = World::embedded().await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let query = "subscription($id: ID!) { bookingEvents(bookingId: $id) { type } }";
    let variables = json!({"id": booked.id});
    let mut stream = cast.app.subscribe(query, variables).await.unwrap();
    stream.chunk().await.unwrap().unwrap();
    let (_, page) = get(&world, "metrics").await;
    assert_eq!(value(&page, "convene_subscriptions_open"), 1.0);
    assert!(value(&page, "convene_subscription_answers_total") >= 1.0);
    drop(stream);
    until("the subscription is over", || async {
        let (_, page) = get(&world, "metrics").await;
        (value(&page, "convene_subscriptions_open") == 0.0).then_some(())
    })
    .await;
    world.stop().await;
}

/// Metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !word(c));
    words
        .filter(|word| word.starts_with("convene_"))
        .map(str::to_owned)
        .collect()
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(expression) = members.get("expr").and_then(Value::as_str) {
                found.push(expression.to_owned());
            }
            members.values().for_each(|one| expressions(one, found));
        }
        Value::Array(items) => items.iter().for_each(|one| expressions(one, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_asks_for_metrics_that_there_are() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grafana/convene.json");
    let dashboard: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    assert!(asked.len() > 15, "{}", asked.len());
    let world = lived().await;
    let (_, page) = get(&world, "metrics").await;
    let series: String = page
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join("\n");
    let there = named(&series);
    for expression in &asked {
        let wanted = named(expression);
        assert!(!wanted.is_empty(), "{expression}");
        for metric in wanted {
            assert!(
                there.contains(&metric),
                "{metric} of {expression} is not in {there:?}"
            );
        }
    }
    // And everything that is measured is shown.
    let shown = named(&asked.join("\n"));
    let base = |name: &str| {
        let name = name.trim_end_matches("_bucket").trim_end_matches("_sum");
        name.trim_end_matches("_count")
            .trim_end_matches("_total")
            .to_owned()
    };
    let shown: BTreeSet<String> = shown.iter().map(|name| base(name)).collect();
    let measured: BTreeSet<String> = there.iter().map(|name| base(name)).collect();
    assert_eq!(measured, shown);
    world.stop().await;
}
