//! Requests to the origins that an admin granted.

use ::http::{Method, Uri, uri::Scheme};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{bindings::v0_1::convene::plugin::http, state::State};

/// Sends requests. It guards against addresses of the host's own network and follows no redirection; which origins are allowed has been judged before.
#[async_trait]
pub trait Client: Send + Sync {
    /// Sends, and reads at most `answer_bytes_max` of the answer.
    async fn fetch(&self, request: Request, answer_bytes_max: usize) -> Result<Response, Failure>;
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// GET, HEAD, POST, PUT, PATCH or DELETE.
    pub method: String,
    /// An absolute URL of a granted origin.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Body>,
}

/// Bytes that stand as base64 in records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Body(#[serde(with = "super::base64_bytes")] pub Vec<u8>);

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// No answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failure {
    /// The address may not be called.
    Denied(String),
    /// The answer is longer than this.
    TooLarge(u64),
    /// The other side took too long.
    Timeout,
    /// Anything else, in a word.
    Failed(String),
}

/// Requests of one call.
const REQUESTS_MAX: u32 = 8;
/// Headers of one request, and the bytes of all of them.
const HEADERS_MAX: usize = 32;
const HEADER_BYTES_MAX: usize = 8 << 10;
/// Headers whose values are secrets more often than not: a record holds their hash.
const SECRET: [&str; 5] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
];

impl http::Host for State {
    async fn fetch(
        &mut self,
        request: http::Request,
    ) -> wasmtime::Result<Result<http::Response, http::Error>> {
        self.count_host_call()?;
        let request = Request {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body.map(Body),
        };
        if let Err(text) = self.allowed(&request) {
            return Ok(Err(http::Error::Denied(text)));
        }
        self.requests += 1;
        let client = self.ports.http.clone();
        // Half of what may cross: the answer crosses once, with its headers.
        let answer_bytes_max = self.limits.crossing_bytes / 2;
        let shown = redacted(&request);
        let answer = self.host_call("http.fetch", &shown, async move {
            match client {
                Some(client) => client.fetch(request, answer_bytes_max).await,
                None => Err(Failure::Failed("unavailable".into())),
            }
        });
        Ok(match answer.await? {
            Ok(answer) => Ok(http::Response {
                status: answer.status,
                headers: answer.headers,
                body: answer.body.0,
            }),
            Err(Failure::Denied(text)) => Err(http::Error::Denied(text)),
            Err(Failure::TooLarge(bytes)) => Err(http::Error::TooLarge(bytes)),
            Err(Failure::Timeout) => Err(http::Error::Timeout),
            Err(Failure::Failed(text)) => Err(http::Error::Failed(text)),
        })
    }
}

impl State {
    /// `Err` says why a request is not sent.
    fn allowed(&self, request: &Request) -> Result<(), String> {
        if self.requests >= REQUESTS_MAX {
            return Err(format!("a call sends at most {REQUESTS_MAX} requests"));
        }
        if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&request.method.as_str())
            || Method::from_bytes(request.method.as_bytes()).is_err()
        {
            return Err("the method is not one of GET, HEAD, POST, PUT, PATCH, DELETE".into());
        }
        let bytes = request.headers.iter().map(|(n, v)| n.len() + v.len());
        if request.headers.len() > HEADERS_MAX || bytes.sum::<usize>() > HEADER_BYTES_MAX {
            return Err(format!(
                "a request has at most {HEADERS_MAX} headers and {HEADER_BYTES_MAX} bytes of them"
            ));
        }
        let origin = origin(&request.url).ok_or("the URL is not absolute, or names a user")?;
        let granted = self.grants.http.iter();
        let mut granted = granted.filter_map(|granted| self::origin(granted));
        if granted.any(|granted| granted == origin) {
            Ok(())
        } else {
            Err(format!("{origin} is not granted"))
        }
    }
}

/// `scheme://host:port` in lower case, the port always named.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme()?;
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let port = match (uri.port_u16(), scheme) {
        (Some(port), _) => port,
        (None, s) if *s == Scheme::HTTPS => 443,
        (None, s) if *s == Scheme::HTTP => 80,
        _ => return None,
    };
    let host = authority.host().to_ascii_lowercase();
    Some(format!("{scheme}://{host}:{port}"))
}

fn redacted(request: &Request) -> Request {
    let mut shown = request.clone();
    for (name, value) in &mut shown.headers {
        if SECRET.contains(&name.to_ascii_lowercase().as_str()) {
            *value = format!("sha256:{}", crate::digest(value.as_bytes()));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = "https://crm.example.test:443";
        assert_eq!(origin("https://CRM.example.test/a?b").unwrap(), same);
        assert_eq!(origin("https://crm.example.test:443").unwrap(), same);
        assert_ne!(origin("http://crm.example.test/a").unwrap(), same);
        for not in [
            "",
            "/a",
            "crm.example.test",
            "https://crm.example.test@evil.test/",
            "https://user:secret@crm.example.test/",
            "file:///etc/passwd",
            "ftp://crm.example.test/",
        ] {
            assert_eq!(origin(not), None, "{not}");
        }
    }
}
