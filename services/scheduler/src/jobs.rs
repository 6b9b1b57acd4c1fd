//! The effects of bookings.

use async_trait::async_trait;
use convene_domain::{
    BookingId, TenantId,
    booking::{Booking, Effect, Event, Phase},
};
use convene_kit::{
    Code, Deps, Error, Result, Row, convert,
    jobs::{Done, Job, Worker},
};
use convene_proto::{lobby::v1 as lobby, meeting::v1 as meeting};

use crate::{
    peers::{Below, Peers},
    service,
    store::{self, booking::Bookings},
};

pub(crate) struct BookingWorker {
    deps: Deps,
    below: Below,
}

impl BookingWorker {
    pub fn new(deps: Deps, peers: Peers) -> Self {
        let below = Below::new(peers, deps.callers.clone());
        Self { deps, below }
    }

    async fn ensure_meeting(&self, tenant: TenantId, row: &Row<Booking>) -> Result<()> {
        let terms = &row.machine.terms;
        let service = store::service::get(self.deps.db.read(), tenant, terms.service).await?;
        let host = store::host::get(self.deps.db.read(), tenant, terms.host).await?;
        let message = meeting::EnsureMeetingRequest {
            meeting_id: terms.meeting.to_string(),
            booking_id: row.id.to_string(),
            generation: terms.generation,
            subject: service.name,
            organizer: host.provider_user,
            host_id: terms.host.to_string(),
            start: Some(convert::to_wire(terms.interval.start())),
            end: Some(convert::to_wire(terms.interval.end())),
        };
        self.below.ensure_meeting(tenant, message).await
    }

    async fn open_lobby(&self, tenant: TenantId, row: &Row<Booking>) -> Result<()> {
        let terms = &row.machine.terms;
        let booking = BookingId::from_uuid(row.id);
        let guests = store::guest::of_booking(self.deps.db.read(), tenant, booking).await?;
        let closes_at = terms.over();
        let message = lobby::OpenLobbyRequest {
            lobby_id: terms.lobby.to_string(),
            booking_id: row.id.to_string(),
            meeting_id: terms.meeting.to_string(),
            host_id: terms.host.to_string(),
            closes_at: Some(convert::to_wire(closes_at)),
            guests: guests
                .into_iter()
                .map(|guest| lobby::ExpectedGuest {
                    guest_id: guest.id.to_string(),
                    display_name: guest.name,
                })
                .collect(),
        };
        self.below.open_lobby(tenant, message).await
    }
}

#[async_trait]
impl Worker for BookingWorker {
    type Table = Bookings;

    async fn run(&self, job: &Job<Effect>, row: Row<Booking>) -> Result<Done<Bookings>> {
        let tenant = job.tenant;
        let terms = &row.machine.terms;
        let told = match &job.effect {
            Effect::CompleteWhenOver { .. } => return Ok(Done::fact(Event::BookingCompleted)),
            Effect::EnsureMeeting => self.ensure_meeting(tenant, &row).await,
            Effect::OpenLobby => self.open_lobby(tenant, &row).await,
            Effect::DeclineUnconfirmed { .. } => {
                let declined = Event::BookingDeclined {
                    reason: "NOT_CONFIRMED_IN_TIME".to_owned(),
                };
                let (id, terms) = (BookingId::from_uuid(row.id), terms.clone());
                return Ok(Done::fact(declined).with(move |tx, origin| {
                    Box::pin(async move { service::give_back(tx, &origin, id, &terms).await })
                }));
            }
            Effect::MoveMeeting => {
                let message = meeting::MoveMeetingRequest {
                    id: terms.meeting.to_string(),
                    start: Some(convert::to_wire(terms.interval.start())),
                    end: Some(convert::to_wire(terms.interval.end())),
                    moves: row.machine.moves,
                };
                once_there(self.below.move_meeting(tenant, message).await)
            }
            Effect::MoveLobby => {
                let message = lobby::MoveLobbyRequest {
                    id: terms.lobby.to_string(),
                    closes_at: Some(convert::to_wire(terms.over())),
                    moves: row.machine.moves,
                };
                once_there(self.below.move_lobby(tenant, message).await)
            }
            Effect::CancelMeeting => {
                let message = meeting::CancelMeetingRequest {
                    id: terms.meeting.to_string(),
                    reason: reason(&row.machine).to_owned(),
                };
                let told = self.below.cancel_meeting(tenant, message).await;
                return unless_unknown(told, Event::MeetingCancelled);
            }
            Effect::EndMeeting => {
                let message = meeting::EndMeetingRequest {
                    id: terms.meeting.to_string(),
                };
                let told = self.below.end_meeting(tenant, message).await;
                return unless_unknown(told, Event::MeetingEnded);
            }
            Effect::CloseLobby => {
                let message = lobby::CloseLobbyRequest {
                    id: terms.lobby.to_string(),
                    reason: reason(&row.machine).to_owned(),
                };
                match self.below.close_lobby(tenant, message).await {
                    Err(error) if error.code == Code::NotFound => Ok(()),
                    told => told,
                }
            }
        };
        told.map(|()| Done::nothing())
    }
}

/// What is not there yet was wanted at the time before, or will be: it is told again until it is there.
fn once_there(told: Result<()>) -> Result<()> {
    match told {
        Err(error) if error.code == Code::NotFound => Err(Error::unavailable(
            "NOT_THERE_YET",
            "a part of the booking is still being made; it is told the new time again",
        )),
        told => told,
    }
}

/// The broker's feed tells what became of a meeting; of one that the broker never heard of, this does.
fn unless_unknown(told: Result<()>, over: Event) -> Result<Done<Bookings>> {
    match told {
        Ok(()) => Ok(Done::nothing()),
        Err(error) if error.code == Code::NotFound => Ok(Done::fact(over)),
        Err(error) => Err(error),
    }
}

fn reason(booking: &Booking) -> &'static str {
    match booking.phase {
        Phase::Cancelled { .. } => "BOOKING_CANCELLED",
        Phase::NoShow => "NOBODY_CAME",
        Phase::Pending | Phase::Confirmed | Phase::Declined { .. } | Phase::Completed => {
            "APPOINTMENT_OVER"
        }
    }
}
