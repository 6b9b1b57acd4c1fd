//! Collections that come in several pages.

use axum::response::{IntoResponse as _, Response};
use convene_graph::GraphError;
use serde_json::{Value, json};

use crate::server::{Asked, LINK, Server, nothing};

fn page(value: Value, next: Option<String>) -> Response {
    json!({"value": value, "@odata.nextLink": next})
        .to_string()
        .into_response()
}

fn next(asked: &Asked, number: usize) -> Option<String> {
    Some(format!("{}/v1.0/next?$skiptoken={number}", asked.base()))
}

#[tokio::test]
async fn an_empty_page_with_a_next_one_is_not_an_empty_answer() {
    // A filtered list may be so: taking it for empty would make a second event.
    let server = Server::start(|number, asked| match number {
        0 | 1 => page(json!([]), next(asked, number)),
        _ => page(json!([{"id": "event"}]), None),
    })
    .await;
    let found = server.graph().find_events("user", "key").await.unwrap();
    assert_eq!(found.len(), 1);
    let asked = server.asked();
    assert_eq!(asked[1].target, "/v1.0/next?$skiptoken=0");
    assert!(asked[1].header("authorization").is_some());
}

#[tokio::test]
async fn events_come_the_oldest_first_whatever_the_order_of_pages() {
    let server = Server::start(|number, asked| match number {
        0 => page(
            json!([
                {"id": "late", "createdDateTime": "2031-01-02T00:00:00Z"},
                {"id": "undated"},
            ]),
            next(asked, number),
        ),
        _ => page(
            json!([{"id": "early", "createdDateTime": "2031-01-01T00:00:00.1234567Z"}]),
            None,
        ),
    })
    .await;
    let found = server.graph().find_events("user", "key").await.unwrap();
    let ids: Vec<_> = found.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["early", "late", "undated"]);
}

#[tokio::test]
async fn recordings_of_all_pages_are_listed_in_order() {
    let server = Server::start(|number, asked| match number {
        0 => page(
            json!([{"id": "b", "createdDateTime": "2031-01-02T00:00:00Z"}]),
            next(asked, number),
        ),
        _ => page(
            json!([{"id": "a", "createdDateTime": "2031-01-01T00:00:00Z"}]),
            None,
        ),
    })
    .await;
    let found = server.graph().list_recordings("u", "m").await.unwrap();
    let ids: Vec<_> = found.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[tokio::test]
async fn a_roster_is_read_to_its_end() {
    let server = Server::start(|number, asked| match number {
        0 => page(json!([{}]), next(asked, number)),
        _ => page(
            json!([{"recordingInfo": {"recordingStatus": "Recording"}}]),
            None,
        ),
    })
    .await;
    assert!(server.graph().is_recording("call").await.unwrap());
}

#[tokio::test]
async fn pages_without_end_are_cut() {
    let server = Server::start(|number, asked| page(json!([]), next(asked, number))).await;
    let error = server.graph().find_online_meeting("u", LINK).await.err();
    assert!(matches!(error, Some(GraphError::Malformed(_))), "{error:?}");
    assert_eq!(server.asked().len(), 20);
}

#[tokio::test]
async fn no_token_follows_a_link_to_another_place() {
    let other = Server::start(|_, _| nothing()).await;
    let elsewhere = other.base.clone();
    let server =
        Server::start(move |_, _| page(json!([]), Some(format!("{elsewhere}/v1.0/next")))).await;
    let error = server.graph().find_events("u", "k").await.err().unwrap();
    assert!(matches!(error, GraphError::Malformed(_)), "{error:?}");
    assert!(other.asked().is_empty());
    let server = Server::start(|_, _| page(json!([]), Some("no link".into()))).await;
    let error = server.graph().find_events("u", "k").await.err().unwrap();
    assert!(matches!(error, GraphError::Malformed(_)), "{error:?}");
}
