//! The types of what clients send: known members are checked by name, so that a wrong one is told where it is made.

use serde_json::Value;

use super::error::Failure;
use crate::world::Members;

/// What a member must be. `null` is always allowed.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string.
    Text,
    /// A Boolean.
    Flag,
    /// A whole number.
    Number,
    /// An object.
    Object,
    /// An array of objects.
    Objects,
    /// An array of strings.
    Texts,
    /// One of these strings.
    OneOf(&'static [&'static str]),
}

impl Kind {
    fn holds(self, value: &Value) -> bool {
        let all = |of: fn(&Value) -> bool| value.as_array().is_some_and(|a| a.iter().all(of));
        value.is_null()
            || match self {
                Kind::Text => value.is_string(),
                Kind::Flag => value.is_boolean(),
                Kind::Number => value.is_i64(),
                Kind::Object => value.is_object(),
                Kind::Objects => all(Value::is_object),
                Kind::Texts => all(Value::is_string),
                Kind::OneOf(names) => value.as_str().is_some_and(|text| names.contains(&text)),
            }
    }

    fn wanted(self) -> String {
        match self {
            Kind::Text => "a string".to_owned(),
            Kind::Flag => "true or false".to_owned(),
            Kind::Number => "a whole number".to_owned(),
            Kind::Object => "an object".to_owned(),
            Kind::Objects => "an array of objects".to_owned(),
            Kind::Texts => "an array of strings".to_owned(),
            Kind::OneOf(names) => format!("one of {}", names.join(", ")),
        }
    }
}

/// Members with their kinds.
pub type Known = [(&'static str, Kind)];

/// The first known member that is of the wrong kind, as a sentence.
pub fn wrong(body: &Members, known: &Known) -> Option<String> {
    let (name, kind) = known
        .iter()
        .find(|(name, kind)| body.get(*name).is_some_and(|value| !kind.holds(value)))?;
    Some(format!("The property '{name}' must be {}.", kind.wanted()))
}

/// The first member that a closed type does not have; annotations are always allowed.
pub fn unknown<'a>(body: &'a Members, known: &Known, own: &[&str]) -> Option<&'a str> {
    body.keys().map(String::as_str).find(|name| {
        !name.contains('@') && !own.contains(name) && !known.iter().any(|(known, _)| known == name)
    })
}

/// A member that is a string.
pub fn text<'a>(body: &'a Members, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str)
}

/// A text deep inside, or 400.
pub fn required<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, Failure> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .ok_or_else(|| {
            let name = pointer.trim_start_matches('/').replace('/', ".");
            Failure::bad(format!("'{name}' is required and must be a string."))
        })
}
