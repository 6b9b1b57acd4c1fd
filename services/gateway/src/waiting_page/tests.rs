use convene_kit::{Clock, event, ids};
use convene_migrations::gateway::Migrator;
use proptest::prelude::*;

use super::*;
use crate::keys::made_by;

fn plain() -> Settings {
    Settings {
        name: "Hill Clinic".into(),
        ..Settings::default()
    }
}

fn reason(settings: Settings) -> (String, String) {
    let error = checked::settings(settings).unwrap_err();
    (
        error.reason.into_owned(),
        error.field.unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn settings_are_kept_journalled_and_a_tenants_own() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite::<Migrator>(folder.path(), "gateway")
        .await
        .unwrap();
    let clock = Clock::default();
    let (ours, other) = (
        TenantId::from_uuid(ids::new()),
        TenantId::from_uuid(ids::new()),
    );
    let origin = |tenant| made_by("key:admin", tenant, &clock);
    assert_eq!(get(db.read(), ours).await.unwrap(), WaitingPage::default());
    let first = set(&db, origin(ours), plain()).await.unwrap();
    assert_eq!(first.version, 1);
    let again = set(&db, origin(ours), plain()).await.unwrap();
    assert_eq!(again, first, "the same again is no change");
    let framed = Settings {
        embedding_origins: vec!["https://b.example".into(), "https://a.example/".into()],
        ..plain()
    };
    let second = set(&db, origin(ours), framed).await.unwrap();
    assert_eq!(second.version, 2);
    assert_eq!(
        second.settings.embedding_origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(get(db.read(), ours).await.unwrap(), second);
    assert_eq!(get(db.read(), other).await.unwrap(), WaitingPage::default());
    let filter = event::Filter {
        tenant: Some(ours),
        booking: None,
    };
    let events = event::page(db.read(), 0, 10, filter).await.unwrap();
    assert_eq!(events.len(), 2);
    let last = events.last().unwrap();
    assert_eq!(
        (last.kind.as_str(), last.seq, last.actor.as_str()),
        ("WaitingPageSet", 2, "key:admin")
    );
    assert!(last.data.contains("https://a.example") && !last.data.contains("Clinic"));
    let row = Entity::find().one(db.read()).await.unwrap().unwrap();
    assert_eq!((row.version, row.head_hash), (2, last.hash.clone()));
}

#[test]
fn what_is_not_safe_is_refused() {
    let with = |change: fn(&mut Settings)| {
        let mut settings = plain();
        change(&mut settings);
        reason(settings)
    };
    assert_eq!(
        with(|s| s.name = " ".into()),
        ("REQUIRED".into(), "name".into())
    );
    assert_eq!(
        with(|s| s.support_line = Some("a\nb".into())).1,
        "supportLine"
    );
    assert_eq!(
        with(|s| s.consent_text_version = Some("1".into())).0,
        "CONSENT_VERSION_MISMATCH"
    );
    assert_eq!(
        with(|s| s.embedding_origins = vec!["https://a.example".into(); 21]).0,
        "TOO_MANY_ORIGINS"
    );
    for colour in ["red", "#12345", "#12345g", "#1234567", "#123456;x", ""] {
        let settings = Settings {
            accent_colour: Some(colour.into()),
            ..plain()
        };
        assert_eq!(reason(settings).0, "MALFORMED_COLOUR", "{colour}");
    }
    let png = STANDARD_PNG.to_owned();
    assert!(
        checked::settings(Settings {
            logo: Some(png.clone()),
            ..plain()
        })
        .is_ok()
    );
    for logo in [
        "https://logo.example/a.png".to_owned(),
        png.replace("image/png", "image/jpeg"),
        png.replace("image/png", "text/html"),
        png.replace("base64,", "base64,%"),
        "data:image/svg+xml;base64,aGVsbG8=".to_owned(),
        "javascript:alert(1)".to_owned(),
    ] {
        let settings = Settings {
            logo: Some(logo.clone()),
            ..plain()
        };
        assert_eq!(reason(settings).0, "MALFORMED_LOGO", "{logo}");
    }
    let large = format!(
        "data:image/png;base64,{}",
        "A".repeat(checked::LOGO_BYTES_MAX)
    );
    let settings = Settings {
        logo: Some(large),
        ..plain()
    };
    assert_eq!(reason(settings).0, "LOGO_TOO_LARGE");
    for locale in ["", "d", "de_AT", "de-", "x\"y", "123", "abcdefghi"] {
        let settings = Settings {
            default_locale: Some(locale.into()),
            ..plain()
        };
        assert_eq!(reason(settings).0, "MALFORMED_LOCALE", "{locale}");
    }
}

/// One pixel.
const STANDARD_PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[test]
fn an_origin_is_one_and_nothing_more() {
    let kept = |origin: &str| {
        let settings = Settings {
            embedding_origins: vec![origin.into()],
            ..plain()
        };
        checked::settings(settings).map(|s| s.embedding_origins[0].clone())
    };
    for (given, wanted) in [
        ("https://app.example", "https://app.example"),
        ("https://app.example/", "https://app.example"),
        ("https://APP.example:8443", "https://app.example:8443"),
        ("https://app.example:443", "https://app.example"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
    ] {
        assert_eq!(kept(given).unwrap(), wanted);
    }
    for bad in [
        "",
        "*",
        "https:",
        "https://*",
        "https://*.example",
        "http://app.example",
        "http://localhost.app.example",
        "app.example",
        "https://app.example/path",
        "https://app.example?x",
        "https://user@app.example",
        "https://a.example; script-src *",
        "https://a.example;script-src",
        "https://a.example,https://b.example",
        "https://[::1]",
        "data:text/html,x",
        "'self'",
        "null",
    ] {
        assert_eq!(kept(bad).unwrap_err().reason, "MALFORMED_ORIGIN", "{bad}");
    }
}

proptest! {
    /// Whatever is accepted stands in a header as one source and nothing else.
    #[test]
    fn accepted_origins_are_header_safe(text in "(https?://)?[\\PC]{0,40}") {
        let settings = Settings { embedding_origins: vec![text], ..plain() };
        if let Ok(kept) = checked::settings(settings) {
            let origin = &kept.embedding_origins[0];
            prop_assert!(origin.bytes().all(|b| b.is_ascii_alphanumeric() || b":/.-".contains(&b)), "{}", origin);
            prop_assert!(http::HeaderValue::try_from(origin.as_str()).is_ok());
        }
    }
}
