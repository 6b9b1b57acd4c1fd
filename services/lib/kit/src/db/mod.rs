//! A service's database.
//!
//! On SQLite one writer per file takes queued changes, runs each in a savepoint, commits them together and then answers all; readers have
//! their own pool. The stores do not know the difference to a database that runs changes concurrently.

mod lock;
mod writer;

use std::path::Path;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DatabaseTransaction};
use sea_orm_migration::MigratorTrait;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tokio::sync::watch;

use crate::{
    BoxFuture,
    error::{Error, Result},
    probe::{Act, Probed, Side, function},
};
use lock::FileLock;
use writer::Writer;

/// Connections that read a SQLite file at the same time.
const READERS: u32 = 4;
/// How long SQLite waits for a lock that another connection holds, in milliseconds.
const BUSY_MS: u64 = 5_000;

/// The transaction of one change.
pub type Tx = DatabaseTransaction;

/// One service's database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    readers: DatabaseConnection,
    writer: Writer,
    probe: Probed,
    _lock: std::sync::Arc<FileLock>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Db")
    }
}

impl Db {
    /// Opens `<dir>/<name>.db`, which no other process may have open, and brings its schema up to date.
    pub async fn open_sqlite<M: MigratorTrait>(dir: &Path, name: &str) -> Result<Self> {
        let path = dir.join(format!("{name}.db"));
        let lock = FileLock::acquire(&dir.join(format!("{name}.lock")))?;
        let one = connect(&path, 1, false).await?;
        M::up(&one, None)
            .await
            .map_err(|error| unusable(&path, &error.to_string()))?;
        // Whoever held leases on this file's jobs is gone: the lock says so.
        crate::jobs::release_all(&one).await?;
        Ok(Self {
            readers: connect(&path, READERS, true).await?,
            writer: Writer::start(one),
            probe: Probed::default(),
            _lock: std::sync::Arc::new(lock),
        })
    }

    /// For queries outside a change.
    pub fn read(&self) -> &DatabaseConnection {
        &self.readers
    }

    /// Runs one change in a transaction of its own. It is durable when this answers `Ok`; on `Err` nothing of it was stored.
    ///
    /// The closure must await nothing but the database: it runs while others wait for the writer.
    pub async fn write<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'tx> FnOnce(&'tx Tx) -> BoxFuture<'tx, Result<T>> + Send + 'static,
    {
        let changed = || function::<F>();
        self.probe.pass(Side::Before, Act::Commit, changed).await?;
        let answer = self.writer.run(change).await?;
        self.probe.pass(Side::After, Act::Commit, changed).await?;
        Ok(answer)
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

    /// Rises with every commit: wakes feeds and workers.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.writer.commits()
    }
}

/// Opens a service's file for reading only, as `audit verify` does; works while the service runs.
pub async fn open_read_only(dir: &Path, name: &str) -> Result<DatabaseConnection> {
    connect(&dir.join(format!("{name}.db")), 1, true).await
}

async fn connect(path: &Path, connections: u32, read_only: bool) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(format!(
        "sqlite://{}?mode={}",
        path.display(),
        if read_only { "rw" } else { "rwc" }
    ));
    options
        .min_connections(1)
        .max_connections(connections)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(std::time::Duration::from_millis(BUSY_MS));
            if read_only {
                sqlite.pragma("query_only", "ON")
            } else {
                sqlite
            }
        });
    Database::connect(options)
        .await
        .map_err(|error| unusable(path, &error.to_string()))
}

fn unusable(path: &Path, detail: &str) -> Error {
    Error::unavailable(
        "DATABASE_UNUSABLE",
        format!("the database {} cannot be opened: {detail}", path.display()),
    )
}
