//! The way to a role, for every generated client: a pipe when the role runs in this process, else those of its replicas that work.

use std::task::{Context, Poll};

use futures_util::future::Either;
use http::{Request, Response};
use tokio::sync::watch;
use tonic::{body::Body, transport};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    BoxFuture,
    remote::{Balanced, Replica, Standing, Table},
};

/// A way to a role. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channel {
    calls: Calls,
    /// Replicas besides the one that is called.
    beside: Option<Balanced>,
}

#[derive(Clone, Debug)]
enum Calls {
    Here(transport::Channel),
    Elsewhere(Balanced),
}

/// One connection to one server, whoever is at its other end and however they are.
impl From<transport::Channel> for Channel {
    fn from(one: transport::Channel) -> Self {
        Self {
            calls: Calls::Here(one),
            beside: None,
        }
    }
}

impl From<Balanced> for Channel {
    fn from(elsewhere: Balanced) -> Self {
        Self {
            calls: Calls::Elsewhere(elsewhere),
            beside: None,
        }
    }
}

impl Channel {
    /// For a role that runs here and elsewhere: calls stay here, [`Self::replicas`] knows them all.
    pub fn beside(mut self, elsewhere: Balanced) -> Self {
        self.beside = Some(elsewhere);
        self
    }

    /// Whether calls stay in this process.
    pub fn is_here(&self) -> bool {
        matches!(self.calls, Calls::Here(_))
    }

    /// How the role is: here as it says itself, elsewhere as the best of its replicas is.
    pub async fn standing(&self) -> Standing {
        match &self.calls {
            Calls::Here(one) => ask(one.clone()).await,
            Calls::Elsewhere(balanced) => balanced.standing(),
        }
    }

    /// Every replica, working or not; those elsewhere once they have been looked at.
    pub async fn replicas(&self) -> Vec<Replica> {
        let mut all = Vec::new();
        match &self.calls {
            Calls::Here(one) => all.push(Replica::here(one.clone())),
            Calls::Elsewhere(balanced) => all.extend(balanced.judged().await),
        }
        if let Some(balanced) = &self.beside {
            all.extend(balanced.judged().await);
        }
        all
    }

    /// The replicas as they come and go.
    pub(crate) fn follow(&self) -> Replicas {
        let (here, balanced) = match &self.calls {
            Calls::Here(one) => (Some(Replica::here(one.clone())), self.beside.as_ref()),
            Calls::Elsewhere(balanced) => (None, Some(balanced)),
        };
        Replicas {
            here,
            elsewhere: balanced.map(Balanced::table),
        }
    }
}

/// Replicas as they come and go.
pub(crate) struct Replicas {
    here: Option<Replica>,
    elsewhere: Option<watch::Receiver<Table>>,
}

impl Replicas {
    /// Those of now.
    pub fn now(&mut self) -> Vec<Replica> {
        let elsewhere = self.elsewhere.as_mut();
        let elsewhere = elsewhere.map(|table| table.borrow_and_update().replicas.clone());
        let elsewhere = elsewhere.into_iter().flatten();
        self.here.iter().cloned().chain(elsewhere).collect()
    }

    /// Waits until one of them has changed.
    pub async fn changed(&mut self) {
        let there = match &mut self.elsewhere {
            Some(table) => table.changed().await.is_ok(),
            None => false,
        };
        if !there {
            std::future::pending().await
        }
    }
}

async fn ask(one: transport::Channel) -> Standing {
    let asked = HealthCheckRequest::default();
    match HealthClient::new(one).check(asked).await {
        Ok(told) if told.get_ref().status() == ServingStatus::Serving => Standing::Works,
        Ok(_) => Standing::Waits,
        Err(_) => Standing::Silent,
    }
}

type Answer = Result<Response<Body>, transport::Error>;

impl tower::Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = transport::Error;
    type Future = Either<transport::channel::ResponseFuture, BoxFuture<'static, Answer>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match &mut self.calls {
            Calls::Here(one) => one.poll_ready(cx),
            // The call itself waits for whom it picks.
            Calls::Elsewhere(_) => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match &mut self.calls {
            Calls::Here(one) => Either::Left(one.call(request)),
            Calls::Elsewhere(balanced) => {
                let balanced = balanced.clone();
                Either::Right(Box::pin(async move { Ok(balanced.call(request).await) }))
            }
        }
    }
}
