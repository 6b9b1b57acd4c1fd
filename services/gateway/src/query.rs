//! Reading.

mod availability;
mod plugin;
mod workflow;

use async_graphql::{
    Context, ID, MergedObject, Object, Result, SimpleObject,
    connection::{Connection, Edge, EmptyFields},
};
use convene_kit::{Code, Error, Scope, limits};
use convene_proto::{
    event::v1::ReadRequest, lobby::v1 as lobby, meeting::v1 as meeting, recording::v1 as recording,
    scheduler::v1 as scheduler, webhook::v1 as webhook,
};

use futures_util::future::try_join_all;

use crate::{
    clock::{self, Clock},
    error::{code, fault},
    feed::SOURCES,
    ids::{self, Kind, encode},
    keys,
    model::{
        Node, api,
        api_key::ApiKey,
        audit::{AuditEvent, AuditTrail},
        booking::Booking,
        catalogue::{Host, Service},
        found,
        health::{self, ProviderHealth},
        loaders,
        lobby::{Lobby, Visit},
        meeting::{Meeting, MeetingProvider},
        recording::Recording,
        request, session, status,
        waiting_page::WaitingPage,
        webhook::{WebhookDelivery, WebhookDeliveryState, WebhookEndpoint},
    },
    operation, waiting_page,
};

/// Events of one booking that a trail shows.
const TRAIL_MAX: usize = 5_000;

/// A page of services.
type Services = Connection<String, Service>;
/// A page of hosts.
type Hosts = Connection<String, Host>;
/// A page of API keys.
type ApiKeys = Connection<String, ApiKey>;
/// A page of bookings.
type Bookings = Connection<String, Booking>;
/// A page of deliveries.
type WebhookDeliveries = Connection<String, WebhookDelivery>;

/// Who asks.
#[derive(SimpleObject)]
pub struct Viewer {
    /// As in audit trails.
    principal: String,
    /// ADMIN, BOOKING_APP, HOST or GUEST.
    role: &'static str,
    /// UUID of the tenant.
    tenant_id: String,
}

/// Reading.
#[derive(Default, MergedObject)]
pub struct Query(
    Objects,
    availability::Slots,
    plugin::PluginReads,
    workflow::Flows,
);

/// Reading what there is.
#[derive(Default)]
pub struct Objects;

#[Object]
impl Objects {
    /// Any object by its global id.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Node> {
        node(ctx, "id", &id).await
    }

    /// Several objects; null for those that are not there.
    #[graphql(complexity = "ids.len() * child_complexity")]
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if ids.len() > limits::PAGE_MAX as usize {
            let message = format!("ask for at most {} objects at once", limits::PAGE_MAX);
            return Err(fault(Error::invalid("ids", "TOO_MANY_IDS", message)));
        }
        let nodes = ids.iter().map(|id| async {
            match node(ctx, "ids", id).await {
                Ok(node) => Ok(Some(node)),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(error),
            }
        });
        try_join_all(nodes).await
    }

    /// Who asks.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        let caller = &session(ctx)?.caller;
        Ok(Viewer {
            principal: caller.principal.clone(),
            role: operation::role(&caller.scope),
            tenant_id: caller.tenant.to_string(),
        })
    }

    /// One service.
    async fn service(&self, ctx: &Context<'_>, id: ID) -> Result<Service> {
        let id = ids::text(Kind::Service, "id", &id).map_err(fault)?;
        found(loaders(ctx)?.services.load_one(id).await, "service").map(Service)
    }

    /// Services in order of creation.
    #[graphql(complexity = "page_cost(first) * child_complexity")]
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last item seen.")] after: Option<String>,
    ) -> Result<Services> {
        let page = page(first, after.as_deref(), Kind::Service)?;
        let message = scheduler::ListServicesRequest { page: Some(page) };
        let listed = api(ctx)?
            .scheduler()
            .list_services(request(ctx, message)?)
            .await;
        let listed = listed.map_err(status)?.into_inner();
        let items = listed.services.into_iter();
        let items = items.map(|item| (encode(Kind::Service, &item.id), Service(item)));
        Ok(connected(after.is_some(), listed.has_more, items))
    }

    /// One host.
    async fn host(&self, ctx: &Context<'_>, id: ID) -> Result<Host> {
        let id = ids::text(Kind::Host, "id", &id).map_err(fault)?;
        found(loaders(ctx)?.hosts.load_one(id).await, "host").map(Host)
    }

    /// Hosts in order of creation; a host sees itself.
    #[graphql(complexity = "page_cost(first) * child_complexity")]
    async fn hosts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last item seen.")] after: Option<String>,
    ) -> Result<Hosts> {
        let page = page(first, after.as_deref(), Kind::Host)?;
        let message = scheduler::ListHostsRequest { page: Some(page) };
        let listed = api(ctx)?
            .scheduler()
            .list_hosts(request(ctx, message)?)
            .await;
        let listed = listed.map_err(status)?.into_inner();
        let items = listed.hosts.into_iter();
        let items = items.map(|item| (encode(Kind::Host, &item.id), Host(item)));
        Ok(connected(after.is_some(), listed.has_more, items))
    }

    /// The tenant's API keys in order of creation, revoked ones too; never their secrets. Admins.
    #[graphql(complexity = "page_cost(first) * child_complexity")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last item seen.")] after: Option<String>,
    ) -> Result<ApiKeys> {
        let page = page(first, after.as_deref(), Kind::ApiKey)?;
        let listed = keys::list(api(ctx)?, session(ctx)?, &page).await;
        let (items, has_more) = listed.map_err(fault)?;
        let items = items.into_iter().map(ApiKey);
        let items = items.map(|item| (encode(Kind::ApiKey, &item.0.id.to_string()), item));
        Ok(connected(after.is_some(), has_more, items))
    }

    /// One booking.
    async fn booking(&self, ctx: &Context<'_>, id: ID) -> Result<Booking> {
        let id = ids::text(Kind::Booking, "id", &id).map_err(fault)?;
        found(loaders(ctx)?.bookings.load_one(id).await, "booking").map(Booking)
    }

    /// Bookings in order of creation; a host sees its own.
    #[graphql(complexity = "page_cost(first) * child_complexity")]
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last item seen.")] after: Option<String>,
        #[graphql(desc = "Only of this host.")] host_id: Option<ID>,
    ) -> Result<Bookings> {
        let host_id = match host_id {
            None => String::new(),
            Some(id) => ids::text(Kind::Host, "hostId", &id).map_err(fault)?,
        };
        let page = page(first, after.as_deref(), Kind::Booking)?;
        let message = scheduler::ListBookingsRequest {
            page: Some(page),
            host_id,
        };
        let listed = api(ctx)?
            .scheduler()
            .list_bookings(request(ctx, message)?)
            .await;
        let listed = listed.map_err(status)?.into_inner();
        let items = listed.bookings.into_iter();
        let items = items.map(|item| (encode(Kind::Booking, &item.id), Booking(item)));
        Ok(connected(after.is_some(), listed.has_more, items))
    }

    /// The visit that the guest's ticket opens.
    async fn visit(&self, ctx: &Context<'_>) -> Result<Visit> {
        let (id, _) = session(ctx)?.caller.guest().map_err(fault)?;
        visit(ctx, id.to_string()).await
    }

    /// How the tenant's waiting page looks, what it asks, and who may show it in a frame.
    async fn waiting_page(&self, ctx: &Context<'_>) -> Result<WaitingPage> {
        let tenant = session(ctx)?.caller.tenant;
        let page = waiting_page::get(api(ctx)?.db.read(), tenant).await;
        page.map(Into::into).map_err(fault)
    }

    /// Providers and what each can do.
    async fn meeting_providers(&self, ctx: &Context<'_>) -> Result<Vec<MeetingProvider>> {
        let message = request(ctx, meeting::ListProvidersRequest {})?;
        let listed = api(ctx)?.broker().list_providers(message).await;
        let providers = listed.map_err(status)?.into_inner().providers;
        Ok(providers.into_iter().map(Into::into).collect())
    }

    /// How the provider is: token, permissions, access policies, beta, clock; what is wrong comes with its remedy. Reads only. It asks the provider, for one caller
    /// at a time. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn provider_health(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Hosts whose provider users are looked at; the first 20 when left out.")]
        host_ids: Option<Vec<ID>>,
    ) -> Result<ProviderHealth> {
        health::examine(ctx, host_ids).await
    }

    /// What happened to a booking, over all services.
    #[graphql(complexity = "20 * child_complexity")]
    async fn audit_trail(&self, ctx: &Context<'_>, booking_id: ID) -> Result<AuditTrail> {
        let id = ids::text(Kind::Booking, "bookingId", &booking_id).map_err(fault)?;
        // Whoever does not see the booking does not see its trail.
        found(loaders(ctx)?.bookings.load_one(id.clone()).await, "booking")?;
        if matches!(session(ctx)?.caller.scope, Scope::Guest { .. }) {
            let message = "audit trails are for the organisation; use an API key";
            return Err(fault(Error::forbidden("FORBIDDEN", message)));
        }
        let mut events = Vec::new();
        let mut complete = true;
        for source in SOURCES {
            let mut after_position = 0;
            loop {
                let message = ReadRequest {
                    after_position,
                    limit: limits::FEED_PAGE_MAX,
                    booking_id: id.clone(),
                };
                let page = source
                    .client(&api(ctx)?.peers)
                    .read(request(ctx, message)?)
                    .await;
                let page = page.map_err(status)?.into_inner().events;
                let Some(last) = page.last() else { break };
                after_position = last.position;
                let read = page.into_iter().map(|e| AuditEvent::new(source.name(), e));
                events.extend(read);
                if events.len() > TRAIL_MAX {
                    complete = false;
                    break;
                }
            }
        }
        events.truncate(TRAIL_MAX);
        events.sort_by_key(|event| (event.occurred_at, event.source, event.position));
        Ok(AuditTrail { events, complete })
    }

    /// The tenant's webhook endpoints in order of creation. Admins.
    #[graphql(complexity = "20 * child_complexity")]
    async fn webhook_endpoints(&self, ctx: &Context<'_>) -> Result<Vec<WebhookEndpoint>> {
        let message = request(ctx, webhook::ListEndpointsRequest {})?;
        let listed = api(ctx)?.webhooks().list_endpoints(message).await;
        let endpoints = listed.map_err(status)?.into_inner().endpoints;
        Ok(endpoints.into_iter().map(WebhookEndpoint).collect())
    }

    /// What came of the deliveries to an endpoint, newest first. Admins.
    #[graphql(complexity = "page_cost(first) * child_complexity")]
    async fn webhook_deliveries(
        &self,
        ctx: &Context<'_>,
        endpoint_id: ID,
        #[graphql(desc = "Only those in this state.")] state: Option<WebhookDeliveryState>,
        #[graphql(desc = "At most 100.", default = 20)] first: i32,
        #[graphql(desc = "Cursor of the last item seen.")] after: Option<String>,
    ) -> Result<WebhookDeliveries> {
        let page = page(first, after.as_deref(), Kind::WebhookDelivery)?;
        let state = state.map_or(webhook::DeliveryState::Unspecified, Into::into);
        let endpoint = ids::text(Kind::WebhookEndpoint, "endpointId", &endpoint_id);
        let message = webhook::ListDeliveriesRequest {
            endpoint_id: endpoint.map_err(fault)?,
            state: state.into(),
            first: page.first,
            after_id: page.after_id,
        };
        let listed = api(ctx)?
            .webhooks()
            .list_deliveries(request(ctx, message)?)
            .await;
        let listed = listed.map_err(status)?.into_inner();
        let items = listed.deliveries.into_iter();
        let items = items.map(|item| {
            let id = encode(Kind::WebhookDelivery, &item.id);
            (id, WebhookDelivery(item))
        });
        Ok(connected(after.is_some(), listed.has_more, items))
    }

    /// Business time.
    async fn clock(&self, ctx: &Context<'_>) -> Result<Clock> {
        Ok(clock::show(api(ctx)?))
    }
}

async fn api_key(ctx: &Context<'_>, id: uuid::Uuid) -> Result<ApiKey> {
    let caller = &session(ctx)?.caller;
    caller.ensure_admin().map_err(fault)?;
    let row = keys::get(api(ctx)?.db.read(), caller.tenant, id).await;
    row.map(ApiKey).map_err(fault)
}

async fn visit(ctx: &Context<'_>, id: String) -> Result<Visit> {
    let message = request(ctx, lobby::GetVisitRequest { id })?;
    let visit = api(ctx)?.lobby().get_visit(message).await;
    Ok(Visit(visit.map_err(status)?.into_inner()))
}

fn is_not_found(error: &async_graphql::Error) -> bool {
    let extensions = error.extensions.as_ref();
    extensions.and_then(|extensions| extensions.get("code")) == Some(&code(Code::NotFound).into())
}

async fn node(ctx: &Context<'_>, field: &'static str, id: &ID) -> Result<Node> {
    let (kind, uuid) = ids::parse(field, id).map_err(fault)?;
    let id = uuid.to_string();
    let loaders = loaders(ctx)?;
    Ok(match kind {
        Kind::Service => {
            found(loaders.services.load_one(id).await, "service").map(|s| Service(s).into())?
        }
        Kind::Host => found(loaders.hosts.load_one(id).await, "host").map(|h| Host(h).into())?,
        Kind::Schedule => availability::schedule(ctx, id).await?.into(),
        Kind::Booking => {
            found(loaders.bookings.load_one(id).await, "booking").map(|b| Booking(b).into())?
        }
        Kind::Meeting => {
            let meeting = found(loaders.meetings.load_one(id).await, "meeting")?;
            Meeting::known(meeting).into()
        }
        Kind::Lobby => {
            let message = request(ctx, lobby::GetLobbyRequest { id })?;
            let lobby = api(ctx)?.lobby().get_lobby(message).await;
            Lobby(lobby.map_err(status)?.into_inner()).into()
        }
        Kind::Visit => visit(ctx, id).await?.into(),
        Kind::Recording => {
            let message = request(ctx, recording::GetRecordingRequest { id })?;
            let recording = api(ctx)?.recording().get_recording(message).await;
            Recording(recording.map_err(status)?.into_inner()).into()
        }
        Kind::WorkflowRun => workflow::run(ctx, id).await?.into(),
        Kind::ApiKey => api_key(ctx, uuid).await?.into(),
        Kind::WebhookEndpoint => {
            let message = request(ctx, webhook::GetEndpointRequest { id })?;
            let endpoint = api(ctx)?.webhooks().get_endpoint(message).await;
            WebhookEndpoint(endpoint.map_err(status)?.into_inner()).into()
        }
        Kind::Guest | Kind::WebhookDelivery | Kind::PluginBinding | Kind::PluginCall => {
            return Err(fault(Error::not_found("node")));
        }
    })
}

/// A page of the wire, its bounds checked before anything is asked.
fn page(first: i32, after: Option<&str>, kind: Kind) -> Result<scheduler::Page> {
    let first = u32::try_from(first)
        .ok()
        .filter(|first| (1..=limits::PAGE_MAX).contains(first))
        .ok_or_else(|| {
            let message = format!("first is 1 to {}", limits::PAGE_MAX);
            fault(Error::invalid("first", "OUT_OF_RANGE", message))
        })?;
    let after_id = match after {
        None => String::new(),
        Some(after) => ids::text(kind, "after", &ID(after.to_owned())).map_err(fault)?,
    };
    Ok(scheduler::Page { first, after_id })
}

fn page_cost(first: i32) -> usize {
    usize::try_from(first).unwrap_or(0)
}

fn connected<T>(
    has_previous: bool,
    has_more: bool,
    items: impl Iterator<Item = (ID, T)>,
) -> Connection<String, T>
where
    T: async_graphql::OutputType + async_graphql::ObjectType,
{
    let mut page: Connection<String, T, EmptyFields, EmptyFields> =
        Connection::new(has_previous, has_more);
    page.edges
        .extend(items.map(|(id, item)| Edge::new(id.0, item)));
    page
}
