//! A role: what it serves and what it does in the background. The node decides where it listens.

mod call;
mod clock;
mod health;
mod master;

use std::time::Duration;

use http::Request;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    task::JoinSet,
};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::{
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::{Server, server::Connected},
};

use crate::{
    BoxFuture,
    caller::Callers,
    clock::Clock,
    db::Db,
    error::{Error, Result},
    feed, limits,
    listen::Listener,
    local::Incoming,
};
use call::Call;
use health::Health;

pub use clock::{follow_offset, remember_offset, stored_offset};
pub use master::keep_clock;

/// How long others are still served after they were told to call another replica, in milliseconds.
const FAREWELL_MS: u64 = 250;
/// How long running calls may go on after that, in milliseconds.
const GRACE_MS: u64 = 1_000;

/// What every role is built from.
#[derive(Clone, Debug)]
pub struct Deps {
    /// The role's database.
    pub db: Db,
    /// The role's clock; its offset is the one stored in `db`.
    pub clock: Clock,
    /// Signs and verifies callers.
    pub callers: Callers,
}

/// Background work that runs until the token is cancelled.
pub type Task = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, Result<()>> + Send>;

/// A built role that has not started.
pub struct Role {
    /// Its name: `scheduler`, `meeting-broker` …
    pub name: &'static str,
    deps: Deps,
    routes: RoutesBuilder,
    health: Health,
    tasks: Vec<Task>,
    listeners: Vec<Listener>,
    /// Whether business time is known: nothing is judged by a clock that missed a move.
    begun: watch::Sender<bool>,
}

impl Role {
    /// A role that serves its event feed, its clock, health and reflection.
    pub async fn new(name: &'static str, deps: Deps) -> Result<Self> {
        let (reporter, health_service) = tonic_health::server::health_reporter();
        let begun = watch::Sender::new(true);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(convene_proto::DESCRIPTORS)
            .build_v1()
            .map_err(|error| Error::internal(format!("reflection: {error}")))?;
        let mut routes = Routes::builder();
        routes
            .add_service(health_service)
            .add_service(reflection)
            .add_service(feed::serve(deps.db.clone(), deps.callers.clone()))
            .add_service(clock::serve(deps.clone(), begun.clone()));
        let (db, clock) = (deps.db.clone(), deps.clock.clone());
        let role = Self {
            name,
            deps,
            routes,
            health: Health::new(reporter),
            tasks: Vec::new(),
            listeners: Vec::new(),
            begun,
        };
        Ok(role.task(move |stop| Box::pin(follow_offset(db, clock, stop))))
    }

    /// Adds the role's own gRPC service.
    pub fn serve<S>(mut self, service: S) -> Self
    where
        S: tower::Service<
                Request<tonic::body::Body>,
                Response = http::Response<tonic::body::Body>,
                Error = std::convert::Infallible,
            > + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.health.services.push(S::NAME);
        self.routes.add_service(service);
        self
    }

    /// Adds background work.
    pub fn task<F>(mut self, task: F) -> Self
    where
        F: FnOnce(CancellationToken) -> BoxFuture<'static, Result<()>> + Send + 'static,
    {
        self.tasks.push(Box::new(task));
        self
    }

    /// Serves other processes too.
    pub fn listen(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Does nothing before the gateway, which has the master's clock and runs elsewhere, has told business time.
    pub fn await_clock(self) -> Self {
        self.begun.send_replace(false);
        self
    }

    /// What it was built from.
    pub fn deps(&self) -> &Deps {
        &self.deps
    }

    /// Serves `incoming` and does the background work until `stop`; the first failure ends the role and is answered.
    pub async fn run(self, incoming: Incoming, stop: CancellationToken) -> Result<()> {
        let name = self.name;
        let probe = self.deps.db.probe().clone();
        let calls = self.deps.db.metrics().calls(name)?;
        let call = Call::to(self.begun.subscribe(), probe, calls);
        let mut running = JoinSet::new();
        for task in self.tasks {
            let (mut begun, stop) = (self.begun.subscribe(), stop.clone());
            running.spawn(async move {
                let begun = begun.wait_for(|begun| *begun);
                if stop.run_until_cancelled(begun).await.is_none() {
                    return Ok(());
                }
                task(stop).await
            });
        }
        // Before anybody can ask.
        self.health.say(false).await;
        let closed = closing(stop.clone(), !self.listeners.is_empty());
        let routes = self.routes.routes();
        let begun = self.begun.subscribe();
        for listener in self.listeners {
            let (server, incoming) = listener.open()?;
            let (routes, call) = (routes.clone(), call.clone());
            running.spawn(serve(name, server, routes, incoming, call, closed.clone()));
        }
        let server = Server::builder();
        running.spawn(serve(name, server, routes, incoming, call, closed));
        let watching = self.health.watch(self.deps.db, begun, stop.clone());
        running.spawn(async move {
            watching.await;
            Ok(())
        });
        let mut first = Ok(());
        while let Some(ended) = running.join_next().await {
            let ended = ended.unwrap_or_else(|error| {
                Err(Error::internal(format!("a task of {name} died: {error}")))
            });
            if ended.is_err() && first.is_ok() {
                first = ended;
                stop.cancel();
            }
        }
        first
    }
}

/// Cancelled after `stop`; a little later where others call, who first have to hear that this one serves no more.
fn closing(stop: CancellationToken, called: bool) -> CancellationToken {
    if !called {
        return stop;
    }
    let closed = CancellationToken::new();
    let later = closed.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_millis(FAREWELL_MS)).await;
        later.cancel();
    });
    closed
}

/// Serves connections until `stop`, in both modes with the same bounds.
async fn serve<I, IO>(
    name: &'static str,
    server: Server,
    routes: Routes,
    incoming: I,
    call: Call<()>,
    stop: CancellationToken,
) -> Result<()>
where
    I: Stream<Item = std::io::Result<IO>> + Send + 'static,
    IO: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let stopped = stop.clone();
    let server = server
        .timeout(Duration::from_millis(limits::DEADLINE_MS_MAX))
        .max_concurrent_streams(limits::STREAMS_MAX)
        .http2_keepalive_interval(Some(Duration::from_millis(limits::KEEP_ALIVE_MS)))
        .http2_keepalive_timeout(Some(Duration::from_millis(
            limits::KEEP_ALIVE_ANSWER_MS_MAX,
        )))
        .layer(tower::layer::layer_fn(move |service| call.of(service)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned());
    let patience = async {
        stopped.cancelled().await;
        tokio::time::sleep(Duration::from_millis(GRACE_MS)).await;
    };
    tokio::select! {
        served = server => served
            .map_err(|error| Error::internal(format!("{name} stopped serving: {error}"))),
        // Watched feeds never end by themselves.
        () = patience => Ok(()),
    }
}
