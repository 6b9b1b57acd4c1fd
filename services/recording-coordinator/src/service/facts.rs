//! What the meeting broker tells.

use std::sync::Arc;

use convene_domain::{
    Machine as _, MeetingId, RecordingId,
    meeting::{self, Meeting},
    recording::Event,
};
use convene_kit::{
    Origin, Result, Tx,
    feed::{Apply, Fact},
    store as spine,
};

use crate::store::{self, recording::Recordings};

/// Takes over what the provider confirmed about captures, and ends recordings with their meeting; other facts pass by.
pub fn apply_meeting_facts() -> Apply {
    Arc::new(|tx, origin, fact| Box::pin(apply(tx, origin, fact)))
}

/// What a meeting's fact means here.
#[derive(Debug, PartialEq)]
enum Meaning {
    /// For one recording.
    Of(RecordingId, Event),
    /// The meeting takes no recording any more.
    Over,
    /// For others.
    Nothing,
}

async fn apply(tx: &Tx, origin: Origin, fact: Fact) -> Result<()> {
    if fact.object_kind != Meeting::KIND {
        return Ok(());
    }
    match meaning(fact.decode::<Meeting>()?) {
        Meaning::Nothing => Ok(()),
        Meaning::Of(recording, event) => {
            spine::change::<Recordings>(tx, &origin, recording.as_uuid(), event).await?;
            Ok(())
        }
        Meaning::Over => stop_all(tx, &origin, MeetingId::from_uuid(fact.object)).await,
    }
}

fn meaning(event: meeting::Event) -> Meaning {
    use meeting::Event as Told;
    match event {
        Told::CaptureStarted { segment: id, .. } => Meaning::Of(
            id.recording,
            Event::CaptureStarted {
                segment: id.segment,
            },
        ),
        Told::CaptureFailed {
            segment: id,
            reason,
        } => Meaning::Of(
            id.recording,
            Event::CaptureFailed {
                segment: id.segment,
                reason,
            },
        ),
        Told::CaptureStopped { segment: id, cause } => Meaning::Of(
            id.recording,
            Event::CaptureStopped {
                segment: id.segment,
                cause,
            },
        ),
        Told::ArtefactReady { segment: id, .. } => Meaning::Of(
            id.recording,
            Event::ArtefactReady {
                segment: id.segment,
            },
        ),
        Told::MeetingEnded | Told::CancelWanted { .. } => Meaning::Over,
        Told::MeetingWanted { .. }
        | Told::MoveWanted { .. }
        | Told::MeetingMoved { .. }
        | Told::MeetingReady { .. }
        | Told::MeetingFailed { .. }
        | Told::MeetingCancelled
        | Told::JoinDetailsReleased { .. }
        | Told::ConsentRecorded { .. }
        | Told::CaptureWanted { .. }
        | Told::CallJoined { .. }
        | Told::CallLeft
        | Told::CaptureStopWanted { .. } => Meaning::Nothing,
    }
}

pub(super) async fn stop_all(tx: &Tx, origin: &Origin, meeting: MeetingId) -> Result<()> {
    store::recording::lock(tx, origin.tenant, meeting).await?;
    for row in store::recording::of_meeting(tx, origin.tenant, meeting).await? {
        // A recording that is over has nothing to stop: the machine says so.
        spine::change::<Recordings>(tx, origin, row.id, Event::StopWanted).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use convene_domain::meeting::{SegmentId, StopCause};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn captures_find_their_recording_and_the_end_ends_all() {
        let recording = RecordingId::from_uuid(Uuid::from_u128(5));
        let segment = SegmentId {
            recording,
            segment: 3,
        };
        let cause = StopCause::ConsentWithdrawn;
        let stopped = meaning(meeting::Event::CaptureStopped { segment, cause });
        let event = Event::CaptureStopped { segment: 3, cause };
        assert_eq!(stopped, Meaning::Of(recording, event));
        let cancelled = meeting::Event::CancelWanted { reason: "R".into() };
        for over in [meeting::Event::MeetingEnded, cancelled] {
            assert_eq!(meaning(over), Meaning::Over);
        }
        assert_eq!(meaning(meeting::Event::CallLeft), Meaning::Nothing);
    }
}
