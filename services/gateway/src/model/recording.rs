//! Recordings, artefacts and consents.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::recording::v1 as wire;

use super::{api, session, time};
use crate::{
    artefact,
    error::fault,
    ids::{Kind, encode},
};

/// Where a recording stands. A command is done when the provider confirms it.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum RecordingState {
    /// Asked for.
    Requested,
    /// Accepted; the provider has not confirmed.
    Starting,
    /// The provider records.
    Recording,
    /// To be paused; the provider has not confirmed.
    Pausing,
    /// The provider confirmed that it does not record.
    Paused,
    /// To go on; the provider has not confirmed.
    Resuming,
    /// To end; the provider has not confirmed.
    Stopping,
    /// Over; the provider prepares the artefacts.
    Processing,
    /// The provider has all artefacts; Convene fetches them.
    Available,
    /// All artefacts are stored.
    Stored,
    /// Nothing was recorded; see `reason`.
    Failed,
}

/// A recording of a meeting.
pub struct Recording(pub wire::Recording);

/// A recording of a meeting.
#[Object]
impl Recording {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Recording, &self.0.id)
    }

    /// Where it stands.
    async fn state(&self) -> Result<RecordingState> {
        use wire::RecordingState as Wire;
        Ok(match self.0.state() {
            Wire::Requested => RecordingState::Requested,
            Wire::Starting => RecordingState::Starting,
            Wire::Recording => RecordingState::Recording,
            Wire::Pausing => RecordingState::Pausing,
            Wire::Paused => RecordingState::Paused,
            Wire::Resuming => RecordingState::Resuming,
            Wire::Stopping => RecordingState::Stopping,
            Wire::Processing => RecordingState::Processing,
            Wire::Available => RecordingState::Available,
            Wire::Stored => RecordingState::Stored,
            Wire::Failed => RecordingState::Failed,
            Wire::Unspecified => return Err(fault(Error::internal("a recording without state"))),
        })
    }

    /// Stable reason when FAILED.
    async fn reason(&self) -> Option<&str> {
        Some(self.0.reason.as_str()).filter(|reason| !reason.is_empty())
    }

    /// Segments begun so far: a resume begins a new one.
    async fn segments(&self) -> u32 {
        self.0.segments
    }

    /// Stored media, one per segment.
    #[graphql(complexity = "3 * child_complexity")]
    async fn artefacts(&self, ctx: &Context<'_>) -> Result<Vec<Artefact>> {
        let (api, session) = (api(ctx)?, session(ctx)?);
        let artefacts = self.0.artefacts.iter();
        artefacts
            .map(|artefact| {
                let link = artefact::link(api, &session.caller, &self.0.id, artefact.segment);
                Ok(Artefact {
                    segment: artefact.segment,
                    content_type: artefact.content_type.clone(),
                    size_bytes: artefact.size_bytes,
                    sha256: artefact.sha256.clone(),
                    download_url: link.map_err(fault)?,
                })
            })
            .collect()
    }

    /// When it was asked for.
    async fn requested_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.requested_at)
    }
}

/// Stored media of one segment.
#[derive(SimpleObject)]
pub struct Artefact {
    /// 1, 2, 3 …
    segment: u32,
    /// MIME type.
    content_type: String,
    /// Length in bytes.
    size_bytes: u64,
    /// Checksum, lower-case hex.
    sha256: String,
    /// Path on this gateway, good for five minutes and for this caller only; null for callers who may not read media.
    download_url: Option<String>,
}

/// What a person decided about recording.
#[derive(SimpleObject)]
pub struct Consent {
    /// The decision in force.
    given: bool,
    /// Version of the text that the person read.
    text_version: String,
    /// Its language, BCP 47.
    locale: String,
    /// When.
    decided_at: Option<DateTime<Utc>>,
}

impl From<wire::Consent> for Consent {
    fn from(consent: wire::Consent) -> Self {
        Self {
            given: consent.given,
            text_version: consent.text_version,
            locale: consent.locale,
            decided_at: time::from_wire(consent.decided_at),
        }
    }
}
