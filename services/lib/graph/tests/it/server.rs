//! A server that plays the peer: it notes what it is asked and answers as the test says.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{any, post},
};
use convene_graph::{Graph, GraphConfig};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;

/// Nothing that contains this word may be shown.
pub const CANARY: &str = "canary";
pub const SECRET: &str = "canary-secret";
pub const LINK: &str = "https://canary.example/l/19%3ameeting_a'b%40thread.v2/0?context=%7b%7d";

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Path and query, still encoded.
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Where this server is.
    pub fn base(&self) -> String {
        format!("http://{}", self.header("host").unwrap())
    }
}

type Grant = dyn Fn(usize) -> BoxFuture<'static, Response> + Send + Sync;

pub struct Server {
    pub base: String,
    pub tokens: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Grants tokens, and answers everything else with `answer`, which is told how many requests came before.
    pub async fn start(answer: impl Fn(usize, &Asked) -> Response + Send + Sync + 'static) -> Self {
        Self::granting(
            |number| Box::pin(async move { granted(number, 3_599) }),
            answer,
        )
        .await
    }

    /// [`Self::start`] with its own token endpoint.
    pub async fn granting(
        grant: impl Fn(usize) -> BoxFuture<'static, Response> + Send + Sync + 'static,
        answer: impl Fn(usize, &Asked) -> Response + Send + Sync + 'static,
    ) -> Self {
        let tokens = Arc::new(AtomicUsize::new(0));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (count, grant): (_, Arc<Grant>) = (tokens.clone(), Arc::new(grant));
        let (log, answer) = (asked.clone(), Arc::new(answer));
        let token = move || grant(count.fetch_add(1, Ordering::SeqCst));
        let rest = move |request: Request<Body>| {
            let (log, answer) = (log.clone(), answer.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 100_000).await.unwrap();
                let this = Asked {
                    method: parts.method.to_string(),
                    target: parts.uri.to_string(),
                    headers: parts.headers,
                    body: String::from_utf8(body.to_vec()).unwrap(),
                };
                let number = {
                    let mut log: std::sync::MutexGuard<'_, Vec<Asked>> = log.lock().unwrap();
                    log.push(this.clone());
                    log.len() - 1
                };
                answer(number, &this)
            }
        };
        let router = Router::new()
            .route("/token", post(token))
            .fallback(any(rest));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            base,
            tokens,
            asked,
        }
    }

    pub fn graph(&self) -> Graph {
        Graph::new(config(&self.base)).unwrap()
    }

    /// What came, tokens aside.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn tokens(&self) -> usize {
        self.tokens.load(Ordering::SeqCst)
    }
}

pub fn config(base: &str) -> GraphConfig {
    let _ = rustls::crypto::ring::default_provider().install_default();
    GraphConfig {
        base: format!("{base}/v1.0"),
        beta_base: format!("{base}/beta"),
        token_url: format!("{base}/token"),
        tenant: "tenant".into(),
        client_id: "client".into(),
        client_secret: SECRET.into(),
        timeout_ms: 10_000,
        connect_timeout_ms: 5_000,
        response_bytes_max: 10_000,
    }
}

/// [`config`] for those who wait for a time-out.
pub fn hasty(base: &str) -> GraphConfig {
    GraphConfig {
        timeout_ms: 1_000,
        ..config(base)
    }
}

pub fn granted(number: usize, expires_in: u64) -> Response {
    format!("{{\"access_token\":\"canary-token-{number}\",\"expires_in\":{expires_in}}}")
        .into_response()
}

/// An error answer of Graph's form.
pub fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = serde_json::json!({"error": {"code": code, "message": message}});
    (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
}

/// An empty collection.
pub fn nothing() -> Response {
    "{\"value\":[]}".into_response()
}
