//! How Graph is, for operators: token, permissions, policies, beta, clock. Read-only: nothing is made at the provider.

mod entra;
mod findings;
mod judge;
mod needs;

use std::time::Duration;

use convene_graph::{Claims, GraphError, Heard, Look};
use convene_kit::{Clock, finding::Finding};
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use super::GraphCalendar;
use judge::{Seen, SeenUser};

pub use findings::FINDINGS;
pub use judge::Known;
pub use needs::{NEEDS, Need, Part};

/// One look is given up after this time, in milliseconds.
const LOOK_MS_MAX: u64 = 3_000;
/// A whole examination ends after this time, in milliseconds; what was not seen by then is said.
const WHOLE_MS_MAX: u64 = 8_000;
/// Organizers that one examination takes.
pub const USERS_MAX: usize = 20;
/// Looks at the same time: Outlook takes four of an application and mailbox.
const AT_ONCE: usize = 4;
/// A date is cut to seconds: half a second later is the best guess, in milliseconds.
const DATE_CUT_MS: i64 = 500;

/// What answers told beside their bodies.
#[derive(Default)]
struct Beside {
    clock_off_ms: Option<i64>,
    limit_used: Option<f64>,
}

impl Beside {
    fn hear(&mut self, heard: Option<&Heard>) {
        let used = heard.and_then(|heard| heard.limit_used);
        self.limit_used = self.limit_used.into_iter().chain(used).reduce(f64::max);
    }
}

impl GraphCalendar {
    /// Looks at everything, and at these organizers.
    pub(super) async fn examined(&self, users: &[String], clock: &Clock) -> Vec<Finding> {
        let end = Instant::now() + Duration::from_millis(WHOLE_MS_MAX);
        let mut beside = Beside::default();
        let token = look(end, self.graph.look_at_token()).await;
        if let Some(heard) = &token.heard {
            beside.clock_off_ms = off(heard, clock);
        }
        beside.hear(token.heard.as_ref());
        let taken: Vec<_> = users.iter().take(USERS_MAX).cloned().collect();
        let left_out = users.len() - taken.len();
        let mut seen = Seen {
            known: self.known.clone(),
            token: token.answer,
            clock_off_ms: beside.clock_off_ms,
            limit_used: None,
            beta: None,
            users: Vec::new(),
            left_out: (left_out, USERS_MAX),
        };
        if let Ok(claims) = &seen.token {
            let (beta, users) = tokio::join!(
                look(end, self.graph.look_at_beta()),
                self.organizers(end, taken, claims.as_ref())
            );
            beside.hear(beta.heard.as_ref());
            seen.beta = Some(beta.answer);
            for (user, of_user) in users {
                of_user.iter().for_each(|heard| beside.hear(heard.as_ref()));
                seen.users.push(user);
            }
        }
        seen.limit_used = beside.limit_used;
        judge::judge(&seen)
    }

    /// Looks at each organizer, some at a time, in their order.
    async fn organizers(
        &self,
        end: Instant,
        users: Vec<String>,
        claims: Option<&Claims>,
    ) -> Vec<(SeenUser, [Option<Heard>; 2])> {
        // Without the permission every look would be refused, and the permission is told already.
        let may = |name: &str| claims.is_none_or(|claims| claims.roles.contains(name));
        let (calendars, meetings) = (
            may("Calendars.ReadWrite"),
            may("OnlineMeetings.ReadWrite.All"),
        );
        let looks = users.into_iter();
        let looks = looks.map(|user| self.organizer(end, user, calendars, meetings));
        stream::iter(looks).buffered(AT_ONCE).collect().await
    }

    async fn organizer(
        &self,
        end: Instant,
        name: String,
        calendars: bool,
        meetings: bool,
    ) -> (SeenUser, [Option<Heard>; 2]) {
        let (mut calendar, mut online) = (None, None);
        if calendars {
            calendar = Some(look(end, self.graph.look_at_calendar(&name)).await);
        }
        if meetings {
            online = Some(look(end, self.graph.look_at_online_meetings(&name)).await);
        }
        let heard = |look: &Option<Look<()>>| look.as_ref()?.heard.clone();
        let beside = [heard(&calendar), heard(&online)];
        let seen = SeenUser {
            name,
            calendar: calendar.map(|look| look.answer),
            meetings: online.map(|look| look.answer),
        };
        (seen, beside)
    }
}

/// A look within both bounds of time.
async fn look<T>(end: Instant, looking: impl Future<Output = Look<T>>) -> Look<T> {
    let end = end.min(Instant::now() + Duration::from_millis(LOOK_MS_MAX));
    timeout_at(end, looking).await.unwrap_or_else(|_| Look {
        answer: Err(GraphError::UnknownOutcome("time-out".to_owned())),
        heard: None,
    })
}

/// How far our clock is ahead of the server's, in milliseconds. Business time, because what is booked is told in it.
fn off(heard: &Heard, clock: &Clock) -> Option<i64> {
    let theirs = heard.date?.timestamp_millis() + DATE_CUT_MS;
    let way = i64::try_from(heard.took.as_millis()).ok()? / 2;
    Some(clock.now().as_millis() - way - theirs)
}
