//! Members that many operations have.

use http::Uri;

use crate::{Problem, calls::Told, face::json::Fields, raw_id};

/// How an outcome is told.
pub fn told(fields: &Fields) -> Result<Told, Problem> {
    Ok(Told {
        operation_context: fields.text("operationContext")?,
        callback: callback(fields, "operationCallbackUri")?,
    })
}

/// Where callbacks go: https, or http on loopback.
pub fn callback(fields: &Fields, name: &str) -> Result<Option<String>, Problem> {
    let Some(text) = fields.text(name)? else {
        return Ok(None);
    };
    let uri: Option<Uri> = text.parse().ok();
    let good = uri.is_some_and(|uri| {
        let host = uri.host().unwrap_or_default();
        let loopback = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
        match uri.scheme_str() {
            Some("https") => !host.is_empty(),
            Some("http") => loopback,
            _ => false,
        }
    });
    match good {
        true => Ok(Some(text)),
        false => {
            let text = format!(
                "{name} must be an absolute https address, or an http one of this machine."
            );
            Err(Problem::bad(name, text))
        }
    }
}

/// One that must be there.
pub fn required_callback(fields: &Fields, name: &str) -> Result<String, Problem> {
    let callback = callback(fields, name)?;
    callback.ok_or_else(|| Problem::bad(name, format!("{name} is required.")))
}

/// Somebody who must be named.
pub fn identifier(fields: &Fields, name: &str) -> Result<String, Problem> {
    let object = fields.object(name)?;
    let object = object.ok_or_else(|| Problem::bad(name, format!("{name} is required.")))?;
    raw_id::read(&object)
}

/// At least one.
pub fn identifiers(fields: &Fields, name: &str) -> Result<Vec<String>, Problem> {
    let all = optional_identifiers(fields, name)?;
    match all.is_empty() {
        true => Err(Problem::bad(
            name,
            format!("{name} must name at least one participant."),
        )),
        false => Ok(all),
    }
}

/// Any number of them.
pub fn optional_identifiers(fields: &Fields, name: &str) -> Result<Vec<String>, Problem> {
    let objects = fields.objects(name)?;
    objects.iter().map(raw_id::read).collect()
}

/// A phone number in E.164.
pub fn number(fields: &Fields, name: &str) -> Result<Option<String>, Problem> {
    let object = fields.object(name)?;
    object
        .map(|object| object.required_text("value"))
        .transpose()
}
