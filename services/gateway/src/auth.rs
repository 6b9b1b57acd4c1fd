//! Who asks: `Authorization: Bearer <key>` or `Authorization: Ticket <ticket>`.

use convene_kit::{Caller, Error, Result, Scope, convert::id};
use convene_proto::lobby::v1::ResolveTicketRequest;

use crate::{api::Api, keys};

/// The caller of an `Authorization` value. A ticket is asked for every time: a replaced one stops at once.
pub async fn caller(api: &Api, authorization: Option<&str>) -> Result<Caller> {
    let Some((scheme, secret)) = authorization.and_then(|value| value.split_once(' ')) else {
        return Err(Error::unauthenticated(
            "CREDENTIALS_MISSING",
            "send `Authorization: Bearer <API key>`, or `Authorization: Ticket <ticket>` as a guest",
        ));
    };
    let secret = secret.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return keys::resolve(api.db.read(), secret).await;
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
    Ok(Caller {
        tenant: id("tenant_id", &holder.tenant_id)?,
        scope: Scope::Guest {
            visit: id("visit_id", &holder.visit_id)?,
            booking: id("booking_id", &holder.booking_id)?,
        },
        principal: format!("visit:{}", holder.visit_id),
    })
}
