//! The real binary: killed at the worst moments, and listened to for what it must not say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod apart;
mod doctor;
mod full_disk;
mod house;
mod traces;

use std::process::Command;

use house::{Cloud, Process, Up, eventually, verified};
use serde_json::{Value, json};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_convene");
const DAY_MS: i64 = 24 * 3_600_000;

/// Books, kills the node when `moment` has come, starts it again: one meeting, and the story completes.
async fn killed<Fut: Future<Output = ()>>(faults: Value, moment: impl FnOnce(Cloud) -> Fut) {
    let cloud = Cloud::start();
    let folder = TempDir::new().unwrap();
    if !faults.is_null() {
        cloud.post("faults", faults).await;
    }
    let up = Up::start(folder.path(), &cloud);
    let booking = up.book(&cloud).await;
    moment(cloud.clone()).await;
    up.process.kill();
    cloud.heal().await;

    let up = Up::start(folder.path(), &cloud);
    up.completes(&booking).await;
    let world = cloud.get("meetings").await;
    assert_eq!(world["events"].as_array().unwrap().len(), 1, "I2: {world}");
    assert_eq!(world["createdEvents"], 1, "I2: {world}");
    verified(folder.path());
    up.process.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_booking_was_committed() {
    // The provider is so slow that nothing can have happened there.
    let slow = json!({"pathContains": "/token", "action": {"delayBefore": {"ms": 60_000}}});
    killed(slow, |_| async {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_provider_works() {
    let slow = json!({"method": "POST", "pathContains": "/events", "times": 1, "action": {"delayAfter": {"ms": 60_000}}});
    killed(
        slow,
        |cloud| async move { cloud.asked("POST", "/events").await },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_provider_answered() {
    // The event is made and answered; the broker has gone on to the meeting's options and has committed nothing yet.
    let slow = json!({"method": "PATCH", "times": 1, "action": {"delayBefore": {"ms": 60_000}}});
    killed(slow, |cloud| async move {
        eventually("the broker went on", || async {
            let requests = cloud.get("requests").await;
            let mut requests = requests.as_array().unwrap().iter();
            requests.any(|request| request["method"] == "PATCH")
        })
        .await;
    })
    .await;
}

#[test]
fn a_data_folder_has_one_owner() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let arguments = [
        "up",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--simulator-listen",
        "127.0.0.1:0",
    ];
    let first = Process::start(&arguments, "Stop with Ctrl-C");
    let second = Command::new(BINARY).args(arguments).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(
        said.contains("DATA_FOLDER_LOCKED") && said.contains("--data"),
        "{said}"
    );
    first.kill();
}

#[test]
fn a_tampered_history_is_found() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let demo = Command::new(BINARY)
        .args(["demo", "--data", data.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(
        demo.status.success(),
        "{}",
        String::from_utf8_lossy(&demo.stderr)
    );
    verified(&data);
    let file = format!(
        "sqlite://{}?mode=rw",
        data.join("lobby-manager.db").display()
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let changed = runtime.block_on(async {
        use sea_orm::ConnectionTrait as _;
        let database = sea_orm::Database::connect(file).await.unwrap();
        let tamper = "UPDATE event SET data = replace(data, 'HOST_DECISION', 'HOST_WAS_ASLEEP')
            WHERE kind = 'GuestAdmitted'";
        let changed = database.execute_unprepared(tamper).await.unwrap();
        database.close().await.unwrap();
        changed.rows_affected()
    });
    assert_eq!(changed, 1, "the decision is in the file");
    let verified = Command::new(BINARY)
        .args(["audit", "verify", "--data", data.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(verified.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&verified.stdout).contains("was changed"));
}

/// Logs of a whole demo run at the most talkative level hold no personal data, secrets or links, and one booking is one trace.
#[test]
fn logs_keep_secrets_and_one_booking_is_one_trace() {
    let folder = TempDir::new().unwrap();
    let demo = Command::new(BINARY)
        .args(["demo", "--data", folder.path().to_str().unwrap()])
        .env(
            "RUST_LOG",
            "trace,h2=info,hyper=info,hyper_util=info,tower=info,sqlx=info",
        )
        .env("CONVENE_LOG", "json")
        .output()
        .unwrap();
    assert!(demo.status.success());
    let log = String::from_utf8_lossy(&demo.stderr);
    assert!(log.lines().count() > 200, "it logged");
    for canary in [
        "First Guest",
        "first@guest.example",
        "Second Guest",
        "meetup-join",
        "cvn_",
        "sim~",
        "eyJ0eXAi",
        "Ticket ",
        "passcode\":\"",
    ] {
        let line = log.lines().find(|line| line.contains(canary));
        assert!(line.is_none(), "a log line holds {canary:?}");
    }
    let mut traces = std::collections::BTreeSet::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // The snapshots are let go inside the runtime.
    let _inside = runtime.enter();
    let logs = runtime
        .block_on(convene::audit::read(
            &convene_kit::Database::sqlite(folder.path()),
            None,
        ))
        .unwrap();
    for log in &logs {
        for event in &log.events {
            let making = [
                "Booked",
                "MeetingWanted",
                "LobbyOpened",
                "VisitExpected",
                "MeetingReady",
            ];
            if making.contains(&event.kind.as_str()) {
                traces.insert(
                    event
                        .traceparent
                        .split('-')
                        .nth(1)
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
        }
    }
    assert_eq!(
        traces.len(),
        1,
        "booking, meeting and lobby are one trace: {traces:?}"
    );
    assert_eq!(traces.first().unwrap().len(), 32);
}

/// A production node makes no first key by itself: its operator does.
#[test]
fn a_tenant_and_its_keys_from_the_command_line() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("node.toml");
    let data = folder.path().join("data");
    let text = "development = false\n[gateway]\nlisten = \"127.0.0.1:0\"\n[simulator]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(&file, format!("data = {data:?}\n{text}")).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let said = |arguments: &[&str]| {
        let done = Command::new(BINARY).args(arguments).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(said).unwrap())
    };
    let (made, tenant) = said(&[&["tenant", "create"], &config[..]].concat());
    assert!(made, "{tenant}");
    let key = tenant.split_once("admin key").unwrap().1.trim().to_owned();
    let node = Process::start(&[&["up"], &config[..]].concat(), "Stop with Ctrl-C");
    assert!(!node.greeting.contains("cvn_"), "no development key");
    let url = node.said("GraphQL").replace("/graphql", "");
    let server = ["--url", &url, "--key", &key];
    let on = |arguments: &[&str]| said(&[arguments, &server[..]].concat());
    let new = ["api-keys", "create", "reader", "--role", "BOOKING_APP"];
    let (made, created) = on(&[&new[..], &["--scopes", "BOOKINGS_READ", "--lasts", "1h"]].concat());
    assert!(made && created.contains("cvn_"), "{created}");
    let id = created.lines().next().unwrap();
    let (_, list) = on(&["api-keys", "list"]);
    let line = list.lines().find(|line| line.contains("reader")).unwrap();
    assert!(
        line.contains("holds until") && line.contains("never used"),
        "{line}"
    );
    let (revoked, told) = on(&["api-keys", "revoke", id]);
    assert!(revoked && told.contains("revoked"), "{told}");
    let admin = list
        .lines()
        .find(|line| line.contains("first admin"))
        .unwrap();
    let id = admin.split_whitespace().next().unwrap();
    let (revoked, told) = on(&["api-keys", "revoke", id]);
    assert!(!revoked && told.contains("LAST_ADMIN_KEY"), "{told}");
    let (running, told) = said(&[&["tenant", "create"], &config[..]].concat());
    assert!(!running && told.contains("DATA_FOLDER_LOCKED"), "{told}");
}

#[test]
fn the_command_line_helps() {
    let run = |arguments: &[&str]| Command::new(BINARY).args(arguments).output().unwrap();
    let help = run(&["--help"]);
    for command in [
        "demo",
        "up",
        "serve",
        "migrate",
        "keys",
        "certificates",
        "simulator",
        "clock",
        "api-keys",
        "tenant",
        "audit",
        "schema",
        "config",
        "doctor",
    ] {
        assert!(
            String::from_utf8_lossy(&help.stdout).contains(command),
            "{command}"
        );
    }
    let silent = run(&["simulator", "env", "--base", "http://127.0.0.1:9"]);
    assert_eq!(silent.status.code(), Some(1), "nobody answers there");
    assert!(String::from_utf8_lossy(&silent.stderr).contains("SIMULATOR_SILENT"));
    let keyless = run(&["clock", "show"]);
    assert_eq!(keyless.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&keyless.stderr).contains("--key"));
    // Any port for one is any port for both: a second one finds nothing taken.
    let folder = TempDir::new().unwrap();
    let tls = folder.path().join("tls");
    let arguments = [
        "simulator",
        "--listen",
        "127.0.0.1:0",
        "--tls",
        tls.to_str().unwrap(),
    ];
    let simulator = Process::start(&arguments, "control API");
    let second = Process::start(&arguments, "control API");
    for one in [&simulator, &second] {
        let https = one.said(" and https://127.0.0.1:");
        assert!(!["0", "8791"].contains(&https.as_str()), "{https}");
    }
    let base = simulator.said("Simulator of Graph and Entra at");
    let env = run(&["simulator", "env", "--base", &base]);
    let said = String::from_utf8_lossy(&env.stdout);
    for name in [
        "GRAPH_BASE",
        "GRAPH_TOKEN_URL",
        "GRAPH_TENANT",
        "GRAPH_CLIENT_ID",
        "GRAPH_CLIENT_SECRET",
        "GRAPH_USER",
    ] {
        assert!(said.contains(&format!("export {name}='")), "{name}");
    }
}
