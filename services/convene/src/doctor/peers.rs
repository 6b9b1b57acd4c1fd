//! The roles of other processes: at each configured address the right one, and serving.

use std::time::Duration;

use convene_kit::{finding::Finding, remote, tls::Tls};
use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::findings as found;
use crate::{
    config::Config,
    roles::{RoleName, spec},
};

/// One address is given up after this time, in milliseconds.
const LOOK_MS_MAX: u64 = 3_000;
/// Addresses that are looked at side by side.
const AT_ONCE: usize = 8;

/// Looks at every address in `[peers]`.
pub async fn examine(config: &Config, tls: Option<&Tls>) -> Vec<Finding> {
    let all = config.peers.iter();
    let all = all.flat_map(|(role, addresses)| addresses.iter().map(|one| (*role, one.clone())));
    let looks: Vec<_> = all
        .map(|(role, address)| look(role, address, tls.cloned()))
        .collect();
    stream::iter(looks).buffered(AT_ONCE).collect().await
}

async fn look(role: RoleName, address: String, tls: Option<Tls>) -> Finding {
    let say = |kind: convene_kit::finding::Kind, detail: &str| {
        let name = role.as_str();
        let values = [
            ("address", address.as_str()),
            ("detail", detail),
            ("role", name),
        ];
        kind.with(name, &values)
    };
    let field = format!("peers.{role}");
    let channel = match remote::channel(&field, role.as_str(), &address, tls.as_ref()) {
        Ok(channel) => channel,
        Err(error) => return say(found::ROLE_SILENT, &error.message),
    };
    let request = HealthCheckRequest {
        // The role's own contract: what answers for it is that role.
        service: spec(role).contract.unwrap_or_default().to_owned(),
    };
    let mut client = HealthClient::new(channel);
    let patience = Duration::from_millis(LOOK_MS_MAX);
    match timeout(patience, client.check(request)).await {
        Ok(Ok(told)) if told.get_ref().status() == ServingStatus::Serving => {
            say(found::ROLE_SERVES, "")
        }
        Ok(Ok(_)) => say(found::ROLE_NOT_READY, ""),
        Ok(Err(status)) if status.code() == Code::NotFound => say(found::ROLE_OTHER, ""),
        Ok(Err(status)) => say(found::ROLE_SILENT, &innermost(&status)),
        Err(_) => say(
            found::ROLE_SILENT,
            &format!("no answer within {LOOK_MS_MAX} ms"),
        ),
    }
}

/// The cause, which says more than "transport error".
fn innermost(status: &Status) -> String {
    let mut cause: &dyn std::error::Error = status;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match cause.downcast_ref::<Status>() {
        Some(status) => status.message().to_owned(),
        None => cause.to_string(),
    }
}
