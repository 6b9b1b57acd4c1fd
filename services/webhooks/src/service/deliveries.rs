//! What came of each delivery, and sending it again.

use convene_domain::{DeliveryId, EndpointId, Timestamp, delivery::Event};
use convene_kit::{Context, Error, Origin, Result, Tx, limits, store as spine};

use super::Webhooks;
use crate::store::{
    delivery::{self, Deliveries},
    endpoint,
};

/// A page of deliveries.
#[derive(Debug)]
pub struct DeliveryPage {
    pub items: Vec<delivery::Model>,
    pub has_more: bool,
}

impl Webhooks {
    pub async fn list_deliveries(
        &self,
        context: &Context,
        endpoint: EndpointId,
        phase: Option<&'static str>,
        after: Option<DeliveryId>,
        first: u32,
    ) -> Result<DeliveryPage> {
        context.caller.ensure_admin()?;
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        endpoint::get(db, tenant, endpoint).await?;
        let after = match after {
            None => None,
            Some(id) => Some(
                delivery::get(db, tenant, id)
                    .await
                    .map_err(|error| error.on_field("after"))?,
            ),
        };
        let limit = limits::page(first);
        let rows = delivery::page(db, tenant, endpoint, phase, after.as_ref(), limit + 1);
        let mut items = rows.await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Ok(DeliveryPage { items, has_more })
    }

    pub async fn redeliver(&self, context: &Context, id: DeliveryId) -> Result<delivery::Model> {
        context.caller.ensure_admin()?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let changed = again(tx, &origin, id).await?;
                    ensure_open(tx, &origin, changed).await?;
                    delivery::get(tx, origin.tenant, id).await
                })
            })
            .await
    }

    /// Sends the oldest failed deliveries again; answers how many, and whether more are left.
    pub async fn redeliver_failed(
        &self,
        context: &Context,
        endpoint: EndpointId,
        since: Timestamp,
    ) -> Result<(u32, bool)> {
        context.caller.ensure_admin()?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    ensure_open(tx, &origin, endpoint).await?;
                    let limit = u64::from(limits::PAGE_MAX);
                    let failed = delivery::failed(tx, origin.tenant, endpoint, since, limit + 1);
                    let mut failed = failed.await?;
                    let has_more = failed.len() as u64 > limit;
                    failed.truncate(limits::PAGE_MAX as usize);
                    for id in &failed {
                        again(tx, &origin, DeliveryId::from_uuid(*id)).await?;
                    }
                    Ok((u32::try_from(failed.len()).unwrap_or(u32::MAX), has_more))
                })
            })
            .await
    }
}

async fn again(tx: &Tx, origin: &Origin, id: DeliveryId) -> Result<EndpointId> {
    let wanted = Event::RedeliveryWanted;
    let row = spine::change::<Deliveries>(tx, origin, id.as_uuid(), wanted).await?;
    Ok(row.machine.endpoint)
}

/// Passes an endpoint that takes deliveries.
async fn ensure_open(tx: &Tx, origin: &Origin, id: EndpointId) -> Result<()> {
    if endpoint::get(tx, origin.tenant, id).await?.enabled {
        return Ok(());
    }
    Err(Error::refused(
        "ENDPOINT_DISABLED",
        "the endpoint is disabled; enable it with updateWebhookEndpoint first",
    ))
}
