//! `convene audit`.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convene_domain::BookingId;
use convene_kit::{Database, Error, Result};

use super::print;
use crate::audit;

/// Verifies the chains of a data folder; fails when one is broken.
pub async fn verify(data: &Path, booking: Option<&str>) -> Result<()> {
    let booking = booking.map(parse).transpose()?;
    let logs = audit::read(&Database::sqlite(data), booking).await?;
    if logs.is_empty() {
        return Err(Error::invalid(
            "--data",
            "NO_DATABASES",
            format!("{} holds no databases of Convene", data.display()),
        ));
    }
    let mut problems = Vec::new();
    for log in &logs {
        let found = audit::verify(log).await?;
        let verdict = if found.is_empty() { "ok" } else { "BROKEN" };
        print(&format!(
            "{:<21}  {:>6} events  {verdict}\n",
            log.source,
            log.events.len()
        ));
        problems.extend(found);
    }
    for problem in &problems {
        print(&format!(
            "{}: {}: {}\n",
            problem.source, problem.object, problem.what
        ));
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::refused(
        "AUDIT_BROKEN",
        format!(
            "{} objects have a history that was tampered with",
            problems.len()
        ),
    ))
}

/// Prints the trail of a booking.
pub async fn show(data: &Path, booking: &str) -> Result<()> {
    let logs = audit::read(&Database::sqlite(data), Some(parse(booking)?)).await?;
    let mut lines: Vec<_> = logs
        .iter()
        .flat_map(|log| log.events.iter().map(move |event| (log.source, event)))
        .collect();
    if lines.is_empty() {
        return Err(Error::not_found("booking in this data folder"));
    }
    lines.sort_by_key(|(source, event)| (event.occurred_at_ms, *source, event.position));
    for (source, event) in lines {
        print(&format!("{}\n", audit::line(source, event)));
    }
    Ok(())
}

/// A UUID, or the API's `Booking:<uuid>` in base64.
fn parse(text: &str) -> Result<BookingId> {
    let global = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let bare = global
        .as_deref()
        .and_then(|global| global.strip_prefix("Booking:"))
        .unwrap_or(text);
    bare.parse()
        .map_err(|malformed| Error::from(malformed).on_field("booking"))
}
