//! Between proto and domain.

pub mod assignment;
pub mod availability;
pub mod hold;
pub mod policy;

use convene_domain::{
    Timestamp,
    booking::{MeetingView, Phase},
};
use convene_kit::{
    Result,
    convert::{id, required_time, to_wire},
    idempotency::Key,
};
use convene_proto::scheduler::v1 as wire;
use prost::Message as _;

use crate::{
    service::{
        BookMeeting, BookingView, NewGuest, NewHost, NewService, RescheduleBooking, SeenHost,
    },
    store,
};

pub fn service(row: store::service::Model) -> Result<wire::Service> {
    let limits = row.availability()?;
    let (assignment, policy) = (row.assignment()?, row.policy()?);
    Ok(wire::Service {
        policy: Some(policy::to_wire(policy)),
        assignment: assignment.map(assignment::to_wire),
        availability: Some(availability::service_limits(limits)),
        id: row.id.to_string(),
        name: row.name,
        duration_ms: row.duration_ms,
        buffer_before_ms: row.buffer_before_ms,
        buffer_after_ms: row.buffer_after_ms,
        created_at: Some(to_wire(Timestamp::from_millis(row.created_at_ms))),
    })
}

pub fn host(row: store::host::Model) -> Result<wire::Host> {
    let limits = row.availability()?;
    Ok(wire::Host {
        availability: Some(availability::host_limits(&limits)),
        id: row.id.to_string(),
        name: row.name,
        provider_user: row.provider_user,
        capacity: row.capacity.unsigned_abs(),
        created_at: Some(to_wire(Timestamp::from_millis(row.created_at_ms))),
    })
}

pub fn seen_host(seen: SeenHost) -> Result<wire::Host> {
    match seen {
        SeenHost::Whole(row) => host(row),
        SeenHost::Name(row) => Ok(wire::Host {
            id: row.id.to_string(),
            name: row.name,
            ..wire::Host::default()
        }),
    }
}

pub fn booking(view: BookingView) -> wire::Booking {
    let BookingView {
        id,
        version,
        created_at,
        booking,
        guests,
    } = view;
    let (state, cancel_reason) = match booking.phase {
        Phase::Pending => (wire::BookingState::Pending, String::new()),
        Phase::Confirmed => (wire::BookingState::Confirmed, String::new()),
        Phase::Declined { reason } => (wire::BookingState::Declined, reason),
        Phase::NoShow => (wire::BookingState::NoShow, String::new()),
        Phase::Cancelled { reason } => (wire::BookingState::Cancelled, reason),
        Phase::Completed => (wire::BookingState::Completed, String::new()),
    };
    let (meeting_state, meeting_reason) = match booking.meeting {
        MeetingView::Pending => (wire::MeetingState::Pending, String::new()),
        MeetingView::Ready => (wire::MeetingState::Ready, String::new()),
        MeetingView::Failed { reason } => (wire::MeetingState::Failed, reason),
        MeetingView::Cancelled => (wire::MeetingState::Cancelled, String::new()),
        MeetingView::Ended => (wire::MeetingState::Ended, String::new()),
    };
    let terms = booking.terms;
    wire::Booking {
        id: id.to_string(),
        version,
        state: state.into(),
        service_id: terms.service.to_string(),
        host_id: terms.host.to_string(),
        co_host_ids: terms.co_hosts.iter().map(ToString::to_string).collect(),
        start: Some(to_wire(terms.interval.start())),
        end: Some(to_wire(terms.interval.end())),
        guests: guests.into_iter().map(guest).collect(),
        meeting_id: terms.meeting.to_string(),
        meeting_state: meeting_state.into(),
        meeting_reason,
        lobby_id: terms.lobby.to_string(),
        cancel_reason,
        reschedules: booking.moves,
        created_at: Some(to_wire(created_at)),
    }
}

fn guest(row: store::guest::Model) -> wire::Guest {
    wire::Guest {
        id: row.id.to_string(),
        name: row.name,
        email: row.email,
    }
}

pub fn new_service(mut request: wire::CreateServiceRequest) -> Result<NewService> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(NewService {
        key: Key::new("CreateService", &key, &request.encode_to_vec())?,
        name: request.name,
        duration_ms: request.duration_ms,
        buffer_before_ms: request.buffer_before_ms,
        buffer_after_ms: request.buffer_after_ms,
        availability: request
            .availability
            .map(availability::new_service_limits)
            .transpose()?,
    })
}

pub fn new_host(mut request: wire::CreateHostRequest) -> Result<NewHost> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(NewHost {
        key: Key::new("CreateHost", &key, &request.encode_to_vec())?,
        name: request.name,
        provider_user: request.provider_user,
        capacity: request.capacity,
        availability: request
            .availability
            .map(|limits| availability::new_host_limits(&limits))
            .transpose()?,
    })
}

pub fn book_meeting(mut request: wire::BookMeetingRequest) -> Result<BookMeeting> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(BookMeeting {
        key: Key::new("BookMeeting", &key, &request.encode_to_vec())?,
        service: id("serviceId", &request.service_id)?,
        whom: availability::whom(
            "hostId",
            &request.host_ids,
            request.all_hosts,
            request.skills,
        )?,
        hold: match request.hold_token.as_str() {
            "" => None,
            token => Some(hold::token(token)?),
        },
        start: required_time("start", request.start)?,
        end: request.end.map(convene_kit::convert::from_wire),
        guests: request
            .guests
            .into_iter()
            .map(|guest| NewGuest {
                name: guest.name,
                email: guest.email,
            })
            .collect(),
    })
}

pub fn reschedule(mut request: wire::RescheduleBookingRequest) -> Result<RescheduleBooking> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(RescheduleBooking {
        key: Key::new("RescheduleBooking", &key, &request.encode_to_vec())?,
        booking: id("id", &request.id)?,
        start: required_time("start", request.start)?,
        end: request.end.map(convene_kit::convert::from_wire),
        version: Some(request.version).filter(|version| *version != 0),
    })
}

pub fn cancel_key(request: &mut wire::CancelBookingRequest) -> Result<Key> {
    let key = std::mem::take(&mut request.idempotency_key);
    Key::new("CancelBooking", &key, &request.encode_to_vec())
}

/// `(first, after)` of a page; no page is the first one.
pub fn page<T>(page: Option<wire::Page>) -> Result<(u32, Option<T>)>
where
    T: std::str::FromStr<Err = convene_domain::MalformedId>,
{
    let page = page.unwrap_or_default();
    let after = match page.after_id.as_str() {
        "" => None,
        after => Some(id("after", after)?),
    };
    Ok((page.first, after))
}
