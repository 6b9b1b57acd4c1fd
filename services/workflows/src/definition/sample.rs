//! Evaluates every expression of a definition on sample data, so that what does not type is found when it is published, not at night.

use convene_domain::Timestamp;
use convene_events::EVENT_TYPES;
use serde_json::{Map, Value as Json, json};

use super::{
    Act, Body, Definition, Expr, MANUAL, SIGNAL, Scope, Step, Template, Until, What,
    expression::{of_json, of_moment},
};
use crate::scope::{self, People};

/// A problem with what an expression reads.
pub struct Reads<'a> {
    /// In which step; empty for the workflow.
    pub step: &'a str,
    /// In which field of it.
    pub field: &'a str,
    /// What is wrong.
    pub problem: String,
}

/// Evaluates all.
pub fn check(definition: &Definition, tell: &mut dyn FnMut(Reads<'_>)) {
    let steps = definition.all();
    for trigger in &definition.triggers {
        let base = base(trigger, definition, &steps);
        if let Some(when) = &definition.when {
            told("", "when", when.holds(&base), tell);
        }
        for step in &steps {
            of_step(step, &base, tell);
        }
    }
}

fn told<T>(step: &str, field: &str, outcome: Result<T, String>, tell: &mut dyn FnMut(Reads<'_>)) {
    if let Err(problem) = outcome {
        tell(Reads {
            step,
            field,
            problem,
        });
    }
}

fn of_step(step: &Step, base: &Scope, tell: &mut dyn FnMut(Reads<'_>)) {
    let id = step.id.as_str();
    if let Some(at) = &step.at {
        told(id, "at", at.moment(base), tell);
    }
    if let Some(when) = &step.when {
        told(id, "when", when.holds(base), tell);
    }
    match &step.what {
        What::Wait(until) => of_until(id, "wait.until", until, base, tell),
        What::WaitFor {
            name,
            example,
            matching,
            until,
        } => {
            if let Some(matching) = matching {
                of_matching(id, happening(name, example), matching, base, tell);
            }
            if let Some(until) = until {
                of_until(id, "waitFor.until", until, base, tell);
            }
        }
        What::Branch { arms, .. } => {
            for (place, (when, _)) in arms.iter().enumerate() {
                let field = format!("branch.arms[{place}].when");
                told(id, &field, when.holds(base), tell);
            }
        }
        What::Parallel(_) => {}
        What::Act(act) => of_act(id, act, base, tell),
    }
    if let Some(undo) = &step.undo {
        of_act(id, undo, base, tell);
    }
}

fn of_until(step: &str, field: &str, until: &Until, base: &Scope, tell: &mut dyn FnMut(Reads<'_>)) {
    if let Until::At(at) = until {
        told(step, field, at.moment(base), tell);
    }
}

fn of_matching(
    step: &str,
    event: cel::Value,
    matching: &Expr,
    base: &Scope,
    tell: &mut dyn FnMut(Reads<'_>),
) {
    let mut scope = base.clone();
    scope.push(("event", event));
    told(step, "waitFor.where", matching.holds(&scope), tell);
}

fn of_act(step: &str, act: &Act, base: &Scope, tell: &mut dyn FnMut(Reads<'_>)) {
    let people = People {
        service: "Advice".into(),
        host: "Dr. Lee".into(),
        guest: "Ada".into(),
        guest_email: "ada@example.com".into(),
    };
    let mut scope = base.clone();
    scope.extend(people.variables());
    let mut template = |field: &str, template: &Template| {
        told(step, field, template.fill(&scope), tell);
    };
    match act {
        Act::Email { subject, text, .. } => {
            template("email.subject", subject);
            template("email.text", text);
        }
        Act::Http { body, .. } => told(step, "http.body", filled(body, &scope), tell),
        Act::Booking(_) | Act::Recording(_) => {}
    }
}

fn filled(body: &Body, scope: &Scope) -> Result<Json, String> {
    body.fill(scope)
}

/// What steps that come late in a run can read.
fn base(trigger: &str, definition: &Definition, steps: &[&Step]) -> Scope {
    let outputs: Map<String, Json> = steps
        .iter()
        .map(|step| {
            let state = json!({ "state": "SUCCEEDED", "output": output(step) });
            (step.id.clone(), state)
        })
        .collect();
    vec![
        ("booking", scope::booking_sample()),
        ("trigger", happening(trigger, &definition.example)),
        ("steps", of_json(&Json::Object(outputs))),
        ("now", of_moment(Timestamp::from_millis(0))),
    ]
}

/// What comes out of a step.
fn output(step: &Step) -> Json {
    match &step.what {
        What::WaitFor { name, example, .. } => {
            json!({ "happened": true, "event": data_of(name, example) })
        }
        What::Branch { .. } => json!({ "arm": 0 }),
        What::Act(Act::Http { .. }) => json!({ "status": 200 }),
        What::Act(Act::Email { .. }) => json!({ "recipients": 1 }),
        What::Act(_) | What::Wait(_) | What::Parallel(_) => json!({}),
    }
}

fn happening(name: &str, example: &Json) -> cel::Value {
    let at = Timestamp::from_millis(0);
    scope::happening(name, at, &data_of(name, example))
}

/// The fields of an event are known; of what people send, only the example.
fn data_of(name: &str, example: &Json) -> Json {
    if name == MANUAL || name.starts_with(SIGNAL) {
        return example.clone();
    }
    let mut data = Map::new();
    let event = EVENT_TYPES.iter().find(|event| event.name == name);
    for field in event.map(|event| event.fields).unwrap_or_default() {
        data.insert((*field).to_owned(), Json::Null);
    }
    data.insert("objectId".into(), "".into());
    Json::Object(data)
}
