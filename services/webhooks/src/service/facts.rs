//! What happened becomes deliveries, in the transaction that moves the cursor: nothing is lost between the two, and nothing comes twice (I7).

use std::sync::Arc;

use convene_domain::{
    EndpointId,
    delivery::{Event, Subject},
};
use convene_events::told;
use convene_kit::{
    Origin, Result, Tx,
    feed::{Apply, Fact},
    store as spine,
};

use crate::{
    payload::payload,
    store::{
        delivery::{self, Deliveries},
        endpoint,
    },
};

/// Writes a delivery for each endpoint of the tenant that wants the fact.
pub fn apply_facts() -> Apply {
    Arc::new(|tx, origin, fact| Box::pin(apply(tx, origin, fact)))
}

async fn apply(tx: &Tx, origin: Origin, fact: Fact) -> Result<()> {
    let (Some(told), Some(booking)) = (told(&fact)?, fact.booking) else {
        return Ok(());
    };
    let tenant = origin.tenant;
    let endpoints = endpoint::all(tx, tenant).await?;
    if endpoints.is_empty() {
        return Ok(());
    }
    let event_type = told.name;
    let subject = Subject {
        kind: fact.object_kind.clone(),
        id: fact.object,
        seq: fact.seq,
    };
    let payload = payload(&fact, booking, told)?;
    for row in endpoints {
        let id = EndpointId::from_uuid(row.id);
        // Read again under the lock: it may have been changed meanwhile.
        let locked = endpoint::lock_any(tx, tenant, id).await?;
        let Some(row) = locked.filter(|row| row.deleted_at_ms.is_none()) else {
            continue;
        };
        if !row.wants(event_type)? {
            continue;
        }
        let delivery = id.delivery(subject.id, subject.seq).as_uuid();
        if spine::load::<Deliveries, _>(tx, tenant, delivery)
            .await?
            .is_some()
        {
            continue;
        }
        let wanted = Event::DeliveryWanted {
            endpoint: id,
            booking,
            subject: subject.clone(),
            event_type: event_type.to_owned(),
            queued: delivery::has_to_wait(tx, tenant, id, subject.id).await?,
        };
        let extra = delivery::with_payload(payload.clone());
        spine::insert::<Deliveries>(tx, &origin, delivery, wanted, extra).await?;
        delivery::forget_old(tx, tenant, origin.now).await?;
    }
    Ok(())
}
