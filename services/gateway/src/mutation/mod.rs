//! Changing. Every payload holds what was changed, or a refusal that says what to do.

mod admin;
mod api_key;
mod availability;
mod booking;
mod hold;
mod lobby;
mod outcome;
mod plugin;
mod recording;
mod waiting_page;
mod webhook;
mod workflow;

use async_graphql::MergedObject;

/// Changing.
#[derive(Default, MergedObject)]
pub struct Mutation(
    admin::Admin,
    api_key::ApiKeys,
    availability::Schedules,
    booking::Bookings,
    hold::Holds,
    lobby::Lobbies,
    outcome::Outcomes,
    plugin::Plugins,
    recording::Recordings,
    waiting_page::WaitingPages,
    webhook::Webhooks,
    workflow::Workflows,
);

/// Declares payloads: one object field and the refusal.
macro_rules! payloads {
    ($($name:ident { $field:ident: $type:ty }),* $(,)?) => {$(
        /// What came of it: the object, or a refusal.
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            /// What was made or changed; null when refused.
            $field: Option<$type>,
            /// Why not.
            refusal: Option<crate::error::Refusal>,
        }

        impl $name {
            fn of(outcome: convene_kit::Result<$type>) -> async_graphql::Result<Self> {
                let ($field, refusal) = crate::error::payload(outcome)?;
                Ok(Self { $field, refusal })
            }
        }
    )*};
}
use payloads;

use convene_kit::{Error, Result};

use crate::{
    api::{Api, ReadOnly, Session},
    error::fault,
};

/// What a mutation works with.
struct Call<'a> {
    api: &'a Api,
    session: &'a Session,
}

impl<'a> Call<'a> {
    fn new(ctx: &async_graphql::Context<'a>) -> async_graphql::Result<Self> {
        if ctx.data_opt::<ReadOnly>().is_some() {
            return Err(fault(Error::invalid(
                "method",
                "POST_REQUIRED",
                "an operation in an address must not change anything; send mutations with POST",
            )));
        }
        Ok(Self {
            api: crate::model::api(ctx)?,
            session: crate::model::session(ctx)?,
        })
    }

    fn request<T>(&self, message: T) -> Result<tonic::Request<T>> {
        self.session.request(message)
    }
}
