//! One schema per service, replicas beside each other: changes run concurrently, each in a transaction of its own.

mod connect;
mod news;
mod sequencer;
mod session;

use std::sync::Arc;

use sea_orm::{DatabaseConnection, SqlxPostgresConnector, TransactionTrait as _};
use sea_orm_migration::MigratorTrait;
use secrecy::SecretString;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use super::{QUEUE_MAX, Tx, busy, failure::unconfirmed, guarded, stopped};
use crate::{BoxFuture, error::Result};
use connect::Server;
use news::News;
use session::Session;

pub use connect::{one, snapshot};

/// Connections of one service in one process unless told otherwise: two thirds for changes, the rest for readers.
pub const CONNECTIONS: u32 = 6;

pub struct Postgres {
    changes: DatabaseConnection,
    readers: DatabaseConnection,
    news: News,
    session: Session,
    waiting: Arc<Semaphore>,
    /// Ends listening, sequencing and leases with the last clone.
    _alive: DropGuard,
}

impl Postgres {
    /// Opens the schema of a service.
    pub async fn open<M: MigratorTrait>(
        url: &SecretString,
        connections: u32,
        name: &str,
        migrate: bool,
    ) -> Result<Self> {
        let server = Server::new(url, name)?;
        if migrate {
            server.migrate::<M>().await?;
        }
        let for_readers = (connections / 3).max(1);
        let for_changes = connections.saturating_sub(for_readers).max(1);
        let changes = server.pool(for_changes).await?;
        let readers = server.pool(for_readers).await?;
        let stop = CancellationToken::new();
        let news = News::start(&server, readers.clone(), stop.clone()).await?;
        let session = Session::start(&server, stop.clone());
        sequencer::start(&session, changes.clone(), news.clone(), stop.clone());
        Ok(Self {
            changes: SqlxPostgresConnector::from_sqlx_postgres_pool(changes),
            readers: SqlxPostgresConnector::from_sqlx_postgres_pool(readers),
            news,
            session,
            waiting: Arc::new(Semaphore::new(QUEUE_MAX)),
            _alive: stop.drop_guard(),
        })
    }

    pub fn readers(&self) -> &DatabaseConnection {
        &self.readers
    }

    pub fn commits(&self) -> watch::Receiver<u64> {
        self.news.commits()
    }

    /// The session that holds this process's leases.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// In a task of its own, so that a caller who stops waiting tears no transaction in two.
    pub async fn run<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'tx> FnOnce(&'tx Tx) -> BoxFuture<'tx, Result<T>> + Send + 'static,
    {
        let place = self
            .waiting
            .clone()
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let (changes, news) = (self.changes.clone(), self.news.clone());
        let (answer, answered) = oneshot::channel();
        let work = async move {
            let outcome = transact(&changes, change).await;
            if outcome.is_ok() {
                news.committed();
            }
            drop(place);
            // Nobody listens when the caller's deadline has passed.
            let _ = answer.send(outcome);
        };
        tokio::spawn(work.in_current_span());
        answered.await.map_err(|_| stopped())?
    }
}

async fn transact<T, F>(changes: &DatabaseConnection, change: F) -> Result<T>
where
    T: Send + 'static,
    F: for<'tx> FnOnce(&'tx Tx) -> BoxFuture<'tx, Result<T>> + Send + 'static,
{
    let transaction = changes.begin().await?;
    match guarded(change, &transaction).await {
        Ok(value) => match transaction.commit().await {
            Ok(()) => Ok(value),
            Err(error) => Err(unconfirmed(error)),
        },
        Err(error) => {
            // A connection that cannot roll back is closed, and the server rolls back.
            if let Err(failed) = transaction.rollback().await {
                tracing::debug!(detail = %failed, "a rollback failed");
            }
            Err(error)
        }
    }
}
