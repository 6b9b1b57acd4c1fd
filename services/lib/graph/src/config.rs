//! Where Graph is and who asks.

use reqwest::Url;
use secrecy::SecretString;

use crate::{GraphError, Result};

/// Addresses, credentials and bounds.
#[derive(Clone, Debug)]
pub struct GraphConfig {
    /// `https://graph.microsoft.com/v1.0`.
    pub base: String,
    /// `https://graph.microsoft.com/beta`.
    pub beta_base: String,
    /// `https://login.microsoftonline.com/<tenant>/oauth2/v2.0/token`.
    pub token_url: String,
    /// Directory id; calls name it.
    pub tenant: String,
    /// Application id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// A request must be answered within this time, in milliseconds. A recording's content may take longer, but not pause for longer.
    pub timeout_ms: u64,
    /// A connection must stand within this time, in milliseconds.
    pub connect_timeout_ms: u64,
    /// A JSON answer's length at the most, in bytes.
    pub response_bytes_max: usize,
}

impl GraphConfig {
    /// Default bound of [`Self::timeout_ms`].
    pub const TIMEOUT_MS: u64 = 10_000;
    /// Default bound of [`Self::connect_timeout_ms`].
    pub const CONNECT_TIMEOUT_MS: u64 = 3_000;
    /// Default bound of [`Self::response_bytes_max`].
    pub const RESPONSE_BYTES_MAX: usize = 4 * 1024 * 1024;

    /// Names the member that no request could be made with: found at the start, not by jobs that fail for ever.
    pub(crate) fn check(&self) -> Result<()> {
        let usable = |address: &str| {
            Url::parse(address)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none())
        };
        let absolute = "give an absolute http or https address without a query";
        let positive = "give a number above 0";
        for (field, is_usable, remedy) in [
            ("base", usable(&self.base), absolute),
            ("beta_base", usable(&self.beta_base), absolute),
            ("token_url", usable(&self.token_url), absolute),
            ("timeout_ms", self.timeout_ms > 0, positive),
            ("connect_timeout_ms", self.connect_timeout_ms > 0, positive),
            ("response_bytes_max", self.response_bytes_max > 0, positive),
        ] {
            if !is_usable {
                return Err(GraphError::Misconfigured { field, remedy });
            }
        }
        Ok(())
    }
}
