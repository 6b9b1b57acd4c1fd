//! The simulator: as people in meetings meet it, and as tests break it.

use serde_json::{Value, json};

/// Its control API.
pub struct Provider {
    http: reqwest::Client,
    base: String,
}

impl Provider {
    /// At this base address.
    pub fn new(base: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, base }
    }

    /// Base address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Scripts a fault: `{"method", "pathContains", "times", "action"}`.
    pub async fn fault(&self, rule: Value) {
        self.post("faults", rule).await;
    }

    /// Scripted faults that have not acted yet.
    pub async fn faults(&self) -> usize {
        self.get("faults").await.as_array().unwrap().len()
    }

    /// Forgets all faults.
    pub async fn heal(&self) {
        let url = format!("{}/_simulator/faults", self.base);
        let healed = self.http.delete(url).send().await.unwrap();
        assert!(healed.status().is_success());
    }

    /// How a repeated `transactionId` is answered.
    pub async fn repeats_conflict(&self, conflict: bool) {
        self.post("repeats", json!({ "conflict": conflict })).await;
    }

    /// A person opens a join link; answers where they are then.
    pub async fn join(&self, join_url: &str, kind: &str) -> String {
        let body = json!({"joinWebUrl": join_url, "kind": kind});
        let answer = self.post("meetings/join", body).await;
        answer["presence"].as_str().unwrap().to_owned()
    }

    /// What lives: `{events, meetings, createdEvents}`.
    pub async fn meetings(&self) -> Value {
        self.get("meetings").await
    }

    /// Live events.
    pub async fn live_events(&self) -> usize {
        self.meetings().await["events"].as_array().unwrap().len()
    }

    /// Requests so far.
    pub async fn requests(&self) -> Vec<Value> {
        let requests = self.get("requests").await;
        requests.as_array().unwrap().clone()
    }

    async fn get(&self, path: &str) -> Value {
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

    /// Sets `permissions`, `policies`, `clock` …
    pub async fn put(&self, path: &str, body: Value) {
        let url = format!("{}/_simulator/{path}", self.base);
        let answer = self.http.put(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/_simulator/{path}", self.base);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null)
    }
}
