//! Access tokens: JSON Web Tokens, signed with Ed25519 where Entra uses RSA. Clients treat access tokens as opaque.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as URL};
use ring::signature::{ED25519, KeyPair as _, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::{state::Shared, world::derived_uuid};

/// Life of an access token, in seconds.
pub const LIFE_S: i64 = 3_599;
/// Signature algorithm (RFC 8037).
pub const ALGORITHM: &str = "EdDSA";
const AUDIENCE: &str = "https://graph.microsoft.com";
/// Application permissions that the tenant's administrator has consented to.
const ROLES: [&str; 7] = [
    "User.Read.All",
    "Calendars.ReadWrite",
    "OnlineMeetings.ReadWrite.All",
    "OnlineMeetingRecording.Read.All",
    "Calls.JoinGroupCall.All",
    "Calls.JoinGroupCallasGuest.All",
    "Calls.AccessMedia.All",
];
/// Tokens whose signature need not be verified again.
const KNOWN_MAX: usize = 1_024;

/// Why a token does not open Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Not a JSON Web Token.
    Malformed,
    /// Not signed by us.
    Signature,
    /// For another resource.
    Audience,
    /// Its life is over.
    Expired,
}

/// Expiry, in seconds since the epoch, of tokens whose signature is good. A signature costs more than all else in a request.
#[derive(Debug, Default)]
pub struct KnownTokens {
    expiry: RwLock<HashMap<Box<str>, i64>>,
}

impl KnownTokens {
    fn get(&self, token: &str) -> Option<i64> {
        let known = self.expiry.read().unwrap_or_else(PoisonError::into_inner);
        known.get(token).copied()
    }

    fn add(&self, token: &str, expiry: i64) {
        let mut known = self.expiry.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(token.into(), expiry);
    }
}

/// Who issues.
pub fn issuer(shared: &Shared) -> String {
    format!("{}/{}/v2.0", shared.base_url(), shared.directory.tenant)
}

/// The key's name.
pub fn key_id(shared: &Shared) -> String {
    derived_uuid(shared.directory.seed, "signing")
}

/// A new access token.
pub fn sign(shared: &Shared) -> String {
    let directory = &shared.directory;
    let now = shared.clock.now_ms() / 1_000;
    let head = json!({"typ": "JWT", "alg": ALGORITHM, "kid": key_id(shared)});
    let claims = json!({
        "aud": AUDIENCE,
        "iss": issuer(shared),
        "iat": now,
        "nbf": now,
        "exp": now + LIFE_S,
        "appid": directory.client_id,
        "azp": directory.client_id,
        "idtyp": "app",
        "roles": ROLES,
        "tid": directory.tenant,
        "uti": uuid::Uuid::new_v4(),
        "ver": "2.0",
    });
    let encoded = |part: Value| URL.encode(part.to_string());
    let body = format!("{}.{}", encoded(head), encoded(claims));
    let signature = URL.encode(directory.signing_key.sign(body.as_bytes()));
    format!("{body}.{signature}")
}

/// Whether a bearer token opens Graph now.
pub fn check(shared: &Shared, token: &str) -> Result<(), Invalid> {
    let expiry = match shared.known_tokens.get(token) {
        Some(expiry) => expiry,
        None => {
            let expiry = verify(shared, token)?;
            shared.known_tokens.add(token, expiry);
            expiry
        }
    };
    if shared.clock.now_ms() / 1_000 < expiry {
        Ok(())
    } else {
        Err(Invalid::Expired)
    }
}

fn verify(shared: &Shared, token: &str) -> Result<i64, Invalid> {
    let (body, signature) = token.rsplit_once('.').ok_or(Invalid::Malformed)?;
    let (_, claims) = body.split_once('.').ok_or(Invalid::Malformed)?;
    let claims = URL.decode(claims).map_err(|_| Invalid::Malformed)?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| Invalid::Malformed)?;
    let signature = URL.decode(signature).map_err(|_| Invalid::Malformed)?;
    let public = shared.directory.signing_key.public_key();
    UnparsedPublicKey::new(&ED25519, public.as_ref())
        .verify(body.as_bytes(), &signature)
        .map_err(|_| Invalid::Signature)?;
    if claims.get("aud").and_then(Value::as_str) != Some(AUDIENCE) {
        return Err(Invalid::Audience);
    }
    claims
        .get("exp")
        .and_then(Value::as_i64)
        .ok_or(Invalid::Malformed)
}
