//! Looking at how the provider is. Nothing is created or changed by it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Method, Response, header};
use tokio::time::Instant;

use crate::{Claims, Graph, Result, transport::Send};

/// How much of a limit is used, from 0.8 on.
const LIMIT_PERCENTAGE: &str = "x-ms-throttle-limit-percentage";
/// Digits that no meeting has: a look-up that finds nothing passes permission and policy like any other.
const NO_MEETING: &str = "joinMeetingIdSettings/joinMeetingId eq '000000000000'";
/// The id of no call.
const NO_CALL: &str = "00000000-0000-0000-0000-000000000000";

/// What an answer tells beside its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The server's own time, cut to seconds.
    pub date: Option<DateTime<Utc>>,
    /// How much of a limit is used, where 1 is all of it.
    pub limit_used: Option<f64>,
    /// From the question to the head of the answer.
    pub took: Duration,
}

impl Heard {
    pub(crate) fn of(response: &Response, began: Instant) -> Self {
        let text = |name: &str| response.headers().get(name)?.to_str().ok();
        let date = text(header::DATE.as_str()).and_then(|d| DateTime::parse_from_rfc2822(d).ok());
        let used = text(LIMIT_PERCENTAGE).and_then(|share| share.parse::<f64>().ok());
        Self {
            date: date.map(|date| date.to_utc()),
            limit_used: used.filter(|share| share.is_finite()),
            took: began.elapsed(),
        }
    }
}

/// An answer and what it told beside.
#[derive(Clone, Debug)]
pub struct Look<T> {
    /// The answer.
    pub answer: Result<T>,
    /// `None` when nobody answered.
    pub heard: Option<Heard>,
}

impl Graph {
    /// Asks for a new token, whatever the one in use says, and uses it from now on: what an administrator has granted meanwhile counts at once. Answers its
    /// claims; `None` inside when it cannot be read.
    pub async fn look_at_token(&self) -> Look<Option<Claims>> {
        let mut heard = None;
        let granted = self.renew_token(&mut heard).await;
        Look {
            answer: granted.map(|token| Claims::of(&token)),
            heard,
        }
    }

    /// Whether a user's calendar can be read.
    pub async fn look_at_calendar(&self, user: &str) -> Look<()> {
        let url = self.v1(&["users", user, "events"]);
        let query = [("$top", "1"), ("$select", "id")];
        self.look(Send::new(Method::GET, "/users/{user}/events?$top", url).query(&query))
            .await
    }

    /// Whether a user's online meetings can be looked up: 403 `NoAccessPolicy` without an application access policy.
    pub async fn look_at_online_meetings(&self, user: &str) -> Look<()> {
        let url = self.v1(&["users", user, "onlineMeetings"]);
        let query = [("$filter", NO_MEETING)];
        let route = "/users/{user}/onlineMeetings?$filter";
        self.look(Send::new(Method::GET, route, url).query(&query))
            .await
    }

    /// Asks beta for a call that nobody has: whoever serves beta says so in Graph's envelope.
    pub async fn look_at_beta(&self) -> Look<()> {
        let url = self.beta(&["communications", "calls", NO_CALL]);
        self.look(Send::new(
            Method::GET,
            "/communications/calls/{call}?beta",
            url,
        ))
        .await
    }
}
