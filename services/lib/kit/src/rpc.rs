//! What every call between roles carries: who, until when, in which trace.

use std::time::Duration;

use tokio::time::Instant;
use tonic::{Request, metadata::MetadataValue};

use crate::{
    caller::{Caller, Callers},
    clock::Clock,
    error::{Error, Result},
    limits,
    store::Origin,
    telemetry,
};

/// Metadata key of the signed caller.
const CALLER: &str = "convene-caller";
/// gRPC's own deadline header.
const TIMEOUT: &str = "grpc-timeout";

/// The circumstances of one call.
#[derive(Clone, Debug)]
pub struct Context {
    /// Who calls.
    pub caller: Caller,
    /// When the caller stops waiting.
    pub deadline: Instant,
}

impl Context {
    /// For work that a role begins by itself.
    pub fn begin(caller: Caller) -> Self {
        Self::until(caller, Duration::from_millis(limits::DEADLINE_MS))
    }

    /// For a caller who waits this long.
    pub fn until(caller: Caller, wait: Duration) -> Self {
        Self {
            caller,
            deadline: Instant::now() + wait.min(Duration::from_millis(limits::DEADLINE_MS_MAX)),
        }
    }

    /// From an incoming call; refuses one without a valid signed caller.
    pub fn accept<T>(callers: &Callers, request: &Request<T>) -> Result<Self> {
        let text = |key| request.metadata().get(key)?.to_str().ok();
        let caller = callers.verify(text(CALLER).unwrap_or_default())?;
        let wait = text(TIMEOUT)
            .and_then(parse_timeout)
            .unwrap_or(Duration::from_millis(limits::DEADLINE_MS));
        Ok(Self::until(caller, wait))
    }

    /// An outgoing call on behalf of the same caller, with what is left of the deadline.
    pub fn request<T>(&self, callers: &Callers, message: T) -> Result<Request<T>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::timeout("the deadline passed before the call"));
        }
        let mut request = Request::new(message);
        request.set_timeout(left);
        let metadata = request.metadata_mut();
        let ascii = |text: String| {
            MetadataValue::try_from(text).map_err(|_| Error::internal("metadata is not ASCII"))
        };
        metadata.insert(CALLER, ascii(callers.sign(&self.caller)?)?);
        let traceparent = telemetry::current();
        if !traceparent.is_empty() {
            metadata.insert(telemetry::TRACEPARENT, ascii(traceparent)?);
        }
        Ok(request)
    }

    /// The origin of changes that this call makes.
    pub fn origin(&self, clock: &Clock) -> Origin {
        Origin {
            tenant: self.caller.tenant,
            actor: self.caller.principal.clone(),
            now: clock.now(),
            traceparent: telemetry::current(),
        }
    }
}

/// How long the sender of these headers waits, when it says so.
pub(crate) fn timeout(headers: &http::HeaderMap) -> Option<Duration> {
    parse_timeout(headers.get(TIMEOUT)?.to_str().ok()?)
}

/// gRPC's `TimeoutValue TimeoutUnit`: up to eight digits and one of H, M, S, m, u, n.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3_600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("3S"), Some(Duration::from_secs(3)));
        for bad in ["", "m", "123456789m", "12x", "-1S", "é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
