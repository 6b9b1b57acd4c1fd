//! The refusals of permissions that are missing.

use std::collections::BTreeSet;

use http::{Method, StatusCode};

use super::error::Failure;
use crate::{pattern::below_version, permissions};

/// Refuses a request for which the token's roles do not do.
pub fn check(method: &Method, path: &str, roles: &BTreeSet<String>) -> Result<(), Failure> {
    if permissions::opens(method, path, roles) {
        return Ok(());
    }
    Err(refusal(below_version(path)))
}

/// Each workload has its own words (as seen in the field); all are 403.
fn refusal(path: &str) -> Failure {
    let area = path.split('/').nth(3).unwrap_or_default();
    let (code, message) = if path.starts_with("/communications/calls") {
        (
            "7504",
            "Insufficient enterprise tenant permissions, cannot access this API.",
        )
    } else if ["events", "calendar", "calendars", "calendarView"].contains(&area) {
        (
            "ErrorAccessDenied",
            "Access is denied. Check credentials and try again.",
        )
    } else if path.starts_with("/solutions") || path.contains("nlineMeetings") {
        (
            "Forbidden",
            "The application does not have the permission that this request needs.",
        )
    } else {
        (
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    };
    Failure::new(StatusCode::FORBIDDEN, code, message)
}
