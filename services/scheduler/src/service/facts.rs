//! What the meeting broker tells.

use std::sync::Arc;

use convene_domain::{
    Machine as _,
    booking::Event,
    meeting::{self, Meeting},
};
use convene_kit::{Origin, Result, Tx, feed::Apply, feed::Fact, store as spine};

use crate::store::booking::Bookings;

/// Takes a booking's meeting facts over; other facts pass by.
pub fn apply_meeting_facts() -> Apply {
    Arc::new(|tx, origin, fact| Box::pin(apply(tx, origin, fact)))
}

async fn apply(tx: &Tx, origin: Origin, fact: Fact) -> Result<()> {
    let Some(booking) = fact.booking.filter(|_| fact.object_kind == Meeting::KIND) else {
        return Ok(());
    };
    let event = match fact.decode::<Meeting>()? {
        meeting::Event::MeetingReady { .. } => Event::MeetingReady,
        meeting::Event::MeetingFailed { reason } => Event::MeetingFailed { reason },
        meeting::Event::MeetingCancelled => Event::MeetingCancelled,
        meeting::Event::MeetingEnded => Event::MeetingEnded,
        _ => return Ok(()),
    };
    let row = spine::get_for_change::<Bookings>(tx, origin.tenant, booking.as_uuid()).await?;
    // A meeting of an earlier generation says nothing about today's.
    if row.machine.terms.meeting.as_uuid() == fact.object {
        spine::apply::<Bookings>(tx, &origin, row, event).await?;
    }
    Ok(())
}
