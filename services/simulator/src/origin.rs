//! Where a client has found the simulator: what the links in its answers begin with.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts, uri::Authority};

use crate::state::Shared;

/// `http://127.0.0.1:8790`, or `https://localhost:8791`: scheme and host as the client knows them, without a slash at the end.
#[derive(Clone, Debug)]
pub struct Origin(Arc<str>);

impl Origin {
    /// A listener's own address.
    pub fn listener(secure: bool, address: SocketAddr) -> Self {
        let scheme = if secure { "https" } else { "http" };
        Self(format!("{scheme}://{address}").into())
    }

    /// By the request's `Host`, so that a next link stays on the host that the client trusts with its token.
    pub fn of(&self, headers: &HeaderMap) -> Self {
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let host = host.and_then(|host| host.parse::<Authority>().ok());
        let scheme = self.0.split("://").next().unwrap_or("http");
        match host.filter(|host| !host.as_str().contains('@')) {
            Some(host) => Self(format!("{scheme}://{host}").into()),
            None => self.clone(),
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromRequestParts<Arc<Shared>> for Origin {
    type Rejection = Infallible;

    /// The server has put it there.
    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Arc<Shared>,
    ) -> Result<Self, Infallible> {
        let put = parts.extensions.get::<Self>().cloned();
        Ok(put.unwrap_or_else(|| shared.origin.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_as_the_client_wrote_it() {
        let own = Origin::listener(true, ([127, 0, 0, 1], 8791).into());
        let of = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            own.of(&headers).to_string()
        };
        assert_eq!(of("localhost:8791"), "https://localhost:8791");
        for strange in ["a b", "x@127.0.0.1", ""] {
            assert_eq!(of(strange), "https://127.0.0.1:8791", "{strange}");
        }
        assert_eq!(own.of(&HeaderMap::new()).to_string(), own.to_string());
    }
}
