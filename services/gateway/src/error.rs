//! How failures reach clients: refusals that people can act on stand in payloads, faults stand in `errors`.

use async_graphql::{ErrorExtensions as _, SimpleObject};
use convene_kit::{Code, Error};

/// Why a mutation said no, and what to do about it.
#[derive(Clone, Debug, SimpleObject)]
pub struct Refusal {
    /// Stable reason, for programs; listed in schema/error-codes.md.
    reason: String,
    /// For people: what is wrong and what to do.
    message: String,
    /// The input field that is wrong.
    field: Option<String>,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// When it may, in milliseconds.
    retry_after_ms: Option<i64>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            retryable: error.is_transient(),
            retry_after_ms: error
                .retry_after
                .and_then(|after| i64::try_from(after.as_millis()).ok()),
            reason: error.reason.into_owned(),
            message: error.message,
            field: error.field,
        }
    }
}

/// The GraphQL error of a fault.
pub fn fault(error: Error) -> async_graphql::Error {
    let code = code(error.code);
    if let Some(detail) = error.detail() {
        tracing::warn!(reason = %error.reason, detail, "a request failed");
    }
    async_graphql::Error::new(error.message).extend_with(|_, extensions| {
        extensions.set("code", code);
        extensions.set("reason", error.reason.as_ref());
        if let Some(field) = &error.field {
            extensions.set("field", field.as_str());
        }
    })
}

/// An answer that is an error and nothing else.
pub fn refused(error: Error) -> async_graphql::Response {
    let error = fault(error).into_server_error(async_graphql::Pos::default());
    async_graphql::Response::from_errors(vec![error])
}

/// The code as clients see it.
pub fn code(code: Code) -> &'static str {
    match code {
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::Unauthenticated => "UNAUTHENTICATED",
        Code::Forbidden => "FORBIDDEN",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::Refused => "REFUSED",
        Code::TooMany => "TOO_MANY",
        Code::Unavailable => "UNAVAILABLE",
        Code::Timeout => "TIMEOUT",
        Code::Internal => "INTERNAL",
    }
}

/// Splits an outcome into a payload's two halves; faults stay errors.
pub fn payload<T>(
    outcome: convene_kit::Result<T>,
) -> async_graphql::Result<(Option<T>, Option<Refusal>)> {
    match outcome {
        Ok(value) => Ok((Some(value), None)),
        Err(error) => match error.code {
            Code::InvalidArgument
            | Code::Refused
            | Code::NotFound
            | Code::AlreadyExists
            | Code::TooMany => Ok((None, Some(error.into()))),
            Code::Unauthenticated
            | Code::Forbidden
            | Code::Unavailable
            | Code::Timeout
            | Code::Internal => Err(fault(error)),
        },
    }
}
