//! What an access token says of itself. It is for Graph alone to verify; whoever asked for it may look at what it was given.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// Application permissions that are read from a token at the most.
const ROLES_MAX: usize = 500;

/// Claims of a token, unverified: for diagnosis only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `roles`: the application permissions that an administrator consented to. Entra leaves the claim out when there are none.
    pub roles: BTreeSet<String>,
    /// `tid`: the directory that issued it.
    pub tenant: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    roles: Vec<String>,
    tid: Option<String>,
}

impl Claims {
    /// `None` when the token is no JSON Web Token.
    pub(crate) fn of(token: &SecretString) -> Option<Self> {
        let mut parts = token.expose_secret().split('.');
        let (_, body, _) = (parts.next()?, parts.next()?, parts.next()?);
        let body = URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?;
        let body: Body = serde_json::from_slice(&body).ok()?;
        Some(Self {
            roles: body.roles.into_iter().take(ROLES_MAX).collect(),
            tenant: body.tid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(body: &str) -> Option<Claims> {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(body));
        Claims::of(&token.into())
    }

    #[test]
    fn a_token_tells_its_roles() {
        let told = claims(r#"{"roles":["Calendars.ReadWrite"],"tid":"t","aud":"x"}"#).unwrap();
        assert!(told.roles.contains("Calendars.ReadWrite"));
        assert_eq!(told.tenant.as_deref(), Some("t"));
        assert_eq!(claims("{}"), Some(Claims::default()));
        assert_eq!(claims(r#"{"roles":1}"#), None);
        for opaque in ["", "abc", "a.b", "a.%%.c"] {
            assert_eq!(Claims::of(&opaque.to_owned().into()), None);
        }
    }
}
