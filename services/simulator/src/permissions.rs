//! Which application permissions open what (`data/permissions.json`).

use std::{collections::BTreeSet, sync::LazyLock};

use http::Method;
use serde::Deserialize;

use crate::pattern::{Pattern, below_version};

#[derive(Deserialize)]
struct Data {
    granted: BTreeSet<String>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    methods: Vec<String>,
    path: Pattern,
    any_of: Vec<String>,
}

/// Read once; a test reads the file too, so that it is never broken.
static DATA: LazyLock<Data> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/permissions.json")).unwrap_or(Data {
        granted: BTreeSet::new(),
        rows: Vec::new(),
    })
});

/// What the tenant's administrator has consented to unless told otherwise: all that the simulator answers.
pub fn granted() -> &'static BTreeSet<String> {
    &DATA.granted
}

/// Every permission that opens something here.
pub fn known(name: &str) -> bool {
    DATA.rows
        .iter()
        .any(|row| row.any_of.iter().any(|one| one == name))
}

/// Whether the roles of a token do for a request. What no row names is open.
pub fn opens(method: &Method, path: &str, roles: &BTreeSet<String>) -> bool {
    let path = below_version(path);
    let mut rows = DATA.rows.iter();
    let row = rows
        .find(|row| row.methods.iter().any(|one| one == method.as_str()) && row.path.holds(path));
    row.is_none_or(|row| row.any_of.iter().any(|one| roles.contains(one)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole_and_what_is_granted_opens_all_of_it() {
        assert!(DATA.rows.len() > 30);
        assert!(granted().iter().all(|name| known(name)));
        for row in &DATA.rows {
            assert!(row.any_of.iter().any(|name| granted().contains(name)));
        }
    }

    #[test]
    fn the_first_row_that_holds_decides() {
        let roles = |name: &str| BTreeSet::from([name.to_owned()]);
        let opens = |method, path, role| opens(&method, path, &roles(role));
        let recordings = "/v1.0/users/a/onlineMeetings/b/recordings";
        assert!(opens(
            Method::GET,
            recordings,
            "OnlineMeetingRecording.Read.All"
        ));
        assert!(!opens(
            Method::GET,
            recordings,
            "OnlineMeetings.ReadWrite.All"
        ));
        let event = "/beta/users/a/events/b";
        assert!(opens(Method::GET, event, "Calendars.Read"));
        assert!(!opens(Method::PATCH, event, "Calendars.Read"));
        assert!(opens(Method::GET, "/v1.0/drives", "Calendars.Read"));
    }
}
