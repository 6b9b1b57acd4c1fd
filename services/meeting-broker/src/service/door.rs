//! The door: join details for the one audience that a permit names (I3).

use convene_domain::{Audience, meeting::Event, permit::PermitClaims};
use convene_kit::{
    Context, Error, Result, Scope,
    keys::{PermitPublicKeys, Sealer},
    store as spine,
};

use super::Broker;
use crate::{
    provider::JoinDetails,
    store::{join_details, meeting::Meetings},
};

/// What opens sealed details and proves permits.
#[derive(Clone, Debug)]
pub struct Door {
    pub sealer: Sealer,
    pub permit_public_keys: PermitPublicKeys,
}

impl Broker {
    /// The release is on record before the details are opened.
    pub async fn release_join_details(
        &self,
        context: &Context,
        permit: &str,
        audience: Audience,
    ) -> Result<(PermitClaims, JoinDetails)> {
        let keys = &self.door.permit_public_keys;
        let claims: PermitClaims = keys.verify(permit).map_err(|_forged| forged())?;
        if claims.tenant != context.caller.tenant {
            return Err(Error::not_found("meeting"));
        }
        // Presented by its own audience, and by nobody on its behalf.
        if claims.audience != audience || !is(context, audience) {
            return Err(Error::forbidden(
                "PERMIT_FOR_ANOTHER",
                "this permit is for somebody else",
            ));
        }
        let origin = context.origin(&self.deps.clock);
        if origin.now >= claims.expires_at {
            return Err(Error::refused(
                "PERMIT_EXPIRED",
                "the permit has expired; ask for a new one",
            ));
        }
        let released = Event::JoinDetailsReleased {
            permit: claims.permit,
            audience,
        };
        let (tenant, meeting) = (claims.tenant, claims.meeting);
        let sealed = self
            .deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let id = meeting.as_uuid();
                    spine::change::<Meetings>(tx, &origin, id, released).await?;
                    join_details::get(tx, tenant, meeting).await
                })
            })
            .await?;
        // Opened only now: what is not committed was not released.
        let details = join_details::open(&self.door.sealer, tenant, meeting, &sealed)?;
        Ok((claims, details))
    }
}

fn is(context: &Context, audience: Audience) -> bool {
    match (context.caller.scope, audience) {
        (Scope::Guest { visit, .. }, Audience::Visit(wanted)) => visit == wanted,
        (Scope::Host(host), Audience::Host(wanted)) => host == wanted,
        _ => false,
    }
}

fn forged() -> Error {
    Error::unauthenticated(
        "PERMIT_FORGED",
        "this is not a permit of Convene's lobby manager",
    )
}
