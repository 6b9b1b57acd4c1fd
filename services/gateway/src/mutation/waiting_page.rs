//! Setting the waiting page up.

use async_graphql::{Context, Object, Result};

use super::{Call, payloads};
use crate::{
    keys,
    model::waiting_page::{SetWaitingPageInput, WaitingPage},
    waiting_page,
};

payloads! {
    SetWaitingPagePayload { waiting_page: WaitingPage },
}

#[derive(Default)]
pub struct WaitingPages;

#[Object]
impl WaitingPages {
    /// Sets how the tenant's waiting page looks, what it asks, and who may show it in a frame; all of it at once. Admins.
    async fn set_waiting_page(
        &self,
        ctx: &Context<'_>,
        input: SetWaitingPageInput,
    ) -> Result<SetWaitingPagePayload> {
        let call = Call::new(ctx)?;
        let set = async {
            let caller = &call.session.caller;
            caller.ensure_admin()?;
            let origin = keys::made_by(&caller.principal, caller.tenant, &call.api.clock);
            let page = waiting_page::set(&call.api.db, origin, input.into()).await?;
            Ok(page.into())
        };
        SetWaitingPagePayload::of(set.await)
    }
}
