//! Endpoints and their secrets.

use convene_domain::{EndpointId, TenantId, Timestamp};
use convene_events::EVENT_TYPES;
use convene_kit::{
    Context, Error, Origin, Result, Tx, convert, idempotency::Key, ids, keys::Sealer,
    store as spine,
};
use secrecy::SecretString;

use super::Webhooks;
use crate::{
    signature,
    store::{endpoint, secret},
};

/// Endpoints of one tenant.
pub const ENDPOINTS_MAX: u64 = 20;
/// The longest time that two secrets sign side by side, in milliseconds: a day.
const OVERLAP_MS_MAX: i64 = 24 * 3_600_000;

/// An endpoint to be made.
#[derive(Debug)]
pub struct NewEndpoint {
    pub key: Key,
    pub url: String,
    pub description: String,
    pub event_types: Vec<String>,
}

/// What becomes of an endpoint; what is `None` stays.
#[derive(Debug)]
pub struct Update {
    pub id: EndpointId,
    pub url: Option<String>,
    pub description: Option<String>,
    pub event_types: Option<Vec<String>>,
    pub enabled: Option<bool>,
}

/// A secret to be replaced.
#[derive(Debug)]
pub struct Rotation {
    pub key: Key,
    pub id: EndpointId,
    pub overlap_ms: i64,
}

/// An endpoint as admins see it.
#[derive(Debug)]
pub struct EndpointView {
    pub row: endpoint::Model,
    /// Until when two secrets sign.
    pub overlap_until: Option<Timestamp>,
    /// Only in the answer to the request that made it.
    pub secret: Option<SecretString>,
}

impl Webhooks {
    pub async fn create_endpoint(
        &self,
        context: &Context,
        new: NewEndpoint,
    ) -> Result<EndpointView> {
        context.caller.ensure_admin()?;
        self.outbound.check("url", &new.url)?;
        let description = description(&new.description)?;
        let event_types = event_types(new.event_types)?;
        let (origin, sealer) = (context.origin(&self.deps.clock), self.sealer.clone());
        let write = self.deps.db.write(move |tx| {
            Box::pin(async move {
                if let Some(made) = new.key.find(tx, &origin).await? {
                    return repeated(tx, &origin, &sealer, made).await;
                }
                // Whoever makes one at the same moment is counted too.
                spine::lock(tx, &format!("endpoints/{}", origin.tenant)).await?;
                if endpoint::count(tx, origin.tenant).await? >= ENDPOINTS_MAX {
                    return Err(Error::too_many(
                        "TOO_MANY_ENDPOINTS",
                        format!("there are {ENDPOINTS_MAX} endpoints; delete one first"),
                    ));
                }
                let row = endpoint::Model {
                    tenant_id: origin.tenant.as_uuid(),
                    id: ids::new(),
                    url: new.url,
                    description,
                    event_types,
                    enabled: true,
                    disabled_reason: None,
                    failing_since_ms: None,
                    created_at_ms: origin.now.as_millis(),
                    deleted_at_ms: None,
                };
                endpoint::insert(tx, row.clone()).await?;
                add_secret(tx, &origin, &sealer, row, &new.key).await
            })
        });
        write.await
    }

    pub async fn update_endpoint(&self, context: &Context, update: Update) -> Result<EndpointView> {
        context.caller.ensure_admin()?;
        if let Some(url) = &update.url {
            self.outbound.check("url", url)?;
        }
        let description = update.description.as_deref().map(description).transpose()?;
        let event_types = update.event_types.map(event_types).transpose()?;
        let origin = context.origin(&self.deps.clock);
        let write = self.deps.db.write(move |tx| {
            Box::pin(async move {
                let mut row = endpoint::lock(tx, origin.tenant, update.id).await?;
                row.url = update.url.unwrap_or(row.url);
                row.description = description.unwrap_or(row.description);
                row.event_types = event_types.unwrap_or(row.event_types);
                match update.enabled {
                    None => {}
                    Some(false) => row.disable(None),
                    Some(true) => {
                        row.enabled = true;
                        row.disabled_reason = None;
                        row.failing_since_ms = None;
                    }
                }
                endpoint::update(tx, row.clone()).await?;
                view(tx, &origin, row, None).await
            })
        });
        write.await
    }

    pub async fn rotate_secret(&self, context: &Context, wish: Rotation) -> Result<EndpointView> {
        context.caller.ensure_admin()?;
        if !(0..=OVERLAP_MS_MAX).contains(&wish.overlap_ms) {
            return Err(Error::invalid(
                "overlapMs",
                "OUT_OF_RANGE",
                format!("overlapMs is 0 to {OVERLAP_MS_MAX} milliseconds (a day)"),
            ));
        }
        let (origin, sealer) = (context.origin(&self.deps.clock), self.sealer.clone());
        let write = self.deps.db.write(move |tx| {
            Box::pin(async move {
                if let Some(made) = wish.key.find(tx, &origin).await? {
                    return repeated(tx, &origin, &sealer, made).await;
                }
                let row = endpoint::lock(tx, origin.tenant, wish.id).await?;
                let active = secret::active(tx, origin.tenant, wish.id, origin.now).await?;
                // A third secret would end the oldest before its time, while receivers still rely on it.
                if active.len() > 1 && wish.overlap_ms > 0 {
                    return Err(Error::refused(
                        "ROTATION_RUNNING",
                        "two secrets sign at this moment; wait for overlapUntil, or retire both at once with overlapMs 0",
                    ));
                }
                let until = origin.now.plus_millis(wish.overlap_ms);
                secret::retire(tx, origin.tenant, wish.id, origin.now, until).await?;
                add_secret(tx, &origin, &sealer, row, &wish.key).await
            })
        });
        write.await
    }

    pub async fn delete_endpoint(&self, context: &Context, id: EndpointId) -> Result<EndpointView> {
        context.caller.ensure_admin()?;
        let origin = context.origin(&self.deps.clock);
        let write = self.deps.db.write(move |tx| {
            Box::pin(async move {
                let mut row = endpoint::lock(tx, origin.tenant, id).await?;
                row.disable(None);
                row.deleted_at_ms = Some(origin.now.as_millis());
                secret::retire(tx, origin.tenant, id, origin.now, origin.now).await?;
                endpoint::update(tx, row.clone()).await?;
                view(tx, &origin, row, None).await
            })
        });
        write.await
    }

    pub async fn get_endpoint(&self, context: &Context, id: EndpointId) -> Result<EndpointView> {
        context.caller.ensure_admin()?;
        let row = endpoint::get(self.deps.db.read(), context.caller.tenant, id).await?;
        self.seen(row).await
    }

    pub async fn list_endpoints(&self, context: &Context) -> Result<Vec<EndpointView>> {
        context.caller.ensure_admin()?;
        let mut views = Vec::new();
        for row in endpoint::all(self.deps.db.read(), context.caller.tenant).await? {
            views.push(self.seen(row).await?);
        }
        Ok(views)
    }

    async fn seen(&self, row: endpoint::Model) -> Result<EndpointView> {
        let (tenant, id) = (
            TenantId::from_uuid(row.tenant_id),
            EndpointId::from_uuid(row.id),
        );
        let (db, now) = (self.deps.db.read(), self.deps.clock.now());
        Ok(EndpointView {
            overlap_until: secret::overlap_until(db, tenant, id, now).await?,
            row,
            secret: None,
        })
    }
}

/// A new secret of a locked endpoint, remembered for repeats of the request.
async fn add_secret(
    tx: &Tx,
    origin: &Origin,
    sealer: &Sealer,
    row: endpoint::Model,
    key: &Key,
) -> Result<EndpointView> {
    let (tenant, endpoint): (TenantId, _) = (origin.tenant, EndpointId::from_uuid(row.id));
    let plain = signature::new_secret()?;
    let made = secret::Model::seal(sealer, tenant, endpoint, ids::new(), &plain)?;
    key.remember(tx, origin, made.id).await?;
    secret::insert(tx, made).await?;
    view(tx, origin, row, Some(signature::shown(&plain))).await
}

/// The answer to a request that was done before: the same, as long as the secret is there.
async fn repeated(
    tx: &Tx,
    origin: &Origin,
    sealer: &Sealer,
    made: uuid::Uuid,
) -> Result<EndpointView> {
    let gone = || Error::not_found("webhook endpoint");
    let made = secret::find(tx, origin.tenant, made)
        .await?
        .ok_or_else(gone)?;
    let endpoint = EndpointId::from_uuid(made.endpoint_id);
    let row = endpoint::get(tx, origin.tenant, endpoint).await?;
    let plain = made.open(sealer)?;
    view(tx, origin, row, Some(signature::shown(&plain))).await
}

/// An endpoint as it is within a change.
async fn view(
    tx: &Tx,
    origin: &Origin,
    row: endpoint::Model,
    secret: Option<SecretString>,
) -> Result<EndpointView> {
    let id = EndpointId::from_uuid(row.id);
    Ok(EndpointView {
        overlap_until: secret::overlap_until(tx, origin.tenant, id, origin.now).await?,
        row,
        secret,
    })
}

fn description(text: &str) -> Result<String> {
    match text.trim() {
        "" => Ok(String::new()),
        text => convert::text("description", text),
    }
}

/// As stored: known names, each once.
fn event_types(mut names: Vec<String>) -> Result<String> {
    let known = |name: &String| EVENT_TYPES.iter().any(|listed| listed.name == name);
    if names.iter().any(|name| !known(name)) {
        return Err(Error::invalid(
            "eventTypes",
            "EVENT_TYPE_UNKNOWN",
            "eventTypes holds a name that is none; schema/webhook-events.md lists them, an empty list means all",
        ));
    }
    names.sort_unstable();
    names.dedup();
    Ok(serde_json::to_string(&names)?)
}
