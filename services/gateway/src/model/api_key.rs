//! API keys as their admins see them: everything but the secret.

use async_graphql::{Context, Enum, ID, Object, Result};
use chrono::{DateTime, Utc};
use convene_kit::KeyScope;

use super::{catalogue::Host, found, loaders, time};
use crate::{
    error::fault,
    ids::{Kind, encode},
    keys::{KeyRole, Model},
};

/// What a key can be narrowed to, less than its role may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "KeyScope", remote = "KeyScope")]
pub enum Scope {
    /// See bookings with their meetings, lobbies, visits, recordings and trails; included in BOOKINGS_WRITE, LOBBY and RECORDING.
    BookingsRead,
    /// Book, cancel, end meetings.
    BookingsWrite,
    /// Hand out tickets, admit, deny, get the host's own join details.
    Lobby,
    /// Start, pause, resume and stop recordings, read artefacts and consents, decide about being recorded.
    Recording,
    /// Set up services, hosts, keys and the clock.
    Admin,
}

/// An API key. Its secret was shown when it was made and is not kept.
pub struct ApiKey(pub Model);

/// An API key. Its secret was shown when it was made and is not kept.
#[Object]
impl ApiKey {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::ApiKey, &self.0.id.to_string())
    }

    /// For people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it may do.
    async fn role(&self) -> Result<KeyRole> {
        self.0.role().map_err(fault)
    }

    /// What of its role it may do: all of it unless it was narrowed.
    async fn scopes(&self) -> Result<Vec<Scope>> {
        let scopes = self.0.scopes().map_err(fault)?;
        Ok(scopes.iter().map(Scope::from).collect())
    }

    /// The host of a HOST key.
    async fn host(&self, ctx: &Context<'_>) -> Result<Option<Host>> {
        let Some(host) = self.0.host() else {
            return Ok(None);
        };
        let host = loaders(ctx)?.hosts.load_one(host.to_string()).await;
        found(host, "host").map(|host| Some(Host(host)))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        time::from_millis(self.0.created_at_ms)
    }

    /// Who made it, as in audit trails; null for keys older than this record.
    async fn created_by(&self) -> Option<&str> {
        self.0.created_by.as_deref()
    }

    /// When it was last used, to the hour; null when never.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at_ms.map(time::from_millis)
    }

    /// From when on it opens nothing; null when it lasts until revoked.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at_ms.map(time::from_millis)
    }

    /// When it was revoked; null while it holds.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at_ms.map(time::from_millis)
    }

    /// Who revoked it.
    async fn revoked_by(&self) -> Option<&str> {
        self.0.revoked_by.as_deref()
    }
}
