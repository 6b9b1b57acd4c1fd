//! News of commits: told inside the process at once, and to the other replicas once a batch, never inside a change's transaction, because a
//! notification there would make commits wait for each other.

use std::{sync::Arc, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgListener, PgNotification},
};
use tokio::{
    sync::{Notify, watch},
    time::Interval,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::connect::Server;
use crate::{error::Result, ids};

/// How often everybody is woken when no news came, in milliseconds: the backstop behind notifications that got lost.
const BACKSTOP_MS: u64 = 1_000;
/// Pause before a broken connection is opened again, in milliseconds.
const REOPEN_MS: u64 = 250;

/// Tells and hears of commits. Cheap to clone.
#[derive(Clone)]
pub struct News {
    commits: watch::Sender<u64>,
    tell: Arc<Notify>,
}

impl News {
    pub async fn start(server: &Server, pool: PgPool, stop: CancellationToken) -> Result<Self> {
        let news = Self {
            commits: watch::Sender::new(0),
            tell: Arc::new(Notify::new()),
        };
        let me = ids::new();
        let channel = server.schema().to_owned();
        let telling = tell(pool, channel.clone(), me, news.tell.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(telling));
        let listener = listen(server).await?;
        let hearing = hear(server.clone(), listener, me, news.clone());
        tokio::spawn(stop.run_until_cancelled_owned(hearing));
        Ok(news)
    }

    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Something was committed here.
    pub fn committed(&self) {
        self.wake();
        self.tell.notify_one();
    }

    fn wake(&self) {
        self.commits.send_modify(|count| *count += 1);
    }
}

/// One notification for all commits since the last one.
async fn tell(pool: PgPool, channel: String, me: Uuid, wanted: Arc<Notify>) {
    loop {
        wanted.notified().await;
        let told = sqlx::query("SELECT pg_notify($1, $2)")
            .bind(&channel)
            .bind(me.to_string())
            .execute(&pool)
            .await;
        if let Err(error) = told {
            // The others' backstop wakes them.
            tracing::debug!(detail = %error, "a notification was not sent");
        }
    }
}

async fn listen(server: &Server) -> Result<PgListener> {
    let mut listener = PgListener::connect_with(&server.pool(1).await?).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(server.schema()).await?;
    Ok(listener)
}

async fn hear(server: Server, mut listener: PgListener, me: Uuid, news: News) {
    let me = me.to_string();
    let mut backstop = tokio::time::interval(Duration::from_millis(BACKSTOP_MS));
    backstop.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        match next(&mut listener, &mut backstop, &news).await {
            // What was committed here is known here.
            Ok(Some(heard)) if heard.payload() == me => {}
            // News, or a connection that was lost and opened again: something may have been missed.
            Ok(_) => news.wake(),
            Err(error) => {
                tracing::warn!(detail = %error, "listening for commits broke; opening it again");
                listener = reopen(&server, &news).await;
            }
        }
    }
}

async fn next(
    listener: &mut PgListener,
    backstop: &mut Interval,
    news: &News,
) -> Result<Option<PgNotification>, sqlx::Error> {
    let mut next = std::pin::pin!(listener.try_recv());
    loop {
        tokio::select! {
            heard = &mut next => return heard,
            _ = backstop.tick() => news.wake(),
        }
    }
}

/// Tries until the server is there again; meanwhile nobody sleeps for ever.
async fn reopen(server: &Server, news: &News) -> PgListener {
    loop {
        tokio::time::sleep(Duration::from_millis(REOPEN_MS)).await;
        let listener = listen(server).await;
        news.wake();
        if let Ok(listener) = listener {
            return listener;
        }
    }
}
