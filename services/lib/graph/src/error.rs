//! What went wrong, sorted by what the caller has to do next.

use std::time::Duration;

use uuid::Uuid;

/// A `Retry-After` beyond this is cut to it, in seconds: no answer may park a job for years.
const RETRY_AFTER_S_MAX: f64 = 3_600.0;

/// A failed request. Texts are for operators; they hold no tokens, links, names or bodies.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// The client's configuration is unusable; nothing was sent.
    #[error("{field} is not usable: {remedy}")]
    Misconfigured {
        /// Member of `GraphConfig`.
        field: &'static str,
        /// What it has to be.
        remedy: &'static str,
    },
    /// 429, or 503/509 with `Retry-After`: nothing happened.
    #[error("throttled")]
    Throttled {
        /// The server's wish, an hour at the most.
        retry_after: Option<Duration>,
    },
    /// Nothing was sent: name, connection or TLS failed, or there was no token to send it with.
    #[error("not reachable: {0}")]
    Unavailable(String),
    /// Time-out, dropped connection or 5xx: the effect may have happened. Look up before you repeat.
    #[error("outcome unknown: {0}")]
    UnknownOutcome(String),
    /// 404.
    #[error("not found ({code})")]
    NotFound {
        /// Graph's code.
        code: String,
    },
    /// 403 because no application access policy covers the user.
    #[error(
        "no application access policy covers this user for this app; an administrator runs New-CsApplicationAccessPolicy and Grant-CsApplicationAccessPolicy (up to 30 min to take effect)"
    )]
    NoAccessPolicy,
    /// The token endpoint or the API refuses the credentials.
    #[error("credentials refused ({code})")]
    Unauthorized {
        /// `AADSTS…` number or Graph's code.
        code: String,
    },
    /// Another 4xx: repeating the same is pointless.
    #[error("refused with {status} {code}{}", told(*status, *request_id))]
    Refused {
        /// HTTP status.
        status: u16,
        /// Graph's code.
        code: String,
        /// Graph's name of the request, for its support.
        request_id: Option<Uuid>,
    },
    /// The answer is not what the contract says.
    #[error("malformed answer: {0}")]
    Malformed(String),
}

impl GraphError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Unavailable(_)
                | Self::UnknownOutcome(_)
                | Self::Malformed(_)
        )
    }

    /// The server's wish for the pause before a repeat.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// Stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "PROVIDER_THROTTLED",
            Self::Misconfigured { .. } | Self::Unavailable(_) => "PROVIDER_UNREACHABLE",
            Self::UnknownOutcome(_) => "PROVIDER_OUTCOME_UNKNOWN",
            Self::NotFound { .. } => "PROVIDER_NOT_FOUND",
            Self::NoAccessPolicy => "NO_ACCESS_POLICY",
            Self::Unauthorized { .. } => "PROVIDER_CREDENTIALS_REFUSED",
            Self::Refused { .. } => "PROVIDER_REFUSED",
            Self::Malformed(_) => "PROVIDER_ANSWER_MALFORMED",
        }
    }
}

/// The remedy that an operator has, and what to quote to Graph's support.
fn told(status: u16, request_id: Option<Uuid>) -> String {
    let remedy = match status {
        403 => "; the application lacks a permission: an administrator grants and consents it",
        _ => "",
    };
    let quote = request_id.map_or_else(String::new, |id| format!(" (request-id {id})"));
    format!("{remedy}{quote}")
}

/// `Retry-After`: seconds, of which fractions have been seen, or an HTTP date relative to the server's own `Date`.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let seconds = match value.trim().parse::<f64>() {
        // "NaN" and "inf" parse; they are no time.
        Ok(seconds) => seconds,
        Err(_) => {
            // Our clock need not agree with the server's.
            let until = chrono::DateTime::parse_from_rfc2822(value).ok()?;
            let now = chrono::DateTime::parse_from_rfc2822(date?).ok()?;
            (until - now).as_seconds_f64()
        }
    };
    if !seconds.is_finite() {
        return None;
    }
    Duration::try_from_secs_f64(seconds.clamp(0.0, RETRY_AFTER_S_MAX)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_all_its_forms() {
        let longest = Duration::from_secs(3_600);
        assert_eq!(retry_after("1.5", None), Some(Duration::from_millis(1_500)));
        assert_eq!(retry_after(" 2 ", None), Some(Duration::from_secs(2)));
        assert_eq!(retry_after("-1", None), Some(Duration::ZERO));
        assert_eq!(retry_after("1e12", None), Some(longest));
        let now = "Tue, 01 Jan 2030 00:00:00 GMT";
        let until = "Tue, 01 Jan 2030 00:00:07 GMT";
        assert_eq!(retry_after(until, Some(now)), Some(Duration::from_secs(7)));
        assert_eq!(retry_after(now, Some(until)), Some(Duration::ZERO));
        let far = "Thu, 01 Jan 2032 00:00:00 GMT";
        assert_eq!(retry_after(far, Some(now)), Some(longest));
        assert_eq!(retry_after(until, None), None);
        for bad in ["", "soon", "NaN", "inf"] {
            assert_eq!(retry_after(bad, Some(now)), None, "{bad}");
        }
    }
}
