use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::BoxFuture;

fn reason(text: &str, loopback: bool) -> String {
    match check("url", text, loopback) {
        Ok(_) => String::new(),
        Err(error) => {
            assert_eq!(error.field.as_deref(), Some("url"));
            error.reason.into_owned()
        }
    }
}

#[test]
fn urls_are_judged_by_what_they_say() {
    for (text, refused) in [
        ("https://example.com/hooks?token=a", ""),
        ("https://example.com:8443/", ""),
        ("https://[2a00:1450::1]/", ""),
        ("example.com", "MALFORMED_URL"),
        ("https://", "MALFORMED_URL"),
        ("https://example.com/#part", "MALFORMED_URL"),
        ("http://example.com/", "URL_NOT_HTTPS"),
        ("http://127.0.0.1:9000/", "URL_NOT_HTTPS"),
        ("ftp://example.com/", "URL_NOT_HTTPS"),
        ("file:///etc/passwd", "MALFORMED_URL"),
        ("https://user@example.com/", "URL_WITH_CREDENTIALS"),
        ("https://:word@example.com/", "URL_WITH_CREDENTIALS"),
        ("https://example.com:22/", "PORT_REFUSED"),
        ("https://example.com:80/", "PORT_REFUSED"),
        ("https://127.0.0.1/", "ADDRESS_REFUSED"),
        ("https://localhost/", "ADDRESS_REFUSED"),
        ("https://LOCALHOST./", "ADDRESS_REFUSED"),
        ("https://a.localhost/", "ADDRESS_REFUSED"),
        ("https://[::1]/", "ADDRESS_REFUSED"),
        ("https://[::ffff:127.0.0.1]/", "ADDRESS_REFUSED"),
        (
            "https://169.254.169.254/latest/meta-data",
            "ADDRESS_REFUSED",
        ),
        // The same addresses as browsers also read them.
        ("https://2130706433/", "ADDRESS_REFUSED"),
        ("https://0x7f.1/", "ADDRESS_REFUSED"),
        ("https://0177.0.0.1/", "ADDRESS_REFUSED"),
        ("https://127.1/", "ADDRESS_REFUSED"),
        ("https://１２７.0.0.1/", "ADDRESS_REFUSED"),
    ] {
        assert_eq!(reason(text, false), refused, "{text}");
    }
    let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
    assert_eq!(reason(&long, false), "TOO_LONG");
}

#[test]
fn development_reaches_this_machine_and_nothing_else_inside() {
    for (text, refused) in [
        ("http://127.0.0.1:9000/", ""),
        ("http://localhost:9000/", ""),
        ("https://[::1]:9000/", ""),
        ("http://127.0.0.1/", "PORT_REFUSED"),
        ("http://example.com/", "URL_NOT_HTTPS"),
        ("http://10.0.0.1:9000/", "URL_NOT_HTTPS"),
        ("https://10.0.0.1/", "ADDRESS_REFUSED"),
        ("https://[fd00:ec2::254]/", "ADDRESS_REFUSED"),
    ] {
        assert_eq!(reason(text, true), refused, "{text}");
    }
}

/// Answers another address each time it is asked.
struct Rebinding {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Lookup for Rebinding {
    fn lookup(&self, _name: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let place = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers[place.min(self.answers.len() - 1)].clone();
        Box::pin(async move { Ok(answer) })
    }
}

fn outbound(answers: &[&[&str]], loopback: bool) -> (Outbound, Arc<Rebinding>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let lookup = Arc::new(Rebinding {
        answers: answers.iter().map(addresses).collect(),
        asked: AtomicUsize::new(0),
    });
    let settings = Settings {
        connect_ms: 500,
        answer_ms: 1_000,
        lookup: lookup.clone(),
        ..Settings::new(loopback)
    };
    (Outbound::new(settings, Clock::default()).unwrap(), lookup)
}

async fn post(outbound: &Outbound, url: &str) -> std::result::Result<Answer, Failure> {
    outbound
        .post(url, HeaderMap::new(), Bytes::from_static(b"{}"))
        .await
}

/// A server on this machine that counts who comes and answers each with `answer`.
async fn server(answer: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let visitors = Arc::new(AtomicUsize::new(0));
    let counted = visitors.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    (port, visitors)
}

#[tokio::test]
async fn a_name_that_resolves_inside_is_never_connected_to() {
    let (port, visitors) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let url = format!("https://rebind.example:{port}/");
    for inside in [
        &["127.0.0.1"][..],
        &["10.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        // A public address beside an inner one.
        &["192.0.43.10", "127.0.0.1"],
    ] {
        let (outbound, lookup) = outbound(&[inside], false);
        assert_eq!(
            post(&outbound, &url).await,
            Err(Failure::AddressRefused),
            "{inside:?}"
        );
        assert_eq!(lookup.asked.load(Ordering::SeqCst), 1);
    }
    assert_eq!(visitors.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let (port, visitors) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    // Checked as harmless (nobody listens there), then pointed at the server: one look-up must serve both.
    let (outbound, lookup) = outbound(&[&["127.0.0.9"], &["127.0.0.1"]], true);
    let url = format!("http://rebind.localhost:{port}/");
    assert_eq!(post(&outbound, &url).await, Err(Failure::Unreachable));
    assert_eq!(lookup.asked.load(Ordering::SeqCst), 1);
    assert_eq!(visitors.load(Ordering::SeqCst), 0);
    assert_eq!(post(&outbound, &url).await.unwrap().status, 200);
}

#[tokio::test]
async fn answers_are_bounded_and_redirects_stay_unfollowed() {
    let (inner, visitors) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let redirect = format!(
        "HTTP/1.1 307 Away\r\nlocation: http://127.0.0.1:{inner}/\r\ncontent-length: 0\r\n\r\n"
    );
    let (outer, _) = server(Box::leak(redirect.into_boxed_str())).await;
    let (outbound, _) = outbound(&[&["127.0.0.1"]], true);
    let answer = post(&outbound, &format!("http://127.0.0.1:{outer}/")).await;
    assert_eq!(answer.unwrap().status, 307);
    assert_eq!(visitors.load(Ordering::SeqCst), 0);

    let (busy, _) =
        server("HTTP/1.1 429 Later\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n").await;
    let answer = post(&outbound, &format!("http://127.0.0.1:{busy}/"))
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.retry_after),
        (429, Some(Duration::from_secs(7)))
    );

    let (gone, _) = server("").await;
    let lost = post(&outbound, &format!("http://127.0.0.1:{gone}/")).await;
    assert_eq!(lost, Err(Failure::ConnectionLost));
    // Inside is inside, also where the URL itself says so.
    let inside = post(&outbound, "https://10.0.0.1/").await;
    assert_eq!(inside, Err(Failure::AddressRefused));
}
