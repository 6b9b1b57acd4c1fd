//! The pages: their headers, and that nothing but what is meant is served.

use convene_domain::TenantId;
use reqwest::Response;
use uuid::Uuid;

use crate::world::World;

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
