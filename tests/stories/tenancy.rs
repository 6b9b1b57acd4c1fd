//! A tenant never reads or changes what is another's.

use convene::{config::Config, node::make_admin_key};
use convene_tests::{SetUp, World, fault};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(foreign_ids_name_nothing,);

/// An admin of another tenant on the same node: only whoever runs the node makes tenants, while it stands still.
pub async fn other_tenant(folder: &std::path::Path) -> String {
    let config = Config::embedded(folder.to_owned());
    let made = make_admin_key(&config, None, "other").await;
    made.unwrap().1.expose_secret().to_owned()
}

async fn foreign_ids_name_nothing(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    let query = "query($id: ID!) { booking(id: $id) { meeting { id } lobby { id } } }";
    let ids = cast
        .app
        .call(query, json!({"id": booked.id}))
        .await
        .unwrap();
    let world = world.reopened(other_tenant).await;
    let foreign = world.other.as_ref().unwrap();

    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let query = "{ apiKeys { edges { node { id } } } }";
    let keys = world.admin.call(query, json!({})).await.unwrap();
    let key = id(&keys["apiKeys"]["edges"][1]["node"]);
    let nodes = [
        key.clone(),
        booked.id.clone(),
        cast.service.clone(),
        cast.host_id.clone(),
        guest.visit.clone(),
        id(&ids["booking"]["meeting"]),
        id(&ids["booking"]["lobby"]),
    ];
    for node in &nodes {
        let query = "query($id: ID!) { node(id: $id) { id } }";
        let answer = foreign.answer(query, json!({ "id": node })).await.unwrap();
        assert_eq!(fault(&answer), "NOT_FOUND", "{answer}");
    }
    let b = json!({"id": booked.id, "v": guest.visit, "g": booked.guests[0], "s": cast.service, "h": cast.host_id, "k": key});
    for query in [
        "query($id: ID!) { booking(id: $id) { id } }",
        "query($id: ID!) { auditTrail(bookingId: $id) { events { type } } }",
        "query($h: ID!) { host(id: $h) { name } }",
        "query($s: ID!) { service(id: $s) { name } }",
        "mutation($id: ID!) { cancelBooking(input: { bookingId: $id, idempotencyKey: \"x\", reason: \"X\" }) { booking { id } refusal { reason } } }",
        "mutation($id: ID!) { endMeeting(input: { bookingId: $id }) { booking { id } refusal { reason } } }",
        "mutation($id: ID!, $g: ID!) { issueTicket(input: { bookingId: $id, guestId: $g }) { ticket refusal { reason } } }",
        "mutation($v: ID!) { admitVisit(input: { visitId: $v }) { visit { id } refusal { reason } } }",
        "mutation($v: ID!) { denyVisit(input: { visitId: $v }) { visit { id } refusal { reason } } }",
        "mutation($id: ID!) { startRecording(input: { bookingId: $id }) { recording { id } refusal { reason } } }",
        "mutation($k: ID!) { revokeApiKey(input: { apiKeyId: $k }) { apiKey { id } refusal { reason } } }",
        "mutation($h: ID!) { createApiKey(input: { name: \"x\", role: HOST, hostId: $h }) { secret refusal { reason } } }",
        "mutation($s: ID!, $h: ID!) { bookMeeting(input: { idempotencyKey: \"k\", serviceId: $s, hostId: $h, start: \"2099-01-01T00:00:00Z\", guests: [{ name: \"a\", email: \"a@b.example\" }] }) { booking { id } refusal { reason } } }",
    ] {
        let answer = foreign.answer(query, b.clone()).await.unwrap();
        assert!(
            answer.to_string().contains("NOT_FOUND"),
            "{query}: {answer}"
        );
        assert!(!answer.to_string().contains("secret\":\"cvn_"), "{query}");
    }
    for query in [
        "{ bookings { edges { node { id } } } }",
        "{ hosts { edges { node { id } } } }",
    ] {
        let data = foreign.call(query, json!({})).await.unwrap();
        assert!(!data.to_string().contains("node"), "{data}");
    }
    let keys = foreign
        .call("{ apiKeys { edges { node { name } } } }", json!({}))
        .await;
    let keys = keys.unwrap()["apiKeys"]["edges"].take();
    assert_eq!(keys, json!([{"node": {"name": "other"}}]));
    // A key is made for a tenant that is there, or for a new one.
    let folder = world.stop().await;
    let config = Config::embedded(folder.path().to_owned());
    let unknown = Some(convene_domain::TenantId::from_uuid(uuid::Uuid::now_v7()));
    let made = convene_tests::until("the databases are let go", || async {
        match make_admin_key(&config, unknown, "x").await {
            Err(error) if error.reason == "DATA_FOLDER_LOCKED" => None,
            made => Some(made),
        }
    });
    assert_eq!(made.await.unwrap_err().reason, "NOT_FOUND");
}
