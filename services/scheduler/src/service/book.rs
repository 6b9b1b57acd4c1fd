//! Booking: the slot, the booking, its guests and its follow-up work in one transaction.

use convene_domain::{
    BookingId, GuestId, Interval, ServiceId, Timestamp,
    availability::{Taken, Taker},
    booking::{Event, Terms},
    lobby,
};
use convene_kit::{
    Context, Error, KeyScope, Origin, Result, Tx, Writes, convert, digest, idempotency::Key, ids,
    store as spine,
};

use super::{
    BookingView, Scheduler,
    assign::{Whom, assign},
    hold,
};
use crate::store::{self, booking::Bookings};

/// Guests on one booking.
pub const GUESTS_MAX: usize = lobby::GUESTS_MAX;
/// An e-mail address, in characters (RFC 5321: 64 before the @, 255 after it).
const EMAIL_CHARS_MAX: usize = 320;

/// A wish for a slot.
#[derive(Debug)]
pub struct BookMeeting {
    pub key: Key,
    pub service: ServiceId,
    /// Whoever keeps a slot names nobody: the hold says.
    pub whom: Whom,
    /// Token of the hold that becomes this booking.
    pub hold: Option<uuid::Uuid>,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub guests: Vec<NewGuest>,
}

/// A person to invite.
pub struct NewGuest {
    pub name: String,
    pub email: String,
}

impl std::fmt::Debug for NewGuest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewGuest")
    }
}

impl Scheduler {
    pub async fn book_meeting(&self, context: &Context, wish: BookMeeting) -> Result<BookingView> {
        context.caller.ensure_app_who(KeyScope::BookingsWrite)?;
        let origin = context.origin(&self.deps.clock);
        check(&wish, origin.now)?;
        let booked = self
            .deps
            .db
            .write(move |tx| Box::pin(async move { book(tx, &origin, wish).await }))
            .await?;
        match booked {
            Booked::Now(view) => Ok(*view),
            Booked::Before(id) => self.get_booking(context, id).await,
        }
    }
}

/// What came of a wish.
enum Booked {
    /// As it was written: nothing has to be read back.
    Now(Box<BookingView>),
    /// A repeat: the booking may have changed since.
    Before(BookingId),
}

/// What can be said without the store.
fn check(wish: &BookMeeting, now: Timestamp) -> Result<()> {
    check_span(wish.start, wish.end, now)?;
    if wish.guests.is_empty() || wish.guests.len() > GUESTS_MAX {
        return Err(Error::invalid(
            "guests",
            "GUESTS_OUT_OF_RANGE",
            format!("a booking has 1 to {GUESTS_MAX} guests"),
        ));
    }
    Ok(())
}

/// What can be said of a time without the store.
pub(super) fn check_span(start: Timestamp, end: Option<Timestamp>, now: Timestamp) -> Result<()> {
    if start <= now {
        return Err(Error::invalid(
            "start",
            "START_IN_THE_PAST",
            "start must lie in the future",
        ));
    }
    if end.is_some_and(|end| end <= start) {
        return Err(Error::invalid(
            "end",
            "END_BEFORE_START",
            "end must be after start; leave it out to use the service's duration",
        ));
    }
    Ok(())
}

async fn book(tx: &Tx, origin: &Origin, wish: BookMeeting) -> Result<Booked> {
    if let Some(id) = wish.key.find(tx, origin).await? {
        return Ok(Booked::Before(BookingId::from_uuid(id)));
    }
    let service = store::service::get(tx, origin.tenant, wish.service)
        .await
        .map_err(|error| error.on_field("serviceId"))?;
    let id = BookingId::from_uuid(ids::new());
    // Behind the hosts' locks: who was given time before is seen, and nobody is given any meanwhile.
    let (interval, assigned) = match wish.hold {
        Some(_) if wish.whom != Whom::default() => {
            return Err(Error::from(hold::MISMATCH).on_field("hostId"));
        }
        Some(token) => {
            let (hold, time) = ((token, id.as_uuid()), (wish.start, wish.end));
            hold::convert(tx, origin, &service, hold, time).await?
        }
        None => {
            let interval = slot(&service, wish.start, wish.end)?;
            let (whom, guests) = (&wish.whom, &wish.guests);
            let assigned = assign(tx, origin, &service, whom, interval, guests).await?;
            (interval, assigned)
        }
    };
    let guests = guests(origin, id, wish.guests)?;
    let generation = 1;
    let terms = Terms {
        service: wish.service,
        host: assigned.host,
        co_hosts: assigned.co_hosts.clone(),
        counted: assigned.counted,
        interval,
        buffer_before_ms: service.buffer_before_ms,
        buffer_after_ms: service.buffer_after_ms,
        guests: guests
            .iter()
            .map(|guest| GuestId::from_uuid(guest.id))
            .collect(),
        meeting: id.meeting(generation),
        generation,
        lobby: id.lobby(),
    };
    let mut writes = Writes::of(tx);
    let taken = Taken {
        by: Taker::Booking(id),
        service: wish.service,
        starts: interval.start(),
        occupies: terms.occupies(),
    };
    for host in assigned.hosts() {
        store::occupancy::take(&mut writes, origin.tenant, host, &taken, None);
    }
    store::co_host::insert(&mut writes, origin.tenant, id, &assigned.co_hosts);
    assigned.count(&mut writes, origin.tenant, wish.service);
    let event = Event::Booked {
        terms,
        guests_digest: guests_digest(&guests),
        pending: service.policy()?.confirmation,
    };
    store::guest::insert(&mut writes, &guests);
    let uuid = id.as_uuid();
    wish.key.remember_with(&mut writes, origin, uuid);
    let row = spine::insert_with::<Bookings>(tx, origin, uuid, event, Vec::new(), writes).await?;
    Ok(Booked::Now(Box::new(BookingView {
        id,
        version: row.version,
        created_at: origin.now,
        booking: row.machine,
        guests,
    })))
}

/// From the wished start to the wished end, which is one that the service has.
pub(super) fn slot(
    service: &store::service::Model,
    start: Timestamp,
    wanted: Option<Timestamp>,
) -> Result<Interval> {
    let end = start.plus_millis(service.duration_ms);
    let wanted = wanted.unwrap_or(end);
    let others = service.availability()?.other_durations_ms;
    let is_other = |one: &i64| start.plus_millis(*one) == wanted;
    if wanted != end && !others.iter().any(is_other) {
        return Err(Error::invalid(
            "end",
            "END_MISMATCH",
            format!(
                "this service ends at {end}, or after one of its other durations; leave end out or send one of these"
            ),
        ));
    }
    Interval::new(start, wanted).ok_or_else(|| Error::internal("a service without duration"))
}

fn guests(
    origin: &Origin,
    booking: BookingId,
    wished: Vec<NewGuest>,
) -> Result<Vec<store::guest::Model>> {
    wished
        .into_iter()
        .enumerate()
        .map(|(place, guest)| {
            let field = |name| format!("guests[{place}].{name}");
            let name = convert::text("name", &guest.name)
                .map_err(|error| error.on_field(field("name")))?;
            Ok(store::guest::Model {
                tenant_id: origin.tenant.as_uuid(),
                id: ids::new(),
                booking_id: booking.as_uuid(),
                place: i32::try_from(place).unwrap_or(i32::MAX),
                name,
                email: email(&guest.email).ok_or_else(|| {
                    Error::invalid(
                        field("email"),
                        "MALFORMED_EMAIL",
                        "an e-mail address has one @ between a name and a domain, for example name@clinic.example",
                    )
                })?,
                salt: digest::random::<16>()?.to_vec(),
            })
        })
        .collect()
}

/// A plausible address; whether it exists shows when a mail is sent.
fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let plausible = !local.is_empty()
        && !domain.is_empty()
        && text.chars().count() <= EMAIL_CHARS_MAX
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    plausible.then(|| text.to_owned())
}

/// Proves who was invited without saying it: erasing the rows with their salts makes the digest meaningless.
fn guests_digest(guests: &[store::guest::Model]) -> String {
    let parts: Vec<&[u8]> = guests
        .iter()
        .flat_map(|guest| {
            [
                guest.salt.as_slice(),
                guest.name.as_bytes(),
                guest.email.as_bytes(),
            ]
        })
        .collect();
    digest::hex(&digest::of_parts(&parts))
}

#[cfg(test)]
mod tests {
    use super::email;

    #[test]
    fn addresses_need_a_name_and_a_domain() {
        assert_eq!(email(" a@b.example ").as_deref(), Some("a@b.example"));
        for bad in ["", "a", "@b", "a@", "a b@c", "a@.b", "a@b.", "a@b\n.c"] {
            assert_eq!(email(bad), None, "{bad:?}");
        }
    }
}
