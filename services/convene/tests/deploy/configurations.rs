//! The configurations load, and the one for many processes leads from every role to those that it calls.

use std::{collections::BTreeSet, net::SocketAddr, process::Command};

use convene::{config::Config, node::Ports};

use crate::{callers, deploy, files, roles, scale_out};

#[test]
fn every_configuration_can_be_used() {
    for file in files("config", ".toml") {
        let checked = Command::new(env!("CARGO_BIN_EXE_convene"))
            .env_clear()
            .args(["config", "check"])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{}: {said}", file.display());
    }
}

/// The embedded one says what is in force without it.
#[test]
fn the_embedded_one_is_the_default() {
    let embedded = Config::load(Some(&deploy().join("config/embedded.toml"))).unwrap();
    let ports = Config {
        operations: embedded.operations.clone(),
        ..Config::default()
    };
    assert_eq!(embedded.shown().unwrap(), ports.shown().unwrap());
    assert_eq!(
        embedded.operations.listen,
        Some(Config::default().operations_listen(true))
    );
}

#[test]
fn every_role_finds_those_that_it_calls() {
    let config = scale_out();
    assert!(!config.development && !config.database.migrate_at_start);
    assert!(config.tls.is_some(), "nothing goes in the clear");
    assert!(config.provider.is_none(), "the broker's only");
    let mut ports = BTreeSet::from([config.gateway.listen.port()]);
    for role in roles() {
        let name = role.parse().unwrap();
        let listens = config.listen.get(&name).map(SocketAddr::port);
        let called = !callers(role).is_empty();
        assert_eq!(
            listens.is_some(),
            called,
            "{role} listens when it is called"
        );
        let Some(port) = listens else {
            continue;
        };
        assert!(ports.insert(port), "{port} of {role} is taken");
        let places = &config.peers[&name];
        assert_eq!(*places, [format!("{role}:{port}")]);
    }
}

/// Whoever listens for others needs TLS: without the files nothing starts.
#[tokio::test]
async fn nothing_is_served_without_certificates() {
    let config = scale_out();
    for role in roles() {
        let name = role.parse().unwrap();
        let operations = convene::config::Operations::default();
        let config = Config {
            operations,
            ..config.clone()
        };
        if config.listen.contains_key(&name) {
            let refused = Ports::bind(&config, &[name], None).await.unwrap_err();
            assert_eq!(refused.reason, "TLS_REQUIRED", "{role}");
        }
    }
}
