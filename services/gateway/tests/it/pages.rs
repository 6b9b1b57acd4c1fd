//! The pages: their headers, and that nothing but what is meant is served.

use convene_domain::TenantId;
use reqwest::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

const SET: &str = "mutation($input: SetWaitingPageInput!) { setWaitingPage(input: $input) { waitingPage { version } refusal { reason field } } }";

async fn get(world: &World, path: &str) -> Response {
    let request = world.http().get(format!("{}{path}", world.url));
    request.send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_waiting_page_is_strict_about_what_it_loads_and_who_shows_it() {
    let world = World::new().await;
    let stranger = TenantId::from_uuid(Uuid::now_v7());
    let plain = get(&world, "/wait").await;
    assert_eq!(plain.status(), 200);
    assert_eq!(header(&plain, "content-type"), "text/html; charset=utf-8");
    assert_eq!(header(&plain, "cache-control"), "no-store");
    assert_eq!(header(&plain, "referrer-policy"), "no-referrer");
    assert_eq!(header(&plain, "x-content-type-options"), "nosniff");
    let policy = header(&plain, "content-security-policy").to_owned();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|found| found == part), "{policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    // An address tells nobody whether there is such a tenant.
    for path in [format!("/wait/{stranger}"), "/wait/nobody".to_owned()] {
        let other = get(&world, &path).await;
        assert_eq!(other.status(), 200, "{path}");
        assert_eq!(header(&other, "content-security-policy"), policy, "{path}");
    }
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_once_and_checked_each_time() {
    let world = World::new().await;
    for (path, content_type) in [
        ("/pages/wait/main.js", "text/javascript; charset=utf-8"),
        ("/pages/style/base.css", "text/css; charset=utf-8"),
        ("/pages/locales/ar.json", "application/json"),
    ] {
        let first = get(&world, path).await;
        assert_eq!(first.status(), 200, "{path}");
        assert_eq!(header(&first, "content-type"), content_type);
        assert_eq!(header(&first, "cache-control"), "no-cache");
        assert_eq!(header(&first, "x-content-type-options"), "nosniff");
        let tag = header(&first, "etag").to_owned();
        let again = world.http().get(format!("{}{path}", world.url));
        let again = again.header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
        assert_eq!(header(&again, "etag"), tag);
    }
    for path in [
        "/pages/",
        "/pages/wait.html",
        "/pages/wait/main.ts",
        "/pages/..%2f..%2fCargo.toml",
        "/pages/%2e%2e/lib.rs",
    ] {
        let refused = get(&world, path).await;
        assert_eq!(refused.status(), 404, "{path}");
    }
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_says_how_the_page_looks_and_who_may_frame_it() {
    let world = World::new().await;
    let booked = world.booked().await;
    let ticket = world.ticket(&booked, 0).await;
    let query = "{ viewer { tenantId } waitingPage { name accentColour asksConsent embeddingOrigins version } }";
    let bare = world.data(&ticket, query, json!({})).await;
    let nothing = json!({"name": null, "accentColour": null, "asksConsent": false, "embeddingOrigins": [], "version": 0});
    assert_eq!(bare["waitingPage"], nothing);
    let tenant = bare["viewer"]["tenantId"].as_str().unwrap();

    let input = json!({"input": {"name": "Hill Clinic", "accentColour": "#2B59C3", "asksConsent": true, "embeddingOrigins": ["https://app.example/"]}});
    for caller in [&booked.host, &booked.app, &ticket] {
        let answer = world.ask(caller, SET, input.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
    let set = world.data(&world.admin, SET, input).await;
    assert_eq!(set["setWaitingPage"]["waitingPage"]["version"], 1, "{set}");
    let wanted = json!({"name": "Hill Clinic", "accentColour": "#2b59c3", "asksConsent": true, "embeddingOrigins": ["https://app.example"], "version": 1});
    for caller in [&ticket, &booked.host, &booked.app, &world.admin] {
        let seen = world.data(caller, query, json!({})).await;
        assert_eq!(seen["waitingPage"], wanted);
    }
    let seen = world.data(&world.stranger, query, json!({})).await;
    assert_eq!(seen["waitingPage"], nothing, "another tenant has its own");

    let ancestors = async |path: &str| {
        let page = get(&world, path).await;
        let policy = header(&page, "content-security-policy").to_owned();
        policy.split("frame-ancestors ").nth(1).unwrap().to_owned()
    };
    assert_eq!(
        ancestors(&format!("/wait/{tenant}")).await,
        "https://app.example"
    );
    assert_eq!(ancestors("/wait").await, "'none'");
    let stranger = seen["viewer"]["tenantId"].as_str().unwrap();
    assert_eq!(ancestors(&format!("/wait/{stranger}")).await, "'none'");

    let wrong =
        json!({"input": {"name": "Hill Clinic", "embeddingOrigins": ["https://*.example"]}});
    let refused = world.data(&world.admin, SET, wrong).await;
    let refusal = json!({"reason": "MALFORMED_ORIGIN", "field": "embeddingOrigins"});
    assert_eq!(refused["setWaitingPage"]["refusal"], refusal);
    assert_eq!(
        ancestors(&format!("/wait/{tenant}")).await,
        "https://app.example"
    );
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_comes_with_the_path_of_its_page() {
    let world = World::new().await;
    let booked = world.booked().await;
    let query = "mutation($b: ID!, $g: ID!) { issueTicket(input: { bookingId: $b, guestId: $g }) { ticket waitingPagePath refusal { reason } } }";
    let variables = json!({"b": booked.id, "g": booked.guests[0]});
    let issued = world.data(&booked.app, query, variables).await["issueTicket"].take();
    let tenant = world
        .data(&booked.app, "{ viewer { tenantId } }", json!({}))
        .await;
    let (tenant, ticket) = (
        tenant["viewer"]["tenantId"].as_str().unwrap(),
        issued["ticket"].as_str().unwrap(),
    );
    assert_eq!(
        issued["waitingPagePath"],
        format!("/wait/{tenant}#{ticket}")
    );
    let refused = world
        .data(&booked.app, query, json!({"b": booked.id, "g": booked.id}))
        .await;
    assert_eq!(refused["issueTicket"]["waitingPagePath"], Value::Null);
    world.stop().await.0.unwrap();
}
