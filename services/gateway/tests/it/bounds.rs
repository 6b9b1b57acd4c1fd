//! What is too large, too deep or not a request at all.

use convene_gateway::Door;
use serde_json::json;

use crate::world::{World, reason};

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request_say_why() {
    let world = World::new().await;
    let large = format!("{{\"query\": \"{}\"}}", "x".repeat(1024 * 1024));
    for (body, status, wanted) in [
        (String::new(), 400, "MALFORMED_JSON"),
        ("{".to_owned(), 400, "MALFORMED_JSON"),
        ("[".repeat(10_000), 400, "MALFORMED_JSON"),
        (
            "[{\"query\":\"{ viewer { role } }\"}]".to_owned(),
            400,
            "BATCH_NOT_ALLOWED",
        ),
        ("7".to_owned(), 400, "MALFORMED_REQUEST"),
        ("{\"query\": []}".to_owned(), 400, "MALFORMED_REQUEST"),
        (large.clone(), 413, "BODY_TOO_LARGE"),
    ] {
        let (got, answer) = world.post(Some(&world.admin), body).await;
        assert_eq!((got, reason(&answer)), (status, wanted), "{answer}");
    }
    // Strangers are told that they are strangers, whatever they send.
    for body in ["{".to_owned(), "[]".to_owned(), large] {
        let (status, answer) = world.post(None, body).await;
        assert_eq!((status, reason(&answer)), (401, "CREDENTIALS_MISSING"));
    }
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_out_of_bounds_have_a_reason_and_no_data() {
    let world = World::new().await;
    let aliases: String = (0..31)
        .map(|n| format!("a{n}: viewer {{ role }} "))
        .collect();
    let deep = format!(
        "{{ bookings {{ edges {{ node {{ {} id {} }} }} }} }}",
        "guests { visit { booking { ".repeat(4),
        "} } } ".repeat(4)
    );
    let mut bomb = String::from("{ ...f0 }");
    for n in 0..20 {
        let next = format!("...f{} ", n + 1).repeat(20);
        bomb.push_str(&format!(" fragment f{n} on Query {{ {next} }}"));
    }
    bomb.push_str(" fragment f20 on Query { viewer { role } }");
    let dear = "{ bookings(first: 100) { edges { node { guests { visit { booking { id state } } } lobby { visits { id state } } } } } }";
    let directives = format!("{{ viewer {{ role {} }} }}", "@skip(if: false) ".repeat(9));
    for (query, wanted) in [
        (deep, "QUERY_TOO_DEEP"),
        (dear.to_owned(), "QUERY_TOO_COMPLEX"),
        (format!("{{ {aliases} }}"), "TOO_MANY_ALIASES"),
        (directives, "TOO_MANY_DIRECTIVES"),
        (bomb, "TOO_MANY_SELECTIONS"),
        (
            format!("{{ {} }}", "viewer { role } ".repeat(5_000)),
            "DOCUMENT_TOO_LARGE",
        ),
        (
            "{ ...a } fragment a on Query { ...a }".to_owned(),
            "FRAGMENT_CYCLE",
        ),
        ("{ nothing }".to_owned(), "INVALID_DOCUMENT"),
        ("{".to_owned(), "INVALID_DOCUMENT"),
        ("{ service { name } }".to_owned(), "INVALID_DOCUMENT"),
        (
            "subscription { visit { cursor } }".to_owned(),
            "INVALID_DOCUMENT",
        ),
    ] {
        let answer = world.ask(&world.admin, &query, json!({})).await;
        let shown = query.get(..60).unwrap_or(&query);
        assert_eq!(reason(&answer), wanted, "{shown}: {answer}");
        assert_eq!(
            answer["errors"][0]["extensions"]["code"],
            "INVALID_ARGUMENT"
        );
        assert!(answer["data"].is_null(), "{shown}: {answer}");
    }
    // A value that its scalar does not take is found while it runs.
    let query =
        "mutation($input: BookMeetingInput!) { bookMeeting(input: $input) { refusal { reason } } }";
    let wish = json!({"input": {"idempotencyKey": "k", "serviceId": "x", "hostId": "x", "start": "tomorrow", "guests": []}});
    let answer = world.ask(&world.admin, query, wish).await;
    assert_eq!(reason(&answer), "INVALID_DOCUMENT", "{answer}");
    world.stop().await.0.unwrap();
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused_with_the_remedy() {
    for public in ["0.0.0.0:0", "[::]:0", "192.0.2.1:443"] {
        let bound = Door::bind(public.parse().unwrap(), false).await;
        let error = bound.unwrap_err();
        assert_eq!(error.reason, "NOT_LOOPBACK", "{public}");
        assert_eq!(error.field.as_deref(), Some("gateway.listen"));
        assert!(error.message.contains("allow_public"), "{}", error.message);
    }
}
