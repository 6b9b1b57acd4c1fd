//! Booking, rescheduling, cancelling, ending.

use std::time::Duration;

use async_graphql::{Context, ID, InputObject, Object, Result};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::scheduler::v1 as wire;
use tokio::time::Instant;

use super::{Call, payloads};
use crate::{
    error::{Refusal, fault, payload},
    ids::{self, Kind},
    model::{
        availability::{self, AvailableSlots, Slot},
        booking::Booking,
        time,
    },
};

/// Longest that bookMeeting waits for the meeting, in milliseconds.
const WAIT_MS_MAX: u32 = 10_000;
/// Pause between two looks at the booking, in milliseconds.
const LOOK_MS: u64 = 50;
/// Alternatives to a refused slot in one answer.
const ALTERNATIVES_MAX: u32 = 20;
/// So far behind the wished start they are looked for, in days.
const ALTERNATIVES_DAYS: i64 = 31;

payloads! {
    RescheduleBookingPayload { booking: Booking },
    CancelBookingPayload { booking: Booking },
    EndMeetingPayload { booking: Booking },
}

/// What came of it: the booking, or a refusal.
pub struct BookMeetingPayload {
    booking: Option<Booking>,
    refusal: Option<Refusal>,
    /// What was wanted, when it was refused.
    wish: Option<wire::ListSlotsRequest>,
}

/// What came of it: the booking, or a refusal.
#[Object]
impl BookMeetingPayload {
    /// What was booked; null when refused.
    async fn booking(&self) -> Option<&Booking> {
        self.booking.as_ref()
    }

    /// Why not.
    async fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// When the slot was refused: the next ones with the same hosts within 31 days of the wished start.
    #[graphql(complexity = "child_complexity")]
    async fn alternatives(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 20.", default = 3)] first: u32,
        #[graphql(
            desc = "Whose wall clock `localStart` shows: an IANA name, or a Windows one.",
            default_with = "availability::utc()"
        )]
        zone: String,
    ) -> Result<Vec<Slot>> {
        let zone = availability::zone(&zone).map_err(fault)?;
        let Some(wish) = self.wish.clone().filter(|_| first > 0) else {
            return Ok(Vec::new());
        };
        let call = Call::new(ctx)?;
        let first = first.min(ALTERNATIVES_MAX);
        let request = call.request(wire::ListSlotsRequest { first, ..wish });
        let found = call
            .api
            .scheduler()
            .list_slots(request.map_err(fault)?)
            .await;
        // What cannot be asked has no alternatives: the refusal stands.
        Ok(found.map_or_else(
            |_| Vec::new(),
            |found| AvailableSlots::new(zone, found.into_inner()).into_slots(),
        ))
    }
}

/// A person to invite.
#[derive(InputObject)]
struct GuestInput {
    /// Name.
    name: String,
    /// E-mail address.
    email: String,
}

/// A wish for a slot.
#[derive(InputObject)]
struct BookMeetingInput {
    /// A fresh UUID for each intent; the same for its repeats, which answer the same booking.
    idempotency_key: String,
    /// What to book.
    service_id: ID,
    /// With whom; left out, and without `hostIds`, whoever the service's assignment names.
    host_id: Option<ID>,
    /// With one of these, at most 100; the others are for those who are not free.
    #[graphql(default)]
    host_ids: Vec<ID>,
    /// With all of `hostIds`, the first of whom organises the meeting, not with one of them.
    #[graphql(default)]
    all_hosts: bool,
    /// What whoever takes it has to be able to; at most 16.
    #[graphql(default)]
    skills: Vec<String>,
    /// The token of a hold, which becomes this booking; it says who takes it.
    hold_token: Option<String>,
    /// From when.
    start: DateTime<Utc>,
    /// Until when: start plus one of the service's durations; its own when left out.
    end: Option<DateTime<Utc>>,
    /// Who is invited.
    guests: Vec<GuestInput>,
    /// Waits so long for the meeting, in milliseconds; at most 10000. The booking stands whether or not the meeting is there by then.
    #[graphql(default)]
    wait_for_meeting_ms: u32,
}

/// Another time for a booking.
#[derive(InputObject)]
struct RescheduleBookingInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// Which booking.
    booking_id: ID,
    /// From when.
    start: DateTime<Utc>,
    /// Until when; as long as before when left out.
    end: Option<DateTime<Utc>>,
    /// Refused unless the booking has this version.
    version: Option<u64>,
}

/// What to call off.
#[derive(InputObject)]
struct CancelBookingInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// Which booking.
    booking_id: ID,
    /// A short reason; free of personal data, because it is kept in the audit trail.
    reason: String,
}

/// What is over.
#[derive(InputObject)]
struct EndMeetingInput {
    /// Which booking.
    booking_id: ID,
}

#[derive(Default)]
pub struct Bookings;

#[Object]
impl Bookings {
    /// Takes the slot. The meeting is made afterwards: watch `bookingEvents`, or wait a little. Booking apps and admins.
    async fn book_meeting(
        &self,
        ctx: &Context<'_>,
        input: BookMeetingInput,
    ) -> Result<BookMeetingPayload> {
        let call = Call::new(ctx)?;
        let wish = slots_like(&input);
        let (booking, refusal) = payload(book(&call, input).await)?;
        let wish = refusal.as_ref().and(wish);
        Ok(BookMeetingPayload {
            booking,
            refusal,
            wish,
        })
    }

    /// Gives an appointment another time. It stays the same booking, with the same guests, hosts, tickets, lobby and meeting, and the provider's event
    /// is changed. Booking apps, admins, the host.
    async fn reschedule_booking(
        &self,
        ctx: &Context<'_>,
        input: RescheduleBookingInput,
    ) -> Result<RescheduleBookingPayload> {
        let call = Call::new(ctx)?;
        let moved = async {
            let message = wire::RescheduleBookingRequest {
                idempotency_key: input.idempotency_key,
                id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
                start: Some(time::to_wire(input.start)),
                end: input.end.map(time::to_wire),
                version: input.version.unwrap_or(0),
            };
            let request = call.request(message)?;
            let moved = call.api.scheduler().reschedule_booking(request).await?;
            Ok(Booking(moved.into_inner()))
        };
        RescheduleBookingPayload::of(moved.await)
    }

    /// Calls an appointment off; the slot is free again, the meeting goes, the lobby closes.
    async fn cancel_booking(
        &self,
        ctx: &Context<'_>,
        input: CancelBookingInput,
    ) -> Result<CancelBookingPayload> {
        let call = Call::new(ctx)?;
        let cancelled = async {
            let message = wire::CancelBookingRequest {
                idempotency_key: input.idempotency_key,
                id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
                reason: input.reason,
            };
            let request = call.request(message)?;
            let cancelled = call.api.scheduler().cancel_booking(request).await?;
            Ok(Booking(cancelled.into_inner()))
        };
        CancelBookingPayload::of(cancelled.await)
    }

    /// The appointment is over: the lobby closes, recording stops, nobody gets in any more. The host and admins.
    async fn end_meeting(
        &self,
        ctx: &Context<'_>,
        input: EndMeetingInput,
    ) -> Result<EndMeetingPayload> {
        let call = Call::new(ctx)?;
        let ended = async {
            let message = wire::EndMeetingRequest {
                id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
            };
            let ended = call
                .api
                .scheduler()
                .end_meeting(call.request(message)?)
                .await;
            Ok(Booking(ended?.into_inner()))
        };
        EndMeetingPayload::of(ended.await)
    }
}

/// Whoever is named, one or several.
pub(super) fn host_ids(one: Option<&ID>, several: &[ID]) -> convene_kit::Result<Vec<String>> {
    let one = one.map(|id| ids::text(Kind::Host, "hostId", id));
    let several = several.iter();
    let several = several.map(|id| ids::text(Kind::Host, "hostIds", id));
    one.into_iter().chain(several).collect()
}

/// Slots like the wished one, from its start on; `None` when the wish names nothing.
fn slots_like(input: &BookMeetingInput) -> Option<wire::ListSlotsRequest> {
    let ahead = chrono::TimeDelta::days(ALTERNATIVES_DAYS);
    let duration = input
        .end
        .map_or(0, |end| (end - input.start).num_milliseconds());
    Some(wire::ListSlotsRequest {
        service_id: ids::text(Kind::Service, "serviceId", &input.service_id).ok()?,
        from: Some(time::to_wire(input.start)),
        to: Some(time::to_wire(input.start.checked_add_signed(ahead)?)),
        host_ids: host_ids(input.host_id.as_ref(), &input.host_ids).ok()?,
        all_hosts: input.all_hosts,
        skills: input.skills.clone(),
        duration_ms: duration.max(0),
        first: 0,
    })
}

async fn book(call: &Call<'_>, input: BookMeetingInput) -> convene_kit::Result<Booking> {
    if input.wait_for_meeting_ms > WAIT_MS_MAX {
        return Err(Error::invalid(
            "waitForMeetingMs",
            "OUT_OF_RANGE",
            format!("waitForMeetingMs is at most {WAIT_MS_MAX}"),
        ));
    }
    let message = wire::BookMeetingRequest {
        idempotency_key: input.idempotency_key,
        service_id: ids::text(Kind::Service, "serviceId", &input.service_id)?,
        host_ids: host_ids(input.host_id.as_ref(), &input.host_ids)?,
        hold_token: input.hold_token.unwrap_or_default(),
        all_hosts: input.all_hosts,
        skills: input.skills,
        start: Some(time::to_wire(input.start)),
        end: input.end.map(time::to_wire),
        guests: input
            .guests
            .into_iter()
            .map(|guest| wire::NewGuest {
                name: guest.name,
                email: guest.email,
            })
            .collect(),
    };
    let request = call.request(message)?;
    let mut booking = call
        .api
        .scheduler()
        .book_meeting(request)
        .await?
        .into_inner();
    let patience = Instant::now() + Duration::from_millis(input.wait_for_meeting_ms.into());
    // One that somebody has to agree to has no meeting until then.
    let made = |one: &wire::Booking| {
        one.state() != wire::BookingState::Confirmed
            || one.meeting_state() != wire::MeetingState::Pending
    };
    while !made(&booking) && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        let look = wire::GetBookingRequest {
            id: booking.id.clone(),
        };
        // The booking stands: a failed look is no reason to answer that it does not.
        match call.api.scheduler().get_booking(call.request(look)?).await {
            Ok(looked) => booking = looked.into_inner(),
            Err(_) => break,
        }
    }
    Ok(Booking(booking))
}
