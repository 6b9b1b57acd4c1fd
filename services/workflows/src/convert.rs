//! Between the wire and the domain.

use convene_domain::{
    ServiceId, Timestamp,
    run::{Phase, StepPhase, StepRun},
};
use convene_kit::{
    Error, Result,
    convert::{id, text, to_wire},
    idempotency::Key,
};
use convene_proto::workflow::v1 as wire;
use prost::Message as _;
use serde_json::Value;

use crate::{
    definition::Problem,
    diagram,
    service::{Activation, Difference, Signal, Start},
    store::{
        run,
        workflow::{ViewedWorkflow, version},
    },
};

/// Bytes of what comes with a start or a signal.
const DATA_BYTES_MAX: usize = 4_096;

/// Which version is to start runs.
pub fn activation(request: wire::ActivateWorkflowRequest) -> Result<Activation> {
    let services = request.service_ids.iter();
    let services = services.map(|service| Ok(id::<ServiceId>("serviceIds", service)?.as_uuid()));
    Ok(Activation {
        name: request.name,
        version: (request.version > 0).then_some(request.version),
        services: services.collect::<Result<_>>()?,
    })
}

/// A run to be started; its key is judged by the rest of the request.
pub fn start(mut request: wire::StartRunRequest) -> Result<Start> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(Start {
        key: Key::new("StartRun", &key, &request.encode_to_vec())?,
        booking: id("bookingId", &request.booking_id)?,
        data: data(&request.data)?,
        workflow: request.workflow,
    })
}

/// A signal to a run.
pub fn signal(mut request: wire::SignalRunRequest) -> Result<Signal> {
    let key = std::mem::take(&mut request.idempotency_key);
    Ok(Signal {
        key: Key::new("SignalRun", &key, &request.encode_to_vec())?,
        run: id("id", &request.id)?,
        name: text("name", &request.name)?,
        data: data(&request.data)?,
    })
}

fn data(json: &str) -> Result<Value> {
    let malformed = || {
        Error::invalid(
            "data",
            "MALFORMED_DATA",
            format!("data is a JSON object of at most {DATA_BYTES_MAX} bytes, or left out"),
        )
    };
    if json.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    if json.len() > DATA_BYTES_MAX {
        return Err(malformed());
    }
    let data: Value = serde_json::from_str(json).map_err(|_| malformed())?;
    match data.is_object() {
        true => Ok(data),
        false => Err(malformed()),
    }
}

/// A problem on the wire.
pub fn problem(problem: Problem) -> wire::Problem {
    wire::Problem {
        line: problem.line,
        path: problem.path,
        message: problem.message,
    }
}

/// A workflow on the wire.
pub fn workflow(view: ViewedWorkflow) -> Result<wire::Workflow> {
    let services = view.row.services()?;
    Ok(wire::Workflow {
        newest: view.row.newest.unsigned_abs(),
        active: view.row.active.unwrap_or_default().unsigned_abs(),
        service_ids: services.iter().map(ToString::to_string).collect(),
        versions: view.versions.into_iter().map(published).collect(),
        name: view.row.name,
    })
}

fn published(row: version::Model) -> wire::Version {
    wire::Version {
        version: row.version.unsigned_abs(),
        title: row.title,
        source: row.source,
        published_by: row.published_by,
        published_at: Some(to_wire(Timestamp::from_millis(row.published_at_ms))),
    }
}

/// A run on the wire.
pub fn run(row: &run::Model, now: Timestamp) -> Result<wire::Run> {
    let run = row.machine()?;
    let diagram = diagram::gantt(&run, now);
    let (state, failed_step, reason) = match run.phase {
        Phase::Running => (wire::RunState::Running, String::new(), String::new()),
        Phase::Compensating { step, reason } => (wire::RunState::Compensating, step, reason),
        Phase::Succeeded => (wire::RunState::Succeeded, String::new(), String::new()),
        Phase::Failed { step, reason } => (wire::RunState::Failed, step, reason),
        Phase::Cancelled { reason } => (wire::RunState::Cancelled, String::new(), reason),
    };
    let mut steps: Vec<_> = run.steps.into_iter().collect();
    steps.sort_by_key(|(_, step)| (step.began_at, step.turn));
    Ok(wire::Run {
        id: row.id.to_string(),
        workflow: run.workflow,
        version: run.version,
        booking_id: run.booking.to_string(),
        state: state.into(),
        failed_step,
        reason,
        trigger: run.trigger.name,
        trigger_data: run.trigger.data.to_string(),
        started_at: Some(to_wire(Timestamp::from_millis(row.created_at_ms))),
        steps: steps.into_iter().map(step).collect(),
        diagram,
    })
}

fn step((id, step): (String, StepRun)) -> wire::Step {
    use wire::StepState as Wire;
    let state = match step.phase {
        StepPhase::Scheduled => Wire::Scheduled,
        StepPhase::Running => Wire::Running,
        StepPhase::Waiting => Wire::Waiting,
        StepPhase::Retrying => Wire::Retrying,
        StepPhase::Succeeded => Wire::Succeeded,
        StepPhase::Skipped => Wire::Skipped,
        StepPhase::Failed => Wire::Failed,
    };
    let output = match step.output {
        Value::Null => String::new(),
        output => output.to_string(),
    };
    wire::Step {
        id,
        state: state.into(),
        began_at: Some(to_wire(step.began_at)),
        ended_at: step.ended_at.map(to_wire),
        until: step.until.map(to_wire),
        attempts: step.attempts,
        reason: step.reason.unwrap_or_default(),
        output,
    }
}

/// The phase that a list is asked for.
pub fn phase(state: wire::RunState) -> Option<&'static str> {
    match state {
        wire::RunState::Unspecified => None,
        wire::RunState::Running => Some("RUNNING"),
        wire::RunState::Compensating => Some("COMPENSATING"),
        wire::RunState::Succeeded => Some("SUCCEEDED"),
        wire::RunState::Failed => Some("FAILED"),
        wire::RunState::Cancelled => Some("CANCELLED"),
    }
}

/// A difference on the wire.
pub fn difference(difference: Difference) -> wire::Difference {
    wire::Difference {
        step: difference.step,
        was: difference.was,
        would_be: difference.would_be,
    }
}
