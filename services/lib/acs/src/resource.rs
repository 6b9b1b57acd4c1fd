//! The one resource that a face serves: its id, its keys, and what signs its tokens.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;

use crate::Signer;

/// Bytes of an access key.
const KEY_BYTES: usize = 64;

/// A communication resource.
pub struct Resource {
    /// Immutable id: the first part of its users' ids, and the audience of its callbacks.
    pub id: String,
    /// What requests are signed with.
    pub keys: Keys,
    /// What tokens and callbacks are signed with.
    pub signer: Signer,
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resource({})", self.id)
    }
}

/// Two access keys, so that one can be exchanged while the other works.
pub struct Keys {
    primary: [u8; KEY_BYTES],
    secondary: [u8; KEY_BYTES],
}

impl Keys {
    /// Both are valid at any time.
    pub fn new(primary: [u8; KEY_BYTES], secondary: [u8; KEY_BYTES]) -> Self {
        Self { primary, secondary }
    }

    /// What a client of this endpoint is given.
    pub fn connection_string(&self, endpoint: &str) -> String {
        format!(
            "endpoint={endpoint};accesskey={}",
            STANDARD.encode(self.primary)
        )
    }

    /// The same with the other key.
    pub fn secondary_connection_string(&self, endpoint: &str) -> String {
        format!(
            "endpoint={endpoint};accesskey={}",
            STANDARD.encode(self.secondary)
        )
    }

    /// Whether one of the keys made this signature of the text.
    pub fn signed(&self, text: &str, signature: &[u8]) -> bool {
        [&self.primary, &self.secondary].into_iter().any(|key| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            hmac::verify(&key, text.as_bytes(), signature).is_ok()
        })
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}
