//! Group commit: queued changes share one commit, each in a savepoint of its own.

use std::path::PathBuf;

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait as _,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{QUEUE_MAX, Tx, busy, failure::unconfirmed, guarded, sqlite, stopped};
use crate::{
    BoxFuture,
    error::{Error, Result},
};

/// Changes that share a commit at the most.
const BATCH_MAX: usize = 128;

/// A change that has run in its savepoint and waits for the commit: told how that ended, it answers its caller.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// A change; without a transaction it fails with the reason why there is none. Answers its own failure beside.
type Job =
    Box<dyn for<'tx> FnOnce(Result<&'tx Tx>) -> BoxFuture<'tx, (Option<Error>, Answer)> + Send>;

#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    commits: watch::Receiver<u64>,
}

impl Writer {
    /// Takes the only connection that writes to this file.
    pub fn start(path: PathBuf, connection: DatabaseConnection) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let (committed, commits) = watch::channel(0);
        tokio::spawn(serve(path, connection, jobs, committed));
        Self { queue, commits }
    }

    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    pub async fn run<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'tx> FnOnce(&'tx Tx) -> BoxFuture<'tx, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            Box::pin(async move {
                let outcome = match tx {
                    Ok(tx) => guarded(change, tx).await,
                    Err(error) => Err(error),
                };
                let failed = outcome.as_ref().err().cloned();
                let answer: Answer = Box::new(move |committed| {
                    // Nobody listens when the caller's deadline has passed.
                    let _ = answer.send(committed.and(outcome));
                });
                (failed, answer)
            })
        });
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => busy(),
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn serve(
    path: PathBuf,
    connection: DatabaseConnection,
    mut jobs: mpsc::Receiver<Job>,
    committed: watch::Sender<u64>,
) {
    let mut connection = Some(connection);
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while jobs.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let batch = std::mem::take(&mut batch);
        let open = match connection.take() {
            Some(open) => Ok(open),
            None => sqlite::connect(&path, 1, false).await,
        };
        let open = match open {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(detail = error.detail(), "the database does not open again");
                refuse(batch, error).await;
                continue;
            }
        };
        match run_batch(&open, batch).await {
            Ok(()) => {
                committed.send_modify(|count| *count += 1);
                connection = Some(open);
            }
            Err(error) => {
                tracing::error!(reason = %error.reason, detail = error.detail(), "a commit failed");
                // SQLite ends a transaction by itself when the disk is full or fails, and the driver does not see it: what came next on this
                // connection would be answered and never committed.
                if let Err(error) = open.close().await {
                    tracing::debug!(detail = %error, "a connection was not closed");
                }
            }
        }
    }
}

/// Runs the changes and answers all. When the commit fails, all are told so and none is stored.
async fn run_batch(connection: &DatabaseConnection, batch: Vec<Job>) -> Result<()> {
    let mut answers = Vec::with_capacity(batch.len());
    let mut batch = batch.into_iter();
    let result = commit_batch(connection, &mut batch, &mut answers).await;
    for answer in answers {
        answer(result.clone());
    }
    if let Err(error) = &result {
        refuse(batch, error.clone()).await;
    }
    result
}

/// Answers changes that cannot even begin.
async fn refuse(batch: impl IntoIterator<Item = Job>, error: Error) {
    for job in batch {
        let (_, answer) = job(Err(error.clone())).await;
        answer(Ok(()));
    }
}

async fn commit_batch(
    connection: &DatabaseConnection,
    batch: &mut std::vec::IntoIter<Job>,
    answers: &mut Vec<Answer>,
) -> Result<()> {
    let options = TransactionOptions {
        isolation_level: None,
        access_mode: None,
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    };
    let transaction = connection.begin_with_options(options).await?;
    // A change that has the commit to itself needs no savepoint.
    let shared = batch.len() > 1;
    let mut savepoint = BEGIN;
    for job in batch {
        if shared {
            run(&transaction, savepoint).await?;
            savepoint = NEXT;
        }
        let (failed, answer) = job(Ok(&transaction)).await;
        answers.push(answer);
        match (failed, shared) {
            (None, _) => {}
            // What cannot be undone is no longer in a transaction: why it failed says more than that.
            (Some(error), true) => run(&transaction, UNDO).await.map_err(|_| error)?,
            (Some(error), false) => return transaction.rollback().await.map_err(|_| error),
        }
    }
    transaction.commit().await.map_err(unconfirmed)
}

// The savepoint of a change, prepared once each and sent in one message: the driver's own savepoints cost two round trips to its thread and
// are parsed every time.
const BEGIN: &str = "SAVEPOINT change";
const NEXT: &str = "RELEASE change; SAVEPOINT change";
const UNDO: &str = "ROLLBACK TO change";

async fn run(transaction: &Tx, sql: &str) -> Result<()> {
    let statement = Statement::from_string(DbBackend::Sqlite, sql);
    transaction.execute_raw(statement).await?;
    Ok(())
}
