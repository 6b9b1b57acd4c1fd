//! The databases of the services, one module and one migrator each. Migrations only add; a released one never changes.
//!
//! Every service has the tables of the spine (event log, jobs, cursors, idempotency, clock) and one table per machine. All text is portable
//! between SQLite and PostgreSQL; times are milliseconds since the Unix epoch.

mod spine;

pub mod gateway;
pub mod lobby_manager;
pub mod meeting_broker;
pub mod recording_coordinator;
pub mod scheduler;
pub mod webhooks;
pub mod workflows;
