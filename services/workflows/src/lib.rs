//! Workflows: what a tenant wants done before, during and after its bookings. A run survives every crash; each step reaches the outside under one
//! key; time is business time (I6).

mod act;
mod convert;
mod definition;
mod diagram;
mod interpret;
mod peers;
mod progress;
mod rpc;
mod scope;
mod service;
mod store;
mod templates;

use std::path::PathBuf;

use convene_kit::{
    Deps, Result, Role,
    jobs::{Queue, start},
    outbound::{Outbound, Settings},
};
use convene_proto::workflow::v1::workflows_server::WorkflowsServer;

pub use act::Smtp;
pub use definition::{Definition, Problem, parse, schema};
pub use peers::Peers;
pub use templates::{TEMPLATES, Template};

use crate::{act::Mailer, peers::Below, store::definitions::Definitions};

/// Name of the role.
pub const NAME: &str = "workflows";

/// What the role is told.
#[derive(Debug)]
pub struct Config {
    /// Where requests may go, and how long they may take.
    pub outbound: Settings,
    /// Who takes e-mails.
    pub smtp: Option<Smtp>,
    /// Without a server: the folder that e-mails are written to while one develops.
    pub mail_folder: Option<PathBuf>,
}

/// Builds the role.
pub async fn role(deps: Deps, config: Config, peers: Peers) -> Result<Role> {
    let definitions = Definitions::default();
    let mailer = match (config.smtp, config.mail_folder) {
        (Some(smtp), _) => Mailer::server(&smtp)?,
        (None, Some(folder)) => Mailer::Folder(folder),
        (None, None) => Mailer::Nowhere,
    };
    let queue = Queue {
        db: deps.db.clone(),
        clock: deps.clock.clone(),
        worker: act::RunWorker {
            deps: deps.clone(),
            definitions: definitions.clone(),
            below: Below::new(peers.clone(), deps.callers.clone()),
            outbound: Outbound::new(config.outbound, deps.clock.clone())?,
            mailer,
        },
        role: NAME,
    };
    let service = service::Workflows::new(deps.clone(), definitions.clone());
    let mut role = Role::new(NAME, deps.clone())
        .await?
        .serve(WorkflowsServer::new(rpc::Rpc::new(
            deps.callers.clone(),
            service,
        )))
        .task(move |stop| start(queue, stop));
    for follower in peers.followers(&deps, &definitions) {
        role = role.task(move |stop| Box::pin(convene_kit::feed::follow(follower, stop)));
    }
    Ok(role)
}
