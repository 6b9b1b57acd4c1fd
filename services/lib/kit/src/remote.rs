//! The way to a role in other processes: its replicas, watched, and called as long as they work.

mod balance;
mod discover;
mod health;
mod replica;

use std::{net::IpAddr, sync::Arc, time::Duration};

use tonic::transport::{Channel, Endpoint};

use crate::{
    error::{Error, Result},
    limits,
    listen::needs_tls,
    tls::{self, Tls},
};

pub use balance::Balanced;
pub(crate) use balance::Table;
pub use replica::{Replica, Standing};

/// The replicas of `role` at these places (`host:port`): an address each, or a name that may stand for several and is looked up again and again. They are
/// watched from now on. `field` is where the configuration names them.
///
/// A call goes to one that serves by its own word (`grpc.health.v1`), and to one only: what fails is the caller's to repeat. When none serves, the answer is
/// `PEER_UNAVAILABLE` at once; when the connection breaks under the call, `PEER_LOST`.
pub fn balanced(field: &str, role: &str, places: &[String], tls: Option<&Tls>) -> Result<Balanced> {
    for place in places {
        endpoint(field, role, place, tls)?;
    }
    Ok(discover::start(discover::Source {
        field: field.to_owned(),
        role: Arc::from(role),
        places: places.to_vec(),
        tls: tls.cloned(),
    }))
}

/// A channel to one server at `address` (`host:port`), where `role` serves, however it is. Nothing connects before the first call; a connection that breaks
/// is made anew for the next one. `field` is where the configuration names the address.
pub fn channel(field: &str, role: &str, address: &str, tls: Option<&Tls>) -> Result<Channel> {
    Ok(endpoint(field, role, address, tls)?.connect_lazy())
}

fn endpoint(field: &str, role: &str, address: &str, tls: Option<&Tls>) -> Result<Endpoint> {
    let malformed = || {
        Error::invalid(
            field.to_owned(),
            "PEER_ADDRESS_MALFORMED",
            format!("{address} is not host:port, for example 127.0.0.1:8801"),
        )
    };
    let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
    port.parse::<u16>().map_err(|_| malformed())?;
    if tls.is_none() && !loopback(host) {
        return Err(needs_tls(field, address));
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
        .map_err(|_| malformed())?
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_millis(limits::CONNECT_MS_MAX))
        .http2_keep_alive_interval(Duration::from_millis(limits::KEEP_ALIVE_MS))
        .keep_alive_timeout(Duration::from_millis(limits::KEEP_ALIVE_ANSWER_MS_MAX))
        // A watched feed may be silent for hours: its other end must not be gone meanwhile.
        .keep_alive_while_idle(true);
    match tls {
        Some(tls) => endpoint
            .tls_config(tls.client(role))
            .map_err(|error| tls::refused(&error)),
        None => Ok(endpoint),
    }
}

fn loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_is_not_loopback_needs_tls() {
        for address in ["127.0.0.1:1", "[::1]:1", "localhost:1"] {
            channel("peers.scheduler", "scheduler", address, None).unwrap();
        }
        for address in ["10.0.0.1:1", "scheduler:1", "[2001:db8::1]:1", "0.0.0.0:1"] {
            let error = channel("peers.scheduler", "scheduler", address, None).unwrap_err();
            assert_eq!(error.reason, "TLS_REQUIRED", "{address}");
        }
        for address in [
            "",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:70000",
            "http://127.0.0.1",
        ] {
            let error = channel("peers.scheduler", "scheduler", address, None).unwrap_err();
            assert_eq!(error.reason, "PEER_ADDRESS_MALFORMED", "{address}");
        }
    }
}
