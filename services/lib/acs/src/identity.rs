//! Communication users and what their tokens allow.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Problem, Resource};

/// Shortest and longest life of a token, in minutes.
pub const MINUTES: std::ops::RangeInclusive<i64> = 60..=1_440;
const MINUTE_MS: i64 = 60_000;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// All of chat.
    #[serde(rename = "chat")]
    Chat,
    /// Starting and joining calls.
    #[serde(rename = "voip")]
    Voip,
    /// Chat in threads that one was added to.
    #[serde(rename = "chat.join")]
    ChatJoin,
    /// The same with less.
    #[serde(rename = "chat.join.limited")]
    ChatJoinLimited,
    /// Joining calls and rooms that one is invited to.
    #[serde(rename = "voip.join")]
    VoipJoin,
}

/// All scopes with their names.
const SCOPES: [(&str, Scope); 5] = [
    ("chat", Scope::Chat),
    ("voip", Scope::Voip),
    ("chat.join", Scope::ChatJoin),
    ("chat.join.limited", Scope::ChatJoinLimited),
    ("voip.join", Scope::VoipJoin),
];

impl Scope {
    /// As it is on the wire.
    pub fn name(self) -> &'static str {
        let found = SCOPES.iter().find(|(_, scope)| *scope == self);
        found.map_or("", |(name, _)| name)
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        let found = SCOPES.iter().find(|(known, _)| *known == name);
        found.map(|(_, scope)| *scope)
    }
}

/// A token that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenWish {
    /// At least one.
    pub scopes: Vec<Scope>,
    /// Its life, in minutes.
    pub minutes: i64,
}

impl TokenWish {
    /// When a token that is issued now ends, in milliseconds; whole seconds, because that is what tokens can say.
    pub fn expires_ms(&self, now_ms: i64) -> i64 {
        let end = now_ms.saturating_add(self.minutes.saturating_mul(MINUTE_MS));
        end - end.rem_euclid(1_000)
    }
}

/// A communication user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Tokens issued before are void, in milliseconds.
    pub revoked_ms: i64,
    /// Until when the user holds a token that may start calls, in milliseconds: so long there is an endpoint that rings.
    pub voip_until_ms: i64,
}

impl Identity {
    /// A token is issued; answers its end.
    pub fn issue(&mut self, wish: &TokenWish, now_ms: i64) -> i64 {
        let expires_ms = wish.expires_ms(now_ms);
        if wish.scopes.contains(&Scope::Voip) {
            self.voip_until_ms = self.voip_until_ms.max(expires_ms);
        }
        expires_ms
    }

    /// All tokens are void.
    pub fn revoke(&mut self, now_ms: i64) {
        *self = Self {
            revoked_ms: now_ms,
            voip_until_ms: 0,
        };
    }
}

/// The access token of a user: claims as the SDKs of all languages read them.
pub fn token(
    resource: &Resource,
    raw_id: &str,
    scopes: &[Scope],
    issued_ms: i64,
    expires_ms: i64,
) -> Result<String, Problem> {
    let scopes: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
    let claims = json!({
        "skypeid": raw_id.strip_prefix("8:").unwrap_or(raw_id),
        "scp": 1_792,
        "csi": (issued_ms / 1_000).to_string(),
        "exp": expires_ms / 1_000,
        "iat": issued_ms / 1_000,
        "rgn": "local",
        "acsScope": scopes.join(","),
        "resourceId": resource.id,
        "resourceLocation": "unitedstates",
    });
    resource.signer.sign(&claims)
}

/// The token of a Teams user, whose life is that of the Entra token behind it.
pub fn teams_token(
    resource: &Resource,
    user: &str,
    now_ms: i64,
    expires_ms: i64,
) -> Result<String, Problem> {
    let claims: Value = json!({
        "skypeid": format!("orgid:{user}"),
        "scp": 1_024,
        "csi": (now_ms / 1_000).to_string(),
        "exp": expires_ms / 1_000,
        "iat": now_ms / 1_000,
        "rgn": "local",
        "acsScope": "voip,chat",
        "resourceId": resource.id,
    });
    resource.signer.sign(&claims)
}
