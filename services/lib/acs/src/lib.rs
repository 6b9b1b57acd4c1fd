//! Azure Communication Services on the wire, for the official server SDKs, over a small port: whoever mounts it says whose resource it is, what time
//! it is, and keeps the state. What comes in is read and refused here, what it means is decided here by pure functions, so that both mountings
//! answer the same.

mod calls;
mod face;
mod identity;
mod jwt;
mod page;
mod port;
mod problem;
mod raw_id;
mod resource;
mod room;
mod state;
mod time;

pub use calls::{
    Adding, CALLS_MAX, CallCommand, Callback, Calls, Choice, Fact, Fetch, GridEvent, Listening,
    MediaCommand, NewCall, Parties, Prompt, Reach, Recognition, Simulated, Told, Tone, Wanted,
};
pub use face::{CALLBACK_ISSUER, Face};
pub use identity::{Identity, Scope, TokenWish};
pub use jwt::{BadKey, Signer};
pub use page::{PAGE_MAX, Page};
pub use port::{BadToken, Command, Once, Outcome, Port, TeamsUser};
pub use problem::Problem;
pub use raw_id::RawId;
pub use resource::{Keys, Resource};
pub use room::{NewRoom, PARTICIPANTS_MAX, Role, RoleChanges, Room, RoomChange};
pub use state::{Moment, State};
