//! Plugins: modules, where they are bound, and what came of each call.

use async_graphql::{Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use convene_proto::plugin::v1 as wire;

use super::time;
use crate::ids::{Kind, encode};

/// A published module: it never changes.
#[derive(SimpleObject)]
pub struct PluginModule {
    /// SHA-256 of its bytes, in hex.
    digest: String,
    /// The plugin's name; its versions share what they keep.
    name: String,
    /// Its version.
    version: String,
    /// Bytes.
    size_bytes: u64,
    /// The hooks that it exports.
    hooks: Vec<String>,
    /// The capabilities that it imports and that have to be granted.
    capabilities: Vec<String>,
    /// When it was published.
    published_at: Option<DateTime<Utc>>,
}

impl From<wire::Module> for PluginModule {
    fn from(module: wire::Module) -> Self {
        Self {
            digest: module.digest,
            name: module.name,
            version: module.version,
            size_bytes: module.size_bytes,
            hooks: module.hooks,
            capabilities: module.capabilities,
            published_at: time::from_wire(module.published_at),
        }
    }
}

/// Whose arrivals a binding decides about. A lobby's own comes before its host's, and that before the tenant's.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum PluginScope {
    /// All of the tenant.
    Tenant,
    /// Those of one host.
    Host,
    /// Those in one lobby.
    Lobby,
}

impl From<PluginScope> for wire::Scope {
    fn from(scope: PluginScope) -> Self {
        match scope {
            PluginScope::Tenant => Self::Tenant,
            PluginScope::Host => Self::Host,
            PluginScope::Lobby => Self::Lobby,
        }
    }
}

/// A setting, told to the plugin with every call.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "PluginSettingInput")]
pub struct PluginSetting {
    /// Its name.
    pub name: String,
    /// Its value. Not for secrets: records of calls hold it.
    pub value: String,
}

/// A module with what it is allowed.
#[derive(SimpleObject)]
pub struct PluginRelease {
    /// SHA-256 of the module, in hex.
    digest: String,
    /// The plugin's name.
    name: String,
    /// Its version.
    version: String,
    /// Bytes of values that it may keep; 0: none.
    kv_bytes: u64,
    /// Whether it may look facts of its case up.
    facts: bool,
    /// Personal fields that it is told.
    fields: Vec<String>,
    /// Time that a call may take, in milliseconds.
    time_ms: u32,
    /// Fuel of a call: instructions, roughly.
    fuel: u64,
    /// Memory of a call, in bytes.
    memory_bytes: u64,
    /// What it is told with every call.
    settings: Vec<PluginSetting>,
}

impl From<wire::Release> for PluginRelease {
    fn from(release: wire::Release) -> Self {
        let grants = release.grants.unwrap_or_default();
        let limits = release.limits.unwrap_or_default();
        let settings = release.settings.into_iter();
        Self {
            digest: release.digest,
            name: release.name,
            version: release.version,
            kv_bytes: grants.kv_bytes,
            facts: grants.facts,
            fields: grants.fields,
            time_ms: limits.time_ms,
            fuel: limits.fuel,
            memory_bytes: limits.memory_bytes,
            settings: settings
                .map(|setting| PluginSetting {
                    name: setting.name,
                    value: setting.value,
                })
                .collect(),
        }
    }
}

/// Which plugin decides where.
#[derive(SimpleObject)]
pub struct PluginBinding {
    /// Global id.
    id: ID,
    /// The hook: "lobby".
    hook: String,
    /// Whose arrivals.
    scope: PluginScope,
    /// The host or the lobby; null for the tenant.
    scope_id: Option<ID>,
    /// What is done when there is no verdict: "wait", "deny" or "route:<queue>".
    on_fault: String,
    /// Whether it is asked.
    enabled: bool,
    /// What decides.
    active: Option<PluginRelease>,
    /// What decided before: a roll-back goes there.
    previous: Option<PluginRelease>,
    /// What is asked beside, and only written down.
    shadow: Option<PluginRelease>,
    /// How `active` has done of late.
    active_breaker: PluginBreaker,
    /// How `shadow` has done of late.
    shadow_breaker: PluginBreaker,
}

/// How a plugin has done of late. After 5 faults in a row it is not asked for a minute, and longer with each trial that fails; guests get what `onFault` says
/// at once. Binding anew, rolling back and `switchPlugin` begin afresh.
#[derive(SimpleObject)]
pub struct PluginBreaker {
    /// Faults since it last brought a verdict.
    faults: u32,
    /// It is not asked before; null: it is asked. What comes then is a trial.
    not_before: Option<DateTime<Utc>>,
}

impl From<Option<wire::Breaker>> for PluginBreaker {
    fn from(breaker: Option<wire::Breaker>) -> Self {
        let breaker = breaker.unwrap_or_default();
        Self {
            faults: breaker.faults,
            not_before: time::from_wire(breaker.not_before),
        }
    }
}

impl From<wire::Binding> for PluginBinding {
    fn from(binding: wire::Binding) -> Self {
        let (scope, scope_id) = match binding.scope() {
            wire::Scope::Host => (PluginScope::Host, Some(Kind::Host)),
            wire::Scope::Lobby => (PluginScope::Lobby, Some(Kind::Lobby)),
            wire::Scope::Tenant | wire::Scope::Unspecified => (PluginScope::Tenant, None),
        };
        Self {
            id: encode(Kind::PluginBinding, &binding.id),
            hook: binding.hook,
            scope,
            scope_id: scope_id.map(|kind| encode(kind, &binding.scope_id)),
            on_fault: binding.on_fault,
            enabled: binding.enabled,
            active: binding.active.map(Into::into),
            previous: binding.previous.map(Into::into),
            shadow: binding.shadow.map(Into::into),
            active_breaker: binding.active_breaker.into(),
            shadow_breaker: binding.shadow_breaker.into(),
        }
    }
}

/// One call of a plugin.
pub struct PluginCall(pub wire::Call);

/// One call of a plugin.
#[Object]
impl PluginCall {
    /// Global id.
    pub async fn id(&self) -> ID {
        encode(Kind::PluginCall, &self.0.id)
    }

    /// The binding that asked.
    async fn binding_id(&self) -> ID {
        encode(Kind::PluginBinding, &self.0.binding_id)
    }

    /// The visit that it was about.
    async fn visit_id(&self) -> ID {
        encode(Kind::Visit, &self.0.visit_id)
    }

    /// SHA-256 of the module, in hex.
    async fn digest(&self) -> &str {
        &self.0.digest
    }

    /// Whether it was asked beside the one that decides.
    async fn shadow(&self) -> bool {
        self.0.shadow
    }

    /// Whether it was acted on. A host may have been faster.
    async fn acted(&self) -> bool {
        self.0.acted
    }

    /// When.
    async fn at(&self) -> Option<DateTime<Utc>> {
        time::from_wire(self.0.at)
    }

    /// ADMIT, WAIT, DENY, ROUTE, REQUIRE_STEP, or FAULT when there is no verdict.
    async fn verdict(&self) -> &str {
        &self.0.verdict
    }

    /// Reason code, queue or step; for a FAULT its reason, such as TIMEOUT, OUT_OF_FUEL, or TRIPPED when it was not asked.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    /// What it cost in fuel: the same every time.
    async fn fuel(&self) -> u64 {
        self.0.fuel
    }

    /// How long it took, in microseconds.
    async fn duration_us(&self) -> u64 {
        self.0.duration_us
    }

    /// JSON of all that a replay needs; only from `pluginCall`, for admins.
    async fn record(&self) -> Option<&str> {
        Some(self.0.record.as_str()).filter(|record| !record.is_empty())
    }
}

/// What a replay found.
#[derive(SimpleObject)]
pub struct PluginReplay {
    /// False: the call ended by its moment (time, place, outage) and is read from its record.
    pub ran: bool,
    /// Parts of the record that differ; empty when it is the same bit by bit.
    pub differences: Vec<String>,
}

/// What another module would have said.
#[derive(SimpleObject)]
pub struct PluginComparison {
    /// How many calls were put to it.
    pub compared: u32,
    /// Those with another verdict.
    pub changes: Vec<PluginChange>,
}

/// A call with another verdict.
#[derive(SimpleObject)]
pub struct PluginChange {
    /// The call.
    call_id: ID,
    /// The visit that it was about.
    visit_id: ID,
    /// What was said.
    was_verdict: String,
    /// Its reason code, queue or step.
    was_subject: String,
    /// What would have been said.
    is_verdict: String,
    /// Its reason code, queue or step.
    is_subject: String,
}

impl From<wire::Change> for PluginChange {
    fn from(change: wire::Change) -> Self {
        Self {
            call_id: encode(Kind::PluginCall, &change.call_id),
            visit_id: encode(Kind::Visit, &change.visit_id),
            was_verdict: change.was_verdict,
            was_subject: change.was_subject,
            is_verdict: change.is_verdict,
            is_subject: change.is_subject,
        }
    }
}
