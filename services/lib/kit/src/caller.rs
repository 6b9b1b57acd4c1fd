//! Who calls, as services tell each other. Signed, short-lived, and never trusted without its signature.

mod key_scope;

use std::fmt;

use convene_domain::{BookingId, HostId, TenantId, VisitId};
use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    error::{Error, Result},
    keys::Shared,
};

pub use key_scope::{KeyScope, KeyScopes};

/// How long a signed caller is believed, in milliseconds of unmoved time.
const LIFE_MS: i64 = 60_000;

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Whose data it may see.
    pub tenant: TenantId,
    /// What it may do.
    pub scope: Scope,
    /// To what its key was narrowed; `None` for all that `scope` may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrowed: Option<KeyScopes>,
    /// Who it is in audit trails: `key:<id>`, `host:<id>`, `visit:<id>`, `system:<role>`.
    pub principal: String,
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Sets up services, hosts and keys; sees and does all that the tenant's other callers may.
    Admin,
    /// Books, cancels, hands out tickets; sees states, no join details.
    BookingApp,
    /// Decides over the visits of its own bookings.
    Host(HostId),
    /// One guest with a ticket: exactly one visit.
    Guest {
        /// The visit.
        visit: VisitId,
        /// Its booking.
        booking: BookingId,
    },
    /// A role of Convene acting by itself.
    System,
}

impl Caller {
    /// A caller who may do all that its scope says.
    pub fn new(tenant: TenantId, scope: Scope, principal: impl Into<String>) -> Self {
        Self {
            tenant,
            scope,
            narrowed: None,
            principal: principal.into(),
        }
    }

    /// A role acting for a tenant.
    pub fn system(tenant: TenantId, role: &'static str) -> Self {
        Self::new(tenant, Scope::System, format!("system:{role}"))
    }

    /// Passes roles of Convene only.
    pub fn ensure_system(&self) -> Result<()> {
        self.ensure(matches!(self.scope, Scope::System))
    }

    /// Passes admins (and roles of Convene).
    pub fn ensure_admin(&self) -> Result<()> {
        self.ensure_admin_who(KeyScope::Admin)
    }

    /// Passes admins (and roles of Convene) whose key may do this.
    pub fn ensure_admin_who(&self, may: KeyScope) -> Result<()> {
        self.ensure(matches!(self.scope, Scope::Admin | Scope::System))?;
        self.ensure_may(may)
    }

    /// Passes booking apps and admins (and roles of Convene) whose key may do this.
    pub fn ensure_app_who(&self, may: KeyScope) -> Result<()> {
        self.ensure(matches!(
            self.scope,
            Scope::Admin | Scope::BookingApp | Scope::System
        ))?;
        self.ensure_may(may)
    }

    /// Passes whoever may read the tenant's bookings: everyone but guests; a host only its own.
    pub fn ensure_sees_host(&self, host: HostId) -> Result<()> {
        match self.scope {
            Scope::Admin | Scope::BookingApp | Scope::System => {}
            // A foreign object does not exist for the caller.
            Scope::Host(own) if own != host => return Err(Error::not_found("object")),
            Scope::Host(_) => {}
            Scope::Guest { .. } => return Err(denied()),
        }
        self.ensure_may(KeyScope::BookingsRead)
    }

    /// Passes the host itself and admins (and roles of Convene) whose key may do this.
    pub fn ensure_hosts(&self, host: HostId, may: KeyScope) -> Result<()> {
        match self.scope {
            Scope::Admin | Scope::System => {}
            Scope::Host(own) if own == host => {}
            Scope::Host(_) => return Err(Error::not_found("object")),
            Scope::BookingApp | Scope::Guest { .. } => return Err(denied()),
        }
        self.ensure_may(may)
    }

    /// Passes unless the caller's key was narrowed to other things.
    pub fn ensure_may(&self, scope: KeyScope) -> Result<()> {
        if self.narrowed.is_none_or(|scopes| scopes.allow(scope)) {
            return Ok(());
        }
        Err(Error::forbidden(
            "SCOPE_MISSING",
            format!(
                "this key was narrowed to other things; use one with the scope {}",
                scope.name()
            ),
        ))
    }

    /// The visit and booking of a guest.
    pub fn guest(&self) -> Result<(VisitId, BookingId)> {
        match self.scope {
            Scope::Guest { visit, booking } => Ok((visit, booking)),
            _ => Err(Error::forbidden(
                "TICKET_REQUIRED",
                "this needs a guest's ticket: send `Authorization: Ticket <ticket>`",
            )),
        }
    }

    fn ensure(&self, allowed: bool) -> Result<()> {
        if allowed { Ok(()) } else { Err(denied()) }
    }
}

fn denied() -> Error {
    Error::forbidden(
        "FORBIDDEN",
        "this credential may not do this; use one with the right role",
    )
}

#[derive(Serialize, Deserialize)]
struct Statement {
    caller: Caller,
    expires_ms: i64,
}

/// Signs and verifies callers with the keys that all roles share.
#[derive(Clone)]
pub struct Callers {
    keys: Shared,
    clock: Clock,
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callers")
    }
}

impl Callers {
    /// `keys` are the caller keys of the key file.
    pub fn new(keys: impl Into<Shared>, clock: Clock) -> Self {
        let keys = keys.into();
        Self { keys, clock }
    }

    /// A token for a call that starts now.
    pub fn sign(&self, caller: &Caller) -> Result<String> {
        let statement = Statement {
            caller: caller.clone(),
            expires_ms: self.clock.unmoved().plus_millis(LIFE_MS).as_millis(),
        };
        self.keys.sign(&statement)
    }

    /// The caller of a token that a role of Convene signed less than a minute ago.
    pub fn verify(&self, token: &str) -> Result<Caller> {
        let bad = || {
            Error::unauthenticated(
                "CALLER_UNKNOWN",
                "the call carries no valid signed caller; calls come through the gateway",
            )
        };
        let statement: Statement = self.keys.verify(token).map_err(|_forged| bad())?;
        if statement.expires_ms <= self.clock.unmoved().as_millis() {
            return Err(bad());
        }
        Ok(statement.caller)
    }
}

#[cfg(test)]
mod tests {
    use ring::hmac;
    use uuid::Uuid;

    use super::*;

    fn narrowed(scope: Scope, to: &[KeyScope]) -> Caller {
        Caller {
            narrowed: Some(to.iter().copied().collect()),
            ..Caller::new(TenantId::from_uuid(Uuid::nil()), scope, "key:test")
        }
    }

    #[test]
    fn a_narrowed_key_does_what_it_names_and_its_role_may() {
        let host = HostId::from_uuid(Uuid::nil());
        let reason = |result: Result<()>| result.map_err(|error| error.reason.into_owned());
        let missing = Err("SCOPE_MISSING".to_owned());
        let app = narrowed(Scope::BookingApp, &[KeyScope::BookingsRead]);
        assert_eq!(reason(app.ensure_sees_host(host)), Ok(()));
        let books = app.ensure_app_who(KeyScope::BookingsWrite);
        assert_eq!(reason(books), missing);
        let desk = narrowed(Scope::Host(host), &[KeyScope::Lobby]);
        assert_eq!(reason(desk.ensure_sees_host(host)), Ok(()));
        assert_eq!(reason(desk.ensure_hosts(host, KeyScope::Lobby)), Ok(()));
        let records = desk.ensure_hosts(host, KeyScope::Recording);
        assert_eq!(reason(records), missing);
        let setter = narrowed(Scope::Admin, &[KeyScope::Admin]);
        assert_eq!(reason(setter.ensure_admin()), Ok(()));
        assert_eq!(reason(setter.ensure_sees_host(host)), missing);
        // A scope gives nothing that the role has not.
        let app = narrowed(Scope::BookingApp, &KeyScope::ALL);
        assert_eq!(reason(app.ensure_admin()), Err("FORBIDDEN".to_owned()));
    }

    #[test]
    fn what_a_key_was_narrowed_to_is_signed_with_it() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
        let callers = Callers::new(key, Clock::default());
        let caller = narrowed(Scope::Admin, &[KeyScope::Recording]);
        let token = callers.sign(&caller).unwrap();
        assert_eq!(callers.verify(&token).unwrap(), caller);
    }

    #[test]
    fn a_caller_needs_the_right_key() {
        let key = |byte| hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
        let ours = Callers::new(key(1), Clock::default());
        let theirs = Callers::new(key(2), Clock::default());
        let caller = Caller::system(TenantId::from_uuid(Uuid::nil()), "test");
        let token = ours.sign(&caller).unwrap();
        assert_eq!(ours.verify(&token).unwrap(), caller);
        assert_eq!(theirs.verify(&token).unwrap_err().reason, "CALLER_UNKNOWN");
        assert_eq!(ours.verify("x.y").unwrap_err().reason, "CALLER_UNKNOWN");
    }
}
