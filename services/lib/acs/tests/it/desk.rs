//! A port in memory, and requests to the face in front of it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use async_trait::async_trait;
use axum::body::{Body, to_bytes};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use convene_acs::{
    BadToken, Command, Face, Keys, Moment, Once, Outcome, Port, Problem, Resource, Signer,
    Simulated, State, TeamsUser,
};
use http::{HeaderMap, Method, Request, StatusCode};
use ring::{
    digest::{SHA256, digest},
    hmac,
};
use serde_json::Value;
use uuid::Uuid;

/// 2030-01-01.
pub const NOW_MS: i64 = 1_893_456_000_000;
pub const DATE: &str = "Tue, 01 Jan 2030 00:00:00 GMT";
pub const PRIMARY: [u8; 64] = [1; 64];
pub const SECONDARY: [u8; 64] = [2; 64];
const SIGNING_KEY: &[u8] = include_bytes!("../../../../simulator/data/acs-signing-key.p8.der");

pub struct Memory {
    resource: Resource,
    /// Business time; the wall stands still.
    pub now_ms: AtomicI64,
    pub state: Mutex<State>,
    made: AtomicI64,
}

#[async_trait]
impl Port for Memory {
    fn resource(&self) -> &Resource {
        &self.resource
    }

    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn wall_ms(&self) -> i64 {
        NOW_MS
    }

    fn entra(&self, token: &str) -> Result<(), BadToken> {
        match token {
            "good" => Ok(()),
            _ => Err(BadToken("no token of ours")),
        }
    }

    fn teams_user(&self, _token: &str) -> Result<TeamsUser, BadToken> {
        Err(BadToken("no Teams here"))
    }

    async fn run(&self, command: Command, once: Option<Once>) -> Result<Outcome, Problem> {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        let moment = Moment {
            resource: &self.resource.id,
            now_ms: self.now_ms(),
            fresh: Uuid::from_u128(made.unsigned_abs().into()),
            parties: &Simulated,
        };
        self.state
            .lock()
            .unwrap()
            .run(command, once.as_ref(), moment)
    }
}

/// The face and what is behind it.
pub struct Desk {
    pub face: Face,
    pub memory: Arc<Memory>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    #[track_caller]
    pub fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// `error.code`.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// What is signed, and what is sent; they differ where a test wants it.
#[derive(Clone)]
pub struct Wanted {
    pub method: Method,
    pub path: String,
    pub signed_path: String,
    pub body: Vec<u8>,
    pub key: [u8; 64],
    pub headers: Vec<(&'static str, String)>,
}

pub fn wanted(method: Method, path: &str, body: &str) -> Wanted {
    let version = match path.starts_with("/rooms") {
        true => "2025-03-13",
        false => "2023-10-01",
    };
    let path = format!("{path}?api-version={version}");
    Wanted {
        method,
        signed_path: path.clone(),
        path,
        body: body.into(),
        key: PRIMARY,
        headers: Vec::new(),
    }
}

impl Desk {
    pub fn new() -> Self {
        let memory = Arc::new(Memory {
            resource: Resource {
                id: "r".to_owned(),
                keys: Keys::new(PRIMARY, SECONDARY),
                signer: Signer::from_pkcs8(SIGNING_KEY).unwrap(),
            },
            now_ms: AtomicI64::new(NOW_MS),
            state: Mutex::default(),
            made: AtomicI64::new(1),
        });
        Self {
            face: Face::new(memory.clone()),
            memory,
        }
    }

    pub async fn send(&self, wanted: Wanted) -> Reply {
        let hash = STANDARD.encode(digest(&SHA256, &wanted.body));
        let text = format!(
            "{}\n{}\n{DATE};acs;{hash}",
            wanted.method, wanted.signed_path
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &wanted.key);
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let authorization = format!(
            "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"
        );
        let mut request = Request::new(Body::from(wanted.body));
        *request.method_mut() = wanted.method;
        *request.uri_mut() = wanted.path.parse().unwrap();
        let headers = request.headers_mut();
        headers.insert("host", "acs".parse().unwrap());
        headers.insert("x-ms-date", DATE.parse().unwrap());
        headers.insert("x-ms-content-sha256", hash.parse().unwrap());
        headers.insert("authorization", authorization.parse().unwrap());
        for (name, value) in wanted.headers {
            headers.insert(name, value.parse().unwrap());
        }
        let answer = self.face.answer(request, "https://acs").await;
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    pub async fn ask(&self, method: Method, path: &str, body: &str) -> Reply {
        self.send(wanted(method, path, body)).await
    }

    pub async fn post(&self, path: &str, body: &str) -> Reply {
        self.ask(Method::POST, path, body).await
    }
}
