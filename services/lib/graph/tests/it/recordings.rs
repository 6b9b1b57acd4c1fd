//! Contents that are long, slow, stalled or cut.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse as _, Response},
};
use convene_graph::{Graph, GraphError, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::server::{Server, config, hasty};

/// Chunks of 4 bytes, each after a pause.
fn dripping(chunks: usize, pause_ms: u64) -> Response {
    let drops = stream::iter(0..chunks).then(move |_| async move {
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        Ok::<_, std::io::Error>(Bytes::from_static(b"mp4!"))
    });
    (
        [(header::CONTENT_TYPE, "video/mp4")],
        Body::from_stream(drops),
    )
        .into_response()
}

async fn read(graph: &Graph, bytes_max: u64) -> Result<Vec<u8>> {
    let content = graph.recording_content("u", "m", "r").await?;
    assert_eq!(content.content_type, "video/mp4");
    content
        .at_most(bytes_max)
        .into_stream()
        .map_ok(|chunk| chunk.to_vec())
        .try_concat()
        .await
}

#[tokio::test]
async fn content_may_take_longer_than_a_request() {
    // 1,500 ms in all, against a time-out of 1,000 ms.
    let server = Server::start(|_, _| dripping(6, 250)).await;
    let graph = Graph::new(hasty(&server.base)).unwrap();
    assert_eq!(read(&graph, 24).await.unwrap().len(), 24);
}

#[tokio::test]
async fn content_that_stalls_is_given_up() {
    let server = Server::start(|_, _| dripping(2, 60_000)).await;
    let graph = Graph::new(hasty(&server.base)).unwrap();
    let error = read(&graph, 24).await.unwrap_err();
    assert!(matches!(error, GraphError::UnknownOutcome(_)), "{error:?}");
}

#[tokio::test]
async fn content_beyond_its_bound_is_cut() {
    let server = Server::start(|_, _| dripping(6, 0)).await;
    let error = read(&server.graph(), 23).await.unwrap_err();
    assert!(matches!(error, GraphError::Malformed(_)), "{error:?}");
}

#[tokio::test]
async fn content_that_breaks_off_is_not_taken_for_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: 24\r\n\r\nmp4!",
                )
                .await;
        }
    });
    let tokens = Server::start(|_, _| dripping(0, 0)).await;
    let mut config = config(&base);
    config.token_url = format!("{}/token", tokens.base);
    let error = read(&Graph::new(config).unwrap(), 24).await.unwrap_err();
    assert!(matches!(error, GraphError::UnknownOutcome(_)), "{error:?}");
}
