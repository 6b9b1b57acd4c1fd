//! Requests to addresses that somebody else chose: webhooks, and whatever else a tenant may name. Nothing inside the network can be reached
//! through them.
//!
//! A URL is checked when it is given and again with every request; a name is resolved here, and the connection goes to exactly the addresses
//! that were checked, so an answer that changes between look-up and connection gains nothing. No proxy, no redirect, no repeat.

mod ranges;
mod resolve;
mod retry_after;

use std::{net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, header};
use reqwest::Url;

use crate::{
    clock::Clock,
    error::{Error, Result},
};

pub use ranges::refused;
pub use resolve::{Lookup, SystemLookup};

/// Length of a URL, in bytes.
pub const URL_BYTES_MAX: usize = 2_000;
/// Until a connection stands, in milliseconds.
pub const CONNECT_MS: u64 = 5_000;
/// Until an answer has begun, in milliseconds.
pub const ANSWER_MS: u64 = 15_000;
/// Bytes of an answer's body that are read, so that the connection can be used again; none are kept.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long they are waited for, in milliseconds.
const BODY_MS: u64 = 1_000;
/// The lowest port beside 443: below it are services that speak no HTTP.
const PORT_MIN: u16 = 1_024;

/// What is allowed and waited for.
#[derive(Clone)]
pub struct Settings {
    /// Development: addresses of this machine may be named too, and over http.
    pub loopback: bool,
    /// Until a connection stands, in milliseconds.
    pub connect_ms: u64,
    /// Until an answer has begun, in milliseconds.
    pub answer_ms: u64,
    /// Who knows the addresses of names.
    pub lookup: Arc<dyn Lookup>,
}

impl Settings {
    /// Public addresses, the usual times, the system's names.
    pub fn new(loopback: bool) -> Self {
        Self {
            loopback,
            connect_ms: CONNECT_MS,
            answer_ms: ANSWER_MS,
            lookup: Arc::new(SystemLookup),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Settings(loopback: {})", self.loopback)
    }
}

/// Sends requests outside. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    http: reqwest::Client,
    loopback: bool,
    clock: Clock,
}

/// An answer: its body is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The pause that the other side asks for.
    pub retry_after: Option<Duration>,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The URL, or an address of its name, is one that must not be reached.
    AddressRefused,
    /// No connection, or no answer, in time.
    TimedOut,
    /// No connection: no such name, nobody there, or a certificate that does not hold.
    Unreachable,
    /// The connection ended before the answer.
    ConnectionLost,
}

impl Failure {
    /// Reason code.
    pub fn code(self) -> &'static str {
        match self {
            Self::AddressRefused => "ADDRESS_REFUSED",
            Self::TimedOut => "TIMED_OUT",
            Self::Unreachable => "UNREACHABLE",
            Self::ConnectionLost => "CONNECTION_LOST",
        }
    }
}

impl Outbound {
    /// A client; nothing is sent yet.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(resolve::Guard {
                lookup: settings.lookup,
                loopback: settings.loopback,
            })
            .connect_timeout(Duration::from_millis(settings.connect_ms))
            .timeout(Duration::from_millis(settings.answer_ms))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .user_agent(concat!("convene/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::internal(format!("HTTP client: {error}")))?;
        Ok(Self {
            http,
            loopback: settings.loopback,
            clock,
        })
    }

    /// The URL, unless it is one that must not be reached. What its name resolves to is judged with every request.
    pub fn check(&self, field: &'static str, text: &str) -> Result<Url> {
        check(field, text, self.loopback)
    }

    /// Sends a body. The URL may hold secrets, so no failure repeats it.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> std::result::Result<Answer, Failure> {
        // An address that stands in the URL itself never meets the resolver.
        let url = self
            .check("url", url)
            .map_err(|_| Failure::AddressRefused)?;
        let request = self.http.post(url).headers(headers).body(body);
        let mut response = request.send().await.map_err(failure)?;
        let answer = Answer {
            status: response.status().as_u16(),
            retry_after: response
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| retry_after::parse(value.to_str().ok()?, self.clock.unmoved())),
        };
        let rest = async {
            let mut left = BODY_BYTES_MAX;
            while let Ok(Some(chunk)) = response.chunk().await {
                match left.checked_sub(chunk.len()) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        };
        // The status is the answer; whether a body follows it changes nothing.
        let _ = tokio::time::timeout(Duration::from_millis(BODY_MS), rest).await;
        Ok(answer)
    }
}

fn failure(error: reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if current.is::<resolve::AddressRefused>() {
            return Failure::AddressRefused;
        }
        cause = current.source();
    }
    if error.is_timeout() {
        Failure::TimedOut
    } else if error.is_connect() {
        Failure::Unreachable
    } else {
        Failure::ConnectionLost
    }
}

fn check(field: &'static str, text: &str, loopback: bool) -> Result<Url> {
    if text.len() > URL_BYTES_MAX {
        return Err(Error::invalid(
            field,
            "TOO_LONG",
            format!("{field} may have at most {URL_BYTES_MAX} bytes"),
        ));
    }
    let malformed = || {
        Error::invalid(
            field,
            "MALFORMED_URL",
            format!(
                "{field} is an address such as https://example.com/convene, without a fragment"
            ),
        )
    };
    let url = Url::parse(text).map_err(|_| malformed())?;
    let host = url.host_str().ok_or_else(malformed)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = host.trim_end_matches('.');
    if url.fragment().is_some() {
        return Err(malformed());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid(
            field,
            "URL_WITH_CREDENTIALS",
            format!("{field} must not hold a user or a password; requests are signed instead"),
        ));
    }
    let address: Option<IpAddr> = host.parse().ok();
    let own = address.map_or(
        name == "localhost" || name.ends_with(".localhost"),
        |address| address.is_loopback(),
    );
    if url.scheme() != "https" && !(url.scheme() == "http" && own && loopback) {
        return Err(Error::invalid(
            field,
            "URL_NOT_HTTPS",
            format!("{field} must begin with https://"),
        ));
    }
    let port = url.port_or_known_default().unwrap_or_default();
    if port != 443 && port < PORT_MIN {
        return Err(Error::invalid(
            field,
            "PORT_REFUSED",
            format!("the port of {field} is 443, or at least {PORT_MIN}"),
        ));
    }
    let inside = address.and_then(|address| refused(address, loopback));
    if inside.is_some() || (own && !loopback) {
        return Err(Error::invalid(
            field,
            "ADDRESS_REFUSED",
            format!(
                "{field} names {}, which is not a public address",
                inside.unwrap_or("this machine")
            ),
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests;
