//! Doing what a step says, once for each attempt, under a key that stays the same over all of them.

mod booking;
mod email;
mod http;
mod recording;

use async_trait::async_trait;
use convene_domain::{
    RunId,
    run::{Effect, Event, Run, UNDO},
};
use convene_kit::{
    Deps, Error, Result, Row,
    jobs::{Done, Job, Worker},
    outbound::Outbound,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    definition::{Act, Retry, Scope, Step},
    interpret::EXPRESSION_FAILED,
    peers::Below,
    progress::advance_by_id,
    scope::{self, People},
    store::{booking as known, definitions::Definitions, run::Runs},
};

pub use email::{Mailer, Smtp};

/// Does the effects of runs.
pub struct RunWorker {
    pub deps: Deps,
    pub definitions: Definitions,
    pub below: Below,
    pub outbound: Outbound,
    pub mailer: Mailer,
}

/// Why an attempt failed.
#[derive(Debug)]
pub struct Failed {
    /// Reason code.
    pub reason: String,
    /// Another attempt can only fail in the same way.
    pub last: bool,
    /// The pause that the other side asks for, in milliseconds.
    pub asked_ms: Option<i64>,
    /// A role below or the store was not to be reached: that is nothing that the author's `retry` is for, and is soon tried again.
    pub own: Option<Box<Error>>,
}

impl Failed {
    /// It will be the same the next time.
    pub fn for_good(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            last: true,
            asked_ms: None,
            own: None,
        }
    }

    /// It may be otherwise the next time.
    pub fn for_now(reason: impl Into<String>) -> Self {
        Self {
            last: false,
            ..Self::for_good(reason)
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let asked = error.retry_after;
        let asked_ms = asked.and_then(|asked| i64::try_from(asked.as_millis()).ok());
        Self {
            last: !error.is_transient(),
            reason: error.reason.to_string(),
            asked_ms,
            own: error.is_transient().then(|| Box::new(error)),
        }
    }
}

/// One attempt.
pub struct Attempt<'a> {
    /// The run.
    pub run: &'a Row<Run>,
    /// Stays the same over all attempts of the step: a key for the outside.
    pub key: Uuid,
    /// What expressions read, without people.
    pub scope: Scope,
}

#[async_trait]
impl Worker for RunWorker {
    type Table = Runs;

    async fn run(&self, job: &Job<Effect>, row: Row<Run>) -> Result<Done<Runs>> {
        let event = match &job.effect {
            Effect::Wake { step, turn } => Event::Woken {
                step: step.clone(),
                turn: *turn,
            },
            Effect::Act { step, turn } => self.attempt(&row, step, *turn).await?,
        };
        Ok(self.done(job, event))
    }

    async fn give_up(&self, job: &Job<Effect>, error: &Error) -> Option<Done<Runs>> {
        let Effect::Act { step, turn } = &job.effect else {
            return None;
        };
        let event = Event::AttemptFailed {
            step: step.clone(),
            turn: *turn,
            reason: error.reason.to_string(),
            pause_ms: None,
        };
        Some(self.done(job, event))
    }
}

impl RunWorker {
    /// The fact, and all that comes of it.
    fn done(&self, job: &Job<Effect>, event: Event) -> Done<Runs> {
        let (id, definitions) = (RunId::from_uuid(job.object), self.definitions.clone());
        Done::fact(event).with(move |tx, origin| {
            Box::pin(async move { advance_by_id(tx, &origin, &definitions, id).await })
        })
    }

    async fn attempt(&self, row: &Row<Run>, id: &str, turn: u32) -> Result<Event> {
        let (db, run) = (self.deps.db.read(), &row.machine);
        let definition = self
            .definitions
            .get(db, row.tenant, &run.workflow, run.version)
            .await?;
        let own = id.strip_prefix(UNDO).unwrap_or(id);
        let step = definition.step(own);
        let act = step.and_then(|step| step_act(step, own != id));
        let (Some(step), Some(act)) = (step, act) else {
            return Err(Error::internal("a step that its workflow does not have"));
        };
        let booking = known::find(db, row.tenant, run.booking).await?;
        let booking = booking.ok_or_else(|| Error::internal("a run of no booking"))?;
        let attempt = Attempt {
            run: row,
            key: Uuid::new_v5(&row.id, id.as_bytes()),
            scope: scope::of_run(run, &booking, self.deps.clock.now()),
        };
        let attempts = run.steps.get(id).map_or(0, |state| state.attempts) + 1;
        Ok(match self.act(&attempt, act).await {
            Ok(output) => Event::StepSucceeded {
                step: id.to_owned(),
                output,
            },
            Err(Failed {
                own: Some(error), ..
            }) => return Err(*error),
            Err(failed) => Event::AttemptFailed {
                step: id.to_owned(),
                turn,
                pause_ms: pause_ms(step.retry, attempts, &failed),
                reason: failed.reason,
            },
        })
    }

    async fn act(&self, attempt: &Attempt<'_>, act: &Act) -> Result<Json, Failed> {
        match act {
            Act::Email { to, subject, text } => email::send(self, attempt, to, subject, text).await,
            Act::Http { url, body } => http::send(self, attempt, url, body).await,
            Act::Booking(act) => {
                booking::act(self, attempt, act).await?;
                Ok(json!({}))
            }
            Act::Recording(act) => {
                recording::act(self, attempt, *act).await?;
                Ok(json!({}))
            }
        }
    }

    /// Names and addresses of the booking; one for each guest.
    async fn people(&self, attempt: &Attempt<'_>) -> Result<Vec<People>> {
        let (tenant, run) = (attempt.run.tenant, &attempt.run.machine);
        let actor = format!("workflow:{}", run.workflow);
        let booking = self.below.booking(tenant, &actor, run.booking).await?;
        let service = self
            .below
            .service(tenant, &actor, &booking.service_id)
            .await?;
        let host = self.below.host(tenant, &actor, &booking.host_id).await?;
        let guests = booking.guests.into_iter();
        Ok(guests
            .map(|guest| People {
                service: service.name.clone(),
                host: host.name.clone(),
                guest: guest.name,
                guest_email: guest.email,
            })
            .collect())
    }
}

/// What a step does outside, or what makes it good.
fn step_act(step: &Step, undo: bool) -> Option<&Act> {
    match (&step.what, undo) {
        (_, true) => step.undo.as_ref(),
        (crate::definition::What::Act(act), false) => Some(act),
        _ => None,
    }
}

fn pause_ms(retry: Retry, attempts: u32, failed: &Failed) -> Option<i64> {
    if failed.last {
        return None;
    }
    let own = retry.after(attempts)?;
    Some(
        own.max(failed.asked_ms.unwrap_or(0))
            .min(Retry::PAUSE_MS_MAX),
    )
}

/// An expression that could not be evaluated on real data.
fn unfilled(_: String) -> Failed {
    // What it says may quote names.
    Failed::for_good(EXPRESSION_FAILED)
}
