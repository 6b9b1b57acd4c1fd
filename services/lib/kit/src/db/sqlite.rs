//! One file, one process, one writer.

use std::path::Path;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, TransactionTrait as _};
use sea_orm_migration::MigratorTrait;
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use tokio::sync::watch;

use super::{Tx, lock::FileLock, writer::Writer};
use crate::{
    BoxFuture,
    error::{Error, Result},
};

/// Connections that read a SQLite file at the same time.
const READERS: u32 = 4;
/// How long SQLite waits for a lock that another connection holds, in milliseconds.
const BUSY_MS: u64 = 5_000;

pub struct Sqlite {
    readers: DatabaseConnection,
    writer: Writer,
    _lock: FileLock,
}

impl Sqlite {
    /// Opens `<dir>/<name>.db`.
    pub async fn open<M: MigratorTrait>(dir: &Path, name: &str, migrate: bool) -> Result<Self> {
        let path = dir.join(format!("{name}.db"));
        let lock = FileLock::acquire(&dir.join(format!("{name}.lock")))?;
        let one = connect(&path, 1, false).await?;
        if migrate {
            // All in one commit: each waits for the disk.
            let migrating = one.begin().await?;
            M::up(&migrating, None)
                .await
                .map_err(|error| unusable(&path, &error.to_string()))?;
            migrating.commit().await?;
        }
        // Whoever held leases on this file's jobs is gone: the lock says so. A file without tables has no jobs.
        let released = crate::jobs::release_all(&one).await;
        if migrate {
            released?;
        }
        Ok(Self {
            readers: connect(&path, READERS, true).await?,
            writer: Writer::start(path, one),
            _lock: lock,
        })
    }

    pub fn readers(&self) -> &DatabaseConnection {
        &self.readers
    }

    pub async fn run<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'tx> FnOnce(&'tx Tx) -> BoxFuture<'tx, Result<T>> + Send + 'static,
    {
        self.writer.run(change).await
    }

    pub fn commits(&self) -> watch::Receiver<u64> {
        self.writer.commits()
    }
}

pub async fn open_read_only(dir: &Path, name: &str) -> Result<DatabaseConnection> {
    connect(&dir.join(format!("{name}.db")), 1, true).await
}

pub async fn snapshot(dir: &Path, name: &str) -> Result<Option<Tx>> {
    if !dir.join(format!("{name}.db")).exists() {
        return Ok(None);
    }
    // Everything that a transaction reads is as it was at its first read.
    Ok(Some(open_read_only(dir, name).await?.begin().await?))
}

/// A pool of connections to a file; made when it is not there unless it is for reading only.
pub async fn connect(path: &Path, connections: u32, read_only: bool) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(format!(
        "sqlite://{}?mode={}",
        path.display(),
        if read_only { "rw" } else { "rwc" }
    ));
    options
        .min_connections(1)
        .max_connections(connections)
        // A file's connections need no renewal; and the pool's task that looks for old ones counts them without a lock and can spin for ever.
        .idle_timeout(None)
        .max_lifetime(None)
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
