//! The compose file: a container for each role, on one machine.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Map, Value};

use crate::{deploy, documents, is_known, list, option, parses, roles, scale_out, text, texts};

fn file() -> Value {
    documents(&deploy().join("compose.yaml")).remove(0)
}

/// The services with what they merge in.
fn services() -> Map<String, Value> {
    let services = file()["services"].as_object().unwrap().clone();
    let whole = |(name, service)| (name, merged(service));
    services.into_iter().map(whole).collect()
}

/// As compose reads `<<`: what is said here wins.
fn merged(value: Value) -> Value {
    let Value::Object(mut members) = value else {
        return value;
    };
    let below = members.remove("<<").map(merged);
    let mut all = match below {
        Some(Value::Object(below)) => below,
        _ => Map::new(),
    };
    all.extend(members.into_iter().map(|(name, one)| (name, merged(one))));
    Value::Object(all)
}

#[test]
fn every_role_has_a_container_and_its_command_is_understood() {
    let services = services();
    let others = ["postgres", "migrate"];
    let there: BTreeSet<_> = services.keys().map(String::as_str).collect();
    assert_eq!(there, roles().into_iter().chain(others).collect());
    for (name, service) in services.iter().filter(|(name, _)| *name != "postgres") {
        let command = texts(service, "/command");
        parses(&command);
        match name.as_str() {
            "migrate" => assert_eq!(command[0], "migrate"),
            _ => assert_eq!(option(&command, "--roles"), name),
        }
        for variable in service["environment"].as_object().unwrap().keys() {
            is_known(variable);
        }
        for other in service["depends_on"].as_object().unwrap().keys() {
            assert!(services.contains_key(other), "{other}");
        }
        assert_eq!(service["read_only"], true, "{name}");
    }
}

/// Names and ports by which roles find each other, and the folders in which they look.
#[test]
fn the_configuration_in_the_image_fits() {
    let config = scale_out();
    let services = services();
    for (role, places) in &config.peers {
        let (host, _) = places[0].split_once(':').unwrap();
        assert!(services.contains_key(host), "{role} is at {host}");
    }
    let folder = |path: &Path| path.parent().unwrap().display().to_string();
    let keys = folder(config.keys.file.as_deref().unwrap());
    let tls = folder(&config.tls.as_ref().unwrap().key);
    for role in roles() {
        let service = &services[role];
        let mounts: BTreeSet<_> = texts(service, "/volumes").into_iter().collect();
        assert!(mounts.contains(&format!("./secrets/{role}/keys:{keys}:ro")));
        assert!(mounts.contains(&format!("./secrets/{role}/tls:{tls}:ro")));
        let data = folder(&config.data);
        let kept = mounts.contains(&format!("artefacts:{data}"));
        assert_eq!(kept, role == "recording-coordinator");
        assert!(kept || texts(service, "/tmpfs").contains(&data), "{role}");
        let provider = |name: &&String| name.starts_with("CONVENE_PROVIDER__");
        let given = service["environment"].as_object().unwrap().keys();
        let given = given.filter(provider).count();
        assert_eq!(given > 0, role == "meeting-broker", "{role}");
    }
    let door = text(&services["gateway"], "/ports/0");
    let port = config.gateway.listen.port();
    assert_eq!(door, format!("127.0.0.1:{port}:{port}"), "loopback only");
    for (name, service) in &services {
        assert!(name == "gateway" || list(service, "/ports").is_empty());
    }
}

#[test]
fn what_it_builds_from_is_there() {
    let build = &services()["migrate"]["build"];
    let context = deploy().join(text(build, "/context"));
    assert!(context.join(text(build, "/dockerfile")).is_file());
}
