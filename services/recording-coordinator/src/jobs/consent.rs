//! Decisions go to the broker, whose door depends on them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use convene_domain::{
    MeetingId, TenantId,
    consent::{Consent, Effect},
    meeting::Decided,
};
use convene_kit::{
    Code, Db, Error, Result, Row,
    jobs::{Done, Job, Worker},
};

use crate::{
    peers::Broker,
    store::{self, consent::Consents},
};

/// Looks at the ledger before decisions that keep changing are left for a later try.
const LOOKS_MAX: usize = 5;

/// Tells one decision.
pub struct ConsentWorker {
    broker: Broker,
}

impl ConsentWorker {
    pub fn new(broker: Broker) -> Self {
        Self { broker }
    }
}

#[async_trait]
impl Worker for ConsentWorker {
    type Table = Consents;

    async fn run(&self, job: &Job<Effect>, row: Row<Consent>) -> Result<Done<Consents>> {
        // The decision in force, which is the one that the job was written for: others are not wanted.
        tell(&self.broker, job.tenant, &row.machine, row.version).await?;
        Ok(Done::nothing())
    }
}

/// Tells every decision about a meeting and does not answer before the newest of each is told: a decision that changes while older ones
/// are on their way is told again, so the broker never keeps an older one.
pub async fn tell_all(
    broker: &Broker,
    db: &Db,
    tenant: TenantId,
    meeting: MeetingId,
) -> Result<()> {
    let mut told = BTreeMap::new();
    for _ in 0..LOOKS_MAX {
        let ledger = store::consent::of_meeting(db.read(), tenant, meeting).await?;
        let mut changed = false;
        for row in ledger {
            if told.insert(row.id, row.version) == Some(row.version) {
                continue;
            }
            changed = true;
            let consent = row.machine()?;
            tell(broker, tenant, &consent, row.version.unsigned_abs()).await?;
        }
        if !changed {
            return Ok(());
        }
    }
    Err(Error::unavailable(
        "CONSENTS_CHANGING",
        "people change their consents at this moment; it is tried again",
    ))
}

async fn tell(broker: &Broker, tenant: TenantId, consent: &Consent, version: u64) -> Result<()> {
    let decided = Decided {
        given: consent.given,
        version,
    };
    let told = broker.record_consent(tenant, consent.meeting, consent.audience, decided);
    told.await.map_err(|error| match error.code {
        // The booking is older than its meeting: the scheduler still has to tell the broker of it.
        Code::NotFound => Error::unavailable(
            "MEETING_UNKNOWN",
            "the broker does not know the meeting yet; it is told again",
        ),
        _ => error,
    })
}
