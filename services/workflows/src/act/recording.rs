//! Something with the recording. Consent is the recording coordinator's business (I5): it refuses when it lacks.

use convene_kit::Result;

use super::{Attempt, RunWorker};
use crate::definition::RecordingAct;

/// Does it; what already is so is well.
pub async fn act(worker: &RunWorker, attempt: &Attempt<'_>, act: RecordingAct) -> Result<()> {
    let (tenant, run) = (attempt.run.tenant, &attempt.run.machine);
    let actor = format!("workflow:{}", run.workflow);
    let below = &worker.below;
    match act {
        RecordingAct::Start => below.start_recording(tenant, &actor, run.booking).await,
        RecordingAct::Stop => below.stop_recordings(tenant, &actor, run.booking).await,
    }
}
