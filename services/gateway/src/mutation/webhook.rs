//! Webhook endpoints, their secrets, and sending again.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use convene_proto::webhook::v1 as wire;

use super::{Call, payloads};
use crate::{
    error::{Refusal, payload},
    ids::{self, Kind},
    model::{
        time,
        webhook::{WebhookDelivery, WebhookEndpoint},
    },
};

payloads! {
    WebhookEndpointPayload { endpoint: WebhookEndpoint },
    WebhookDeliveryPayload { delivery: WebhookDelivery },
    RedeliverFailedPayload { redelivered: Redelivered },
}

/// An endpoint with a new secret, which is in this answer (and in that to a repeat of the request) and nowhere else.
#[derive(SimpleObject)]
pub struct WebhookSecretPayload {
    /// The endpoint; null when refused.
    endpoint: Option<WebhookEndpoint>,
    /// `whsec_` and base64: what verifies `webhook-signature`.
    secret: Option<String>,
    /// Why not.
    refusal: Option<Refusal>,
}

impl WebhookSecretPayload {
    fn of(outcome: convene_kit::Result<wire::EndpointWithSecret>) -> Result<Self> {
        let (made, refusal) = payload(outcome)?;
        let (endpoint, secret) = made.map(|made| (made.endpoint, made.secret)).unzip();
        Ok(Self {
            endpoint: endpoint.flatten().map(WebhookEndpoint),
            secret,
            refusal,
        })
    }
}

/// What was sent again.
#[derive(SimpleObject)]
struct Redelivered {
    /// How many deliveries.
    count: u32,
    /// Whether more failed ones are left: ask again.
    has_more: bool,
}

/// An endpoint to be made.
#[derive(InputObject)]
struct CreateWebhookEndpointInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// https, port 443 or at least 1024, a public address, no credentials in it.
    url: String,
    /// For people.
    #[graphql(default)]
    description: String,
    /// Public names of events; all when empty.
    #[graphql(default)]
    event_types: Vec<String>,
}

/// What becomes of an endpoint; what is left out stays.
#[derive(InputObject)]
struct UpdateWebhookEndpointInput {
    /// Which endpoint.
    endpoint_id: ID,
    /// Where requests go.
    url: Option<String>,
    /// For people.
    description: Option<String>,
    /// Public names of events; all when empty.
    event_types: Option<Vec<String>>,
    /// Whether anything is sent.
    enabled: Option<bool>,
}

/// A secret to be replaced.
#[derive(InputObject)]
struct RotateWebhookSecretInput {
    /// A fresh UUID for each intent; the same for its repeats.
    idempotency_key: String,
    /// Which endpoint.
    endpoint_id: ID,
    /// How long the secret before it signs too, in milliseconds: at most a day; 0 retires it at once.
    #[graphql(default = 86_400_000)]
    overlap_ms: i64,
}

/// Which endpoint.
#[derive(InputObject)]
struct DeleteWebhookEndpointInput {
    /// Which endpoint.
    endpoint_id: ID,
}

/// Which delivery.
#[derive(InputObject)]
struct RedeliverWebhookInput {
    /// Which delivery.
    delivery_id: ID,
}

/// Which failed deliveries.
#[derive(InputObject)]
struct RedeliverFailedInput {
    /// Of which endpoint.
    endpoint_id: ID,
    /// Only of events that were taken up then or later.
    since: DateTime<Utc>,
}

#[derive(Default)]
pub struct Webhooks;

#[Object]
impl Webhooks {
    /// Makes a webhook endpoint: from now on it is told what happens. Admins.
    async fn create_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        input: CreateWebhookEndpointInput,
    ) -> Result<WebhookSecretPayload> {
        let call = Call::new(ctx)?;
        let made = async {
            let request = call.request(wire::CreateEndpointRequest {
                idempotency_key: input.idempotency_key,
                url: input.url,
                description: input.description,
                event_types: input.event_types,
            })?;
            let made = call.api.webhooks().create_endpoint(request).await?;
            Ok(made.into_inner())
        };
        WebhookSecretPayload::of(made.await)
    }

    /// Changes an endpoint, or enables it again. Admins.
    async fn update_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        input: UpdateWebhookEndpointInput,
    ) -> Result<WebhookEndpointPayload> {
        let call = Call::new(ctx)?;
        let updated = async {
            let request = call.request(wire::UpdateEndpointRequest {
                id: endpoint(&input.endpoint_id)?,
                url: input.url,
                description: input.description,
                event_types: input.event_types.map(|names| wire::EventTypes { names }),
                enabled: input.enabled,
            })?;
            let updated = call.api.webhooks().update_endpoint(request).await?;
            Ok(WebhookEndpoint(updated.into_inner()))
        };
        WebhookEndpointPayload::of(updated.await)
    }

    /// Makes a new secret; requests are signed with both while they overlap. Admins.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        input: RotateWebhookSecretInput,
    ) -> Result<WebhookSecretPayload> {
        let call = Call::new(ctx)?;
        let rotated = async {
            let request = call.request(wire::RotateSecretRequest {
                idempotency_key: input.idempotency_key,
                id: endpoint(&input.endpoint_id)?,
                overlap_ms: input.overlap_ms,
            })?;
            let rotated = call.api.webhooks().rotate_secret(request).await?;
            Ok(rotated.into_inner())
        };
        WebhookSecretPayload::of(rotated.await)
    }

    /// Deletes an endpoint: nothing more is sent there. Admins.
    async fn delete_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        input: DeleteWebhookEndpointInput,
    ) -> Result<WebhookEndpointPayload> {
        let call = Call::new(ctx)?;
        let deleted = async {
            let id = endpoint(&input.endpoint_id)?;
            let request = call.request(wire::DeleteEndpointRequest { id })?;
            let deleted = call.api.webhooks().delete_endpoint(request).await?;
            Ok(WebhookEndpoint(deleted.into_inner()))
        };
        WebhookEndpointPayload::of(deleted.await)
    }

    /// Sends a delivery again at once, under the same webhook id. Admins.
    async fn redeliver_webhook(
        &self,
        ctx: &Context<'_>,
        input: RedeliverWebhookInput,
    ) -> Result<WebhookDeliveryPayload> {
        let call = Call::new(ctx)?;
        let redelivered = async {
            let id = ids::text(Kind::WebhookDelivery, "deliveryId", &input.delivery_id)?;
            let request = call.request(wire::RedeliverRequest { id })?;
            let redelivered = call.api.webhooks().redeliver(request).await?;
            Ok(WebhookDelivery(redelivered.into_inner()))
        };
        WebhookDeliveryPayload::of(redelivered.await)
    }

    /// Sends the oldest failed deliveries of an endpoint again, at most 100 at once. Admins.
    async fn redeliver_failed(
        &self,
        ctx: &Context<'_>,
        input: RedeliverFailedInput,
    ) -> Result<RedeliverFailedPayload> {
        let call = Call::new(ctx)?;
        let redelivered = async {
            let request = call.request(wire::RedeliverFailedRequest {
                endpoint_id: endpoint(&input.endpoint_id)?,
                since: Some(time::to_wire(input.since)),
            })?;
            let redelivered = call.api.webhooks().redeliver_failed(request).await?;
            let redelivered = redelivered.into_inner();
            Ok(Redelivered {
                count: redelivered.count,
                has_more: redelivered.has_more,
            })
        };
        RedeliverFailedPayload::of(redelivered.await)
    }
}

fn endpoint(id: &ID) -> convene_kit::Result<String> {
    ids::text(Kind::WebhookEndpoint, "endpointId", id)
}
