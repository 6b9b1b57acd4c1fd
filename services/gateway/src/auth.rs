//! Who asks: `Authorization: Bearer <key>` or `Authorization: Ticket <ticket>`.

use std::sync::Arc;

use convene_kit::{Caller, Error, Result, Scope, convert::id};
use convene_proto::lobby::v1::ResolveTicketRequest;
use secrecy::{ExposeSecret as _, SecretString};

use crate::api::{Api, Session};

/// The session of an `Authorization` value.
pub async fn session(api: &Api, authorization: Option<&str>) -> Result<Session> {
    let text = authorization.unwrap_or_default();
    let caller = caller(api, text).await?;
    let kept = Arc::new(SecretString::from(text));
    Ok(Session::new(caller, kept, api.callers.clone()))
}

/// Refuses a session whose credential holds no more, or stands for somebody else now.
pub async fn check(api: &Api, session: &Session) -> Result<()> {
    let now = caller(api, session.authorization.expose_secret()).await?;
    if now == session.caller {
        return Ok(());
    }
    Err(Error::unauthenticated(
        "CREDENTIALS_CHANGED",
        "the credential stands for another caller now; connect again",
    ))
}

/// The caller of an `Authorization` value. A ticket is asked for every time: a replaced one stops at once.
pub async fn caller(api: &Api, authorization: &str) -> Result<Caller> {
    let Some((scheme, secret)) = authorization.split_once(' ') else {
        return Err(Error::unauthenticated(
            "CREDENTIALS_MISSING",
            "send `Authorization: Bearer <API key>`, or `Authorization: Ticket <ticket>` as a guest",
        ));
    };
    let secret = secret.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return api.keys.resolve(&api.db, &api.clock, secret).await;
    }
    if scheme.eq_ignore_ascii_case("ticket") {
        return guest(api, secret).await;
    }
    Err(Error::unauthenticated(
        "CREDENTIALS_UNSUPPORTED",
        "only the schemes Bearer (API keys) and Ticket (guests) are known",
    ))
}

async fn guest(api: &Api, ticket: &str) -> Result<Caller> {
    let message = ResolveTicketRequest {
        ticket: ticket.to_owned(),
    };
    let request = api.system().request(&api.callers, message)?;
    let holder = api.lobby().resolve_ticket(request).await?.into_inner();
    let scope = Scope::Guest {
        visit: id("visit_id", &holder.visit_id)?,
        booking: id("booking_id", &holder.booking_id)?,
    };
    Ok(Caller::new(
        id("tenant_id", &holder.tenant_id)?,
        scope,
        format!("visit:{}", holder.visit_id),
    ))
}
