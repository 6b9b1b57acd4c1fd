//! A simulator on a free port and a client with a token.

use convene_simulator::{Simulator, SimulatorConfig, SimulatorEnv};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

pub struct Cloud {
    pub simulator: Simulator,
    pub env: SimulatorEnv,
    pub http: reqwest::Client,
    pub token: String,
}

impl Cloud {
    pub async fn new() -> Self {
        Self::with(SimulatorConfig::default()).await
    }

    pub async fn with(config: SimulatorConfig) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen = "127.0.0.1:0".parse().unwrap();
        let simulator = Simulator::start(SimulatorConfig { listen, ..config })
            .await
            .unwrap();
        let env = simulator.env();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut cloud = Self {
            simulator,
            env,
            http,
            token: String::new(),
        };
        let granted = cloud.grant(&[]).await;
        cloud.token = granted.1["access_token"].as_str().unwrap().to_owned();
        cloud
    }

    /// Asks for a token with some fields changed; an empty value leaves the field out.
    pub async fn grant(&self, changed: &[(&str, &str)]) -> (u16, Value) {
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.env.graph_client_id.as_str()),
            ("client_secret", self.env.graph_client_secret.as_str()),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        for (name, value) in changed {
            form.retain(|(known, _)| known != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        let answer = self
            .http
            .post(&self.env.graph_token_url)
            .form(&form)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub fn graph(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.env.graph_base))
            .bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        answered(self.graph(Method::GET, path)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        answered(self.graph(method, path).json(&body)).await
    }

    pub async fn beta(&self, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.env.graph_beta_base);
        answered(
            self.http
                .post(url)
                .bearer_auth(&self.token)
                .json(&json!({})),
        )
        .await
    }

    pub async fn control(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/_simulator/{path}", self.simulator.base_url());
        answered(self.http.request(method, url).json(&body)).await
    }

    pub fn events(&self) -> String {
        format!("/users/{}/events", self.env.graph_user)
    }

    pub fn meetings(&self) -> String {
        format!("/users/{}/onlineMeetings", self.env.graph_user)
    }

    /// An online event; answers it.
    pub async fn event(&self, transaction: &str) -> Value {
        let (status, event) = self
            .send(Method::POST, &self.events(), online(transaction))
            .await;
        assert_eq!(status, 201, "{event}");
        event
    }

    /// The meeting behind an event.
    pub async fn meeting(&self, event: &Value) -> Value {
        let url = event["onlineMeeting"]["joinUrl"].as_str().unwrap();
        let filter = format!("JoinWebUrl eq '{url}'");
        let request = self.graph(Method::GET, &self.meetings());
        let (_, found) = answered(request.query(&[("$filter", filter.as_str())])).await;
        found["value"][0].clone()
    }
}

pub fn online(transaction: &str) -> Value {
    json!({
        "subject": "First visit",
        "start": {"dateTime": "2031-01-01T10:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2031-01-01T10:30:00.0000000", "timeZone": "UTC"},
        "isOnlineMeeting": true,
        "onlineMeetingProvider": "teamsForBusiness",
        "transactionId": transaction,
        "singleValueExtendedProperties": [{"id": "String {x} Name K", "value": transaction}],
    })
}

pub async fn answered(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}
