//! Where plugins are bound, and which module is asked there.

use convene_domain::{HostId, LobbyId, Timestamp};
use convene_kit::{Context, Error, Origin, Result, Tx, event::journal, ids, store as spine};
use convene_plugin_host::{Fault, Grants};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Plugins, Release,
    breaker::{Breaker, Breakers, Turn},
    modules::refused,
    release::{self, Budget},
    verdict::OnFault,
};
use crate::store::{
    lobby::Lobbies as LobbyTable,
    plugin::{
        binding::{self, KIND},
        module,
    },
};

/// Bindings of one tenant.
const BINDINGS_MAX: u64 = 500;

/// Whose arrivals a binding decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of the tenant.
    Tenant,
    /// Those of one host.
    Host(HostId),
    /// Those in one lobby.
    Lobby(LobbyId),
}

/// A module to be bound.
#[derive(Debug)]
pub struct Bind {
    pub scope: Scope,
    pub digest: String,
    pub grants: Grants,
    pub budget: Budget,
    pub settings: Vec<(String, String)>,
    pub on_fault: String,
    pub shadow: bool,
}

/// A binding as admins see it.
#[derive(Debug)]
pub struct BindingView {
    pub row: binding::Model,
    pub active: Option<Release>,
    pub previous: Option<Release>,
    pub shadow: Option<Release>,
    pub breakers: Breakers,
}

impl BindingView {
    /// A row, decoded.
    pub fn of(row: binding::Model) -> Result<Self> {
        let release = |text: &Option<String>| -> Result<Option<Release>> {
            Ok(text.as_deref().map(serde_json::from_str).transpose()?)
        };
        Ok(Self {
            active: release(&row.active)?,
            previous: release(&row.previous)?,
            shadow: release(&row.shadow)?,
            breakers: serde_json::from_str(&row.breakers)?,
            row,
        })
    }
}

/// What happened to a binding.
#[derive(Serialize)]
#[serde(tag = "type")]
enum Event<'a> {
    PluginBound {
        scope: &'a str,
        scope_id: Uuid,
        digest: &'a str,
        shadow: bool,
        on_fault: &'a str,
    },
    ShadowPromoted {
        digest: &'a str,
    },
    PluginRolledBack {
        digest: &'a str,
    },
    BindingSwitched {
        enabled: bool,
    },
    PluginTripped {
        digest: &'a str,
        shadow: bool,
        reason: &'static str,
        until: Timestamp,
    },
    PluginRecovered {
        digest: &'a str,
        shadow: bool,
    },
}

impl Plugins {
    /// Makes the binding of a scope, or puts the module in the place of its active or shadow one.
    pub async fn bind(&self, context: &Context, wish: Bind) -> Result<BindingView> {
        context.caller.ensure_admin()?;
        let (origin, db) = (context.origin(&self.deps.clock), self.deps.db.read());
        let on_fault = OnFault::parse(&wish.on_fault)?.to_string();
        let (scope, scope_id) = self.scope(&origin, wish.scope).await?;
        let module = module::published(db, origin.tenant, &wish.digest).await?;
        let module = module.ok_or_else(|| {
            Error::refused(
                "MODULE_NOT_PUBLISHED",
                "there is no published module of this digest; publish it first",
            )
        })?;
        let release = Release {
            grants: release::grants(wish.grants)?,
            limits: release::limits(wish.budget)?,
            settings: release::settings(wish.settings)?,
            digest: module.digest,
            name: module.name,
            version: module.version,
        };
        let plugin = self.loaded(origin.tenant, &release.digest).await?;
        let granted = plugin.ensure_granted(&release.grants);
        granted.map_err(|refusal| refused(&refusal))?;
        let text = serde_json::to_string(&release)?;
        self.write(move |tx| {
            Box::pin(async move {
                spine::lock(tx, &format!("plugin_bindings/{}", origin.tenant)).await?;
                let found = binding::lock_scope(tx, origin.tenant, scope_id).await?;
                let mut row = match &found {
                    Some(row) => row.clone(),
                    None => new_row(tx, &origin, scope, scope_id).await?,
                };
                if wish.shadow {
                    row.shadow = Some(text);
                } else {
                    row.previous = row.active.take().or(row.previous);
                    row.active = Some(text);
                }
                renewed(&mut row, |breakers| {
                    *breakers.of_mut(wish.shadow) = Breaker::default()
                })?;
                row.on_fault.clone_from(&on_fault);
                let event = Event::PluginBound {
                    scope,
                    scope_id,
                    digest: &release.digest,
                    shadow: wish.shadow,
                    on_fault: &on_fault,
                };
                keep(tx, &origin, row, &event, found.is_none()).await
            })
        })
        .await
    }

    /// The shadow becomes the active one.
    pub async fn promote(&self, context: &Context, id: Uuid) -> Result<BindingView> {
        self.change(context, id, |row| {
            let Some(shadow) = row.shadow.take() else {
                let text = "there is no shadow to promote; bind one with shadow: true";
                return Err(Error::refused("NO_SHADOW", text));
            };
            row.previous = row.active.replace(shadow);
            // It takes along how it has done.
            renewed(row, |breakers| {
                breakers.active = std::mem::take(&mut breakers.shadow)
            })?;
            Ok(Change::Promoted)
        })
        .await
    }

    /// The one before becomes the active one.
    pub async fn roll_back(&self, context: &Context, id: Uuid) -> Result<BindingView> {
        self.change(context, id, |row| {
            if row.previous.is_none() {
                let text = "there is no module before this one; disable the binding instead";
                return Err(Error::refused("NOTHING_BEFORE", text));
            }
            std::mem::swap(&mut row.active, &mut row.previous);
            renewed(row, |breakers| breakers.active = Breaker::default())?;
            Ok(Change::RolledBack)
        })
        .await
    }

    /// Asks nothing until it is enabled again, or asks again: also one that was tripped.
    pub async fn switch(&self, context: &Context, id: Uuid, enabled: bool) -> Result<BindingView> {
        self.change(context, id, move |row| {
            row.enabled = enabled;
            renewed(row, |breakers| *breakers = Breakers::default())?;
            Ok(Change::Switched)
        })
        .await
    }

    /// All bindings, oldest first.
    pub async fn bindings(&self, context: &Context) -> Result<Vec<BindingView>> {
        context.caller.ensure_admin()?;
        let rows = binding::all(self.deps.db.read(), context.caller.tenant).await?;
        rows.into_iter().map(BindingView::of).collect()
    }

    async fn scope(&self, origin: &Origin, scope: Scope) -> Result<(&'static str, Uuid)> {
        Ok(match scope {
            Scope::Tenant => ("TENANT", origin.tenant.as_uuid()),
            // The scheduler's affair; an id of nobody is bound to nobody.
            Scope::Host(host) => ("HOST", host.as_uuid()),
            Scope::Lobby(lobby) => {
                let (db, id) = (self.deps.db.read(), lobby.as_uuid());
                spine::get::<LobbyTable, _>(db, origin.tenant, id).await?;
                ("LOBBY", id)
            }
        })
    }

    async fn change<F>(&self, context: &Context, id: Uuid, change: F) -> Result<BindingView>
    where
        F: Fn(&mut binding::Model) -> Result<Change> + Send + Sync + 'static,
    {
        context.caller.ensure_admin()?;
        let origin = context.origin(&self.deps.clock);
        self.write(move |tx| {
            Box::pin(async move {
                let mut row = binding::lock(tx, origin.tenant, id).await?;
                let changed = change(&mut row)?;
                let active = BindingView::of(row.clone())?.active;
                let digest = active.as_ref().map_or("", |active| active.digest.as_str());
                let event = match changed {
                    Change::Promoted => Event::ShadowPromoted { digest },
                    Change::RolledBack => Event::PluginRolledBack { digest },
                    Change::Switched => Event::BindingSwitched {
                        enabled: row.enabled,
                    },
                };
                keep(tx, &origin, row, &event, false).await
            })
        })
        .await
    }

    async fn write<F>(&self, write: F) -> Result<BindingView>
    where
        F: for<'tx> FnOnce(&'tx Tx) -> convene_kit::BoxFuture<'tx, Result<binding::Model>>
            + Send
            + 'static,
    {
        BindingView::of(self.deps.db.write(write).await?)
    }
}

/// What became of a binding.
enum Change {
    Promoted,
    RolledBack,
    Switched,
}

async fn new_row(
    tx: &Tx,
    origin: &Origin,
    scope: &'static str,
    scope_id: Uuid,
) -> Result<binding::Model> {
    if binding::count(tx, origin.tenant).await? >= BINDINGS_MAX {
        return Err(Error::too_many(
            "TOO_MANY_BINDINGS",
            format!("there are {BINDINGS_MAX} bindings; bind to a host or the tenant instead"),
        ));
    }
    Ok(binding::Model {
        tenant_id: origin.tenant.as_uuid(),
        id: ids::new(),
        version: 0,
        head_hash: convene_kit::event::GENESIS.to_vec(),
        hook: "lobby".into(),
        scope: scope.into(),
        scope_id,
        active: None,
        previous: None,
        shadow: None,
        on_fault: String::new(),
        breakers: "{}".into(),
        enabled: true,
        created_at_ms: origin.now.as_millis(),
    })
}

fn renewed(row: &mut binding::Model, change: impl FnOnce(&mut Breakers)) -> Result<()> {
    let mut breakers: Breakers = serde_json::from_str(&row.breakers)?;
    change(&mut breakers);
    row.breakers = serde_json::to_string(&breakers)?;
    Ok(())
}

/// Takes an outcome into account; answers how the breaker turned. Another module may have come in the place of the one that was asked: then nothing is.
pub async fn count(
    tx: &Tx,
    origin: &Origin,
    id: Uuid,
    (digest, shadow): (&str, bool),
    fault: Option<&Fault>,
) -> Result<Option<Turn>> {
    let row = binding::lock(tx, origin.tenant, id).await?;
    let mut view = BindingView::of(row)?;
    let here = if shadow { &view.shadow } else { &view.active };
    if here.as_ref().is_none_or(|release| release.digest != digest) {
        return Ok(None);
    }
    let breaker = view.breakers.of_mut(shadow);
    let (next, turn) = breaker.after(fault, origin.now);
    *breaker = next;
    view.row.breakers = serde_json::to_string(&view.breakers)?;
    let event = match (turn, fault) {
        (Some(Turn::Tripped(until)), Some(fault)) => Event::PluginTripped {
            digest,
            shadow,
            reason: fault.reason.name(),
            until,
        },
        (Some(Turn::Recovered), _) => Event::PluginRecovered { digest, shadow },
        _ => {
            binding::update(tx, view.row).await?;
            return Ok(None);
        }
    };
    keep(tx, origin, view.row, &event, false).await?;
    Ok(turn)
}

/// Writes the event, and the row that knows where its chain ends.
async fn keep(
    tx: &Tx,
    origin: &Origin,
    mut row: binding::Model,
    event: &Event<'_>,
    new: bool,
) -> Result<binding::Model> {
    let head = journal(tx, origin, KIND, row.id, row.head(), event).await?;
    (row.version, row.head_hash) = (head.version, head.hash);
    if new {
        binding::insert(tx, row.clone()).await?;
    } else {
        binding::update(tx, row.clone()).await?;
    }
    Ok(row)
}
