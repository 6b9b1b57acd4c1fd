//! Reading about plugins.

use async_graphql::{Context, ID, Object, Result};
use convene_kit::{Error, limits};
use convene_proto::plugin::v1 as wire;

use crate::{
    error::fault,
    ids::{self, Kind},
    model::{
        api,
        plugin::{PluginBinding, PluginCall, PluginComparison, PluginModule, PluginReplay},
        request, status,
    },
};

#[derive(Default)]
pub struct PluginReads;

/// Reading about plugins.
#[Object]
impl PluginReads {
    /// The tenant's published plugin modules, newest first. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn plugin_modules(&self, ctx: &Context<'_>) -> Result<Vec<PluginModule>> {
        let message = request(ctx, wire::ListModulesRequest {})?;
        let listed = api(ctx)?.plugins().list_modules(message).await;
        let modules = listed.map_err(status)?.into_inner().modules;
        Ok(modules.into_iter().map(Into::into).collect())
    }

    /// Where plugins are bound, oldest first. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn plugin_bindings(&self, ctx: &Context<'_>) -> Result<Vec<PluginBinding>> {
        let message = request(ctx, wire::ListBindingsRequest {})?;
        let listed = api(ctx)?.plugins().list_bindings(message).await;
        let bindings = listed.map_err(status)?.into_inner().bindings;
        Ok(bindings.into_iter().map(Into::into).collect())
    }

    /// The newest calls of a binding, its shadow's too. Admins.
    #[graphql(complexity = "first.max(0) as usize * child_complexity")]
    async fn plugin_calls(
        &self,
        ctx: &Context<'_>,
        binding_id: ID,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
    ) -> Result<Vec<PluginCall>> {
        let id = ids::text(Kind::PluginBinding, "bindingId", &binding_id).map_err(fault)?;
        let first = u32::try_from(first).unwrap_or(0);
        if !(1..=limits::PAGE_MAX).contains(&first) {
            let message = format!("first is 1 to {}", limits::PAGE_MAX);
            return Err(fault(Error::invalid("first", "OUT_OF_RANGE", message)));
        }
        let message = wire::ListCallsRequest {
            binding_id: id,
            first,
            ..Default::default()
        };
        let listed = api(ctx)?.plugins().list_calls(request(ctx, message)?).await;
        let calls = listed.map_err(status)?.into_inner().calls;
        Ok(calls.into_iter().map(PluginCall).collect())
    }

    /// One call with its record. Admins.
    async fn plugin_call(&self, ctx: &Context<'_>, call_id: ID) -> Result<PluginCall> {
        let id = ids::text(Kind::PluginCall, "callId", &call_id).map_err(fault)?;
        let message = request(ctx, wire::GetCallRequest { id })?;
        let call = api(ctx)?.plugins().get_call(message).await;
        Ok(PluginCall(call.map_err(status)?.into_inner()))
    }

    /// Makes a recorded call again; nothing is acted on. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn plugin_replay(&self, ctx: &Context<'_>, call_id: ID) -> Result<PluginReplay> {
        let id = ids::text(Kind::PluginCall, "callId", &call_id).map_err(fault)?;
        let message = request(ctx, wire::ReplayCallRequest { id })?;
        let replayed = api(ctx)?.plugins().replay_call(message).await;
        let replayed = replayed.map_err(status)?.into_inner();
        Ok(PluginReplay {
            ran: replayed.ran,
            differences: replayed.differences,
        })
    }

    /// Puts the last calls of a binding to another module; nothing is acted on. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn plugin_comparison(
        &self,
        ctx: &Context<'_>,
        binding_id: ID,
        #[graphql(desc = "SHA-256 of a published module, in hex.")] digest: String,
        #[graphql(desc = "At most 1000.", default = 100)] last: u32,
    ) -> Result<PluginComparison> {
        let id = ids::text(Kind::PluginBinding, "bindingId", &binding_id).map_err(fault)?;
        let message = wire::CompareModuleRequest {
            binding_id: id,
            digest,
            last,
        };
        let message = request(ctx, message)?;
        let compared = api(ctx)?.plugins().compare_module(message).await;
        let compared = compared.map_err(status)?.into_inner();
        Ok(PluginComparison {
            compared: compared.compared,
            changes: compared.changes.into_iter().map(Into::into).collect(),
        })
    }
}
