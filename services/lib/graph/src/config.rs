//! Where Graph is and who asks.

use secrecy::SecretString;

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
    /// A request must be answered within this time, in milliseconds.
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
}
