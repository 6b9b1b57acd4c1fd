//! The doctor: beside a running node and without one, it names what is wrong and what mends it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use convene_kit::Database;
use convene_meeting_broker::NEEDS;
use convene_scratch::Place;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    BINARY,
    house::{Cloud, Up},
};

/// Exit code, what it said, and findings by code.
struct Told {
    code: i32,
    text: String,
    findings: Vec<Value>,
}

impl Told {
    fn of(&self, code: &str) -> Vec<&Value> {
        let all = self.findings.iter();
        all.filter(|finding| finding["code"] == code).collect()
    }

    fn severe(&self) -> Vec<&str> {
        let all = self.findings.iter();
        let failures = all.filter(|finding| finding["severity"] == "FAILURE");
        failures
            .map(|finding| finding["code"].as_str().unwrap())
            .collect()
    }
}

fn doctor(config: &Path, more: &[&str]) -> Told {
    let config = config.to_str().unwrap();
    let arguments = [&["doctor", "--config", config, "--json"], more].concat();
    let done = Command::new(BINARY).args(arguments).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let said: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    Told {
        code: done.status.code().unwrap(),
        findings: said["findings"].as_array().unwrap().clone(),
        text,
    }
}

fn config(folder: &Path, cloud: &Cloud) -> PathBuf {
    let file = folder.join("node.toml");
    let data = folder.join("data");
    let text = format!(
        "data = {data:?}\n[gateway]\nlisten = \"127.0.0.1:0\"\n[simulator]\nurl = \"{}\"\n",
        cloud.base
    );
    fs::write(&file, text).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_is_examined_beside_its_node_and_without() {
    let cloud = Cloud::start();
    let folder = TempDir::new().unwrap();
    let file = config(folder.path(), &cloud);
    let needed: Vec<_> = NEEDS.iter().map(|need| need.permission).collect();
    cloud.put("permissions", json!({ "granted": needed })).await;

    let fresh = doctor(&file, &[]);
    assert_eq!(fresh.code, 0, "{}", fresh.text);
    assert_eq!(
        fresh.of("DATABASE_ABSENT").len(),
        convene::roles::ROLES.len()
    );
    assert_eq!(fresh.of("NO_USERS").len(), 1);
    assert!(!folder.path().join("data").exists(), "it makes nothing");

    let up = Up::start(&folder.path().join("data"), &cloud);
    let booking = up.book(&cloud).await;
    up.completes(&booking).await;
    let beside = doctor(&file, &[]);
    up.process.kill();
    for told in [beside, doctor(&file, &[])] {
        assert_eq!((told.code, told.severe()), (0, vec![]), "{}", told.text);
        assert_eq!(told.of("DATABASE_READY").len(), convene::roles::ROLES.len());
        assert_eq!(told.of("POLICY_GRANTED")[0]["subject"], cloud.user().await);
        assert_eq!(told.of("PERMISSION_GRANTED").len(), NEEDS.len());
        assert_eq!(told.of("KEY_FILE_GOOD").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_ends_with_a_failure() {
    let cloud = Cloud::start();
    let folder = TempDir::new().unwrap();
    let file = config(folder.path(), &cloud);
    let env = cloud.get("env").await;
    let denied = env["GRAPH_DENIED_USER"].as_str().unwrap();
    let rest: Vec<_> = NEEDS[1..].iter().map(|need| need.permission).collect();
    cloud.put("permissions", json!({ "granted": rest })).await;
    let data = folder.path().join("data");
    let keys = ["keys", "make", "--data", data.to_str().unwrap()];
    fs::create_dir(&data).unwrap();
    assert!(Command::new(BINARY).args(keys).status().unwrap().success());
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(data.join("keys.json"), open).unwrap();

    let told = doctor(&file, &["--user", denied]);
    assert_eq!(told.code, 1);
    let failures = ["KEY_FILE_UNUSABLE", "PERMISSION_MISSING", "POLICY_MISSING"];
    assert_eq!(told.severe(), failures, "{}", told.text);
    assert_eq!(
        told.of("PERMISSION_MISSING")[0]["subject"],
        NEEDS[0].permission
    );
    assert!(
        !told
            .text
            .contains(env["GRAPH_CLIENT_SECRET"].as_str().unwrap())
    );

    // People read the same, with the cmdlets that an administrator runs.
    let config = file.to_str().unwrap();
    let arguments = ["doctor", "--config", config, "--user", denied];
    let done = Command::new(BINARY).args(arguments).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1));
    let grant = format!("Grant-CsApplicationAccessPolicy -PolicyName Convene -Identity '{denied}'");
    for part in ["FAILURE  POLICY_MISSING", &grant, "chmod 600", "3 failures"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let why = String::from_utf8(done.stderr).unwrap();
    assert!(why.contains("DOCTOR_FOUND_FAILURES"), "{why}");

    // A provider that is not there, and a file that is none.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace(&cloud.base, "http://127.0.0.1:9")).unwrap();
    assert!(doctor(&file, &[]).severe().contains(&"SIMULATOR_SILENT"));
    fs::write(&file, "data = 1").unwrap();
    let broken = doctor(&file, &[]);
    assert_eq!(
        (broken.code, broken.severe()),
        (1, vec!["CONFIGURATION_UNUSABLE"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_on_postgresql_are_examined() {
    convene_scratch::on_postgres(on_a_server).await;
}

async fn on_a_server(place: Place) {
    let Database::Postgres { url, .. } = place.database() else {
        panic!("not a server");
    };
    let cloud = Cloud::start();
    let folder = TempDir::new().unwrap();
    let file = config(folder.path(), &cloud);
    let with = |url: &str| {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("[database]").next().unwrap();
        let database = format!("[database]\nurl = \"{url}\"\nmigrate_at_start = false\n");
        fs::write(&file, format!("{text}{database}")).unwrap();
    };
    let roles = convene::roles::ROLES.len();
    with(url.expose_secret());
    let fresh = doctor(&file, &[]);
    assert_eq!(
        fresh.severe(),
        vec!["DATABASE_NOT_MADE"; roles],
        "{}",
        fresh.text
    );
    let migrate = ["migrate", "--config", file.to_str().unwrap()];
    let migrated = Command::new(BINARY).args(migrate).output().unwrap();
    assert!(migrated.status.success());
    let ready = doctor(&file, &[]);
    let up_to_date = ready.of("DATABASE_READY").len() + ready.of("DATABASE_SLOW").len();
    assert_eq!(up_to_date, roles, "{}", ready.text);
    assert!(ready.text.contains("PostgreSQL"), "{}", ready.text);

    with("postgres://convene:canary@127.0.0.1:9/convene");
    let away = doctor(&file, &["--roles", "scheduler,gateway"]);
    // Once: the second is on the same server.
    assert_eq!(away.severe(), ["DATABASE_UNREACHABLE"]);
    assert!(!away.text.contains("canary"), "{}", away.text);
}
