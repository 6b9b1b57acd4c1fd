//! API keys: random, shown once, stored as hashes; narrowed, expiring and revoked as their admins want.

mod change;
mod known;
mod row;

use convene_domain::{EventId, HostId, TenantId, Timestamp};
use convene_kit::{Db, KeyScope, KeyScopes, Result, convert, limits};
use convene_proto::scheduler::v1::Page;

use crate::api::{Api, Session};

pub use change::{create_api_key, ensure_no_wider, made_by, revoke};
pub use known::KnownKeys;
pub use row::{Model, get};

/// What a key begins with, so that people and scanners recognise one.
const PREFIX: &str = "cvn_";

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
pub enum KeyRole {
    /// Sets up services, hosts and keys; may do all that the tenant's other callers may, but not get join details.
    Admin,
    /// Books, cancels, hands out tickets; sees states, never join details.
    BookingApp,
    /// Decides over the visits of one host's bookings.
    Host,
}

impl KeyRole {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Admin, "ADMIN"),
        (Self::BookingApp, "BOOKING_APP"),
        (Self::Host, "HOST"),
    ];

    fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(role, _)| *role == self)
            .map_or("", |(_, name)| name)
    }

    fn of_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, known)| *known == name).map(|(role, _)| role)
    }

    /// All that the role may.
    fn scopes(self) -> KeyScopes {
        let all = KeyScope::ALL.into_iter();
        all.filter(|scope| match self {
            Self::Admin => true,
            Self::BookingApp => !matches!(scope, KeyScope::Admin | KeyScope::Recording),
            Self::Host => *scope != KeyScope::Admin,
        })
        .collect()
    }
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// For people.
    pub name: String,
    /// What it may do.
    pub role: KeyRole,
    /// The host of a HOST key.
    pub host: Option<HostId>,
    /// Less than its role may; `None` for all of it.
    pub scopes: Option<KeyScopes>,
    /// From when on it opens nothing, in business time; `None`: it lasts until revoked.
    pub expires_at: Option<Timestamp>,
}

impl NewApiKey {
    /// A lasting key that may do all that its role may, for no host.
    pub fn new(name: &str, role: KeyRole) -> Self {
        Self {
            name: name.to_owned(),
            role,
            host: None,
            scopes: None,
            expires_at: None,
        }
    }
}

/// Whether a tenant was ever made on this node: it has keys, revoked ones count.
pub async fn is_tenant(db: &Db, tenant: TenantId) -> Result<bool> {
    Ok(!row::page(db.read(), tenant, None, 1).await?.is_empty())
}

/// A page of the caller's tenant's keys, and whether there are more behind it.
pub async fn list(api: &Api, session: &Session, page: &Page) -> Result<(Vec<Model>, bool)> {
    session.caller.ensure_admin()?;
    let after = match page.after_id.as_str() {
        "" => None,
        after => Some(convert::id::<EventId>("after", after)?.as_uuid()),
    };
    let limit = limits::page(page.first);
    let tenant = session.caller.tenant;
    let mut rows = row::page(api.db.read(), tenant, after, limit + 1).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((rows, more))
}

#[cfg(test)]
mod tests;
