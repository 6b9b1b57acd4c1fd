//! What operators ask a process: is it alive, may it be sent work, what does it measure. On an address of its own, loopback unless told
//! otherwise; nothing here is a secret, and nothing here is for the public.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse as _, Response},
    routing::get,
};
use convene_kit::{
    Channel, Clock, Db, Error, Metrics, Result, event, jobs, metrics::Found, remote::Standing,
};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::{net::TcpListener, time::timeout};
use tokio_util::sync::CancellationToken;

/// A check is given up after this time, in milliseconds.
const CHECK_MS_MAX: u64 = 2_000;
/// Given-up jobs of one role with which it still is ready; each of them wants an operator's look.
pub const DEAD_JOBS_MAX: u64 = 100;
/// Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A role that runs here.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its name.
    pub role: &'static str,
    /// Its database.
    pub db: Db,
    /// Its clock.
    pub clock: Clock,
}

/// What is watched.
#[derive(Debug)]
pub struct Operations {
    /// The metrics of the process.
    pub metrics: Metrics,
    /// The roles that run here.
    pub here: Vec<Watched>,
    /// The roles that run here or are called from here, and the ways there.
    pub peers: Vec<(&'static str, Channel)>,
}

/// Why the process is not ready.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// The part that is not.
    pub what: String,
    /// Stable reason.
    pub reason: &'static str,
    /// What to do.
    pub remedy: String,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    problems: Vec<Problem>,
}

/// Binds the address; refuses one that others can reach unless that is allowed.
pub async fn bind(listen: SocketAddr, allow_public: bool) -> Result<TcpListener> {
    if !listen.ip().is_loopback() && !allow_public {
        return Err(Error::invalid(
            "operations.listen",
            "NOT_LOOPBACK",
            format!(
                "{listen} can be reached from elsewhere; use 127.0.0.1, or set operations.allow_public = true in a network of your own"
            ),
        ));
    }
    TcpListener::bind(listen).await.map_err(|error| {
        Error::unavailable(
            "CANNOT_LISTEN",
            format!(
                "operators cannot be served on {listen}: {error}; stop what uses the port, or choose another in operations.listen"
            ),
        )
    })
}

/// Serves until told to stop.
pub async fn serve(
    listener: TcpListener,
    operations: Operations,
    stop: CancellationToken,
) -> Result<()> {
    let router = Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/ready", get(ready))
        .route("/ready/here", get(ready_here))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(operations));
    let serving = axum::serve(listener, router);
    tokio::select! {
        served = serving.into_future() => served
            .map_err(|error| Error::internal(format!("the operators' listener stopped: {error}"))),
        () = stop.cancelled() => Ok(()),
    }
}

async fn metrics(State(of): State<Arc<Operations>>) -> Response {
    for watched in &of.here {
        // A database that does not answer is told by /ready; the page goes on with what was known.
        if let Ok(Ok(found)) = in_time(look(watched)).await {
            of.metrics.found(watched.role, found);
        }
    }
    match of.metrics.page() {
        Ok(page) => ([(header::CONTENT_TYPE, TEXT)], page).into_response(),
        Err(error) => {
            tracing::error!(detail = error.detail(), "no metrics page");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Whether somebody works of every role that runs here or is called from here.
async fn ready(State(of): State<Arc<Operations>>) -> Response {
    told(of.problems(|_| true).await)
}

/// Whether what runs here works, whoever else is away: who sends work here asks this.
async fn ready_here(State(of): State<Arc<Operations>>) -> Response {
    told(of.problems(Channel::is_here).await)
}

fn told(problems: Vec<Problem>) -> Response {
    let ready = problems.is_empty();
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(Readiness { ready, problems })).into_response()
}

async fn in_time<F: Future>(
    check: F,
) -> std::result::Result<F::Output, tokio::time::error::Elapsed> {
    timeout(Duration::from_millis(CHECK_MS_MAX), check).await
}

async fn look(watched: &Watched) -> Result<Found> {
    let db = watched.db.read();
    let (open, dead) = jobs::open_and_dead(db, watched.clock.now()).await?;
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Found {
        open_jobs: count(open),
        dead_jobs: count(dead),
        head: event::head(db).await?,
        commits: *watched.db.commits().borrow(),
    })
}

impl Operations {
    /// What keeps the process from being ready, each with its remedy; of the ways to roles, these count. Bounded in time.
    pub async fn problems(&self, counts: impl Fn(&Channel) -> bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        for watched in &self.here {
            problems.extend(database(watched).await);
        }
        for (role, channel) in self.peers.iter().filter(|(_, way)| counts(way)) {
            problems.extend(peer(role, channel.clone()).await);
        }
        problems
    }
}

async fn database(watched: &Watched) -> Option<Problem> {
    let role = watched.role;
    let what = format!("database of {role}");
    match in_time(look(watched)).await {
        Ok(Ok(found)) if found.dead_jobs.unsigned_abs() > DEAD_JOBS_MAX => Some(Problem {
            what: format!("jobs of {role}"),
            reason: "DEAD_JOBS",
            remedy: format!(
                "{} jobs were given up, more than {DEAD_JOBS_MAX}; read last_error in table job, mend the cause, set dead to false",
                found.dead_jobs
            ),
        }),
        Ok(Ok(_)) => None,
        Ok(Err(_)) => Some(Problem {
            what,
            reason: "DATABASE_SILENT",
            remedy:
                "the database refuses to be read; see the log for its words, and its disk or server"
                    .into(),
        }),
        Err(_) => Some(Problem {
            what,
            reason: "DATABASE_SLOW",
            remedy: format!(
                "the database did not answer within {CHECK_MS_MAX} ms; see its disk or server"
            ),
        }),
    }
}

async fn peer(role: &'static str, channel: Channel) -> Option<Problem> {
    match in_time(channel.standing()).await {
        Ok(Standing::Works) => None,
        Ok(Standing::Waits) => Some(Problem {
            what: role.to_owned(),
            reason: "PEER_NOT_READY",
            remedy: format!("{role} waits for business time or its database; see its own /ready"),
        }),
        _ => Some(Problem {
            what: role.to_owned(),
            reason: "PEER_SILENT",
            remedy: format!("{role} does not answer; start it, or mend the network between"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use convene_kit::local;
    use convene_migrations::scheduler::Migrator;
    use sea_orm::ConnectionTrait as _;

    use super::*;

    async fn dead_jobs(db: &Db, jobs: u64) {
        let insert = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {jobs})
             INSERT INTO job (id, tenant_id, queue, object_id, effect, due_at_ms, retry_at_ms, attempts, dead, traceparent)
             SELECT randomblob(16), randomblob(16), 'booking', randomblob(16), '{{}}', 0, 0, 1, 1, '' FROM n"
        );
        let written = db.write(move |tx| {
            Box::pin(async move { Ok(tx.execute_unprepared(&insert).await.map(drop)?) })
        });
        written.await.unwrap();
    }

    #[tokio::test]
    async fn what_is_not_ready_is_named_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_sqlite::<Migrator>(folder.path(), "scheduler");
        let db = db.await.unwrap();
        let mut operations = Operations {
            metrics: Metrics::default(),
            here: vec![Watched {
                role: "scheduler",
                db: db.clone(),
                clock: Clock::default(),
            }],
            peers: Vec::new(),
        };
        dead_jobs(&db, DEAD_JOBS_MAX).await;
        assert!(
            operations.problems(|_| true).await.is_empty(),
            "up to the bound"
        );
        dead_jobs(&db, 1).await;
        let (nobody, incoming) = local::pipe();
        drop(incoming);
        operations.peers.push(("lobby-manager", nobody));
        let problems = operations.problems(|_| true).await;
        let told: Vec<_> = problems
            .iter()
            .map(|problem| (problem.what.as_str(), problem.reason))
            .collect();
        let wanted = [
            ("jobs of scheduler", "DEAD_JOBS"),
            ("lobby-manager", "PEER_SILENT"),
        ];
        assert_eq!(told, wanted);
        assert!(problems.iter().all(|problem| !problem.remedy.is_empty()));
        db.read().clone().close().await.unwrap();
        let problems = operations.problems(|_| true).await;
        assert_eq!(problems[0].reason, "DATABASE_SILENT");
    }

    #[tokio::test]
    async fn the_operators_listener_is_not_for_everybody() {
        let everywhere = "0.0.0.0:0".parse().unwrap();
        let refused = bind(everywhere, false).await.unwrap_err();
        assert_eq!(refused.reason, "NOT_LOOPBACK");
        assert_eq!(refused.field.as_deref(), Some("operations.listen"));
        let taken = bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let again = bind(taken.local_addr().unwrap(), false).await.unwrap_err();
        assert_eq!(again.reason, "CANNOT_LISTEN");
    }
}
