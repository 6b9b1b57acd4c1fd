//! What the scheduler does: one method per command.

mod assign;
mod availability;
mod book;
mod catalogue;
mod facts;
mod hold;
mod outcome;
mod reschedule;
mod schedules;

use convene_domain::{BookingId, HostId, TenantId, Timestamp, booking::Booking};
use convene_kit::{Caller, Context, Deps, Error, KeyScope, Result, Scope, limits};

pub use assign::Whom;
pub use availability::SlotsOf;
pub use book::{BookMeeting, GUESTS_MAX, NewGuest};
pub use catalogue::{NewHost, NewService, SeenHost};
pub use facts::apply_meeting_facts;
pub use hold::HoldSlot;
pub use outcome::{Outcome, give_back};
pub use reschedule::RescheduleBooking;
pub use schedules::NewSchedule;

use crate::store;

/// The scheduler's commands over its store.
#[derive(Clone)]
pub struct Scheduler {
    deps: Deps,
}

/// A booking with the guests' personal data, for callers who may see them.
#[derive(Debug)]
pub struct BookingView {
    pub id: BookingId,
    pub version: u64,
    pub created_at: Timestamp,
    pub booking: Booking,
    pub guests: Vec<store::guest::Model>,
}

/// A page of something.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub has_more: bool,
}

impl<T> Page<T> {
    /// From one item more than was asked for, where there is one.
    fn cut(mut items: Vec<T>, limit: u64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
    }
}

impl Scheduler {
    pub fn new(deps: Deps) -> Self {
        Self { deps }
    }

    pub async fn get_booking(&self, context: &Context, id: BookingId) -> Result<BookingView> {
        let mut views = self.views(&context.caller, [id]).await?;
        views.pop().ok_or_else(|| Error::not_found("booking"))
    }

    pub async fn batch_get_bookings(
        &self,
        context: &Context,
        ids: Vec<BookingId>,
    ) -> Result<Vec<BookingView>> {
        if ids.len() > limits::PAGE_MAX as usize {
            return Err(Error::invalid(
                "ids",
                "TOO_MANY_IDS",
                format!("ask for at most {} bookings at once", limits::PAGE_MAX),
            ));
        }
        self.views(&context.caller, ids).await
    }

    pub async fn list_bookings(
        &self,
        context: &Context,
        host: Option<HostId>,
        after: Option<BookingId>,
        first: u32,
    ) -> Result<Page<BookingView>> {
        context.caller.ensure_may(KeyScope::BookingsRead)?;
        let host = match own_host(&context.caller)? {
            Some(own) if host.is_some_and(|host| host != own) => {
                return Err(Error::not_found("host"));
            }
            Some(own) => Some(own),
            None => host,
        };
        let limit = limits::page(first);
        let tenant = context.caller.tenant;
        let rows =
            store::booking::page(self.deps.db.read(), tenant, host, after, limit + 1).await?;
        let page = Page::cut(rows, limit);
        Ok(Page {
            items: self.with_guests(tenant, page.items).await?,
            has_more: page.has_more,
        })
    }

    async fn views(
        &self,
        caller: &Caller,
        ids: impl IntoIterator<Item = BookingId>,
    ) -> Result<Vec<BookingView>> {
        caller.ensure_may(KeyScope::BookingsRead)?;
        let rows = match caller.scope {
            Scope::Guest { booking, .. } => {
                let ids = ids.into_iter().filter(|id| *id == booking);
                store::booking::of_ids(self.deps.db.read(), caller.tenant, ids, None).await?
            }
            _ => {
                let host = own_host(caller)?;
                store::booking::of_ids(self.deps.db.read(), caller.tenant, ids, host).await?
            }
        };
        let mut views = self.with_guests(caller.tenant, rows).await?;
        if matches!(caller.scope, Scope::Guest { .. }) {
            // A guest learns when and with whom, not who else is invited.
            views.iter_mut().for_each(|view| view.guests.clear());
        }
        Ok(views)
    }

    async fn with_guests(
        &self,
        tenant: TenantId,
        rows: Vec<store::booking::Model>,
    ) -> Result<Vec<BookingView>> {
        let ids = rows.iter().map(|row| row.id);
        let mut guests = store::guest::of_bookings(self.deps.db.read(), tenant, ids).await?;
        rows.into_iter()
            .map(|row| {
                let (own, others) = std::mem::take(&mut guests)
                    .into_iter()
                    .partition(|guest| guest.booking_id == row.id);
                guests = others;
                Ok(BookingView {
                    id: BookingId::from_uuid(row.id),
                    version: row.version.unsigned_abs(),
                    created_at: Timestamp::from_millis(row.created_at_ms),
                    booking: row.machine()?,
                    guests: own,
                })
            })
            .collect()
    }
}

/// The one host whose bookings the caller sees; `None` for callers who see all.
fn own_host(caller: &Caller) -> Result<Option<HostId>> {
    match caller.scope {
        Scope::Host(host) => Ok(Some(host)),
        Scope::Admin | Scope::BookingApp | Scope::System => Ok(None),
        Scope::Guest { .. } => Err(Error::forbidden(
            "FORBIDDEN",
            "a ticket opens one visit only; use an API key to list bookings",
        )),
    }
}

/// Booking apps, admins and the booking's own host.
fn may_change(caller: &Caller, booking: &Booking) -> Result<()> {
    match caller.scope {
        Scope::Host(_) => caller.ensure_hosts(booking.terms.host, KeyScope::BookingsWrite),
        _ => caller.ensure_app_who(KeyScope::BookingsWrite),
    }
}
