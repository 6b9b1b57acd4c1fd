//! The other side of `Clock/Set`: whoever has the master's clock tells a role business time whenever that role comes up.

use std::{collections::BTreeMap, time::Duration};

use convene_domain::TenantId;
use convene_proto::clock::v1::{SetRequest, clock_client::ClockClient};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Channel,
    caller::{Caller, Callers},
    clock::Clock,
    error::Result,
    remote::{Replica, Standing},
    rpc::Context,
};

/// Pause before a role that did not take the time is told again, in milliseconds.
const AGAIN_MS: u64 = 250;

/// Tells every replica of a role the offset in force whenever it is met, until `stop`: a restarted one may have missed a move.
pub async fn keep_clock(
    master: &'static str,
    clock: Clock,
    callers: Callers,
    channel: Channel,
    stop: CancellationToken,
) -> Result<()> {
    let mut replicas = channel.follow();
    let keeping = async {
        // Who was told, and in which of its lives.
        let mut told = BTreeMap::new();
        loop {
            let mut all = true;
            for replica in replicas.now() {
                let place = replica.address;
                let here = replica.standing > Standing::Silent;
                if !here || told.get(&place) == Some(&replica.met) {
                    continue;
                }
                match tell(master, &clock, &callers, &replica).await {
                    Ok(()) => drop(told.insert(place, replica.met)),
                    Err(error) => {
                        all = false;
                        tracing::debug!(reason = %error.reason, detail = error.detail(), "a role's clock waits");
                    }
                }
            }
            let again = async {
                match all {
                    true => std::future::pending().await,
                    false => tokio::time::sleep(Duration::from_millis(AGAIN_MS)).await,
                }
            };
            tokio::select! {
                () = replicas.changed() => {}
                () = again => {}
            }
        }
    };
    stop.run_until_cancelled(keeping).await;
    Ok(())
}

async fn tell(
    master: &'static str,
    clock: &Clock,
    callers: &Callers,
    replica: &Replica,
) -> Result<()> {
    let nobody = Caller::system(TenantId::from_uuid(Uuid::nil()), master);
    let offset = clock.offset();
    let message = SetRequest {
        offset_ms: offset.millis,
        version: offset.version,
    };
    let request = Context::begin(nobody).request(callers, message)?;
    ClockClient::new(replica.channel()).set(request).await?;
    Ok(())
}
