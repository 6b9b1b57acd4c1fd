//! Looking at a service's database from outside, for operators: nothing is changed, and the service may run meanwhile.

use std::{collections::BTreeMap, time::Duration};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;
use tokio::time::Instant;

use super::{Database, postgres, sqlite};
use crate::{Clock, error::Result};

/// Settings of a PostgreSQL server that matter here.
const SETTINGS: &str = "'fsync', 'full_page_writes', 'max_connections', 'superuser_reserved_connections', 'reserved_connections', 'idle_session_timeout', 'server_version_num'";

/// What a look at a service's database tells.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The program and its version: `SQLite 3.51.1`, `PostgreSQL 17.2`.
    pub version: String,
    /// How long it took to answer a question about nothing.
    pub took: Duration,
    /// The service's schema; `None` when there is none yet.
    pub schema: Option<Schema>,
    /// What a server has besides; `None` on SQLite.
    pub server: Option<Server>,
}

/// How a schema stands to this program's migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Migrations that it lacks.
    pub lacking: usize,
    /// Migrations that this program does not know: a newer one was here.
    pub unknown: usize,
}

/// A PostgreSQL server.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// Settings by name.
    pub settings: BTreeMap<String, String>,
    /// Whether it takes no changes, as a standby.
    pub read_only: bool,
    /// Whether the user may make schemas.
    pub may_create: bool,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// Its clock less ours, in milliseconds.
    pub clock_off_ms: i64,
}

impl Server {
    /// A setting that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.settings.get(name)?.parse().ok()
    }
}

/// Looks at a service's database.
pub async fn inspect<M: MigratorTrait>(database: &Database, name: &str) -> Result<Inspected> {
    match database {
        Database::Sqlite { dir } => {
            let file = dir.join(format!("{name}.db"));
            // Opening would make it.
            if !file.exists() {
                return Ok(Inspected {
                    version: "SQLite".to_owned(),
                    took: Duration::ZERO,
                    schema: None,
                    server: None,
                });
            }
            let connection = sqlite::open_read_only(dir, name).await?;
            let version = text(&connection, "SELECT sqlite_version()").await?;
            let inspected = Inspected {
                version: format!("SQLite {version}"),
                took: timed(&connection).await?,
                schema: Some(schema::<M>(&connection).await),
                server: None,
            };
            connection.close().await?;
            Ok(inspected)
        }
        Database::Postgres { url, .. } => {
            let connection = postgres::one(url, name).await?;
            let version = text(&connection, "SHOW server_version").await?;
            let there = format!(
                "SELECT count(*)::text FROM pg_namespace WHERE nspname = '{}'",
                name.replace('-', "_")
            );
            let schema = match text(&connection, &there).await?.as_str() {
                "0" => None,
                _ => Some(schema::<M>(&connection).await),
            };
            let inspected = Inspected {
                version: format!("PostgreSQL {version}"),
                took: timed(&connection).await?,
                schema,
                server: Some(server(&connection).await?),
            };
            connection.close().await?;
            Ok(inspected)
        }
    }
}

async fn server(connection: &DatabaseConnection) -> Result<Server> {
    let query = format!("SELECT name, setting FROM pg_settings WHERE name IN ({SETTINGS})");
    let rows = connection
        .query_all_raw(statement(connection, &query))
        .await?;
    let mut settings = BTreeMap::new();
    for row in rows {
        settings.insert(row.try_get("", "name")?, row.try_get("", "setting")?);
    }
    let is = async |question: &str| -> Result<bool> {
        let answer = text(connection, &format!("SELECT ({question})::text")).await?;
        Ok(answer == "true")
    };
    let began = Instant::now();
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text";
    let theirs: i64 = text(connection, now).await?.parse().unwrap_or_default();
    let way = i64::try_from(began.elapsed().as_millis()).unwrap_or_default() / 2;
    let ours = Clock::default().unmoved().as_millis();
    Ok(Server {
        settings,
        read_only: is(
            "pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'",
        )
        .await?,
        may_create: is("has_database_privilege(current_database(), 'CREATE')").await?,
        encrypted: is("EXISTS (SELECT FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl)")
            .await?,
        clock_off_ms: theirs - (ours - way),
    })
}

/// The way there and back, a look into the schema's files included.
async fn timed(connection: &DatabaseConnection) -> Result<Duration> {
    let began = Instant::now();
    text(connection, "SELECT '1'").await?;
    Ok(began.elapsed())
}

async fn schema<M: MigratorTrait>(connection: &DatabaseConnection) -> Schema {
    let applied = super::applied::<M>(connection).await;
    let migrations = M::migrations();
    let names: Vec<_> = migrations.iter().map(|one| one.name()).collect();
    let (applied, names) = (applied.iter(), names.as_slice());
    let lacking = names
        .iter()
        .filter(|name| !applied.clone().any(|one| one == *name));
    Schema {
        lacking: lacking.count(),
        unknown: applied.filter(|one| !names.contains(&one.as_str())).count(),
    }
}

/// The one text that a question has for an answer.
async fn text(connection: &DatabaseConnection, question: &str) -> Result<String> {
    let row = connection
        .query_one_raw(statement(connection, question))
        .await?;
    let answer = row
        .map(|row| row.try_get_by_index::<String>(0))
        .transpose()?;
    Ok(answer.unwrap_or_default())
}

fn statement(connection: &DatabaseConnection, text: &str) -> Statement {
    let backend: DbBackend = connection.get_database_backend();
    Statement::from_string(backend, text)
}
