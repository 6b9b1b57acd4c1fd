//! Something with the booking.

use convene_kit::Result;

use super::{Attempt, RunWorker};
use crate::definition::BookingAct;

/// Does it; a repeat does nothing more.
pub async fn act(worker: &RunWorker, attempt: &Attempt<'_>, act: &BookingAct) -> Result<()> {
    let (tenant, run) = (attempt.run.tenant, &attempt.run.machine);
    let actor = format!("workflow:{}", run.workflow);
    let below = &worker.below;
    match &act.cancel {
        Some(reason) => {
            below
                .cancel_booking(tenant, &actor, run.booking, attempt.key, reason)
                .await
        }
        None => below.end_meeting(tenant, &actor, run.booking).await,
    }
}
