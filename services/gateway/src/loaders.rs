//! Loaders of one request: objects that several fields want are asked for once, with the caller's own rights.

use std::{collections::HashMap, sync::Arc};

use async_graphql::dataloader::{DataLoader, Loader};
use convene_kit::{Code, Error, limits};
use convene_proto::{meeting::v1 as meeting, scheduler::v1 as scheduler};
use futures_util::future::try_join_all;

use crate::api::{Api, Session};

/// The loaders of one request.
pub struct Loaders {
    pub bookings: DataLoader<Bookings>,
    pub services: DataLoader<Services>,
    pub hosts: DataLoader<Hosts>,
    pub meetings: DataLoader<Meetings>,
}

impl Loaders {
    pub fn new(api: &Arc<Api>, session: &Session) -> Self {
        let source = Source {
            api: api.clone(),
            session: session.clone(),
        };
        Self {
            bookings: DataLoader::new(Bookings(source.clone()), tokio::spawn)
                .max_batch_size(limits::PAGE_MAX as usize),
            services: DataLoader::new(Services(source.clone()), tokio::spawn),
            hosts: DataLoader::new(Hosts(source.clone()), tokio::spawn),
            meetings: DataLoader::new(Meetings(source), tokio::spawn),
        }
    }
}

#[derive(Clone)]
struct Source {
    api: Arc<Api>,
    session: Session,
}

/// `None` for what is not there or not the caller's.
fn known<T>(found: Result<tonic::Response<T>, tonic::Status>) -> Result<Option<T>, Error> {
    match found.map_err(Error::from) {
        Ok(found) => Ok(Some(found.into_inner())),
        Err(error) if error.code == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Bookings by UUID.
pub struct Bookings(Source);

impl Loader<String> for Bookings {
    type Value = scheduler::Booking;
    type Error = Error;

    async fn load(&self, keys: &[String]) -> Result<HashMap<String, Self::Value>, Error> {
        let message = scheduler::BatchGetBookingsRequest { ids: keys.to_vec() };
        let request = self.0.session.request(message)?;
        let found = self.0.api.scheduler().batch_get_bookings(request).await?;
        let bookings = found.into_inner().bookings;
        Ok(bookings.into_iter().map(|b| (b.id.clone(), b)).collect())
    }
}

/// Services by UUID.
pub struct Services(Source);

impl Loader<String> for Services {
    type Value = scheduler::Service;
    type Error = Error;

    async fn load(&self, keys: &[String]) -> Result<HashMap<String, Self::Value>, Error> {
        let found = keys.iter().map(|id| async move {
            let message = scheduler::GetServiceRequest { id: id.clone() };
            let request = self.0.session.request(message)?;
            known(self.0.api.scheduler().get_service(request).await)
        });
        let found = try_join_all(found).await?.into_iter().flatten();
        Ok(found.map(|s| (s.id.clone(), s)).collect())
    }
}

/// Hosts by UUID.
pub struct Hosts(Source);

impl Loader<String> for Hosts {
    type Value = scheduler::Host;
    type Error = Error;

    async fn load(&self, keys: &[String]) -> Result<HashMap<String, Self::Value>, Error> {
        let found = keys.iter().map(|id| async move {
            let message = scheduler::GetHostRequest { id: id.clone() };
            let request = self.0.session.request(message)?;
            known(self.0.api.scheduler().get_host(request).await)
        });
        let found = try_join_all(found).await?.into_iter().flatten();
        Ok(found.map(|h| (h.id.clone(), h)).collect())
    }
}

/// Meetings by UUID.
pub struct Meetings(Source);

impl Loader<String> for Meetings {
    type Value = meeting::Meeting;
    type Error = Error;

    async fn load(&self, keys: &[String]) -> Result<HashMap<String, Self::Value>, Error> {
        let found = keys.iter().map(|id| async move {
            let message = meeting::GetMeetingRequest { id: id.clone() };
            let request = self.0.session.request(message)?;
            known(self.0.api.broker().get_meeting(request).await)
        });
        let found = try_join_all(found).await?.into_iter().flatten();
        Ok(found.map(|m| (m.id.clone(), m)).collect())
    }
}
