//! Watchers: WebSockets that check every message, its order and that it comes once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{net::TcpStream, sync::Notify, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// A delivery must be there within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Watchers that connect at the same time.
const CONNECTING: usize = 64;

type Socket = WebSocketStream<TcpStream>;

/// What every watcher has to see: each message once, in this order.
#[derive(Default)]
struct Told {
    messages: Mutex<Vec<String>>,
    deliveries: AtomicUsize,
    first: Mutex<Option<Instant>>,
    all: Notify,
}

/// Watchers of the same thing.
pub struct Watchers {
    told: Arc<Told>,
    number: usize,
    running: JoinSet<()>,
}

/// One message's way to all watchers, from the moment it was sent off.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    pub first: Duration,
    pub last: Duration,
}

impl Watchers {
    /// Connects so many; `hello` is what each sends, and `ready` says whether it may be waited for after a message.
    pub async fn connect(url: &str, number: usize, hello: &[String]) -> Self {
        let told = Arc::new(Told::default());
        let mut sockets = Vec::with_capacity(number);
        while sockets.len() < number {
            let some = (number - sockets.len()).min(CONNECTING);
            sockets.extend(
                futures_util::future::join_all((0..some).map(|_| connect(url, hello))).await,
            );
        }
        let mut running = JoinSet::new();
        for socket in sockets {
            running.spawn(watch(socket, told.clone(), number));
        }
        Self {
            told,
            number,
            running,
        }
    }

    /// Does something that makes one message, and waits until all watchers have it.
    pub async fn deliver(&mut self, cause: impl Future<Output = ()>) -> Delivered {
        self.told.deliveries.store(0, Ordering::SeqCst);
        *self.told.first.lock().unwrap() = None;
        let begin = Instant::now();
        let all = tokio::time::timeout(PATIENCE, self.told.all.notified());
        tokio::select! {
            ((), all) = async { tokio::join!(cause, all) } => all.expect("a delivery was lost"),
            Some(ended) = self.running.join_next() => panic!("a watcher ended: {ended:?}"),
        }
        let last = begin.elapsed();
        assert_eq!(self.told.deliveries.load(Ordering::SeqCst), self.number);
        let first = self.told.first.lock().unwrap().unwrap();
        Delivered {
            first: first.duration_since(begin),
            last,
        }
    }

    /// The newest message.
    pub fn message(&self) -> String {
        self.told.messages.lock().unwrap().last().unwrap().clone()
    }
}

async fn connect(url: &str, hello: &[String]) -> Socket {
    let mut request = url.into_client_request().unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let stream = TcpStream::connect(request.uri().authority().unwrap().as_str())
        .await
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    for text in hello {
        socket.send(Message::text(text.clone())).await.unwrap();
        if text.contains("connection_init") {
            let answer = socket.next().await.unwrap().unwrap();
            assert!(
                answer.to_text().unwrap().contains("connection_ack"),
                "{answer}"
            );
        }
    }
    socket
}

async fn watch(mut socket: Socket, told: Arc<Told>, watchers: usize) {
    let mut seen = 0;
    loop {
        let message = socket.next().await.unwrap().expect("a socket error");
        let Message::Text(text) = message else {
            assert!(!message.is_close(), "a watcher was sent away");
            continue;
        };
        {
            let mut messages = told.messages.lock().unwrap();
            match messages.get(seen) {
                Some(message) => assert_eq!(message, text.as_str(), "order, loss or repeat"),
                None => {
                    assert!(messages.len() == seen && !messages.contains(&text.to_string()));
                    messages.push(text.to_string());
                    *told.first.lock().unwrap() = Some(Instant::now());
                }
            }
        }
        seen += 1;
        if told.deliveries.fetch_add(1, Ordering::SeqCst) + 1 == watchers {
            told.all.notify_one();
        }
    }
}
