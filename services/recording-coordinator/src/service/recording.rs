//! Recordings and their artefacts.

use convene_domain::{
    Audience, BookingId, MeetingId, RecordingId,
    meeting::SegmentId,
    recording::{Event, Phase},
};
use convene_kit::{
    Caller, Context, Error, KeyScope, Origin, Result, Scope, Tx, ids, store as spine,
};

use super::{Coordinator, Opened, consent::ensure_consents, ensure_records};
use crate::{
    convert,
    peers::Met,
    store::{
        self,
        recording::{Model, Recordings},
    },
};

/// Recordings that one meeting has at the most; each start after a stop makes one.
pub const RECORDINGS_MAX: usize = 100;

impl Coordinator {
    pub async fn start_recording(
        &self,
        context: &Context,
        booking: BookingId,
        meeting: MeetingId,
    ) -> Result<Model> {
        ensure_records(&context.caller)?;
        let met = self.broker.meeting(context, meeting).await?;
        context.caller.ensure_hosts(met.host, KeyScope::Recording)?;
        let recorder = host_itself(&context.caller);
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move { start(tx, &origin, recorder, booking, meeting, met).await })
            })
            .await
    }

    pub async fn pause_recording(&self, context: &Context, id: RecordingId) -> Result<Model> {
        self.command(context, id, Event::PauseWanted).await
    }

    /// Consents are asked for again: who came or changed his mind during the pause counts.
    pub async fn resume_recording(&self, context: &Context, id: RecordingId) -> Result<Model> {
        let row = self.own(context, id).await?;
        let recording = row.machine()?;
        if recording.phase != Phase::Paused {
            return self.command(context, id, Event::ResumeWanted).await;
        }
        let met = self.broker.meeting(context, recording.meeting).await?;
        let recorder = host_itself(&context.caller);
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    convert::ensure_ready(met.phase)?;
                    let (booking, meeting) = (recording.booking, recording.meeting);
                    ensure_consents(tx, &origin, recorder, booking, meeting, &met).await?;
                    tell(tx, &origin, id, Event::ResumeWanted).await
                })
            })
            .await
    }

    pub async fn stop_recording(&self, context: &Context, id: RecordingId) -> Result<Model> {
        self.command(context, id, Event::StopWanted).await
    }

    pub async fn get_recording(&self, context: &Context, id: RecordingId) -> Result<Model> {
        let row = store::recording::get(self.deps.db.read(), context.caller.tenant, id).await?;
        context.caller.ensure_sees_host(row.host())?;
        Ok(row)
    }

    pub async fn list_recordings(
        &self,
        context: &Context,
        booking: BookingId,
    ) -> Result<Vec<Model>> {
        let caller = &context.caller;
        let host = match caller.scope {
            Scope::Host(host) => {
                caller.ensure_may(KeyScope::BookingsRead)?;
                Some(host)
            }
            _ => {
                caller.ensure_app_who(KeyScope::BookingsRead)?;
                None
            }
        };
        store::recording::of_booking(self.deps.db.read(), caller.tenant, booking, host).await
    }

    /// Journals the read of an artefact that is there; the bytes may be read after that.
    pub async fn open_artefact(
        &self,
        context: &Context,
        id: RecordingId,
        segment: u32,
    ) -> Result<Opened> {
        let row = self.own(context, id).await?;
        let artefact = row.machine()?.artefact(segment)?.clone();
        let tenant = context.caller.tenant;
        let place = SegmentId {
            recording: id,
            segment,
        };
        self.artefacts
            .ensure_there(tenant, place, &artefact)
            .await?;
        self.command(context, id, Event::ArtefactRead { segment })
            .await?;
        Ok(Opened {
            tenant,
            segment: place,
            artefact,
        })
    }

    /// A recording that the caller may stop.
    async fn own(&self, context: &Context, id: RecordingId) -> Result<Model> {
        ensure_records(&context.caller)?;
        let row = store::recording::get(self.deps.db.read(), context.caller.tenant, id).await?;
        context
            .caller
            .ensure_hosts(row.host(), KeyScope::Recording)?;
        Ok(row)
    }

    async fn command(&self, context: &Context, id: RecordingId, event: Event) -> Result<Model> {
        self.own(context, id).await?;
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| Box::pin(async move { tell(tx, &origin, id, event).await }))
            .await
    }
}

/// The host as somebody who is recorded, when it is the host who commands.
fn host_itself(caller: &Caller) -> Option<Audience> {
    match caller.scope {
        Scope::Host(host) => Some(Audience::Host(host)),
        _ => None,
    }
}

pub(super) async fn tell(tx: &Tx, origin: &Origin, id: RecordingId, event: Event) -> Result<Model> {
    spine::change::<Recordings>(tx, origin, id.as_uuid(), event).await?;
    store::recording::get(tx, origin.tenant, id).await
}

/// The running recording of the meeting, or a new one.
pub(super) async fn start(
    tx: &Tx,
    origin: &Origin,
    recorder: Option<Audience>,
    booking: BookingId,
    meeting: MeetingId,
    met: Met,
) -> Result<Model> {
    store::recording::lock(tx, origin.tenant, meeting).await?;
    let known = store::recording::of_meeting(tx, origin.tenant, meeting).await?;
    let count = known.len();
    for row in known {
        if row.machine()?.is_running() {
            return Ok(row);
        }
    }
    convert::ensure_ready(met.phase)?;
    if count >= RECORDINGS_MAX {
        return Err(Error::refused(
            "TOO_MANY_RECORDINGS",
            format!(
                "a meeting has at most {RECORDINGS_MAX} recordings; pause and resume instead of stopping"
            ),
        ));
    }
    ensure_consents(tx, origin, recorder, booking, meeting, &met).await?;
    let id = RecordingId::from_uuid(ids::new());
    let event = Event::RecordingRequested { booking, meeting };
    let of_host = store::recording::of_host(met.host);
    spine::insert::<Recordings>(tx, origin, id.as_uuid(), event, of_host).await?;
    store::recording::get(tx, origin.tenant, id).await
}
