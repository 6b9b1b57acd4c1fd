//! What happens in calls by itself: things that are due, callbacks on their way, prompts to look at.
//!
//! Callbacks of one leg follow each other: the next one waits until the one before was taken or given up. They are written with the change that made
//! them, so a restart sends again what was not taken, under the same id.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use convene_acs::{CALLBACK_ISSUER, Callback, Fetch, GridEvent, State};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{moment, wav};
use crate::state::Shared;

/// Longest wait for somebody to take a callback, in milliseconds.
const ANSWER_MS_MAX: u64 = 10_000;
/// Pauses between attempts, in milliseconds of time that nobody moves; then it is given up.
const PAUSES_MS: [u64; 6] = [200, 1_000, 2_000, 4_000, 8_000, 16_000];
/// Life of a callback's token, in seconds.
const TOKEN_S: i64 = 300;
/// Things on their way at the same time.
const RUNNING_MAX: usize = 256;
/// Looks again after this time though nobody called, in milliseconds.
const LOOK_MS: i64 = 1_000;
/// Bytes of a prompt that are read.
const PROMPT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A key of what is on its way, so that nothing is twice.
type Key = String;
const GRID: &str = "event grid";

/// Works until told to stop.
pub async fn work(shared: Arc<Shared>, stop: CancellationToken) {
    let Ok(http) = client() else {
        tracing::error!("no HTTP client: callbacks of calls are not sent");
        return;
    };
    let worker = Worker {
        grid: format!("http://127.0.0.1:{}/eventgrid", shared.event_grid_port),
        shared,
        http,
        validated: Arc::default(),
        running: Arc::default(),
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = worker.run() => {}
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    // The program's own has been installed already, a test's not.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(ANSWER_MS_MAX))
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

#[derive(Clone)]
struct Worker {
    shared: Arc<Shared>,
    http: reqwest::Client,
    grid: String,
    /// Whether the sink has proved that it wants events.
    validated: Arc<Mutex<bool>>,
    running: Arc<Mutex<BTreeSet<Key>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    async fn run(&self) {
        let mut tasks = JoinSet::new();
        loop {
            let called = self.shared.calls_moved.notified();
            self.tick();
            match self.shared.persist().await {
                Ok(()) => self.send_out(&mut tasks),
                // What is not kept is not told.
                Err(error) => tracing::error!(%error, "the simulator's state was not kept"),
            }
            tokio::select! {
                () = called => {}
                () = tokio::time::sleep(self.pause()) => {}
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    fn tick(&self) {
        let now_ms = self.shared.clock.now_ms();
        let due = self.shared.read().acs.calls().next_due_ms();
        if due.is_some_and(|due_ms| due_ms <= now_ms) {
            self.change(|acs, shared, made| acs.tick(moment(shared, made)));
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, &Shared, u64) -> T) -> T {
        self.shared.change(|world| {
            let made = world.next();
            change(&mut world.acs, &self.shared, made)
        })
    }

    /// Until the next thing is due.
    fn pause(&self) -> Duration {
        let due = self.shared.read().acs.calls().next_due_ms();
        let left = due.map_or(LOOK_MS, |due_ms| due_ms - self.shared.clock.now_ms());
        Duration::from_millis(left.clamp(1, LOOK_MS).unsigned_abs())
    }

    /// Sends what waits and is not on its way yet.
    fn send_out(&self, tasks: &mut JoinSet<()>) {
        let world = self.shared.read();
        let calls = world.acs.calls();
        let mut running = locked(&self.running);
        let mut free = |key: &str| running.len() < RUNNING_MAX && running.insert(key.to_owned());
        for (leg, callback) in calls.callbacks() {
            if free(leg) {
                let (worker, leg, callback) = (self.clone(), leg.to_owned(), callback.clone());
                tasks.spawn(async move { worker.callback(&leg, callback).await });
            }
        }
        if let Some(event) = calls.grid_event()
            && free(GRID)
        {
            let (worker, event) = (self.clone(), event.clone());
            tasks.spawn(async move { worker.grid_event(event).await });
        }
        for fetch in calls.fetches() {
            if free(&format!("prompt {}", fetch.operation)) {
                let (worker, fetch) = (self.clone(), fetch.clone());
                tasks.spawn(async move { worker.fetch(fetch).await });
            }
        }
    }

    fn over(&self, key: &str) {
        locked(&self.running).remove(key);
        self.shared.calls_moved.notify_one();
    }

    async fn callback(&self, leg: &str, callback: Callback) {
        let body = callback.body(leg);
        for pause_ms in PAUSES_MS.map(Some).into_iter().chain([None]) {
            let sent = self.http.post(&callback.url).json(&body);
            // A new token each time: its life is short.
            let sent = match self.token() {
                Some(token) => sent.bearer_auth(token),
                None => sent,
            };
            if taken(sent).await {
                break;
            }
            match pause_ms {
                Some(pause_ms) => tokio::time::sleep(Duration::from_millis(pause_ms)).await,
                None => tracing::warn!(kind = callback.kind, "a callback was given up"),
            }
        }
        self.change(|acs, _, _| acs.calls_mut().callback_done(leg, &callback.id));
        self.over(leg);
    }

    /// By the wall, because that is what verifiers look at.
    fn token(&self) -> Option<String> {
        let now = self.shared.clock.wall_ms() / 1_000;
        let resource = &self.shared.resource;
        let claims = json!({
            "iss": CALLBACK_ISSUER,
            "aud": resource.id,
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_S,
            "jti": uuid::Uuid::new_v4(),
        });
        resource.signer.sign(&claims).ok()
    }

    async fn grid_event(&self, event: GridEvent) {
        let topic = format!(
            "/subscriptions/local/communicationServices/{}",
            self.shared.resource.id
        );
        for pause_ms in PAUSES_MS.map(Some).into_iter().chain([None]) {
            if self.validated(&topic).await {
                let sent = self
                    .http
                    .post(&self.grid)
                    .header("aeg-event-type", "Notification");
                if taken(sent.json(&event.body(&topic))).await {
                    break;
                }
            }
            match pause_ms {
                Some(pause_ms) => tokio::time::sleep(Duration::from_millis(pause_ms)).await,
                None => tracing::warn!(kind = event.kind, "an Event Grid event was given up"),
            }
        }
        self.change(|acs, _, _| acs.calls_mut().grid_event_done(&event.id));
        self.over(GRID);
    }

    /// The sink says a code back before it gets events.
    async fn validated(&self, topic: &str) -> bool {
        if *locked(&self.validated) {
            return true;
        }
        let code = uuid::Uuid::new_v4().to_string();
        let body = json!([{
            "id": uuid::Uuid::new_v4(),
            "topic": topic,
            "subject": "",
            "data": {"validationCode": code},
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": crate::clock::rfc3339(self.shared.clock.now_ms()),
            "metadataVersion": "1",
            "dataVersion": "2",
        }]);
        let sent = self
            .http
            .post(&self.grid)
            .header("aeg-event-type", "SubscriptionValidation");
        let said: Option<Value> = match sent.json(&body).send().await {
            Ok(answer) if answer.status().is_success() => answer.json().await.ok(),
            Ok(_) | Err(_) => None,
        };
        let good = said.is_some_and(|said| said.get("validationResponse") == Some(&json!(code)));
        *locked(&self.validated) = good;
        good
    }

    async fn fetch(&self, fetch: Fetch) {
        let looked = self.look(&fetch.url).await;
        self.change(|acs, shared, made| acs.fetched(&fetch, looked, moment(shared, made)));
        self.over(&format!("prompt {}", fetch.operation));
    }

    /// How long a prompt plays, by the header of its file.
    async fn look(&self, url: &str) -> Result<i64, (u32, &'static str)> {
        const GONE: (u32, &str) = (8_536, "The file could not be downloaded.");
        let mut answer = self.http.get(url).send().await.map_err(|_| GONE)?;
        if !answer.status().is_success() {
            return Err(GONE);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| GONE)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > PROMPT_BYTES_MAX {
                return Err((8_535, "The file has more than 16 MiB."));
            }
        }
        wav::duration_ms(&bytes).ok_or((
            8_535,
            "The file is not WAV with one channel of 16 bits at 16 kHz.",
        ))
    }
}

async fn taken(sent: reqwest::RequestBuilder) -> bool {
    let answer = sent.send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}
