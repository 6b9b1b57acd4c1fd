//! Being told.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription as Subscribe};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::{event::v1::Event, lobby::v1::GetVisitRequest};
use futures_util::{Stream, StreamExt as _};

use crate::{
    error::fault,
    feed::{self, Cursor, Source},
    ids::{self, Kind},
    model::{api, booking::Booking, found, loaders, lobby::Visit, session, status, time},
};

/// A fact of a booking as it happens.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct BookingEvent {
    /// Send it as `after` to go on behind this event, without gap or repeat.
    cursor: String,
    /// The service that wrote it.
    source: &'static str,
    /// Name of the fact.
    #[graphql(name = "type")]
    kind: String,
    /// booking, meeting, lobby, visit, permit, consent or recording.
    object_kind: String,
    /// UUID of the object.
    object_id: String,
    /// Version of the object after it: 1, 2, 3 … without a gap.
    seq: u64,
    /// Who caused it.
    actor: String,
    /// When, in business time.
    occurred_at: Option<DateTime<Utc>>,
    /// JSON of the fact; free of personal data and secrets.
    data: String,
    #[graphql(skip)]
    booking: String,
}

#[async_graphql::ComplexObject]
impl BookingEvent {
    /// The booking as it is now.
    async fn booking(&self, ctx: &Context<'_>) -> Result<Booking> {
        let loader = &loaders(ctx)?.bookings;
        // Not as an earlier event of this subscription left it.
        loader.clear();
        found(loader.load_one(self.booking.clone()).await, "booking").map(Booking)
    }
}

impl BookingEvent {
    fn new(cursor: Cursor, source: Source, event: &Event) -> Self {
        Self {
            cursor: cursor.encode(),
            source: source.name(),
            kind: event.r#type.clone(),
            object_kind: event.object_kind.clone(),
            object_id: event.object_id.clone(),
            seq: event.seq,
            actor: event.actor.clone(),
            occurred_at: time::from_wire(event.occurred_at),
            data: event.data.clone(),
            booking: event.booking_id.clone(),
        }
    }
}

/// What a waiting guest sees.
#[derive(SimpleObject)]
pub struct VisitUpdate {
    /// Send it as `after` to go on behind this update.
    cursor: String,
    /// The visit as it is now.
    visit: Visit,
}

/// Being told.
pub struct Subscription;

#[Subscribe]
impl Subscription {
    /// The facts of a booking, from its beginning or behind a cursor, then live. In each service's order, without gap or repeat.
    async fn booking_events(
        &self,
        ctx: &Context<'_>,
        booking_id: ID,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<BookingEvent>> + use<>> {
        let id = ids::text(Kind::Booking, "bookingId", &booking_id).map_err(fault)?;
        if session(ctx)?.caller.guest().is_ok() {
            let message = "a ticket opens one visit; subscribe to `visit`";
            return Err(fault(Error::forbidden("FORBIDDEN", message)));
        }
        found(loaders(ctx)?.bookings.load_one(id).await, "booking")?;
        let booking = ids::decode(Kind::Booking, "bookingId", &booking_id).map_err(fault)?;
        let mut cursor = start(after.as_deref())?;
        let events = feed::events(api(ctx)?, session(ctx)?, booking, cursor).await;
        Ok(events.map(move |event| {
            let (source, event) = event.map_err(fault)?;
            cursor = cursor.advanced(source, event.position);
            Ok(BookingEvent::new(cursor, source, &event))
        }))
    }

    /// The guest's own visit: at once, and whenever something changes for it. A reconnect goes on behind its cursor.
    async fn visit(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<VisitUpdate>> + use<>> {
        let (id, booking) = session(ctx)?.caller.guest().map_err(fault)?;
        let (api, session) = (api(ctx)?.clone(), session(ctx)?.clone());
        let mut cursor = start(after.as_deref())?;
        let events = feed::events(&api, &session, booking, cursor).await;
        let mut told = None;
        let updates = events.filter_map(move |event| {
            let (api, session) = (api.clone(), session.clone());
            if let Ok((source, event)) = &event {
                cursor = cursor.advanced(*source, event.position);
            }
            let (now, id) = (cursor, id.to_string());
            async move {
                if let Err(error) = event {
                    return Some(Err(fault(error)));
                }
                let request = match session.request(GetVisitRequest { id }) {
                    Ok(request) => request,
                    Err(error) => return Some(Err(fault(error))),
                };
                let visit = api.lobby().get_visit(request).await.map_err(status);
                Some(visit.map(|visit| (now, Visit(visit.into_inner()))))
            }
        });
        // Many facts change nothing for the guest: only what differs is told.
        Ok(updates.filter_map(move |update| {
            let update = match update {
                Ok((_, visit)) if told.as_ref() == Some(&visit) => None,
                Ok((cursor, visit)) => {
                    told = Some(visit.clone());
                    Some(Ok(VisitUpdate {
                        cursor: cursor.encode(),
                        visit,
                    }))
                }
                Err(error) => Some(Err(error)),
            };
            std::future::ready(update)
        }))
    }
}

fn start(after: Option<&str>) -> Result<Cursor> {
    match after {
        None => Ok(Cursor::default()),
        Some(after) => Cursor::decode(after).map_err(fault),
    }
}
