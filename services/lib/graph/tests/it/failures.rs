//! How failures are sorted, and that nothing secret shows in them.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use convene_graph::{Graph, GraphError};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::server::{CANARY, LINK, Server, config, hasty, refusal};

async fn failure(answer: impl Fn() -> Response + Send + Sync + 'static) -> GraphError {
    let server = Server::start(move |_, _| answer()).await;
    let found = server
        .graph()
        .find_online_meeting("canary@x.example", LINK)
        .await;
    let error = found.err().expect("it succeeded");
    assert_eq!(server.asked().len(), 1, "the client does not repeat");
    hides(&error);
    error
}

fn hides(error: &GraphError) {
    let said = format!("{error} {error:?} {}", error.reason());
    assert!(!said.contains(CANARY), "{said}");
}

fn status(status: u16, retry_after: &'static str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::RETRY_AFTER, retry_after)], CANARY).into_response()
}

#[tokio::test]
async fn throttling_says_when() {
    for (code, wish, ms) in [(429, "1.5", 1_500), (503, "2", 2_000), (509, "0", 0)] {
        let error = failure(move || status(code, wish)).await;
        assert!(matches!(error, GraphError::Throttled { .. }), "{error:?}");
        assert_eq!(error.retry_after().unwrap().as_millis(), ms);
        assert!(error.is_transient());
    }
    let bare = failure(|| StatusCode::TOO_MANY_REQUESTS.into_response()).await;
    assert_eq!(bare, GraphError::Throttled { retry_after: None });
    let dated = failure(|| {
        let wish = (header::RETRY_AFTER, "Tue, 01 Jan 2030 00:00:07 GMT");
        let date = (header::DATE, "Tue, 01 Jan 2030 00:00:00 GMT");
        (StatusCode::TOO_MANY_REQUESTS, [wish, date]).into_response()
    })
    .await;
    assert_eq!(dated.retry_after().unwrap().as_secs(), 7);
}

#[tokio::test]
async fn a_broken_server_may_have_done_it() {
    for status in [500, 502, 503, 504, 509] {
        let error = failure(move || refusal(status, CANARY, CANARY)).await;
        assert!(matches!(error, GraphError::UnknownOutcome(_)), "{status}");
        assert!(error.is_transient());
    }
    let error = failure(|| status(504, "2")).await;
    assert!(matches!(error, GraphError::UnknownOutcome(_)));
}

#[tokio::test]
async fn refusals_are_final() {
    let policy = "No application access policy found for this app canary";
    let denied = failure(move || refusal(403, "General", policy)).await;
    assert_eq!(denied, GraphError::NoAccessPolicy);
    let id = "7f9c24e8-3b12-4fef-91e0-56ebeecf7d61";
    let refused =
        failure(move || ([("request-id", id)], refusal(403, "Forbidden", CANARY)).into_response())
            .await;
    let GraphError::Refused {
        status,
        code,
        request_id,
    } = &refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((*status, code.as_str()), (403, "Forbidden"));
    assert_eq!(request_id.unwrap().to_string(), id);
    assert!(refused.to_string().contains(id) && refused.to_string().contains("permission"));
    let conflict = failure(|| refusal(409, "Conflict", CANARY)).await;
    assert!(matches!(conflict, GraphError::Refused { status: 409, .. }));
    let moved = failure(|| {
        (
            StatusCode::FOUND,
            [(header::LOCATION, "http://127.0.0.1:9/canary")],
        )
            .into_response()
    })
    .await;
    assert!(matches!(moved, GraphError::Refused { status: 302, .. }));
    for error in [denied, refused, conflict, moved] {
        assert!(!error.is_transient(), "{error:?}");
    }
}

#[tokio::test]
async fn a_status_stands_whatever_its_body_is_like() {
    for body in [
        "",
        "canary {",
        r#"{"error":"canary"}"#,
        r#"{"error":{"code":"to canary@x"}}"#,
    ] {
        let error = failure(move || (StatusCode::BAD_REQUEST, body).into_response()).await;
        assert!(
            matches!(error, GraphError::Refused { status: 400, .. }),
            "{body}"
        );
    }
    let huge = failure(|| (StatusCode::BAD_REQUEST, CANARY.repeat(50_000)).into_response()).await;
    assert!(matches!(huge, GraphError::Refused { status: 400, .. }));
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_where_nothing_is_an_answer() {
    let server = Server::start(|_, _| refusal(404, "ErrorItemNotFound", CANARY)).await;
    let graph = server.graph();
    let error = graph.get_event("u", "e").await.err().unwrap();
    assert_eq!(
        error,
        GraphError::NotFound {
            code: "ErrorItemNotFound".into()
        }
    );
    assert!(!error.is_transient());
    assert!(
        graph
            .find_online_meeting("u", LINK)
            .await
            .unwrap()
            .is_none()
    );
    assert!(!graph.delete_event("u", "e").await.unwrap());
    assert!(!graph.cancel_event("u", "e", "why").await.unwrap());
    assert!(!graph.delete_online_meeting("u", "m").await.unwrap());
    assert!(!graph.hang_up("c").await.unwrap());
}

#[tokio::test]
async fn answers_that_nobody_can_read_are_cut() {
    for body in ["canary {", "", r#"{"value":"canary"}"#] {
        let error = failure(move || body.into_response()).await;
        assert!(matches!(error, GraphError::Malformed(_)), "{error:?}");
    }
    let huge = failure(|| CANARY.repeat(5_000).into_response()).await;
    assert!(huge.to_string().contains("10000 bytes"), "{huge}");
    assert!(huge.is_transient());
}

/// Takes requests and answers none: holds the connection, or closes it.
async fn silent(hold: bool) -> Graph {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            if hold {
                held.push(stream);
            }
        }
    });
    let tokens = Server::start(|_, _| panic!("only tokens are asked for here")).await;
    let mut config = hasty(&base);
    config.token_url = format!("{}/token", tokens.base);
    Graph::new(config).unwrap()
}

#[tokio::test]
async fn nobody_knows_after_a_dropped_connection_or_a_time_out() {
    for hold in [false, true] {
        let error = silent(hold)
            .await
            .delete_event("u", "canary")
            .await
            .unwrap_err();
        assert!(matches!(error, GraphError::UnknownOutcome(_)), "{error:?}");
        assert_eq!(error.to_string().contains("time-out"), hold, "{error}");
        hides(&error);
    }
}

#[tokio::test]
async fn nothing_was_sent_without_a_connection_or_a_token() {
    // A port that was free a moment ago.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = Server::start(|_, _| panic!("nothing may arrive")).await;
    let token_url = format!("{}/token", server.base);
    let mut refused = config(&closed);
    refused.token_url.clone_from(&token_url);
    // The server speaks no TLS.
    let mut no_tls = config(&server.base.replace("http:", "https:"));
    no_tls.token_url = token_url;
    let no_token = config(&closed);
    for config in [refused, no_tls, no_token] {
        let error = Graph::new(config)
            .unwrap()
            .delete_event("u", "canary")
            .await
            .unwrap_err();
        assert!(matches!(error, GraphError::Unavailable(_)), "{error:?}");
        hides(&error);
    }
}

#[tokio::test]
async fn a_token_endpoint_that_goes_silent_did_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream)
        }
    });
    let error = Graph::new(config(&base))
        .unwrap()
        .probe()
        .await
        .unwrap_err();
    assert!(matches!(error, GraphError::Unavailable(_)), "{error:?}");
}

#[test]
fn a_configuration_that_cannot_work_is_named() {
    let field = |change: fn(&mut convene_graph::GraphConfig)| {
        let mut config = config("http://127.0.0.1:9");
        change(&mut config);
        match Graph::new(config) {
            Err(GraphError::Misconfigured { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(field(|config| config.base = "canary".into()), "base");
    assert_eq!(
        field(|config| config.beta_base = "ftp://x".into()),
        "beta_base"
    );
    assert_eq!(
        field(|config| config.token_url = "http://x/?a=b".into()),
        "token_url"
    );
    assert_eq!(field(|config| config.timeout_ms = 0), "timeout_ms");
    assert_eq!(
        field(|config| config.connect_timeout_ms = 0),
        "connect_timeout_ms"
    );
    assert_eq!(
        field(|config| config.response_bytes_max = 0),
        "response_bytes_max"
    );
}
