//! Brings a run as far as it can go, in the transaction of what brought it on.

use convene_domain::{BookingId, RunId, run::Run};
use convene_kit::{Error, Origin, Result, Row, Tx, store as spine};

use crate::{
    interpret,
    store::{booking, definitions::Definitions, run::Runs},
};

/// Facts that one change may bring about: a definition has at most a hundred steps, each with a few.
const FACTS_MAX: usize = 2_000;

/// The run after all that comes of itself.
pub async fn advance(
    tx: &Tx,
    origin: &Origin,
    definitions: &Definitions,
    mut row: Row<Run>,
) -> Result<Row<Run>> {
    if !row.machine.is_open() {
        return Ok(row);
    }
    let (name, version) = (row.machine.workflow.clone(), row.machine.version);
    let definition = definitions.get(tx, origin.tenant, &name, version).await?;
    let booking = known(tx, origin, row.machine.booking).await?;
    for _ in 0..FACTS_MAX {
        let next = interpret::next(&definition, &row.machine, &booking, origin.now);
        let Some(event) = next else {
            return Ok(row);
        };
        row = spine::apply::<Runs>(tx, origin, row, event).await?;
    }
    Err(Error::internal(format!(
        "a run of {name} does not come to rest"
    )))
}

/// [`advance`] of a run by its id.
pub async fn advance_by_id(
    tx: &Tx,
    origin: &Origin,
    definitions: &Definitions,
    id: RunId,
) -> Result<()> {
    let row = spine::get_for_change::<Runs>(tx, origin.tenant, id.as_uuid()).await?;
    advance(tx, origin, definitions, row).await.map(drop)
}

/// The booking. Feeds come side by side: what another role says of a booking may come before the scheduler's own word, and is tried again.
pub async fn known(tx: &Tx, origin: &Origin, booking: BookingId) -> Result<booking::Model> {
    let found = booking::find(tx, origin.tenant, booking).await?;
    found.ok_or_else(|| {
        Error::unavailable(
            "BOOKING_NOT_KNOWN_YET",
            "the scheduler's word of this booking has not come yet",
        )
    })
}
