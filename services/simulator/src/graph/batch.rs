//! JSON batching: up to twenty requests in one, in any order but after those that they depend on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Extension, Router, body::Body, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{
    ask::{Ask, Object},
    error::{Answer, Failure},
    members::text,
    odata,
};
use crate::{
    answering::Dispatch, origin::Origin, pattern::below_version, state::Shared, world::Members,
};

/// Requests in one batch.
const REQUESTS_MAX: usize = 20;
/// Body of one answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

pub fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/$batch", post(batch))
}

/// One request of a batch, read and checked.
#[derive(Debug)]
struct Item {
    id: String,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Option<Value>,
    after: Vec<String>,
}

async fn batch(
    ask: Ask,
    Extension(dispatch): Extension<Dispatch>,
    headers: HeaderMap,
    Object(body): Object,
) -> Answer {
    let mut waiting = read(&body, &ask.origin)?;
    let mut ended: BTreeMap<String, bool> = BTreeMap::new();
    let mut answers = Vec::new();
    let mut running = FuturesUnordered::new();
    while !waiting.is_empty() || !running.is_empty() {
        let (ready, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|item| item.after.iter().all(|id| ended.contains_key(id)));
        waiting = later;
        for item in ready {
            let well = item.after.iter().all(|id| ended.get(id) == Some(&true));
            if well {
                running.push(send(&ask, &dispatch, &headers, item));
            } else {
                ended.insert(item.id.clone(), false);
                answers.push(failed_dependency(&item.id));
            }
        }
        if let Some((id, status, answer)) = running.next().await {
            ended.insert(id, status.is_success());
            answers.push(answer);
        }
    }
    Ok(odata::json(StatusCode::OK, &json!({"responses": answers})))
}

/// The whole batch is refused when it cannot be understood.
fn read(body: &Members, origin: &Origin) -> Result<Vec<Item>, Failure> {
    let requests = body.get("requests").and_then(Value::as_array);
    let requests = requests.ok_or_else(|| Failure::bad("'requests' is required: an array."))?;
    if requests.len() > REQUESTS_MAX {
        return Err(Failure::bad(format!(
            "A batch has at most {REQUESTS_MAX} requests."
        )));
    }
    let items: Vec<Item> = requests
        .iter()
        .map(|value| item(value, origin))
        .collect::<Result<_, _>>()?;
    let mut ids = BTreeSet::new();
    for item in &items {
        // Dependencies name what stands before, so there is no circle.
        if let Some(unknown) = item.after.iter().find(|id| !ids.contains(*id)) {
            return Err(Failure::bad(format!(
                "Request '{}' depends on '{unknown}', which does not stand before it.",
                item.id
            )));
        }
        if !ids.insert(item.id.clone()) {
            return Err(Failure::bad(format!("The id '{}' is used twice.", item.id)));
        }
    }
    Ok(items)
}

fn item(value: &Value, origin: &Origin) -> Result<Item, Failure> {
    let object = value
        .as_object()
        .ok_or_else(|| Failure::bad("Each of 'requests' is an object."))?;
    let part = |name: &str| {
        let found = text(object, name).filter(|text| !text.is_empty());
        found.ok_or_else(|| Failure::bad(format!("Each request of a batch needs '{name}'.")))
    };
    let (id, url) = (part("id")?.to_owned(), part("url")?);
    let method: Method = part("method")?
        .to_ascii_uppercase()
        .parse()
        .map_err(|_| Failure::bad("'method' is not an HTTP method."))?;
    let url = relative(url, origin).ok_or_else(|| {
        Failure::bad(format!(
            "The url of request '{id}' is not relative to the version."
        ))
    })?;
    if url.trim_start_matches('/').starts_with("$batch") {
        return Err(Failure::bad("A batch holds no batches."));
    }
    let headers = headers(object);
    let body = object.get("body").filter(|body| !body.is_null()).cloned();
    if body.is_some() && !headers.contains_key(header::CONTENT_TYPE) {
        return Err(Failure::bad(format!(
            "Write request id : {id} does not contain Content-Type header or body."
        )));
    }
    let after = object.get("dependsOn").and_then(Value::as_array);
    let after = after.into_iter().flatten().filter_map(Value::as_str);
    Ok(Item {
        id,
        method,
        url: format!("/{}", url.trim_start_matches('/')),
        headers,
        body,
        after: after.map(str::to_owned).collect(),
    })
}

/// Below the version. The Python client sends whole addresses: ours are understood, and so are paths with a version.
fn relative<'a>(url: &'a str, origin: &Origin) -> Option<&'a str> {
    let path = match url.strip_prefix(&origin.to_string()) {
        Some(path) => path,
        None if url.contains("://") => return None,
        None => url,
    };
    Some(below_version(path))
}

fn headers(object: &Members) -> HeaderMap {
    let given = object.get("headers").and_then(Value::as_object);
    let pair = |(name, value): (&String, &Value)| {
        let name: HeaderName = name.parse().ok()?;
        Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
    };
    given.into_iter().flatten().filter_map(pair).collect()
}

/// With the token of the whole batch; the rest is the request's own.
async fn send(
    ask: &Ask,
    dispatch: &Dispatch,
    outer: &HeaderMap,
    item: Item,
) -> (String, StatusCode, Value) {
    let body = match &item.body {
        None => Body::empty(),
        // Other content than JSON comes in base64.
        Some(Value::String(text)) => Body::from(STANDARD.decode(text).unwrap_or_default()),
        Some(body) => Body::from(body.to_string()),
    };
    let mut request = Request::new(body);
    *request.method_mut() = item.method;
    let Ok(uri) = format!("/{}{}", ask.version, item.url).parse() else {
        let answer = refusal(&item.id, StatusCode::BAD_REQUEST, "BadRequest");
        return (item.id, StatusCode::BAD_REQUEST, answer);
    };
    *request.uri_mut() = uri;
    *request.headers_mut() = item.headers;
    for name in [header::AUTHORIZATION, header::HOST] {
        if let Some(value) = outer.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    request
        .extensions_mut()
        .insert::<Origin>(ask.origin.clone());
    match dispatch.answer(request).await {
        Ok(response) => {
            let status = response.status();
            (item.id.clone(), status, told(&item.id, response).await)
        }
        // A fault has closed the connection behind the batch.
        Err(_) => {
            let status = StatusCode::GATEWAY_TIMEOUT;
            let answer = refusal(&item.id, status, "GatewayTimeout");
            (item.id, status, answer)
        }
    }
}

async fn told(id: &str, response: Response<Body>) -> Value {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await;
    let bytes = bytes.unwrap_or_default();
    let headers: Map<String, Value> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((capitals(name), value.to_str().ok()?.into())))
        .collect();
    let mut answer = json!({"id": id, "status": parts.status.as_u16(), "headers": headers});
    if !bytes.is_empty() {
        let json = serde_json::from_slice(&bytes);
        answer["body"] = json.unwrap_or_else(|_| STANDARD.encode(&bytes).into());
    }
    answer
}

/// `Content-Type`: as the documentation writes names.
fn capitals(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

fn failed_dependency(id: &str) -> Value {
    refusal(id, StatusCode::FAILED_DEPENDENCY, "FailedDependency")
}

fn refusal(id: &str, status: StatusCode, code: &str) -> Value {
    let message = match status {
        StatusCode::FAILED_DEPENDENCY => "A request that this one depends on has failed.",
        StatusCode::BAD_REQUEST => "The url cannot be read.",
        _ => "No answer came.",
    };
    json!({"id": id, "status": status.as_u16(), "body": {"error": {"code": code, "message": message}}})
}
