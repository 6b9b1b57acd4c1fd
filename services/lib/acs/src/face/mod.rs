//! From HTTP to commands and back. Every request goes the same way: operation, signature, version, body, command, answer.

mod auth;
mod calls;
mod identity;
mod json;
mod link;
mod openid;
mod operation;
mod query;
mod repeat;
mod rooms;
mod version;

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, to_bytes},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode, header, request::Parts};
use serde_json::Value;

use crate::{Outcome, Port, Problem};
pub use json::Fields;
use link::paged;
pub use openid::ISSUER as CALLBACK_ISSUER;
use operation::{Operation, Target};
use query::Query;

/// Request body, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The client's own id of a request, told back to it.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// The wire face of one resource.
#[derive(Clone)]
pub struct Face {
    port: Arc<dyn Port>,
}

impl std::fmt::Debug for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Face({:?})", self.port.resource())
    }
}

/// A request that may be worked on.
struct Ask {
    target: Target,
    query: Query,
    /// The api-version, like `2025-03-13`.
    version: String,
    parts: Parts,
    body: Bytes,
    /// What links in answers begin with.
    origin: String,
}

/// What a handler answers.
struct Reply {
    status: StatusCode,
    body: Option<Value>,
    /// Whether a repeated request would be answered the same.
    repeatable: bool,
}

impl Reply {
    fn of(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            body: Some(body),
            repeatable: false,
        }
    }

    fn empty() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
            repeatable: false,
        }
    }
}

impl Face {
    /// In front of a port.
    pub fn new(port: Arc<dyn Port>) -> Self {
        Self { port }
    }

    /// Answers a request. `origin` is what links in answers begin with: scheme and host as the client knows them, without a slash at the end.
    pub async fn answer(&self, request: Request<Body>, origin: &str) -> Response<Body> {
        let client_id = request.headers().get(CLIENT_REQUEST_ID).cloned();
        let mut response = match self.reply(request, origin).await {
            Ok(reply) => {
                let mut response = match reply.body {
                    Some(body) => (reply.status, Json(body)).into_response(),
                    None => reply.status.into_response(),
                };
                if reply.repeatable {
                    let accepted = HeaderValue::from_static("accepted");
                    response.headers_mut().insert(repeat::RESULT, accepted);
                }
                response
            }
            Err(problem) => problem.answer(),
        };
        let headers = response.headers_mut();
        headers.extend(client_id.map(|id| (CLIENT_REQUEST_ID, id)));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    async fn reply(&self, request: Request<Body>, origin: &str) -> Result<Reply, Problem> {
        let (parts, body) = request.into_parts();
        let target = Target::of(&parts.method, parts.uri.path())?;
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
            let text = format!("The body has more than {BODY_BYTES_MAX} bytes, or broke off.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", text)
        })?;
        if !target.operation.is_open() {
            auth::check(self.port.as_ref(), target.operation, &parts, &body)?;
        }
        let query = Query::of(parts.uri.query().unwrap_or_default());
        let version = version::of(target.operation, &query)?;
        let ask = Ask {
            target,
            query,
            version,
            parts,
            body,
            origin: origin.to_owned(),
        };
        self.handle(&ask).await
    }

    async fn handle(&self, ask: &Ask) -> Result<Reply, Problem> {
        let port = self.port.as_ref();
        match ask.target.operation {
            Operation::CreateIdentity => identity::create(port, ask).await,
            Operation::IssueToken => identity::issue(port, ask).await,
            Operation::RevokeTokens => identity::revoke(port, ask).await,
            Operation::DeleteIdentity => identity::delete(port, ask).await,
            Operation::ExchangeToken => identity::exchange(port, ask),
            Operation::CreateRoom => rooms::create(port, ask).await,
            Operation::ListRooms => rooms::list(port, ask).await,
            Operation::ReadRoom => rooms::read(port, ask).await,
            Operation::UpdateRoom => rooms::update(port, ask).await,
            Operation::DeleteRoom => rooms::delete(port, ask).await,
            Operation::ListParticipants => rooms::participants(port, ask).await,
            Operation::UpdateParticipants => rooms::update_participants(port, ask).await,
            Operation::OpenIdConfiguration => Ok(openid::configuration(ask)),
            Operation::Keys => Ok(openid::keys(port)),
            Operation::Calls(action) => calls::handle(port, ask, action).await,
        }
    }
}

impl Ask {
    /// The body's members; an empty body has none.
    fn fields(&self) -> Result<Fields, Problem> {
        Fields::read(&self.body)
    }

    /// A variable segment of the path.
    fn id(&self) -> String {
        self.target.id.clone()
    }
}

/// An outcome of another kind than the command's: a fault of whoever mounts the face.
fn unexpected(outcome: &Outcome) -> Problem {
    tracing::error!(?outcome, "a command was answered with another's outcome");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(
        status,
        "InternalServerError",
        "Something went wrong here; try again.",
    )
}
