//! Plumbing that every role needs. Nothing here knows what a meeting is.

pub mod backoff;
pub mod caller;
pub mod channel;
pub mod clock;
pub mod convert;
pub mod db;
pub mod digest;
pub mod error;
pub mod event;
pub mod feed;
pub mod finding;
pub mod idempotency;
pub mod ids;
pub mod jobs;
pub mod keys;
pub mod lease;
pub mod limits;
pub mod listen;
pub mod local;
pub mod metrics;
pub mod outbound;
pub mod probe;
pub mod remote;
pub mod role;
pub mod rpc;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod token;

pub use caller::{Caller, Callers, KeyScope, KeyScopes, Scope};
pub use channel::Channel;
pub use clock::Clock;
pub use db::{Database, Db, Tx, Writes};
pub use error::{Code, Error, Result};
pub use metrics::Metrics;
pub use role::{Deps, Role};
pub use rpc::Context;
pub use store::{Origin, Row, Table};

/// A boxed future that may borrow, as the store's closures return.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
