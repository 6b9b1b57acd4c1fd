//! The shapes of the wire, as far as they are used. Unknown members are tolerated: Graph adds some every month.

mod call;
mod event;
mod meeting;

pub use call::{Call, CallRecording, CallState, JoinById, JoinCall, Operation, OperationStatus};
pub use event::{Event, EventChange, NewEvent};
pub use meeting::{LobbyBypassSettings, MeetingOptions, NewMeeting, OnlineMeeting};
