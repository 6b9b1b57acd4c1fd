//! Being told.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription as Subscribe};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::{
    event::v1::Event,
    lobby::v1::{self as wire, GetVisitRequest},
};
use futures_util::{Stream, StreamExt as _, stream};

use crate::{
    api::{Api, Session},
    auth,
    error::fault,
    feed::{self, Cursor, Place, Source},
    ids::{self, Kind},
    model::{api, booking::Booking, found, loaders, lobby::Visit, session, status, time},
    telling::InCommon,
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
        // Loaders keep nothing: this is not as an earlier event of this subscription left it.
        let loader = &loaders(ctx)?.bookings;
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

/// Being told.
#[Subscribe]
impl Subscription {
    /// The facts of a booking, from its beginning or behind a cursor, then live. In each service's order, without gap or repeat.
    async fn booking_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which booking.")] booking_id: ID,
        #[graphql(desc = "Cursor of the last event seen; from the beginning when left out.")]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<BookingEvent>> + use<>> {
        let id = ids::text(Kind::Booking, "bookingId", &booking_id).map_err(fault)?;
        if session(ctx)?.caller.guest().is_ok() {
            let message = "a ticket opens one visit; subscribe to `visit`";
            return Err(fault(Error::forbidden("FORBIDDEN", message)));
        }
        found(loaders(ctx)?.bookings.load_one(id).await, "booking")?;
        let booking = ids::decode(Kind::Booking, "bookingId", &booking_id).map_err(fault)?;
        let place = ctx.data_opt::<Place>().cloned().unwrap_or_default();
        let mut cursor = match place.get() {
            Some(cursor) => cursor,
            None => start(after.as_deref())?,
        };
        let in_common = ctx.data_opt::<InCommon>().is_some();
        let (api, session) = (api(ctx)?.clone(), session(ctx)?.clone());
        let events = feed::events(&api, &session, booking, cursor).await;
        let events = events.map_err(fault)?.then(move |event| {
            let (api, session) = (api.clone(), session.clone());
            async move {
                // Whose key was revoked is told nothing more; of watchers that are told in common each is asked for its own.
                if !in_common {
                    auth::check(&api, &session).await.map_err(fault)?;
                }
                event.map_err(fault)
            }
        });
        Ok(until_error(events.map(move |event: Result<_>| {
            let (source, event) = event?;
            cursor = cursor.advanced(source, event.position);
            place.set(cursor);
            Ok(BookingEvent::new(cursor, source, &event))
        })))
    }

    /// The guest's own visit: as it is now, and whenever something changes for it. Behind a cursor only what changed since. Ends when the
    /// ticket is replaced.
    async fn visit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Cursor of the last update seen.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<VisitUpdate>> + use<>> {
        let (api, session) = (api(ctx)?.clone(), session(ctx)?.clone());
        let (_, booking) = session.caller.guest().map_err(fault)?;
        let (from, first) = match after.as_deref() {
            Some(after) => (Cursor::decode(after).map_err(fault)?, None),
            None => {
                let now = feed::now(&api, &session, booking).await.map_err(fault)?;
                (now, Some(look(&api, &session).await?))
            }
        };
        let events = feed::events(&api, &session, booking, from).await;
        let events = events.map_err(fault)?;
        let first = first.map(|visit| Ok((from, visit)));
        let mut cursor = from;
        let later = events.then(move |event| {
            if let Ok((source, event)) = &event {
                cursor = cursor.advanced(*source, event.position);
            }
            let (api, session, cursor) = (api.clone(), session.clone(), cursor);
            async move {
                event.map_err(fault)?;
                // Whoever got a newer ticket is told there.
                auth::check(&api, &session).await.map_err(fault)?;
                Ok((cursor, look(&api, &session).await?))
            }
        });
        // Many facts change nothing for the guest: only what differs is told.
        let mut told = None;
        let updates = stream::iter(first).chain(later);
        Ok(until_error(updates.filter_map(move |update| {
            let update = match update {
                Ok((_, visit)) if told.as_ref() == Some(&visit) => None,
                Ok((cursor, visit)) => {
                    told = Some(visit.clone());
                    Some(Ok(VisitUpdate {
                        cursor: cursor.encode(),
                        visit: Visit(visit),
                    }))
                }
                Err(error) => Some(Err(error)),
            };
            std::future::ready(update)
        })))
    }
}

/// A subscription is over with its first error: whoever wants more connects again behind the last cursor.
fn until_error<T>(stream: impl Stream<Item = Result<T>>) -> impl Stream<Item = Result<T>> {
    stream::unfold(Some(Box::pin(stream)), async |stream| {
        let mut stream = stream?;
        let item = stream.next().await?;
        let rest = item.is_ok().then_some(stream);
        Some((item, rest))
    })
}

/// The caller's visit as it is now.
async fn look(api: &Api, session: &Session) -> Result<wire::Visit> {
    let (id, _) = session.caller.guest().map_err(fault)?;
    let message = GetVisitRequest { id: id.to_string() };
    let request = session.request(message).map_err(fault)?;
    let visit = api.lobby().get_visit(request).await;
    Ok(visit.map_err(status)?.into_inner())
}

fn start(after: Option<&str>) -> Result<Cursor> {
    match after {
        None => Ok(Cursor::default()),
        Some(after) => Cursor::decode(after).map_err(fault),
    }
}
