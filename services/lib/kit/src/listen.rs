//! Where a role listens for other processes.

use std::{fmt, net::SocketAddr, time::Duration};

use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use crate::{
    error::{Error, Result},
    limits,
    tls::{self, Tls},
};

/// A bound port that nobody is served on yet.
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.address)
    }
}

impl Listener {
    /// Binds. Whatever is not loopback needs TLS. `field` is where the configuration names the address.
    pub async fn bind(field: &str, address: SocketAddr, tls: Option<&Tls>) -> Result<Self> {
        if !address.ip().is_loopback() && tls.is_none() {
            return Err(needs_tls(field, &address.to_string()));
        }
        let cannot = |error: std::io::Error| {
            Error::unavailable(
                "CANNOT_LISTEN",
                format!(
                    "{field}: cannot listen on {address}: {error}; stop what uses the port, or choose another"
                ),
            )
        };
        let tcp = TcpListener::bind(address).await.map_err(cannot)?;
        Ok(Self {
            address: tcp.local_addr().map_err(cannot)?,
            tcp,
            tls: tls.cloned(),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A server for these connections, and the connections.
    pub(crate) fn open(self) -> Result<(Server, TcpIncoming)> {
        let keep_alive = Duration::from_millis(limits::KEEP_ALIVE_MS);
        let mut server = Server::builder();
        if let Some(tls) = &self.tls {
            server = server
                .tls_config(tls.server())
                .map_err(|error| tls::refused(&error))?;
        }
        let incoming = TcpIncoming::from(self.tcp)
            .with_nodelay(Some(true))
            .with_keepalive(Some(keep_alive));
        Ok((server, incoming))
    }
}

/// The refusal of an address that others could reach or listen in on.
pub(crate) fn needs_tls(field: &str, address: &str) -> Error {
    Error::invalid(
        field.to_owned(),
        "TLS_REQUIRED",
        format!(
            "{address} is not loopback; name ca, certificate and key in [tls], or use 127.0.0.1"
        ),
    )
}
