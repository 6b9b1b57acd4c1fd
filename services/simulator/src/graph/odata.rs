//! Answers in OData's JSON: single objects, pages of collections, `$select`.

use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::{
    ask::Ask,
    error::{Answer, Failure},
};

/// Graph's content type.
pub const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
const VERSION: (HeaderName, &str) = (HeaderName::from_static("odata-version"), "4.0");

/// Items on a page when `$top` is absent.
const PAGE: usize = 10;
/// Items on a page at the most.
const PAGE_MAX: usize = 1_000;

/// A JSON answer.
pub fn json(status: StatusCode, body: &Value) -> Response {
    let content = [(header::CONTENT_TYPE, JSON), VERSION];
    (status, content, body.to_string()).into_response()
}

/// One object with its context, `#{set}/$entity`.
pub fn entity(ask: &Ask, status: StatusCode, set: &str, object: Value) -> Response {
    let mut answer = Map::new();
    let context = format!("{}/$metadata#{set}/$entity", ask.root());
    answer.insert("@odata.context".into(), context.into());
    if let Value::Object(members) = select(ask, object) {
        answer.extend(members);
    }
    json(status, &answer.into())
}

/// One page of a collection at `path` below the root, with `@odata.nextLink` when there is more.
pub fn page<T>(
    ask: &Ask,
    path: &str,
    items: impl Iterator<Item = T> + Clone,
    show: impl Fn(T) -> Value,
) -> Answer {
    let number = |name: &str, default: usize, max: usize| match ask.query.get(name) {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) if number <= max => Ok(number),
            _ => Err(Failure::bad(format!(
                "Invalid value '{text}' for the query option '{name}'; it is a number up to {max}."
            ))),
        },
    };
    let top = number("$top", PAGE, PAGE_MAX)?;
    let skip = number("$skip", 0, usize::MAX)?;
    let mut answer = Map::new();
    let context = format!("{}/$metadata#{path}", ask.root());
    answer.insert("@odata.context".into(), context.into());
    if ask.query.get("$count").is_some_and(|count| count == "true") {
        answer.insert("@odata.count".into(), items.clone().count().into());
    }
    let mut rest = items.skip(skip);
    let shown: Vec<Value> = rest
        .by_ref()
        .take(top)
        .map(|item| select(ask, show(item)))
        .collect();
    if top > 0 && rest.next().is_some() {
        answer.insert(
            "@odata.nextLink".into(),
            next(ask, path, skip.saturating_add(top)).into(),
        );
    }
    answer.insert("value".into(), shown.into());
    Ok(json(StatusCode::OK, &answer.into()))
}

/// The same question, further on.
fn next(ask: &Ask, path: &str, skip: usize) -> String {
    let mut link = format!("{}/{path}?$skip={skip}", ask.root());
    for (name, value) in ask.query.iter().filter(|(name, _)| *name != "$skip") {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        link.push_str(&format!("&{name}={value}"));
    }
    link
}

/// Keeps `id`, annotations and the members that `$select` names.
pub fn select(ask: &Ask, mut item: Value) -> Value {
    if let (Some(select), Some(object)) = (ask.query.get("$select"), item.as_object_mut()) {
        let wanted: Vec<_> = select.split(',').map(str::trim).collect();
        object.retain(|name, _| {
            name == "id" || name.starts_with('@') || wanted.contains(&name.as_str())
        });
    }
    item
}

/// The text between quotes of `name eq '…'`, quotes doubled inside.
pub fn equals(filter: &str, name: &str) -> Option<String> {
    let (left, right) = filter.split_once(" eq ")?;
    if !left.trim().eq_ignore_ascii_case(name) {
        return None;
    }
    unquote(right.trim())
}

/// The text of a literal in quotes; `None` when it ends before the end.
pub fn unquote(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    // Every quote inside is doubled.
    let text = inner.replace("''", "\u{0}");
    (!text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_ends_at_its_quote() {
        assert_eq!(equals("Name eq 'a''b'", "name").as_deref(), Some("a'b"));
        for other in [
            "name eq 'a' or 1 eq '1'",
            "name eq a",
            "name ne 'a'",
            "x eq 'a'",
            "name eq '",
        ] {
            assert_eq!(equals(other, "name"), None, "{other}");
        }
    }
}
