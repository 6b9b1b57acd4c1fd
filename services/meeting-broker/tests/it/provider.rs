//! The simulator, as tests break it and look at it.

use convene_simulator::{Simulator, SimulatorConfig, SimulatorEnv};
use serde_json::{Value, json};

/// A running simulator with its control API.
pub struct Provider {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Provider {
    /// On a free port of loopback, in memory only.
    pub async fn start() -> Self {
        // A second world in the same process finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = SimulatorConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            ..SimulatorConfig::default()
        };
        Self {
            simulator: Simulator::start(config).await.unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    pub fn env(&self) -> SimulatorEnv {
        self.simulator.env()
    }

    /// Plays `action` on the next `times` requests (0: on all) of this method whose path holds `path`.
    pub async fn fault(&self, method: &str, path: &str, times: u32, action: Value) {
        let mut rule = json!({"method": method, "pathContains": path, "action": action});
        if times > 0 {
            rule["times"] = times.into();
        }
        self.control("faults", rule).await;
    }

    /// An administrator consents to these permissions alone.
    pub async fn grant(&self, permissions: &[&str]) {
        self.put("permissions", json!({ "granted": permissions }))
            .await;
    }

    /// Gives a user the application access policy, or takes it.
    pub async fn cover(&self, user: &str, covered: bool) {
        self.put("policies", json!({ user: covered })).await;
    }

    pub async fn put(&self, path: &str, body: Value) {
        let request = self.http.put(self.url(path)).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    /// Forgets all faults.
    pub async fn heal(&self) {
        let healed = self.http.delete(self.url("faults")).send().await.unwrap();
        assert!(healed.status().is_success());
    }

    /// How a repeated `transactionId` is answered.
    pub async fn repeats_conflict(&self, conflict: bool) {
        self.control("repeats", json!({ "conflict": conflict }))
            .await;
    }

    /// Whether a join link leads somewhere: its status when a person opens it.
    pub async fn opens(&self, join_url: &str) -> u16 {
        let body = json!({"joinWebUrl": join_url, "kind": "guest"});
        let request = self.http.post(self.url("meetings/join")).json(&body);
        request.send().await.unwrap().status().as_u16()
    }

    /// Live events that carry a key.
    pub async fn events(&self, key: &str) -> usize {
        let all = self.get("meetings").await;
        let events = all["events"].as_array().unwrap();
        let carry = events.iter().filter(|event| event["transactionId"] == key);
        carry.count()
    }

    /// The organizer of the meeting that carries a key comes into it.
    pub async fn organizer_joins(&self, key: &str) {
        let all = self.get("meetings").await;
        let mut meetings = all["meetings"].as_array().unwrap().iter();
        let meeting = meetings.find(|meeting| meeting["transactionId"] == key);
        let body = json!({"meetingId": meeting.unwrap()["id"], "kind": "organizer"});
        self.control("meetings/join", body).await;
    }

    /// Events that were ever created.
    pub async fn created(&self) -> u64 {
        self.get("meetings").await["createdEvents"]
            .as_u64()
            .unwrap()
    }

    /// The one online meeting: `{lobbyBypassScope, recording, recordings, calls, …}`.
    pub async fn meeting(&self) -> Value {
        let mut all = self.get("meetings").await;
        let meetings = all["meetings"].as_array_mut().unwrap();
        assert_eq!(meetings.len(), 1);
        meetings.remove(0)
    }

    /// Requests of a method whose path ends like this.
    pub async fn requests(&self, method: &str, path: &str) -> Vec<Value> {
        let all = self.get("requests").await;
        let asked = |r: &&Value| {
            r["method"] == method && r["path"].as_str().is_some_and(|p| p.ends_with(path))
        };
        all.as_array()
            .unwrap()
            .iter()
            .filter(asked)
            .cloned()
            .collect()
    }

    /// Somebody deletes every event of the user's calendar.
    pub async fn remove_all_events(&self) {
        let all = self.get("meetings").await;
        let (env, token) = (self.env(), self.token().await);
        for event in all["events"].as_array().unwrap() {
            let id = event["id"].as_str().unwrap();
            let url = format!("{}/users/{}/events/{id}", env.graph_base, env.graph_user);
            let request = self.http.delete(url).bearer_auth(&token);
            assert_eq!(request.send().await.unwrap().status(), 204);
        }
    }

    async fn token(&self) -> String {
        let env = self.env();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &env.graph_client_id),
            ("client_secret", &env.graph_client_secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let request = self.http.post(&env.graph_token_url).form(&form);
        let token: Value = request.send().await.unwrap().json().await.unwrap();
        token["access_token"].as_str().unwrap().to_owned()
    }

    /// An event under a key of ours that the broker did not make.
    pub async fn stray_event(&self, key: &str) {
        let (env, token) = (self.env(), self.token().await);
        let at = |hour: u32| json!({"dateTime": format!("2031-01-01T{hour:02}:00:00"), "timeZone": "UTC"});
        let event = json!({
            "subject": "stray", "start": at(10), "end": at(11), "isOnlineMeeting": true,
            "singleValueExtendedProperties": [{
                "id": "String {6c1a7f1e-52a4-4c2b-9d0f-3f6f5c0b8a11} Name ConveneBooking",
                "value": key,
            }],
        });
        let url = format!("{}/users/{}/events", env.graph_base, env.graph_user);
        let request = self.http.post(url).json(&event);
        let made = request.bearer_auth(token).send().await.unwrap();
        assert_eq!(made.status(), 201);
    }

    /// The organizer ends the meeting for everybody in it.
    pub async fn end_for_all(&self, join_url: &str) {
        self.control("meetings/end", json!({ "joinWebUrl": join_url }))
            .await;
    }

    /// All live events.
    pub async fn live(&self) -> usize {
        self.get("meetings").await["events"]
            .as_array()
            .unwrap()
            .len()
    }

    fn url(&self, path: &str) -> String {
        format!("{}/_simulator/{path}", self.simulator.base_url())
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(self.url(path)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn control(&self, path: &str, body: Value) {
        let request = self.http.post(self.url(path)).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}
