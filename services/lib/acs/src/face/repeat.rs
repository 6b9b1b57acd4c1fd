//! Requests that have an effect once (OASIS Repeatable Requests 1.0).

use http::{HeaderMap, HeaderName};
use ring::digest::{Context, SHA256};

use super::Ask;
use crate::{Once, Problem, time::parse_http_date};

const ID: &str = "repeatability-request-id";
const FIRST_SENT: &str = "repeatability-first-sent";
/// Whether the id was honoured.
pub const RESULT: HeaderName = HeaderName::from_static("repeatability-result");
/// Characters of an id: UUIDs of any version, and what else clients make up.
const ID_CHARS_MAX: usize = 128;

/// The key that a client gave, when it did.
pub fn once(ask: &Ask) -> Result<Option<Once>, Problem> {
    let headers = &ask.parts.headers;
    let wrong = |target: &str, text: String| Err(Problem::bad(target, text));
    let (id, first_sent) = match (value(headers, ID)?, value(headers, FIRST_SENT)?) {
        (None, None) => return Ok(None),
        (Some(id), Some(first_sent)) => (id, first_sent),
        (None, _) => return wrong(ID, format!("{FIRST_SENT} wants {ID} beside it.")),
        (_, None) => return wrong(FIRST_SENT, format!("{ID} wants {FIRST_SENT} beside it.")),
    };
    if id.is_empty() || id.len() > ID_CHARS_MAX {
        return wrong(ID, format!("{ID} has 1 to {ID_CHARS_MAX} characters."));
    }
    if parse_http_date(first_sent).is_none() {
        let text = format!("{FIRST_SENT} must be a date like Tue, 01 Jan 2030 00:00:00 GMT.");
        return wrong(FIRST_SENT, text);
    }
    let mut digest = Context::new(&SHA256);
    for part in [ask.parts.method.as_str(), ask.parts.uri.path()] {
        digest.update(part.as_bytes());
        digest.update(b"\n");
    }
    digest.update(&ask.body);
    let digest = digest.finish();
    let digest = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    Ok(Some(Once {
        id: id.to_owned(),
        digest: digest.collect(),
    }))
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let value = headers.get(name).map(|value| value.to_str());
    value
        .transpose()
        .map_err(|_| Problem::bad(name, format!("{name} is not text.")))
}
