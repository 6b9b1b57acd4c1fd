//! Access tokens: JSON Web Tokens, signed with Ed25519 where Entra uses RSA. Clients treat access tokens as opaque.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as URL};
use ring::signature::{ED25519, KeyPair as _, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::{origin::Origin, state::Shared, world::derived_uuid};

/// Life of an access token, in seconds.
pub const LIFE_S: i64 = 3_599;
/// Signature algorithm (RFC 8037).
pub const ALGORITHM: &str = "EdDSA";
/// Tokens whose signature need not be verified again.
const KNOWN_MAX: usize = 1_024;

/// A resource that there are tokens for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Graph,
    Communication,
}

impl Audience {
    /// Its identifier.
    fn uri(self) -> &'static str {
        match self {
            Self::Graph => "https://graph.microsoft.com",
            Self::Communication => "https://communication.azure.com",
        }
    }

    /// By the resource of a scope; clients of communication services write a slash at its end.
    pub fn of(resource: &str) -> Option<Self> {
        let resource = resource.trim_end_matches('/');
        let all = [Self::Graph, Self::Communication];
        all.into_iter().find(|one| one.uri() == resource)
    }
}

/// Why a token does not open a resource.
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

/// What a good token says.
#[derive(Debug)]
pub struct Grant {
    /// Its end, in seconds since the epoch.
    expiry: i64,
    audience: String,
    /// Application permissions, as they were when it was issued.
    pub roles: BTreeSet<String>,
}

/// Tokens whose signature is good. A signature costs more than all else in a request.
#[derive(Debug, Default)]
pub struct KnownTokens {
    grants: RwLock<HashMap<Box<str>, Arc<Grant>>>,
}

impl KnownTokens {
    fn get(&self, token: &str) -> Option<Arc<Grant>> {
        let known = self.grants.read().unwrap_or_else(PoisonError::into_inner);
        known.get(token).cloned()
    }

    fn add(&self, token: &str, grant: Arc<Grant>) {
        let mut known = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(token.into(), grant);
    }
}

/// Who issues.
pub fn issuer(shared: &Shared, origin: &Origin) -> String {
    format!("{origin}/{}/v2.0", shared.directory.tenant)
}

/// The key's name.
pub fn key_id(shared: &Shared) -> String {
    derived_uuid(shared.directory.seed, "signing")
}

/// A new access token.
pub fn sign(shared: &Shared, origin: &Origin, audience: Audience) -> String {
    let directory = &shared.directory;
    let now = shared.clock.now_ms() / 1_000;
    let head = json!({"typ": "JWT", "alg": ALGORITHM, "kid": key_id(shared)});
    let claims = json!({
        "aud": audience.uri(),
        "iss": issuer(shared, origin),
        "iat": now,
        "nbf": now,
        "exp": now + LIFE_S,
        "appid": directory.client_id,
        "azp": directory.client_id,
        "idtyp": "app",
        "roles": shared.read().permissions(),
        "tid": directory.tenant,
        "uti": uuid::Uuid::new_v4(),
        "ver": "2.0",
    });
    let encoded = |part: Value| URL.encode(part.to_string());
    let body = format!("{}.{}", encoded(head), encoded(claims));
    let signature = URL.encode(directory.signing_key.sign(body.as_bytes()));
    format!("{body}.{signature}")
}

/// What a bearer token grants now.
pub fn check(shared: &Shared, token: &str, audience: Audience) -> Result<Arc<Grant>, Invalid> {
    let grant = match shared.known_tokens.get(token) {
        Some(grant) => grant,
        None => {
            let grant = Arc::new(verify(shared, token)?);
            shared.known_tokens.add(token, grant.clone());
            grant
        }
    };
    if grant.audience != audience.uri() {
        return Err(Invalid::Audience);
    }
    if shared.clock.now_ms() / 1_000 < grant.expiry {
        Ok(grant)
    } else {
        Err(Invalid::Expired)
    }
}

/// The claims of a token with our signature.
pub fn issued_here(shared: &Shared, token: &str) -> Result<Value, Invalid> {
    let (body, signature) = token.rsplit_once('.').ok_or(Invalid::Malformed)?;
    let (_, claims) = body.split_once('.').ok_or(Invalid::Malformed)?;
    let claims = URL.decode(claims).map_err(|_| Invalid::Malformed)?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| Invalid::Malformed)?;
    let signature = URL.decode(signature).map_err(|_| Invalid::Malformed)?;
    let public = shared.directory.signing_key.public_key();
    UnparsedPublicKey::new(&ED25519, public.as_ref())
        .verify(body.as_bytes(), &signature)
        .map_err(|_| Invalid::Signature)?;
    Ok(claims)
}

fn verify(shared: &Shared, token: &str) -> Result<Grant, Invalid> {
    let claims = issued_here(shared, token)?;
    let audience = claims.get("aud").and_then(Value::as_str);
    let expiry = claims.get("exp").and_then(Value::as_i64);
    let roles = claims.get("roles").and_then(Value::as_array);
    let roles = roles.into_iter().flatten().filter_map(Value::as_str);
    Ok(Grant {
        expiry: expiry.ok_or(Invalid::Malformed)?,
        audience: audience.unwrap_or_default().to_owned(),
        roles: roles.map(str::to_owned).collect(),
    })
}
