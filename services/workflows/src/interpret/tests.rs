//! Runs played without a store.

use convene_domain::{BookingId, Machine as _, run::Effect};
use uuid::Uuid;

use super::*;
use crate::definition;

const START: i64 = 100_000_000;

/// A run that is played without a store: effects are answered by hand.
struct Play {
    definition: Definition,
    run: Run,
    booking: booking::Model,
    now: i64,
    timers: Vec<(i64, Effect)>,
    acts: Vec<(String, u32)>,
}

impl Play {
    fn new(steps: &str) -> Self {
        let text = format!("workflow: w\non: [manual]\nsteps:\n{steps}");
        let definition = definition::parse(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
        let (mut started, _) = <Run as convene_domain::Charted>::chart_events();
        if let Event::RunStarted { booking, .. } = &mut started {
            *booking = BookingId::from_uuid(Uuid::nil());
        }
        let run = Run::begin(started, Timestamp::from_millis(0)).unwrap().next;
        let booking = booking::Model {
            tenant_id: Uuid::nil(),
            id: Uuid::nil(),
            service_id: Uuid::nil(),
            host_id: Uuid::nil(),
            start_ms: START,
            end_ms: START + 1_000,
            guests: 1,
            state: booking::BOOKED.into(),
        };
        let mut play = Self {
            definition,
            run,
            booking,
            now: 0,
            timers: Vec::new(),
            acts: Vec::new(),
        };
        play.go();
        play
    }

    fn apply(&mut self, event: Event) {
        let now = Timestamp::from_millis(self.now);
        let Some(step) = self.run.clone().on(event, now).unwrap() else {
            return;
        };
        self.run = step.next;
        for due in step.effects {
            match due.effect {
                Effect::Act { step, turn } if due.at.is_none() => self.acts.push((step, turn)),
                effect => {
                    let at = due.at.map_or(self.now, |at| at.as_millis());
                    self.timers.push((at, effect));
                }
            }
        }
    }

    fn go(&mut self) {
        for _ in 0..1_000 {
            let now = Timestamp::from_millis(self.now);
            match next(&self.definition, &self.run, &self.booking, now) {
                Some(event) => self.apply(event),
                None => return,
            }
        }
        panic!("it never rests");
    }

    fn then(&mut self, event: Event) {
        self.apply(event);
        self.go();
    }

    fn done(&mut self, step: &str) {
        assert!(
            self.acts.iter().any(|(known, _)| known == step),
            "{step}: {:?}",
            self.acts
        );
        self.acts.retain(|(known, _)| known != step);
        let (step, output) = (step.to_owned(), json!({}));
        self.then(Event::StepSucceeded { step, output });
    }

    fn fails(&mut self, step: &str) {
        let (_, turn) = self
            .acts
            .iter()
            .find(|(known, _)| known == step)
            .unwrap()
            .clone();
        self.acts.retain(|(known, _)| known != step);
        self.then(Event::AttemptFailed {
            step: step.to_owned(),
            turn,
            reason: "DOWN".into(),
            pause_ms: None,
        });
    }

    /// Time goes on to a moment; timers go off on the way.
    fn until(&mut self, moment: i64) {
        loop {
            let due = self.timers.iter().filter(|(at, _)| *at <= moment);
            let Some((at, effect)) = due.min_by_key(|(at, _)| *at).cloned() else {
                break;
            };
            self.timers.retain(|known| *known != (at, effect.clone()));
            self.now = self.now.max(at);
            if let Effect::Wake { step, turn } = effect
                && self.run.wanted(&Effect::Wake {
                    step: step.clone(),
                    turn,
                })
            {
                self.then(Event::Woken { step, turn });
            }
        }
        self.now = moment;
    }

    fn happens(&mut self, name: &str, key: u128) {
        let happening = Happening {
            name: name.into(),
            at: Timestamp::from_millis(self.now),
            key: Uuid::from_u128(key),
            data: json!({ "number": u64::try_from(key).unwrap() }),
            taken_by: None,
        };
        self.then(Event::Happened { happening });
    }

    fn state(&self, step: &str) -> Option<StepPhase> {
        self.run.steps.get(step).map(|step| step.phase)
    }

    fn asked(&self) -> Vec<&str> {
        self.acts.iter().map(|(step, _)| step.as_str()).collect()
    }
}

const ACT: &str = "recording: start";

#[test]
fn steps_come_one_after_the_other() {
    let mut play = Play::new(&format!(
        "  - {{ id: a, {ACT} }}\n  - {{ id: b, when: 'steps.a.state == \"FAILED\"', {ACT} }}\n  - {{ id: c, {ACT} }}"
    ));
    assert_eq!(play.asked(), ["a"]);
    play.done("a");
    assert_eq!(play.state("b"), Some(StepPhase::Skipped));
    assert_eq!(play.asked(), ["c"]);
    play.done("c");
    assert_eq!(play.run.phase, Phase::Succeeded);
}

#[test]
fn a_timed_step_moves_with_its_booking_and_is_left_out_when_late() {
    let step = format!(
        "  - {{ id: a, at: 'booking.start - duration(\"10s\")', skipWhenLateBy: 5s, {ACT} }}"
    );
    let mut play = Play::new(&step);
    play.booking.start_ms = START + 50_000;
    play.go();
    play.until(START + 39_999);
    assert!(
        play.asked().is_empty(),
        "never early, and the old time counts no more"
    );
    play.until(START + 40_000);
    assert_eq!(play.asked(), ["a"]);
    let mut earlier = Play::new(&step);
    earlier.now = START - 8_000;
    earlier.booking.start_ms = START - 1_000;
    earlier.go();
    assert_eq!(earlier.asked(), ["a"], "3 s late");
    let mut late = Play::new(&step);
    late.now = START;
    late.booking.start_ms = START - 1_000;
    late.go();
    assert_eq!(late.state("a"), Some(StepPhase::Skipped));
    assert_eq!(late.run.phase, Phase::Succeeded);
}

#[test]
fn a_wait_ends_by_its_event_or_by_its_time() {
    let steps = "  - { id: w, waitFor: { signal: go, example: { number: 1 }, where: 'event.data.number > 1', for: 10s } }\n  - { id: again, waitFor: { signal: go, for: 10s } }";
    let mut play = Play::new(steps);
    play.happens("signal.go", 1);
    assert_eq!(
        play.state("w"),
        Some(StepPhase::Waiting),
        "not the one it waits for"
    );
    play.happens("signal.go", 2);
    assert_eq!(play.run.steps["w"].output["event"]["number"], 2);
    assert_eq!(
        play.run.steps["again"].output["event"]["number"], 1,
        "what came before is not lost"
    );
    assert_eq!(play.run.phase, Phase::Succeeded);
    let mut silent = Play::new(steps);
    silent.until(30_000);
    assert_eq!(silent.run.steps["w"].output["happened"], false);
    assert_eq!(silent.run.phase, Phase::Succeeded);
}

#[test]
fn rows_run_side_by_side_and_a_failure_calls_off_the_others() {
    let rows = format!(
        "  - id: p\n    onFailure: continue\n    parallel:\n      - [{{ id: a, {ACT} }}]\n      - [{{ id: b, wait: {{ for: 1h }} }}, {{ id: c, {ACT} }}]\n  - {{ id: z, {ACT} }}"
    );
    let mut play = Play::new(&rows);
    assert_eq!(play.asked(), ["a"]);
    assert_eq!(play.state("b"), Some(StepPhase::Waiting));
    play.fails("a");
    assert_eq!(play.run.steps["b"].reason.as_deref(), Some(CALLED_OFF));
    assert_eq!(play.state("p"), Some(StepPhase::Failed));
    assert_eq!(play.asked(), ["z"], "the run goes on");
}

#[test]
fn what_was_done_is_made_good_last_first() {
    let undo = "compensate: { recording: stop }";
    let steps = format!(
        "  - {{ id: a, {ACT}, {undo} }}\n  - {{ id: b, {ACT}, {undo} }}\n  - {{ id: c, {ACT}, {undo} }}"
    );
    let mut play = Play::new(&steps);
    play.done("a");
    play.done("b");
    play.fails("c");
    assert_eq!(play.asked(), ["undo:b"]);
    play.fails("undo:b");
    assert_eq!(
        play.asked(),
        ["undo:a"],
        "a compensation that fails keeps none of the others"
    );
    play.done("undo:a");
    let failed = Phase::Failed {
        step: "c".into(),
        reason: "DOWN".into(),
    };
    assert_eq!(play.run.phase, failed);
}

#[test]
fn a_failed_run_goes_on_from_the_failed_step() {
    let steps = format!(
        "  - {{ id: a, {ACT} }}\n  - id: b\n    branch: {{ arms: [{{ when: 'true', steps: [{{ id: c, {ACT} }}] }}] }}"
    );
    let mut play = Play::new(&steps);
    play.done("a");
    play.fails("c");
    assert!(matches!(&play.run.phase, Phase::Failed { step, .. } if step == "b"));
    play.then(Event::RetryWanted);
    assert_eq!(play.asked(), ["c"], "what was done is not done again");
    play.done("c");
    assert_eq!(play.run.phase, Phase::Succeeded);
}

#[test]
fn an_expression_that_fails_at_night_fails_its_step() {
    let steps = format!(
        "  - {{ id: w, waitFor: {{ signal: go }} }}\n  - {{ id: a, when: '1 / (booking.guests - 2) == 1', {ACT} }}"
    );
    let mut play = Play::new(&steps);
    play.booking.guests = 2;
    play.happens("signal.go", 1);
    assert_eq!(
        play.run.steps["a"].reason.as_deref(),
        Some(EXPRESSION_FAILED)
    );
    assert!(matches!(play.run.phase, Phase::Failed { .. }));
}
