//! Who may see what at the door itself.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::world::{World, reason};

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_wanted_and_looked_at() {
    let world = World::new().await;
    let body = json!({"query": "{ viewer { role } }"}).to_string();
    for (credential, wanted) in [
        (None, "CREDENTIALS_MISSING"),
        (Some("cvn_x"), "CREDENTIALS_MISSING"),
        (Some("Basic YTpi"), "CREDENTIALS_UNSUPPORTED"),
        (Some("Bearer cvn_wrong"), "KEY_UNKNOWN"),
        (Some("Bearer x"), "KEY_UNKNOWN"),
        (Some("Ticket wrong"), "TICKET_UNKNOWN"),
    ] {
        let (status, answer) = world.post(credential, body.clone()).await;
        assert_eq!(
            (status, reason(&answer)),
            (401, wanted),
            "{credential:?}: {answer}"
        );
        assert!(answer.get("data").is_none());
    }
    let artefact = format!("{}/artefacts/x/1?grant=x", world.url);
    let stranger = world.http().get(&artefact).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let forged = world
        .http()
        .get(artefact)
        .header("authorization", &world.admin);
    let forged = forged.send().await.unwrap();
    assert_eq!(forged.status(), 403);
    assert_eq!(reason(&forged.json().await.unwrap()), "LINK_INVALID");
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_is_who_its_credential_says() {
    let world = World::new().await;
    let booked = world.booked().await;
    let ticket = world.ticket(&booked, 0).await;
    for (credential, role) in [
        (&world.admin, "ADMIN"),
        (&booked.app, "BOOKING_APP"),
        (&booked.host, "HOST"),
        (&ticket, "GUEST"),
    ] {
        let query = "{ viewer { role principal } }";
        let seen = world.data(credential, query, json!({})).await;
        assert_eq!(seen["viewer"]["role"], role);
    }
    // A newer ticket: the older one opens nothing from now on.
    let newer = world.ticket(&booked, 0).await;
    let query = "{ visit { state } }";
    let old = world.ask(&ticket, query, json!({})).await;
    assert_eq!(reason(&old), "TICKET_REPLACED");
    let seen = world.data(&newer, query, json!({})).await;
    assert_eq!(seen["visit"]["state"], "EXPECTED");
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_sees_no_other_host() {
    let world = World::new().await;
    let booked = world.booked().await;
    let query = "mutation { createHost(input: { idempotencyKey: \"o\", name: \"Other\", providerUser: \"o@example.com\" }) { host { id } } }";
    let made = world.data(&world.admin, query, json!({})).await;
    let other = made["createHost"]["host"]["id"].clone();
    for (query, id) in [
        ("query($id: ID!) { host(id: $id) { name } }", &other),
        (
            "query($id: ID!) { node(id: $id) { ... on Host { name } } }",
            &other,
        ),
    ] {
        let answer = world.ask(&booked.host, query, json!({ "id": id })).await;
        assert_eq!(reason(&answer), "NOT_FOUND", "{answer}");
    }
    let query = "{ hosts { edges { cursor node { id } } pageInfo { hasNextPage } } }";
    let own = world.data(&booked.host, query, json!({})).await;
    let edges = own["hosts"]["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 1);
    assert_eq!(edges[0]["node"]["id"], booked.host_id.as_str());
    let query = "query($a: String!) { hosts(after: $a) { edges { cursor } } }";
    let after = json!({"a": edges[0]["cursor"]});
    let behind = world.data(&booked.host, query, after).await;
    assert_eq!(behind["hosts"]["edges"], json!([]));
    let query = "{ hosts { edges { cursor } } }";
    let all = world.data(&world.admin, query, json!({})).await;
    assert_eq!(all["hosts"]["edges"].as_array().unwrap().len(), 2);
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_null_only_when_they_are_not_there() {
    let world = World::new().await;
    let booked = world.booked().await;
    let nodes = |ids: Value| {
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
        world.ask(&world.admin, query, json!({ "ids": ids }))
    };
    let unknown = STANDARD.encode(format!("Booking:{}", uuid::Uuid::now_v7()));
    let some = nodes(json!([booked.id, unknown, booked.host_id])).await;
    let some = &some["data"]["nodes"];
    assert_eq!(some[0]["__typename"], "Booking");
    assert!(some[1].is_null());
    assert_eq!(some[2]["__typename"], "Host");
    let wrong = nodes(json!([booked.id, "x"])).await;
    assert_eq!(reason(&wrong), "MALFORMED_ID", "{wrong}");
    assert_eq!(wrong["errors"][0]["extensions"]["field"], "ids");
    let many = nodes(json!(vec![unknown.clone(); 101])).await;
    assert_eq!(reason(&many), "TOO_MANY_IDS", "{many}");
    // The broker serves no meetings here: an outage is not an absence.
    let meeting = STANDARD.encode(format!("Meeting:{}", uuid::Uuid::now_v7()));
    let out = nodes(json!([meeting])).await;
    assert!(out["errors"].is_array(), "{out}");
    world.stop().await.0.unwrap();
}
