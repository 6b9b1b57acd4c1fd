//! The token: asked for once, shared, renewed once when refused.

use std::sync::Arc;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use convene_graph::GraphError;
use futures_util::future::join_all;
use tokio::sync::Semaphore;

use crate::server::{CANARY, LINK, Server, granted, nothing, refusal};

const CALLERS: usize = 100;

/// All callers ask before the token endpoint may answer.
async fn all_at_once(answer: fn(usize) -> Response) -> (Server, Vec<Result<(), GraphError>>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let server = Server::granting(
        move |number| {
            let gate = held.clone();
            Box::pin(async move {
                let _open = gate.acquire().await.unwrap();
                answer(number)
            })
        },
        |_, _| nothing(),
    )
    .await;
    let graph = server.graph();
    let mut all = std::pin::pin!(join_all((0..CALLERS).map(|_| graph.probe())));
    tokio::select! {
        biased;
        _ = &mut all => panic!("answered before the token was"),
        () = std::future::ready(()) => gate.add_permits(CALLERS),
    }
    let told = all.await;
    (server, told)
}

#[tokio::test]
async fn a_hundred_callers_share_one_token() {
    let (server, told) = all_at_once(|number| granted(number, 3_599)).await;
    assert!(told.iter().all(Result::is_ok));
    assert_eq!(server.tokens(), 1);
}

#[tokio::test]
async fn a_hundred_callers_share_one_failure() {
    // Otherwise each would wait for its own time-out, one after the other.
    let (server, told) = all_at_once(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
    assert!(
        told.iter()
            .all(|told| matches!(told, Err(GraphError::Unavailable(_))))
    );
    assert_eq!(server.tokens(), 1);
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let server = Server::granting(
        |number| {
            Box::pin(async move {
                match number {
                    0 => StatusCode::BAD_GATEWAY.into_response(),
                    _ => granted(number, 3_599),
                }
            })
        },
        |_, _| nothing(),
    )
    .await;
    let graph = server.graph();
    assert!(graph.probe().await.is_err());
    graph.probe().await.unwrap();
    graph.probe().await.unwrap();
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_no_more() {
    let once = Server::start(|number, _| match number {
        0 => refusal(401, "InvalidAuthenticationToken", "x"),
        _ => nothing(),
    })
    .await;
    assert!(once.graph().find_online_meeting("u", LINK).await.is_ok());
    assert_eq!((once.tokens(), once.asked().len()), (2, 2));
    let asked = once.asked();
    assert_eq!(
        asked[0].header("authorization"),
        Some("Bearer canary-token-0")
    );
    assert_eq!(
        asked[1].header("authorization"),
        Some("Bearer canary-token-1")
    );

    let always = Server::start(|_, _| refusal(401, "InvalidAuthenticationToken", "x")).await;
    let error = always
        .graph()
        .find_online_meeting("u", LINK)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, GraphError::Unauthorized { .. }));
    assert_eq!((always.tokens(), always.asked().len()), (2, 2));
}

#[tokio::test]
async fn callers_with_the_same_refused_token_renew_it_together() {
    let server = Server::start(|_, asked| match asked.header("authorization") {
        Some("Bearer canary-token-0") => refusal(401, "InvalidAuthenticationToken", "x"),
        _ => nothing(),
    })
    .await;
    let graph = server.graph();
    let found = join_all((0..CALLERS).map(|_| graph.find_online_meeting("u", LINK))).await;
    assert!(found.iter().all(|found| matches!(found, Ok(None))));
    assert_eq!(server.tokens(), 2);
}

#[tokio::test]
async fn a_token_is_kept_as_long_as_it_lasts() {
    for (expires_in, asked) in [(0, 2), (3_599, 1), (u64::MAX, 1)] {
        let server = Server::granting(
            move |number| Box::pin(async move { granted(number, expires_in) }),
            |_, _| nothing(),
        )
        .await;
        let graph = server.graph();
        graph.probe().await.unwrap();
        graph.probe().await.unwrap();
        assert_eq!(server.tokens(), asked, "{expires_in}");
    }
}

async fn denied(answer: fn() -> Response) -> GraphError {
    let server =
        Server::granting(move |_| Box::pin(async move { answer() }), |_, _| nothing()).await;
    let error = server.graph().find_events("u", "k").await.err().unwrap();
    assert!(
        server.asked().is_empty(),
        "nothing may be asked without a token"
    );
    let said = format!("{error} {error:?}");
    assert!(!said.contains(CANARY), "{said}");
    error
}

#[tokio::test]
async fn the_token_endpoint_has_failures_of_its_own() {
    let wrong = denied(|| {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: canary","error_codes":[7000215]}"#;
        (StatusCode::UNAUTHORIZED, body).into_response()
    })
    .await;
    let code = "AADSTS7000215".to_owned();
    assert_eq!(wrong, GraphError::Unauthorized { code });
    assert!(!wrong.is_transient());
    let bare = denied(|| (StatusCode::BAD_REQUEST, "canary").into_response()).await;
    assert!(matches!(bare, GraphError::Unauthorized { code } if code == "400"));
    let throttled =
        denied(|| (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "3")]).into_response())
            .await;
    assert_eq!(throttled.retry_after().unwrap().as_secs(), 3);
    for answer in [
        || "canary".into_response(),
        || r#"{"access_token":"","expires_in":1}"#.into_response(),
        || r#"{"access_token":"canary\nx: y","expires_in":1}"#.into_response(),
    ] as [fn() -> Response; 3]
    {
        assert!(matches!(denied(answer).await, GraphError::Malformed(_)));
    }
}
