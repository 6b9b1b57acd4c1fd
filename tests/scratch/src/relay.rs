//! A way between two processes that a test breaks: everything passes through here, or does not.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::AbortHandle,
};

/// Bytes that are passed on at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// What passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Everything.
    Open,
    /// Nothing, and nobody is told: connections stay and are silent, as in a partition. What was on its way arrives when it is over.
    Silent,
    /// What is asked; what is answered is lost for good, and the connection with it.
    Unanswered,
    /// Connections end, and new ones too.
    Closed,
}

/// A relay to one address. It ends when it is dropped, and all that passes through it.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    way: watch::Sender<Way>,
    accepting: AbortHandle,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Relay {
    /// Listens on a free port of loopback and passes everything on to `target` (`host:port`).
    pub async fn to(target: impl Into<String>) -> Self {
        let target = target.into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = watch::Sender::new(Way::Open);
        let seen = way.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, target.clone(), seen.clone()));
            }
        });
        Self {
            address,
            way,
            accepting: accepting.abort_handle(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this passes.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// One connection, until either side or the relay ends it.
async fn pass(near: TcpStream, target: String, mut way: watch::Receiver<Way>) {
    // In a partition nobody is reached; who is refused is refused at once.
    let Ok(now) = way
        .wait_for(|way| *way != Way::Silent)
        .await
        .map(|now| *now)
    else {
        return;
    };
    if now == Way::Closed {
        return;
    }
    let Ok(far) = TcpStream::connect(&target).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(from_near, to_far, way.clone(), false) => {}
        () = pump(from_far, to_near, way, true) => {}
    }
}

/// One direction; `answers` says that it is the one of the answers.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
    answers: bool,
) {
    let mut bytes = vec![0; CHUNK_BYTES];
    let mut lost = false;
    loop {
        let read = tokio::select! {
            biased;
            changed = way.changed() => {
                let now = *way.borrow_and_update();
                // After a gap nothing that follows makes sense.
                if changed.is_err() || now == Way::Closed || (lost && now != Way::Unanswered) {
                    return;
                }
                continue;
            }
            read = from.read(&mut bytes) => read.unwrap_or(0),
        };
        let Ok(now) = way
            .wait_for(|way| *way != Way::Silent)
            .await
            .map(|now| *now)
        else {
            return;
        };
        if read == 0 || now == Way::Closed || (lost && now != Way::Unanswered) {
            return;
        }
        if answers && now == Way::Unanswered {
            lost = true;
        } else if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Short enough to wait for what does not come.
    const SHORT: Duration = Duration::from_millis(100);
    const LONG: Duration = Duration::from_secs(10);

    /// Answers every byte with itself, and says how many came.
    async fn echo() -> (String, watch::Receiver<usize>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (came, count) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let came = came.clone();
                tokio::spawn(async move {
                    let mut byte = [0];
                    while stream.read_exact(&mut byte).await.is_ok() {
                        came.send_modify(|came| *came += 1);
                        let _ = stream.write_all(&byte).await;
                    }
                });
            }
        });
        (address, count)
    }

    async fn says(stream: &mut TcpStream, byte: u8) -> Option<u8> {
        stream.write_all(&[byte]).await.ok()?;
        hears(stream, LONG).await
    }

    async fn hears(stream: &mut TcpStream, patience: Duration) -> Option<u8> {
        timeout(patience, stream.read_u8()).await.ok()?.ok()
    }

    #[tokio::test]
    async fn what_is_held_up_arrives_and_what_is_lost_never_does() {
        let (address, mut came) = echo().await;
        let relay = Relay::to(address).await;
        let mut one = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(says(&mut one, 1).await, Some(1));

        relay.set(Way::Silent);
        one.write_all(&[2]).await.unwrap();
        assert_eq!(hears(&mut one, SHORT).await, None);
        assert_eq!(*came.borrow(), 1);
        relay.set(Way::Open);
        assert_eq!(hears(&mut one, LONG).await, Some(2));

        relay.set(Way::Unanswered);
        one.write_all(&[3]).await.unwrap();
        came.wait_for(|came| *came == 3).await.unwrap();
        assert_eq!(hears(&mut one, SHORT).await, None);
        relay.set(Way::Open);
        assert_eq!(says(&mut one, 4).await, None, "the connection is gone");

        let mut two = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(says(&mut two, 5).await, Some(5));
        relay.set(Way::Closed);
        assert_eq!(says(&mut two, 6).await, None);
        let mut three = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(says(&mut three, 7).await, None);
        relay.set(Way::Open);
        let mut four = TcpStream::connect(relay.address()).await.unwrap();
        assert_eq!(says(&mut four, 8).await, Some(8));
    }
}
