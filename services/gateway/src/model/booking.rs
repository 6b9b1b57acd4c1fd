//! Bookings and their guests.

use async_graphql::{ComplexObject, Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use convene_kit::{Code, Error};
use convene_proto::{
    lobby::v1::{GetLobbyRequest, GetVisitRequest},
    recording::v1::ListRecordingsRequest,
    scheduler::v1 as wire,
};

use super::{
    api,
    catalogue::{Host, Service},
    found, loaders,
    lobby::{Lobby, Visit},
    meeting::{Meeting, MeetingState},
    recording::Recording,
    request, status, time,
};
use crate::{
    error::fault,
    ids::{Kind, encode},
};

/// Where an appointment stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum BookingState {
    /// The slot is taken, and somebody of the organisation has to agree yet.
    Pending,
    /// The slot is taken.
    Confirmed,
    /// Called off; the slot is free again.
    Cancelled,
    /// It took place, or its time is over.
    Completed,
    /// Nobody agreed; the slot is free again.
    Declined,
    /// Nobody who was invited came.
    NoShow,
}

/// An appointment.
pub struct Booking(pub wire::Booking);

/// An appointment.
#[Object]
impl Booking {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::Booking, &self.0.id)
    }

    /// Rises with every change.
    async fn version(&self) -> u64 {
        self.0.version
    }

    /// Where it stands.
    async fn state(&self) -> Result<BookingState> {
        match self.0.state() {
            wire::BookingState::Pending => Ok(BookingState::Pending),
            wire::BookingState::Declined => Ok(BookingState::Declined),
            wire::BookingState::NoShow => Ok(BookingState::NoShow),
            wire::BookingState::Confirmed => Ok(BookingState::Confirmed),
            wire::BookingState::Cancelled => Ok(BookingState::Cancelled),
            wire::BookingState::Completed => Ok(BookingState::Completed),
            wire::BookingState::Unspecified => {
                Err(fault(Error::internal("a booking without state")))
            }
        }
    }

    /// What was booked.
    async fn service(&self, ctx: &Context<'_>) -> Result<Service> {
        let loader = &loaders(ctx)?.services;
        let service = loader.load_one(self.0.service_id.clone()).await;
        found(service, "service").map(Service)
    }

    /// Who holds the meeting.
    async fn host(&self, ctx: &Context<'_>) -> Result<Host> {
        let loader = &loaders(ctx)?.hosts;
        let host = loader.load_one(self.0.host_id.clone()).await;
        found(host, "host").map(Host)
    }

    /// Who else of the organisation takes part.
    #[graphql(complexity = "5 * child_complexity")]
    async fn co_hosts(&self, ctx: &Context<'_>) -> Result<Vec<Host>> {
        let loader = &loaders(ctx)?.hosts;
        let ids = &self.0.co_host_ids;
        let mut known = loader.load_many(ids.iter().cloned()).await.map_err(fault)?;
        // What the caller may not see is left out.
        let hosts = ids.iter().filter_map(|id| known.remove(id));
        Ok(hosts.map(Host).collect())
    }

    /// From.
    async fn start(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.start)
    }

    /// To.
    async fn end(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.end)
    }

    /// Who is invited; guests do not see each other.
    #[graphql(complexity = "10 * child_complexity")]
    async fn guests(&self) -> Vec<Guest> {
        let guests = self.0.guests.iter();
        guests
            .map(|guest| Guest {
                id: encode(Kind::Guest, &guest.id),
                name: guest.name.clone(),
                email: guest.email.clone(),
                uuid: guest.id.clone(),
                booking: self.0.id.clone(),
            })
            .collect()
    }

    /// Its meeting: states only, join details need a permit.
    async fn meeting(&self, ctx: &Context<'_>) -> Result<Meeting> {
        let loader = &loaders(ctx)?.meetings;
        let meeting = loader.load_one(self.0.meeting_id.clone()).await;
        Ok(match meeting.map_err(fault)? {
            Some(meeting) => Meeting::known(meeting),
            None => Meeting::unknown(self.0.meeting_id.clone(), self.view()),
        })
    }

    /// Its lobby; null until it has been opened.
    async fn lobby(&self, ctx: &Context<'_>) -> Result<Option<Lobby>> {
        let message = GetLobbyRequest {
            id: self.0.lobby_id.clone(),
        };
        let lobby = api(ctx)?.lobby().get_lobby(request(ctx, message)?).await;
        optional(lobby).map(|lobby| lobby.map(Lobby))
    }

    /// Its recordings, the oldest first.
    #[graphql(complexity = "3 * child_complexity")]
    async fn recordings(&self, ctx: &Context<'_>) -> Result<Vec<Recording>> {
        let message = ListRecordingsRequest {
            booking_id: self.0.id.clone(),
        };
        let listed = api(ctx)?
            .recording()
            .list_recordings(request(ctx, message)?)
            .await;
        let recordings = listed.map_err(status)?.into_inner().recordings;
        Ok(recordings.into_iter().map(Recording).collect())
    }

    /// How often its time was changed.
    async fn reschedules(&self) -> u64 {
        self.0.reschedules
    }

    /// Why it was called off or declined.
    async fn cancel_reason(&self) -> Option<&str> {
        Some(self.0.cancel_reason.as_str()).filter(|reason| !reason.is_empty())
    }

    /// When it was booked.
    async fn created_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.created_at)
    }
}

impl Booking {
    fn view(&self) -> MeetingState {
        match self.0.meeting_state() {
            wire::MeetingState::Ready => MeetingState::Ready,
            wire::MeetingState::Failed => MeetingState::Failed,
            wire::MeetingState::Cancelled => MeetingState::Cancelled,
            wire::MeetingState::Ended => MeetingState::Ended,
            wire::MeetingState::Pending | wire::MeetingState::Unspecified => MeetingState::Pending,
        }
    }
}

/// An invited person.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Guest {
    /// Global id; good within its booking.
    id: ID,
    /// Name.
    name: String,
    /// E-mail address.
    email: String,
    #[graphql(skip)]
    uuid: String,
    #[graphql(skip)]
    booking: String,
}

#[ComplexObject]
impl Guest {
    /// The guest's stay in the lobby; null until the lobby has been opened.
    async fn visit(&self, ctx: &Context<'_>) -> Result<Option<Visit>> {
        let booking: convene_domain::BookingId = self.booking.parse().map_err(|_| malformed())?;
        let guest = self.uuid.parse().map_err(|_| malformed())?;
        let message = GetVisitRequest {
            id: booking.lobby().visit(guest).to_string(),
        };
        let visit = api(ctx)?.lobby().get_visit(request(ctx, message)?).await;
        optional(visit).map(|visit| visit.map(Visit))
    }
}

fn malformed() -> async_graphql::Error {
    fault(Error::internal("a service answered an id that is not one"))
}

/// What is not there yet is null.
fn optional<T>(
    answer: std::result::Result<tonic::Response<T>, tonic::Status>,
) -> Result<Option<T>> {
    match answer.map_err(Error::from) {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(fault(error)),
    }
}
