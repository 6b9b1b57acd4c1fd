//! The client against small servers that misbehave in one way each: the peer is Microsoft's API, so it is played here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{any, post},
};
use convene_graph::{Graph, GraphConfig, GraphError};
use futures_util::future::join_all;
use tokio::{io::AsyncReadExt as _, net::TcpListener};

const SECRET: &str = "canary-secret";
const LINK: &str = "https://canary.example/%3ameeting";

struct Server {
    base: String,
    tokens: Arc<AtomicUsize>,
}

/// Answers tokens, and everything else with `answer`.
async fn server(answer: fn(usize) -> Response) -> Server {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tokens = Arc::new(AtomicUsize::new(0));
    let (granted, asked) = (tokens.clone(), Arc::new(AtomicUsize::new(0)));
    let grant = move || {
        let number = granted.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            format!("{{\"access_token\":\"canary-token-{number}\",\"expires_in\":3599}}")
        }
    };
    let router = Router::new()
        .route("/token", post(grant))
        .fallback(any(move || {
            let number = asked.fetch_add(1, Ordering::SeqCst);
            async move { answer(number) }
        }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Server { base, tokens }
}

fn graph(base: &str) -> Graph {
    Graph::new(GraphConfig {
        base: format!("{base}/v1.0"),
        beta_base: format!("{base}/beta"),
        token_url: format!("{base}/token"),
        tenant: "tenant".into(),
        client_id: "client".into(),
        client_secret: SECRET.into(),
        timeout_ms: 400,
        connect_timeout_ms: 200,
        response_bytes_max: 10_000,
    })
    .unwrap()
}

async fn failure(answer: fn(usize) -> Response) -> GraphError {
    let server = server(answer).await;
    let found = graph(&server.base).find_online_meeting("user", LINK).await;
    let Err(error) = found else {
        panic!("it succeeded")
    };
    let said = format!("{error} {error:?}");
    assert!(!said.contains("canary"), "{said}");
    error
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let body = format!("{{\"error\":{{\"code\":\"{code}\",\"message\":\"{message}\"}}}}");
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

#[tokio::test]
async fn failures_are_sorted_by_what_to_do_next() {
    let throttled = failure(|_| {
        (
            StatusCode::TOO_MANY_REQUESTS,
            [(header::RETRY_AFTER, "1.5")],
        )
            .into_response()
    })
    .await;
    assert_eq!(throttled.retry_after(), Some(Duration::from_millis(1_500)));
    let busy = failure(|_| {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "2")],
        )
            .into_response()
    })
    .await;
    assert!(matches!(busy, GraphError::Throttled { .. }));
    for status in [500, 502, 503, 504] {
        let answer: fn(usize) -> Response = match status {
            500 => |_| refusal(500, "x", "y"),
            502 => |_| refusal(502, "x", "y"),
            503 => |_| refusal(503, "x", "y"),
            _ => |_| refusal(504, "x", "y"),
        };
        assert!(
            matches!(failure(answer).await, GraphError::UnknownOutcome(_)),
            "{status}"
        );
    }
    let policy = failure(|_| {
        refusal(
            403,
            "General",
            "No application access policy found for this app canary",
        )
    })
    .await;
    assert_eq!(policy, GraphError::NoAccessPolicy);
    let refused = failure(|_| refusal(400, "BadRequest", "canary")).await;
    assert_eq!(
        refused,
        GraphError::Refused {
            status: 400,
            code: "BadRequest".into()
        }
    );
    let garbage = failure(|_| "canary {".into_response()).await;
    assert!(matches!(garbage, GraphError::Malformed(_)));
    let huge = failure(|_| "x".repeat(20_000).into_response()).await;
    assert!(matches!(huge, GraphError::Malformed(_)));
    for error in [throttled, garbage] {
        assert!(error.is_transient());
    }
    assert!(!policy.is_transient() && !refused.is_transient());
}

#[tokio::test]
async fn nothing_sent_and_nothing_answered_are_not_the_same() {
    let error = graph("http://127.0.0.1:9").probe().await.unwrap_err();
    assert!(matches!(error, GraphError::Unavailable(_)), "{error:?}");
    // Takes the request and closes the connection without an answer.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 64];
            let _ = stream.read(&mut buffer).await;
        }
    });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let error = graph(&base).probe().await.unwrap_err();
    assert!(matches!(error, GraphError::UnknownOutcome(_)), "{error:?}");
}

#[tokio::test]
async fn a_hundred_callers_share_one_token() {
    let server = server(|_| "{\"value\":[]}".into_response()).await;
    let graph = graph(&server.base);
    let found = join_all((0..100).map(|_| graph.find_online_meeting("u", LINK))).await;
    assert!(found.iter().all(|found| matches!(found, Ok(None))));
    assert_eq!(server.tokens.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_no_more() {
    let once = server(|number| match number {
        0 => refusal(401, "InvalidAuthenticationToken", "x"),
        _ => "{\"value\":[]}".into_response(),
    })
    .await;
    let found = graph(&once.base).find_online_meeting("u", LINK).await;
    assert!(found.is_ok());
    assert_eq!(once.tokens.load(Ordering::SeqCst), 2);
    let always = server(|_| refusal(401, "InvalidAuthenticationToken", "x")).await;
    let error = graph(&always.base)
        .find_online_meeting("u", LINK)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, GraphError::Unauthorized { .. }));
    assert_eq!(always.tokens.load(Ordering::SeqCst), 2);
}

#[test]
fn secrets_do_not_show() {
    let graph = graph("http://127.0.0.1:9");
    assert!(!format!("{graph:?}").contains("canary"));
}
