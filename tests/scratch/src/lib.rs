//! What tests need of the machine: databases, ports, and ways between processes that can be broken.
//!
//! Each test has databases of its own: a folder for SQLite, a database of a running server for PostgreSQL.
//!
//! `TEST_POSTGRES` names the server: a URL whose user may create databases, or `required` for the usual place. Without it the usual
//! place is tried, and when nobody answers there the PostgreSQL half of a test is left out and says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod port;
mod postgres;
mod relay;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use convene_kit::Database;
use futures_util::FutureExt as _;
use tempfile::TempDir;

pub use port::port;
pub use postgres::Server;
pub use relay::{Relay, Way};

/// A place for the databases of one test's services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Place {
    database: Database,
    server: Option<Server>,
    folder: Arc<TempDir>,
}

impl Place {
    /// A folder for SQLite files.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            database: Database::sqlite(folder.path()),
            server: None,
            folder: Arc::new(folder),
        }
    }

    /// A new database of the test server, when there is one. [`Self::dropped`] drops it.
    pub async fn postgres() -> Option<Self> {
        let server = Server::with_new_database().await?;
        Some(Self {
            database: server.database(),
            server: Some(server),
            folder: Arc::new(tempfile::tempdir().unwrap()),
        })
    }

    /// For `Db::open`.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The PostgreSQL server, when it is one.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// A folder that lives as long as the place: where SQLite has its files.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Ends the place: whoever still has the database open is thrown out.
    pub async fn dropped(self) {
        if let Some(server) = self.server {
            server.drop_database().await;
        }
    }
}

/// Runs a case on SQLite.
pub async fn on_sqlite<F: Future<Output = ()>>(case: impl FnOnce(Place) -> F) {
    case(Place::sqlite()).await;
}

/// Runs a case on PostgreSQL when there is one.
pub async fn on_postgres<F: Future<Output = ()>>(case: impl FnOnce(Place) -> F) {
    let Some(place) = Place::postgres().await else {
        return;
    };
    let ended = AssertUnwindSafe(case(place.clone())).catch_unwind().await;
    place.dropped().await;
    if let Err(failed) = ended {
        panic::resume_unwind(failed);
    }
}

/// One contract, two databases: `contract!(case, …)` makes tests `sqlite::case` and `postgres::case` of each `async fn case(place: Place)`.
#[macro_export]
macro_rules! contract {
    ($($case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                $crate::on_sqlite(super::$case).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                $crate::on_postgres(super::$case).await;
            })+
        }
    };
}
