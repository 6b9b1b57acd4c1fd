//! The load generator: so many clients, each with a connection of its own and one request at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Barrier, task::JoinSet};

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Target {
    /// `host:port`.
    pub authority: String,
    pub path: &'static str,
    /// The whole `Authorization` header; may be empty.
    pub authorization: String,
}

/// What a slice of load came to.
#[derive(Debug)]
pub struct Slice {
    pub requests: usize,
    pub wall: Duration,
    pub times: Vec<Duration>,
}

impl Slice {
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.wall.as_secs_f64()
    }
}

/// One client's connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
}

impl Connection {
    pub async fn open(target: &Target) -> Self {
        let stream = TcpStream::connect(&target.authority).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            target: target.clone(),
        }
    }

    /// Sends a body and answers the body that comes back with status 200.
    pub async fn post(&mut self, body: String) -> Bytes {
        let request = Request::post(self.target.path)
            .header(header::HOST, &self.target.authority)
            .header(header::AUTHORIZATION, &self.target.authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.into()))
            .unwrap();
        let answer = self
            .sender
            .send_request(request)
            .await
            .expect("a socket error");
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .expect("a socket error")
            .to_bytes();
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        body
    }
}

/// Sends `requests` bodies over `clients` connections and checks every answer. `body` is given the client and the number of the request.
pub async fn drive<B, C>(
    target: &Target,
    clients: usize,
    requests: usize,
    body: B,
    good: C,
) -> Slice
where
    B: Fn(usize, usize) -> String + Send + Sync + Clone + 'static,
    C: Fn(&[u8]) -> bool + Send + Sync + Clone + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let ready = Arc::new(Barrier::new(clients + 1));
    let mut running = JoinSet::new();
    for client in 0..clients {
        let mut connection = Connection::open(target).await;
        let (body, good) = (body.clone(), good.clone());
        let (next, ready) = (next.clone(), ready.clone());
        running.spawn(async move {
            let mut times = Vec::new();
            ready.wait().await;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return times;
                }
                let body = body(client, number);
                let begin = Instant::now();
                let answer = connection.post(body).await;
                times.push(begin.elapsed());
                assert!(
                    good(&answer),
                    "a bad body: {}",
                    String::from_utf8_lossy(&answer)
                );
            }
        });
    }
    ready.wait().await;
    let begin = Instant::now();
    let times: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    Slice {
        requests,
        wall: begin.elapsed(),
        times,
    }
}
