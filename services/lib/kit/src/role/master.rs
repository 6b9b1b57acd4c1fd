//! The other side of `Clock/Set`: whoever has the master's clock tells a role business time whenever that role comes up.

use std::time::Duration;

use convene_domain::TenantId;
use convene_proto::clock::v1::{SetRequest, clock_client::ClockClient};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use uuid::Uuid;

use crate::{
    caller::{Caller, Callers},
    clock::Clock,
    error::{Error, Result},
    rpc::Context,
};

/// Pause before a role that went away is looked for again, in milliseconds.
const REOPEN_MS: u64 = 250;

/// Tells the role at `channel` the offset in force, watches its health until it goes away, and begins anew, until `stop`.
pub async fn keep_clock(
    master: &'static str,
    clock: Clock,
    callers: Callers,
    channel: Channel,
    stop: CancellationToken,
) -> Result<()> {
    let keeping = async {
        loop {
            if let Err(error) = tell(master, &clock, &callers, &channel).await {
                tracing::debug!(reason = %error.reason, detail = error.detail(), "a role's clock waits");
            }
            tokio::time::sleep(Duration::from_millis(REOPEN_MS)).await;
        }
    };
    stop.run_until_cancelled(keeping).await;
    Ok(())
}

async fn tell(
    master: &'static str,
    clock: &Clock,
    callers: &Callers,
    channel: &Channel,
) -> Result<()> {
    let nobody = Caller::system(TenantId::from_uuid(Uuid::nil()), master);
    let offset = clock.offset();
    let message = SetRequest {
        offset_ms: offset.millis,
        version: offset.version,
    };
    let request = Context::begin(nobody).request(callers, message)?;
    ClockClient::new(channel.clone()).set(request).await?;
    // A restarted role may have missed a move: the end of this stream says that it went away.
    let mut health = HealthClient::new(channel.clone())
        .watch(HealthCheckRequest::default())
        .await?
        .into_inner();
    while health.message().await?.is_some() {}
    Err(Error::unavailable("ROLE_GONE", "the role went away"))
}
