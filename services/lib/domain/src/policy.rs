//! What a service lets people do with its bookings, and until when.

use serde::{Deserialize, Serialize};

use crate::{Refused, Timestamp};

/// A service's policy. The default lets everything happen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Somebody of the organisation has to agree before a booking stands; it takes its time meanwhile.
    pub confirmation: bool,
    /// Booking apps cancel so long before the start at the latest, in milliseconds.
    pub cancel_notice_ms: i64,
    /// Booking apps reschedule so long before the start at the latest, in milliseconds.
    pub reschedule_notice_ms: i64,
    /// Reasons for cancelling; any when empty.
    pub cancel_reasons: Vec<String>,
}

/// Reasons of one service.
pub const REASONS_MAX: usize = 32;
/// Longest notice, in milliseconds: a year.
const NOTICE_MS_MAX: i64 = 366 * 24 * 3_600_000;
const REASON_CHARS_MAX: usize = 64;

const NOTICE: Refused = Refused::new(
    "POLICY_NOTICE_OUT_OF_RANGE",
    "notice is 0 to 31622400000 milliseconds (366 days)",
);
const REASONS: Refused = Refused::new(
    "REASONS_OUT_OF_RANGE",
    "at most 32 reasons, none twice, each a code of capital letters, digits and _, for example NO_LONGER_NEEDED",
);
const TOO_LATE_TO_CANCEL: Refused = Refused::new(
    "CANCELLATION_TOO_LATE",
    "the service is not cancelled so shortly before the start any more; the host or an admin may do it still",
);
const TOO_LATE_TO_MOVE: Refused = Refused::new(
    "RESCHEDULE_TOO_LATE",
    "the service is not moved so shortly before the start any more; the host or an admin may do it still",
);
const NOT_A_REASON: Refused = Refused::new(
    "REASON_NOT_OFFERED",
    "the service wants one of its own reasons; its policy lists them",
);

impl Policy {
    /// Refuses what is out of bounds.
    pub fn check(&self) -> Result<(), Refused> {
        let notices = [self.cancel_notice_ms, self.reschedule_notice_ms];
        if !notices.iter().all(|one| (0..=NOTICE_MS_MAX).contains(one)) {
            return Err(NOTICE);
        }
        let is_code = |text: &String| {
            let code =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            (1..=REASON_CHARS_MAX).contains(&text.len()) && text.bytes().all(code)
        };
        let distinct: std::collections::BTreeSet<_> = self.cancel_reasons.iter().collect();
        let count = self.cancel_reasons.len();
        match count <= REASONS_MAX
            && distinct.len() == count
            && self.cancel_reasons.iter().all(is_code)
        {
            true => Ok(()),
            false => Err(REASONS),
        }
    }

    /// Whether a reason for cancelling is one of the service's.
    pub fn check_reason(&self, reason: &str) -> Result<(), Refused> {
        let known = self.cancel_reasons.iter().any(|one| one == reason);
        match known || self.cancel_reasons.is_empty() {
            true => Ok(()),
            false => Err(NOT_A_REASON),
        }
    }

    /// Whether a booking app may cancel an appointment that starts then.
    pub fn may_cancel(&self, start: Timestamp, now: Timestamp) -> Result<(), Refused> {
        in_time(start, now, self.cancel_notice_ms).ok_or(TOO_LATE_TO_CANCEL)
    }

    /// Whether a booking app may reschedule an appointment that starts then.
    pub fn may_reschedule(&self, start: Timestamp, now: Timestamp) -> Result<(), Refused> {
        in_time(start, now, self.reschedule_notice_ms).ok_or(TOO_LATE_TO_MOVE)
    }
}

/// Without a notice anything is in time.
fn in_time(start: Timestamp, now: Timestamp, notice_ms: i64) -> Option<()> {
    (notice_ms == 0 || now.plus_millis(notice_ms) <= start).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_edges() {
        let policy = Policy {
            cancel_notice_ms: 100,
            ..Policy::default()
        };
        let at = Timestamp::from_millis;
        assert_eq!(policy.may_cancel(at(1_000), at(900)), Ok(()));
        assert_eq!(
            policy.may_cancel(at(1_000), at(901)),
            Err(TOO_LATE_TO_CANCEL)
        );
        assert_eq!(policy.may_reschedule(at(1_000), at(5_000)), Ok(()));
    }

    #[test]
    fn reasons_are_a_closed_list_of_codes() {
        let with = |reasons: &[&str]| Policy {
            cancel_reasons: reasons.iter().map(|one| (*one).to_owned()).collect(),
            ..Policy::default()
        };
        assert_eq!(with(&[]).check_reason("ANYTHING"), Ok(()));
        assert_eq!(with(&["ILL"]).check_reason("ILL"), Ok(()));
        assert_eq!(with(&["ILL"]).check_reason("ANYTHING"), Err(NOT_A_REASON));
        assert_eq!(with(&["ILL", "ILL"]).check(), Err(REASONS));
        assert_eq!(with(&["ill"]).check(), Err(REASONS));
    }
}
