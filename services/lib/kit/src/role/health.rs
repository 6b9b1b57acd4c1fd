//! The health service: a role serves once it works, while its database answers, and until it stops.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::db::Db;

/// Pause between two looks at the database, in milliseconds.
const LOOK_MS: u64 = 5_000;
/// The database answers within this time, in milliseconds.
const ANSWER_MS_MAX: u64 = 2_000;

/// Says how one role is.
pub struct Health {
    pub reporter: HealthReporter,
    /// The gRPC services that stand and fall with the role; `""` is the role itself.
    pub services: Vec<&'static str>,
}

impl Health {
    pub fn new(reporter: HealthReporter) -> Self {
        Self {
            reporter,
            services: vec![""],
        }
    }

    pub async fn say(&self, serving: bool) {
        let status = if serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for service in &self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Keeps telling the truth until `stop`.
    pub async fn watch(self, db: Db, mut begun: watch::Receiver<bool>, stop: CancellationToken) {
        let watching = async {
            // The sender lives as long as the role does.
            let _ = begun.wait_for(|begun| *begun).await;
            loop {
                let patience = Duration::from_millis(ANSWER_MS_MAX);
                let answer = tokio::time::timeout(patience, db.read().ping()).await;
                self.say(matches!(answer, Ok(Ok(())))).await;
                tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            }
        };
        stop.run_until_cancelled(watching).await;
        self.say(false).await;
    }
}
