//! Who may ask: a request signed with one of the resource's keys, or an Entra token.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header, request::Parts};
use percent_encoding::percent_decode_str;
use ring::digest::{SHA256, digest};

use super::operation::{Area, Operation};
use crate::{Port, Problem, problem::Hint, time::parse_http_date};

/// How far the date of a request may be from now, in milliseconds.
const SKEW_MS_MAX: i64 = 15 * 60_000;
const CONTENT_HASH: &str = "x-ms-content-sha256";
/// Headers that must be signed, with either name of the date.
const SIGNED: [(&str, &str); 2] = [
    ("x-ms-date;host;x-ms-content-sha256", "x-ms-date"),
    ("date;host;x-ms-content-sha256", "date"),
];

/// Refuses whoever may not ask.
pub fn check(
    port: &dyn Port,
    operation: Operation,
    parts: &Parts,
    body: &[u8],
) -> Result<(), Problem> {
    let refused = |text: &str| denied(operation.area(), text);
    let Some(authorization) = text(&parts.headers, header::AUTHORIZATION.as_str()) else {
        return Err(refused(
            "The request has no Authorization header; sign it with an access key or send an Entra token.",
        ));
    };
    match authorization.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            let opened = port.entra(token.trim());
            opened.map_err(|bad| refused(bad.0))
        }
        Some((scheme, signed)) if scheme.eq_ignore_ascii_case("hmac-sha256") => {
            signature(port, parts, body, signed.trim()).map_err(refused)
        }
        _ => Err(refused(
            "The Authorization header is neither HMAC-SHA256 nor Bearer.",
        )),
    }
}

fn signature(
    port: &dyn Port,
    parts: &Parts,
    body: &[u8],
    signed: &str,
) -> Result<(), &'static str> {
    const MALFORMED: &str = "The Authorization header is not HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=<base64>.";
    let headers = &parts.headers;
    let names = signed.strip_prefix("SignedHeaders=").ok_or(MALFORMED)?;
    let (names, signature) = names.split_once("&Signature=").ok_or(MALFORMED)?;
    let dated = SIGNED
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(names));
    let (_, date_name) = dated.ok_or(MALFORMED)?;
    let signature = STANDARD.decode(signature).map_err(|_| MALFORMED)?;
    let date =
        text(headers, date_name).ok_or("The date that is signed is not there; send x-ms-date.")?;
    let host = text(headers, header::HOST.as_str()).ok_or("There is no Host header.")?;
    let hash = text(headers, CONTENT_HASH).ok_or("There is no x-ms-content-sha256 header.")?;
    let dated_ms =
        parse_http_date(date).ok_or("The date is not like Tue, 01 Jan 2030 00:00:00 GMT.")?;
    if (port.wall_ms() - dated_ms).abs() > SKEW_MS_MAX {
        return Err("The date of the request is more than 15 minutes from now; set the clock.");
    }
    if hash != STANDARD.encode(digest(&SHA256, body)) {
        return Err("x-ms-content-sha256 is not the hash of the body.");
    }
    let uri = &parts.uri;
    let raw = uri.path_and_query().map_or("/", |both| both.as_str());
    // One official client signs what it decoded before.
    let decoded = percent_decode_str(raw)
        .decode_utf8()
        .unwrap_or(Cow::Borrowed(raw));
    let keys = &port.resource().keys;
    let good = [raw, decoded.as_ref()].iter().any(|path| {
        let text = format!("{}\n{path}\n{date};{host};{hash}", parts.method);
        keys.signed(&text, &signature)
    });
    if good {
        Ok(())
    } else {
        Err("The signature is not that of this request with one of the resource's keys.")
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// 401 in the words of the area.
fn denied(area: Area, text: &str) -> Problem {
    let code = match area {
        Area::Identity | Area::Rooms => "Denied",
        // Call Automation has numbers: an HMAC error.
        Area::Calls => "7509",
    };
    Problem::new(StatusCode::UNAUTHORIZED, code, text).with(Hint::Authenticate)
}
