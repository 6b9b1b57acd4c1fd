//! Publishing plugins, binding them, and taking it back.

use async_graphql::{Context, ID, InputObject, Object, Result};
use convene_proto::plugin::v1 as wire;

use super::{Call, payloads};
use crate::{
    ids::{self, Kind},
    model::plugin::{PluginBinding, PluginModule, PluginScope, PluginSetting},
};

payloads! {
    PluginModulePayload { module: PluginModule },
    PluginBindingPayload { binding: PluginBinding },
}

/// A module that was uploaded with `PUT /plugins/modules/<digest>`.
#[derive(InputObject)]
struct PublishPluginInput {
    /// SHA-256 of its bytes, in hex.
    digest: String,
    /// The plugin's name; its versions share what they keep.
    name: String,
    /// Its version: never used before for other bytes.
    version: String,
}

/// A module to be bound.
#[derive(InputObject)]
struct BindPluginInput {
    /// Whose arrivals.
    scope: PluginScope,
    /// The host or the lobby; none for the tenant.
    scope_id: Option<ID>,
    /// SHA-256 of a published module, in hex.
    digest: String,
    /// Bytes of values that it may keep; 0 grants none.
    #[graphql(default)]
    kv_bytes: u64,
    /// Whether it may look facts of its case up.
    #[graphql(default)]
    facts: bool,
    /// Personal fields that it is told: "display-name".
    #[graphql(default)]
    fields: Vec<String>,
    /// Time that a call may take, in milliseconds; 250 when left out, at most 5000.
    #[graphql(default)]
    time_ms: u32,
    /// Fuel of a call; 50,000,000 when left out, at most 1,000,000,000.
    #[graphql(default)]
    fuel: u64,
    /// Memory of a call, in bytes; 32 MiB when left out, at most 64 MiB.
    #[graphql(default)]
    memory_bytes: u64,
    /// What it is told with every call.
    #[graphql(default)]
    settings: Vec<PluginSetting>,
    /// What is done when there is no verdict: "wait", "deny" or "route:<queue>". Nobody is let in by a failure.
    #[graphql(default_with = "\"wait\".to_owned()")]
    on_fault: String,
    /// Runs beside the one that decides; what it says is only written down.
    #[graphql(default)]
    shadow: bool,
}

/// Which binding.
#[derive(InputObject)]
struct PluginBindingInput {
    /// Which binding.
    binding_id: ID,
}

/// Whether a binding is asked.
#[derive(InputObject)]
struct SwitchPluginInput {
    /// Which binding.
    binding_id: ID,
    /// Whether it is asked.
    enabled: bool,
}

#[derive(Default)]
pub struct Plugins;

#[Object]
impl Plugins {
    /// Checks an uploaded module, compiles it, starts it once, and gives it a name and a version for ever. Repeats answer the same. Admins.
    async fn publish_plugin(
        &self,
        ctx: &Context<'_>,
        input: PublishPluginInput,
    ) -> Result<PluginModulePayload> {
        let call = Call::new(ctx)?;
        let published = async {
            let request = call.request(wire::PublishModuleRequest {
                digest: input.digest,
                name: input.name,
                version: input.version,
            })?;
            let published = call.api.plugins().publish_module(request).await?;
            Ok(published.into_inner().into())
        };
        PluginModulePayload::of(published.await)
    }

    /// Makes the binding of a scope, or puts a module in the place of its active one, or of its shadow. It holds from the next arrival. Admins.
    async fn bind_plugin(
        &self,
        ctx: &Context<'_>,
        input: BindPluginInput,
    ) -> Result<PluginBindingPayload> {
        let call = Call::new(ctx)?;
        let bound = async {
            let kind = match input.scope {
                PluginScope::Host => Some(Kind::Host),
                PluginScope::Lobby => Some(Kind::Lobby),
                PluginScope::Tenant => None,
            };
            let scope_id = match (kind, &input.scope_id) {
                (Some(kind), Some(id)) => ids::text(kind, "scopeId", id)?,
                _ => String::new(),
            };
            let settings = input.settings.into_iter();
            let request = call.request(wire::BindPluginRequest {
                scope: wire::Scope::from(input.scope).into(),
                scope_id,
                digest: input.digest,
                grants: Some(wire::Grants {
                    kv_bytes: input.kv_bytes,
                    facts: input.facts,
                    fields: input.fields,
                }),
                limits: Some(wire::Limits {
                    time_ms: input.time_ms,
                    fuel: input.fuel,
                    memory_bytes: input.memory_bytes,
                }),
                settings: settings
                    .map(|setting| wire::Setting {
                        name: setting.name,
                        value: setting.value,
                    })
                    .collect(),
                on_fault: input.on_fault,
                shadow: input.shadow,
            })?;
            let bound = call.api.plugins().bind_plugin(request).await?;
            Ok(bound.into_inner().into())
        };
        PluginBindingPayload::of(bound.await)
    }

    /// The shadow decides from the next arrival. Admins.
    async fn promote_plugin(
        &self,
        ctx: &Context<'_>,
        input: PluginBindingInput,
    ) -> Result<PluginBindingPayload> {
        let call = Call::new(ctx)?;
        let promoted = async {
            let request = call.request(binding(&input.binding_id)?)?;
            let promoted = call.api.plugins().promote_plugin(request).await?;
            Ok(promoted.into_inner().into())
        };
        PluginBindingPayload::of(promoted.await)
    }

    /// The module before decides from the next arrival; a second time undoes it. Admins.
    async fn roll_back_plugin(
        &self,
        ctx: &Context<'_>,
        input: PluginBindingInput,
    ) -> Result<PluginBindingPayload> {
        let call = Call::new(ctx)?;
        let back = async {
            let request = call.request(binding(&input.binding_id)?)?;
            let back = call.api.plugins().roll_back_plugin(request).await?;
            Ok(back.into_inner().into())
        };
        PluginBindingPayload::of(back.await)
    }

    /// Nothing is asked until it is enabled again: hosts decide. Admins.
    async fn switch_plugin(
        &self,
        ctx: &Context<'_>,
        input: SwitchPluginInput,
    ) -> Result<PluginBindingPayload> {
        let call = Call::new(ctx)?;
        let switched = async {
            let request = call.request(wire::SwitchPluginRequest {
                id: binding(&input.binding_id)?.id,
                enabled: input.enabled,
            })?;
            let switched = call.api.plugins().switch_plugin(request).await?;
            Ok(switched.into_inner().into())
        };
        PluginBindingPayload::of(switched.await)
    }
}

fn binding(id: &ID) -> convene_kit::Result<wire::BindingRequest> {
    let id = ids::text(Kind::PluginBinding, "bindingId", id)?;
    Ok(wire::BindingRequest { id })
}
