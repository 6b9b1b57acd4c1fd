//! Group commit: queued changes share one commit, each in a savepoint of its own.

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DbBackend, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait as _,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{QUEUE_MAX, Tx, busy, guarded, stopped};
use crate::{BoxFuture, error::Result};

/// Changes that share a commit at the most.
const BATCH_MAX: usize = 128;

/// A change that has run in its savepoint and waits for the commit: told how that ended, it answers its caller.
type Answer = Box<dyn FnOnce(Result<()>) + Send>;
type Job = Box<dyn for<'tx> FnOnce(&'tx Tx) -> BoxFuture<'tx, (bool, Answer)> + Send>;

#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Job>,
    commits: watch::Receiver<u64>,
}

impl Writer {
    /// Takes the only connection that writes.
    pub fn start(connection: DatabaseConnection) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let (committed, commits) = watch::channel(0);
        tokio::spawn(serve(connection, jobs, committed));
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
                let outcome = guarded(change, tx).await;
                let keep = outcome.is_ok();
                let answer: Answer = Box::new(move |committed| {
                    // Nobody listens when the caller's deadline has passed.
                    let _ = answer.send(committed.and(outcome));
                });
                (keep, answer)
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
    connection: DatabaseConnection,
    mut jobs: mpsc::Receiver<Job>,
    committed: watch::Sender<u64>,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while jobs.recv_many(&mut batch, BATCH_MAX).await > 0 {
        match run_batch(&connection, std::mem::take(&mut batch)).await {
            Ok(()) => committed.send_modify(|count| *count += 1),
            Err(error) => tracing::error!(detail = error.detail(), "a commit failed"),
        }
    }
}

/// Runs the changes and answers all. When the commit fails, all are told so and none is stored.
async fn run_batch(connection: &DatabaseConnection, batch: Vec<Job>) -> Result<()> {
    let mut answers = Vec::with_capacity(batch.len());
    let result = commit_batch(connection, batch, &mut answers).await;
    for answer in answers {
        answer(result.clone());
    }
    result
}

async fn commit_batch(
    connection: &DatabaseConnection,
    batch: Vec<Job>,
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
    for (place, job) in batch.into_iter().enumerate() {
        if shared {
            let begin = if place == 0 { BEGIN } else { NEXT };
            run(&transaction, begin).await?;
        }
        let (keep, answer) = job(&transaction).await;
        answers.push(answer);
        match (keep, shared) {
            (true, _) => {}
            (false, true) => run(&transaction, UNDO).await?,
            (false, false) => return Ok(transaction.rollback().await?),
        }
    }
    transaction.commit().await?;
    Ok(())
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
