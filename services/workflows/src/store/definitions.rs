//! Compiled definitions: a version never changes, so each is compiled once.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use convene_domain::TenantId;
use convene_kit::{Error, Result};
use lru::LruCache;
use sea_orm::ConnectionTrait;

use super::workflow;
use crate::definition::{Definition, parse};

/// Definitions that are kept compiled.
const KEPT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

type Key = (TenantId, String, u32);

/// The definitions of this process.
#[derive(Clone)]
pub struct Definitions(Arc<Mutex<LruCache<Key, Arc<Definition>>>>);

impl Default for Definitions {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(KEPT))))
    }
}

impl Definitions {
    /// A version, compiled.
    pub async fn get<C: ConnectionTrait>(
        &self,
        c: &C,
        tenant: TenantId,
        name: &str,
        version: u32,
    ) -> Result<Arc<Definition>> {
        let key = (tenant, name.to_owned(), version);
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        let row = workflow::version(c, tenant, name, to_i32(version)).await?;
        let definition = parse(&row.source).map_err(|problems| {
            let first = problems.first().map(|problem| problem.message.clone());
            Error::refused(
                "WORKFLOW_UNREADABLE",
                "this version was published by another release of Convene and cannot be read any more; publish it anew",
            )
            .with_detail(first.unwrap_or_default())
        })?;
        let definition = Arc::new(definition);
        if let Ok(mut kept) = self.0.lock() {
            kept.put(key, definition.clone());
        }
        Ok(definition)
    }

    fn known(&self, key: &Key) -> Option<Arc<Definition>> {
        self.0.lock().ok()?.get(key).cloned()
    }
}

/// As a column keeps it.
pub fn to_i32(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}
