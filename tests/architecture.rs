//! The rules of the house, read from manifests and sources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// `crate -> crates of the house that it depends on`, without dev-dependencies.
fn edges() -> BTreeMap<String, BTreeSet<String>> {
    let workspace: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    members
        .iter()
        .map(|member| {
            let manifest = root().join(member.as_str().unwrap()).join("Cargo.toml");
            let manifest: toml::Table = read(&manifest).parse().unwrap();
            let name = manifest["package"]["name"].as_str().unwrap().to_owned();
            let own = manifest.get("dependencies").and_then(|d| d.as_table());
            let own = own.into_iter().flat_map(|table| table.keys());
            let house = own.filter(|dep| dep.starts_with("convene"));
            (name, house.cloned().collect())
        })
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut open: Vec<_> = ["proto", "services", "migrations", "plugins", "tests"]
        .iter()
        .map(|folder| root().join(folder))
        .collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root()).unwrap().to_owned();
                files.push((relative, read(&path)));
            }
        }
    }
    assert!(files.len() > 100, "the sources were found");
    files
}

/// Source without its unit tests: those stand last in a file.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

#[test]
fn crates_depend_downwards_only() {
    let services = [
        "scheduler",
        "meeting-broker",
        "lobby-manager",
        "recording-coordinator",
        "webhooks",
        "gateway",
        "simulator",
    ]
    .map(|name| format!("convene-{name}"));
    for (name, deps) in edges() {
        let allowed: Vec<&str> = match name.as_str() {
            "convene-domain"
            | "convene-proto"
            | "convene-graph"
            | "convene-migrations"
            | "convene-plugin-host" => vec![],
            "convene-kit" => vec!["convene-domain", "convene-proto"],
            "convene-events" => vec!["convene-domain", "convene-kit"],
            "convene-webhooks" | "convene-workflows" => vec![
                "convene-domain",
                "convene-events",
                "convene-kit",
                "convene-migrations",
                "convene-proto",
            ],
            "convene-acs" => vec!["convene-domain"],
            "convene-simulator" => vec!["convene-acs"],
            "convene-lobby-manager" => vec![
                "convene-domain",
                "convene-kit",
                "convene-migrations",
                "convene-proto",
                "convene-plugin-host",
            ],
            "convene-meeting-broker" => vec![
                "convene-domain",
                "convene-kit",
                "convene-migrations",
                "convene-proto",
                "convene-graph",
            ],
            "convene" | "convene-tests" => continue,
            // Databases and plugins for tests: nobody's dependency but of tests.
            "convene-scratch" => vec!["convene-kit"],
            "convene-plugin-fixtures" => vec![],
            service => {
                assert!(
                    services.contains(&service.to_owned()),
                    "{service} has no rule"
                );
                vec![
                    "convene-domain",
                    "convene-kit",
                    "convene-migrations",
                    "convene-proto",
                ]
            }
        };
        for dep in deps {
            assert!(
                allowed.contains(&dep.as_str()),
                "{name} must not depend on {dep}"
            );
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let manifest: toml::Table = read(&root().join("services/lib/domain/Cargo.toml"))
        .parse()
        .unwrap();
    let deps: Vec<_> = manifest["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .collect();
    // The zones' rules are data that is compiled in.
    assert_eq!(
        deps,
        [
            "chrono",
            "chrono-tz",
            "serde",
            "serde_json",
            "thiserror",
            "uuid",
            "windows-timezones"
        ]
    );
}

/// The runtime of plugins is a third of the build: one crate depends on it.
#[test]
fn one_crate_depends_on_wasmtime() {
    let workspace: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let dependents = members.iter().map(|member| member.as_str().unwrap());
    let dependents: Vec<_> = dependents
        .filter(|member| {
            let manifest = read(&root().join(member).join("Cargo.toml"));
            manifest.lines().any(|line| line.starts_with("wasmtime"))
        })
        .collect();
    assert_eq!(dependents, ["plugins/host"]);
}

/// Only two clocks read the wall: the kit's and the simulator's.
#[test]
fn wall_time_is_read_in_two_files() {
    let clocks = [
        "services/lib/kit/src/clock.rs",
        "services/simulator/src/clock.rs",
    ];
    for (path, text) in sources() {
        if path.starts_with("tests") || clocks.iter().any(|clock| path.ends_with(clock)) {
            continue;
        }
        for forbidden in [
            "Utc::now",
            "Local::now",
            "SystemTime::now",
            "OffsetDateTime::now",
        ] {
            assert!(
                !product(&text).contains(forbidden),
                "{}: {forbidden}",
                path.display()
            );
        }
    }
}

/// Tables are the stores' affair, messages the edges'.
#[test]
fn imports_stay_in_their_rooms() {
    let services = [
        "scheduler",
        "meeting-broker",
        "lobby-manager",
        "recording-coordinator",
        "webhooks",
        "workflows",
    ];
    for (path, text) in sources() {
        let shown = path.display().to_string();
        let Some(file) = services
            .iter()
            .find_map(|s| shown.strip_prefix(&format!("services/{s}/src/")))
        else {
            continue;
        };
        let text = product(&text);
        let store = file.starts_with("store");
        assert!(
            store || !text.contains("sea_orm"),
            "{shown}: sea_orm outside the store"
        );
        let edge = ["peers.rs", "lib.rs"].contains(&file)
            || ["rpc", "convert", "jobs"]
                .iter()
                .any(|room| file.starts_with(room));
        let tests = file.ends_with("tests.rs");
        assert!(
            edge || tests || !text.contains("convene_proto"),
            "{shown}: messages outside the edges"
        );
    }
}

#[test]
fn files_have_one_subject() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn unfinished_work_is_not_hidden() {
    for (path, text) in sources() {
        if path.ends_with("architecture.rs") {
            continue;
        }
        for mark in ["todo!", "unimplemented!", "TODO", "FIXME"] {
            assert!(!text.contains(mark), "{}: {mark}", path.display());
        }
    }
}

#[test]
fn every_service_says_what_it_is() {
    for name in [
        "convene",
        "gateway",
        "scheduler",
        "meeting-broker",
        "lobby-manager",
        "recording-coordinator",
        "webhooks",
        "simulator",
        "lib/domain",
        "lib/kit",
        "lib/graph",
        "lib/acs",
    ] {
        let readme = root().join("services").join(name).join("README.md");
        assert!(readme.is_file(), "{} is missing", readme.display());
    }
}

#[test]
fn the_deployed_configuration_loads() {
    let file = root().join("deploy/config/embedded.toml");
    let config = convene::config::Config::load(Some(&file)).unwrap();
    assert!(config.gateway.listen.ip().is_loopback());
}

/// What `.cargo/config.toml` says about the bundled SQLite: a prepared statement stays prepared, whatever is bound to its LIMIT.
#[test]
fn sqlite_plans_a_statement_once() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE rootpage > ? LIMIT ?";
    let mut statement = connection.prepare(sql).unwrap();
    for limit in 1..20 {
        let _ = statement.query([1, limit]).unwrap().next().unwrap();
    }
    let again = statement.get_status(rusqlite::StatementStatus::RePrepare);
    assert_eq!(again, 0, "planned anew for each LIMIT");
}
