//! What happens to every call before its service sees it.

use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use tokio::sync::watch;
use tonic::{Status, body::Body};
use tracing::instrument::{Instrument as _, Instrumented};

use crate::{
    BoxFuture,
    error::Error,
    metrics::{Calls, Measured},
    probe::{Act, Probed, Side},
    telemetry,
};

/// Answered also before the role works.
const ALWAYS: [&str; 3] = [
    "/convene.clock.v1.Clock/",
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1.ServerReflection/",
];

/// One span per call, child of the caller's, and the points before and after it; no call before the role knows the time.
#[derive(Clone)]
pub struct Call<S> {
    inner: S,
    begun: watch::Receiver<bool>,
    probe: Probed,
    calls: Calls,
}

type Answer = Response<Body>;
type Answering<F, E> = Either<F, BoxFuture<'static, Result<Answer, E>>>;

impl Call<()> {
    /// Around no service yet.
    pub fn to(begun: watch::Receiver<bool>, probe: Probed, calls: Calls) -> Self {
        let inner = ();
        Self {
            inner,
            begun,
            probe,
            calls,
        }
    }

    /// Around this one, and measured.
    pub fn of<S>(&self, inner: S) -> Measured<Call<S>> {
        let call = Call {
            inner,
            begun: self.begun.clone(),
            probe: self.probe.clone(),
            calls: self.calls.clone(),
        };
        Measured::new(call, self.calls.clone())
    }
}

impl<S, B> tower::Service<Request<B>> for Call<S>
where
    S: tower::Service<Request<B>, Response = Answer> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Answer;
    type Error = S::Error;
    type Future =
        Either<Ready<Result<Answer, S::Error>>, Instrumented<Answering<S::Future, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path();
        if !*self.begun.borrow() && !ALWAYS.iter().any(|prefix| path.starts_with(prefix)) {
            return Either::Left(ready(Ok(Status::from(starting()).into_http())));
        }
        let traceparent = request
            .headers()
            .get(telemetry::TRACEPARENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let method = path.trim_start_matches('/').to_owned();
        let span = tracing::info_span!("rpc", method, otel.name = method, otel.kind = "server");
        let span = telemetry::follow(span, traceparent);
        let answer: Answering<_, _> = if self.probe.is_on() {
            let ready = self.inner.clone();
            let inner = std::mem::replace(&mut self.inner, ready);
            let probe = self.probe.clone();
            Either::Right(Box::pin(disturbed(inner, probe, method, request)))
        } else {
            Either::Left(self.inner.call(request))
        };
        Either::Right(answer.instrument(span))
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
        return Ok(Status::from(error).into_http());
    }
    let answer = inner.call(request).await?;
    match probe.pass(Side::After, Act::Call, what).await {
        Ok(_) => Ok(answer),
        Err(error) => Ok(Status::from(error).into_http()),
    }
}

fn starting() -> Error {
    Error::unavailable(
        "ROLE_STARTING",
        "the role waits for the gateway to tell business time; start the gateway, or try again in a moment",
    )
}
