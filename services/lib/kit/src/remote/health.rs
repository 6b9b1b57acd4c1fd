//! How one replica is, by its own word (`grpc.health.v1`) over the connection that carries its calls, and by whether that connection holds.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};
use tonic::{Status, transport};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{
    balance::Table,
    replica::{Replica, Standing, causes},
};
use crate::{backoff, limits};

/// A replica that is met answers within this time, in milliseconds: connecting included.
pub const ANSWER_MS_MAX: u64 = limits::CONNECT_MS_MAX + 2_000;
/// First and longest pause before a silent replica is looked for again, in milliseconds.
const PAUSE_MS: (u64, u64) = (50, 2_000);

/// Keeps the replica's place in the table true; ends when the future is dropped.
pub async fn watch(role: Arc<str>, replica: Replica, table: Arc<watch::Sender<Table>>) {
    let Some(address) = replica.address else {
        return;
    };
    let teller = Teller {
        role,
        address,
        table,
    };
    let mut failures = 0;
    loop {
        let mut met = false;
        let why = match look(replica.channel(), &teller, &mut met).await {
            Ok(()) => "it went away".to_owned(),
            Err(status) => causes(&status),
        };
        teller.tell(Standing::Silent, &why);
        failures = if met { 1 } else { failures + 1 };
        tokio::time::sleep(backoff::pause(PAUSE_MS, failures)).await;
    }
}

/// Follows what it says until the connection breaks.
async fn look(channel: transport::Channel, teller: &Teller, met: &mut bool) -> Result<(), Status> {
    let first = async {
        let asked = HealthCheckRequest::default();
        let mut told = HealthClient::new(channel).watch(asked).await?.into_inner();
        Ok::<_, Status>((told.message().await?, told))
    };
    let late = |_| Status::deadline_exceeded("it was met and said nothing");
    let patience = Duration::from_millis(ANSWER_MS_MAX);
    let (mut said, mut told) = timeout(patience, first).await.map_err(late)??;
    while let Some(now) = said {
        *met = true;
        let standing = match now.status() {
            ServingStatus::Serving => Standing::Works,
            _ => Standing::Waits,
        };
        teller.tell(standing, "it says so");
        said = told.message().await?;
    }
    Ok(())
}

struct Teller {
    role: Arc<str>,
    address: SocketAddr,
    table: Arc<watch::Sender<Table>>,
}

impl Teller {
    fn tell(&self, standing: Standing, why: &str) {
        self.table.send_if_modified(|table| {
            let mut all = table.replicas.iter_mut();
            let mine = all.find(|replica| replica.address == Some(self.address));
            let Some(replica) = mine.filter(|replica| replica.standing != standing) else {
                return false;
            };
            if replica.standing <= Standing::Silent && standing > Standing::Silent {
                replica.met += 1;
            }
            replica.standing = standing;
            let (role, address) = (&*self.role, self.address);
            tracing::info!(role, %address, ?standing, why, "a replica's standing changed");
            true
        });
    }
}
