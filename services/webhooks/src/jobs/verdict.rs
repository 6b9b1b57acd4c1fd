//! What an answer means.

use convene_kit::outbound::{Answer, Failure};

/// What came of an attempt.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// Delivered.
    Taken { status: u16 },
    /// Not delivered.
    Refused {
        status: Option<u16>,
        /// Reason code.
        reason: &'static str,
        /// The pause that the endpoint asks for, in milliseconds.
        asked_ms: Option<u64>,
        /// Whether the endpoint wants nothing any more.
        last: bool,
    },
}

/// 2xx is delivered, 410 is the end, everything else is tried again.
pub fn verdict(answer: Result<Answer, Failure>) -> Verdict {
    let answer = match answer {
        Ok(answer) => answer,
        Err(failure) => {
            return Verdict::Refused {
                status: None,
                reason: failure.code(),
                asked_ms: None,
                last: false,
            };
        }
    };
    let status = answer.status;
    let (reason, heard) = match status {
        200..300 => return Verdict::Taken { status },
        300..400 => ("REDIRECTED", false),
        410 => ("GONE", false),
        429 | 503 => ("THROTTLED", true),
        _ => ("ANSWERED_WITH_ERROR", false),
    };
    let asked = answer.retry_after.filter(|_| heard);
    Verdict::Refused {
        status: Some(status),
        reason,
        asked_ms: asked.map(|asked| u64::try_from(asked.as_millis()).unwrap_or(u64::MAX)),
        last: status == 410,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let told = |status| {
            let retry_after = Some(Duration::from_secs(9));
            match verdict(Ok(Answer {
                status,
                retry_after,
            })) {
                Verdict::Taken { .. } => ("", None, false),
                Verdict::Refused {
                    reason,
                    asked_ms,
                    last,
                    ..
                } => (reason, asked_ms, last),
            }
        };
        for status in [200, 202, 204, 299] {
            assert_eq!(told(status), ("", None, false), "{status}");
        }
        for (status, expected) in [
            (199, ("ANSWERED_WITH_ERROR", None, false)),
            (301, ("REDIRECTED", None, false)),
            (400, ("ANSWERED_WITH_ERROR", None, false)),
            (410, ("GONE", None, true)),
            (429, ("THROTTLED", Some(9_000), false)),
            (500, ("ANSWERED_WITH_ERROR", None, false)),
            (503, ("THROTTLED", Some(9_000), false)),
        ] {
            assert_eq!(told(status), expected, "{status}");
        }
    }
}
