//! How facts change a run.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::{Effect, Event, Happening, INBOX_MAX, Phase, Run, StepPhase, StepRun, UNDO};
use crate::{BookingId, Charted, Machine, Outcome, Refused, Step, Timestamp};

impl Machine for Run {
    const KIND: &'static str = "run";
    type Event = Event;
    type Effect = Effect;

    fn begin(event: Event, _now: Timestamp) -> Result<Step<Self>, Refused> {
        let Event::RunStarted {
            workflow,
            version,
            booking,
            trigger,
        } = event
        else {
            return Err(Refused::OUT_OF_ORDER);
        };
        Ok(Step::to(Self {
            workflow,
            version,
            booking,
            trigger,
            phase: Phase::Running,
            steps: BTreeMap::new(),
            inbox: Vec::new(),
            turn: 0,
        }))
    }

    fn on(self, event: Event, now: Timestamp) -> Outcome<Self> {
        if let Event::RetryWanted = event {
            return self.retry();
        }
        if !self.is_open() {
            return Ok(None);
        }
        Ok(match event {
            Event::RunStarted { .. } | Event::RetryWanted => None,
            Event::StepScheduled { step, at } => self.schedule(step, at, now),
            Event::StepBegan { step, acts, arm } => self.begin_step(step, acts, arm, now),
            Event::StepWaits { step, until } => self.wait(step, until, now),
            Event::WaitMoved { step, at } => self.move_wait(&step, at),
            Event::Woken { step, turn } => self.wake(&step, turn),
            Event::Happened { happening } => return self.remember(happening),
            Event::Taken { step, key } => self.take(step, key),
            Event::AttemptFailed {
                step,
                turn,
                reason,
                pause_ms,
            } => self.attempt_failed(step, turn, reason, pause_ms, now),
            Event::StepSucceeded { step, output } => {
                self.end_step(&step, StepPhase::Succeeded, None, output, now)
            }
            Event::StepSkipped { step, reason } => self.skip(step, reason, now),
            Event::StepFailed { step, reason } => self.fail_step(step, reason, now),
            Event::CompensationBegan { step, reason } => (self.phase == Phase::Running)
                .then(|| self.to(Phase::Compensating { step, reason })),
            Event::RunSucceeded => Some(self.to(Phase::Succeeded)),
            Event::RunFailed { step, reason } => Some(self.to(Phase::Failed { step, reason })),
            Event::RunCancelled { reason } => Some(self.to(Phase::Cancelled { reason })),
        })
    }

    fn wanted(&self, effect: &Effect) -> bool {
        let (step, turn, phases) = match effect {
            Effect::Act { step, turn } => (step, turn, [StepPhase::Running, StepPhase::Retrying]),
            Effect::Wake { step, turn } => (step, turn, [StepPhase::Scheduled, StepPhase::Waiting]),
        };
        let known = self.steps.get(step);
        let same = known.is_some_and(|own| own.turn == *turn && phases.contains(&own.phase));
        self.is_open() && same
    }

    fn state(&self) -> &'static str {
        match self.phase {
            Phase::Running => "RUNNING",
            Phase::Compensating { .. } => "COMPENSATING",
            Phase::Succeeded => "SUCCEEDED",
            Phase::Failed { .. } => "FAILED",
            Phase::Cancelled { .. } => "CANCELLED",
        }
    }
}

impl Run {
    /// Whether steps go on.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Compensating { .. })
    }

    fn to(mut self, phase: Phase) -> Step<Self> {
        self.phase = phase;
        Step::to(self)
    }

    fn next_turn(&mut self) -> u32 {
        self.turn += 1;
        self.turn
    }

    fn schedule(mut self, step: String, at: Timestamp, now: Timestamp) -> Option<Step<Self>> {
        if self.steps.contains_key(&step) {
            return None;
        }
        let turn = self.next_turn();
        let mut run = StepRun::new(StepPhase::Scheduled, now);
        run.turn = turn;
        run.until = Some(at);
        self.steps.insert(step.clone(), run);
        Some(Step::to(self).then_at(at, Effect::Wake { step, turn }))
    }

    fn begin_step(
        mut self,
        step: String,
        acts: bool,
        arm: Option<u32>,
        now: Timestamp,
    ) -> Option<Step<Self>> {
        let known = self.steps.get(&step);
        if known.is_some_and(|known| known.phase != StepPhase::Scheduled) {
            return None;
        }
        let mut run = StepRun::new(StepPhase::Running, now);
        run.arm = arm;
        run.turn = self.next_turn();
        let turn = run.turn;
        self.steps.insert(step.clone(), run);
        let begun = Step::to(self);
        Some(match acts {
            true => begun.then(Effect::Act { step, turn }),
            false => begun,
        })
    }

    fn wait(
        mut self,
        step: String,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Step<Self>> {
        let known = self.steps.get(&step);
        if known.is_some_and(|known| known.phase != StepPhase::Scheduled) {
            return None;
        }
        let turn = self.next_turn();
        let mut run = StepRun::new(StepPhase::Waiting, now);
        run.turn = turn;
        run.until = until;
        self.steps.insert(step.clone(), run);
        let waits = Step::to(self);
        Some(match until {
            Some(at) => waits.then_at(at, Effect::Wake { step, turn }),
            None => waits,
        })
    }

    fn move_wait(mut self, step: &str, at: Timestamp) -> Option<Step<Self>> {
        let turn = self.turn + 1;
        let run = self.steps.get_mut(step)?;
        let waits = matches!(run.phase, StepPhase::Scheduled | StepPhase::Waiting);
        if !waits || run.until == Some(at) {
            return None;
        }
        run.until = Some(at);
        run.turn = turn;
        run.woken = false;
        self.turn = turn;
        let step = step.to_owned();
        Some(Step::to(self).then_at(at, Effect::Wake { step, turn }))
    }

    fn wake(mut self, step: &str, turn: u32) -> Option<Step<Self>> {
        let run = self.steps.get_mut(step)?;
        if run.turn != turn || run.woken || run.is_over() {
            return None;
        }
        run.woken = true;
        Some(Step::to(self))
    }

    fn remember(mut self, happening: Happening) -> Outcome<Self> {
        if self.inbox.iter().any(|known| known.key == happening.key) {
            return Ok(None);
        }
        if self.inbox.len() >= INBOX_MAX {
            // Those that a step has taken are no more needed.
            self.inbox.retain(|known| known.taken_by.is_none());
        }
        if self.inbox.len() >= INBOX_MAX {
            return Err(Refused::new(
                "TOO_MANY_HAPPENINGS",
                "a run remembers at most 100 events and signals that no step has taken; let the workflow take them, or cancel the run",
            ));
        }
        self.inbox.push(happening);
        Ok(Some(Step::to(self)))
    }

    fn take(mut self, step: String, key: Uuid) -> Option<Step<Self>> {
        let mut known = self.inbox.iter_mut();
        let happening = known.find(|known| known.key == key && known.taken_by.is_none())?;
        happening.taken_by = Some(step);
        Some(Step::to(self))
    }

    fn attempt_failed(
        mut self,
        step: String,
        turn: u32,
        reason: String,
        pause_ms: Option<i64>,
        now: Timestamp,
    ) -> Option<Step<Self>> {
        let next = self.turn + 1;
        let run = self.steps.get_mut(&step)?;
        let acted = matches!(run.phase, StepPhase::Running | StepPhase::Retrying);
        if !acted || run.turn != turn {
            return None;
        }
        run.attempts += 1;
        run.reason = Some(reason);
        let Some(pause_ms) = pause_ms else {
            run.phase = StepPhase::Failed;
            run.ended_at = Some(now);
            return Some(Step::to(self));
        };
        run.phase = StepPhase::Retrying;
        run.turn = next;
        let at = now.plus_millis(pause_ms);
        run.until = Some(at);
        self.turn = next;
        Some(Step::to(self).then_at(at, Effect::Act { step, turn: next }))
    }

    fn end_step(
        mut self,
        step: &str,
        phase: StepPhase,
        reason: Option<String>,
        output: Value,
        now: Timestamp,
    ) -> Option<Step<Self>> {
        let run = self.steps.get_mut(step)?;
        if run.is_over() {
            return None;
        }
        run.phase = phase;
        run.ended_at = Some(now);
        run.until = None;
        run.reason = reason;
        run.output = output;
        Some(Step::to(self))
    }

    fn skip(mut self, step: String, reason: String, now: Timestamp) -> Option<Step<Self>> {
        let run = StepRun::new(StepPhase::Skipped, now);
        self.steps.entry(step.clone()).or_insert(StepRun {
            phase: StepPhase::Scheduled,
            ..run
        });
        self.end_step(&step, StepPhase::Skipped, Some(reason), Value::Null, now)
    }

    fn fail_step(mut self, step: String, reason: String, now: Timestamp) -> Option<Step<Self>> {
        self.steps
            .entry(step.clone())
            .or_insert_with(|| StepRun::new(StepPhase::Running, now));
        self.end_step(&step, StepPhase::Failed, Some(reason), Value::Null, now)
    }

    /// Takes the failed step, and all that it failed with, out of the history: it comes next.
    fn retry(mut self) -> Outcome<Self> {
        if !matches!(self.phase, Phase::Failed { .. }) {
            return Err(Refused::new(
                "RUN_NOT_FAILED",
                "only a run that has failed can be tried again from the step that failed",
            ));
        }
        if self.steps.keys().any(|step| step.starts_with(UNDO)) {
            return Err(Refused::new(
                "RUN_COMPENSATED",
                "what this run did was made good when it failed; start the workflow anew instead",
            ));
        }
        self.steps.retain(|_, run| run.phase != StepPhase::Failed);
        Ok(Some(self.to(Phase::Running)))
    }
}

impl Charted for Run {
    fn chart_events() -> (Event, Vec<Event>) {
        let trigger = Happening {
            name: "booking.booked".into(),
            at: Timestamp::from_millis(0),
            key: Uuid::nil(),
            data: Value::Null,
            taken_by: None,
        };
        let started = Event::RunStarted {
            workflow: "confirm".into(),
            version: 1,
            booking: BookingId::from_uuid(Uuid::nil()),
            trigger,
        };
        let (step, reason) = (|| "a".to_owned(), || "R".to_owned());
        let later = vec![
            Event::StepBegan {
                step: step(),
                acts: true,
                arm: None,
            },
            Event::StepWaits {
                step: step(),
                until: None,
            },
            Event::StepSucceeded {
                step: step(),
                output: Value::Null,
            },
            Event::AttemptFailed {
                step: step(),
                turn: 1,
                reason: reason(),
                pause_ms: None,
            },
            Event::StepFailed {
                step: step(),
                reason: reason(),
            },
            Event::CompensationBegan {
                step: step(),
                reason: reason(),
            },
            Event::RunSucceeded,
            Event::RunFailed {
                step: step(),
                reason: reason(),
            },
            Event::RunCancelled { reason: reason() },
            Event::RetryWanted,
        ];
        (started, later)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(0);

    fn started() -> Run {
        Run::begin(Run::chart_events().0, T0).unwrap().next
    }

    fn on(run: Run, event: Event) -> Step<Run> {
        run.on(event, T0).unwrap().expect("it changes something")
    }

    fn began(acts: bool) -> Event {
        Event::StepBegan {
            step: "a".into(),
            acts,
            arm: None,
        }
    }

    #[test]
    fn an_attempt_that_failed_is_made_again_under_a_new_turn_and_the_old_one_is_unwanted() {
        let step = on(started(), began(true));
        let first = step.effects[0].effect.clone();
        assert!(step.next.wanted(&first));
        let failed = Event::AttemptFailed {
            step: "a".into(),
            turn: 1,
            reason: "R".into(),
            pause_ms: Some(500),
        };
        let again = on(step.next, failed.clone());
        assert_eq!(again.effects[0].at, Some(Timestamp::from_millis(500)));
        assert!(!again.next.wanted(&first));
        assert!(again.next.wanted(&again.effects[0].effect));
        assert!(
            again.next.on(failed, T0).unwrap().is_none(),
            "the same attempt fails once"
        );
    }

    #[test]
    fn a_moved_wait_has_one_timer() {
        let waits = Event::StepWaits {
            step: "a".into(),
            until: Some(Timestamp::from_millis(10)),
        };
        let waits = on(started(), waits);
        let moved = Event::WaitMoved {
            step: "a".into(),
            at: Timestamp::from_millis(20),
        };
        let old = waits.effects[0].effect.clone();
        let moved = on(waits.next, moved);
        assert!(!moved.next.wanted(&old));
        let Effect::Wake { turn, .. } = moved.effects[0].effect else {
            panic!("a timer");
        };
        let stale = Event::Woken {
            step: "a".into(),
            turn: turn - 1,
        };
        assert!(moved.next.clone().on(stale, T0).unwrap().is_none());
        let woken = Event::Woken {
            step: "a".into(),
            turn,
        };
        assert!(on(moved.next, woken).next.steps["a"].woken);
    }

    #[test]
    fn what_happened_counts_once_and_the_inbox_is_bounded() {
        let happened = |number: u128| Event::Happened {
            happening: Happening {
                name: "signal.x".into(),
                at: T0,
                key: Uuid::from_u128(number),
                data: Value::Null,
                taken_by: None,
            },
        };
        let mut run = started();
        for number in 0..INBOX_MAX as u128 {
            run = on(run, happened(number)).next;
        }
        assert!(run.clone().on(happened(3), T0).unwrap().is_none());
        let full = run.clone().on(happened(1_000), T0).unwrap_err();
        assert_eq!(full.reason, "TOO_MANY_HAPPENINGS");
        let taken = Event::Taken {
            step: "a".into(),
            key: Uuid::from_u128(0),
        };
        run = on(run, taken).next;
        run = on(run, happened(1_000)).next;
        assert_eq!(run.inbox.len(), INBOX_MAX);
    }

    #[test]
    fn a_run_that_is_over_takes_nothing_but_a_retry_of_what_failed() {
        let step = on(started(), began(false)).next;
        let failed = on(
            step,
            Event::StepFailed {
                step: "a".into(),
                reason: "R".into(),
            },
        );
        let failed = on(
            failed.next,
            Event::RunFailed {
                step: "a".into(),
                reason: "R".into(),
            },
        )
        .next;
        assert!(failed.clone().on(began(false), T0).unwrap().is_none());
        let again = on(failed, Event::RetryWanted).next;
        assert_eq!(again.phase, Phase::Running);
        assert!(again.steps.is_empty(), "the failed step comes again");
        let over = on(again, Event::RunSucceeded).next;
        let refused = over.on(Event::RetryWanted, T0).unwrap_err();
        assert_eq!(refused.reason, "RUN_NOT_FAILED");
    }
}
