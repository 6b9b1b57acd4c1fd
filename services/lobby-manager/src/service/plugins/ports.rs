//! The ways out of a call: the plugin's own values, and the facts of the case.

use async_trait::async_trait;
use convene_domain::{LobbyId, TenantId, VisitId};
use convene_kit::Db;
use convene_plugin_host::capability::{
    facts::{Source, Unavailable},
    kv::{Entry, Store},
};
use serde_json::json;

use crate::store::{
    plugin::value,
    visit::{self, Model as Visit},
};

/// Values of one plugin of one tenant.
pub struct Values {
    pub db: Db,
    pub tenant: TenantId,
    pub plugin: String,
}

#[async_trait]
impl Store for Values {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Unavailable> {
        let row = value::get(self.db.read(), self.tenant, &self.plugin, key).await;
        Ok(row.map_err(|_| Unavailable)?.map(|row| Entry {
            value: row.value,
            revision: row.revision.unsigned_abs(),
        }))
    }

    async fn used(&self) -> Result<u64, Unavailable> {
        let used = value::used(self.db.read(), self.tenant, &self.plugin).await;
        used.map_err(|_| Unavailable)
    }
}

/// Facts of one visit.
pub struct Case {
    pub db: Db,
    pub tenant: TenantId,
    pub lobby: LobbyId,
    pub visit: VisitId,
    /// Whether names are told.
    pub names: bool,
}

impl Case {
    fn shown(&self, row: &Visit) -> serde_json::Value {
        let name = Some(&row.display_name).filter(|_| self.names);
        json!({
            "visit": row.id,
            "state": row.phase,
            "arrivedAtMs": row.arrived_at_ms,
            "displayName": name,
            "decidedBy": row.decided_by,
        })
    }
}

#[async_trait]
impl Source for Case {
    async fn look_up(&self, subject: &str) -> Result<Option<String>, Unavailable> {
        let db = self.db.read();
        let fact = match subject {
            "visit" => {
                let row = visit::get(db, self.tenant, self.visit).await;
                self.shown(&row.map_err(|_| Unavailable)?)
            }
            "roster" => {
                let rows = visit::of_lobby(db, self.tenant, self.lobby).await;
                let rows = rows.map_err(|_| Unavailable)?;
                let shown: Vec<_> = rows.iter().map(|row| self.shown(row)).collect();
                json!({ "visits": shown })
            }
            _ => return Ok(None),
        };
        Ok(Some(fact.to_string()))
    }
}
