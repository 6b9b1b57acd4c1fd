//! One error type: a closed list of codes, a stable reason, a public message, and an operator's detail that never leaves the process.

use std::{borrow::Cow, collections::HashMap, fmt, time::Duration};

use convene_domain::{MalformedId, Refused};
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

/// Result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is; decides the gRPC status and what a caller can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The request is wrong; `field` names where.
    InvalidArgument,
    /// Nobody vouches for the caller.
    Unauthenticated,
    /// The caller is known and may not.
    Forbidden,
    /// Not there, or not the caller's.
    NotFound,
    /// There already, and different.
    AlreadyExists,
    /// A rule of the product says no; `reason` names it.
    Refused,
    /// A limit is reached.
    TooMany,
    /// Try again later.
    Unavailable,
    /// The deadline passed; the effect is unknown.
    Timeout,
    /// A fault of ours.
    Internal,
}

/// A failure.
#[derive(Clone, PartialEq)]
pub struct Error {
    /// Kind.
    pub code: Code,
    /// Stable SCREAMING_SNAKE reason, listed in `schema/error-codes.md`.
    pub reason: Cow<'static, str>,
    /// For the caller: what is wrong and what to do; free of personal data and secrets.
    pub message: String,
    /// The request's field that is wrong.
    pub field: Option<String>,
    /// When a repeat may succeed.
    pub retry_after: Option<Duration>,
    /// For operators; logged, never sent.
    detail: Option<String>,
}

/// `domain` of the gRPC `ErrorInfo`.
const DOMAIN: &str = "convene";
const FIELD: &str = "field";
const RETRY_AFTER_MS: &str = "retry_after_ms";

impl Error {
    fn new(code: Code, reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            message: message.into(),
            field: None,
            retry_after: None,
            detail: None,
        }
    }

    /// A wrong field: its name, a reason and the remedy.
    pub fn invalid(
        field: impl Into<String>,
        reason: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field: Some(field.into()),
            ..Self::new(Code::InvalidArgument, reason, message)
        }
    }

    /// A credential that does not hold.
    pub fn unauthenticated(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Unauthenticated, reason, message)
    }

    /// A known caller without the right.
    pub fn forbidden(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, reason, message)
    }

    /// No such object of this kind for this caller.
    pub fn not_found(kind: &str) -> Self {
        Self::new(
            Code::NotFound,
            "NOT_FOUND",
            format!("there is no such {kind}"),
        )
    }

    /// A rule says no.
    pub fn refused(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Code::Refused, reason, message)
    }

    /// A limit is reached.
    pub fn too_many(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::TooMany, reason, message)
    }

    /// Something needed is away for now.
    pub fn unavailable(reason: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Code::Unavailable, reason, message)
    }

    /// The deadline passed.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(Code::Timeout, "DEADLINE_EXCEEDED", message)
    }

    /// A fault of ours; `detail` is for operators.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(
            Code::Internal,
            "INTERNAL",
            "something went wrong on our side; the operators have the details",
        )
        .with_detail(detail)
    }

    /// Adds what operators should know.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the field.
    pub fn on_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says when a repeat may succeed.
    pub fn retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after;
        self
    }

    /// What operators should know.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether a repeat of the same may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.code,
            Code::Unavailable | Code::Timeout | Code::TooMany | Code::Internal
        )
    }

    /// Whether the world, not the plumbing, said no: a consumer of a feed may go on.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.code,
            Code::Refused | Code::NotFound | Code::AlreadyExists | Code::InvalidArgument
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)?;
        if let Some(field) = &self.field {
            write!(f, " (field {field})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {self}", self.code)?;
        if let Some(detail) = &self.detail {
            write!(f, " [{detail}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::refused(refused.reason, refused.message)
    }
}

impl From<MalformedId> for Error {
    fn from(malformed: MalformedId) -> Self {
        Self::new(Code::InvalidArgument, "MALFORMED_ID", malformed.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(format!("stored JSON: {error}"))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        if let Some(detail) = &error.detail {
            tracing::warn!(reason = %error.reason, detail, "request failed");
        }
        let code = match error.code {
            Code::InvalidArgument => tonic::Code::InvalidArgument,
            Code::Unauthenticated => tonic::Code::Unauthenticated,
            Code::Forbidden => tonic::Code::PermissionDenied,
            Code::NotFound => tonic::Code::NotFound,
            Code::AlreadyExists => tonic::Code::AlreadyExists,
            Code::Refused => tonic::Code::FailedPrecondition,
            Code::TooMany => tonic::Code::ResourceExhausted,
            Code::Unavailable => tonic::Code::Unavailable,
            Code::Timeout => tonic::Code::DeadlineExceeded,
            Code::Internal => tonic::Code::Internal,
        };
        let mut metadata = HashMap::new();
        if let Some(field) = error.field {
            metadata.insert(FIELD.to_owned(), field);
        }
        if let Some(after) = error.retry_after {
            metadata.insert(RETRY_AFTER_MS.to_owned(), after.as_millis().to_string());
        }
        let details = ErrorDetails::with_error_info(error.reason, DOMAIN, metadata);
        Self::with_error_details(code, error.message, details)
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let (code, reason) = match status.code() {
            tonic::Code::InvalidArgument | tonic::Code::OutOfRange => {
                (Code::InvalidArgument, "INVALID_ARGUMENT")
            }
            tonic::Code::Unauthenticated => (Code::Unauthenticated, "UNAUTHENTICATED"),
            tonic::Code::PermissionDenied => (Code::Forbidden, "FORBIDDEN"),
            tonic::Code::NotFound => (Code::NotFound, "NOT_FOUND"),
            tonic::Code::AlreadyExists => (Code::AlreadyExists, "ALREADY_EXISTS"),
            tonic::Code::FailedPrecondition | tonic::Code::Aborted => {
                (Code::Refused, "FAILED_PRECONDITION")
            }
            tonic::Code::ResourceExhausted => (Code::TooMany, "RESOURCE_EXHAUSTED"),
            tonic::Code::Unavailable => (Code::Unavailable, "PEER_UNAVAILABLE"),
            tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => {
                (Code::Timeout, "DEADLINE_EXCEEDED")
            }
            // Made here and not sent by the other side: the connection broke during the call.
            _ if std::error::Error::source(&status).is_some() => {
                (Code::Unavailable, "PEER_UNAVAILABLE")
            }
            _ => (Code::Internal, "INTERNAL"),
        };
        let info = status.get_details_error_info();
        let mut error = match info {
            Some(info) if info.domain == DOMAIN => {
                let mut error = Self::new(code, info.reason, status.message());
                error.field = info.metadata.get(FIELD).cloned();
                error.retry_after = info
                    .metadata
                    .get(RETRY_AFTER_MS)
                    .and_then(|millis| millis.parse().ok())
                    .map(Duration::from_millis);
                return error;
            }
            _ => Self::new(code, reason, "a service of Convene could not be reached"),
        };
        error.detail = Some(status.message().to_owned());
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_survives_the_wire_without_its_detail() {
        let error = Error::invalid("end", "END_BEFORE_START", "end must be after start")
            .retry_after(Some(Duration::from_millis(1_500)))
            .with_detail("secret");
        let back = Error::from(Status::from(error.clone()));
        assert_eq!(back.reason, "END_BEFORE_START");
        assert_eq!(back.field.as_deref(), Some("end"));
        assert_eq!(back.retry_after, error.retry_after);
        assert_eq!(back.detail(), None);
    }

    #[test]
    fn a_call_whose_connection_broke_may_be_repeated() {
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let lost = Error::from(Status::from_error(Box::new(broken)));
        assert_eq!(
            (lost.code, &*lost.reason),
            (Code::Unavailable, "PEER_UNAVAILABLE")
        );
        let told = Error::from(Status::internal("what the other side said"));
        assert_eq!(told.code, Code::Internal);
    }
}
