//! Answers of failure, and requests without an answer, made into [`GraphError`].

use std::{error::Error as _, time::Duration};

use reqwest::{Response, StatusCode, header};
use serde::Deserialize;
use uuid::Uuid;

use crate::{GraphError, error, transport};

/// A failure's body beyond this is not read, in bytes: its status says enough.
const PROBLEM_BYTES_MAX: usize = 64 * 1024;
/// Longest code that is repeated to operators, in characters.
const CODE_CHARS_MAX: usize = 64;
/// Longest cause that is repeated to operators, in characters.
const CAUSE_CHARS_MAX: usize = 200;

#[derive(Deserialize)]
struct Envelope {
    error: Problem,
}

#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// What an answer other than 2xx means.
pub(crate) async fn sort(response: Response) -> GraphError {
    let status = response.status();
    let retry_after = retry_after(&response);
    if is_throttled(status, retry_after) {
        return GraphError::Throttled { retry_after };
    }
    if status.is_server_error() {
        return GraphError::UnknownOutcome(format!("status {}", status.as_u16()));
    }
    let request_id = request_id(&response);
    // Whatever its body is like, the status stands.
    let body = transport::body(response, PROBLEM_BYTES_MAX).await;
    let problem = serde_json::from_slice::<Envelope>(&body.unwrap_or_default())
        .map_or_else(|_| Problem::default(), |envelope| envelope.error);
    let code = code(&problem.code);
    match status {
        StatusCode::NOT_FOUND => GraphError::NotFound { code },
        StatusCode::UNAUTHORIZED => GraphError::Unauthorized { code },
        StatusCode::FORBIDDEN if is_access_policy(&problem) => GraphError::NoAccessPolicy,
        _ => GraphError::Refused {
            status: status.as_u16(),
            code,
            request_id,
        },
    }
}

/// Whether a status says that nothing was done because there was too much to do.
pub(crate) fn is_throttled(status: StatusCode, retry_after: Option<Duration>) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || (matches!(status.as_u16(), 503 | 509) && retry_after.is_some())
}

/// Codes have changed over the years and stand for other refusals too, so the text decides between those.
fn is_access_policy(problem: &Problem) -> bool {
    let text = &problem.message;
    matches!(
        problem.code.as_str(),
        "Forbidden" | "General" | "Unauthorized"
    ) && (text.contains("application access policy")
        || (text.contains("is not authorized to") && text.contains("on behalf of user")))
}

/// A code as it may be repeated: one word. Codes are the server's text, and operators' logs are not for that.
fn code(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if text.is_empty() {
        "no code".to_owned()
    } else if text.len() <= CODE_CHARS_MAX && text.chars().all(word) {
        text.to_owned()
    } else {
        "unreadable code".to_owned()
    }
}

fn request_id(response: &Response) -> Option<Uuid> {
    let id = response.headers().get("request-id")?.to_str().ok()?;
    Uuid::try_parse(id).ok()
}

pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let text = |name| response.headers().get(name)?.to_str().ok();
    error::retry_after(text(header::RETRY_AFTER)?, text(header::DATE))
}

/// A request that got no answer: told apart by whether anything can have arrived.
pub(crate) fn not_answered(error: reqwest::Error) -> GraphError {
    if error.is_connect() || error.is_builder() {
        GraphError::Unavailable(cause(error))
    } else {
        GraphError::UnknownOutcome(cause(error))
    }
}

/// The innermost cause, which says more than "error sending request". URLs of Graph hold links and names, so they go.
pub(crate) fn cause(error: reqwest::Error) -> String {
    let kind = match () {
        () if error.is_timeout() => return "time-out".to_owned(),
        () if error.is_connect() => "connection: ",
        () => "",
    };
    let error = error.without_url();
    let mut innermost = error.source();
    while let Some(deeper) = innermost.and_then(std::error::Error::source) {
        innermost = Some(deeper);
    }
    let text = innermost.map_or_else(|| error.to_string(), ToString::to_string);
    let text: String = text.chars().take(CAUSE_CHARS_MAX).collect();
    format!("{kind}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_repeated() {
        assert_eq!(code("ErrorItemNotFound"), "ErrorItemNotFound");
        assert_eq!(code(""), "no code");
        let long = "x".repeat(65);
        for bad in ["a@b.example", "two words", "https://x/", "naïve", &long] {
            assert_eq!(code(bad), "unreadable code");
        }
    }

    #[test]
    fn a_missing_policy_is_known_by_code_and_text() {
        let policy = "No application access policy found for this app";
        let old = "App 1 is not authorized to Create meeting on behalf of user 2";
        let other = "User is not authorized to do this";
        for (code, message, expected) in [
            ("Forbidden", policy, true),
            ("General", policy, true),
            ("Unauthorized", old, true),
            ("Forbidden", other, false),
            ("ErrorAccessDenied", policy, false),
        ] {
            let problem = Problem {
                code: code.into(),
                message: message.into(),
            };
            assert_eq!(is_access_policy(&problem), expected, "{code} {message}");
        }
    }
}
