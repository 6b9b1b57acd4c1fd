//! A channel to a role in the same process: an in-memory pipe, so that deadlines, metadata and statuses are those of a network.

use hyper_util::rt::TokioIo;
use tokio::{
    io::{DuplexStream, duplex},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Endpoint, Uri};
use tower::service_fn;

use crate::Channel;

/// Bytes in flight in each direction.
const PIPE_BYTES: usize = 256 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: usize = 16;

/// Connections that a role accepts from its own process.
pub type Incoming = ReceiverStream<std::io::Result<DuplexStream>>;

/// A channel and the connections that arrive at its other end. Nothing connects before the first call.
pub fn pipe() -> (Channel, Incoming) {
    let (connect, accept) = mpsc::channel(BACKLOG);
    let channel = Endpoint::from_static("http://local.convene").connect_with_connector_lazy(
        service_fn(move |_: Uri| {
            let connect = connect.clone();
            async move {
                let (ours, theirs) = duplex(PIPE_BYTES);
                connect
                    .send(Ok(theirs))
                    .await
                    .map_err(|_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused))?;
                Ok::<_, std::io::Error>(TokioIo::new(ours))
            }
        }),
    );
    (channel.into(), ReceiverStream::new(accept))
}
