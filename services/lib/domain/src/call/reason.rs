//! Why somebody left a call: codes as clients of communication services know them. Data, not decisions.

use serde::{Deserialize, Serialize};

/// Code and sub-code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndReason {
    /// Much like a status of SIP; 0 is a regular end.
    pub code: u16,
    /// What exactly.
    pub sub_code: u32,
}

macro_rules! reasons {
    ($($name:ident = $code:literal / $sub_code:literal, $meaning:literal;)*) => {
        impl EndReason {
            $(
                #[doc = $meaning]
                pub const $name: Self = Self { code: $code, sub_code: $sub_code };
            )*

            /// All that are known, with their meaning.
            pub const TABLE: &'static [(Self, &'static str)] = &[$((Self::$name, $meaning)),*];
        }
    };
}

reasons! {
    ENDED_BY_USER = 0 / 0, "ended by the local user";
    DECLINED = 603 / 0, "declined";
    CANCELLED = 487 / 0, "the caller gave up before an answer";
    PHONE_CANCELLED = 487 / 540487, "the caller gave up before the phone answered";
    TAKEN_ELSEWHERE = 487 / 10003, "taken on another endpoint";
    NOT_ANSWERED = 487 / 10004, "not answered in time";
    ALL_DECLINED = 487 / 10024, "all endpoints declined";
    ALL_ENDPOINTS_DECLINED = 0 / 5003, "all endpoints declined";
    ORGANIZER_ENDED = 0 / 4097, "the organizer ended the meeting";
    APPLICATION_VANISHED = 0 / 4521, "the application vanished";
    REMOVED = 0 / 5000, "removed by another participant";
    REMOVED_FROM_CALL = 0 / 5300, "removed from the call by another participant";
    ROLE_CHANGED = 0 / 5317, "removed because the role changed";
    ROOM_NOT_INVITED = 403 / 5828, "not invited to the room";
    ROOM_CLOSED = 403 / 5829, "outside of the room's times";
    ROOM_WRONG_USER = 403 / 5830, "not a communication user";
    ENDED_BY_BOT = 0 / 7000, "ended by an application";
    BAD_TOKEN = 401 / 10009, "the token is not good";
    NO_TOKEN = 495 / 4507, "no good token was supplied";
    NO_ENDPOINT = 480 / 10037, "no endpoint is registered";
    OFFLINE = 480 / 10076, "registered, but offline";
    PUSH_ONLY = 480 / 10077, "reached by push only";
    UNREACHABLE = 480 / 10078, "registered, but not reached";
    SET_UP_TIMED_OUT = 408 / 4506, "the set-up took too long";
    CALLEE_TIMED_OUT = 408 / 10057, "the callee did not finish the set-up";
    NETWORK_SET_UP = 410 / 3100, "the network failed during set-up";
    NETWORK_DROPPED = 410 / 3101, "the network dropped the call";
    MEDIA_OFFER = 410 / 3111, "the media offer failed";
    MEDIA_CONFIGURATION = 410 / 3112, "the media configuration failed";
    MEDIA_LOST_AT_SET_UP = 410 / 301004, "media was lost at set-up";
    MEDIA_LOST = 410 / 301005, "media was lost during the call";
    CLIENT_NETWORK = 490 / 4502, "the client's network failed";
    CLIENT_LOST_NETWORK = 496 / 7, "the client lost its network";
    PHONE_HUNG_UP = 0 / 560000, "the phone hung up";
    PHONE_BUSY = 486 / 560486, "the phone is busy";
    BUSY = 486 / 0, "busy";
    FORBIDDEN = 403 / 0, "the callee does not take the call";
    SPAM = 403 / 510403, "blocked as spam";
    NOT_FOUND = 404 / 0, "nobody has this address";
    UNDELIVERABLE = 430 / 0, "the call cannot be delivered to the application";
    NO_LEG = 481 / 0, "the endpoint does not know the call any more";
    SERVICE_FAULT = 500 / 0, "the service failed";
    SERVICE_UNAVAILABLE = 503 / 0, "the service is not available";
    SERVICE_TIMEOUT = 504 / 0, "the service took too long";
}

impl EndReason {
    /// What it means, in English.
    pub fn meaning(self) -> &'static str {
        let found = Self::TABLE.iter().find(|(reason, _)| *reason == self);
        found.map_or("unknown", |(_, meaning)| meaning)
    }

    /// Whether the party came and went in the regular way.
    pub fn is_regular(self) -> bool {
        self.code == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pair_of_codes_means_two_things() {
        let mut pairs: Vec<_> = EndReason::TABLE.iter().map(|(reason, _)| *reason).collect();
        pairs.sort();
        let all = pairs.len();
        pairs.dedup();
        assert_eq!(pairs.len(), all);
        assert_eq!(EndReason::PHONE_BUSY.meaning(), "the phone is busy");
        let unknown = EndReason {
            code: 1,
            sub_code: 1,
        };
        assert_eq!(unknown.meaning(), "unknown");
    }
}
