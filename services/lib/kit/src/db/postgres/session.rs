//! One session of the database that holds this process's leases as advisory locks: they end by themselves with the process or its connection.

use std::{collections::HashMap, sync::Arc, time::Duration};

use sqlx::{Connection as _, PgConnection};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::connect::Server;
use crate::{
    db::{Held, stopped},
    error::Result,
};

/// Leases that one process may wish for and that the session has not looked at yet.
const WISHES_MAX: usize = 64;
/// How often the session looks whether a lease came free and its own are still held, in milliseconds.
const LOOK_MS: u64 = 250;
/// A look that takes longer has lost the session, in milliseconds.
const ANSWER_MS: u64 = 3_000;
/// What the server does when it hears nothing: a process that stands still or is cut off loses its leases after this time, in milliseconds.
const SILENT_MS: u64 = 10_000;
/// The same for a connection whose other end is gone, in seconds and tries.
const KEEPALIVE: [(&str, u64); 3] = [
    ("tcp_keepalives_idle", 3),
    ("tcp_keepalives_interval", 2),
    ("tcp_keepalives_count", 3),
];

/// Asks for leases. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    wishes: mpsc::Sender<Wish>,
}

struct Wish {
    name: String,
    granted: oneshot::Sender<Held>,
}

impl Session {
    /// Connects when the first lease is wanted.
    pub fn start(server: &Server, stop: CancellationToken) -> Self {
        let (wishes, wished) = mpsc::channel(WISHES_MAX);
        let keeper = Keeper {
            server: server.clone(),
            connection: None,
            waiting: Vec::new(),
            held: HashMap::new(),
            changed: Arc::new(Notify::new()),
            stop: stop.clone(),
        };
        tokio::spawn(stop.run_until_cancelled_owned(keeper.keep(wished)));
        Self { wishes }
    }

    /// Waits until the lease of this name is this process's.
    pub async fn lease(&self, name: &str) -> Result<Held> {
        let (granted, answer) = oneshot::channel();
        let name = name.to_owned();
        let wish = Wish { name, granted };
        self.wishes.send(wish).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }
}

struct Keeper {
    server: Server,
    connection: Option<PgConnection>,
    waiting: Vec<Wish>,
    held: HashMap<String, Grant>,
    /// A lease was given back.
    changed: Arc<Notify>,
    stop: CancellationToken,
}

struct Grant {
    lost: CancellationToken,
    given_back: CancellationToken,
}

impl Keeper {
    async fn keep(mut self, mut wished: mpsc::Receiver<Wish>) {
        let mut look = tokio::time::interval(Duration::from_millis(LOOK_MS));
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                wish = wished.recv() => match wish {
                    Some(wish) => self.waiting.push(wish),
                    None => return,
                },
                () = self.changed.notified() => {}
                _ = look.tick() => {}
            }
            self.waiting.retain(|wish| !wish.granted.is_closed());
            if self.waiting.is_empty() && self.held.is_empty() {
                continue;
            }
            let looked = tokio::time::timeout(Duration::from_millis(ANSWER_MS), self.look()).await;
            let failed = match looked {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer".to_owned(),
            };
            tracing::warn!(
                detail = failed,
                leases = self.held.len(),
                "the session of the leases broke"
            );
            // Whoever worked under a lease stops before anybody else begins, but for what the server noticed first.
            self.connection = None;
            for (_, grant) in self.held.drain() {
                grant.lost.cancel();
            }
        }
    }

    async fn look(&mut self) -> Result<(), sqlx::Error> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let settings = KEEPALIVE
                    .into_iter()
                    .chain([("idle_session_timeout", SILENT_MS)]);
                none.insert(self.server.connect(settings).await?)
            }
        };
        let given_back: Vec<String> = self
            .held
            .iter()
            .filter(|(_, grant)| grant.given_back.is_cancelled())
            .map(|(name, _)| name.clone())
            .collect();
        for name in given_back {
            sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1, 0))")
                .bind(key(&self.server, &name))
                .execute(&mut *connection)
                .await?;
            self.held.remove(&name);
        }
        let mut place = 0;
        while let Some(wish) = self.waiting.get(place) {
            // A session may take a lock that it holds a second time.
            let free = !self.held.contains_key(&wish.name)
                && sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
                    .bind(key(&self.server, &wish.name))
                    .fetch_one(&mut *connection)
                    .await?;
            if !free {
                place += 1;
                continue;
            }
            let wish = self.waiting.remove(place);
            let lost = self.stop.child_token();
            let given_back = CancellationToken::new();
            let held = Held::new(lost.clone(), given_back.clone(), self.changed.clone());
            self.held.insert(wish.name, Grant { lost, given_back });
            // One that nobody takes any more is given back by its drop.
            let _ = wish.granted.send(held);
        }
        connection.ping().await
    }
}

fn key(server: &Server, name: &str) -> String {
    format!("{}/lease/{name}", server.schema())
}
