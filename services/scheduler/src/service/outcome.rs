//! What becomes of a booking: agreed to or declined, called off, over, or nobody came.

use convene_domain::{
    BookingId, ServiceId,
    availability::Taker,
    booking::{Event, Phase},
    policy::Policy,
};
use convene_kit::{
    Caller, Context, Error, KeyScope, Origin, Result, Scope, Tx, convert, idempotency::Key,
    store as spine,
};

use super::{BookingView, Scheduler, may_change};
use crate::store::{self, booking::Bookings, service};

/// What whoever is responsible says of a booking. A repeat changes nothing.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It stands.
    Confirmed,
    /// It does not; a reason code.
    Declined(String),
    /// It is over.
    Over,
    /// Nobody came.
    NoShow,
}

impl Scheduler {
    pub async fn cancel_booking(
        &self,
        context: &Context,
        key: Key,
        id: BookingId,
        reason: &str,
    ) -> Result<BookingView> {
        let reason = convert::text("reason", reason)?;
        let (caller, origin) = (context.caller.clone(), context.origin(&self.deps.clock));
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (tenant, id_of) = (origin.tenant, id.as_uuid());
                    let row = spine::get_for_change::<Bookings>(tx, tenant, id_of).await?;
                    may_change(&caller, &row.machine)?;
                    if key.find(tx, &origin).await?.is_some() {
                        return Ok(());
                    }
                    let open = matches!(row.machine.phase, Phase::Pending | Phase::Confirmed);
                    let terms = row.machine.terms.clone();
                    let event = Event::BookingCancelled {
                        reason: reason.clone(),
                    };
                    // What the booking itself refuses is refused before the service's policy.
                    spine::apply::<Bookings>(tx, &origin, row, event).await?;
                    if open {
                        let policy = service::get(tx, tenant, terms.service).await?.policy()?;
                        let of_service = policy.check_reason(&reason);
                        of_service.map_err(|error| Error::from(error).on_field("reason"))?;
                        if is_app(&caller) {
                            policy.may_cancel(terms.interval.start(), origin.now)?;
                        }
                        give_back(tx, &origin, id, &terms).await?;
                    }
                    key.remember(tx, &origin, id_of).await
                })
            })
            .await?;
        self.get_booking(context, id).await
    }

    /// Hosts and admins say whether it stands and how it went: booking apps act for guests.
    pub async fn settle_booking(
        &self,
        context: &Context,
        id: BookingId,
        outcome: Outcome,
    ) -> Result<BookingView> {
        let event = match outcome {
            Outcome::Confirmed => Event::BookingConfirmed,
            Outcome::Declined(reason) => Event::BookingDeclined {
                reason: convert::text("reason", &reason)?,
            },
            Outcome::Over => Event::BookingCompleted,
            Outcome::NoShow => Event::BookingNoShow,
        };
        let (caller, origin) = (context.caller.clone(), context.origin(&self.deps.clock));
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (tenant, id_of) = (origin.tenant, id.as_uuid());
                    let row = spine::get_for_change::<Bookings>(tx, tenant, id_of).await?;
                    caller.ensure_hosts(row.machine.terms.host, KeyScope::BookingsWrite)?;
                    let pending = row.machine.phase == Phase::Pending;
                    let row = spine::apply::<Bookings>(tx, &origin, row, event).await?;
                    if pending && matches!(row.machine.phase, Phase::Declined { .. }) {
                        give_back(tx, &origin, id, &row.machine.terms).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        self.get_booking(context, id).await
    }

    /// Replaces what people may do with the bookings of a service, and until when.
    pub async fn set_service_policy(
        &self,
        context: &Context,
        id: ServiceId,
        policy: Policy,
    ) -> Result<service::Model> {
        context.caller.ensure_admin()?;
        policy.check()?;
        let tenant = context.caller.tenant;
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let mut row = service::lock(tx, tenant, id).await?;
                    service::set_policy(tx, &mut row, &policy).await?;
                    Ok(row)
                })
            })
            .await
    }
}

/// The time of a booking that will not take place, and its place in the shares of its hosts.
pub async fn give_back(
    tx: &Tx,
    origin: &Origin,
    booking: BookingId,
    terms: &convene_domain::booking::Terms,
) -> Result<()> {
    let tenant = origin.tenant;
    if terms.counted {
        // Who is asked next is decided behind these locks, by the counts that change here.
        let hosts = terms.hosts().into_iter().collect();
        store::host::lock_all(tx, tenant, &hosts).await?;
    }
    let released = store::occupancy::release(tx, tenant, Taker::Booking(booking)).await?;
    if released && terms.counted {
        store::host_load::one_fewer(tx, tenant, terms.service, terms.hosts()).await?;
    }
    Ok(())
}

/// Whom windows bind: whoever acts for the guests.
pub(super) fn is_app(caller: &Caller) -> bool {
    matches!(caller.scope, Scope::BookingApp)
}
