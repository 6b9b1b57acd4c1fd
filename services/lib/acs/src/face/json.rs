//! JSON bodies. A problem names the member; null is absent unless a method says otherwise.

use serde_json::{Map, Value};

use crate::{Problem, time::parse_rfc3339};

/// The members of an object, with the path that leads to it.
#[derive(Debug)]
pub struct Fields {
    path: String,
    members: Map<String, Value>,
}

impl Fields {
    /// A body; an empty one has no members (identities are created like that).
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        if body.is_empty() {
            return Ok(Self {
                path: String::new(),
                members: Map::new(),
            });
        }
        let value = serde_json::from_slice(body)
            .map_err(|error| Problem::bad("body", format!("The body is not JSON: {error}.")))?;
        Self::of("", value)
    }

    /// An object at a path.
    pub fn of(path: &str, value: Value) -> Result<Self, Problem> {
        match value {
            Value::Object(members) => Ok(Self {
                path: path.to_owned(),
                members,
            }),
            _ if path.is_empty() => Err(Problem::bad("body", "The body must be a JSON object.")),
            _ => Err(Problem::bad(path, format!("{path} must be an object."))),
        }
    }

    fn at(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }

    fn present(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member that must be there.
    fn missing(&self, name: &str) -> Problem {
        let at = self.at(name);
        let text = format!("{at} is required.");
        Problem::bad(at, text)
    }

    fn wrong(&self, name: &str, wanted: &str) -> Problem {
        let at = self.at(name);
        let text = format!("{at} must be {wanted}.");
        Problem::bad(at, text)
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        self.present(name)
            .map(|value| {
                let text = value.as_str().ok_or_else(|| self.wrong(name, "a string"))?;
                Ok(text.to_owned())
            })
            .transpose()
    }

    /// A text that must be there and say something.
    pub fn required_text(&self, name: &str) -> Result<String, Problem> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| self.missing(name))
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.present(name)
            .map(|value| {
                let whole = value.as_i64();
                whole.ok_or_else(|| self.wrong(name, "a whole number"))
            })
            .transpose()
    }

    /// True or false.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Problem> {
        self.present(name)
            .map(|value| {
                value
                    .as_bool()
                    .ok_or_else(|| self.wrong(name, "true or false"))
            })
            .transpose()
    }

    /// A time, in milliseconds.
    pub fn time(&self, name: &str) -> Result<Option<i64>, Problem> {
        let wanted = "a time in RFC 3339 with its offset, for example 2031-01-01T10:00:00Z";
        self.text(name)?
            .map(|text| parse_rfc3339(&text).ok_or_else(|| self.wrong(name, wanted)))
            .transpose()
    }

    /// A list.
    pub fn list(&self, name: &str) -> Result<Option<&Vec<Value>>, Problem> {
        self.present(name)
            .map(|value| value.as_array().ok_or_else(|| self.wrong(name, "a list")))
            .transpose()
    }

    /// An object.
    pub fn object(&self, name: &str) -> Result<Option<Self>, Problem> {
        let value = self.present(name).cloned();
        value
            .map(|value| Self::of(&self.at(name), value))
            .transpose()
    }

    /// A list of objects; absent is empty.
    pub fn objects(&self, name: &str) -> Result<Vec<Self>, Problem> {
        let items = self.list(name)?.into_iter().flatten().enumerate();
        items
            .map(|(at, value)| Self::of(&format!("{}[{at}]", self.at(name)), value.clone()))
            .collect()
    }

    /// An object whose member names are data.
    pub fn map(&self, name: &str) -> Result<Option<&Map<String, Value>>, Problem> {
        self.present(name)
            .map(|value| {
                value
                    .as_object()
                    .ok_or_else(|| self.wrong(name, "an object"))
            })
            .transpose()
    }
}
