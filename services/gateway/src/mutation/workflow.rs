//! Publishing workflows, switching them on, and acting on their runs.

use async_graphql::{Context, ID, InputObject, Json, Object, Result};
use convene_kit::Error;
use convene_proto::workflow::v1 as wire;

use super::{Call, payloads};
use crate::{
    ids::{self, Kind},
    model::workflow::{Workflow, WorkflowRun},
};

payloads! {
    WorkflowPayload { workflow: Workflow },
    WorkflowRunPayload { run: WorkflowRun },
}

/// A definition to be kept.
#[derive(InputObject)]
struct PublishWorkflowInput {
    /// YAML or JSON, at most 64 KiB; schema/workflow.schema.json describes it.
    source: String,
}

/// Which version is to start runs.
#[derive(InputObject)]
struct ActivateWorkflowInput {
    /// The workflow.
    name: String,
    /// The newest when left out.
    version: Option<u32>,
    /// Only for bookings of these services, at most 100; for all when empty.
    #[graphql(default)]
    service_ids: Vec<ID>,
}

/// Which workflow.
#[derive(InputObject)]
struct DeactivateWorkflowInput {
    /// The workflow.
    name: String,
}

/// A run to be started by hand.
#[derive(InputObject)]
struct StartWorkflowInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// A workflow with `manual` among its triggers.
    name: String,
    /// What it is about.
    booking_id: ID,
    /// A JSON object of at most 4 KiB that expressions read as trigger.data; no personal data.
    data: Option<Json<serde_json::Value>>,
}

/// A signal to a run.
#[derive(InputObject)]
struct SignalWorkflowRunInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// Which run.
    run_id: ID,
    /// The signal that a step waits for, or will.
    name: String,
    /// A JSON object of at most 4 KiB that the step answers as its output; no personal data.
    data: Option<Json<serde_json::Value>>,
}

/// A run to be called off.
#[derive(InputObject)]
struct CancelWorkflowRunInput {
    /// Which run.
    run_id: ID,
    /// Why, at most 200 characters.
    reason: String,
}

/// Which failed run.
#[derive(InputObject)]
struct RetryWorkflowRunInput {
    /// Which run.
    run_id: ID,
}

#[derive(Default)]
pub struct Workflows;

#[Object]
impl Workflows {
    /// Keeps a definition as the next version of its workflow; the same source again is the same version. Admins.
    async fn publish_workflow(
        &self,
        ctx: &Context<'_>,
        input: PublishWorkflowInput,
    ) -> Result<WorkflowPayload> {
        let call = Call::new(ctx)?;
        let published = async {
            let source = input.source;
            let request = call.request(wire::PublishWorkflowRequest { source })?;
            let published = call.api.workflows().publish_workflow(request).await?;
            Ok(Workflow(published.into_inner()))
        };
        WorkflowPayload::of(published.await)
    }

    /// From now on this version starts runs; runs keep the version that they began with. An older version brings it back. Admins.
    async fn activate_workflow(
        &self,
        ctx: &Context<'_>,
        input: ActivateWorkflowInput,
    ) -> Result<WorkflowPayload> {
        let call = Call::new(ctx)?;
        let activated = async {
            let services = input.service_ids.iter();
            let services = services.map(|id| ids::text(Kind::Service, "serviceIds", id));
            let request = call.request(wire::ActivateWorkflowRequest {
                name: input.name,
                version: match input.version {
                    Some(0) => {
                        let message = "version is at least 1; leave it out for the newest";
                        return Err(Error::invalid("version", "OUT_OF_RANGE", message));
                    }
                    version => version.unwrap_or(0),
                },
                service_ids: services.collect::<convene_kit::Result<_>>()?,
            })?;
            let activated = call.api.workflows().activate_workflow(request).await?;
            Ok(Workflow(activated.into_inner()))
        };
        WorkflowPayload::of(activated.await)
    }

    /// Nothing starts it any more; its runs go on. Admins.
    async fn deactivate_workflow(
        &self,
        ctx: &Context<'_>,
        input: DeactivateWorkflowInput,
    ) -> Result<WorkflowPayload> {
        let call = Call::new(ctx)?;
        let deactivated = async {
            let name = input.name;
            let request = call.request(wire::DeactivateWorkflowRequest { name })?;
            let deactivated = call.api.workflows().deactivate_workflow(request).await?;
            Ok(Workflow(deactivated.into_inner()))
        };
        WorkflowPayload::of(deactivated.await)
    }

    /// Starts a run by hand. Admins.
    async fn start_workflow(
        &self,
        ctx: &Context<'_>,
        input: StartWorkflowInput,
    ) -> Result<WorkflowRunPayload> {
        let call = Call::new(ctx)?;
        let started = async {
            let request = call.request(wire::StartRunRequest {
                idempotency_key: input.idempotency_key,
                workflow: input.name,
                booking_id: ids::text(Kind::Booking, "bookingId", &input.booking_id)?,
                data: data(input.data),
            })?;
            let started = call.api.workflows().start_run(request).await?;
            Ok(WorkflowRun(started.into_inner()))
        };
        WorkflowRunPayload::of(started.await)
    }

    /// Tells a run something; what no step waits for yet is kept for one that will. Admins.
    async fn signal_workflow_run(
        &self,
        ctx: &Context<'_>,
        input: SignalWorkflowRunInput,
    ) -> Result<WorkflowRunPayload> {
        let call = Call::new(ctx)?;
        let signalled = async {
            let request = call.request(wire::SignalRunRequest {
                idempotency_key: input.idempotency_key,
                id: run(&input.run_id)?,
                name: input.name,
                data: data(input.data),
            })?;
            let signalled = call.api.workflows().signal_run(request).await?;
            Ok(WorkflowRun(signalled.into_inner()))
        };
        WorkflowRunPayload::of(signalled.await)
    }

    /// Calls a run off: nothing more of it is begun. Admins.
    async fn cancel_workflow_run(
        &self,
        ctx: &Context<'_>,
        input: CancelWorkflowRunInput,
    ) -> Result<WorkflowRunPayload> {
        let call = Call::new(ctx)?;
        let cancelled = async {
            let request = call.request(wire::CancelRunRequest {
                id: run(&input.run_id)?,
                reason: input.reason,
            })?;
            let cancelled = call.api.workflows().cancel_run(request).await?;
            Ok(WorkflowRun(cancelled.into_inner()))
        };
        WorkflowRunPayload::of(cancelled.await)
    }

    /// Tries the failed step of a failed run again, and goes on from there. Admins.
    async fn retry_workflow_run(
        &self,
        ctx: &Context<'_>,
        input: RetryWorkflowRunInput,
    ) -> Result<WorkflowRunPayload> {
        let call = Call::new(ctx)?;
        let retried = async {
            let id = run(&input.run_id)?;
            let request = call.request(wire::RetryRunRequest { id })?;
            let retried = call.api.workflows().retry_run(request).await?;
            Ok(WorkflowRun(retried.into_inner()))
        };
        WorkflowRunPayload::of(retried.await)
    }
}

fn run(id: &ID) -> convene_kit::Result<String> {
    ids::text(Kind::WorkflowRun, "runId", id)
}

fn data(data: Option<Json<serde_json::Value>>) -> String {
    data.map_or_else(String::new, |data| data.0.to_string())
}
