//! What the face needs of whoever mounts it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    CallCommand, NewRoom, Page, Problem, Resource, Role, RoleChanges, Room, RoomChange, TokenWish,
};

/// The other side of the face: a simulator's world, or a service with a database.
#[async_trait]
pub trait Port: Send + Sync + 'static {
    /// The resource that is served.
    fn resource(&self) -> &Resource;

    /// Business time, in milliseconds: what tokens, rooms and calls are dated by.
    fn now_ms(&self) -> i64;

    /// Time that nobody moves, in milliseconds: what request signatures are judged by, because the wall clock of who signs does not move either.
    fn wall_ms(&self) -> i64;

    /// Whether an Entra access token opens this resource.
    fn entra(&self, token: &str) -> Result<(), BadToken>;

    /// Whom the Entra token of a Teams user is for.
    fn teams_user(&self, token: &str) -> Result<TeamsUser, BadToken>;

    /// Runs a command, under its key only once: whoever repeats gets the first outcome. All that it changed is kept when this returns.
    async fn run(&self, command: Command, once: Option<Once>) -> Result<Outcome, Problem>;
}

/// Why a token does not do: a sentence with the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadToken(pub &'static str);

/// What the token of a Teams user says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsUser {
    /// The application that it was issued to (`appid`).
    pub app: String,
    /// The user (`oid`).
    pub user: String,
    /// Its end, in milliseconds.
    pub expires_ms: i64,
}

/// The key of a request that has an effect once (OASIS Repeatable Requests 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The client's id of the request, any text.
    pub id: String,
    /// Digest of what is asked: the same id with another request is refused.
    pub digest: String,
}

/// All that the face asks to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A new user, with a token when one is wished for.
    CreateIdentity(Option<TokenWish>),
    /// A token for a user.
    IssueToken(String, TokenWish),
    /// All tokens of a user are void.
    RevokeTokens(String),
    /// The user is gone, and their tokens with them.
    DeleteIdentity(String),
    /// A new room.
    CreateRoom(NewRoom),
    /// One room.
    ReadRoom(String),
    /// Rooms behind an id.
    ListRooms {
        /// Where the page begins.
        after: Option<String>,
    },
    /// Times and dial-out.
    UpdateRoom(String, RoomChange),
    /// The room is gone.
    DeleteRoom(String),
    /// Who is invited, behind a raw id.
    ListParticipants {
        /// The room.
        room: String,
        /// Where the page begins.
        after: Option<String>,
    },
    /// Invites, changes roles, removes.
    UpdateParticipants(String, RoleChanges),
    /// About calls.
    Call(CallCommand),
}

impl Command {
    /// Whether nothing changes by it.
    pub fn is_read(&self) -> bool {
        matches!(
            self,
            Self::ReadRoom(_) | Self::ListRooms { .. } | Self::ListParticipants { .. }
        )
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The user, and the end of the token in milliseconds when there is one.
    Identity {
        /// Raw id.
        id: String,
        /// In milliseconds.
        expires_ms: Option<i64>,
    },
    /// A room.
    Room(Room),
    /// Rooms.
    Rooms(Page<Room>),
    /// Raw ids and roles.
    Participants(Page<(String, Role)>),
    /// What Call Automation answers, as it is on the wire; null for nothing.
    Answer(Value),
    /// Nothing more to say.
    Done,
}
