//! A run as a picture: a Mermaid Gantt chart of its steps.

use std::fmt::Write as _;

use convene_domain::{
    Timestamp,
    run::{Run, StepPhase, StepRun},
};

/// The chart of a run; what goes on ends at `now`.
pub fn gantt(run: &Run, now: Timestamp) -> String {
    let mut chart = String::from("gantt\n    dateFormat x\n    axisFormat %d %b %H:%M\n");
    // Names are small letters, digits and hyphens: nothing in them can break the chart.
    let _ = writeln!(chart, "    title {} v{}", run.workflow, run.version);
    let mut steps: Vec<_> = run.steps.iter().collect();
    steps.sort_by_key(|(_, step)| (step.began_at, step.turn));
    let began = run.trigger.at.as_millis();
    let _ = writeln!(chart, "    section trigger");
    let _ = writeln!(chart, "    {} :milestone, {began}, 0ms", run.trigger.name);
    let _ = writeln!(chart, "    section steps");
    for (id, step) in steps {
        let (from, to) = span(step, now);
        let _ = writeln!(
            chart,
            "    {} ({}) :{}{from}, {to}",
            id.replace(':', " "),
            step.phase.name().to_lowercase(),
            tag(step.phase),
        );
    }
    chart
}

/// From and to, in milliseconds; what waits is drawn to the end of its waiting.
fn span(step: &StepRun, now: Timestamp) -> (i64, i64) {
    let from = step.began_at.as_millis();
    let to = step.ended_at.or(step.until).unwrap_or(now).as_millis();
    (from, to.max(from))
}

fn tag(phase: StepPhase) -> &'static str {
    match phase {
        StepPhase::Succeeded => "done, ",
        StepPhase::Failed | StepPhase::Retrying => "crit, ",
        StepPhase::Running | StepPhase::Waiting => "active, ",
        StepPhase::Scheduled | StepPhase::Skipped => "",
    }
}

#[cfg(test)]
mod tests {
    use convene_domain::{Charted as _, Machine as _, run::Event};

    use super::*;

    #[test]
    fn steps_are_drawn_in_their_order_and_what_waits_to_its_end() {
        let at = Timestamp::from_millis;
        let mut run = Run::begin(Run::chart_events().0, at(0)).unwrap().next;
        let wait = Event::StepWaits {
            step: "b".into(),
            until: Some(at(900)),
        };
        run = run.on(wait, at(10)).unwrap().unwrap().next;
        let began = Event::StepBegan {
            step: "a".into(),
            acts: true,
            arm: None,
        };
        run = run.on(began, at(20)).unwrap().unwrap().next;
        let chart = gantt(&run, at(50));
        let lines: Vec<_> = chart.lines().map(str::trim).collect();
        assert!(
            lines.ends_with(&[
                "section steps",
                "b (waiting) :active, 10, 900",
                "a (running) :active, 20, 50",
            ]),
            "{chart}"
        );
    }
}
