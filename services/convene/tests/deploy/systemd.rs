//! The systemd units: their commands, variables and credentials.

use std::collections::BTreeSet;

use crate::{deploy, is_known, parses, read, roles};

/// Key and value of each line of a unit.
fn unit(name: &str) -> Vec<(String, String)> {
    let text = read(&deploy().join("systemd").join(name));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn all<'a>(unit: &'a [(String, String)], key: &str) -> Vec<&'a str> {
    let found = unit.iter().filter(|(one, _)| one == key);
    found.map(|(_, value)| value.as_str()).collect()
}

#[test]
fn units_start_what_the_binary_understands() {
    for name in ["convene@.service", "convene-migrate.service"] {
        let unit = unit(name);
        for role in roles() {
            let line = all(&unit, "ExecStart")[0].replace("%i", role);
            let mut words = line.split_whitespace().map(str::to_owned);
            assert_eq!(words.next().as_deref(), Some("/usr/bin/convene"));
            parses(&words.collect::<Vec<_>>());
        }
        assert_eq!(all(&unit, "NoNewPrivileges"), ["yes"]);
        assert_eq!(all(&unit, "ProtectSystem"), ["strict"]);
        let users = read(&deploy().join("systemd/convene.sysusers"));
        let user = format!("\nu {} ", all(&unit, "User")[0]);
        assert!(users.contains(&user), "{name}");
    }
}

#[test]
fn credentials_are_where_the_variables_look() {
    let unit = unit("convene@.service");
    let mut looked_for = BTreeSet::new();
    for variable in all(&unit, "Environment") {
        let (name, value) = variable.split_once('=').unwrap();
        is_known(name);
        looked_for.extend(value.strip_prefix("%d/"));
    }
    let loaded = all(&unit, "LoadCredential").into_iter();
    let loaded: BTreeSet<_> = loaded.map(|one| one.split_once(':').unwrap().0).collect();
    assert_eq!(looked_for, loaded);
    assert_eq!(loaded.len(), 4);
}
