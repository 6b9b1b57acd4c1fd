//! One process for each role, with mTLS between them: the story goes on whoever of them is killed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use convene::{graphql::Client, roles::RoleName};
use convene_kit::Database;
use convene_scratch::port;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    BINARY, DAY_MS,
    house::{Cloud, Process, eventually},
};

/// Bookings of a round.
const BOOKINGS: usize = 100;
/// Bookings that are asked for at the same time.
const AT_ONCE: usize = 4;

fn run(arguments: &[&str]) {
    let ended = Command::new(BINARY).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{arguments:?}: {said}");
}

/// The processes of an installation.
struct Apart {
    folder: TempDir,
    processes: BTreeMap<RoleName, Process>,
    cloud: Cloud,
    admin: Client,
}

impl Apart {
    /// Keys and certificates of an installation, and a configuration and a process for each role, callers first.
    fn start() -> Self {
        let cloud = Cloud::start();
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::create_dir(&data).unwrap();
        run(&["keys", "make", "--data", &data.display().to_string()]);
        run(&["certificates", "--dir", &at("tls")]);
        let listen: BTreeMap<_, _> = RoleName::all().into_iter().map(|r| (r, port())).collect();
        let door = port();
        for role in RoleName::all() {
            let keys = at(&format!("{role}.keys.json"));
            let data = data.display().to_string();
            run(&[
                "keys",
                "export",
                "--data",
                &data,
                "--roles",
                role.as_str(),
                "--out",
                &keys,
            ]);
            let mut file = format!(
                "data = \"{data}\"\n[gateway]\nlisten = \"127.0.0.1:{door}\"\n[simulator]\nurl = \"{}\"\n[keys]\nfile = \"{keys}\"\n",
                cloud.base
            );
            file += &format!(
                "[tls]\nca = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\n",
                at("tls/ca.pem"),
                at(&format!("tls/{role}.pem")),
                at(&format!("tls/{role}.key"))
            );
            file += &format!(
                "[listen]\n{role} = \"127.0.0.1:{}\"\n[peers]\n",
                listen[&role]
            );
            for (peer, port) in listen.iter().filter(|(peer, _)| **peer != role) {
                file += &format!("{peer} = [\"127.0.0.1:{port}\"]\n");
            }
            fs::write(at(&format!("{role}.toml")), file).unwrap();
        }
        let mut processes = BTreeMap::new();
        // Nobody's peers are there when it starts, but for the broker's.
        for role in RoleName::all().into_iter().rev() {
            processes.insert(role, Self::process(folder.path(), role));
        }
        let gateway = &processes[&"gateway".parse::<RoleName>().unwrap()];
        let key = gateway.said("Admin key");
        let url = format!("http://127.0.0.1:{door}");
        Self {
            admin: Client::new(&url, &format!("Bearer {key}")).unwrap(),
            folder,
            processes,
            cloud,
        }
    }

    fn process(folder: &Path, role: RoleName) -> Process {
        let config = folder.join(format!("{role}.toml")).display().to_string();
        let arguments = ["serve", "--roles", role.as_str(), "--config", &config];
        Process::start(&arguments, "Stop with Ctrl-C")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs an operation as a caller with an idempotency key does: what failed for a reason that passes is asked again.
    async fn call(&self, query: &str, variables: Value) -> Value {
        let last = Instant::now() + Duration::from_secs(60);
        loop {
            match self.admin.answer(query, variables.clone()).await {
                Ok(mut answer) if answer["errors"].is_null() => return answer["data"].take(),
                answer if Instant::now() > last => panic!("{query}: {answer:?}"),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// A service, and a host for each so many bookings at the same time.
    async fn desk(&self) -> (Value, Value, String) {
        let made = self.call("mutation($user: String!) {
            createService(input: { idempotencyKey: \"s\", name: \"First visit\", durationMs: 1800000 }) { service { id } }
            createHost(input: { idempotencyKey: \"h\", name: \"Front desk\", providerUser: $user, capacity: 100 }) { host { id createdAt } } }",
            json!({ "user": self.cloud.user().await })).await;
        let host = &made["createHost"]["host"];
        let now: chrono::DateTime<chrono::Utc> =
            host["createdAt"].as_str().unwrap().parse().unwrap();
        let start = (now + chrono::TimeDelta::milliseconds(DAY_MS)).to_rfc3339();
        (
            made["createService"]["service"]["id"].clone(),
            host["id"].clone(),
            start,
        )
    }

    async fn book(&self, desk: &(Value, Value, String), key: String) -> String {
        let input = json!({"input": {
            "idempotencyKey": key, "start": desk.2, "serviceId": desk.0, "hostId": desk.1,
            "guests": [{"name": "A Guest", "email": "a@guest.example"}],
        }});
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id } refusal { reason message } } }";
        let booked = self.call(query, input).await;
        let id = booked["bookMeeting"]["booking"]["id"].as_str();
        id.unwrap_or_else(|| panic!("{booked}")).to_owned()
    }

    /// Waits until the booking's meeting and lobby are in these states.
    async fn until(&self, booking: &str, meeting: &str, lobby: &str) {
        let query = "query($id: ID!) { booking(id: $id) { meeting { state } lobby { state } } }";
        eventually(&format!("{meeting} and {lobby}"), || async {
            let seen = self.call(query, json!({ "id": booking })).await;
            seen["booking"]["meeting"]["state"] == meeting
                && seen["booking"]["lobby"]["state"] == lobby
        })
        .await;
    }

    async fn ends(&self, booking: &str) {
        let end = "mutation($id: ID!) { endMeeting(input: { bookingId: $id }) { booking { state } refusal { reason } } }";
        self.call(end, json!({ "id": booking })).await;
        self.until(booking, "ENDED", "CLOSED").await;
    }

    async fn verified(self) {
        let data = self.data();
        drop(self.processes);
        let logs = convene::audit::read(&Database::sqlite(&data), None)
            .await
            .unwrap();
        for log in &logs {
            let problems = convene::audit::verify(log).await.unwrap();
            assert!(problems.is_empty(), "{problems:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_booking_completes_over_five_processes() {
    let house = Apart::start();
    let desk = house.desk().await;
    let booking = house.book(&desk, "b".to_owned()).await;
    house.until(&booking, "READY", "OPEN").await;
    let moved = house.call("mutation { advanceClock(input: { byMs: 1000 }) { clock { version } refusal { reason } } }", json!({})).await;
    assert_eq!(moved["advanceClock"]["clock"]["version"], 1, "{moved}");
    house.ends(&booking).await;
    house.verified().await;
}

/// Each role in turn is killed in the middle of a hundred bookings.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_all_bookings_end_right() {
    let mut house = Apart::start();
    let desk = house.desk().await;
    let mut all = Vec::new();
    for role in RoleName::all() {
        let doomed = house.processes.remove(&role).unwrap();
        let folder = house.folder.path().to_owned();
        let share = BOOKINGS / RoleName::all().len();
        let made = AtomicUsize::new(0);
        let booking = stream::iter(0..share)
            .map(async |n| {
                let booking = house.book(&desk, format!("{role}-{n}")).await;
                made.fetch_add(1, Ordering::Relaxed);
                booking
            })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>();
        let killing = async {
            eventually("half of them are made", async || {
                made.load(Ordering::Relaxed) >= share / 2
            })
            .await;
            let again = move || {
                doomed.kill();
                let killed = Instant::now();
                let again = Apart::process(&folder, role);
                (again, killed, killed.elapsed())
            };
            tokio::task::spawn_blocking(again).await.unwrap()
        };
        let (booked, (again, killed, ready)) = tokio::join!(booking, killing);
        house.processes.insert(role, again);
        let answered = killed.elapsed();
        for booking in &booked {
            house.until(booking, "READY", "OPEN").await;
        }
        println!(
            "RECOVERY role={role} ready_ms={} answered_ms={} settled_ms={}",
            ready.as_millis(),
            answered.as_millis(),
            killed.elapsed().as_millis()
        );
        all.extend(booked);
    }
    let world = house.cloud.get("meetings").await;
    assert_eq!(world["events"].as_array().unwrap().len(), all.len(), "I2");
    assert_eq!(world["createdEvents"], all.len(), "I2");
    for booking in &all {
        house.ends(booking).await;
    }
    house.verified().await;
}

/// What has no certificate of the CA gets no answer, nor does what calls without TLS.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_not_let_in() {
    let house = Apart::start();
    let own = house.folder.path().join("tls");
    let foreign = house.folder.path().join("foreign");
    run(&["certificates", "--dir", &foreign.display().to_string()]);
    let scheduler = house.processes[&"scheduler".parse::<RoleName>().unwrap()].said("scheduler ");
    let files = |ca: &Path, identity: &Path, name: &str| convene_kit::tls::TlsFiles {
        ca: ca.join("ca.pem"),
        certificate: identity.join(format!("{name}.pem")),
        key: identity.join(format!("{name}.key")),
    };
    let asks = async |role: &str, tls: Option<convene_kit::tls::TlsFiles>| {
        let tls = tls.map(|files| convene_kit::tls::Tls::load(&files).unwrap());
        let channel = convene_kit::remote::channel("test", role, &scheduler, tls.as_ref());
        let mut health = tonic_health::pb::health_client::HealthClient::new(channel.unwrap());
        let asked = tonic_health::pb::HealthCheckRequest::default();
        health
            .check(asked)
            .await
            .map(|answer| answer.into_inner().status)
    };
    let serving = tonic_health::pb::health_check_response::ServingStatus::Serving as i32;
    eventually("the scheduler serves", || async {
        asks("scheduler", Some(files(&own, &own, "gateway")))
            .await
            .ok()
            == Some(serving)
    })
    .await;
    for (who, role, tls) in [
        ("no TLS", "scheduler", None),
        (
            "a certificate of another CA",
            "scheduler",
            Some(files(&own, &foreign, "gateway")),
        ),
        (
            "who believes another CA",
            "scheduler",
            Some(files(&foreign, &own, "gateway")),
        ),
        (
            "who looks for another role",
            "meeting-broker",
            Some(files(&own, &own, "gateway")),
        ),
    ] {
        let answer = asks(role, tls).await;
        assert!(answer.is_err(), "{who}: {answer:?}");
    }
    house.verified().await;
}

/// Keys change under running processes: calls, permits and sealed rows go on; a retired key is refused while it is needed.
#[tokio::test(flavor = "multi_thread")]
async fn the_house_goes_on_over_a_rotation_of_keys() {
    let house = Apart::start();
    let desk = house.desk().await;
    let before = house.book(&desk, "before".to_owned()).await;
    house.until(&before, "READY", "OPEN").await;
    let data = house.data().display().to_string();
    run(&["keys", "rotate", "--data", &data, "--in", "8s"]);
    for role in RoleName::all() {
        let keys = house.folder.path().join(format!("{role}.keys.json"));
        let keys = keys.display().to_string();
        run(&[
            "keys",
            "export",
            "--data",
            &data,
            "--roles",
            role.as_str(),
            "--out",
            &keys,
        ]);
    }
    let retire = |id: &str| {
        let arguments = ["keys", "retire", id, "--data", &data];
        let ended = Command::new(BINARY).args(arguments).output().unwrap();
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    assert!(retire("join-details-1").contains("KEY_IN_USE"));
    let sealed = |id: &'static str| {
        let database = Database::sqlite(house.data());
        async move {
            let rows = convene_kit::db::snapshot(&database, "meeting-broker").await;
            let rows = rows.unwrap().unwrap();
            convene_meeting_broker::sealed_with(&rows, id)
                .await
                .unwrap()
        }
    };
    eventually("the new key seals the old row", || async {
        sealed("join-details-2").await == 1 && sealed("join-details-1").await == 0
    })
    .await;
    let after = house.book(&desk, "after".to_owned()).await;
    house.until(&after, "READY", "OPEN").await;
    for booking in [&before, &after] {
        house.ends(booking).await;
    }
    house.verified().await;
}

/// The doctor looks at the other processes from one of them, over mTLS.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_sees_each_role() {
    let mut house = Apart::start();
    let config = house.folder.path().join("gateway.toml");
    let examined = || {
        let config = config.display().to_string();
        let arguments = [
            "doctor", "--json", "--roles", "gateway", "--config", &config,
        ];
        let done = Command::new(BINARY).args(arguments).output().unwrap();
        let said: Value = serde_json::from_slice(&done.stdout).unwrap();
        let findings = said["findings"].as_array().unwrap().clone();
        let of = move |code: &str| {
            let findings = findings.iter().filter(|one| one["code"] == code);
            let mut subjects: Vec<_> = findings
                .map(|one| one["subject"].as_str().unwrap().to_owned())
                .collect();
            subjects.sort();
            subjects
        };
        (done.status.success(), of)
    };
    let others = RoleName::all().into_iter().map(RoleName::as_str);
    let mut others: Vec<_> = others.filter(|role| *role != "gateway").collect();
    others.sort_unstable();
    eventually("all serve", || async {
        examined().1("ROLE_SERVES") == others
    })
    .await;
    let (healthy, found) = examined();
    assert!(healthy, "{:?}", found("ROLE_SILENT"));
    assert_eq!(found("CERTIFICATE_GOOD").len(), 2);
    let scheduler = house
        .processes
        .remove(&"scheduler".parse::<RoleName>().unwrap());
    scheduler.unwrap().kill();
    let (healthy, found) = examined();
    assert_eq!(
        (healthy, found("ROLE_SILENT")),
        (false, vec!["scheduler".to_owned()])
    );
    house.verified().await;
}
