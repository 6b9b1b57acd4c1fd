//! From what was written to what can be run; every problem with its line.

mod acts;

use convene_events::EVENT_TYPES;
use serde_saphyr::Spanned;

use super::{
    DEPTH_MAX, Definition, Expr, MANUAL, Retry, SIGNAL, SOURCE_BYTES_MAX, STEPS_MAX, Step,
    Template, Until, What,
    sample::{self, Reads},
    source,
};
use acts::Acts;

/// Problems that one answer names.
const PROBLEMS_MAX: usize = 50;
/// Triggers of a workflow.
const TRIGGERS_MAX: usize = 20;
/// Characters of a name or an id.
const NAME_CHARS_MAX: usize = 40;
/// Characters of a title or a reason.
const TEXT_CHARS_MAX: usize = 200;
/// The longest duration, in milliseconds: ten years.
const SPAN_MS_MAX: i64 = 3_653 * 24 * 3_600_000;

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in the source, from 1; 0 when it is the whole.
    pub line: u64,
    /// Where: `steps.remind.at`.
    pub path: String,
    /// What, and the remedy.
    pub message: String,
}

/// Reads and checks a definition.
pub fn parse(text: &str) -> Result<Definition, Vec<Problem>> {
    let whole = |line, message: String| {
        vec![Problem {
            line,
            path: String::new(),
            message,
        }]
    };
    if text.len() > SOURCE_BYTES_MAX {
        let message = format!("a definition has at most {SOURCE_BYTES_MAX} bytes");
        return Err(whole(0, message));
    }
    let read: source::Workflow = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default().to_owned();
        whole(line, message)
    })?;
    let mut checker = Checker {
        text,
        problems: Vec::new(),
        ids: Vec::new(),
        awaited: Vec::new(),
        line: 0,
        path: String::new(),
    };
    let definition = checker.workflow(&read);
    let steps = definition.all().len();
    if steps > STEPS_MAX {
        checker.at(0, "steps");
        checker.problem(format!(
            "a workflow has at most {STEPS_MAX} steps, this has {steps}"
        ));
    }
    if checker.problems.is_empty() {
        sample::check(&definition, &mut |reads: Reads<'_>| checker.evaluate(reads));
    }
    if checker.problems.is_empty() {
        return Ok(definition);
    }
    checker.problems.truncate(PROBLEMS_MAX);
    Err(checker.problems)
}

struct Checker<'a> {
    text: &'a str,
    problems: Vec<Problem>,
    ids: Vec<String>,
    awaited: Vec<String>,
    line: u64,
    path: String,
}

impl Checker<'_> {
    fn at(&mut self, line: u64, path: &str) {
        self.line = line;
        path.clone_into(&mut self.path);
    }

    fn problem(&mut self, message: impl Into<String>) {
        self.problem_in("", message);
    }

    fn problem_in(&mut self, field: &str, message: impl Into<String>) {
        let path = match (self.path.as_str(), field) {
            (path, "") => path.to_owned(),
            ("", field) => field.to_owned(),
            (path, field) => format!("{path}.{field}"),
        };
        self.problems.push(Problem {
            line: self.line,
            path,
            message: message.into(),
        });
    }

    /// The first line that holds a text: for what has no place of its own.
    fn line_of(&self, part: &str) -> u64 {
        let found = self.text.lines().position(|line| line.contains(part));
        found.map_or(0, |line| line as u64 + 1)
    }

    fn evaluate(&mut self, reads: Reads<'_>) {
        let line = self.line_of(&format!("id: {}", reads.step));
        let path = match reads.step {
            "" => String::new(),
            step => format!("steps.{step}"),
        };
        self.at(line, &path);
        self.problem_in(reads.field, reads.problem);
    }

    fn workflow(&mut self, read: &source::Workflow) -> Definition {
        self.at(self.line_of("workflow"), "");
        self.name("workflow", &read.workflow);
        if read.title.chars().count() > TEXT_CHARS_MAX {
            self.problem_in("title", format!("at most {TEXT_CHARS_MAX} characters"));
        }
        self.at(self.line_of("on:"), "");
        if read.on.is_empty() || read.on.len() > TRIGGERS_MAX {
            self.problem_in(
                "on",
                format!("name 1 to {TRIGGERS_MAX} events, or `manual`"),
            );
        }
        for trigger in &read.on {
            if trigger != MANUAL {
                self.event("on", trigger);
            }
        }
        let when = self.expression("when", read.when.as_deref());
        if read.steps.is_empty() {
            self.at(0, "steps");
            self.problem("a workflow has at least one step");
        }
        let steps = self.steps(&read.steps, 1);
        self.awaited.sort_unstable();
        self.awaited.dedup();
        Definition {
            name: read.workflow.clone(),
            title: read.title.clone(),
            triggers: read.on.clone(),
            example: self.example("example", &read.example),
            when,
            if_cancelled: read.if_cancelled,
            steps,
            awaited: std::mem::take(&mut self.awaited),
        }
    }

    fn name(&mut self, field: &str, name: &str) {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let begins = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase());
        if !begins || name.len() > NAME_CHARS_MAX || !name.bytes().all(plain) {
            self.problem_in(
                field,
                format!(
                    "a name has 1 to {NAME_CHARS_MAX} small letters, digits and hyphens, and begins with a letter"
                ),
            );
        }
    }

    fn event(&mut self, field: &str, name: &str) {
        if EVENT_TYPES.iter().any(|event| event.name == name) {
            return;
        }
        let family = name.split('.').next().unwrap_or_default();
        let near: Vec<_> = EVENT_TYPES
            .iter()
            .map(|event| event.name)
            .filter(|known| known.split('.').next() == Some(family))
            .collect();
        let hint = match near.is_empty() {
            true => "schema/webhook-events.md lists the events".to_owned(),
            false => format!("there are {}", near.join(", ")),
        };
        self.problem_in(field, format!("there is no event `{name}`; {hint}"));
    }

    fn expression(&mut self, field: &str, text: Option<&str>) -> Option<Expr> {
        match Expr::parse(text?) {
            Ok(expr) => Some(expr),
            Err(problem) => {
                self.problem_in(field, problem);
                None
            }
        }
    }

    fn template(&mut self, field: &str, text: &str) -> Template {
        Template::parse(text).unwrap_or_else(|problem| {
            self.problem_in(field, problem);
            Template::default()
        })
    }

    fn span(&mut self, field: &str, text: Option<&str>) -> Option<i64> {
        let text = text?;
        let span = humantime::parse_duration(text).ok();
        let span = span.and_then(|span| i64::try_from(span.as_millis()).ok());
        match span.filter(|span| *span <= SPAN_MS_MAX) {
            Some(span) => Some(span),
            None => {
                self.problem_in(
                    field,
                    format!("`{text}` is no duration; write it such as 30s, 15m, 24h or 2days"),
                );
                None
            }
        }
    }

    fn steps(&mut self, steps: &[Spanned<source::Step>], depth: usize) -> Vec<Step> {
        if depth > DEPTH_MAX {
            self.problem(format!("steps nest at most {DEPTH_MAX} deep"));
            return Vec::new();
        }
        let mut checked = Vec::with_capacity(steps.len());
        for step in steps {
            checked.extend(self.step(step, depth));
        }
        checked
    }

    fn step(&mut self, spanned: &Spanned<source::Step>, depth: usize) -> Option<Step> {
        let step = &spanned.value;
        let line = spanned.defined.line();
        let path = format!("steps.{}", step.id);
        self.at(line, &path);
        self.name("id", &step.id);
        if self.ids.contains(&step.id) {
            self.problem_in("id", "another step has this id");
        }
        self.ids.push(step.id.clone());
        let at = self.expression("at", step.at.as_deref());
        let late_ms = self.span("skipWhenLateBy", step.skip_when_late_by.as_deref());
        if late_ms.is_some() && step.at.is_none() {
            self.problem_in("skipWhenLateBy", "only a step with `at` can be late");
        }
        let when = self.expression("when", step.when.as_deref());
        let retry = self.retry(step.retry.as_ref());
        let undo = step.compensate.as_ref();
        let undo = undo.and_then(|undo| self.undo(undo));
        let what = self.what(step, depth);
        self.at(line, &path);
        let what = what?;
        let acts = matches!(what, What::Act(_));
        if !acts && (step.retry.is_some() || step.compensate.is_some()) {
            self.problem("retry and compensate are for steps that do something outside");
        }
        Some(Step {
            id: step.id.clone(),
            at,
            late_ms,
            when,
            retry,
            may_fail: step.on_failure == source::OnFailure::Continue,
            undo,
            what,
        })
    }

    fn retry(&mut self, retry: Option<&source::Retry>) -> Retry {
        let Some(retry) = retry else {
            return Retry::USUAL;
        };
        if !(1..=20).contains(&retry.attempts) {
            self.problem_in("retry.attempts", "1 to 20 attempts");
        }
        let pause_ms = self.span("retry.pause", Some(&retry.pause)).unwrap_or(0);
        if pause_ms > Retry::PAUSE_MS_MAX {
            self.problem_in("retry.pause", "a pause is a day at the most");
        }
        Retry {
            attempts: retry.attempts,
            pause_ms,
        }
    }

    fn what(&mut self, step: &source::Step, depth: usize) -> Option<What> {
        for (name, there) in [
            ("call", step.call.is_some()),
            ("plugin", step.plugin.is_some()),
            ("sms", step.sms.is_some()),
        ] {
            if there {
                self.problem_in(name, "this version of Convene cannot do this in a workflow; use `http` to ask a system that can");
                return None;
            }
        }
        let named = [
            ("wait", step.wait.is_some()),
            ("waitFor", step.wait_for.is_some()),
            ("branch", step.branch.is_some()),
            ("parallel", step.parallel.is_some()),
            ("email", step.email.is_some()),
            ("http", step.http.is_some()),
            ("booking", step.booking.is_some()),
            ("recording", step.recording.is_some()),
        ];
        let all = named.map(|(name, _)| name).join(", ");
        if named.iter().filter(|(_, there)| *there).count() != 1 {
            self.problem(format!("a step does exactly one thing: {all}"));
            return None;
        }
        if let Some(wait) = &step.wait {
            let until = self.until("wait", wait.span.as_deref(), wait.until.as_deref());
            if until.is_none() {
                self.problem_in("wait", "say `for` (a duration) or `until` (a time)");
            }
            return until.map(What::Wait);
        }
        if let Some(wait) = &step.wait_for {
            return self.wait_for(wait);
        }
        if let Some(branch) = &step.branch {
            return Some(self.branch(branch, depth));
        }
        if let Some(rows) = &step.parallel {
            if rows.is_empty() {
                self.problem_in("parallel", "at least one row of steps");
            }
            let rows = rows.iter();
            return Some(What::Parallel(
                rows.map(|row| self.steps(row, depth + 1)).collect(),
            ));
        }
        self.act(Acts {
            email: step.email.as_ref(),
            http: step.http.as_ref(),
            booking: step.booking.as_ref(),
            recording: step.recording,
        })
        .map(What::Act)
    }

    fn until(&mut self, field: &str, span: Option<&str>, until: Option<&str>) -> Option<Until> {
        if span.is_some() && until.is_some() {
            self.problem_in(field, "either `for` or `until`");
        }
        let span = self.span(&format!("{field}.for"), span);
        let until = self.expression(&format!("{field}.until"), until);
        span.map(Until::Span).or(until.map(Until::At))
    }

    fn wait_for(&mut self, wait: &source::WaitFor) -> Option<What> {
        let name = match (&wait.event, &wait.signal) {
            (Some(event), None) => {
                self.event("waitFor.event", event);
                event.clone()
            }
            (None, Some(signal)) => {
                self.name("waitFor.signal", signal);
                format!("{SIGNAL}{signal}")
            }
            _ => {
                self.problem_in("waitFor", "either `event` or `signal`");
                return None;
            }
        };
        self.awaited.push(name.clone());
        let matching = self.expression("waitFor.where", wait.matching.as_deref());
        let until = self.until("waitFor", wait.span.as_deref(), wait.until.as_deref());
        Some(What::WaitFor {
            name,
            example: self.example("waitFor.example", &wait.example),
            matching,
            until,
        })
    }

    fn example(&mut self, field: &str, example: &serde_json::Value) -> serde_json::Value {
        match example {
            serde_json::Value::Null => serde_json::json!({}),
            example if example.is_object() => example.clone(),
            _ => {
                self.problem_in(field, "an example is an object such as { amount: 12 }");
                serde_json::json!({})
            }
        }
    }

    fn branch(&mut self, branch: &source::Branch, depth: usize) -> What {
        if branch.arms.is_empty() {
            self.problem_in("branch.arms", "at least one arm");
        }
        let (line, path) = (self.line, self.path.clone());
        let mut arms = Vec::with_capacity(branch.arms.len());
        for (place, arm) in branch.arms.iter().enumerate() {
            self.at(line, &path);
            let when = self.expression(&format!("branch.arms[{place}].when"), Some(&arm.when));
            let steps = self.steps(&arm.steps, depth + 1);
            arms.extend(when.map(|when| (when, steps)));
        }
        let otherwise = self.steps(&branch.otherwise, depth + 1);
        What::Branch { arms, otherwise }
    }
}

#[cfg(test)]
mod tests;
