//! The roles of the house. A new role is a line in [`ROLES`] and a function that builds it.

pub(crate) mod build;

use std::{fmt, str::FromStr};

use convene_gateway as gateway;
use convene_kit::{
    BoxFuture, Database, Db, Deps, Error, Result, Role,
    db::{self, Inspected},
    keys::{Keys, Use},
};
use convene_lobby_manager as lobby_manager;
use convene_meeting_broker as meeting_broker;
use convene_migrations as migrations;
use convene_proto as proto;
use convene_recording_coordinator as recording_coordinator;
use convene_scheduler as scheduler;
use convene_webhooks as webhooks;
use convene_workflows as workflows;
use sea_orm_migration::MigratorTrait;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    config::{Config, Provider},
    node::Ways,
};

/// What the node knows of a role.
pub struct Spec {
    /// Its name, as in `--roles`, `[listen]` and `[peers]`, and that of its database.
    pub name: &'static str,
    /// The roles that it calls.
    pub calls: &'static [&'static str],
    /// The keys that it is handed.
    pub keys: &'static [Use],
    /// Opens its database; brings its schema up to date first when told to, else refuses one that is not.
    pub open: for<'a> fn(&'a Database, &'static str, bool) -> BoxFuture<'a, Result<Db>>,
    /// Looks at its database from outside, without a change.
    pub inspect: for<'a> fn(&'a Database, &'static str) -> BoxFuture<'a, Result<Inspected>>,
    /// The full name of the gRPC service that it alone serves.
    pub contract: Option<&'static str>,
    /// Builds it.
    pub build: for<'a> fn(Parts<'a>) -> BoxFuture<'a, Result<Role>>,
}

/// All roles, those that others call first: they start in this order.
pub const ROLES: [Spec; 7] = [
    Spec {
        name: meeting_broker::NAME,
        calls: &[],
        keys: &[Use::Caller, Use::PermitPublic, Use::JoinDetails],
        open: open::<migrations::meeting_broker::Migrator>,
        inspect: inspect::<migrations::meeting_broker::Migrator>,
        contract: Some(proto::meeting::v1::meeting_broker_server::SERVICE_NAME),
        build: build::meeting_broker,
    },
    Spec {
        name: lobby_manager::NAME,
        calls: &[meeting_broker::NAME],
        keys: &[Use::Caller, Use::Permit],
        open: open::<migrations::lobby_manager::Migrator>,
        inspect: inspect::<migrations::lobby_manager::Migrator>,
        contract: Some(proto::lobby::v1::lobby_manager_server::SERVICE_NAME),
        build: build::lobby_manager,
    },
    Spec {
        name: scheduler::NAME,
        calls: &[meeting_broker::NAME, lobby_manager::NAME],
        keys: &[Use::Caller],
        open: open::<migrations::scheduler::Migrator>,
        inspect: inspect::<migrations::scheduler::Migrator>,
        contract: Some(proto::scheduler::v1::scheduler_server::SERVICE_NAME),
        build: build::scheduler,
    },
    Spec {
        name: recording_coordinator::NAME,
        calls: &[meeting_broker::NAME],
        keys: &[Use::Caller],
        open: open::<migrations::recording_coordinator::Migrator>,
        inspect: inspect::<migrations::recording_coordinator::Migrator>,
        contract: Some(proto::recording::v1::recording_coordinator_server::SERVICE_NAME),
        build: build::recording_coordinator,
    },
    Spec {
        name: webhooks::NAME,
        calls: &[
            scheduler::NAME,
            meeting_broker::NAME,
            lobby_manager::NAME,
            recording_coordinator::NAME,
        ],
        keys: &[Use::Caller, Use::Webhooks],
        open: open::<migrations::webhooks::Migrator>,
        inspect: inspect::<migrations::webhooks::Migrator>,
        contract: Some(proto::webhook::v1::webhooks_server::SERVICE_NAME),
        build: build::webhooks,
    },
    Spec {
        name: workflows::NAME,
        calls: &[
            scheduler::NAME,
            meeting_broker::NAME,
            lobby_manager::NAME,
            recording_coordinator::NAME,
        ],
        keys: &[Use::Caller],
        open: open::<migrations::workflows::Migrator>,
        inspect: inspect::<migrations::workflows::Migrator>,
        contract: Some(proto::workflow::v1::workflows_server::SERVICE_NAME),
        build: build::workflows,
    },
    Spec {
        name: gateway::NAME,
        calls: &[
            scheduler::NAME,
            meeting_broker::NAME,
            lobby_manager::NAME,
            recording_coordinator::NAME,
            webhooks::NAME,
            workflows::NAME,
        ],
        keys: &[Use::Caller, Use::Link],
        open: open::<migrations::gateway::Migrator>,
        inspect: inspect::<migrations::gateway::Migrator>,
        contract: None,
        build: build::gateway,
    },
];

fn open<'a, M: MigratorTrait + 'static>(
    database: &'a Database,
    name: &'static str,
    migrate: bool,
) -> BoxFuture<'a, Result<Db>> {
    match migrate {
        true => Box::pin(Db::open::<M>(database, name)),
        false => Box::pin(Db::open_migrated::<M>(database, name)),
    }
}

fn inspect<'a, M: MigratorTrait + 'static>(
    database: &'a Database,
    name: &'static str,
) -> BoxFuture<'a, Result<Inspected>> {
    Box::pin(db::inspect::<M>(database, name))
}

/// What a role is built from.
pub struct Parts<'a> {
    /// The configuration of the process.
    pub config: &'a Config,
    /// The keys.
    pub keys: &'a Keys,
    /// Database, clock and callers of the role.
    pub deps: Deps,
    /// The ways to the other roles.
    pub ways: &'a Ways,
    /// The provider; the broker's.
    pub provider: Option<Provider>,
    /// Where the simulator's clock is moved; the gateway's.
    pub simulator_control: Option<String>,
    /// The public door; the gateway's.
    pub door: Option<gateway::Door>,
}

/// The name of a role that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleName(&'static str);

/// What the node knows of a role.
pub fn spec(name: RoleName) -> &'static Spec {
    static TABLE: [Spec; ROLES.len()] = ROLES;
    // A name is made from the table only.
    TABLE
        .iter()
        .find(|spec| spec.name == name.0)
        .unwrap_or(&TABLE[0])
}

impl RoleName {
    /// All of them, in the order of [`ROLES`].
    pub fn all() -> Vec<Self> {
        ROLES.iter().map(|spec| Self(spec.name)).collect()
    }

    /// The name.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for RoleName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = ROLES.iter().find(|spec| spec.name == text);
        known.map(|spec| Self(spec.name)).ok_or_else(|| {
            let names: Vec<_> = ROLES.iter().map(|spec| spec.name).collect();
            Error::invalid(
                "--roles",
                "ROLE_UNKNOWN",
                format!(
                    "there is no role `{text}`; the roles are {}",
                    names.join(", ")
                ),
            )
        })
    }
}

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error: Error| de::Error::custom(error.message))
    }
}

impl Serialize for RoleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl schemars::JsonSchema for RoleName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RoleName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<_> = ROLES.iter().map(|spec| spec.name).collect();
        schemars::json_schema!({ "type": "string", "enum": names })
    }
}
