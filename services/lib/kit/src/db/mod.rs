//! A service's database.
//!
//! On SQLite one writer per file takes queued changes, runs each in a savepoint, commits them together and then answers all; readers have
//! their own pool. On PostgreSQL changes run concurrently, and replicas share the service's schema. The stores do not know the difference.

mod failure;
mod inspect;
mod lock;
pub(crate) mod locked;
mod postgres;
mod sqlite;
pub(crate) mod times;
mod writer;
mod writes;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, sea_query::Query};
use sea_orm_migration::MigratorTrait;
use secrecy::SecretString;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    BoxFuture,
    error::{Error, Result},
    metrics::{Metrics, StoreMetrics},
    probe::{Act, Probed, Side, function},
};
use postgres::Postgres;
use sqlite::Sqlite;

pub(crate) use failure::changed_meanwhile;

pub use inspect::{Inspected, Schema, Server, inspect};
pub use postgres::CONNECTIONS;
pub use writes::Writes;

/// Changes of one service that may wait for the store in one process; more are refused.
const QUEUE_MAX: usize = 4_096;

/// The transaction of one change.
pub type Tx = DatabaseTransaction;

/// Where the databases of all services are.
#[derive(Clone, Debug)]
pub enum Database {
    /// One file per service, for one process.
    Sqlite {
        /// The folder of the files.
        dir: PathBuf,
    },
    /// One schema per service, for any number of processes.
    Postgres {
        /// `postgres://user:password@host:port/name`; TLS as its `sslmode` says.
        url: SecretString,
        /// Connections of one service in one process, besides two that listen and hold leases. At least 2, as [`CONNECTIONS`] unless told
        /// otherwise.
        connections: u32,
    },
}

impl Database {
    /// Files in a folder.
    pub fn sqlite(dir: impl Into<PathBuf>) -> Self {
        Self::Sqlite { dir: dir.into() }
    }

    /// Schemas at a URL.
    pub fn postgres(url: impl Into<SecretString>) -> Self {
        Self::Postgres {
            url: url.into(),
            connections: CONNECTIONS,
        }
    }
}

/// One service's database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
    probe: Probed,
    metrics: Metrics,
    measured: StoreMetrics,
}

enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Db")
    }
}

impl Db {
    /// Opens a service's database and brings its schema up to date. On SQLite no other process may have it open.
    pub async fn open<M: MigratorTrait>(database: &Database, name: &str) -> Result<Self> {
        Self::connect::<M>(database, name, true).await
    }

    /// Opens a service's database whose schema is up to date already; refuses one that is not and changes nothing.
    pub async fn open_migrated<M: MigratorTrait>(database: &Database, name: &str) -> Result<Self> {
        let db = Self::connect::<M>(database, name, false).await?;
        match pending::<M>(db.read()).await {
            0 => Ok(db),
            lacking => Err(Error::unavailable(
                "SCHEMA_OUTDATED",
                format!(
                    "the database of {name} lacks {lacking} migrations; run `convene migrate` with the same configuration, or set database.migrate_at_start = true"
                ),
            )),
        }
    }

    async fn connect<M: MigratorTrait>(
        database: &Database,
        name: &str,
        migrate: bool,
    ) -> Result<Self> {
        let backend = match database {
            Database::Sqlite { dir } => {
                Backend::Sqlite(Sqlite::open::<M>(dir, name, migrate).await?)
            }
            Database::Postgres { url, connections } => {
                Backend::Postgres(Postgres::open::<M>(url, *connections, name, migrate).await?)
            }
        };
        // Seen by nobody unless the node brings its own.
        let metrics = Metrics::default();
        Ok(Self {
            measured: metrics.store("none"),
            metrics,
            backend: Arc::new(backend),
            probe: Probed::default(),
        })
    }

    /// [`Self::open`] for `<dir>/<name>.db`.
    pub async fn open_sqlite<M: MigratorTrait>(dir: &Path, name: &str) -> Result<Self> {
        Self::open::<M>(&Database::sqlite(dir), name).await
    }

    /// For queries outside a change.
    pub fn read(&self) -> &DatabaseConnection {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.readers(),
            Backend::Postgres(postgres) => postgres.readers(),
        }
    }

    /// Runs one change in a transaction of its own. It is durable when this answers `Ok`; on `Err` nothing of it was stored, unless the
    /// reason is `OUTCOME_UNKNOWN`.
    ///
    /// The closure must await nothing but the database: on SQLite it runs while others wait for the writer, on PostgreSQL it holds locks.
    pub async fn write<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'tx> FnOnce(&'tx Tx) -> BoxFuture<'tx, Result<T>> + Send + 'static,
    {
        let changed = || function::<F>();
        self.probe.pass(Side::Before, Act::Commit, changed).await?;
        let open = self.measured.begin();
        let answer = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.run(change).await,
            Backend::Postgres(postgres) => postgres.run(change).await,
        };
        open.ended(&answer);
        let answer = answer?;
        self.probe.pass(Side::After, Act::Commit, changed).await?;
        Ok(answer)
    }

    /// With the metrics of the node, as this role's database.
    pub fn with_metrics(mut self, metrics: &Metrics, role: &'static str) -> Self {
        self.measured = metrics.store(role);
        self.metrics = metrics.clone();
        self
    }

    /// The node's metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// With the points at which a test disturbs the role.
    pub fn with_probe(mut self, probe: Probed) -> Self {
        self.probe = probe;
        self
    }

    /// The role's points.
    pub(crate) fn probe(&self) -> &Probed {
        &self.probe
    }

    /// Waits until the lease of this name is this process's; [`crate::lease::hold`] works under it.
    pub async fn lease(&self, name: &str) -> Result<Held> {
        match &*self.backend {
            Backend::Sqlite(_) => Ok(Held::for_ever()),
            Backend::Postgres(postgres) => postgres.session().lease(name).await,
        }
    }

    /// Rises with every commit: wakes feeds and workers.
    pub fn commits(&self) -> watch::Receiver<u64> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.commits(),
            Backend::Postgres(postgres) => postgres.commits(),
        }
    }
}

/// A lease that this process holds; dropped, it is given back.
#[derive(Debug)]
pub struct Held {
    lost: CancellationToken,
    given_back: CancellationToken,
    changed: Arc<Notify>,
}

impl Held {
    fn new(lost: CancellationToken, given_back: CancellationToken, changed: Arc<Notify>) -> Self {
        Self {
            lost,
            given_back,
            changed,
        }
    }

    fn for_ever() -> Self {
        Self::new(
            CancellationToken::new(),
            CancellationToken::new(),
            Arc::new(Notify::new()),
        )
    }

    /// Cancelled when the lease is no longer this process's.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.given_back.cancel();
        self.changed.notify_one();
    }
}

/// Opens a service's database for reading only, as it is at one moment, while the service may go on; `None` when it has none there.
pub async fn snapshot(database: &Database, name: &str) -> Result<Option<Tx>> {
    match database {
        Database::Sqlite { dir } => sqlite::snapshot(dir, name).await,
        Database::Postgres { url, .. } => postgres::snapshot(url, name).await,
    }
}

/// How many migrations a database lacks.
async fn pending<M: MigratorTrait>(connection: &DatabaseConnection) -> usize {
    let applied = applied::<M>(connection).await;
    let names = M::migrations();
    let names = names.iter().map(|migration| migration.name());
    names
        .filter(|name| !applied.iter().any(|version| version == name))
        .count()
}

/// The migrations that a database has had.
async fn applied<M: MigratorTrait>(connection: &DatabaseConnection) -> Vec<String> {
    let statement = Query::select()
        .column("version")
        .from(M::migration_table_name())
        .to_owned();
    // Without the table none was ever applied.
    let rows = connection.query_all(&statement).await.unwrap_or_default();
    rows.iter()
        .filter_map(|row| row.try_get("", "version").ok())
        .collect()
}

/// Opens a service's file for reading only; works while the service runs.
pub async fn open_read_only(dir: &Path, name: &str) -> Result<DatabaseConnection> {
    sqlite::open_read_only(dir, name).await
}

fn busy() -> Error {
    Error::too_many(
        "STORE_BUSY",
        "too many changes wait for the store; try again in a moment",
    )
}

fn stopped() -> Error {
    Error::unavailable("STORE_STOPPED", "the store is shutting down")
}

/// Runs a change; one that panics has failed.
async fn guarded<'tx, T, F>(change: F, tx: &'tx Tx) -> Result<T>
where
    F: FnOnce(&'tx Tx) -> BoxFuture<'tx, Result<T>>,
{
    use futures_util::FutureExt as _;
    std::panic::AssertUnwindSafe(async move { change(tx).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(Error::internal("a change panicked")))
}
