//! What `/events` can be filtered and ordered by.

use crate::graph::{error::Failure, odata};

/// `singleValueExtendedProperties/Any(ep: ep/id eq '…' and ep/value eq '…')`: id and value.
pub fn property(filter: &str) -> Result<(String, String), Failure> {
    let parse = || {
        let inner = filter.trim();
        let inner = inner.strip_prefix("singleValueExtendedProperties/")?;
        let inner = inner
            .strip_prefix("Any(")
            .or_else(|| inner.strip_prefix("any("))?;
        let (variable, condition) = inner.strip_suffix(')')?.split_once(':')?;
        let variable = variable.trim();
        let (id, value) = (format!("{variable}/id"), format!("{variable}/value"));
        // An `and` may stand in the values too: the right one splits into two comparisons.
        condition.match_indices(" and ").find_map(|(at, and)| {
            let (left, right) = (condition.get(..at)?, condition.get(at + and.len()..)?);
            Some((odata::equals(left, &id)?, odata::equals(right, &value)?))
        })
    };
    parse().ok_or_else(|| {
        Failure::bad(
            "Only singleValueExtendedProperties/Any(ep: ep/id eq '...' and ep/value eq '...') can be filtered by on events.",
        )
    })
}

/// Whether `$orderby` wants the newest first. Only the time of creation orders.
pub fn newest_first(order: Option<&String>) -> Result<bool, Failure> {
    match order.map(|order| order.trim()) {
        None | Some("createdDateTime" | "createdDateTime asc") => Ok(false),
        Some("createdDateTime desc") => Ok(true),
        Some(_) => Err(Failure::not_implemented(
            "The simulator orders events by createdDateTime only.",
        )),
    }
}

/// Whether `$orderby` wants the latest first. Views are ordered by their start.
pub fn latest_first(order: Option<&String>) -> Result<bool, Failure> {
    match order.map(|order| order.trim()) {
        None | Some("start/dateTime" | "start/dateTime asc") => Ok(false),
        Some("start/dateTime desc") => Ok(true),
        Some(_) => Err(Failure::not_implemented(
            "The simulator orders a calendar view by start/dateTime only.",
        )),
    }
}

/// The id in `singleValueExtendedProperties($filter=id eq '…')`; `None` asks for all.
pub fn expanded(expand: &str) -> Result<Option<String>, Failure> {
    let parse = || {
        let rest = expand
            .trim()
            .strip_prefix("singleValueExtendedProperties")?;
        if rest.is_empty() {
            return Some(None);
        }
        let filter = rest.strip_prefix("($filter=")?.strip_suffix(')')?;
        odata::equals(filter, "id").map(Some)
    };
    parse().ok_or_else(|| {
        Failure::bad("Only singleValueExtendedProperties($filter=id eq '...') can be expanded.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_property_is_read_whatever_stands_in_it() {
        let pair = |id: &str, value: &str| (id.to_owned(), value.to_owned());
        let filter = "singleValueExtendedProperties/Any(ep: ep/id eq 'String {0} Name a and b' and ep/value eq 'it''s c and d')";
        let wanted = pair("String {0} Name a and b", "it's c and d");
        assert_eq!(property(filter).unwrap(), wanted);
        for other in [
            "transactionId eq 'x'",
            "singleValueExtendedProperties/Any(ep: ep/id eq 'a')",
            "singleValueExtendedProperties/Any(ep: ep/id eq 'a' or ep/value eq 'b')",
            "singleValueExtendedProperties/Any(",
            "",
        ] {
            assert!(property(other).is_err(), "{other}");
        }
    }

    #[test]
    fn expansion_may_name_one() {
        assert_eq!(expanded("singleValueExtendedProperties").unwrap(), None);
        let one = "singleValueExtendedProperties($filter=id eq 'x')";
        assert_eq!(expanded(one).unwrap().as_deref(), Some("x"));
        assert!(expanded("attachments").is_err());
    }
}
