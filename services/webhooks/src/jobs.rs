//! One attempt: sign, send, and say what came of it.

mod verdict;

use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use convene_domain::{
    DeliveryId, EndpointId, TenantId,
    delivery::{Delivery, Effect, Event, Phase, pause_ms},
};
use convene_kit::{
    Deps, Error, Origin, Result, Row, Tx, digest,
    jobs::{Done, Job, Worker},
    keys::Sealer,
    outbound::Outbound,
};
use http::{HeaderMap, HeaderValue, header};

use crate::{
    signature::sign,
    store::{
        delivery::{self, Deliveries},
        endpoint, secret,
    },
};
use verdict::{Verdict, verdict};

/// An endpoint whose attempts have all failed for so long is disabled, in milliseconds of business time: five days.
const FAILING_MS_MAX: i64 = 5 * 24 * 3_600_000;
/// The endpoint is not there any more, or does not take deliveries.
const ENDPOINT_DISABLED: &str = "ENDPOINT_DISABLED";
/// Why an endpoint was disabled that failed for too long.
const FAILING: &str = "FAILING";

/// Sends deliveries.
pub struct DeliveryWorker {
    deps: Deps,
    sealer: Sealer,
    outbound: Outbound,
}

/// What an attempt says about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Health {
    Well,
    Failing,
    Gone(&'static str),
    Unknown,
}

impl DeliveryWorker {
    pub fn new(deps: Deps, sealer: Sealer, outbound: Outbound) -> Self {
        Self {
            deps,
            sealer,
            outbound,
        }
    }

    async fn headers(
        &self,
        tenant: TenantId,
        endpoint: EndpointId,
        id: DeliveryId,
        body: &str,
    ) -> Result<HeaderMap> {
        let (db, clock) = (self.deps.db.read(), &self.deps.clock);
        let mut secrets = Vec::new();
        for row in secret::active(db, tenant, endpoint, clock.now()).await? {
            secrets.push(row.open(&self.sealer)?);
        }
        // Receivers compare it with their own clocks, which nobody moves.
        let timestamp = clock.unmoved().as_millis() / 1_000;
        let id = id.to_string();
        let ascii = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| Error::internal("a header is not ASCII"))
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, ascii("application/json")?);
        headers.insert(
            "webhook-signature",
            ascii(&sign(&secrets, &id, timestamp, body))?,
        );
        headers.insert("webhook-timestamp", ascii(&timestamp.to_string())?);
        headers.insert("webhook-id", ascii(&id)?);
        Ok(headers)
    }
}

#[async_trait]
impl Worker for DeliveryWorker {
    type Table = Deliveries;

    async fn run(&self, job: &Job<Effect>, row: Row<Delivery>) -> Result<Done<Deliveries>> {
        let Effect::Deliver { turn } = job.effect;
        let (tenant, id) = (job.tenant, DeliveryId::from_uuid(job.object));
        let (db, delivery) = (self.deps.db.read(), row.machine);
        let first = delivery.phase == Phase::Pending;
        let to = endpoint::find(db, tenant, delivery.endpoint).await?;
        let Some(to) = to.filter(|to| to.enabled) else {
            let reason = ENDPOINT_DISABLED.to_owned();
            let done = Done::fact(Event::DeliveryAbandoned { reason });
            return Ok(done.with(after(delivery.endpoint, Health::Unknown, first)));
        };
        let body = delivery::get(db, tenant, id).await?.payload;
        let headers = self.headers(tenant, delivery.endpoint, id, &body);
        let headers = headers.await?;
        let begun = Instant::now();
        let answer = self
            .outbound
            .post(&to.url, headers, Bytes::from(body))
            .await;
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (event, health) = match verdict(answer) {
            Verdict::Taken { status } => {
                let event = Event::Delivered {
                    turn,
                    status,
                    duration_ms,
                };
                (event, Health::Well)
            }
            Verdict::Refused {
                status,
                reason,
                asked_ms,
                last,
            } => {
                let chance = u64::from_be_bytes(digest::random::<8>()?);
                let pause = pause_ms(delivery.failures, chance, asked_ms);
                let event = Event::AttemptFailed {
                    turn,
                    status,
                    reason: reason.to_owned(),
                    duration_ms,
                    pause_ms: (!last).then_some(pause),
                };
                let health = if last {
                    Health::Gone(reason)
                } else {
                    Health::Failing
                };
                (event, health)
            }
        };
        Ok(Done::fact(event).with(after(delivery.endpoint, health, first)))
    }

    async fn give_up(&self, job: &Job<Effect>, error: &Error) -> Option<Done<Deliveries>> {
        let db = self.deps.db.read();
        let row = delivery::get(db, job.tenant, DeliveryId::from_uuid(job.object));
        let endpoint = EndpointId::from_uuid(row.await.ok()?.endpoint_id);
        let reason = error.reason.to_string();
        let done = Done::fact(Event::DeliveryAbandoned { reason });
        Some(done.with(after(endpoint, Health::Unknown, true)))
    }
}

type Write =
    Box<dyn for<'tx> FnOnce(&'tx Tx, Origin) -> convene_kit::BoxFuture<'tx, Result<()>> + Send>;

/// What an attempt changes beside its delivery: what is known of the endpoint, and whose turn it is now.
fn after(endpoint: EndpointId, health: Health, first: bool) -> Write {
    Box::new(move |tx, origin| {
        Box::pin(async move {
            let locked = endpoint::lock_any(tx, origin.tenant, endpoint).await?;
            if let Some(row) = locked
                && let Some(row) = judged(row, health, origin.now.as_millis())
            {
                endpoint::update(tx, row).await?;
            }
            if first {
                delivery::give_turns(tx, &origin, endpoint).await?;
            }
            Ok(())
        })
    })
}

/// The endpoint after an attempt; `None` when nothing changes.
fn judged(mut row: endpoint::Model, health: Health, now_ms: i64) -> Option<endpoint::Model> {
    let before = row.clone();
    match health {
        Health::Unknown => {}
        Health::Well => row.failing_since_ms = None,
        Health::Failing => {
            let since = *row.failing_since_ms.get_or_insert(now_ms);
            if row.enabled && now_ms.saturating_sub(since) >= FAILING_MS_MAX {
                row.disable(Some(FAILING));
            }
        }
        Health::Gone(reason) => {
            row.failing_since_ms.get_or_insert(now_ms);
            if row.enabled {
                row.disable(Some(reason));
            }
        }
    }
    (row != before).then_some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> endpoint::Model {
        endpoint::Model {
            tenant_id: uuid::Uuid::nil(),
            id: uuid::Uuid::nil(),
            url: String::new(),
            description: String::new(),
            event_types: "[]".into(),
            enabled: true,
            disabled_reason: None,
            failing_since_ms: None,
            created_at_ms: 0,
            deleted_at_ms: None,
        }
    }

    #[test]
    fn only_what_fails_without_pause_for_five_days_is_disabled() {
        let failing = judged(row(), Health::Failing, 10).unwrap();
        assert_eq!(
            (failing.enabled, failing.failing_since_ms),
            (true, Some(10))
        );
        let late = 10 + FAILING_MS_MAX;
        assert_eq!(judged(failing.clone(), Health::Failing, late - 1), None);
        let disabled = judged(failing.clone(), Health::Failing, late).unwrap();
        assert_eq!(disabled.disabled_reason.as_deref(), Some("FAILING"));
        let well = judged(failing, Health::Well, late - 1).unwrap();
        assert_eq!(well, row(), "one success and it counts anew");
        assert_eq!(judged(row(), Health::Well, 1), None, "nothing to write");
    }
}
