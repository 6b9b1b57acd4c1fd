//! A role: what it serves and what it does in the background. The node decides where it listens.

mod clock;

use std::time::Duration;

use futures_util::future::Either;
use http::Request;
use tokio_util::sync::CancellationToken;
use tonic::{
    server::NamedService,
    service::{Routes, RoutesBuilder},
    transport::Server,
};
use tracing::{Instrument as _, instrument::Instrumented};

use crate::{
    BoxFuture,
    caller::Callers,
    clock::Clock,
    db::Db,
    error::{Error, Result},
    feed, limits,
    local::Incoming,
    probe::{Act, Probed, Side},
    telemetry,
};

pub use clock::{follow_offset, remember_offset, stored_offset};

/// How long running calls may go on after the wish to stop, in milliseconds.
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
    health: tonic_health::server::HealthReporter,
    tasks: Vec<Task>,
}

impl Role {
    /// A role that serves its event feed, its clock, health and reflection.
    pub async fn new(name: &'static str, deps: Deps) -> Result<Self> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(convene_proto::DESCRIPTORS)
            .build_v1()
            .map_err(|error| Error::internal(format!("reflection: {error}")))?;
        let mut routes = Routes::builder();
        routes
            .add_service(health_service)
            .add_service(reflection)
            .add_service(feed::serve(deps.db.clone(), deps.callers.clone()))
            .add_service(clock::serve(deps.clone()));
        let (db, clock) = (deps.db.clone(), deps.clock.clone());
        let role = Self {
            name,
            deps,
            routes,
            health,
            tasks: Vec::new(),
        };
        Ok(role.task(move |stop| Box::pin(follow_offset(db, clock, stop))))
    }

    /// Adds the role's own gRPC service.
    pub async fn serve<S>(mut self, service: S) -> Self
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
        self.health.set_serving::<S>().await;
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

    /// What it was built from.
    pub fn deps(&self) -> &Deps {
        &self.deps
    }

    /// Serves `incoming` and does the background work until `stop`; the first failure ends the role and is answered.
    pub async fn run(self, incoming: Incoming, stop: CancellationToken) -> Result<()> {
        let name = self.name;
        let probe = self.deps.db.probe().clone();
        let stopped = stop.clone();
        let mut running = tokio::task::JoinSet::new();
        for task in self.tasks {
            running.spawn(task(stop.clone()));
        }
        let server = Server::builder()
            .tcp_nodelay(true)
            .timeout(Duration::from_millis(limits::DEADLINE_MS_MAX))
            .layer(tower::layer::layer_fn(move |inner| Traced {
                inner,
                probe: probe.clone(),
            }))
            .add_routes(self.routes.routes())
            .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
        running.spawn(async move {
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

/// One span per call, child of the caller's, and the points before and after it.
#[derive(Clone)]
struct Traced<S> {
    inner: S,
    probe: Probed,
}

type Answer = http::Response<tonic::body::Body>;

impl<S, B> tower::Service<Request<B>> for Traced<S>
where
    S: tower::Service<Request<B>, Response = Answer> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Answer;
    type Error = S::Error;
    type Future = Instrumented<Either<S::Future, BoxFuture<'static, Result<Answer, S::Error>>>>;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let traceparent = request
            .headers()
            .get(telemetry::TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let method = request.uri().path().trim_start_matches('/').to_owned();
        let span = telemetry::follow(tracing::info_span!("rpc", method), traceparent);
        let answer = if self.probe.is_on() {
            let ready = self.inner.clone();
            let inner = std::mem::replace(&mut self.inner, ready);
            let probe = self.probe.clone();
            Either::Right(Box::pin(disturbed(inner, probe, method, request)) as BoxFuture<'_, _>)
        } else {
            Either::Left(self.inner.call(request))
        };
        answer.instrument(span)
    }
}

/// A call that may get lost on its way here or back.
async fn disturbed<S, B>(
    mut inner: S,
    probe: Probed,
    method: String,
    request: Request<B>,
) -> Result<Answer, S::Error>
where
    S: tower::Service<Request<B>, Response = Answer>,
{
    let what = || method.clone();
    if let Err(error) = probe.pass(Side::Before, Act::Call, what).await {
        return Ok(tonic::Status::from(error).into_http());
    }
    let answer = inner.call(request).await?;
    match probe.pass(Side::After, Act::Call, what).await {
        Ok(_) => Ok(answer),
        Err(error) => Ok(tonic::Status::from(error).into_http()),
    }
}
