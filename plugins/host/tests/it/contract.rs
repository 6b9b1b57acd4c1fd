//! What is published never changes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use convene_plugin_fixtures::contract;
use convene_plugin_host::{CONTRACT, digest};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")
}

/// `path -> hash`, as the list has it.
fn published() -> BTreeMap<String, String> {
    let list = fs::read_to_string(folder().join("published.sha256")).unwrap();
    let lines = list.lines().filter_map(|line| line.split_once("  "));
    lines
        .map(|(hash, path)| (path.to_owned(), hash.to_owned()))
        .collect()
}

#[test]
fn published_files_are_as_they_were_published() {
    let published = published();
    for (path, hash) in &published {
        let bytes = fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(
            &digest(&bytes),
            hash,
            "{path} is published and must not change; plugins/wit/README.md says how the contract evolves"
        );
    }
    // What the host serves is published.
    for file in ["types", "capabilities", "lobby"] {
        assert!(
            published.contains_key(&format!("{CONTRACT}/{file}.wit")),
            "{file}"
        );
    }
}

#[test]
fn the_package_is_the_version_that_is_served() {
    let resolve = contract();
    let (_, package) = resolve.packages.iter().next().unwrap();
    assert_eq!(
        package.name.to_string(),
        format!("convene:plugin@{CONTRACT}")
    );
    for hook in [
        "booking",
        "meeting",
        "lobby",
        "call",
        "recording",
        "workflow",
    ] {
        assert!(package.interfaces.contains_key(hook), "{hook}");
        assert!(
            package.worlds.contains_key(&format!("{hook}-hook")),
            "{hook}"
        );
    }
}
