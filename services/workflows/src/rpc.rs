//! The gRPC edge: decode, call the service, encode.

use convene_kit::{
    Context,
    caller::Callers,
    convert::{id, text},
};
use convene_proto::workflow::v1::{self as wire, workflows_server};
use tonic::{Request, Response, Status};

use crate::{
    convert,
    service::Workflows,
    store::{
        run::{self, Filter},
        workflow::ViewedWorkflow,
    },
    templates::TEMPLATES,
};

type Answer<T> = Result<Response<T>, Status>;

pub struct Rpc {
    callers: Callers,
    workflows: Workflows,
}

impl Rpc {
    pub fn new(callers: Callers, workflows: Workflows) -> Self {
        Self { callers, workflows }
    }

    fn run(&self, row: &run::Model) -> Answer<wire::Run> {
        Ok(Response::new(convert::run(row, self.workflows.now())?))
    }
}

fn workflow(view: ViewedWorkflow) -> Answer<wire::Workflow> {
    Ok(Response::new(convert::workflow(view)?))
}

#[tonic::async_trait]
impl workflows_server::Workflows for Rpc {
    async fn check_workflow(
        &self,
        request: Request<wire::CheckWorkflowRequest>,
    ) -> Answer<wire::CheckWorkflowResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let problems = self
            .workflows
            .check(&context, &request.into_inner().source)?;
        Ok(Response::new(wire::CheckWorkflowResponse {
            problems: problems.into_iter().map(convert::problem).collect(),
        }))
    }

    async fn publish_workflow(
        &self,
        request: Request<wire::PublishWorkflowRequest>,
    ) -> Answer<wire::Workflow> {
        let context = Context::accept(&self.callers, &request)?;
        let source = request.into_inner().source;
        workflow(self.workflows.publish(&context, source).await?)
    }

    async fn activate_workflow(
        &self,
        request: Request<wire::ActivateWorkflowRequest>,
    ) -> Answer<wire::Workflow> {
        let context = Context::accept(&self.callers, &request)?;
        let activation = convert::activation(request.into_inner())?;
        workflow(self.workflows.activate(&context, activation).await?)
    }

    async fn deactivate_workflow(
        &self,
        request: Request<wire::DeactivateWorkflowRequest>,
    ) -> Answer<wire::Workflow> {
        let context = Context::accept(&self.callers, &request)?;
        let name = request.into_inner().name;
        workflow(self.workflows.deactivate(&context, name).await?)
    }

    async fn get_workflow(
        &self,
        request: Request<wire::GetWorkflowRequest>,
    ) -> Answer<wire::Workflow> {
        let context = Context::accept(&self.callers, &request)?;
        let name = request.into_inner().name;
        workflow(self.workflows.get(&context, &name).await?)
    }

    async fn list_workflows(
        &self,
        request: Request<wire::ListWorkflowsRequest>,
    ) -> Answer<wire::ListWorkflowsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let views = self.workflows.list(&context).await?;
        let workflows = views.into_iter().map(convert::workflow);
        Ok(Response::new(wire::ListWorkflowsResponse {
            workflows: workflows.collect::<convene_kit::Result<_>>()?,
        }))
    }

    async fn list_templates(
        &self,
        request: Request<wire::ListTemplatesRequest>,
    ) -> Answer<wire::ListTemplatesResponse> {
        let context = Context::accept(&self.callers, &request)?;
        context.caller.ensure_admin()?;
        let templates = TEMPLATES.iter().map(|template| wire::Template {
            name: template.name.to_owned(),
            source: template.source.to_owned(),
        });
        Ok(Response::new(wire::ListTemplatesResponse {
            templates: templates.collect(),
        }))
    }

    async fn start_run(&self, request: Request<wire::StartRunRequest>) -> Answer<wire::Run> {
        let context = Context::accept(&self.callers, &request)?;
        let start = convert::start(request.into_inner())?;
        self.run(&self.workflows.start(&context, start).await?)
    }

    async fn signal_run(&self, request: Request<wire::SignalRunRequest>) -> Answer<wire::Run> {
        let context = Context::accept(&self.callers, &request)?;
        let signal = convert::signal(request.into_inner())?;
        self.run(&self.workflows.signal(&context, signal).await?)
    }

    async fn cancel_run(&self, request: Request<wire::CancelRunRequest>) -> Answer<wire::Run> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let (id, reason) = (id("id", &request.id)?, text("reason", &request.reason)?);
        self.run(&self.workflows.cancel(&context, id, reason).await?)
    }

    async fn retry_run(&self, request: Request<wire::RetryRunRequest>) -> Answer<wire::Run> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        self.run(&self.workflows.retry(&context, id).await?)
    }

    async fn get_run(&self, request: Request<wire::GetRunRequest>) -> Answer<wire::Run> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        self.run(&self.workflows.get_run(&context, id).await?)
    }

    async fn list_runs(
        &self,
        request: Request<wire::ListRunsRequest>,
    ) -> Answer<wire::ListRunsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let filter = Filter {
            booking: match request.booking_id.as_str() {
                "" => None,
                booking => Some(id("bookingId", booking)?),
            },
            phase: convert::phase(request.state()),
            workflow: (!request.workflow.is_empty()).then_some(request.workflow),
        };
        let after = match request.after_id.as_str() {
            "" => None,
            after => Some(id("after", after)?),
        };
        let page = self
            .workflows
            .list_runs(&context, filter, after, request.first)
            .await?;
        let now = self.workflows.now();
        let runs = page.items.iter().map(|row| convert::run(row, now));
        Ok(Response::new(wire::ListRunsResponse {
            runs: runs.collect::<convene_kit::Result<_>>()?,
            has_more: page.has_more,
        }))
    }

    async fn replay_run(
        &self,
        request: Request<wire::ReplayRunRequest>,
    ) -> Answer<wire::ReplayRunResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = id("id", &request.id)?;
        let differences = self.workflows.replay(&context, id, request.version).await?;
        Ok(Response::new(wire::ReplayRunResponse {
            differences: differences.into_iter().map(convert::difference).collect(),
        }))
    }
}
