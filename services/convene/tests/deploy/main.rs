//! What deploy/ says is true of the binary: commands, files, variables, ports, roles and who calls whom.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compose;
mod configurations;
mod container;
mod kubernetes;
mod systemd;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser as _;
use convene::{
    cli::Cli,
    config::Config,
    roles::{ROLES, RoleName},
};
use serde_json::Value;

/// Variables of the process that are not configuration.
const OTHER_VARIABLES: [&str; 1] = ["CONVENE_LOG"];

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .canonicalize()
        .unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files of a folder of deploy/, with this ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(deploy().join(folder)).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|file| file.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has files");
    files
}

/// All documents of a YAML file.
fn documents(path: &Path) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The configuration that processes of a scaled-out set-up share.
fn scale_out() -> Config {
    Config::load(Some(&deploy().join("config/scale-out.toml"))).unwrap()
}

fn roles() -> Vec<&'static str> {
    RoleName::all().into_iter().map(RoleName::as_str).collect()
}

/// The roles that call this one.
fn callers(role: &str) -> Vec<&'static str> {
    let calling = ROLES.iter().filter(|spec| spec.calls.contains(&role));
    calling.map(|spec| spec.name).collect()
}

/// Holds a command line, without its program, to the one that the binary understands.
fn parses(arguments: &[String]) {
    let line = std::iter::once("convene").chain(arguments.iter().map(String::as_str));
    if let Err(error) = Cli::try_parse_from(line) {
        panic!("{arguments:?}: {error}");
    }
}

/// The value behind an option.
fn option<'a>(arguments: &'a [String], name: &str) -> &'a str {
    let at = arguments.iter().position(|one| one == name);
    &arguments[at.unwrap_or_else(|| panic!("{name} in {arguments:?}")) + 1]
}

/// Holds a variable to the configuration.
fn is_known(variable: &str) {
    let schema: Value = serde_json::from_str(&convene::config::schema().unwrap()).unwrap();
    let path = variable
        .strip_prefix("CONVENE_")
        .unwrap_or_default()
        .to_lowercase();
    let path: Vec<_> = path.split("__").collect();
    let known = OTHER_VARIABLES.contains(&variable) || leads(&schema, &schema, &path);
    assert!(known, "{variable} is no variable of the configuration");
}

/// Whether a path leads through a schema.
fn leads(schema: &Value, at: &Value, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    if let Some(name) = at["$ref"].as_str() {
        let there = schema.pointer(name.trim_start_matches('#')).unwrap();
        return leads(schema, there, path);
    }
    let mut any = at["anyOf"].as_array().into_iter().flatten();
    any.any(|one| leads(schema, one, path))
        || at["properties"]
            .get(first)
            .is_some_and(|next| leads(schema, next, rest))
}

/// The text at a pointer.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

/// The list at a pointer; empty when there is none.
fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// The texts of a list.
fn texts(value: &Value, pointer: &str) -> Vec<String> {
    let all = list(value, pointer).iter();
    all.map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_wrong_word_is_found() {
    is_known("CONVENE_PROVIDER__CLIENT_SECRET");
    for wrong in ["CONVENE_DATABASE__URI", "DATABASE__URL"] {
        let found = std::panic::catch_unwind(|| is_known(wrong));
        assert!(found.is_err(), "{wrong}");
    }
    let wrong = ["serve", "--role", "scheduler"].map(str::to_owned);
    assert!(std::panic::catch_unwind(|| parses(&wrong)).is_err());
    let unknown = ["serve", "--roles", "secretary", "--config", "x"].map(str::to_owned);
    assert!(std::panic::catch_unwind(|| parses(&unknown)).is_err());
}
