//! Bad input: a typed error that names the field and the remedy, no panic, nothing stored.

use convene_tests::{SetUp, World, fault};
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(
    a_wrong_wish_names_its_field_and_stores_nothing,
    requests_are_bounded,
    wrong_credentials_open_nothing,
);

async fn a_wrong_wish_names_its_field_and_stores_nothing(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = world.cast().await;
    let good = cast.wish(&world, DAY_MS, 1).await;
    let start = good["input"]["start"].as_str().unwrap();
    let long = "x".repeat(201);
    let cases: [(&str, Value, &str, &str); 14] = [
        ("idempotencyKey", json!(""), "REQUIRED", "idempotencyKey"),
        ("idempotencyKey", json!(long), "REQUIRED", "idempotencyKey"),
        ("serviceId", json!("garbage"), "MALFORMED_ID", "serviceId"),
        (
            "serviceId",
            json!(cast.host_id),
            "WRONG_ID_TYPE",
            "serviceId",
        ),
        ("hostId", json!(""), "MALFORMED_ID", "hostId"),
        (
            "start",
            json!("1999-01-01T00:00:00Z"),
            "START_IN_THE_PAST",
            "start",
        ),
        ("end", json!(start), "END_BEFORE_START", "end"),
        ("end", json!("2099-01-01T00:00:00Z"), "END_MISMATCH", "end"),
        ("guests", json!([]), "GUESTS_OUT_OF_RANGE", "guests"),
        (
            "guests",
            json!(vec![json!({"name": "a", "email": "a@b.example"}); 351]),
            "GUESTS_OUT_OF_RANGE",
            "guests",
        ),
        (
            "guests",
            json!([{"name": " ", "email": "a@b.example"}]),
            "REQUIRED",
            "guests[0].name",
        ),
        (
            "guests",
            json!([{"name": "a\nb", "email": "a@b.example"}]),
            "CONTROL_CHARACTER",
            "guests[0].name",
        ),
        (
            "guests",
            json!([{"name": "a", "email": "nobody"}]),
            "MALFORMED_EMAIL",
            "guests[0].email",
        ),
        (
            "waitForMeetingMs",
            json!(10_001),
            "OUT_OF_RANGE",
            "waitForMeetingMs",
        ),
    ];
    for (name, value, reason, field) in cases {
        let mut wish = good.clone();
        wish["input"][name] = value;
        let refusal = cast.ask(wish).await["refusal"].clone();
        assert_eq!(refusal["reason"], reason, "{name}: {refusal}");
        assert_eq!(refusal["field"], field, "{refusal}");
        assert!(refusal["message"].as_str().unwrap().len() > 15, "{refusal}");
    }
    let unknown = "query($id: ID!) { booking(id: $id) { id } }";
    let data = cast
        .app
        .call("{ bookings { edges { node { id } } } }", json!({}))
        .await
        .unwrap();
    assert_eq!(data["bookings"]["edges"], json!([]), "nothing was stored");
    let mut wish = good.clone();
    wish["input"]["unknown"] = json!(1);
    let query =
        "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { booking { id } } }";
    let answer = cast.app.answer(query, wish).await.unwrap();
    assert!(
        answer["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("unknown"),
        "{answer}"
    );
    let answer = cast.app.answer(unknown, json!({})).await.unwrap();
    assert!(answer["errors"].is_array(), "a missing variable");
    world.stop().await;
}

async fn requests_are_bounded(set_up: SetUp) {
    let world = World::open(set_up).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let key = world_key(&world);
    let post = |body: String| {
        http.post(format!("{}/graphql", world.url))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    for (body, status, reason) in [
        ("{".to_owned(), 400, "MALFORMED_JSON"),
        ("[]".to_owned(), 400, "BATCH_NOT_ALLOWED"),
        ("{\"query\": 7}".to_owned(), 400, "MALFORMED_REQUEST"),
        (
            format!("{{\"query\": \"{}\"}}", "x".repeat(1_100_000)),
            413,
            "BODY_TOO_LARGE",
        ),
    ] {
        let answer = post(body).await.unwrap();
        assert_eq!(answer.status(), status, "{reason}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(fault(&answer), reason);
    }
    let visits = |depth: usize| {
        format!(
            "{{ bookings(first: 1) {{ edges {{ node {{ guests {{ visit {{ {} id {} }} }} }} }} }} }}",
            "booking { guests { visit {".repeat(depth),
            "} } }".repeat(depth)
        )
    };
    let aliases: String = (0..31)
        .map(|n| format!("a{n}: viewer {{ role }} "))
        .collect();
    for query in [
        visits(4),
        format!("{{ {aliases} }}"),
        "{ bookings(first: 100) { edges { node { guests { visit { booking { guests { visit { id state reason } } } } } } } } }".to_owned(),
        format!("{{ viewer {{ role {} }} }}", "@include(if: true) ".repeat(9)),
        format!("{{ {} }}", "viewer { role } ".repeat(6_000)),
    ] {
        let answer: Value = post(json!({ "query": query }).to_string()).await.unwrap().json().await.unwrap();
        assert!(answer["errors"].is_array(), "{}: {answer}", &query[..60.min(query.len())]);
        assert!(answer["data"].is_null());
    }
    for first in [0, -1, 101] {
        let query =
            json!({ "query": format!("{{ bookings(first: {first}) {{ edges {{ cursor }} }} }}") });
        let answer: Value = post(query.to_string()).await.unwrap().json().await.unwrap();
        assert_eq!(fault(&answer), "OUT_OF_RANGE", "{first}: {answer}");
    }
    world.stop().await;
}

async fn wrong_credentials_open_nothing(set_up: SetUp) {
    let world = World::open(set_up).await;
    for credential in [
        "Bearer cvn_wrong",
        "Bearer ",
        "Bearer 7",
        "Ticket x",
        "Ticket ",
        "Basic YTpi",
        "cvn_x",
    ] {
        let client = world.client(credential);
        let answer = client
            .answer("{ viewer { role } }", json!({}))
            .await
            .unwrap();
        let code = &answer["errors"][0]["extensions"]["code"];
        assert_eq!(code, "UNAUTHENTICATED", "{credential}: {answer}");
        assert!(answer["data"].is_null());
    }
    let cast = world.cast().await;
    for mutation in [
        "mutation { createService(input: { idempotencyKey: \"a\", name: \"x\", durationMs: 1 }) { service { id } } }",
        "mutation { createApiKey(input: { name: \"x\", role: ADMIN }) { secret } }",
        "mutation { enterLobby { visit { id } } }",
    ] {
        for client in [&cast.app, &cast.host] {
            let answer = client.answer(mutation, json!({})).await.unwrap();
            assert_eq!(
                answer["errors"][0]["extensions"]["code"], "FORBIDDEN",
                "{answer}"
            );
        }
    }
    let query = "mutation { createApiKey(input: { name: \"x\", role: HOST }) { secret refusal { reason field } } }";
    let data = world.admin.call(query, json!({})).await.unwrap();
    assert_eq!(data["createApiKey"]["refusal"]["reason"], "HOST_MISMATCH");
    world.stop().await;
}

fn world_key(world: &World) -> String {
    let path = world.data().join("development-key.json");
    let kept: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    kept["key"].as_str().unwrap().to_owned()
}
