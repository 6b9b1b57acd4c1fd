//! How connections are made, and the schema brought up to date.

use std::{str::FromStr as _, time::Duration};

use sea_orm::{
    AccessMode, DatabaseConnection, IsolationLevel, SqlxPostgresConnector, TransactionOptions,
    TransactionTrait as _,
};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    db::Tx,
    error::{Error, Result},
};

/// Oldest server that has all that is used, as `server_version_num`: 14.
const VERSION_MIN: i32 = 140_000;
/// How long one waits for a connection, in milliseconds.
const ACQUIRE_MS: u64 = 5_000;
/// A connection older than this is replaced when it is next asked for, in milliseconds: what a session of the server holds only grows.
const LIFETIME_MS: u128 = 30 * 60_000;
/// A connection that nobody used for this time is tried before it is used, in milliseconds.
const TRY_AFTER_MS: u128 = 1_000;
/// A statement that takes longer is stopped, in milliseconds.
const STATEMENT_MS: u64 = 10_000;
/// A row that somebody else holds is waited for so long, in milliseconds.
const LOCK_MS: u64 = 5_000;
/// A transaction whose process is silent for so long is rolled back, in milliseconds.
const SILENT_MS: u64 = 15_000;
/// How long one waits for another process that brings the schema up to date, in milliseconds.
const MIGRATION_MS: u64 = 60_000;

/// A database server as one service sees it.
#[derive(Clone)]
pub struct Server {
    options: PgConnectOptions,
    schema: String,
}

impl Server {
    pub fn new(url: &SecretString, name: &str) -> Result<Self> {
        let schema = name.replace('-', "_");
        let plain = schema
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if schema.is_empty() || !plain {
            return Err(Error::internal("a service's name is no schema name"));
        }
        // What is wrong with the URL may quote its password.
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| {
            Error::invalid(
                "database.url",
                "MALFORMED_DATABASE_URL",
                "database.url must read postgres://user:password@host:port/name",
            )
        })?;
        let options = options
            .application_name(&format!("convene/{name}"))
            .options([
                ("search_path", schema.as_str()),
                ("default_transaction_isolation", "read committed"),
                ("synchronous_commit", "on"),
            ])
            .options([
                ("statement_timeout", STATEMENT_MS),
                ("lock_timeout", LOCK_MS),
                ("idle_in_transaction_session_timeout", SILENT_MS),
            ])
            .disable_statement_logging();
        Ok(Self { options, schema })
    }

    /// The schema's name: also the channel of its news and the prefix of its locks.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    pub async fn pool(&self, connections: u32) -> Result<PgPool> {
        pool_of(connections)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.age.as_millis() > LIFETIME_MS {
                        return Ok(false);
                    }
                    if meta.idle_for.as_millis() > TRY_AFTER_MS {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_with(self.options.clone())
            .await
            .map_err(unusable)
    }

    /// A connection of its own, with further settings of the session.
    pub async fn connect(
        &self,
        settings: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Result<PgConnection, sqlx::Error> {
        let options = self.options.clone().options(settings);
        tokio::time::timeout(Duration::from_millis(ACQUIRE_MS), options.connect())
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Brings the schema up to date; replicas that start at the same time do it one after the other.
    pub async fn migrate<M: MigratorTrait>(&self) -> Result<()> {
        // One connection, whose session holds the lock until it is closed.
        let one = pool_of(1)
            .connect_with(
                self.options
                    .clone()
                    .options([("statement_timeout", 0), ("lock_timeout", MIGRATION_MS)]),
            )
            .await
            .map_err(unusable)?;
        let migrated = self.migrate_on::<M>(&one).await;
        one.close().await;
        migrated
    }

    async fn migrate_on<M: MigratorTrait>(&self, one: &PgPool) -> Result<()> {
        let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
            .fetch_one(one)
            .await
            .map_err(unusable)?;
        if version < VERSION_MIN {
            return Err(Error::unavailable(
                "DATABASE_TOO_OLD",
                format!(
                    "the PostgreSQL server has version {}; Convene needs {} or newer",
                    version / 10_000,
                    VERSION_MIN / 10_000
                ),
            ));
        }
        sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
            .bind(format!("{}/migrate", self.schema))
            .execute(one)
            .await
            .map_err(unusable)?;
        let there: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
                .bind(&self.schema)
                .fetch_one(one)
                .await
                .map_err(unusable)?;
        if !there {
            let mut create = sqlx::QueryBuilder::new("CREATE SCHEMA ");
            create.push(&self.schema);
            create.build().execute(one).await.map_err(unusable)?;
        }
        let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(one.clone());
        M::up(&connection, None).await.map_err(|error| {
            Error::unavailable(
                "DATABASE_UNUSABLE",
                format!(
                    "the schema {} cannot be brought up to date: {error}",
                    self.schema
                ),
            )
        })
    }
}

/// A pool that keeps its connections. With a limit on idleness or age the driver runs a task that closes connections, and
/// that task can spin for ever: it reads a count of idle connections that concurrent takers take below zero.
fn pool_of(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_millis(ACQUIRE_MS))
        .idle_timeout(None)
        .max_lifetime(None)
}

/// One connection that reads a service's schema, whatever its state.
pub async fn one(url: &SecretString, name: &str) -> Result<DatabaseConnection> {
    let server = Server::new(url, name)?;
    let pool = pool_of(1)
        .connect_with(server.options)
        .await
        .map_err(unusable)?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// A service's schema for reading only, as it is at one moment.
pub async fn snapshot(url: &SecretString, name: &str) -> Result<Option<Tx>> {
    let server = Server::new(url, name)?;
    let pool = pool_of(1)
        .connect_with(server.options.clone().options([
            ("statement_timeout", 0),
            ("idle_in_transaction_session_timeout", 0),
        ]))
        .await
        .map_err(unusable)?;
    let there: Option<String> = sqlx::query_scalar("SELECT to_regclass('event')::text")
        .fetch_one(&pool)
        .await?;
    if there.is_none() {
        return Ok(None);
    }
    let options = TransactionOptions {
        isolation_level: Some(IsolationLevel::RepeatableRead),
        access_mode: Some(AccessMode::ReadOnly),
        ..TransactionOptions::default()
    };
    let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok(Some(connection.begin_with_options(options).await?))
}

fn unusable(error: sqlx::Error) -> Error {
    let remedy = "check database.url, that the server runs, and that its user may connect and create schemas";
    Error::unavailable(
        "DATABASE_UNUSABLE",
        format!("the PostgreSQL database cannot be opened: {error}; {remedy}"),
    )
}
