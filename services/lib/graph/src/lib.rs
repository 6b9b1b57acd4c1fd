//! A typed client for the Microsoft Graph-shaped HTTP API.
//!
//! It never retries by itself: whoever calls keeps the work in a durable queue and repeats it there. What the client does is tell apart *nothing
//! happened*, *it was refused* and *nobody knows* ([`GraphError`]), because only the caller can look up before it repeats.

mod calls;
mod claims;
mod config;
mod context;
mod error;
mod events;
mod looks;
mod online_meetings;
mod problem;
mod recordings;
mod token;
mod transport;
mod types;

pub use claims::Claims;
pub use config::GraphConfig;
pub use context::RequestContext;
pub use error::GraphError;
pub use looks::{Heard, Look};
pub use recordings::Content;
pub use transport::{Exchange, Graph};
pub use types::{
    Call, CallRecording, CallState, Event, EventChange, JoinById, JoinCall, LobbyBypassSettings,
    MeetingOptions, NewEvent, NewMeeting, OnlineMeeting, Operation, OperationStatus,
};

/// Result with [`GraphError`].
pub type Result<T, E = GraphError> = std::result::Result<T, E>;
