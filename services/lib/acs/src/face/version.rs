//! api-versions. Shapes are those of the newest; older ones are answered with them, because they only added members.

use http::StatusCode;

use super::{
    operation::{Area, Operation},
    query::Query,
};
use crate::Problem;

/// Oldest and newest that are answered.
fn span(area: Area) -> (&'static str, &'static str) {
    match area {
        Area::Identity => ("2021-03-07", "2023-10-01"),
        Area::Rooms => ("2023-06-14", "2025-03-13"),
        Area::Calls => ("2023-03-06", "2026-03-12"),
    }
}

/// The version that a request names.
pub fn of(operation: Operation, query: &Query) -> Result<String, Problem> {
    if operation.is_open() {
        return Ok(String::new());
    }
    let (oldest, newest) = span(operation.area());
    let remedy =
        format!("Versions from {oldest} to {newest} are there, for example api-version={newest}.");
    let refused = |code: &str, what: &str| {
        let problem = Problem::new(StatusCode::BAD_REQUEST, code, format!("{what} {remedy}"));
        Err(problem.at("api-version"))
    };
    let Some(version) = query
        .get("api-version")
        .filter(|version| !version.is_empty())
    else {
        return refused(
            "MissingApiVersionParameter",
            "The api-version query parameter is required for all requests.",
        );
    };
    // One official client writes the name of its constant into links to next pages: ApiVersion.V2025_03_13.
    let constant = version.strip_prefix("ApiVersion.V");
    let plain = constant.map(|constant| constant.replace('_', "-"));
    let version = plain.as_deref().unwrap_or(version);
    let date = version.get(..10).filter(|date| is_date(date));
    let rest = version.get(10..).unwrap_or_default();
    match date {
        Some(date)
            if (oldest..=newest).contains(&date)
                && (rest.is_empty() || rest.starts_with("-preview")) =>
        {
            Ok(date.to_owned())
        }
        _ => refused(
            "UnsupportedApiVersion",
            "The api-version of the request is not supported.",
        ),
    }
}

fn is_date(text: &str) -> bool {
    let mut each = text.bytes().enumerate();
    each.all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_past_are_answered_and_others_refused() {
        let named = |version: &str| {
            let query = Query::of(&format!("api-version={version}"));
            of(Operation::CreateRoom, &query).map_err(|problem| problem.code)
        };
        assert_eq!(named("2025-03-13").unwrap(), "2025-03-13");
        assert_eq!(named("2023-10-30-preview").unwrap(), "2023-10-30");
        assert_eq!(named("ApiVersion.V2025_03_13").unwrap(), "2025-03-13");
        for wrong in [
            "2030-01-01",
            "2019-01-01",
            "2024-1-1",
            "v1",
            "2025-03-13x",
            "2025-03-é",
        ] {
            assert_eq!(
                named(wrong).unwrap_err(),
                "UnsupportedApiVersion",
                "{wrong}"
            );
        }
        assert_eq!(named("").unwrap_err(), "MissingApiVersionParameter");
        let none = of(Operation::ReadRoom, &Query::default());
        assert_eq!(none.unwrap_err().code, "MissingApiVersionParameter");
    }
}
