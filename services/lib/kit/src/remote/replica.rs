//! One server of a role, and what becomes of a call to it.

use std::{
    error::Error as Cause,
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use tonic::{Status, TimeoutExpired, body::Body, transport};
use tower::{Service as _, ServiceExt as _};

use crate::error::Error;

/// How a replica is, worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// It does not answer.
    Silent,
    /// It answers and serves nobody: it starts or stops, or its database is away.
    Waits,
    /// It serves.
    Works,
}

/// One server of a role. Cheap to clone.
#[derive(Clone)]
pub struct Replica {
    /// Where it is; `None`: in this process.
    pub(crate) address: Option<SocketAddr>,
    channel: transport::Channel,
    pub(crate) standing: Standing,
    /// How often it was met after it was silent: another number, perhaps another process.
    pub(crate) met: u64,
    /// Calls without an answer yet.
    open: Arc<AtomicUsize>,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replica({:?}, {:?})", self.address, self.standing)
    }
}

impl Replica {
    pub(crate) fn at(address: SocketAddr, channel: transport::Channel) -> Self {
        Self {
            address: Some(address),
            channel,
            standing: Standing::Unknown,
            met: 0,
            open: Arc::default(),
        }
    }

    /// The one in this process, which is there as long as whoever asks.
    pub(crate) fn here(channel: transport::Channel) -> Self {
        Self {
            address: None,
            standing: Standing::Works,
            met: 1,
            channel,
            open: Arc::default(),
        }
    }

    /// The way to this one alone.
    pub fn channel(&self) -> transport::Channel {
        self.channel.clone()
    }

    /// How it was when this was handed out.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Calls that it has not answered yet.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Calls it, once. A connection that breaks before the whole answer is here answers `PEER_LOST`.
    pub(super) async fn call(mut self, role: Arc<str>, request: Request<Body>) -> Response<Body> {
        let _open = Open::new(&self.open);
        let answered = match self.channel.ready().await {
            Ok(channel) => channel.call(request).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(response) => {
                response.map(|body| Body::new(body.map_err(move |status| lost(&role, &status))))
            }
            Err(error) => lost(&role, &error).into_http(),
        }
    }
}

/// Counts a call until it is answered or dropped.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the caller is told of a connection that failed it.
fn lost(role: &str, error: &(dyn Cause + 'static)) -> Status {
    let late = chain(error).any(|cause| cause.is::<TimeoutExpired>());
    let told = match late {
        true => Error::timeout(format!("{role} did not answer in time; it may have acted")),
        false => Error::unavailable(
            "PEER_LOST",
            format!(
                "the connection to {role} broke before its answer was whole, and it may have acted; repeat the request with the same idempotency key"
            ),
        ),
    };
    told.with_detail(causes(error)).into()
}

/// An error and what caused it.
fn chain<'a>(error: &'a (dyn Cause + 'static)) -> impl Iterator<Item = &'a (dyn Cause + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The words of an error and of what caused it, for operators.
pub(super) fn causes(error: &(dyn Cause + 'static)) -> String {
    let words = |error: &(dyn Cause + 'static)| match error.downcast_ref::<Status>() {
        // Its own display repeats its source.
        Some(status) => status.message().to_owned(),
        None => error.to_string(),
    };
    chain(error).map(words).collect::<Vec<_>>().join(": ")
}
