//! Moving business time everywhere: each role acknowledges before the answer goes out, then the simulator's clock follows.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};
use convene_kit::{Code, Error, Result, clock::Offset, role::remember_offset};
use convene_proto::clock::v1::{GetRequest, SetRequest, clock_client::ClockClient};
use tonic::{Response, Status};

use crate::{
    api::{Api, Session},
    model::time,
};

/// Furthest that one move goes, in milliseconds: ten years.
const MOVE_MS_MAX: i64 = 10 * 366 * 86_400_000;

/// Business time: what bookings, tickets and timers are judged by.
#[derive(Debug, SimpleObject)]
pub struct Clock {
    /// Now, in business time.
    business_time: DateTime<Utc>,
    /// How far business time stands from wall time, in milliseconds.
    offset_ms: i64,
    /// Rises with every move.
    version: u64,
}

/// The clock as it stands.
pub fn show(api: &Api) -> Clock {
    let offset = api.clock.offset();
    Clock {
        business_time: time::from_millis(api.clock.now().as_millis()),
        offset_ms: offset.millis,
        version: offset.version,
    }
}

/// Where business time is to go.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// So much further, in milliseconds.
    By(i64),
    /// So far from wall time, in milliseconds, and not back: said again it changes nothing.
    To(i64),
    /// Back to wall time.
    Wall,
}

impl Goal {
    /// The offset that is meant, where another one is in force.
    fn from(self, latest_ms: i64) -> Result<i64> {
        let out_of_range = |field, range: String| {
            let how = "time goes forward, or back to wall time with resetClock";
            Error::invalid(field, "OUT_OF_RANGE", format!("{field} is {range}; {how}"))
        };
        match self {
            Self::By(by) if (1..=MOVE_MS_MAX).contains(&by) => Ok(latest_ms.saturating_add(by)),
            Self::By(_) => Err(out_of_range("byMs", format!("1 to {MOVE_MS_MAX}"))),
            Self::To(to) => {
                let furthest = latest_ms.saturating_add(MOVE_MS_MAX);
                let range = latest_ms..=furthest;
                let wrong = || out_of_range("toOffsetMs", format!("{latest_ms} to {furthest}"));
                range.contains(&to).then_some(to).ok_or_else(wrong)
            }
            Self::Wall => Ok(0),
        }
    }
}

/// Moves all clocks.
pub async fn advance(api: &Api, session: &Session, goal: Goal) -> Result<Clock> {
    session.caller.ensure_admin()?;
    if !api.config.allow_clock {
        return Err(Error::refused(
            "CLOCK_FIXED",
            "business time can be moved in development only (development = true)",
        ));
    }
    let _one_at_a_time = api.moving.lock().await;
    let latest = latest(api).await?;
    let offset = Offset {
        millis: goal.from(latest.millis)?,
        version: latest.version + 1,
    };
    // Remembered first: if a role does not answer, the next move has a higher version and reaches it.
    let remembered = api
        .db
        .write(move |tx| Box::pin(async move { remember_offset(tx, offset).await }));
    if !remembered.await? {
        return Err(Error::unavailable(
            "CHANGED_MEANWHILE",
            "another gateway moved the clock at the same moment; try again",
        ));
    }
    api.clock.set(offset);
    for role in &api.peers.clocks {
        let mut answers = Vec::new();
        for replica in role.replicas().await {
            let message = SetRequest {
                offset_ms: offset.millis,
                version: offset.version,
            };
            let request = api.system().request(&api.callers, message)?;
            answers.push(ClockClient::new(replica.channel()).set(request).await);
        }
        of_one_at_least(answers)?;
    }
    move_simulator(api, offset).await?;
    Ok(show(api))
}

/// The newest offset that anybody has: a role may have seen a move that this gateway's database, restored since, has not.
async fn latest(api: &Api) -> Result<Offset> {
    let mut latest = api.clock.offset();
    for role in &api.peers.clocks {
        let mut answers = Vec::new();
        for replica in role.replicas().await {
            let request = api.system().request(&api.callers, GetRequest {})?;
            answers.push(ClockClient::new(replica.channel()).get(request).await);
        }
        for known in of_one_at_least(answers)? {
            if known.version > latest.version {
                latest = Offset {
                    millis: known.offset_ms,
                    version: known.version,
                };
            }
        }
    }
    Ok(latest)
}

/// What the replicas of a role answered. One that is away finds the offset in the database that it shares with the others; when all are, nobody has it.
fn of_one_at_least<T>(answers: Vec<std::result::Result<Response<T>, Status>>) -> Result<Vec<T>> {
    let mut all = Vec::new();
    let mut away = None;
    for answer in answers {
        match answer.map_err(Error::from) {
            Ok(answer) => all.push(answer.into_inner()),
            Err(error) if error.code == Code::Unavailable => away = Some(error),
            Err(error) => return Err(error),
        }
    }
    match away.filter(|_| all.is_empty()) {
        Some(error) => Err(error),
        None => Ok(all),
    }
}

async fn move_simulator(api: &Api, offset: Offset) -> Result<()> {
    let Some(base) = &api.config.simulator_control else {
        return Ok(());
    };
    let silent = |error: reqwest::Error| {
        Error::unavailable(
            "SIMULATOR_SILENT",
            "the roles' clocks moved, the simulator's did not; start it and move the clock again",
        )
        .with_detail(error.without_url().to_string())
    };
    reqwest::Client::builder()
        .no_proxy()
        .timeout(std::time::Duration::from_secs(5))
        .build()
        .map_err(silent)?
        .put(format!("{base}/_simulator/clock"))
        .json(&serde_json::json!({"offsetMs": offset.millis}))
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map(drop)
        .map_err(silent)
}
