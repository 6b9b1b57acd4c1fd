//! What clients see. Each type wraps the message of the service that owns the object.

pub mod api_key;
pub mod assignment;
pub mod audit;
pub mod availability;
pub mod booking;
pub mod catalogue;
pub mod health;
pub mod hold;
pub mod lobby;
pub mod meeting;
pub mod plugin;
pub mod policy;
pub mod recording;
pub mod schedule;
pub mod time;
pub mod waiting_page;
pub mod webhook;
pub mod workflow;

use std::sync::Arc;

use async_graphql::{Context, Interface, Result};

use crate::{
    api::{Api, Session},
    error::fault,
    loaders::Loaders,
};
use api_key::ApiKey;
use booking::Booking;
use catalogue::{Host, Service};
use lobby::{Lobby, Visit};
use meeting::Meeting;
use recording::Recording;
use schedule::Schedule;
use webhook::WebhookEndpoint;
use workflow::WorkflowRun;

/// An object with an id that `node` finds again.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "async_graphql::ID", desc = "Global id."))]
#[allow(clippy::large_enum_variant)]
pub enum Node {
    Service(Service),
    Host(Host),
    Schedule(Schedule),
    Booking(Booking),
    Meeting(Meeting),
    Lobby(Lobby),
    Visit(Visit),
    Recording(Recording),
    WebhookEndpoint(WebhookEndpoint),
    ApiKey(ApiKey),
    WorkflowRun(WorkflowRun),
}

/// The services.
pub fn api<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Api>> {
    ctx.data::<Arc<Api>>()
}

/// The request's caller.
pub fn session<'a>(ctx: &Context<'a>) -> Result<&'a Session> {
    ctx.data::<Session>()
}

/// The request's loaders.
pub fn loaders<'a>(ctx: &Context<'a>) -> Result<&'a Loaders> {
    ctx.data::<Loaders>()
}

/// An outgoing call on the caller's behalf.
pub fn request<T>(ctx: &Context<'_>, message: T) -> Result<tonic::Request<T>> {
    session(ctx)?.request(message).map_err(fault)
}

/// A service's status as a GraphQL error.
pub fn status(status: tonic::Status) -> async_graphql::Error {
    fault(status.into())
}

/// What a loader must find.
pub fn found<T>(
    loaded: std::result::Result<Option<T>, convene_kit::Error>,
    kind: &str,
) -> Result<T> {
    loaded
        .map_err(fault)?
        .ok_or_else(|| fault(convene_kit::Error::not_found(kind)))
}
