//! What another version would have made of a run: played dry, with what really came of its steps.

use std::collections::BTreeSet;

use convene_domain::{
    Machine as _, RunId, Timestamp,
    run::{Event, Phase, Run, StepPhase, StepRun, UNDO},
};
use convene_kit::{Context, Error, Result};

use super::Workflows;
use crate::{
    definition::{Definition, What},
    interpret,
    store::{booking, run},
};

/// Facts that a replay plays.
const FACTS_MAX: usize = 2_000;

/// A step that would have gone otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub step: String,
    /// Its state in the run; empty when it was never begun.
    pub was: String,
    /// Its state under the other version; empty when it would never have been begun.
    pub would_be: String,
}

impl Workflows {
    /// Plays a run under another version; nothing is done and nothing is kept.
    pub async fn replay(
        &self,
        context: &Context,
        id: RunId,
        version: u32,
    ) -> Result<Vec<Difference>> {
        context.caller.ensure_admin()?;
        let (db, tenant) = (self.deps.db.read(), context.caller.tenant);
        let was = run::get(db, tenant, id).await?.machine()?;
        let definition = self
            .definitions
            .get(db, tenant, &was.workflow, version)
            .await;
        let definition = definition.map_err(|error| error.on_field("version"))?;
        let booking = booking::find(db, tenant, was.booking).await?;
        let booking = booking.ok_or_else(|| Error::not_found("booking"))?;
        let would_be = play(&definition, &was, &booking)?;
        Ok(compare(&was, &would_be))
    }
}

/// The run under another definition, on the clock of the real one. Steps that act come out as they did, when they did; those that never ran stay to
/// be done.
fn play(definition: &Definition, was: &Run, booking: &booking::Model) -> Result<Run> {
    let begun = Event::RunStarted {
        workflow: was.workflow.clone(),
        version: was.version,
        booking: was.booking,
        trigger: was.trigger.clone(),
    };
    let mut run = Run::begin(begun, was.trigger.at)?.next;
    let steps = was.steps.values();
    let moments: BTreeSet<Timestamp> = steps
        .flat_map(|step| [Some(step.began_at), step.ended_at])
        .flatten()
        .chain(was.inbox.iter().map(|happening| happening.at))
        .chain([was.trigger.at])
        .collect();
    let mut facts = 0;
    for now in moments {
        while let Some(event) = next(definition, &run, was, booking, now) {
            if let Some(step) = run.clone().on(event, now)? {
                run = step.next;
            }
            facts += 1;
            if facts > FACTS_MAX {
                return Err(Error::internal("a replay does not come to rest"));
            }
        }
    }
    Ok(run)
}

/// The next fact of the replay at a moment.
fn next(
    definition: &Definition,
    run: &Run,
    was: &Run,
    booking: &booking::Model,
    now: Timestamp,
) -> Option<Event> {
    let mut happened = was.inbox.iter();
    let happened = happened.find(|known| {
        let seen = run.inbox.iter().any(|seen| seen.key == known.key);
        known.at <= now && !seen
    });
    if let Some(known) = happened {
        let mut happening = known.clone();
        happening.taken_by = None;
        return Some(Event::Happened { happening });
    }
    let mut steps = run.steps.iter();
    let ended = steps.find_map(|(step, state)| ended(definition, was, step, state, now));
    ended.or_else(|| interpret::next(definition, run, booking, now))
}

/// What ends an open step at a moment: its timer, or what came of it in the real run.
fn ended(
    definition: &Definition,
    was: &Run,
    step: &str,
    state: &StepRun,
    now: Timestamp,
) -> Option<Event> {
    match state.phase {
        StepPhase::Scheduled | StepPhase::Waiting => {
            let due = state.until.is_some_and(|until| until <= now) && !state.woken;
            due.then(|| Event::Woken {
                step: step.to_owned(),
                turn: state.turn,
            })
        }
        StepPhase::Running => {
            let own = step.strip_prefix(UNDO).unwrap_or(step);
            let acts = matches!(definition.step(own)?.what, What::Act(_));
            let known = was.steps.get(step)?;
            if !acts || known.ended_at.is_none_or(|ended_at| ended_at > now) {
                return None;
            }
            match known.phase {
                StepPhase::Succeeded => Some(Event::StepSucceeded {
                    step: step.to_owned(),
                    output: known.output.clone(),
                }),
                StepPhase::Failed => Some(Event::StepFailed {
                    step: step.to_owned(),
                    reason: known.reason.clone().unwrap_or_default(),
                }),
                _ => None,
            }
        }
        _ => None,
    }
}

fn compare(was: &Run, would_be: &Run) -> Vec<Difference> {
    let state = |run: &Run, step: &str| {
        let state = run.steps.get(step);
        state.map_or_else(String::new, |state| state.phase.name().to_owned())
    };
    let mut steps: Vec<_> = was.steps.keys().chain(would_be.steps.keys()).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut differences: Vec<_> = steps
        .into_iter()
        .map(|step| Difference {
            step: step.clone(),
            was: state(was, step),
            would_be: state(would_be, step),
        })
        .filter(|difference| difference.was != difference.would_be)
        .collect();
    if !matches!(was.phase, Phase::Cancelled { .. }) && was.state() != would_be.state() {
        differences.push(Difference {
            step: String::new(),
            was: was.state().to_owned(),
            would_be: would_be.state().to_owned(),
        });
    }
    differences
}
