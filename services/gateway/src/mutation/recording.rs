//! Consent and recording.

use async_graphql::{Context, ID, InputObject, Object, Result};
use convene_domain::BookingId;
use convene_kit::{Error, Scope};
use convene_proto::{recording::v1 as wire, scheduler::v1::GetBookingRequest};

use super::{Call, payloads};
use crate::{
    ids::{self, Kind},
    model::recording::{Consent, Recording},
};

/// The generation of the meetings that bookings have today.
const GENERATION: u32 = 1;

payloads! {
    ConsentPayload { consent: Consent },
    RecordingPayload { recording: Recording },
}

/// A person's own consent.
#[derive(InputObject)]
struct GiveConsentInput {
    /// Version of the text that the person read.
    text_version: String,
    /// Its language, BCP 47.
    locale: String,
    /// The host's booking; guests leave it out, their ticket says it.
    booking_id: Option<ID>,
}

/// Taking it back.
#[derive(InputObject)]
struct WithdrawConsentInput {
    /// The host's booking; guests leave it out.
    booking_id: Option<ID>,
}

/// Of which booking.
#[derive(InputObject)]
struct StartRecordingInput {
    /// The booking.
    booking_id: ID,
}

/// Which recording.
#[derive(InputObject)]
struct RecordingInput {
    /// The recording.
    recording_id: ID,
}

#[derive(Default)]
pub struct Recordings;

#[Object]
impl Recordings {
    /// The caller consents to being recorded. Guests and hosts, each for themselves.
    async fn give_consent(
        &self,
        ctx: &Context<'_>,
        input: GiveConsentInput,
    ) -> Result<ConsentPayload> {
        let call = Call::new(ctx)?;
        let given = async {
            let booking = own_booking(&call, input.booking_id.as_ref())?;
            let message = wire::GiveConsentRequest {
                booking_id: booking.to_string(),
                meeting_id: booking.meeting(GENERATION).to_string(),
                text_version: input.text_version,
                locale: input.locale,
            };
            let given = call
                .api
                .recording()
                .give_consent(call.request(message)?)
                .await;
            Ok(given?.into_inner().into())
        };
        ConsentPayload::of(given.await)
    }

    /// The caller takes consent back: a running recording is stopped at once. Guests and hosts.
    async fn withdraw_consent(
        &self,
        ctx: &Context<'_>,
        input: Option<WithdrawConsentInput>,
    ) -> Result<ConsentPayload> {
        let call = Call::new(ctx)?;
        let withdrawn = async {
            let booking_id = input.and_then(|input| input.booking_id);
            let booking = own_booking(&call, booking_id.as_ref())?;
            let message = wire::WithdrawConsentRequest {
                booking_id: booking.to_string(),
                meeting_id: booking.meeting(GENERATION).to_string(),
            };
            let request = call.request(message)?;
            let withdrawn = call.api.recording().withdraw_consent(request).await?;
            Ok(withdrawn.into_inner().into())
        };
        ConsentPayload::of(withdrawn.await)
    }

    /// Asks for a recording; refused with CONSENT_MISSING while somebody in the meeting has not consented. The host consents by starting.
    async fn start_recording(
        &self,
        ctx: &Context<'_>,
        input: StartRecordingInput,
    ) -> Result<RecordingPayload> {
        let call = Call::new(ctx)?;
        let started = async {
            let booking: BookingId = ids::decode(Kind::Booking, "bookingId", &input.booking_id)?;
            // Whoever does not see the booking does not learn whether it has a meeting.
            let seen = GetBookingRequest {
                id: booking.to_string(),
            };
            let seen = call.api.scheduler().get_booking(call.request(seen)?).await;
            seen.map_err(|status| Error::from(status).on_field("bookingId"))?;
            let message = wire::StartRecordingRequest {
                booking_id: booking.to_string(),
                meeting_id: booking.meeting(GENERATION).to_string(),
            };
            let request = call.request(message)?;
            let started = call.api.recording().start_recording(request).await?;
            Ok(Recording(started.into_inner()))
        };
        RecordingPayload::of(started.await)
    }

    /// Asks for a pause; PAUSED once the provider confirms. The host and admins.
    async fn pause_recording(
        &self,
        ctx: &Context<'_>,
        input: RecordingInput,
    ) -> Result<RecordingPayload> {
        let call = Call::new(ctx)?;
        let paused = async {
            let id = ids::text(Kind::Recording, "recordingId", &input.recording_id)?;
            let request = call.request(wire::PauseRecordingRequest { id })?;
            let paused = call.api.recording().pause_recording(request).await?;
            Ok(Recording(paused.into_inner()))
        };
        RecordingPayload::of(paused.await)
    }

    /// Goes on with a new segment. The host and admins.
    async fn resume_recording(
        &self,
        ctx: &Context<'_>,
        input: RecordingInput,
    ) -> Result<RecordingPayload> {
        let call = Call::new(ctx)?;
        let resumed = async {
            let id = ids::text(Kind::Recording, "recordingId", &input.recording_id)?;
            let request = call.request(wire::ResumeRecordingRequest { id })?;
            let resumed = call.api.recording().resume_recording(request).await?;
            Ok(Recording(resumed.into_inner()))
        };
        RecordingPayload::of(resumed.await)
    }

    /// Ends the recording; STORED once all artefacts are here. The host and admins.
    async fn stop_recording(
        &self,
        ctx: &Context<'_>,
        input: RecordingInput,
    ) -> Result<RecordingPayload> {
        let call = Call::new(ctx)?;
        let stopped = async {
            let id = ids::text(Kind::Recording, "recordingId", &input.recording_id)?;
            let request = call.request(wire::StopRecordingRequest { id })?;
            let stopped = call.api.recording().stop_recording(request).await?;
            Ok(Recording(stopped.into_inner()))
        };
        RecordingPayload::of(stopped.await)
    }
}

/// A guest's ticket says the booking; a host names it.
fn own_booking(call: &Call<'_>, named: Option<&ID>) -> convene_kit::Result<BookingId> {
    match (call.session.caller.scope, named) {
        (Scope::Guest { booking, .. }, None) => Ok(booking),
        (_, Some(id)) => ids::decode(Kind::Booking, "bookingId", id),
        (_, None) => Err(Error::invalid(
            "bookingId",
            "REQUIRED",
            "bookingId is required unless you are a guest with a ticket",
        )),
    }
}
