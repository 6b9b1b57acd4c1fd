//! The scheduler as its callers meet it, on both databases; on PostgreSQL two replicas of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod mixed;
mod race;
mod world;
