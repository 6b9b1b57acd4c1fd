//! What happened starts runs and brings runs on, in the transaction that moves the cursor: nothing is lost between the two, and nothing counts twice.

use std::sync::Arc;

use convene_domain::{
    BookingId, Machine as _,
    booking::{Booking, Event as BookingEvent},
    run::{Event, Happening},
};
use convene_events::{Told, global_id, told};
use convene_kit::{
    Origin, Result, Tx,
    feed::{Apply, Fact},
    store as spine,
};
use uuid::Uuid;

use crate::{
    definition::IfCancelled,
    progress::{self, advance},
    scope,
    store::{
        booking,
        definitions::Definitions,
        run::{self, Runs},
        workflow,
    },
};

/// Why a run ends whose booking is cancelled.
const BOOKING_CANCELLED: &str = "BOOKING_CANCELLED";
/// The events that end runs: the booking comes to nothing.
const CALLED_OFF: [&str; 2] = ["booking.cancelled", "booking.declined"];

/// Applies the facts of one feed.
pub fn apply_facts(definitions: Definitions) -> Apply {
    Arc::new(move |tx, origin, fact| {
        let definitions = definitions.clone();
        Box::pin(async move { apply(tx, origin, fact, &definitions).await })
    })
}

async fn apply(tx: &Tx, origin: Origin, fact: Fact, definitions: &Definitions) -> Result<()> {
    let Some(id) = fact.booking else {
        return Ok(());
    };
    let moved = keep_booking(tx, &origin, id, &fact).await?;
    let told = told(&fact)?;
    let Some(told) = told else {
        return if moved {
            bring_on(tx, &origin, id, None, definitions).await
        } else {
            Ok(())
        };
    };
    let happening = happening(&fact, id, told);
    bring_on(tx, &origin, id, Some(&happening), definitions).await?;
    start(tx, &origin, id, &fact, &happening, definitions).await
}

/// Keeps what the scheduler says of a booking; whether its time is another now.
async fn keep_booking(tx: &Tx, origin: &Origin, id: BookingId, fact: &Fact) -> Result<bool> {
    if fact.object_kind != Booking::KIND {
        return Ok(false);
    }
    let known = booking::find(tx, origin.tenant, id).await?;
    let event = fact.decode::<Booking>()?;
    let row = match (event, known) {
        (BookingEvent::Booked { terms, pending, .. }, _) => booking::Model {
            tenant_id: origin.tenant.as_uuid(),
            id: id.as_uuid(),
            service_id: terms.service.as_uuid(),
            host_id: terms.host.as_uuid(),
            start_ms: terms.interval.start().as_millis(),
            end_ms: terms.interval.end().as_millis(),
            guests: i32::try_from(terms.guests.len()).unwrap_or(i32::MAX),
            state: if pending {
                booking::PENDING
            } else {
                booking::BOOKED
            }
            .to_owned(),
        },
        // What the scheduler says of a booking comes in its order.
        (_, None) => return Ok(false),
        (BookingEvent::BookingRescheduled { interval, .. }, Some(known)) => booking::Model {
            start_ms: interval.start().as_millis(),
            end_ms: interval.end().as_millis(),
            ..known
        },
        (event, Some(known)) => match state(&event) {
            Some(state) => booking::Model {
                state: state.to_owned(),
                ..known
            },
            None => return Ok(false),
        },
    };
    booking::keep(tx, row).await?;
    Ok(true)
}

/// The booking's state after an event that changes it.
fn state(event: &BookingEvent) -> Option<&'static str> {
    match event {
        BookingEvent::BookingConfirmed => Some(booking::BOOKED),
        BookingEvent::BookingDeclined { .. } => Some(booking::DECLINED),
        BookingEvent::BookingCancelled { .. } => Some(booking::CANCELLED),
        BookingEvent::BookingCompleted => Some(booking::COMPLETED),
        BookingEvent::BookingNoShow => Some(booking::NO_SHOW),
        BookingEvent::Booked { .. }
        | BookingEvent::BookingRescheduled { .. }
        | BookingEvent::MeetingReady
        | BookingEvent::MeetingFailed { .. }
        | BookingEvent::MeetingCancelled
        | BookingEvent::MeetingEnded => None,
    }
}

/// The public event as expressions see it.
fn happening(fact: &Fact, booking: BookingId, told: Told) -> Happening {
    let mut data = told.fields;
    data["bookingId"] = global_id("Booking", booking.as_uuid()).into();
    data["objectId"] = fact.object.to_string().into();
    Happening {
        name: told.name.to_owned(),
        at: fact.occurred_at,
        key: Uuid::new_v5(&fact.object, fact.seq.to_string().as_bytes()),
        data,
        taken_by: None,
    }
}

/// Tells the open runs of the booking.
async fn bring_on(
    tx: &Tx,
    origin: &Origin,
    booking: BookingId,
    happening: Option<&Happening>,
    definitions: &Definitions,
) -> Result<()> {
    for row in run::open(tx, origin.tenant, booking).await? {
        let mut row = spine::get_for_change::<Runs>(tx, origin.tenant, row.id).await?;
        let (name, version) = (row.machine.workflow.clone(), row.machine.version);
        let definition = definitions.get(tx, origin.tenant, &name, version).await?;
        if let Some(happening) = happening {
            let ends = CALLED_OFF.contains(&happening.name.as_str())
                && definition.if_cancelled == IfCancelled::Stop
                && row.machine.trigger.key != happening.key;
            if ends {
                let reason = BOOKING_CANCELLED.to_owned();
                spine::apply::<Runs>(tx, origin, row, Event::RunCancelled { reason }).await?;
                continue;
            }
            if definition.awaited.contains(&happening.name) {
                let happened = Event::Happened {
                    happening: happening.clone(),
                };
                row = match spine::apply::<Runs>(tx, origin, row.clone(), happened).await {
                    Ok(row) => row,
                    // Its inbox is full: that is said by the run's own waiting, and must not hold up everybody's events.
                    Err(error) if error.is_refusal() => row,
                    Err(error) => return Err(error),
                };
            }
        }
        advance(tx, origin, definitions, row).await?;
    }
    Ok(())
}

/// Starts a run of each workflow that is bound to the event.
async fn start(
    tx: &Tx,
    origin: &Origin,
    booking: BookingId,
    fact: &Fact,
    happening: &Happening,
    definitions: &Definitions,
) -> Result<()> {
    for row in workflow::active(tx, origin.tenant).await? {
        let version = row.active.unwrap_or_default().unsigned_abs();
        let definition = definitions
            .get(tx, origin.tenant, &row.name, version)
            .await?;
        if !definition.triggers.contains(&happening.name) {
            continue;
        }
        let known = progress::known(tx, origin, booking).await?;
        let services = row.services()?;
        if !services.is_empty() && !services.contains(&known.service_id) {
            continue;
        }
        if let Some(when) = &definition.when {
            let scope = scope::of_trigger(
                &happening.name,
                happening.at,
                &happening.data,
                &known,
                origin.now,
            );
            // What cannot be evaluated does not hold; it was tried when it was published.
            if !when.holds(&scope).unwrap_or(false) {
                continue;
            }
        }
        let id = booking.run(&row.name, fact.object, fact.seq).as_uuid();
        if spine::load_for_change::<Runs>(tx, origin.tenant, id)
            .await?
            .is_some()
        {
            continue;
        }
        let open = run::open(tx, origin.tenant, booking).await?;
        if open.len() as u64 >= run::OPEN_MAX {
            tracing::warn!(workflow = %row.name, "a booking has too many open runs; no further one is started");
            return Ok(());
        }
        let started = Event::RunStarted {
            workflow: row.name,
            version,
            booking,
            trigger: happening.clone(),
        };
        let run = spine::insert::<Runs>(tx, origin, id, started, Vec::new()).await?;
        advance(tx, origin, definitions, run).await?;
    }
    Ok(())
}
