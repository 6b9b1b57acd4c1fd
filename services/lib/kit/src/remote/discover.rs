//! Where a role's replicas are: addresses as they are configured, and all that its names resolve to, looked up again and again.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::lookup_host,
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    balance::{Balanced, Table},
    endpoint, health,
    replica::Replica,
};
use crate::{backoff, tls::Tls};

/// Pause between two look-ups of a role's names, in milliseconds; half of it is chance.
const LOOK_UP_MS: u64 = 5_000;
/// A look-up answers within this time, in milliseconds; a later one counts as failed.
const LOOK_UP_MS_MAX: u64 = 5_000;
/// Replicas of one role; more are not called.
const REPLICAS_MAX: usize = 64;

/// What the configuration says of a role's replicas.
pub struct Source {
    pub field: String,
    pub role: Arc<str>,
    /// `host:port`, each.
    pub places: Vec<String>,
    pub tls: Option<Tls>,
}

/// Begins to look for replicas, and goes on until nobody has the [`Balanced`] any more.
pub fn start(source: Source) -> Balanced {
    let (table, seen) = watch::channel(Table::default());
    let balanced = Balanced::new(source.role.clone(), seen);
    tokio::spawn(async move {
        let table = Arc::new(table);
        tokio::select! {
            () = table.closed() => {}
            () = keep(source, table.clone()) => {}
        }
    });
    balanced
}

async fn keep(source: Source, table: Arc<watch::Sender<Table>>) {
    let mut found: BTreeMap<&str, BTreeSet<SocketAddr>> = BTreeMap::new();
    let mut watched: BTreeMap<SocketAddr, AbortOnDropHandle<()>> = BTreeMap::new();
    let fixed = source.places.iter().all(|place| is_address(place));
    loop {
        for place in &source.places {
            // Where nothing is found now, those from before may be there still: their health says it.
            if let Some(addresses) = source.look_up(place).await {
                found.insert(place, addresses);
            }
        }
        let mut all: BTreeSet<_> = found.values().flatten().copied().collect();
        if all.len() > REPLICAS_MAX {
            tracing::warn!(
                role = &*source.role,
                found = all.len(),
                "more replicas than {REPLICAS_MAX}; the rest is not called"
            );
            all = all.into_iter().take(REPLICAS_MAX).collect();
        }
        watched.retain(|address, _| all.contains(address));
        let new: Vec<_> = all
            .iter()
            .filter(|address| !watched.contains_key(address))
            .filter_map(|address| source.replica(*address))
            .collect();
        table.send_modify(|table| {
            let there = |replica: &Replica| replica.address.is_some_and(|at| all.contains(&at));
            table.replicas.retain(there);
            table.replicas.extend(new.iter().cloned());
            table.resolved = true;
        });
        for replica in new {
            if let Some(address) = replica.address {
                let watching = health::watch(source.role.clone(), replica, table.clone());
                watched.insert(address, AbortOnDropHandle::new(tokio::spawn(watching)));
            }
        }
        if fixed {
            return std::future::pending().await;
        }
        sleep(backoff::pause((LOOK_UP_MS, LOOK_UP_MS), 1)).await;
    }
}

fn is_address(place: &str) -> bool {
    place.parse::<SocketAddr>().is_ok()
}

impl Source {
    /// All addresses of a place; `None` when they cannot be known now.
    async fn look_up(&self, place: &str) -> Option<BTreeSet<SocketAddr>> {
        let patience = Duration::from_millis(LOOK_UP_MS_MAX);
        let why = match timeout(patience, lookup_host(place)).await {
            Ok(Ok(found)) => {
                // `localhost` is promised to be this machine; without TLS that promise is looked at.
                let safe = |at: &SocketAddr| self.tls.is_some() || at.ip().is_loopback();
                return Some(found.filter(safe).collect());
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {LOOK_UP_MS_MAX} ms"),
        };
        let (field, role) = (&self.field, &*self.role);
        tracing::warn!(
            field,
            role,
            place,
            why,
            "a name of a role's replicas is not known"
        );
        None
    }

    fn replica(&self, address: SocketAddr) -> Option<Replica> {
        let place = address.to_string();
        match endpoint(&self.field, &self.role, &place, self.tls.as_ref()) {
            Ok(endpoint) => Some(Replica::at(address, endpoint.connect_lazy())),
            Err(error) => {
                tracing::error!(%error, detail = error.detail(), "a replica cannot be called");
                None
            }
        }
    }
}
