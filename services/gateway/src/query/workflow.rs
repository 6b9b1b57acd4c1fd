//! Reading workflows and their runs.

use async_graphql::{Context, ID, Object, Result};
use convene_proto::workflow::v1 as wire;

use super::{connected, page, page_cost};
use crate::{
    error::fault,
    ids::{self, Kind, encode},
    model::{
        api, request, status,
        workflow::{
            Workflow, WorkflowDifference, WorkflowProblem, WorkflowRun, WorkflowRunState,
            WorkflowTemplate,
        },
    },
};

/// A page of runs.
type WorkflowRuns = async_graphql::connection::Connection<String, WorkflowRun>;

/// Reading workflows and their runs.
#[derive(Default)]
pub struct Flows;

#[Object]
impl Flows {
    /// What is wrong with a definition, at most 50 problems; nothing is kept. Empty for one that can be published. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn check_workflow(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "YAML or JSON; schema/workflow.schema.json describes it.")] source: String,
    ) -> Result<Vec<WorkflowProblem>> {
        let message = request(ctx, wire::CheckWorkflowRequest { source })?;
        let checked = api(ctx)?.workflows().check_workflow(message).await;
        let problems = checked.map_err(status)?.into_inner().problems;
        Ok(problems.into_iter().map(WorkflowProblem::from).collect())
    }

    /// A workflow by its name. Admins.
    #[graphql(complexity = "5 + child_complexity")]
    async fn workflow(&self, ctx: &Context<'_>, name: String) -> Result<Workflow> {
        let message = request(ctx, wire::GetWorkflowRequest { name })?;
        let found = api(ctx)?.workflows().get_workflow(message).await;
        Ok(Workflow(found.map_err(status)?.into_inner()))
    }

    /// The tenant's workflows by name; there are at most 100. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn workflows(&self, ctx: &Context<'_>) -> Result<Vec<Workflow>> {
        let message = request(ctx, wire::ListWorkflowsRequest {})?;
        let listed = api(ctx)?.workflows().list_workflows(message).await;
        let listed = listed.map_err(status)?.into_inner();
        Ok(listed.workflows.into_iter().map(Workflow).collect())
    }

    /// Workflows to begin with: publish one as it is, or change it first. Admins.
    #[graphql(complexity = "5 * child_complexity")]
    async fn workflow_templates(&self, ctx: &Context<'_>) -> Result<Vec<WorkflowTemplate>> {
        let message = request(ctx, wire::ListTemplatesRequest {})?;
        let listed = api(ctx)?.workflows().list_templates(message).await;
        let listed = listed.map_err(status)?.into_inner();
        Ok(listed
            .templates
            .into_iter()
            .map(WorkflowTemplate::from)
            .collect())
    }

    /// A run. Admins.
    async fn workflow_run(&self, ctx: &Context<'_>, id: ID) -> Result<WorkflowRun> {
        let id = ids::text(Kind::WorkflowRun, "id", &id).map_err(fault)?;
        run(ctx, id).await
    }

    /// Runs, newest first. Admins.
    #[graphql(complexity = "page_cost(first) * child_complexity")]
    #[allow(clippy::too_many_arguments)]
    async fn workflow_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only about this booking.")] booking_id: Option<ID>,
        #[graphql(desc = "Only of this workflow.")] workflow: Option<String>,
        #[graphql(desc = "Only those in this state.")] state: Option<WorkflowRunState>,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last item seen.")] after: Option<String>,
    ) -> Result<WorkflowRuns> {
        let page = page(first, after.as_deref(), Kind::WorkflowRun)?;
        let booking = booking_id.as_ref();
        let booking = booking.map(|id| ids::text(Kind::Booking, "bookingId", id));
        let message = wire::ListRunsRequest {
            booking_id: booking.transpose().map_err(fault)?.unwrap_or_default(),
            workflow: workflow.unwrap_or_default(),
            state: state.map_or(wire::RunState::Unspecified, Into::into).into(),
            after_id: page.after_id,
            first: page.first,
        };
        let listed = api(ctx)?
            .workflows()
            .list_runs(request(ctx, message)?)
            .await;
        let listed = listed.map_err(status)?.into_inner();
        let items = listed.runs.into_iter();
        let items = items.map(|item| (encode(Kind::WorkflowRun, &item.id), WorkflowRun(item)));
        Ok(connected(after.is_some(), listed.has_more, items))
    }

    /// What another version would have made of a run, with what really came of its steps: only the differences. Nothing is done. Admins.
    #[graphql(complexity = "10 * child_complexity")]
    async fn replay_workflow_run(
        &self,
        ctx: &Context<'_>,
        id: ID,
        version: u32,
    ) -> Result<Vec<WorkflowDifference>> {
        let id = ids::text(Kind::WorkflowRun, "id", &id).map_err(fault)?;
        let message = request(ctx, wire::ReplayRunRequest { id, version })?;
        let replayed = api(ctx)?.workflows().replay_run(message).await;
        let differences = replayed.map_err(status)?.into_inner().differences;
        Ok(differences
            .into_iter()
            .map(WorkflowDifference::from)
            .collect())
    }
}

/// One run by its UUID.
pub async fn run(ctx: &Context<'_>, id: String) -> Result<WorkflowRun> {
    let message = request(ctx, wire::GetRunRequest { id })?;
    let found = api(ctx)?.workflows().get_run(message).await;
    Ok(WorkflowRun(found.map_err(status)?.into_inner()))
}
