//! Who calls, as services tell each other. Signed, short-lived, and never trusted without its signature.

use std::fmt;

use convene_domain::{BookingId, HostId, TenantId, VisitId};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    error::{Error, Result},
    token,
};

/// How long a signed caller is believed, in milliseconds of unmoved time.
const LIFE_MS: i64 = 60_000;

/// An authenticated caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Whose data it may see.
    pub tenant: TenantId,
    /// What it may do.
    pub scope: Scope,
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
    /// A role acting for a tenant.
    pub fn system(tenant: TenantId, role: &'static str) -> Self {
        Self {
            tenant,
            scope: Scope::System,
            principal: format!("system:{role}"),
        }
    }

    /// Passes roles of Convene only.
    pub fn ensure_system(&self) -> Result<()> {
        self.ensure(matches!(self.scope, Scope::System))
    }

    /// Passes admins (and roles of Convene).
    pub fn ensure_admin(&self) -> Result<()> {
        self.ensure(matches!(self.scope, Scope::Admin | Scope::System))
    }

    /// Passes booking apps and admins (and roles of Convene).
    pub fn ensure_books(&self) -> Result<()> {
        self.ensure(matches!(
            self.scope,
            Scope::Admin | Scope::BookingApp | Scope::System
        ))
    }

    /// Passes whoever may read the tenant's bookings: everyone but guests; a host only its own.
    pub fn ensure_sees_host(&self, host: HostId) -> Result<()> {
        match self.scope {
            Scope::Admin | Scope::BookingApp | Scope::System => Ok(()),
            // A foreign object does not exist for the caller.
            Scope::Host(own) if own != host => Err(Error::not_found("object")),
            Scope::Host(_) => Ok(()),
            Scope::Guest { .. } => Err(denied()),
        }
    }

    /// Passes the host itself and admins (and roles of Convene).
    pub fn ensure_hosts(&self, host: HostId) -> Result<()> {
        match self.scope {
            Scope::Admin | Scope::System => Ok(()),
            Scope::Host(own) if own == host => Ok(()),
            Scope::Host(_) => Err(Error::not_found("object")),
            Scope::BookingApp | Scope::Guest { .. } => Err(denied()),
        }
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

/// Signs and verifies callers with the key that all roles share.
#[derive(Clone)]
pub struct Callers {
    key: hmac::Key,
    clock: Clock,
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callers")
    }
}

impl Callers {
    /// `key` is the caller key of the key file.
    pub fn new(key: hmac::Key, clock: Clock) -> Self {
        Self { key, clock }
    }

    /// A token for a call that starts now.
    pub fn sign(&self, caller: &Caller) -> Result<String> {
        let statement = Statement {
            caller: caller.clone(),
            expires_ms: self.clock.unmoved().plus_millis(LIFE_MS).as_millis(),
        };
        token::sign_shared(&self.key, &statement)
    }

    /// The caller of a token that a role of Convene signed less than a minute ago.
    pub fn verify(&self, token: &str) -> Result<Caller> {
        let bad = || {
            Error::unauthenticated(
                "CALLER_UNKNOWN",
                "the call carries no valid signed caller; calls come through the gateway",
            )
        };
        let statement: Statement =
            token::verify_shared(&self.key, token).map_err(|_forged| bad())?;
        if statement.expires_ms <= self.clock.unmoved().as_millis() {
            return Err(bad());
        }
        Ok(statement.caller)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

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
