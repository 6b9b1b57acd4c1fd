//! The gRPC edge: decode, call the service, encode.

use convene_kit::{
    Context,
    caller::Callers,
    convert::{id, required_time},
};
use convene_proto::webhook::v1::{self as wire, webhooks_server};
use tonic::{Request, Response, Status};

use crate::{
    convert,
    service::{EndpointView, Webhooks},
};

type Answer<T> = Result<Response<T>, Status>;

pub struct Rpc {
    callers: Callers,
    webhooks: Webhooks,
}

impl Rpc {
    pub fn new(callers: Callers, webhooks: Webhooks) -> Self {
        Self { callers, webhooks }
    }
}

fn endpoint(view: EndpointView) -> Answer<wire::Endpoint> {
    Ok(Response::new(convert::endpoint(&view)?))
}

fn with_secret(view: EndpointView) -> Answer<wire::EndpointWithSecret> {
    Ok(Response::new(convert::with_secret(view)?))
}

#[tonic::async_trait]
impl webhooks_server::Webhooks for Rpc {
    async fn create_endpoint(
        &self,
        request: Request<wire::CreateEndpointRequest>,
    ) -> Answer<wire::EndpointWithSecret> {
        let context = Context::accept(&self.callers, &request)?;
        let new = convert::new_endpoint(request.into_inner())?;
        with_secret(self.webhooks.create_endpoint(&context, new).await?)
    }

    async fn update_endpoint(
        &self,
        request: Request<wire::UpdateEndpointRequest>,
    ) -> Answer<wire::Endpoint> {
        let context = Context::accept(&self.callers, &request)?;
        let update = convert::update(request.into_inner())?;
        endpoint(self.webhooks.update_endpoint(&context, update).await?)
    }

    async fn rotate_secret(
        &self,
        request: Request<wire::RotateSecretRequest>,
    ) -> Answer<wire::EndpointWithSecret> {
        let context = Context::accept(&self.callers, &request)?;
        let rotation = convert::rotation(request.into_inner())?;
        with_secret(self.webhooks.rotate_secret(&context, rotation).await?)
    }

    async fn delete_endpoint(
        &self,
        request: Request<wire::DeleteEndpointRequest>,
    ) -> Answer<wire::Endpoint> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        endpoint(self.webhooks.delete_endpoint(&context, id).await?)
    }

    async fn get_endpoint(
        &self,
        request: Request<wire::GetEndpointRequest>,
    ) -> Answer<wire::Endpoint> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        endpoint(self.webhooks.get_endpoint(&context, id).await?)
    }

    async fn list_endpoints(
        &self,
        request: Request<wire::ListEndpointsRequest>,
    ) -> Answer<wire::ListEndpointsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let views = self.webhooks.list_endpoints(&context).await?;
        let endpoints = views.iter().map(convert::endpoint);
        Ok(Response::new(wire::ListEndpointsResponse {
            endpoints: endpoints.collect::<convene_kit::Result<_>>()?,
        }))
    }

    async fn list_deliveries(
        &self,
        request: Request<wire::ListDeliveriesRequest>,
    ) -> Answer<wire::ListDeliveriesResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let endpoint = id("endpointId", &request.endpoint_id)?;
        let phase = convert::phase(request.state());
        let after = match request.after_id.as_str() {
            "" => None,
            after => Some(id("after", after)?),
        };
        let page = self
            .webhooks
            .list_deliveries(&context, endpoint, phase, after, request.first)
            .await?;
        let deliveries = page.items.iter().map(convert::delivery);
        Ok(Response::new(wire::ListDeliveriesResponse {
            deliveries: deliveries.collect::<convene_kit::Result<_>>()?,
            has_more: page.has_more,
        }))
    }

    async fn redeliver(&self, request: Request<wire::RedeliverRequest>) -> Answer<wire::Delivery> {
        let context = Context::accept(&self.callers, &request)?;
        let id = id("id", &request.into_inner().id)?;
        let row = self.webhooks.redeliver(&context, id).await?;
        Ok(Response::new(convert::delivery(&row)?))
    }

    async fn redeliver_failed(
        &self,
        request: Request<wire::RedeliverFailedRequest>,
    ) -> Answer<wire::RedeliverFailedResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let endpoint = id("endpointId", &request.endpoint_id)?;
        let since = required_time("since", request.since)?;
        let redelivered = self.webhooks.redeliver_failed(&context, endpoint, since);
        let (count, has_more) = redelivered.await?;
        Ok(Response::new(wire::RedeliverFailedResponse {
            count,
            has_more,
        }))
    }
}
