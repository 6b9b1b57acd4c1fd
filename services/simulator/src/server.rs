//! The listeners. They run hyper themselves because a scripted fault must be able to close a connection without an answer.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Body;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{answering::Answering, origin::Origin, state::Shared};

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 1_024;
/// A handshake, and then a connection's request head, must come within this time, in milliseconds.
const HEAD_MS_MAX: u64 = 10_000;
/// Pause after a connection could not be accepted (no file handles left), in milliseconds.
const ACCEPT_PAUSE_MS: u64 = 50;

/// What all listeners share.
#[derive(Clone)]
pub struct Server {
    answering: Answering,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Server {
    /// Nothing is accepted yet.
    pub fn new(shared: Arc<Shared>, stop: CancellationToken) -> Self {
        Self {
            answering: Answering::new(shared),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            stop,
        }
    }

    /// Accepts until told to stop.
    pub async fn serve(
        self,
        listener: TcpListener,
        origin: Origin,
        tls: Option<Arc<ServerConfig>>,
    ) {
        let acceptor = tls.map(TlsAcceptor::from);
        loop {
            let Ok(place) = self.places.clone().acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, _)): io::Result<(TcpStream, SocketAddr)> = accepted else {
                tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                continue;
            };
            // Without it small answers wait for the client's acknowledgement; when it fails they are merely slower.
            let _ = stream.set_nodelay(true);
            let (server, origin, acceptor) = (self.clone(), origin.clone(), acceptor.clone());
            tokio::spawn(async move {
                let connection = async {
                    match acceptor {
                        None => server.connection(stream, origin).await,
                        Some(acceptor) => {
                            let wait = Duration::from_millis(HEAD_MS_MAX);
                            // Who does not trust the certificate or speaks no TLS has gone.
                            if let Ok(Ok(stream)) = timeout(wait, acceptor.accept(stream)).await {
                                server.connection(stream, origin).await;
                            }
                        }
                    }
                };
                tokio::select! {
                    () = server.stop.cancelled() => {}
                    () = connection => {}
                }
                drop(place);
            });
        }
    }

    async fn connection(&self, stream: impl AsyncRead + AsyncWrite + Unpin, origin: Origin) {
        let service = hyper::service::service_fn(move |request: http::Request<_>| {
            let answering = self.answering.clone();
            let mut request = request.map(Body::new);
            let origin = origin.of(request.headers());
            request.extensions_mut().insert(origin);
            answering.answer(request)
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(HEAD_MS_MAX))
            .serve_connection(TokioIo::new(stream), service);
        // A dropped connection is what a fault wants, and a broken one is the client's affair.
        drop(served.await);
    }
}
