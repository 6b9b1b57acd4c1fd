//! Addresses and keys, judged by the configuration and the files that it names.

use std::{collections::BTreeSet, net::IpAddr};

use convene_kit::{
    finding::Finding,
    keys::{KeyFile, Use},
};

use super::findings as found;
use crate::{
    config::Config,
    roles::{RoleName, spec},
};

/// What is wrong with addresses.
pub fn addresses(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut public = Vec::new();
    let doors = [
        (
            "gateway.listen",
            Some(config.gateway.listen),
            config.gateway.allow_public,
        ),
        (
            "operations.listen",
            config.operations.listen,
            config.operations.allow_public,
        ),
    ];
    for (field, address, allowed) in doors {
        let Some(address) = address.filter(|address| !address.ip().is_loopback()) else {
            continue;
        };
        public.push(field.to_owned());
        let kind = match allowed {
            true => found::ADDRESS_PUBLIC,
            false => found::ADDRESS_NOT_ALLOWED,
        };
        findings.push(kind.with(field, &[("detail", &address.to_string())]));
    }
    let listen = config.listen.iter();
    let listen = listen.map(|(role, address)| (format!("listen.{role}"), address.to_string()));
    let peers = config.peers.iter().flat_map(|(role, addresses)| {
        let all = addresses.iter();
        all.map(move |address| (format!("peers.{role}"), address.clone()))
    });
    for (field, address) in listen.chain(peers) {
        if is_loopback(&address) {
            continue;
        }
        if config.tls.is_none() {
            findings.push(found::TLS_MISSING.with(&field, &[("detail", &address)]));
        }
        public.push(field);
    }
    if let (true, Some(first)) = (config.development, public.first()) {
        findings.push(found::DEVELOPMENT_IN_PUBLIC.with("development", &[("detail", first)]));
    }
    for (field, address) in called(config) {
        let Some(bare) = address.strip_prefix("http://") else {
            continue;
        };
        let authority = bare.split('/').next().unwrap_or_default();
        if !is_loopback(authority) {
            let detail = [("detail", authority)];
            findings.push(found::ADDRESS_NOT_ENCRYPTED.with(field, &detail));
        }
    }
    findings
}

/// Addresses of others that are called with secrets, or told what happens.
fn called(config: &Config) -> Vec<(&'static str, String)> {
    let mut called = Vec::new();
    if let Some(provider) = &config.provider {
        called.push(("provider.base", provider.base.clone()));
        called.push(("provider.beta_base", provider.beta_base.clone()));
        called.push(("provider.token_url", provider.token_url.clone()));
    }
    let collector = config.telemetry.address();
    called.extend(collector.map(|address| ("telemetry.otlp", address)));
    called
}

/// Whether `host:port`, or a host alone, stays on this machine.
fn is_loopback(address: &str) -> bool {
    let bare = |host: &str| {
        host.trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned()
    };
    let host = match address.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => address,
    };
    host == "localhost"
        || bare(host)
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// What is wrong with the key file.
pub fn keys(config: &Config, roles: &[RoleName]) -> Finding {
    let path = config.key_file();
    let subject = path.display().to_string();
    if !path.exists() && config.keys.file.is_none() {
        return found::KEY_FILE_ABSENT.of(&subject);
    }
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    let names = names.join(", ");
    let uses: BTreeSet<Use> = roles
        .iter()
        .flat_map(|role| spec(*role).keys)
        .copied()
        .collect();
    let file = match KeyFile::read(&path) {
        Ok(file) => file,
        Err(error) => {
            return found::KEY_FILE_UNUSABLE.with(&subject, &[("detail", &error.message)]);
        }
    };
    match file.only(&uses) {
        Ok(_) => found::KEY_FILE_GOOD.with(&subject, &[("roles", &names)]),
        // A start of an embedded node makes what an older file lacks.
        Err(_) if config.keys.file.is_none() => {
            found::KEY_FILE_GOOD.with(&subject, &[("roles", &names)])
        }
        Err(error) => {
            let values = [("detail", error.message.as_str()), ("roles", &names)];
            found::KEY_MISSING.with(&subject, &values)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use convene_kit::{Clock, finding::Severity};

    use super::*;
    use crate::config::{Keys, Provider, Tls};

    fn codes(config: &Config) -> Vec<&'static str> {
        addresses(config)
            .iter()
            .map(|finding| finding.code)
            .collect()
    }

    #[test]
    fn what_others_can_reach_is_named() {
        let mut config = Config::default();
        assert_eq!(codes(&config), Vec::<&str>::new());
        config.gateway.listen = "0.0.0.0:8787".parse().unwrap();
        assert_eq!(
            codes(&config),
            ["ADDRESS_NOT_ALLOWED", "DEVELOPMENT_IN_PUBLIC"]
        );
        config.gateway.allow_public = true;
        assert_eq!(codes(&config), ["ADDRESS_PUBLIC", "DEVELOPMENT_IN_PUBLIC"]);
        config.development = false;
        assert_eq!(codes(&config), ["ADDRESS_PUBLIC"]);
    }

    #[test]
    fn roles_on_other_machines_want_tls() {
        let role: RoleName = "scheduler".parse().unwrap();
        for (address, wanted) in [
            ("127.0.0.1:1", vec![]),
            ("localhost:1", vec![]),
            ("[::1]:1", vec![]),
            ("10.0.0.1:1", vec!["TLS_MISSING"]),
            ("scheduler:1", vec!["TLS_MISSING"]),
            ("[2001:db8::1]:1", vec!["TLS_MISSING"]),
        ] {
            let mut config = Config {
                development: false,
                ..Config::default()
            };
            config.peers.insert(role, vec![address.to_owned()]);
            assert_eq!(codes(&config), wanted, "{address}");
            config.tls = Some(Tls {
                ca: "a".into(),
                certificate: "b".into(),
                key: "c".into(),
            });
            assert_eq!(codes(&config), Vec::<&str>::new(), "{address}");
        }
    }

    #[test]
    fn a_secret_goes_over_https_or_nowhere() {
        let provider = |base: &str| Config {
            provider: Some(Provider {
                base: base.to_owned(),
                beta_base: "https://graph.example/beta".into(),
                token_url: "http://127.0.0.1:1/token".into(),
                tenant: "t".into(),
                client_id: "c".into(),
                client_secret: "s".to_owned().into(),
                simulator_control: None,
            }),
            ..Config::default()
        };
        assert_eq!(
            codes(&provider("https://graph.example/v1.0")),
            Vec::<&str>::new()
        );
        let plain = provider("http://graph.example/v1.0");
        assert_eq!(codes(&plain), ["ADDRESS_NOT_ENCRYPTED"]);
        assert_eq!(addresses(&plain)[0].subject, "provider.base");
        let mut traced = Config::default();
        traced.telemetry.otlp = Some("http://collector.example:4317".into());
        assert_eq!(addresses(&traced)[0].subject, "telemetry.otlp");
    }

    #[test]
    fn a_key_file_is_there_private_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let role: Vec<RoleName> = vec!["meeting-broker".parse().unwrap()];
        let mut config = Config {
            data: folder.path().to_owned(),
            ..Config::default()
        };
        assert_eq!(keys(&config, &role).code, "KEY_FILE_ABSENT");
        config.keys = Keys {
            file: Some(path.clone()),
        };
        assert_eq!(keys(&config, &role).code, "KEY_FILE_UNUSABLE");
        let whole = KeyFile::new(Clock::default().unmoved()).unwrap();
        whole.write(&path).unwrap();
        assert_eq!(keys(&config, &role).code, "KEY_FILE_GOOD");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let open = keys(&config, &role);
        assert!(
            open.code == "KEY_FILE_UNUSABLE" && open.says.contains("644"),
            "{open:?}"
        );
        fs::remove_file(&path).unwrap();
        whole
            .only(&BTreeSet::from([Use::Caller]))
            .unwrap()
            .write(&path)
            .unwrap();
        let lacking = keys(&config, &role);
        assert_eq!(
            (lacking.code, lacking.severity),
            ("KEY_MISSING", Severity::Failure)
        );
        let said = format!("{}{}", lacking.says, lacking.remedy);
        assert!(said.contains("meeting-broker"), "{said}");
    }
}
