//! API keys: listed, narrowed, revoked.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::world::{World, reason, text};

const MAKE: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    apiKey { id name role scopes createdBy expiresAt lastUsedAt } secret refusal { reason field } } }";
const REVOKE: &str = "mutation($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) {
    apiKey { id revokedAt revokedBy } refusal { reason field } } }";

async fn make(world: &World, credential: &str, input: Value) -> Value {
    let mut made = world
        .data(credential, MAKE, json!({ "input": input }))
        .await;
    made["createApiKey"].take()
}

fn bearer(made: &Value) -> String {
    format!("Bearer {}", text(made, "/secret"))
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_without_their_secrets_and_open_nothing_once_revoked() {
    let world = World::new().await;
    let input = json!({"name": "reader", "role": "BOOKING_APP", "scopes": ["BOOKINGS_READ"]});
    let made = make(&world, &world.admin, input).await;
    assert_eq!(made["apiKey"]["scopes"], json!(["BOOKINGS_READ"]));
    let app = bearer(&made);
    let viewer = "{ viewer { principal role } }";
    world.data(&app, viewer, json!({})).await;

    let query = "query($after: String) { apiKeys(first: 1, after: $after) {
        edges { node { id name role scopes host { id } createdAt createdBy lastUsedAt revokedAt } }
        pageInfo { hasNextPage endCursor } } }";
    let first = world.data(&world.admin, query, json!({})).await;
    assert_eq!(first["apiKeys"]["pageInfo"]["hasNextPage"], true);
    let admin = &first["apiKeys"]["edges"][0]["node"];
    assert_eq!(admin["createdBy"], "system:test");
    assert_eq!(admin["scopes"].as_array().unwrap().len(), 5);
    let after = json!({"after": first["apiKeys"]["pageInfo"]["endCursor"]});
    let second = world.data(&world.admin, query, after).await;
    let listed = &second["apiKeys"]["edges"][0]["node"];
    assert_eq!(listed["name"], "reader");
    assert!(listed["lastUsedAt"].is_string(), "{listed}");
    assert!(listed["createdBy"].as_str().unwrap().starts_with("key:"));
    assert!(!(first.to_string() + &second.to_string()).contains("cvn_"));

    let id = json!({"id": made["apiKey"]["id"]});
    let node = "query($id: ID!) { node(id: $id) { ... on ApiKey { name } } }";
    let found = world.data(&world.admin, node, id.clone()).await;
    assert_eq!(found["node"]["name"], "reader");
    let revoked = world.data(&world.admin, REVOKE, id.clone()).await;
    assert!(revoked["revokeApiKey"]["apiKey"]["revokedAt"].is_string());
    // At once: nothing remembers the key here.
    assert_eq!(
        reason(&world.ask(&app, viewer, json!({})).await),
        "KEY_UNKNOWN"
    );
    let again = world.data(&world.admin, REVOKE, id).await;
    assert_eq!(again, revoked);
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_manage_keys_and_only_their_own_tenants() {
    let world = World::new().await;
    let booked = world.booked().await;
    let query = "{ apiKeys { edges { node { id } } } }";
    let keys = world.data(&world.admin, query, json!({})).await;
    let id = text(&keys, "/apiKeys/edges/0/node/id");
    let ticket = world.ticket(&booked, 0).await;
    let input = json!({"name": "x", "role": "BOOKING_APP"});
    for credential in [&booked.app, &booked.host, &ticket] {
        for (query, variables) in [
            (query, json!({})),
            (REVOKE, json!({ "id": id })),
            (MAKE, json!({ "input": input })),
            (
                "query($id: ID!) { node(id: $id) { id } }",
                json!({ "id": id }),
            ),
        ] {
            let answer = world.ask(credential, query, variables).await;
            assert_eq!(reason(&answer), "FORBIDDEN", "{query}: {answer}");
        }
    }
    let unknown = STANDARD.encode(format!("ApiKey:{}", uuid::Uuid::now_v7()));
    let answer = world
        .data(&world.admin, REVOKE, json!({ "id": unknown }))
        .await;
    assert_eq!(
        answer["revokeApiKey"]["refusal"],
        json!({"reason": "NOT_FOUND", "field": "apiKeyId"})
    );
    let last = world.data(&world.admin, REVOKE, json!({ "id": id })).await;
    assert_eq!(last["revokeApiKey"]["refusal"]["reason"], "LAST_ADMIN_KEY");
    world.stop().await.0.unwrap();
}

/// Each service refuses what a key was narrowed away from; the gateway only signs what the key says.
#[tokio::test(flavor = "multi_thread")]
async fn a_narrowed_key_does_what_its_scopes_say() {
    let world = World::new().await;
    let booked = world.booked().await;
    let key = async |role: &str, scopes: Value| {
        let host = (role == "HOST").then_some(&booked.host_id);
        let input = json!({"name": "n", "role": role, "scopes": scopes, "hostId": host});
        bearer(&make(&world, &world.admin, input).await)
    };
    let see = "query($id: ID!) { booking(id: $id) { id lobby { id visits { id } } } }";
    let trail = "query($id: ID!) { auditTrail(bookingId: $id) { complete } }";
    let ticket = "mutation($id: ID!, $g: ID!) { issueTicket(input: { bookingId: $id, guestId: $g }) { visitId refusal { reason } } }";
    let end = "mutation($id: ID!) { endMeeting(input: { bookingId: $id }) { refusal { reason } } }";
    let cancel = "mutation($id: ID!) { cancelBooking(input: { bookingId: $id, idempotencyKey: \"c\", reason: \"R\" }) { refusal { reason } } }";
    let host = "mutation { createHost(input: { idempotencyKey: \"n\", name: \"n\", providerUser: \"n\" }) { refusal { reason } } }";
    let clock = "mutation { advanceClock(input: { byMs: 1 }) { refusal { reason } } }";
    // An operation gets the variables that it names.
    let variables = |query: &str| {
        let all = [("id", &booked.id), ("g", &booked.guests[0])];
        let named = all
            .into_iter()
            .filter(|(name, _)| query.contains(&format!("${name}:")));
        named
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect::<Value>()
    };
    for (role, scopes, allowed, refused) in [
        (
            "BOOKING_APP",
            json!(["BOOKINGS_READ"]),
            vec![see, trail],
            vec![ticket, cancel],
        ),
        (
            "BOOKING_APP",
            json!(["LOBBY"]),
            vec![see, ticket],
            vec![cancel],
        ),
        (
            "HOST",
            json!(["BOOKINGS_READ", "RECORDING"]),
            vec![see, trail],
            vec![ticket, end],
        ),
        (
            "ADMIN",
            json!(["ADMIN"]),
            vec![host],
            vec![see, trail, ticket, cancel],
        ),
        (
            "ADMIN",
            json!(["LOBBY"]),
            vec![see, ticket],
            vec![host, clock, end],
        ),
        (
            "BOOKING_APP",
            json!(["BOOKINGS_WRITE"]),
            vec![see, cancel],
            vec![ticket],
        ),
    ] {
        let key = key(role, scopes.clone()).await;
        // Refusals first: what is allowed last cancels the booking.
        for query in refused {
            let answer = world.ask(&key, query, variables(query)).await;
            assert_eq!(
                reason(&answer),
                "SCOPE_MISSING",
                "{role} {scopes} {query}: {answer}"
            );
        }
        for query in allowed {
            let done = world.data(&key, query, variables(query)).await;
            assert!(
                !done.to_string().contains("reason"),
                "{role} {scopes} {query}: {done}"
            );
        }
    }
    // Who may make keys makes none that may more.
    let narrow = key("ADMIN", json!(["ADMIN", "BOOKINGS_READ"])).await;
    let wide = make(&world, &narrow, json!({"name": "w", "role": "ADMIN"})).await;
    assert_eq!(
        wide["refusal"],
        json!({"reason": "SCOPE_BEYOND_OWN", "field": "scopes"})
    );
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_tells_nothing_more_once_its_key_is_revoked() {
    let world = World::new().await;
    let booked = world.booked().await;
    let made = make(
        &world,
        &world.admin,
        json!({"name": "w", "role": "BOOKING_APP"}),
    )
    .await;
    let query = "subscription($id: ID!) { bookingEvents(bookingId: $id) { type } }";
    let body = json!({"query": query, "variables": {"id": booked.id}});
    let mut events = world
        .http()
        .post(format!("{}/graphql/stream", world.url))
        .header("authorization", bearer(&made))
        .json(&body)
        .send()
        .await
        .unwrap();
    let mut told = String::new();
    while !told.contains("VisitExpected") {
        let chunk = events.chunk().await.unwrap().expect("events come");
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
    let id = json!({"id": made["apiKey"]["id"]});
    world.data(&world.admin, REVOKE, id).await;
    let ticket = world.ticket(&booked, 0).await;
    world.enter(&ticket).await;
    while let Some(chunk) = events.chunk().await.unwrap() {
        told.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(told.contains("KEY_UNKNOWN"), "{told}");
    assert!(!told.contains("GuestArrived"), "{told}");
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_learns_the_name_of_its_host_and_no_more() {
    let world = World::new().await;
    let booked = world.booked().await;
    let ticket = world.ticket(&booked, 0).await;
    let query = "query($id: ID!) { host(id: $id) { name providerUser capacity createdAt } }";
    let own = world
        .data(&ticket, query, json!({"id": booked.host_id}))
        .await;
    let wanted =
        json!({"name": "Front desk", "providerUser": null, "capacity": null, "createdAt": null});
    assert_eq!(own["host"], wanted);
    let other = "mutation { createHost(input: { idempotencyKey: \"o\", name: \"Other\", providerUser: \"o@example.com\" }) { host { id } } }";
    let other = world.data(&world.admin, other, json!({})).await;
    let other = json!({"id": other["createHost"]["host"]["id"]});
    let answer = world.ask(&ticket, query, other).await;
    assert_eq!(reason(&answer), "NOT_FOUND", "{answer}");
    let full = world
        .data(&booked.host, query, json!({"id": booked.host_id}))
        .await;
    assert_eq!(full["host"]["providerUser"], "desk@example.com");
    world.stop().await.0.unwrap();
}
