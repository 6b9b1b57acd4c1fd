//! A running PostgreSQL server.

use std::{net::SocketAddr, str::FromStr as _};

use convene_kit::Database;
use secrecy::SecretString;
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, Row as _, postgres::PgConnectOptions,
};

/// Who names the server.
const VARIABLE: &str = "TEST_POSTGRES";
/// The usual place.
const USUAL: &str = "postgres://postgres@127.0.0.1:5432/postgres";
/// Connections of one service in one process: tests run many at once.
const CONNECTIONS: u32 = 4;

/// A server and the database of one test on it.
#[derive(Clone, Debug)]
pub struct Server {
    admin: PgConnectOptions,
    url: String,
    name: String,
}

impl Server {
    /// Makes a database; `None`, and a line on stderr, when no server is there and none is required.
    pub(crate) async fn with_new_database() -> Option<Self> {
        let wanted = std::env::var(VARIABLE).unwrap_or_default();
        let url = match wanted.as_str() {
            "" | "required" => USUAL,
            url => url,
        };
        let admin = PgConnectOptions::from_str(url)
            .unwrap_or_else(|_| panic!("{VARIABLE} is neither a URL nor `required`"))
            .disable_statement_logging();
        let mut connection = match admin.connect().await {
            Ok(connection) => connection,
            Err(error) if wanted.is_empty() => {
                eprintln!(
                    "not run on PostgreSQL: no server at 127.0.0.1:5432 ({error}); scripts/postgres starts one, {VARIABLE} names another"
                );
                return None;
            }
            Err(error) => panic!("{VARIABLE} asks for PostgreSQL, and it does not answer: {error}"),
        };
        let name = format!("convene_test_{}", uuid::Uuid::new_v4().simple());
        run(
            &mut connection,
            &["CREATE DATABASE ", &name, " TEMPLATE template0"],
        )
        .await;
        connection.close().await.unwrap();
        let (before, options) = url.split_once('?').unwrap_or((url, ""));
        let (server, _) = before.rsplit_once('/').expect("the URL names a database");
        Some(Self {
            admin,
            url: format!("{server}/{name}?{options}"),
            name,
        })
    }

    /// Its database, for `Db::open`.
    pub fn database(&self) -> Database {
        Database::Postgres {
            url: SecretString::from(self.url.clone()),
            connections: CONNECTIONS,
        }
    }

    /// The URL of its database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the server listens, as `host:port`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.admin.get_host(), self.admin.get_port())
    }

    /// The URL of its database for who reaches the server at another address.
    pub fn url_through(&self, address: SocketAddr) -> String {
        let options = PgConnectOptions::from_str(&self.url).unwrap();
        let options = options.host(&address.ip().to_string()).port(address.port());
        options.to_url_lossy().to_string()
    }

    /// A connection to its database.
    pub async fn connect(&self) -> PgConnection {
        let options = PgConnectOptions::from_str(&self.url).unwrap();
        options.disable_statement_logging().connect().await.unwrap()
    }

    /// Ends the connection that holds an advisory lock of this name; answers whether there was one.
    pub async fn end_holder(&self, lock: &str) -> bool {
        let holder = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted \
                      AND ((classid::bigint << 32) | objid::bigint) = hashtextextended($1, 0))";
        self.end(holder, lock).await == 1
    }

    /// Ends all connections to the database, as a server that restarts does; answers how many.
    pub async fn end_all(&self) -> usize {
        self.end("$1 = ''", "").await
    }

    async fn end(&self, which: &str, argument: &str) -> usize {
        let mut connection = self.connect().await;
        let mut query = sqlx::QueryBuilder::new(
            "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND ",
        );
        query.push(which);
        let query = query.build().bind(argument);
        let rows = query.fetch_all(&mut connection).await.unwrap();
        rows.iter()
            .filter(|row| row.get::<bool, _>("ended"))
            .count()
    }

    pub(crate) async fn drop_database(&self) {
        let mut connection = self.admin.connect().await.unwrap();
        run(
            &mut connection,
            &["DROP DATABASE ", &self.name, " WITH (FORCE)"],
        )
        .await;
        connection.close().await.unwrap();
    }
}

async fn run(connection: &mut PgConnection, parts: &[&str]) {
    let mut query = sqlx::QueryBuilder::new("");
    for part in parts {
        query.push(part);
    }
    query.build().execute(connection).await.unwrap();
}
