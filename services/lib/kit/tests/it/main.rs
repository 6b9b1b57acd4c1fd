//! The contract of the spine, with one small machine of the domain: the same cases on SQLite and, where there is a server, on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod balance;
mod feed;
mod fencing;
mod followers;
mod full;
mod inspect;
mod jobs;
mod probe;
mod replicas;
mod store;
mod world;
