//! A receiver as others would write it: it knows its secrets and Standard Webhooks, and nothing of Convene. Scripted to misbehave.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::hmac;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// How the next request is answered.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Status(u16),
    /// Status and seconds.
    RetryAfter(u16, u32),
    /// 200, but so late, in milliseconds.
    Slow(u64),
    Redirect,
    /// The connection ends instead.
    Drop,
    /// 200 with more bytes than anybody should read.
    Huge,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub id: String,
    pub timestamp: i64,
    pub signature: String,
    pub content_type: String,
    pub text: String,
}

impl Seen {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn kind(&self) -> String {
        self.body()["type"].as_str().unwrap().to_owned()
    }

    /// Whether a signature was made with this secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        assert!((24..=64).contains(&key.len()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let content = format!("{}.{}.{}", self.id, self.timestamp, self.text);
        self.signature.split(' ').any(|signature| {
            let (version, tag) = signature.split_once(',').unwrap();
            assert_eq!(version, "v1");
            hmac::verify(&key, content.as_bytes(), &BASE64.decode(tag).unwrap()).is_ok()
        })
    }
}

#[derive(Default)]
struct State {
    script: Mutex<VecDeque<Act>>,
    otherwise: Mutex<Option<Act>>,
    seen: Mutex<Vec<Seen>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

#[derive(Clone)]
pub struct Receiver {
    state: Arc<State>,
    pub url: String,
}

impl Receiver {
    /// Answers 200 until told otherwise.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/hooks?token=secret",
            listener.local_addr().unwrap()
        );
        let state = Arc::new(State::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { state, url }
    }

    /// The next requests are answered so.
    pub fn script(&self, acts: &[Act]) {
        self.state.script.lock().unwrap().extend(acts);
    }

    /// All further requests are answered so.
    pub fn always(&self, act: Act) {
        *self.state.otherwise.lock().unwrap() = Some(act);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    pub fn ids(&self) -> BTreeSet<String> {
        self.seen().into_iter().map(|seen| seen.id).collect()
    }

    /// The most requests at the same time so far.
    pub fn most_at_once(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    while let Some(seen) = read(&mut stream).await {
        let now = state.now.fetch_add(1, Ordering::SeqCst) + 1;
        state.most.fetch_max(now, Ordering::SeqCst);
        state.seen.lock().unwrap().push(seen);
        let scripted = state.script.lock().unwrap().pop_front();
        let act = scripted.or(*state.otherwise.lock().unwrap());
        let goes_on = answer(&mut stream, act.unwrap_or(Act::Status(200))).await;
        state.now.fetch_sub(1, Ordering::SeqCst);
        if !goes_on {
            return;
        }
    }
}

async fn answer(stream: &mut TcpStream, act: Act) -> bool {
    let text = match act {
        Act::Status(status) => format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nok"),
        Act::RetryAfter(status, seconds) => {
            format!("HTTP/1.1 {status} X\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n")
        }
        Act::Slow(millis) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            "HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n".to_owned()
        }
        Act::Redirect => {
            "HTTP/1.1 302 X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned()
        }
        Act::Drop => return false,
        Act::Huge => {
            let head = "HTTP/1.1 200 X\r\ncontent-length: 4000000000\r\n\r\n";
            let mut going = stream.write_all(head.as_bytes()).await.is_ok();
            // Until the other side has had enough.
            while going {
                going = stream.write_all(&[b'x'; 64 * 1024]).await.is_ok();
            }
            return false;
        }
    };
    stream.write_all(text.as_bytes()).await.is_ok()
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    assert!(
        head.starts_with("POST /hooks?token=secret HTTP/1.1"),
        "{head}"
    );
    let header = |name: &str| {
        let lines = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .next()
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    };
    let length: usize = header("content-length").parse().unwrap();
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        body.extend_from_slice(&chunk[..read]);
    }
    Some(Seen {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signature: header("webhook-signature"),
        content_type: header("content-type"),
        text: String::from_utf8(body).unwrap(),
    })
}
