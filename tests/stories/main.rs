//! Stories through the public API: one file per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Plays each story of a module on every set-up.
macro_rules! on_every_world {
    ($($story:ident),+ $(,)?) => {
        crate::on_every_world!(@ embedded Embedded $($story)+);
        crate::on_every_world!(@ split Split $($story)+);
    };
    (@ $module:ident $set_up:ident $($story:ident)+) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    Box::pin(super::$story(convene_tests::SetUp::$set_up)).await;
                }
            )+
        }
    };
}
pub(crate) use on_every_world;

/// Plays each story of a module on two nodes for each role, where there is a PostgreSQL server.
macro_rules! on_replicas {
    ($($story:ident),+ $(,)?) => {
        mod replicated {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $story() {
                    convene_scratch::on_postgres(|place| {
                        Box::pin(super::$story(convene_tests::SetUp::Replicated(place)))
                    })
                    .await;
                }
            )+
        }
    };
}
pub(crate) use on_replicas;

mod assignment;
mod availability;
mod bad_input;
mod capacity;
mod clock;
mod consent;
mod creation;
mod door;
mod faults;
mod health;
mod hold;
mod isolation;
mod isolation_grpc;
mod lobby;
mod operations;
mod outcome;
mod plugins;
mod replicas;
mod reschedule;
mod subscription;
mod tenancy;
mod webhooks;
mod whole;
mod workflows;

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 3_600_000;
