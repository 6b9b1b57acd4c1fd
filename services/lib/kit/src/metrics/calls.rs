//! Calls that a role answers. A method's metrics are found once and kept: a call costs a look into a small table and three atomic adds.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, Request, Response};
use prometheus_client::metrics::{counter::Counter, histogram::Histogram};
use prost::Message as _;
use prost_types::FileDescriptorSet;

use tokio::time::Instant;

use super::{Families, Metrics, OfCode, OfMethod};
use crate::{
    BoxFuture,
    error::{Error, Result},
};

/// gRPC's codes by their numbers.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// Number of `UNKNOWN`.
const UNKNOWN: usize = 2;
/// Name of methods that are not in our contracts.
const OTHER: &str = "other";

/// The calls of one role.
#[derive(Clone)]
pub struct Calls(Arc<OfOneRole>);

struct OfOneRole {
    role: &'static str,
    families: Arc<Families>,
    methods: HashMap<String, Method>,
    other: Method,
}

struct Method {
    name: String,
    seconds: OnceLock<Histogram>,
    codes: [OnceLock<Counter>; CODES.len()],
}

impl Method {
    fn new(name: String) -> Self {
        Self {
            name,
            seconds: OnceLock::new(),
            codes: [const { OnceLock::new() }; CODES.len()],
        }
    }
}

impl Metrics {
    /// What a role's calls are measured by.
    pub fn calls(&self, role: &'static str) -> Result<Calls> {
        let contracts = FileDescriptorSet::decode(convene_proto::DESCRIPTORS)
            .map_err(|error| Error::internal(format!("contracts: {error}")))?;
        let mut methods = HashMap::new();
        for file in &contracts.file {
            for service in &file.service {
                for method in &service.method {
                    let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                    methods.insert(format!("/{name}"), Method::new(name));
                }
            }
        }
        Ok(Calls(Arc::new(OfOneRole {
            role,
            families: self.families.clone(),
            methods,
            other: Method::new(OTHER.to_owned()),
        })))
    }
}

impl Calls {
    /// A call of this path was answered with this code, or its stream began.
    pub fn answered(&self, path: &str, code: usize, took: Duration) {
        let of = &self.0;
        let method = of.methods.get(path).unwrap_or(&of.other);
        let code = if code < CODES.len() { code } else { UNKNOWN };
        if let (Some(count), Some(name)) = (method.codes.get(code), CODES.get(code)) {
            let make = || {
                of.families.calls.get_or_create_owned(&OfCode {
                    role: of.role,
                    method: method.name.clone(),
                    code: name,
                })
            };
            count.get_or_init(make).inc();
        }
        let make = || {
            of.families.call_seconds.get_or_create_owned(&OfMethod {
                role: of.role,
                method: method.name.clone(),
            })
        };
        method.seconds.get_or_init(make).observe(took.as_secs_f64());
    }
}

/// Measures the calls that go through it.
#[derive(Clone)]
pub struct Measured<S> {
    inner: S,
    calls: Calls,
}

impl<S> Measured<S> {
    /// Before a service.
    pub fn new(inner: S, calls: Calls) -> Self {
        Self { inner, calls }
    }
}

impl<S, B, R> tower::Service<Request<B>> for Measured<S>
where
    S: tower::Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send,
    R: Send,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<'static, std::result::Result<Response<R>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<std::result::Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let began = Instant::now();
        let (calls, uri) = (self.calls.clone(), request.uri().clone());
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await;
            if let Ok(answer) = &answer {
                let code = code_of(answer.headers());
                calls.answered(uri.path(), code, began.elapsed());
            }
            answer
        })
    }
}

/// The code of an answer that has one in its headers, as refusals have; an answer that begins without one is OK so far.
fn code_of(headers: &HeaderMap) -> usize {
    let Some(code) = headers.get("grpc-status") else {
        return 0;
    };
    let code = code.to_str().ok().and_then(|code| code.parse().ok());
    code.unwrap_or(UNKNOWN)
}
