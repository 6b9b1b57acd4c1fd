//! `convene audit`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convene_domain::BookingId;
use convene_kit::{Database, Error, Result};

use super::print;
use crate::audit;

/// Verifies the chains of all services; fails when one is broken.
pub async fn verify(database: &Database, booking: Option<&str>) -> Result<()> {
    let booking = booking.map(parse).transpose()?;
    let logs = audit::read(database, booking).await?;
    if logs.is_empty() {
        return Err(nothing(database));
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

fn nothing(database: &Database) -> Error {
    let (field, place) = match database {
        Database::Sqlite { dir } => ("--data", dir.display().to_string()),
        Database::Postgres { .. } => ("database.url", "the PostgreSQL database".to_owned()),
    };
    Error::invalid(
        field,
        "NO_DATABASES",
        format!("{place} holds no databases of Convene"),
    )
}

/// Prints the trail of a booking.
pub async fn show(database: &Database, booking: &str) -> Result<()> {
    let logs = audit::read(database, Some(parse(booking)?)).await?;
    let mut lines: Vec<_> = logs
        .iter()
        .flat_map(|log| log.events.iter().map(move |event| (log.source, event)))
        .collect();
    if lines.is_empty() {
        return Err(Error::not_found("booking in these databases"));
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
