//! Workflows, and what became of their runs.

use async_graphql::{ComplexObject, Enum, ID, Json, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use convene_kit::Error;
use convene_proto::workflow::v1 as wire;

use super::time;
use crate::{
    error::fault,
    ids::{Kind, encode},
};

/// What a tenant wants done before, during and after its bookings.
pub struct Workflow(pub wire::Workflow);

/// What a tenant wants done before, during and after its bookings.
#[Object]
impl Workflow {
    /// Its name, which its definition says.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The newest version.
    async fn newest_version(&self) -> u32 {
        self.0.newest
    }

    /// The version that starts runs; null while it is switched off.
    async fn active_version(&self) -> Option<u32> {
        (self.0.active > 0).then_some(self.0.active)
    }

    /// The services whose bookings it is for; all when empty.
    async fn service_ids(&self) -> Vec<ID> {
        let services = self.0.service_ids.iter();
        services.map(|id| encode(Kind::Service, id)).collect()
    }

    /// The newest 20 versions, newest first.
    #[graphql(complexity = "5 * child_complexity")]
    async fn versions(&self) -> Vec<WorkflowVersion> {
        self.0.versions.iter().map(WorkflowVersion::from).collect()
    }
}

/// A version of a workflow; it never changes.
#[derive(SimpleObject)]
pub struct WorkflowVersion {
    /// From 1.
    version: u32,
    /// For people.
    title: String,
    /// As it was written.
    source: String,
    /// Who published it, as audit trails name them.
    published_by: String,
    /// When.
    published_at: Option<DateTime<Utc>>,
}

impl From<&wire::Version> for WorkflowVersion {
    fn from(version: &wire::Version) -> Self {
        Self {
            version: version.version,
            title: version.title.clone(),
            source: version.source.clone(),
            published_by: version.published_by.clone(),
            published_at: time::from_wire(version.published_at),
        }
    }
}

/// What is wrong with a definition.
#[derive(SimpleObject)]
pub struct WorkflowProblem {
    /// Line of the source, from 1; 0 for the whole.
    line: u64,
    /// Where, for example steps.remind.at.
    path: String,
    /// What, and the remedy.
    message: String,
}

impl From<wire::Problem> for WorkflowProblem {
    fn from(problem: wire::Problem) -> Self {
        Self {
            line: problem.line,
            path: problem.path,
            message: problem.message,
        }
    }
}

/// A workflow that comes with Convene: publish it as it is, or change it first.
#[derive(SimpleObject)]
pub struct WorkflowTemplate {
    /// Its name.
    name: String,
    /// Its definition, in YAML.
    source: String,
}

impl From<wire::Template> for WorkflowTemplate {
    fn from(template: wire::Template) -> Self {
        Self {
            name: template.name,
            source: template.source,
        }
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WorkflowRunState {
    /// Steps go on or wait.
    Running,
    /// A step failed; what was done is being made good.
    Compensating,
    /// All steps are over.
    Succeeded,
    /// A step failed for good; see `failedStep` and `reason`.
    Failed,
    /// Called off; see `reason`.
    Cancelled,
}

impl From<WorkflowRunState> for wire::RunState {
    fn from(state: WorkflowRunState) -> Self {
        match state {
            WorkflowRunState::Running => Self::Running,
            WorkflowRunState::Compensating => Self::Compensating,
            WorkflowRunState::Succeeded => Self::Succeeded,
            WorkflowRunState::Failed => Self::Failed,
            WorkflowRunState::Cancelled => Self::Cancelled,
        }
    }
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WorkflowStepState {
    /// Its time has not come.
    Scheduled,
    /// It is being done, or steps within it are.
    Running,
    /// It waits for a time, an event or a signal.
    Waiting,
    /// An attempt failed; the next has its time.
    Retrying,
    /// Done.
    Succeeded,
    /// Not wanted, or too late.
    Skipped,
    /// For good.
    Failed,
}

/// One run of a workflow for one booking.
pub struct WorkflowRun(pub wire::Run);

/// One run of a workflow for one booking.
#[Object]
impl WorkflowRun {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::WorkflowRun, &self.0.id)
    }

    /// Name of the workflow.
    async fn workflow(&self) -> &str {
        &self.0.workflow
    }

    /// The version that it began with and keeps.
    async fn version(&self) -> u32 {
        self.0.version
    }

    /// The booking that it is about.
    async fn booking_id(&self) -> ID {
        encode(Kind::Booking, &self.0.booking_id)
    }

    /// Where it stands.
    async fn state(&self) -> Result<WorkflowRunState> {
        use wire::RunState as Wire;
        Ok(match self.0.state() {
            Wire::Running => WorkflowRunState::Running,
            Wire::Compensating => WorkflowRunState::Compensating,
            Wire::Succeeded => WorkflowRunState::Succeeded,
            Wire::Failed => WorkflowRunState::Failed,
            Wire::Cancelled => WorkflowRunState::Cancelled,
            Wire::Unspecified => return Err(fault(Error::internal("a run without state"))),
        })
    }

    /// The step that failed.
    async fn failed_step(&self) -> Option<&str> {
        text(&self.0.failed_step)
    }

    /// Why it failed or was called off: a stable reason, or what somebody said.
    async fn reason(&self) -> Option<&str> {
        text(&self.0.reason)
    }

    /// The event that started it, or manual.
    async fn trigger(&self) -> &str {
        &self.0.trigger
    }

    /// What came with that.
    async fn trigger_data(&self) -> Result<Json<serde_json::Value>> {
        json(&self.0.trigger_data)
    }

    /// When it began.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.started_at)
    }

    /// The steps that were begun, in that order.
    #[graphql(complexity = "10 * child_complexity")]
    async fn steps(&self) -> Result<Vec<WorkflowStep>> {
        self.0.steps.iter().map(WorkflowStep::new).collect()
    }

    /// The run as a picture: a Mermaid Gantt chart.
    async fn diagram(&self) -> &str {
        &self.0.diagram
    }
}

/// What became of one step.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct WorkflowStep {
    /// As in the definition; `undo:` before it for its compensation.
    id: String,
    /// Where it stands.
    state: WorkflowStepState,
    /// When it was begun.
    began_at: Option<DateTime<Utc>>,
    /// When it was over.
    ended_at: Option<DateTime<Utc>>,
    /// Until when it waits.
    until: Option<DateTime<Utc>>,
    /// Attempts that failed.
    failed_attempts: u32,
    /// Stable reason of a failure, of the last failed attempt, or of having been skipped.
    reason: Option<String>,
    #[graphql(skip)]
    output: String,
}

#[ComplexObject]
impl WorkflowStep {
    /// What came out, for later steps and for people; free of personal data.
    async fn output(&self) -> Result<Option<Json<serde_json::Value>>> {
        match self.output.as_str() {
            "" => Ok(None),
            output => json(output).map(Some),
        }
    }
}

impl WorkflowStep {
    fn new(step: &wire::Step) -> Result<Self> {
        use wire::StepState as Wire;
        let state = match step.state() {
            Wire::Scheduled => WorkflowStepState::Scheduled,
            Wire::Running => WorkflowStepState::Running,
            Wire::Waiting => WorkflowStepState::Waiting,
            Wire::Retrying => WorkflowStepState::Retrying,
            Wire::Succeeded => WorkflowStepState::Succeeded,
            Wire::Skipped => WorkflowStepState::Skipped,
            Wire::Failed => WorkflowStepState::Failed,
            Wire::Unspecified => return Err(fault(Error::internal("a step without state"))),
        };
        Ok(Self {
            id: step.id.clone(),
            state,
            began_at: time::from_wire(step.began_at),
            ended_at: time::from_wire(step.ended_at),
            until: time::from_wire(step.until),
            failed_attempts: step.attempts,
            reason: text(&step.reason).map(str::to_owned),
            output: step.output.clone(),
        })
    }
}

/// A step that would have gone otherwise under another version.
#[derive(SimpleObject)]
pub struct WorkflowDifference {
    /// Which; null for the run itself.
    step: Option<String>,
    /// Its state in the run; null when it was never begun.
    was: Option<String>,
    /// Its state under the other version; null when it would never have been begun.
    would_be: Option<String>,
}

impl From<wire::Difference> for WorkflowDifference {
    fn from(difference: wire::Difference) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            step: some(difference.step),
            was: some(difference.was),
            would_be: some(difference.would_be),
        }
    }
}

fn text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn json(text: &str) -> Result<Json<serde_json::Value>> {
    let value = serde_json::from_str(text);
    value
        .map(Json)
        .map_err(|_| fault(Error::internal("unreadable JSON of a workflow")))
}
