//! The databases of roles: reachable, up to date, and a server that keeps what it acknowledges.

use std::time::Duration;

use convene_kit::{
    Database,
    db::{Inspected, Server},
    finding::Finding,
};
use tokio::time::timeout;

use super::findings as found;
use crate::{
    config::Config,
    roles::{RoleName, spec},
};

/// A look at one database is given up after this time, in milliseconds.
const LOOK_MS_MAX: u64 = 8_000;
/// Oldest PostgreSQL, as `server_version_num`.
const VERSION_MIN: i64 = 140_000;
/// A question about nothing takes no longer than this, in milliseconds.
const SLOW_MS: u128 = 100;
/// From this much the server's clock is off, in milliseconds.
const CLOCK_OFF_MS: i64 = 2_000;
/// Connections of a role in a process besides those of `database.connections`.
const BESIDES: i64 = 2;

/// Looks at the databases of these roles.
pub async fn examine(config: &Config, roles: &[RoleName]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut server = None;
    for role in roles {
        let database = config.database();
        let looking = (spec(*role).inspect)(&database, role.as_str());
        let inspected = match timeout(Duration::from_millis(LOOK_MS_MAX), looking).await {
            Ok(Ok(inspected)) => inspected,
            Ok(Err(error)) => {
                let detail = [("detail", error.message.as_str())];
                findings.push(found::DATABASE_UNREACHABLE.with(role.as_str(), &detail));
                // The others are on the same server.
                if matches!(database, Database::Postgres { .. }) {
                    break;
                }
                continue;
            }
            Err(_) => {
                let detail = format!("no answer within {LOOK_MS_MAX} ms");
                let detail = [("detail", detail.as_str())];
                findings.push(found::DATABASE_UNREACHABLE.with(role.as_str(), &detail));
                break;
            }
        };
        findings.push(schema(
            role.as_str(),
            &inspected,
            config.database.migrate_at_start,
        ));
        server = server.or(Some(inspected));
    }
    let local = is_local(config);
    let connections = i64::from(config.database.connections) + BESIDES;
    let wanted = connections * i64::try_from(roles.len()).unwrap_or(i64::MAX);
    findings.extend(server.iter().flat_map(|one| of_server(one, wanted, local)));
    findings
}

/// Whether nothing of the database leaves this machine.
fn is_local(config: &Config) -> bool {
    use secrecy::ExposeSecret as _;
    let Some(url) = &config.database.url else {
        return true;
    };
    let url = url.expose_secret();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host
        .trim_start_matches('[')
        .split(']')
        .next()
        .unwrap_or_default();
    ["127.", "localhost", "::1"]
        .iter()
        .any(|local| host.starts_with(local))
        || host.is_empty()
}

/// How a role's schema stands.
fn schema(role: &str, inspected: &Inspected, migrate_at_start: bool) -> Finding {
    let lacking = inspected.schema.as_ref().map(|schema| schema.lacking);
    let unknown = inspected.schema.as_ref().map_or(0, |schema| schema.unknown);
    let count = match unknown {
        0 => lacking.unwrap_or_default(),
        unknown => unknown,
    };
    let (count, ms) = (count.to_string(), inspected.took.as_millis().to_string());
    let version = inspected.version.as_str();
    let closed = inspected.server.as_ref().is_some_and(|one| !one.may_create);
    let kind = match (lacking, unknown) {
        (None, _) if !migrate_at_start => found::DATABASE_NOT_MADE,
        (None, _) if closed => found::DATABASE_CLOSED,
        (None, _) => found::DATABASE_ABSENT,
        (Some(_), 1..) => found::DATABASE_NEWER,
        (Some(1..), 0) if migrate_at_start => found::DATABASE_BEHIND,
        (Some(1..), 0) => found::DATABASE_OUTDATED,
        (Some(0), 0) if inspected.took.as_millis() > SLOW_MS => found::DATABASE_SLOW,
        (Some(0), 0) => found::DATABASE_READY,
    };
    kind.with(
        role,
        &[("version", version), ("count", &count), ("ms", &ms)],
    )
}

/// What is wrong with a server, for a process that takes so many connections.
fn of_server(inspected: &Inspected, wanted: i64, local: bool) -> Vec<Finding> {
    let Some(server) = &inspected.server else {
        return Vec::new();
    };
    let subject = "server";
    let mut findings = Vec::new();
    if server
        .number("server_version_num")
        .is_some_and(|version| version < VERSION_MIN)
    {
        let version = [("version", inspected.version.as_str())];
        findings.push(found::DATABASE_TOO_OLD.with(subject, &version));
    }
    if server.read_only {
        findings.push(found::DATABASE_READ_ONLY.of(subject));
    }
    for setting in ["fsync", "full_page_writes"] {
        if server
            .settings
            .get(setting)
            .is_some_and(|value| value == "off")
        {
            let setting = [("setting", setting)];
            findings.push(found::DATABASE_NOT_DURABLE.with(subject, &setting));
        }
    }
    if let Some(ms @ 1..) = server.number("idle_session_timeout") {
        let ms = [("ms", &*ms.to_string())];
        findings.push(found::DATABASE_ENDS_SESSIONS.with(subject, &ms));
    }
    if let Some(max) = free_connections(server).filter(|max| *max < wanted) {
        let (max, count) = (max.to_string(), wanted.to_string());
        let values = [("max", max.as_str()), ("count", &count)];
        findings.push(found::DATABASE_CONNECTIONS_FEW.with(subject, &values));
    }
    if !local && !server.encrypted {
        findings.push(found::DATABASE_NOT_ENCRYPTED.of(subject));
    }
    if server.clock_off_ms.abs() >= CLOCK_OFF_MS {
        let seconds = (server.clock_off_ms.abs() / 1_000).to_string();
        let direction = if server.clock_off_ms < 0 {
            "behind"
        } else {
            "ahead of"
        };
        let values = [("seconds", seconds.as_str()), ("direction", direction)];
        findings.push(found::DATABASE_CLOCK_OFF.with(subject, &values));
    }
    findings
}

/// What is left for users without special rights.
fn free_connections(server: &Server) -> Option<i64> {
    let reserved = ["superuser_reserved_connections", "reserved_connections"];
    let reserved: i64 = reserved.iter().filter_map(|name| server.number(name)).sum();
    Some(server.number("max_connections")? - reserved)
}

#[cfg(test)]
mod tests {
    use convene_kit::db::Schema;

    use super::*;

    fn inspected(schema: Option<Schema>) -> Inspected {
        Inspected {
            version: "PostgreSQL 17.2".into(),
            took: Duration::from_millis(2),
            schema,
            server: None,
        }
    }

    #[test]
    fn a_schema_is_ready_behind_or_ahead() {
        let of = |lacking, unknown| Some(Schema { lacking, unknown });
        for (state, at_start, by_hand) in [
            (None, "DATABASE_ABSENT", "DATABASE_NOT_MADE"),
            (of(0, 0), "DATABASE_READY", "DATABASE_READY"),
            (of(3, 0), "DATABASE_BEHIND", "DATABASE_OUTDATED"),
            (of(3, 1), "DATABASE_NEWER", "DATABASE_NEWER"),
        ] {
            let inspected = inspected(state);
            assert_eq!(schema("scheduler", &inspected, true).code, at_start);
            assert_eq!(schema("scheduler", &inspected, false).code, by_hand);
        }
        let slow = Inspected {
            took: Duration::from_millis(500),
            ..inspected(of(0, 0))
        };
        assert_eq!(
            schema("scheduler", &slow, true).says,
            "takes 500 ms for a question about nothing"
        );
    }

    #[test]
    fn settings_that_matter_are_named() {
        let good = [
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("max_connections", "100"),
            ("superuser_reserved_connections", "3"),
            ("idle_session_timeout", "0"),
            ("server_version_num", "170002"),
        ];
        let server = |change: &[(&str, &str)]| {
            let all = good.iter().chain(change);
            Server {
                settings: all
                    .map(|(name, value)| ((*name).into(), (*value).into()))
                    .collect(),
                may_create: true,
                encrypted: true,
                ..Server::default()
            }
        };
        let codes = |server: Server, local| {
            let one = Inspected {
                server: Some(server),
                ..inspected(None)
            };
            let findings = of_server(&one, 48, local);
            findings.iter().map(|f| f.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(server(&[]), false), Vec::<&str>::new());
        for (setting, value, code) in [
            ("fsync", "off", "DATABASE_NOT_DURABLE"),
            ("full_page_writes", "off", "DATABASE_NOT_DURABLE"),
            ("max_connections", "50", "DATABASE_CONNECTIONS_FEW"),
            ("idle_session_timeout", "60000", "DATABASE_ENDS_SESSIONS"),
            ("server_version_num", "130009", "DATABASE_TOO_OLD"),
        ] {
            assert_eq!(
                codes(server(&[(setting, value)]), true),
                [code],
                "{setting}"
            );
        }
        let standby = Server {
            read_only: true,
            encrypted: false,
            clock_off_ms: -4_000,
            ..server(&[])
        };
        let wanted = [
            "DATABASE_READ_ONLY",
            "DATABASE_NOT_ENCRYPTED",
            "DATABASE_CLOCK_OFF",
        ];
        assert_eq!(codes(standby.clone(), false), wanted);
        assert_eq!(
            codes(standby, true),
            ["DATABASE_READ_ONLY", "DATABASE_CLOCK_OFF"]
        );
    }

    #[test]
    fn a_url_stays_here_or_leaves() {
        for (url, local) in [
            ("postgres://convene:a@b@127.0.0.1:5432/x", true),
            ("postgres://localhost/x", true),
            ("postgres://u@[::1]:5432/x", true),
            ("postgres://u:p@db.example/x", false),
            ("postgres://u:p@10.0.0.1:5432/x?sslmode=require", false),
        ] {
            let mut config = Config::default();
            config.database.url = Some(url.to_owned().into());
            assert_eq!(is_local(&config), local, "{url}");
        }
        assert!(is_local(&Config::default()));
    }
}
