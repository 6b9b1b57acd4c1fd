//! The gRPC edge of plugins: decode, call the service, encode.

use convene_kit::{Context, Error, Result, caller::Callers};
use convene_proto::plugin::v1::{self as wire, plugins_server};
use tonic::{Request, Response, Status, Streaming};

use crate::{
    convert::plugins::{self as convert, object},
    service::plugins::{BindingView, MODULE_BYTES_MAX, Plugins},
};

type Answer<T> = Result<Response<T>, Status>;

pub struct Rpc {
    callers: Callers,
    plugins: Plugins,
}

impl Rpc {
    pub fn new(callers: Callers, plugins: Plugins) -> Self {
        Self { callers, plugins }
    }
}

fn binding(view: BindingView) -> Answer<wire::Binding> {
    Ok(Response::new(convert::binding(view)))
}

/// Somebody who sends more than this is not listened to any longer, in bytes.
const PATIENCE_BYTES: usize = 4 * MODULE_BYTES_MAX;

/// Digest and bytes of an upload. What is a little too long is heard to its end and not kept, so that its sender hears the answer.
async fn received(mut stream: Streaming<wire::UploadModuleRequest>) -> Result<(String, Vec<u8>)> {
    let (mut digest, mut bytes, mut sent) = (String::new(), Vec::new(), 0);
    while let Some(message) = stream.message().await? {
        if digest.is_empty() {
            digest = message.digest;
        }
        sent += message.data.len();
        if sent > PATIENCE_BYTES {
            break;
        }
        if sent <= MODULE_BYTES_MAX {
            bytes.extend_from_slice(&message.data);
        }
    }
    if sent > MODULE_BYTES_MAX {
        return Err(Error::too_many(
            "MODULE_TOO_LARGE",
            format!("a module has at most {MODULE_BYTES_MAX} bytes; strip it"),
        ));
    }
    Ok((digest, bytes))
}

#[tonic::async_trait]
impl plugins_server::Plugins for Rpc {
    async fn upload_module(
        &self,
        request: Request<Streaming<wire::UploadModuleRequest>>,
    ) -> Answer<wire::Upload> {
        let context = Context::accept(&self.callers, &request)?;
        // Before anything is taken in.
        context.caller.ensure_admin()?;
        let (digest, bytes) = received(request.into_inner()).await?;
        let size_bytes = bytes.len() as u64;
        let digest = self.plugins.upload(&context, &digest, bytes).await?;
        Ok(Response::new(wire::Upload { digest, size_bytes }))
    }

    async fn publish_module(
        &self,
        request: Request<wire::PublishModuleRequest>,
    ) -> Answer<wire::Module> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::publish(request.into_inner());
        let module = self.plugins.publish(&context, wish).await?;
        Ok(Response::new(convert::module(module)?))
    }

    async fn list_modules(
        &self,
        request: Request<wire::ListModulesRequest>,
    ) -> Answer<wire::ListModulesResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let modules = self.plugins.modules(&context).await?.into_iter();
        let modules = modules.map(convert::module).collect::<Result<_>>()?;
        Ok(Response::new(wire::ListModulesResponse { modules }))
    }

    async fn bind_plugin(
        &self,
        request: Request<wire::BindPluginRequest>,
    ) -> Answer<wire::Binding> {
        let context = Context::accept(&self.callers, &request)?;
        let wish = convert::bind(request.into_inner())?;
        binding(self.plugins.bind(&context, wish).await?)
    }

    async fn promote_plugin(
        &self,
        request: Request<wire::BindingRequest>,
    ) -> Answer<wire::Binding> {
        let context = Context::accept(&self.callers, &request)?;
        let id = object("bindingId", &request.into_inner().id)?;
        binding(self.plugins.promote(&context, id).await?)
    }

    async fn roll_back_plugin(
        &self,
        request: Request<wire::BindingRequest>,
    ) -> Answer<wire::Binding> {
        let context = Context::accept(&self.callers, &request)?;
        let id = object("bindingId", &request.into_inner().id)?;
        binding(self.plugins.roll_back(&context, id).await?)
    }

    async fn switch_plugin(
        &self,
        request: Request<wire::SwitchPluginRequest>,
    ) -> Answer<wire::Binding> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = object("bindingId", &request.id)?;
        binding(self.plugins.switch(&context, id, request.enabled).await?)
    }

    async fn list_bindings(
        &self,
        request: Request<wire::ListBindingsRequest>,
    ) -> Answer<wire::ListBindingsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let bindings = self.plugins.bindings(&context).await?.into_iter();
        let bindings = bindings.map(convert::binding).collect();
        Ok(Response::new(wire::ListBindingsResponse { bindings }))
    }

    async fn list_calls(
        &self,
        request: Request<wire::ListCallsRequest>,
    ) -> Answer<wire::ListCallsResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let of = convert::of(&request)?;
        let calls = self.plugins.calls(&context, of, request.first).await?;
        let calls = calls.into_iter().map(|row| convert::call(row, false));
        Ok(Response::new(wire::ListCallsResponse {
            calls: calls.collect(),
        }))
    }

    async fn get_call(&self, request: Request<wire::GetCallRequest>) -> Answer<wire::Call> {
        let context = Context::accept(&self.callers, &request)?;
        let id = object("callId", &request.into_inner().id)?;
        let row = self.plugins.one_call(&context, id).await?;
        Ok(Response::new(convert::call(row, true)))
    }

    async fn replay_call(
        &self,
        request: Request<wire::ReplayCallRequest>,
    ) -> Answer<wire::ReplayCallResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let id = object("callId", &request.into_inner().id)?;
        let replayed = self.plugins.replay(&context, id).await?;
        Ok(Response::new(convert::replayed(replayed)))
    }

    async fn compare_module(
        &self,
        request: Request<wire::CompareModuleRequest>,
    ) -> Answer<wire::CompareModuleResponse> {
        let context = Context::accept(&self.callers, &request)?;
        let request = request.into_inner();
        let id = object("bindingId", &request.binding_id)?;
        let digest = request.digest.to_ascii_lowercase();
        let found = self.plugins.compare(&context, id, &digest, request.last);
        Ok(Response::new(convert::comparison(found.await?)))
    }
}
