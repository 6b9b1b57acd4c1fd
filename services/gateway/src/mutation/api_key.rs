//! Making and revoking API keys.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use convene_domain::{HostId, Timestamp};
use convene_kit::KeyScope;
use convene_proto::scheduler::v1 as wire;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Call, payloads};
use crate::{
    error::{Refusal, payload},
    ids::{self, Kind},
    keys::{self, KeyRole, Model, NewApiKey},
    model::api_key::{ApiKey, Scope},
};

payloads! {
    RevokeApiKeyPayload { api_key: ApiKey },
}

/// A new key: its secret is shown here and never again.
#[derive(SimpleObject)]
pub struct CreateApiKeyPayload {
    /// The key; null when refused.
    api_key: Option<ApiKey>,
    /// The secret: send it as `Authorization: Bearer <secret>`.
    secret: Option<String>,
    /// Why not.
    refusal: Option<Refusal>,
}

/// A key to be made.
#[derive(InputObject)]
struct CreateApiKeyInput {
    /// For people.
    name: String,
    /// What it may do.
    role: KeyRole,
    /// The host of a HOST key.
    host_id: Option<ID>,
    /// Less than the role may; all of it when left out.
    scopes: Option<Vec<Scope>>,
    /// From when on it opens nothing; it lasts until revoked when left out.
    expires_at: Option<DateTime<Utc>>,
}

/// A key that shall open nothing any more.
#[derive(InputObject)]
struct RevokeApiKeyInput {
    /// Which key.
    api_key_id: ID,
}

#[derive(Default)]
pub struct ApiKeys;

#[Object]
impl ApiKeys {
    /// Makes an API key. Admins; who has a narrowed key makes none that may more.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let call = Call::new(ctx)?;
        let (made, refusal) = payload(create(&call, input).await)?;
        let (key, secret) = made.unzip();
        Ok(CreateApiKeyPayload {
            api_key: key.map(ApiKey),
            secret: secret.map(|secret| secret.expose_secret().to_owned()),
            refusal,
        })
    }

    /// Revokes an API key: it opens nothing from now on, within 5 seconds where another node has just seen it. The last key that can make
    /// keys stays. Admins.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        let call = Call::new(ctx)?;
        let revoked = async {
            let caller = &call.session.caller;
            caller.ensure_admin()?;
            let id = ids::uuid(Kind::ApiKey, "apiKeyId", &input.api_key_id)?;
            let origin = keys::made_by(&caller.principal, caller.tenant, &call.api.clock);
            let revoked = keys::revoke(&call.api.db, origin, id).await;
            let row = revoked.map_err(|error| error.on_field("apiKeyId"))?;
            call.api.keys.forget(id);
            Ok(ApiKey(row))
        };
        RevokeApiKeyPayload::of(revoked.await)
    }
}

async fn create(
    call: &Call<'_>,
    input: CreateApiKeyInput,
) -> convene_kit::Result<(Model, SecretString)> {
    let caller = &call.session.caller;
    caller.ensure_admin()?;
    let host = match input.host_id {
        None => None,
        Some(id) => Some(known_host(call, &id).await?),
    };
    let scopes = input.scopes.map(|scopes| {
        let scopes = scopes.into_iter().map(KeyScope::from);
        scopes.collect()
    });
    let new = NewApiKey {
        name: input.name,
        role: input.role,
        host,
        scopes,
        expires_at: input
            .expires_at
            .map(|at| Timestamp::from_millis(at.timestamp_millis())),
    };
    keys::ensure_no_wider(&new, caller.narrowed)?;
    let origin = keys::made_by(&caller.principal, caller.tenant, &call.api.clock);
    keys::create_api_key(&call.api.db, origin, new).await
}

/// A key for a host that is not there, or another tenant's, is not made.
async fn known_host(call: &Call<'_>, id: &ID) -> convene_kit::Result<HostId> {
    let host: HostId = ids::decode(Kind::Host, "hostId", id)?;
    let message = wire::GetHostRequest {
        id: host.to_string(),
    };
    let found = call.api.scheduler().get_host(call.request(message)?).await;
    found.map_err(|status| convene_kit::Error::from(status).on_field("hostId"))?;
    Ok(host)
}
