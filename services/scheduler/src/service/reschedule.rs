//! Another time for a booking, which stays the same booking: same id, guests, hosts, meeting and lobby.

use convene_domain::{
    BookingId, Timestamp,
    availability::{Taken, Taker},
    booking::{Booking, Event},
};
use convene_kit::{
    Caller, Context, Error, Origin, Result, Row, Tx, Writes, idempotency::Key, store as spine,
};

use super::{BookingView, Scheduler, book, may_change, outcome::is_app};
use crate::store::{self, booking::Bookings};

/// A wish for another time.
#[derive(Debug)]
pub struct RescheduleBooking {
    pub key: Key,
    pub booking: BookingId,
    pub start: Timestamp,
    /// As long as before when `None`.
    pub end: Option<Timestamp>,
    /// Refused unless the booking has this version; any when `None`.
    pub version: Option<u64>,
}

impl Scheduler {
    pub async fn reschedule_booking(
        &self,
        context: &Context,
        wish: RescheduleBooking,
    ) -> Result<BookingView> {
        let (caller, origin) = (context.caller.clone(), context.origin(&self.deps.clock));
        book::check_span(wish.start, wish.end, origin.now)?;
        let id = wish.booking;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (tenant, id) = (origin.tenant, wish.booking.as_uuid());
                    let row = spine::get_for_change::<Bookings>(tx, tenant, id).await?;
                    may_change(&caller, &row.machine)?;
                    if wish.key.find(tx, &origin).await?.is_some() {
                        return Ok(());
                    }
                    reschedule(tx, &origin, &caller, row, &wish).await?;
                    wish.key.remember(tx, &origin, id).await
                })
            })
            .await?;
        self.get_booking(context, id).await
    }
}

async fn reschedule(
    tx: &Tx,
    origin: &Origin,
    caller: &Caller,
    row: Row<Booking>,
    wish: &RescheduleBooking,
) -> Result<()> {
    if wish.version.is_some_and(|version| version != row.version) {
        return Err(Error::refused(
            "VERSION_MISMATCH",
            "the booking has changed since; look at it again and decide anew",
        )
        .on_field("version"));
    }
    let (tenant, terms) = (origin.tenant, &row.machine.terms);
    let service = store::service::get(tx, tenant, terms.service).await?;
    let lasts = terms.interval.millis();
    let end = wish.end.unwrap_or_else(|| wish.start.plus_millis(lasts));
    let interval = match convene_domain::Interval::new(wish.start, end) {
        // As long as it is, though the service has changed since.
        Some(interval) if interval.millis() == lasts => interval,
        _ => book::slot(&service, wish.start, Some(end))?,
    };
    let same = interval == terms.interval;
    // The time that it has already changes nothing, though the service's buffers have changed since.
    let (buffer_before_ms, buffer_after_ms) = match same {
        true => (terms.buffer_before_ms, terms.buffer_after_ms),
        false => (service.buffer_before_ms, service.buffer_after_ms),
    };
    let event = Event::BookingRescheduled {
        interval,
        buffer_before_ms,
        buffer_after_ms,
    };
    let (service_id, hosts, own) = (terms.service, terms.hosts(), wish.booking);
    let before = terms.interval.start();
    // What the booking itself refuses is refused before policy and slot.
    let row = spine::apply::<Bookings>(tx, origin, row, event).await?;
    if same {
        return Ok(());
    }
    if is_app(caller) {
        service.policy()?.may_reschedule(before, origin.now)?;
    }
    let locked = hosts.iter().copied().collect();
    let locked = store::host::lock_all(tx, tenant, &locked).await?;
    let known = store::availability::load(tx, tenant, origin.now, &service, &locked, interval);
    let mut known = known.await?.without(Taker::Booking(own));
    known.rules.durations_ms.push(lasts);
    for host in &hosts {
        let judged = known.may_take(interval, *host);
        judged.map_err(|refused| Error::from(refused).on_field("start"))?;
    }
    store::occupancy::release(tx, tenant, Taker::Booking(own)).await?;
    let mut writes = Writes::of(tx);
    let taken = Taken {
        by: Taker::Booking(own),
        service: service_id,
        starts: interval.start(),
        occupies: row.machine.terms.occupies(),
    };
    for host in hosts {
        store::occupancy::take(&mut writes, tenant, host, &taken, None);
    }
    writes.send(tx).await?;
    Ok(())
}
