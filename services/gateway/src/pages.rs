//! The pages: static files in the binary. What they know of anybody comes over GraphQL, with the ticket that the page finds in its
//! address's fragment, which browsers never send.

mod files;

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convene_domain::TenantId;
use convene_kit::digest;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{api::Api, waiting_page};
use files::FILES;

/// What a page may load, besides who may show it in a frame: its own files, answers of this gateway, pictures that stand in an answer.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
/// No devices for a page but those of the check.
const DEVICES: &str = "camera=(self), microphone=(self), speaker-selection=(self), geolocation=(), payment=(), usb=()";
/// Who may show a page in a frame, when nobody may.
const NOBODY: &str = "'none'";
const WAIT: &str = include_str!("../pages/wait.html");

/// A file and the tag by which browsers know that they have it.
struct Served {
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
    tag: HeaderValue,
}

static SERVED: LazyLock<Vec<Served>> = LazyLock::new(|| {
    let served = FILES.iter().map(|&(path, body)| {
        let digest = URL_SAFE_NO_PAD.encode(digest::sha256(body.as_bytes()));
        Served {
            path,
            content_type: content_type(path),
            body,
            tag: HeaderValue::try_from(format!("\"{digest}\""))
                .unwrap_or_else(|_| HeaderValue::from_static("\"\"")),
        }
    });
    served.collect()
});

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "json")) => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

/// The pages and their files.
pub fn routes(api: Arc<Api>) -> Router {
    Router::new()
        .route("/wait", get(wait))
        .route("/wait/{tenant}", get(wait_of))
        .route("/pages/{*file}", get(file))
        .with_state(api)
}

async fn wait() -> Response {
    page(WAIT, NOBODY)
}

/// The page of a tenant, which may have allowed others to show it in a frame. Of a tenant that is not there it is the page that nobody may:
/// an address tells nothing about whose it is.
async fn wait_of(State(api): State<Arc<Api>>, Path(tenant): Path<String>) -> Response {
    let Ok(tenant) = tenant.parse::<TenantId>() else {
        return wait().await;
    };
    match waiting_page::get(api.db.read(), tenant).await {
        Ok(page_of) if !page_of.settings.embedding_origins.is_empty() => {
            page(WAIT, &page_of.settings.embedding_origins.join(" "))
        }
        Ok(_) => wait().await,
        Err(error) => {
            tracing::warn!(reason = %error.reason, "a waiting page's settings were not read");
            wait().await
        }
    }
}

/// A page that only these origins (CSP source list) may show in a frame.
fn page(body: &'static str, ancestors: &str) -> Response {
    let policy = HeaderValue::try_from(format!("{POLICY}; frame-ancestors {ancestors}"))
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // Who may show it can change at any time.
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("permissions-policy"), DEVICES),
    ];
    let policy = [(header::CONTENT_SECURITY_POLICY, policy)];
    (careful(), headers, policy, body).into_response()
}

/// Headers of everything here: the address tells nobody anything, and nothing is taken for what it is not.
fn careful() -> [(HeaderName, &'static str); 3] {
    [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ]
}

async fn file(Path(wanted): Path<String>, asked: HeaderMap) -> Response {
    let Some(file) = SERVED.iter().find(|file| file.path == wanted) else {
        return (StatusCode::NOT_FOUND, careful(), "there is no such file\n").into_response();
    };
    // Asked for again each time, sent again when it changed: pages of one version never mix with files of another.
    let cache = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ETAG, file.tag.clone()),
    ];
    if asked.get(header::IF_NONE_MATCH) == Some(&file.tag) {
        return (StatusCode::NOT_MODIFIED, careful(), cache).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, file.content_type)];
    (careful(), cache, content_type, file.body).into_response()
}

#[cfg(test)]
mod tests;
