//! What the broker does: one method per command.

mod door;
mod health;
mod reseal;

use std::sync::Arc;

use convene_domain::{
    Audience, BookingId, HostId, Interval, MeetingId,
    meeting::{Decided, Event, Meeting, SegmentId},
};
use convene_kit::{Context, Deps, Error, Origin, Result, Row, Scope, convert, store as spine};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    provider::{Chunks, Provider},
    store::meeting::{self, Meetings},
};

pub use door::Door;
pub use reseal::follow as reseal;

/// The broker's commands over its store.
#[derive(Clone)]
pub struct Broker {
    deps: Deps,
    provider: Arc<dyn Provider>,
    door: Door,
    /// One examination at a time.
    examining: Arc<Semaphore>,
}

/// A wish for a meeting.
pub struct EnsureMeeting {
    pub meeting: MeetingId,
    pub booking: BookingId,
    pub generation: u32,
    pub host: HostId,
    pub subject: String,
    pub organizer: String,
    pub interval: Interval,
}

/// A meeting with its host.
pub struct MeetingView {
    pub row: Row<Meeting>,
    pub host: Uuid,
}

impl Broker {
    pub fn new(deps: Deps, provider: Arc<dyn Provider>, door: Door) -> Self {
        Self {
            deps,
            provider,
            door,
            examining: Arc::new(Semaphore::new(1)),
        }
    }

    /// The adapters of this broker.
    pub fn providers(&self) -> [&dyn Provider; 1] {
        [self.provider.as_ref()]
    }

    pub async fn ensure_meeting(
        &self,
        context: &Context,
        wish: EnsureMeeting,
    ) -> Result<MeetingView> {
        context.caller.ensure_system()?;
        if wish.meeting != wish.booking.meeting(wish.generation) {
            return Err(Error::invalid(
                "meeting_id",
                "FOREIGN_MEETING_ID",
                "a meeting's id is derived from its booking and generation",
            ));
        }
        let subject = convert::text("subject", &wish.subject)?;
        let organizer = convert::text("organizer", &wish.organizer)?;
        let origin = context.origin(&self.deps.clock);
        let id = wish.meeting.as_uuid();
        let row = self
            .deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(row) =
                        spine::load_for_change::<Meetings>(tx, origin.tenant, id).await?
                    {
                        return Ok(row);
                    }
                    let event = Event::MeetingWanted {
                        booking: wish.booking,
                        generation: wish.generation,
                        interval: wish.interval,
                    };
                    let beside = vec![
                        ("subject", subject.into()),
                        ("organizer", organizer.into()),
                        ("host_id", wish.host.as_uuid().into()),
                    ];
                    spine::insert::<Meetings>(tx, &origin, id, event, beside).await
                })
            })
            .await?;
        self.view(row).await
    }

    pub async fn get_meeting(&self, context: &Context, id: MeetingId) -> Result<MeetingView> {
        let tenant = context.caller.tenant;
        let row = spine::get::<Meetings, _>(self.deps.db.read(), tenant, id.as_uuid()).await?;
        let view = self.view(row).await?;
        match context.caller.scope {
            Scope::Guest { booking, .. } if booking == view.row.machine.booking => {}
            Scope::Guest { .. } => return Err(Error::not_found("meeting")),
            _ => context
                .caller
                .ensure_sees_host(HostId::from_uuid(view.host))?,
        }
        Ok(view)
    }

    pub async fn cancel_meeting(
        &self,
        context: &Context,
        id: MeetingId,
        reason: String,
    ) -> Result<MeetingView> {
        self.told(context, id, Event::CancelWanted { reason }).await
    }

    pub async fn move_meeting(
        &self,
        context: &Context,
        id: MeetingId,
        interval: Interval,
        moves: u64,
    ) -> Result<MeetingView> {
        self.told(context, id, Event::MoveWanted { interval, moves })
            .await
    }

    pub async fn end_meeting(&self, context: &Context, id: MeetingId) -> Result<MeetingView> {
        self.told(context, id, Event::MeetingEnded).await
    }

    pub async fn record_consent(
        &self,
        context: &Context,
        id: MeetingId,
        audience: Audience,
        decided: Decided,
    ) -> Result<MeetingView> {
        if decided.version == 0 {
            return Err(Error::invalid(
                "version",
                "OUT_OF_RANGE",
                "version is the ledger line's, from 1",
            ));
        }
        let event = Event::ConsentRecorded {
            audience,
            given: decided.given,
            version: decided.version,
        };
        self.told(context, id, event).await
    }

    pub async fn start_capture(
        &self,
        context: &Context,
        id: MeetingId,
        segment: SegmentId,
    ) -> Result<MeetingView> {
        self.told(context, id, Event::CaptureWanted { segment })
            .await
    }

    pub async fn stop_capture(
        &self,
        context: &Context,
        id: MeetingId,
        segment: SegmentId,
    ) -> Result<MeetingView> {
        self.told(context, id, Event::CaptureStopWanted { segment })
            .await
    }

    /// Content type and bytes of a segment's artefact.
    pub async fn read_artefact(
        &self,
        context: &Context,
        id: MeetingId,
        segment: SegmentId,
    ) -> Result<(String, Chunks)> {
        context.caller.ensure_system()?;
        let tenant = context.caller.tenant;
        let row = spine::get::<Meetings, _>(self.deps.db.read(), tenant, id.as_uuid()).await?;
        let artefact = row
            .machine
            .segment(segment)
            .and_then(|segment| segment.artefact.clone());
        let (Some(external), Some(artefact)) = (&row.machine.external, artefact) else {
            return Err(Error::unavailable(
                "ARTEFACT_NOT_READY",
                "the provider still prepares the recording",
            ));
        };
        self.provider.artefact(external, &artefact).await
    }

    /// An event that a service above tells.
    async fn told(&self, context: &Context, id: MeetingId, event: Event) -> Result<MeetingView> {
        context.caller.ensure_system()?;
        let origin = context.origin(&self.deps.clock);
        let row = self.change(origin, id, event).await?;
        self.view(row).await
    }

    async fn change(&self, origin: Origin, id: MeetingId, event: Event) -> Result<Row<Meeting>> {
        let id = id.as_uuid();
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move { spine::change::<Meetings>(tx, &origin, id, event).await })
            })
            .await
    }

    async fn view(&self, row: Row<Meeting>) -> Result<MeetingView> {
        let id = MeetingId::from_uuid(row.id);
        let host = meeting::host(self.deps.db.read(), row.tenant, id).await?;
        Ok(MeetingView { row, host })
    }
}
