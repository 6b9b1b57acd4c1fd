//! Customers' own rules about arrivals. As long as the lobby is the only hook that is served, its manager keeps modules and bindings itself.

mod ask;
mod bindings;
mod breaker;
mod journal;
mod metrics;
mod modules;
mod ports;
mod release;
mod verdict;

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use convene_domain::TenantId;
use convene_kit::{Deps, Error, Result};
use convene_plugin_host::{Fault, Grants, Host, Plugin, Reason, Settings};
use lru::LruCache;
use tokio::sync::OnceCell;

use crate::store::plugin::module;

pub use bindings::{Bind, BindingView, Scope};
pub use breaker::Breaker;
use metrics::PluginMetrics;

pub use journal::{Comparison, Of, Replayed};
pub use modules::{MODULE_BYTES_MAX, Publish};
pub use release::{Budget, Release};

/// Compiled modules that are kept in memory.
const LOADED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127);

/// Plugins of all tenants. Clones share everything.
#[derive(Clone)]
pub struct Plugins {
    deps: Deps,
    shared: Arc<Shared>,
}

struct Shared {
    /// Folder of compiled modules.
    cache: PathBuf,
    /// Made with the first plugin: a node without plugins does not pay for the runtime.
    host: OnceCell<Host>,
    loaded: Mutex<LruCache<(TenantId, String), Plugin>>,
    metrics: PluginMetrics,
}

impl Plugins {
    /// Compiled modules are kept in this folder.
    pub fn new(deps: Deps, cache: PathBuf) -> Self {
        let shared = Shared {
            cache,
            host: OnceCell::new(),
            loaded: Mutex::new(LruCache::new(LOADED_MAX)),
            metrics: PluginMetrics::new(deps.db.metrics()),
        };
        Self {
            deps,
            shared: Arc::new(shared),
        }
    }

    async fn host(&self) -> Result<&Host> {
        let settings = || Settings {
            cache: Some(self.shared.cache.clone()),
            ..Settings::default()
        };
        let made = self
            .shared
            .host
            .get_or_try_init(|| async { Host::new(settings()) });
        made.await.map_err(|unable| {
            Error::unavailable("PLUGINS_UNAVAILABLE", "plugins cannot be run at present")
                .with_detail(unable.to_string())
        })
    }

    /// A published module of the tenant, ready to be called.
    async fn loaded(&self, tenant: TenantId, digest: &str) -> Result<Plugin> {
        let key = (tenant, digest.to_owned());
        if let Some(plugin) = self.kept().get(&key) {
            return Ok(plugin.clone());
        }
        let bytes = module::bytes(self.deps.db.read(), tenant, digest).await?;
        if convene_plugin_host::digest(&bytes) != digest {
            return Err(Error::internal(format!("module {digest} is damaged")));
        }
        let loaded = self.host().await?.load(bytes, &Grants::all()).await;
        let plugin = loaded.map_err(|refusal| {
            Error::internal(format!("module {digest} was taken once: {refusal}"))
        })?;
        self.kept().put(key, plugin.clone());
        Ok(plugin)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, LruCache<(TenantId, String), Plugin>> {
        let loaded = self.shared.loaded.lock();
        loaded.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A plugin that cannot be had is a fault of the call, so that the failure policy holds.
fn unavailable(error: &Error) -> Fault {
    tracing::warn!(reason = %error.reason, detail = error.detail(), "a plugin cannot be had");
    Fault::new(Reason::Unavailable, error.reason.clone())
}
