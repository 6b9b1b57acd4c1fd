//! Query strings.

use percent_encoding::percent_decode_str;

/// Names and values, decoded.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query as forms are written; what cannot be decoded stays as it came.
    pub fn of(text: &str) -> Self {
        let decoded = |part: &str| {
            let part = part.replace('+', " ");
            let decoded = percent_decode_str(&part).decode_utf8();
            decoded.map_or_else(|_| part.clone(), std::borrow::Cow::into_owned)
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The first value of a name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self
            .0
            .iter()
            .find(|(one, _)| one.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
