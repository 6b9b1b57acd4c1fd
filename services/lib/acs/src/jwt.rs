//! JSON Web Tokens, signed with RS256: what verifiers of Azure's tokens are set up for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as URL};
use http::StatusCode;
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
    },
};
use serde_json::{Value, json};

use crate::Problem;

/// The key is not one.
#[derive(Debug, thiserror::Error)]
#[error(
    "the signing key cannot be used: {0}; give an RSA key of at least 2,048 bits as PKCS #8 in DER"
)]
pub struct BadKey(ring::error::KeyRejected);

/// Signs tokens.
pub struct Signer {
    key: RsaKeyPair,
    id: String,
}

impl Signer {
    /// With an RSA key in PKCS #8.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, BadKey> {
        let key = RsaKeyPair::from_pkcs8(der).map_err(BadKey)?;
        let hash = digest(&SHA256, key.public_key().as_ref());
        Ok(Self {
            key,
            id: URL.encode(hash),
        })
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> Result<String, Problem> {
        let head = json!({"alg": "RS256", "kid": self.id, "x5t": self.id, "typ": "JWT"});
        let body = format!(
            "{}.{}",
            URL.encode(head.to_string()),
            URL.encode(claims.to_string())
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, body.as_bytes(), &mut signature)
            .map_err(|_| {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Problem::new(
                    status,
                    "InternalServerError",
                    "The token cannot be signed; try again.",
                )
            })?;
        Ok(format!("{body}.{}", URL.encode(signature)))
    }

    /// The claims of a token that this key has signed.
    pub fn verify(&self, token: &str) -> Option<Value> {
        let (body, signature) = token.rsplit_once('.')?;
        let signature = URL.decode(signature).ok()?;
        let public = self.key.public_key().as_ref();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(body.as_bytes(), &signature)
            .ok()?;
        let (_, claims) = body.split_once('.')?;
        serde_json::from_slice(&URL.decode(claims).ok()?).ok()
    }

    /// The key set that verifiers fetch (RFC 7517).
    pub fn key_set(&self) -> Value {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.key.public_key());
        json!({"keys": [{
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "x5t": self.id,
            "n": URL.encode(parts.n),
            "e": URL.encode(parts.e),
        }]})
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.id)
    }
}
