//! What comes next in a run: read from the definition and from what has happened. Pure: the same history and the same moment answer the same.

use convene_domain::{
    Timestamp,
    run::{Event, Happening, Phase, Run, StepPhase, StepRun, UNDO},
};
use serde_json::{Value as Json, json};

use crate::{
    definition::{Definition, Scope, Step, Until, What},
    scope,
    store::booking,
};

/// An expression could not be evaluated.
pub const EXPRESSION_FAILED: &str = "EXPRESSION_FAILED";
/// The condition of a step does not hold.
const CONDITION: &str = "CONDITION";
/// The time of a step is too long ago.
const TOO_LATE: &str = "TOO_LATE";
/// Another row of a parallel step failed.
const CALLED_OFF: &str = "CALLED_OFF";

/// The next fact about a run; `None` while it waits for something.
pub fn next(
    definition: &Definition,
    run: &Run,
    booking: &booking::Model,
    now: Timestamp,
) -> Option<Event> {
    let walker = Walker {
        run,
        scope: scope::of_run(run, booking, now),
        now,
    };
    match &run.phase {
        Phase::Running => match walker.row(&definition.steps) {
            Walked::Next(event) => Some(event),
            Walked::Open => None,
            Walked::Over => Some(Event::RunSucceeded),
            Walked::Failed { step, reason } => Some(match walker.to_undo(definition) {
                Some(_) => Event::CompensationBegan { step, reason },
                None => Event::RunFailed { step, reason },
            }),
        },
        Phase::Compensating { step, reason } => walker.compensate(definition, step, reason),
        Phase::Succeeded | Phase::Failed { .. } | Phase::Cancelled { .. } => None,
    }
}

/// Where a walk over steps ends.
enum Walked {
    /// All are over.
    Over,
    /// Something is being done or waited for.
    Open,
    /// This is next.
    Next(Event),
    /// A step failed that must not.
    Failed { step: String, reason: String },
}

struct Walker<'a> {
    run: &'a Run,
    scope: Scope,
    now: Timestamp,
}

impl Walker<'_> {
    fn row(&self, steps: &[Step]) -> Walked {
        for step in steps {
            match self.step(step) {
                Walked::Over => {}
                other => return other,
            }
        }
        Walked::Over
    }

    fn step(&self, step: &Step) -> Walked {
        let Some(state) = self.run.steps.get(&step.id) else {
            return self.come(step);
        };
        match state.phase {
            StepPhase::Succeeded | StepPhase::Skipped => Walked::Over,
            StepPhase::Failed if step.may_fail => Walked::Over,
            StepPhase::Failed => Walked::Failed {
                step: step.id.clone(),
                reason: state.reason.clone().unwrap_or_default(),
            },
            StepPhase::Scheduled => self.scheduled(step, state),
            StepPhase::Waiting => self.waiting(step, state),
            StepPhase::Retrying => Walked::Open,
            StepPhase::Running => self.within(step, state),
        }
    }

    /// Its turn has come for the first time.
    fn come(&self, step: &Step) -> Walked {
        let Some(at) = &step.at else {
            return self.begin(step);
        };
        match at.moment(&self.scope) {
            Ok(at) if at > self.now => Walked::Next(Event::StepScheduled {
                step: step.id.clone(),
                at,
            }),
            Ok(at) => self.begin_unless_late(step, at),
            Err(_) => self.broken(step),
        }
    }

    fn scheduled(&self, step: &Step, state: &StepRun) -> Walked {
        let at = step.at.as_ref().map(|at| at.moment(&self.scope));
        match at {
            // The booking has moved, and the time with it.
            Some(Ok(at)) if Some(at) != state.until && at > self.now => self.moved(step, at),
            Some(Ok(at)) if state.woken || at <= self.now => self.begin_unless_late(step, at),
            Some(Ok(_)) => Walked::Open,
            Some(Err(_)) => self.broken(step),
            // Only another version has no time for it.
            None => self.begin(step),
        }
    }

    fn begin_unless_late(&self, step: &Step, at: Timestamp) -> Walked {
        let late_ms = self.now.as_millis().saturating_sub(at.as_millis());
        match step.late_ms {
            Some(most) if late_ms > most => self.skip(step, TOO_LATE),
            _ => self.begin(step),
        }
    }

    fn begin(&self, step: &Step) -> Walked {
        match step.when.as_ref().map(|when| when.holds(&self.scope)) {
            Some(Ok(false)) => return self.skip(step, CONDITION),
            Some(Err(_)) => return self.broken(step),
            Some(Ok(true)) | None => {}
        }
        let id = step.id.clone();
        let began = |acts, arm| {
            Walked::Next(Event::StepBegan {
                step: id.clone(),
                acts,
                arm,
            })
        };
        match &step.what {
            What::Act(_) => began(true, None),
            What::Parallel(_) => began(false, None),
            What::Branch { arms, .. } => {
                for (place, (when, _)) in arms.iter().enumerate() {
                    match when.holds(&self.scope) {
                        Ok(true) => return began(false, u32::try_from(place).ok()),
                        Ok(false) => {}
                        Err(_) => return self.broken(step),
                    }
                }
                began(false, None)
            }
            What::Wait(until) => self.wait(step, Some(until)),
            What::WaitFor { until, .. } => self.wait(step, until.as_ref()),
        }
    }

    fn wait(&self, step: &Step, until: Option<&Until>) -> Walked {
        let until = until.map(|until| until.moment(self.now, &self.scope));
        match until.transpose() {
            Ok(until) => Walked::Next(Event::StepWaits {
                step: step.id.clone(),
                until,
            }),
            Err(_) => self.broken(step),
        }
    }

    fn waiting(&self, step: &Step, state: &StepRun) -> Walked {
        let until = match &step.what {
            What::Wait(until) => Some(until),
            What::WaitFor {
                name,
                matching,
                until,
                ..
            } => {
                let mut known = self.run.inbox.iter();
                if let Some(taken) =
                    known.find(|known| known.taken_by.as_deref() == Some(step.id.as_str()))
                {
                    let output = json!({ "happened": true, "event": taken.data });
                    return self.succeed(step, output);
                }
                for happening in &self.run.inbox {
                    let free = happening.taken_by.is_none() && happening.name == *name;
                    if free && self.matches(happening, matching.as_ref()) {
                        return Walked::Next(Event::Taken {
                            step: step.id.clone(),
                            key: happening.key,
                        });
                    }
                }
                until.as_ref()
            }
            // Only another version has something else here.
            What::Branch { .. } | What::Parallel(_) | What::Act(_) => return Walked::Open,
        };
        let until = until.map(|until| until.moment(state.began_at, &self.scope));
        match until {
            Some(Ok(at)) if Some(at) != state.until && at > self.now => self.moved(step, at),
            Some(Ok(at)) if state.woken || at <= self.now => {
                let output = match step.what {
                    What::WaitFor { .. } => json!({ "happened": false, "event": Json::Null }),
                    _ => json!({}),
                };
                self.succeed(step, output)
            }
            Some(Err(_)) => self.broken(step),
            Some(Ok(_)) | None => Walked::Open,
        }
    }

    fn matches(&self, happening: &Happening, matching: Option<&crate::definition::Expr>) -> bool {
        let Some(matching) = matching else {
            return true;
        };
        let mut scope = self.scope.clone();
        let event = scope::happening(&happening.name, happening.at, &happening.data);
        scope.push(("event", event));
        // What it cannot be evaluated on is not what is waited for.
        matching.holds(&scope).unwrap_or(false)
    }

    /// Steps within it go on.
    fn within(&self, step: &Step, state: &StepRun) -> Walked {
        let walked = match &step.what {
            What::Act(_) | What::Wait(_) | What::WaitFor { .. } => return Walked::Open,
            What::Branch { arms, otherwise } => {
                let arm = state.arm.and_then(|arm| usize::try_from(arm).ok());
                let arm = arm.and_then(|arm| arms.get(arm));
                self.row(arm.map_or(otherwise, |(_, steps)| steps))
            }
            What::Parallel(rows) => self.side_by_side(rows),
        };
        match walked {
            Walked::Over => self.succeed(step, json!({ "arm": state.arm })),
            Walked::Failed { reason, .. } => Walked::Next(Event::StepFailed {
                step: step.id.clone(),
                reason,
            }),
            other => other,
        }
    }

    fn side_by_side(&self, rows: &[Vec<Step>]) -> Walked {
        let mut walked: Vec<_> = rows.iter().map(|row| self.row(row)).collect();
        let failed = |walked: &Walked| matches!(walked, Walked::Failed { .. });
        if let Some(place) = walked.iter().position(failed) {
            // What goes on in the other rows is called off; nothing of them is begun any more.
            return match rows.iter().find_map(|row| self.open_in(row)) {
                Some(open) => Walked::Next(Event::StepSkipped {
                    step: open,
                    reason: CALLED_OFF.to_owned(),
                }),
                None => walked.swap_remove(place),
            };
        }
        let next = |walked: &Walked| matches!(walked, Walked::Next(_));
        if let Some(place) = walked.iter().position(next) {
            return walked.swap_remove(place);
        }
        match walked.iter().all(|walked| matches!(walked, Walked::Over)) {
            true => Walked::Over,
            false => Walked::Open,
        }
    }

    /// A step that is not over; the innermost first.
    fn open_in(&self, steps: &[Step]) -> Option<String> {
        steps.iter().find_map(|step| {
            let mut inner = step.rows().into_iter();
            inner.find_map(|row| self.open_in(row)).or_else(|| {
                let state = self.run.steps.get(&step.id)?;
                (!state.is_over()).then(|| step.id.clone())
            })
        })
    }

    /// The newest step that was done and can be made good, and was not yet.
    fn to_undo<'d>(&self, definition: &'d Definition) -> Option<&'d Step> {
        let mut done: Vec<_> = definition
            .all()
            .into_iter()
            .filter(|step| step.undo.is_some())
            .filter_map(|step| {
                let state = self.run.steps.get(&step.id)?;
                (state.phase == StepPhase::Succeeded).then_some((state.ended_at, state.turn, step))
            })
            .filter(|(_, _, step)| {
                let undone = self.run.steps.get(&format!("{UNDO}{}", step.id));
                undone.is_none_or(|undone| !undone.is_over())
            })
            .collect();
        done.sort_by_key(|(ended_at, turn, _)| (*ended_at, *turn));
        done.last().map(|(_, _, step)| *step)
    }

    fn compensate(&self, definition: &Definition, step: &str, reason: &str) -> Option<Event> {
        let Some(next) = self.to_undo(definition) else {
            return Some(Event::RunFailed {
                step: step.to_owned(),
                reason: reason.to_owned(),
            });
        };
        let undo = format!("{UNDO}{}", next.id);
        match self.run.steps.contains_key(&undo) {
            true => None,
            false => Some(Event::StepBegan {
                step: undo,
                acts: true,
                arm: None,
            }),
        }
    }

    fn moved(&self, step: &Step, at: Timestamp) -> Walked {
        let step = step.id.clone();
        Walked::Next(Event::WaitMoved { step, at })
    }

    fn succeed(&self, step: &Step, output: Json) -> Walked {
        let step = step.id.clone();
        Walked::Next(Event::StepSucceeded { step, output })
    }

    fn skip(&self, step: &Step, reason: &str) -> Walked {
        Walked::Next(Event::StepSkipped {
            step: step.id.clone(),
            reason: reason.to_owned(),
        })
    }

    fn broken(&self, step: &Step) -> Walked {
        Walked::Next(Event::StepFailed {
            step: step.id.clone(),
            reason: EXPRESSION_FAILED.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
