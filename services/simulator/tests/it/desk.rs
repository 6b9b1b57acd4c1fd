//! A simulator on a free port, and a client with a token.

use std::sync::Once;

use convene_simulator::{Simulator, SimulatorConfig, SimulatorEnv};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    /// `error.code`.
    pub fn code(&self) -> String {
        let code = &self.json()["error"]["code"];
        code.as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    pub fn with(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status, status, "{text}");
        self.json()
    }

    /// An error of this status and code, as communication services tell it.
    #[track_caller]
    pub fn refused_by_acs(&self, status: u16, code: &str) {
        let body = self.with(status);
        assert_eq!(self.code(), code, "{body}");
        assert_eq!(self.header("x-ms-error-code"), code);
    }

    /// An error of this status and code, in Graph's envelope.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        let body = self.with(status);
        assert_eq!(self.code(), code, "{body}");
        assert!(body["error"]["message"].is_string(), "{body}");
        let inner = &body["error"]["innerError"];
        assert!(inner["date"].is_string(), "{body}");
        assert_eq!(inner["request-id"], self.header("request-id"));
    }
}

/// Simulator and client.
pub struct Desk {
    pub simulator: Simulator,
    pub http: Client,
    pub env: SimulatorEnv,
    pub token: String,
}

pub fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    Client::builder().no_proxy().build().unwrap()
}

pub async fn send(request: RequestBuilder) -> Reply {
    let answer = request.send().await.unwrap();
    Reply {
        status: answer.status(),
        headers: answer.headers().clone(),
        bytes: answer.bytes().await.unwrap().to_vec(),
    }
}

impl Desk {
    pub async fn new() -> Self {
        Self::with(SimulatorConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            ..SimulatorConfig::default()
        })
        .await
    }

    pub async fn with(config: SimulatorConfig) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let mut desk = Self {
            http: client(),
            env: simulator.env(),
            token: String::new(),
            simulator,
        };
        desk.token = desk.fresh_token().await;
        desk
    }

    pub async fn fresh_token(&self) -> String {
        let token = self.ask_token(&self.token_form()).await.with(200);
        token["access_token"].as_str().unwrap().to_owned()
    }

    pub fn token_form(&self) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.env.graph_client_id.clone()),
            ("client_secret", self.env.graph_client_secret.clone()),
            ("scope", "https://graph.microsoft.com/.default".to_owned()),
        ]
    }

    pub async fn ask_token(&self, form: &[(&'static str, String)]) -> Reply {
        send(self.http.post(&self.env.graph_token_url).form(form)).await
    }

    /// A request below `/v1.0` (or another version when the path begins with one), with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.starts_with("/beta") || path.starts_with("/V1") {
            true => format!("{}{path}", self.simulator.base_url()),
            false => format!("{}{path}", self.env.graph_base),
        };
        self.http.request(method, url).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Reply {
        send(self.request(Method::GET, path)).await
    }

    pub async fn find(&self, path: &str, query: &[(&str, &str)]) -> Reply {
        send(self.request(Method::GET, path).query(query)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        send(self.request(Method::DELETE, path)).await
    }

    /// A request of the control API.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let url = format!("{}/_simulator/{path}", self.simulator.base_url());
        let request = self.http.request(method, url);
        send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub async fn fault(&self, rule: Value) {
        self.control(Method::POST, "faults", Some(rule))
            .await
            .with(201);
    }

    pub async fn summary(&self) -> Value {
        self.control(Method::GET, "meetings", None).await.with(200)
    }

    /// Moves the clock forward by so many milliseconds.
    pub async fn advance(&self, ms: i64) {
        let now = self.control(Method::GET, "clock", None).await.with(200);
        let offset = now["offsetMs"].as_i64().unwrap() + ms;
        let body = json!({"offsetMs": offset});
        self.control(Method::PUT, "clock", Some(body))
            .await
            .with(200);
    }

    /// `/users/{host}` and the rest.
    pub fn host(&self, rest: &str) -> String {
        format!("/users/{}{rest}", self.env.graph_user)
    }

    /// An online event of the host; answers it.
    pub async fn online_event(&self, subject: &str) -> Value {
        let reply = self.post(&self.host("/events"), online(subject)).await;
        reply.with(201)
    }

    /// The online meeting behind a new event: event and meeting.
    pub async fn meeting(&self) -> (Value, Value) {
        let event = self.online_event("Visit").await;
        let url = event["onlineMeeting"]["joinUrl"].as_str().unwrap();
        let filter = format!("JoinWebUrl eq '{url}'");
        let path = self.host("/onlineMeetings");
        let found = self.find(&path, &[("$filter", &filter)]).await.with(200);
        let meeting = found["value"][0].clone();
        assert!(meeting["id"].is_string(), "{found}");
        (event, meeting)
    }

    /// A person comes; answers them.
    pub async fn comes(&self, meeting: &Value, kind: &str) -> Value {
        let body = json!({"joinWebUrl": meeting["joinWebUrl"], "kind": kind});
        let reply = self
            .control(Method::POST, "meetings/join", Some(body))
            .await;
        reply.with(201)
    }

    /// The application's established call into a meeting: its path.
    pub async fn call_into(&self, meeting: &Value) -> String {
        let reply = self.post("/communications/calls", join(meeting)).await;
        let call = reply.with(201);
        self.advance(60).await;
        format!("/communications/calls/{}", call["id"].as_str().unwrap())
    }

    /// Begins a beta action of a call and answers the operation when it is over.
    pub async fn act(&self, call: &str, action: &str) -> Value {
        let begun = self.post(&format!("/beta{call}/{action}"), json!({})).await;
        let operation = begun.with(202);
        assert_eq!(operation["status"], "running");
        self.advance(60).await;
        let id = operation["id"].as_str().unwrap();
        self.get(&format!("/beta{call}/operations/{id}"))
            .await
            .with(200)
    }
}

/// A path segment.
pub fn segment(value: &Value) -> String {
    let text = value.as_str().unwrap();
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

pub fn at(hour: u32) -> Value {
    json!({"dateTime": format!("2031-01-06T{hour:02}:00:00"), "timeZone": "UTC"})
}

pub fn online(subject: &str) -> Value {
    json!({
        "subject": subject,
        "start": at(10),
        "end": at(11),
        "isOnlineMeeting": true,
        "onlineMeetingProvider": "teamsForBusiness",
    })
}

/// The body of joining by organizer.
pub fn join(meeting: &Value) -> Value {
    json!({
        "callbackUri": "https://example.com/calls",
        "requestedModalities": ["audio"],
        "chatInfo": {"threadId": meeting["chatInfo"]["threadId"], "messageId": "0"},
        "meetingInfo": {
            "@odata.type": "#microsoft.graph.organizerMeetingInfo",
            "organizer": {"user": {"id": meeting["participants"]["organizer"]["identity"]["user"]["id"]}},
        },
    })
}
