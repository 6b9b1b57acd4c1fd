//! Processes, the provider that outlives them, and who talks to them.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use convene::graphql::Client;
use serde_json::{Value, json};

use crate::{BINARY, DAY_MS};

/// A process that is killed with the test.
pub struct Process {
    child: Child,
    /// What it printed until it was ready.
    pub greeting: String,
}

impl Process {
    /// Starts and reads standard output up to a line that contains `ready`.
    pub fn start(arguments: &[&str], ready: &str) -> Self {
        let mut command = Command::new(BINARY);
        command.args(arguments);
        Self::of(command, ready)
    }

    /// The same for a command that becomes the binary.
    pub fn of(mut command: Command, ready: &str) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            // What it complains of stands beside the test's own output.
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        loop {
            let line = lines.next().expect("it ended early").unwrap();
            greeting.push_str(&line);
            greeting.push('\n');
            if line.contains(ready) {
                break;
            }
        }
        Self { child, greeting }
    }

    /// The first word behind a label of the greeting.
    pub fn said(&self, label: &str) -> String {
        let line = self.greeting.lines().find(|line| line.contains(label));
        let rest = line.unwrap().split_once(label).unwrap().1;
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command that fails; answers what it complained of.
    pub fn fails(mut command: Command) -> String {
        let ended = command.output().unwrap();
        assert!(!ended.status.success());
        String::from_utf8(ended.stderr).unwrap()
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already, when the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A simulator of its own: the provider outlives the node that is killed.
#[derive(Clone)]
pub struct Cloud {
    _process: std::sync::Arc<Process>,
    pub base: String,
    http: reqwest::Client,
}

impl Cloud {
    pub fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let process = Process::start(
            &["simulator", "--no-https", "--listen", "127.0.0.1:0"],
            "control API",
        );
        Self {
            base: process.said("Simulator of Graph and Entra at"),
            _process: process.into(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_simulator/{path}", self.base);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null)
    }

    pub async fn put(&self, path: &str, body: Value) {
        let url = format!("{}/_simulator/{path}", self.base);
        let answer = self.http.put(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
    }

    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}/_simulator/{path}", self.base);
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub async fn user(&self) -> String {
        self.get("env").await["GRAPH_USER"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until a request of this kind has come in.
    pub async fn asked(&self, method: &str, path_ends: &str) {
        eventually("the provider was asked", || async {
            let requests = self.get("requests").await;
            let mut requests = requests.as_array().unwrap().iter();
            requests.any(|request| {
                request["method"] == method
                    && request["path"].as_str().unwrap().ends_with(path_ends)
            })
        })
        .await;
    }

    pub async fn heal(&self) {
        let url = format!("{}/_simulator/faults", self.base);
        self.http.delete(url).send().await.unwrap();
    }
}

pub async fn eventually<F, Fut>(what: &str, mut look: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let patience = tokio::time::Instant::now() + Duration::from_secs(40);
    while !look().await {
        assert!(
            tokio::time::Instant::now() < patience,
            "did not happen in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub struct Up {
    pub process: Process,
    pub admin: Client,
}

impl Up {
    pub fn start(data: &Path, cloud: &Cloud) -> Self {
        Self::by(Command::new(BINARY), data, cloud)
    }

    /// Started by a command that becomes the binary and hands it these arguments.
    pub fn by(mut command: Command, data: &Path, cloud: &Cloud) -> Self {
        command.args(["up", "--listen", "127.0.0.1:0", "--simulator", &cloud.base]);
        command.arg("--data").arg(data);
        let process = Process::of(command, "Stop with Ctrl-C");
        let url = process.said("GraphQL ").replace("/graphql", "");
        let key = process.said("Admin key");
        Self {
            admin: Client::new(&url, &format!("Bearer {key}")).unwrap(),
            process,
        }
    }

    pub async fn call(&self, query: &str, variables: Value) -> Value {
        self.admin.call(query, variables).await.unwrap()
    }

    /// Books for tomorrow; answers the booking's id as soon as it is acknowledged.
    pub async fn book(&self, cloud: &Cloud) -> String {
        let wish = self.wish(cloud, 1).await;
        self.books(&wish, "b").await.unwrap()
    }

    /// A service, and a host with room for so many at the same time; answers a wish for tomorrow without its key.
    pub async fn wish(&self, cloud: &Cloud, capacity: u32) -> Value {
        let user = cloud.user().await;
        let made = self.call("mutation($user: String!, $capacity: Int!) {
            createService(input: { idempotencyKey: \"s\", name: \"First visit\", durationMs: 1800000 }) { service { id } }
            createHost(input: { idempotencyKey: \"h\", name: \"Front desk\", providerUser: $user, capacity: $capacity }) { host { id createdAt } } }",
            json!({ "user": user, "capacity": capacity })).await;
        let now = made["createHost"]["host"]["createdAt"].as_str().unwrap();
        let now: chrono::DateTime<chrono::Utc> = now.parse().unwrap();
        let start = (now + chrono::TimeDelta::milliseconds(DAY_MS)).to_rfc3339();
        json!({
            "start": start,
            "serviceId": made["createService"]["service"]["id"], "hostId": made["createHost"]["host"]["id"],
            "guests": [{"name": "A Guest", "email": "a@guest.example"}],
        })
    }

    /// Books a wish under this key once; answers the booking's id, or what the API said instead.
    pub async fn books(&self, wish: &Value, key: &str) -> Result<String, Value> {
        let mut wish = wish.clone();
        wish["idempotencyKey"] = key.into();
        let query = "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id } refusal { reason } } }";
        let said = self.admin.answer(query, json!({ "input": wish })).await;
        let said = said.unwrap();
        let id = said.pointer("/data/bookMeeting/booking/id");
        id.and_then(Value::as_str).map(str::to_owned).ok_or(said)
    }

    /// Waits until the meeting is there, ends the appointment, and waits until that is done.
    pub async fn completes(&self, booking: &str) {
        let query =
            "query($id: ID!) { booking(id: $id) { state meeting { state } lobby { state } } }";
        let see = || async { self.call(query, json!({ "id": booking })).await["booking"].take() };
        eventually("the meeting is ready", || async {
            see().await["meeting"]["state"] == "READY"
        })
        .await;
        eventually("the lobby is open", || async {
            see().await["lobby"]["state"] == "OPEN"
        })
        .await;
        let end =
            "mutation($id: ID!) { endMeeting(input: { bookingId: $id }) { booking { state } } }";
        self.call(end, json!({ "id": booking })).await;
        eventually("the meeting is over", || async {
            see().await["meeting"]["state"] == "ENDED"
        })
        .await;
        eventually("the lobby is closed", || async {
            see().await["lobby"]["state"] == "CLOSED"
        })
        .await;
    }
}

pub fn verified(data: &Path) {
    let verified = Command::new(BINARY)
        .args(["audit", "verify", "--data", data.to_str().unwrap()])
        .output()
        .unwrap();
    let said = [verified.stdout, verified.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(verified.status.success(), "{said}");
}
