//! Which replica is called: of two neighbours among those that work, the one with fewer open calls. Nobody is called twice for one request.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use tokio::{sync::watch, time::timeout};
use tonic::{Status, body::Body};

use super::replica::{Replica, Standing};
use crate::{
    error::{Error, Result},
    rpc,
};

/// Longest wait for the first look at replicas, in milliseconds: as long as a look may take.
const FIRST_LOOK_MS_MAX: u64 = super::health::ANSWER_MS_MAX;

/// What is known of a role's replicas.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Whether their names have been looked up once.
    pub(super) resolved: bool,
    /// All of them.
    pub(crate) replicas: Vec<Replica>,
}

impl Table {
    fn working(&self) -> impl Iterator<Item = &Replica> {
        let works = |replica: &&Replica| replica.standing == Standing::Works;
        self.replicas.iter().filter(works)
    }

    /// Whether each of them has been looked at.
    fn judged(&self) -> bool {
        let known = |replica: &Replica| replica.standing != Standing::Unknown;
        self.resolved && self.replicas.iter().all(known)
    }
}

/// The replicas of a role in other processes. Cheap to clone; who watches them stops with the last clone.
#[derive(Clone, Debug)]
pub struct Balanced {
    role: Arc<str>,
    table: watch::Receiver<Table>,
    /// Whose turn it is.
    turn: Arc<AtomicUsize>,
}

impl Balanced {
    pub(super) fn new(role: Arc<str>, table: watch::Receiver<Table>) -> Self {
        Self {
            role,
            table,
            turn: Arc::default(),
        }
    }

    /// What is known of them, as it changes.
    pub(crate) fn table(&self) -> watch::Receiver<Table> {
        self.table.clone()
    }

    /// How the best of them is.
    pub(crate) fn standing(&self) -> Standing {
        let table = self.table.borrow();
        let standings = table.replicas.iter().map(|replica| replica.standing);
        standings.max().unwrap_or(Standing::Silent)
    }

    /// All of them, once each has been looked at.
    pub(crate) async fn judged(&self) -> Vec<Replica> {
        let mut table = self.table.clone();
        let look = Duration::from_millis(FIRST_LOOK_MS_MAX);
        let _ = timeout(look, table.wait_for(Table::judged)).await;
        table.borrow().replicas.clone()
    }

    /// Calls one that works; `UNAVAILABLE` with the role's name when none does.
    pub(crate) async fn call(self, request: Request<Body>) -> Response<Body> {
        let look = Duration::from_millis(FIRST_LOOK_MS_MAX);
        let wait = rpc::timeout(request.headers()).map_or(look, |wait| wait.min(look));
        match self.replica(wait).await {
            Ok(replica) => replica.call(self.role, request).await,
            Err(error) => Status::from(error).into_http(),
        }
    }

    /// Who is called. Somebody nobody has looked at yet may work: then this waits a little, else it answers at once.
    async fn replica(&self, wait: Duration) -> Result<Replica> {
        if let Some(replica) = self.pick() {
            return Ok(replica);
        }
        let mut table = self.table.clone();
        let known = |table: &Table| table.judged() || table.working().next().is_some();
        let _ = timeout(wait, table.wait_for(known)).await;
        self.pick().ok_or_else(|| {
            Error::unavailable(
                "PEER_UNAVAILABLE",
                format!(
                    "no replica of {} works at this moment; repeat the request, with the same idempotency key if it has one",
                    self.role
                ),
            )
        })
    }

    fn pick(&self) -> Option<Replica> {
        let table = self.table.borrow();
        let count = table.working().count();
        let turn = self
            .turn
            .fetch_add(1, Ordering::Relaxed)
            .checked_rem(count)?;
        let one = table.working().nth(turn)?;
        let next = table.working().nth((turn + 1) % count)?;
        let quieter = if next.open() < one.open() { next } else { one };
        Some(quieter.clone())
    }
}
