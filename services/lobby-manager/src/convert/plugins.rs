//! Between proto and what the plugins' commands take and answer.

use convene_domain::Timestamp;
use convene_kit::{
    Error, Result,
    convert::{id, to_wire},
};
use convene_plugin_host::Grants;
use convene_proto::plugin::v1 as wire;

use crate::{
    service::plugins::{
        Bind, BindingView, Breaker, Budget, Comparison, Of, Publish, Release, Replayed, Scope,
    },
    store::plugin::{call, module::Published},
};

pub fn publish(request: wire::PublishModuleRequest) -> Publish {
    Publish {
        digest: request.digest.to_ascii_lowercase(),
        name: request.name,
        version: request.version,
    }
}

pub fn bind(request: wire::BindPluginRequest) -> Result<Bind> {
    let scope = match request.scope() {
        wire::Scope::Tenant => Scope::Tenant,
        wire::Scope::Host => Scope::Host(id("scopeId", &request.scope_id)?),
        wire::Scope::Lobby => Scope::Lobby(id("scopeId", &request.scope_id)?),
        wire::Scope::Unspecified => {
            return Err(Error::invalid("scope", "REQUIRED", "scope is required"));
        }
    };
    let grants = request.grants.unwrap_or_default();
    let limits = request.limits.unwrap_or_default();
    let settings = request.settings.into_iter();
    Ok(Bind {
        scope,
        digest: request.digest.to_ascii_lowercase(),
        grants: Grants {
            kv_bytes: grants.kv_bytes,
            http: Vec::new(),
            facts: grants.facts,
            fields: grants.fields,
        },
        budget: Budget {
            time_ms: limits.time_ms,
            fuel: limits.fuel,
            memory_bytes: limits.memory_bytes,
        },
        settings: settings.map(|s| (s.name, s.value)).collect(),
        on_fault: request.on_fault,
        shadow: request.shadow,
    })
}

pub fn of(request: &wire::ListCallsRequest) -> Result<Of> {
    match (request.visit_id.as_str(), request.binding_id.as_str()) {
        (visit, "") => Ok(Of::Visit(id("visitId", visit)?)),
        ("", binding) => Ok(Of::Binding(object("bindingId", binding)?)),
        _ => Err(Error::invalid(
            "visitId",
            "ONE_OF_BOTH",
            "name a visit or a binding, not both",
        )),
    }
}

/// A UUID of an object without a type of its own.
pub fn object(field: &'static str, text: &str) -> Result<uuid::Uuid> {
    id::<convene_domain::EventId>(field, text).map(|id| id.as_uuid())
}

pub fn module(module: Published) -> Result<wire::Module> {
    Ok(wire::Module {
        digest: module.digest,
        name: module.name,
        version: module.version,
        size_bytes: module.size_bytes.unsigned_abs(),
        hooks: serde_json::from_str(&module.hooks)?,
        capabilities: serde_json::from_str(&module.capabilities)?,
        published_at: Some(to_wire(Timestamp::from_millis(module.published_at_ms))),
    })
}

pub fn binding(view: BindingView) -> wire::Binding {
    let scope = match view.row.scope.as_str() {
        "TENANT" => wire::Scope::Tenant,
        "HOST" => wire::Scope::Host,
        "LOBBY" => wire::Scope::Lobby,
        _ => wire::Scope::Unspecified,
    };
    let scope_id = match scope {
        wire::Scope::Tenant => String::new(),
        _ => view.row.scope_id.to_string(),
    };
    wire::Binding {
        id: view.row.id.to_string(),
        hook: view.row.hook,
        scope: scope.into(),
        scope_id,
        on_fault: view.row.on_fault,
        enabled: view.row.enabled,
        active: view.active.map(release),
        previous: view.previous.map(release),
        shadow: view.shadow.map(release),
        version: view.row.version.unsigned_abs(),
        active_breaker: Some(breaker(view.breakers.of(false))),
        shadow_breaker: Some(breaker(view.breakers.of(true))),
    }
}

fn breaker(breaker: &Breaker) -> wire::Breaker {
    let until = breaker.until_ms.map(Timestamp::from_millis);
    wire::Breaker {
        faults: breaker.faults,
        not_before: until.map(to_wire),
    }
}

fn release(release: Release) -> wire::Release {
    let settings = release.settings.into_iter();
    wire::Release {
        digest: release.digest,
        name: release.name,
        version: release.version,
        grants: Some(wire::Grants {
            kv_bytes: release.grants.kv_bytes,
            facts: release.grants.facts,
            fields: release.grants.fields,
        }),
        limits: Some(wire::Limits {
            time_ms: u32::try_from(release.limits.time_ms).unwrap_or(u32::MAX),
            fuel: release.limits.fuel,
            memory_bytes: release.limits.memory_bytes as u64,
        }),
        settings: settings
            .map(|(name, value)| wire::Setting { name, value })
            .collect(),
    }
}

/// A call, with its record when told so.
pub fn call(row: call::Model, record: bool) -> wire::Call {
    wire::Call {
        id: row.id.to_string(),
        binding_id: row.binding_id.to_string(),
        visit_id: row.visit_id.to_string(),
        digest: row.digest,
        shadow: row.shadow,
        acted: row.acted,
        at: Some(to_wire(Timestamp::from_millis(row.at_ms))),
        verdict: row.verdict,
        subject: row.subject,
        fuel: row.fuel.unsigned_abs(),
        duration_us: row.duration_us.unsigned_abs(),
        record: if record { row.record } else { String::new() },
    }
}

pub fn replayed(replayed: Replayed) -> wire::ReplayCallResponse {
    wire::ReplayCallResponse {
        ran: replayed.ran,
        differences: replayed
            .differences
            .into_iter()
            .map(str::to_owned)
            .collect(),
    }
}

pub fn comparison(found: Comparison) -> wire::CompareModuleResponse {
    let changes = found
        .changes
        .into_iter()
        .map(|(was, verdict, subject)| wire::Change {
            call_id: was.id.to_string(),
            visit_id: was.visit_id.to_string(),
            was_verdict: was.verdict,
            was_subject: was.subject,
            is_verdict: verdict,
            is_subject: subject,
        });
    wire::CompareModuleResponse {
        compared: found.compared,
        changes: changes.collect(),
    }
}
