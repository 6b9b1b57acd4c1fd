//! What a failure of the database means for the caller.

use std::ops::Deref as _;

use sea_orm::{DbErr, RuntimeErr};

use crate::error::Error;

/// Two changes that cannot both be: a repeat sees what the other one stored.
const MEANWHILE: [&str; 5] = [
    "40001", // serialization failure
    "40P01", // deadlock
    "23505", // unique violation on PostgreSQL
    "1555",  // primary key on SQLite
    "2067",  // unique index on SQLite
];
/// The database did not get to it in time.
const SLOW: [&str; 3] = [
    "55P03", // lock not available
    "57014", // statement cancelled
    "25P03", // idle in transaction
];
/// There is no room left.
const FULL: [&str; 2] = [
    "13",    // SQLite
    "53100", // PostgreSQL
];
/// Classes and codes that say: the server is not there for this connection.
const AWAY: [&str; 5] = [
    "08",    // connection exception
    "57P01", // admin shutdown
    "57P02", // crash shutdown
    "57P03", // cannot connect now
    "53300", // too many connections
];

/// What happened to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Somebody else changed the same.
    Meanwhile,
    /// It took too long.
    Slow,
    /// There is no connection.
    Away,
    /// The disk is full.
    Full,
    /// Everything else.
    Other,
}

impl Failure {
    pub fn of(error: &DbErr) -> Self {
        match error {
            DbErr::ConnectionAcquire(_) => Self::Away,
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)) => Self::of_sqlx(error),
            _ => Self::Other,
        }
    }

    pub fn of_sqlx(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                let code = code.deref();
                let is = |codes: &[&str]| codes.contains(&code);
                if is(&MEANWHILE) {
                    Self::Meanwhile
                } else if is(&SLOW) {
                    Self::Slow
                } else if is(&FULL) {
                    Self::Full
                } else if is(&AWAY) || (code.len() == 5 && code.starts_with(AWAY[0])) {
                    Self::Away
                } else {
                    Self::Other
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Away,
            _ => Self::Other,
        }
    }

    fn told(self) -> Error {
        match self {
            Self::Meanwhile => changed_meanwhile(),
            Self::Slow => Error::unavailable(
                "STORE_SLOW",
                "the store did not get to the request in time; nothing was stored, try again",
            ),
            Self::Away => Error::unavailable(
                "DATABASE_UNREACHABLE",
                "the database cannot be reached; nothing was stored, try again; operators check the address in database.url and that the server runs and has connections free",
            ),
            Self::Full => Error::unavailable(
                "DISK_FULL",
                "the disk of the database is full; nothing was stored, try again when operators have made room on it",
            ),
            Self::Other => Error::unavailable(
                "STORE_UNAVAILABLE",
                "the store did not take the request; nothing was stored, try again",
            ),
        }
    }
}

/// Somebody was faster.
pub fn changed_meanwhile() -> Error {
    Error::unavailable(
        "CHANGED_MEANWHILE",
        "somebody else changed this at the same moment; try again",
    )
}

/// The database was asked to commit and did not answer.
fn outcome_unknown() -> Error {
    Error::unavailable(
        "OUTCOME_UNKNOWN",
        "the database did not confirm the change, which may or may not be stored; repeat the same request with the same idempotencyKey",
    )
}

/// Why a commit failed. One that the database refused stored nothing; one that it did not answer, or could not finish, may have stored all.
pub fn unconfirmed(error: DbErr) -> Error {
    match Failure::of(&error) {
        Failure::Meanwhile | Failure::Full => error.into(),
        _ => outcome_unknown().with_detail(error.to_string()),
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Failure::of(&error).told().with_detail(error.to_string())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Failure::of_sqlx(&error)
            .told()
            .with_detail(error.to_string())
    }
}
