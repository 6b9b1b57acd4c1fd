//! Links to next pages.

use serde_json::{Value, json};

use super::Ask;
use crate::{Page, Problem};

/// Where a page begins: an id in hexadecimal digits, because official clients sign a link anew and differ in how they write other characters.
pub fn after(ask: &Ask) -> Result<Option<String>, Problem> {
    let Some(text) = ask.query.get("after") else {
        return Ok(None);
    };
    let wrong = || Problem::bad("after", "The link to the next page is not as it was given.");
    let text = text.as_bytes();
    if text.len() % 2 != 0 {
        return Err(wrong());
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes: Option<Vec<u8>> = text
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
            _ => None,
        })
        .collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Some).ok_or_else(wrong)
}

/// An id as a link holds it.
pub fn hexed(id: &str) -> String {
    id.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A page as it is answered, with a link to the next one.
pub fn paged<T>(
    ask: &Ask,
    page: Page<T>,
    show: impl Fn(T) -> Value,
    written: impl Fn(&str) -> String,
) -> Value {
    let items: Vec<_> = page.items.into_iter().map(show).collect();
    let mut body = json!({"value": items});
    if let (Some(next), Some(body)) = (page.next, body.as_object_mut()) {
        let next = written(&next);
        let (origin, path, version) = (&ask.origin, ask.parts.uri.path(), &ask.version);
        let link = format!("{origin}{path}?api-version={version}&after={next}");
        body.insert("nextLink".to_owned(), link.into());
    }
    body
}
