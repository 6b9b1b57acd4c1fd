//! Which operation a method and path name. Written by hand because colons divide segments here as slashes do.

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::{Problem, problem::Hint};

/// All operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    CreateIdentity,
    IssueToken,
    RevokeTokens,
    DeleteIdentity,
    ExchangeToken,
    CreateRoom,
    ListRooms,
    ReadRoom,
    UpdateRoom,
    DeleteRoom,
    ListParticipants,
    UpdateParticipants,
    OpenIdConfiguration,
    Keys,
    /// Call Automation.
    Calls(CallAction),
}

/// What is done with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallAction {
    Create,
    Answer,
    Redirect,
    Reject,
    Read,
    HangUp,
    Terminate,
    Connect,
    Transfer,
    Participants,
    Participant,
    Add,
    CancelAdd,
    Remove,
    Mute,
    Hold,
    Unhold,
    Play,
    Recognize,
    CancelMedia,
    SendTones,
    StartContinuous,
    StopContinuous,
    /// Known, and not simulated.
    NotThere,
}

impl CallAction {
    /// Whether clients send a repeatability id with it.
    pub fn is_repeatable(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Answer
                | Self::Redirect
                | Self::Reject
                | Self::Terminate
                | Self::Connect
                | Self::Transfer
                | Self::Add
                | Self::CancelAdd
                | Self::Remove
                | Self::Mute
                | Self::SendTones
        )
    }

    /// By what stands behind the colon: of the collection, of a call, of its participants.
    fn of_collection(verb: &str) -> Option<Self> {
        Some(match verb {
            "answer" => Self::Answer,
            "redirect" => Self::Redirect,
            "reject" => Self::Reject,
            "connect" => Self::Connect,
            _ => return None,
        })
    }

    fn of_call(verb: &str) -> Option<Self> {
        Some(match verb {
            "terminate" => Self::Terminate,
            "play" => Self::Play,
            "recognize" => Self::Recognize,
            "cancelAllMediaOperations" => Self::CancelMedia,
            "sendDtmfTones" => Self::SendTones,
            "startContinuousDtmfRecognition" => Self::StartContinuous,
            "stopContinuousDtmfRecognition" => Self::StopContinuous,
            "hold" => Self::Hold,
            "unhold" => Self::Unhold,
            "transferToParticipant" => Self::Transfer,
            "startMediaStreaming"
            | "stopMediaStreaming"
            | "startTranscription"
            | "stopTranscription"
            | "updateTranscription" => Self::NotThere,
            _ => return None,
        })
    }

    fn of_participants(verb: &str) -> Option<Self> {
        Some(match verb {
            "add" => Self::Add,
            "cancelAddParticipant" => Self::CancelAdd,
            "remove" => Self::Remove,
            "mute" => Self::Mute,
            "moveHere" => Self::NotThere,
            _ => return None,
        })
    }
}

/// Parts of the service, each with versions and codes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    Identity,
    Rooms,
    Calls,
}

impl Operation {
    pub fn area(self) -> Area {
        match self {
            Self::CreateIdentity
            | Self::IssueToken
            | Self::RevokeTokens
            | Self::DeleteIdentity
            | Self::ExchangeToken => Area::Identity,
            Self::CreateRoom
            | Self::ListRooms
            | Self::ReadRoom
            | Self::UpdateRoom
            | Self::DeleteRoom
            | Self::ListParticipants
            | Self::UpdateParticipants => Area::Rooms,
            Self::OpenIdConfiguration | Self::Keys | Self::Calls(_) => Area::Calls,
        }
    }

    /// Whether anybody may ask, without signature and version: what verifiers of callbacks read.
    pub fn is_open(self) -> bool {
        matches!(self, Self::OpenIdConfiguration | Self::Keys)
    }
}

/// An operation and whom it is about.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    pub operation: Operation,
    /// The variable segment, decoded; empty when there is none.
    pub id: String,
    /// A second one.
    pub detail: String,
}

type Methods = &'static [(Method, Operation)];

impl Target {
    pub fn of(method: &Method, path: &str) -> Result<Self, Problem> {
        let decoded: Result<Vec<_>, _> = path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8())
            .collect();
        let Ok(decoded) = decoded else {
            let text = "The path is not UTF-8 where it is decoded.";
            return Err(Problem::bad("path", text));
        };
        let segments: Vec<&str> = decoded.iter().map(AsRef::as_ref).collect();
        if let ["calling", first, rest @ ..] = segments.as_slice()
            && let Some(found) = calling(first, rest)
        {
            return found.named(method);
        }
        let (id, methods, allow) = known(&segments).ok_or_else(nothing_here)?;
        let found = Found {
            id,
            detail: "",
            methods: methods.to_vec(),
            allow,
        };
        found.named(method)
    }
}

fn nothing_here() -> Problem {
    let text = "There is no such resource. Identities are under /identities and /teamsUser, rooms under /rooms, calls under /calling.";
    Problem::not_found("NotFound", text)
}

/// A path that is known, and its methods.
struct Found<'a> {
    id: &'a str,
    detail: &'a str,
    methods: Vec<(Method, Operation)>,
    allow: &'static str,
}

impl Found<'_> {
    fn named(self, method: &Method) -> Result<Target, Problem> {
        let mut found = self.methods.iter().filter(|(one, _)| one == method);
        let (_, operation) = found.next().ok_or_else(|| {
            let text = format!("{method} is not allowed here; {} is.", self.allow);
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", text)
                .with(Hint::Allow(self.allow))
        })?;
        Ok(Target {
            operation: *operation,
            id: self.id.to_owned(),
            detail: self.detail.to_owned(),
        })
    }
}

/// Calls and recordings: a verb stands behind a colon in the last segment.
fn calling<'a>(first: &'a str, rest: &[&'a str]) -> Option<Found<'a>> {
    use CallAction as A;
    let found = |id, detail, methods: &[(Method, A)], allow| {
        let methods = methods.iter();
        Some(Found {
            id,
            detail,
            methods: methods
                .map(|(method, action)| (method.clone(), Operation::Calls(*action)))
                .collect(),
            allow,
        })
    };
    let post = |id, action: A| found(id, "", &[(Method::POST, action)], "POST");
    match (first, rest) {
        ("callConnections", []) => post("", A::Create),
        ("callConnections", [one]) => match one.split_once(':') {
            Some((id, verb)) => post(id, A::of_call(verb)?),
            None => {
                let methods = [(Method::GET, A::Read), (Method::DELETE, A::HangUp)];
                found(*one, "", &methods, "GET, DELETE")
            }
        },
        ("callConnections", [id, "participants"]) => {
            found(*id, "", &[(Method::GET, A::Participants)], "GET")
        }
        ("callConnections", [id, "participants", raw_id]) => {
            found(*id, *raw_id, &[(Method::GET, A::Participant)], "GET")
        }
        ("callConnections", [id, other]) => post(
            id,
            A::of_participants(other.strip_prefix("participants:")?)?,
        ),
        (first, []) if first.starts_with("callConnections:") => post(
            "",
            A::of_collection(first.strip_prefix("callConnections:")?)?,
        ),
        ("recordings", []) => post("", A::NotThere),
        ("recordings", [one]) => {
            let methods =
                [Method::GET, Method::POST, Method::DELETE].map(|method| (method, A::NotThere));
            found(*one, "", &methods, "GET, POST, DELETE")
        }
        _ => None,
    }
}

fn known<'a>(segments: &[&'a str]) -> Option<(&'a str, Methods, &'static str)> {
    use Operation as O;
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PATCH: Method = Method::PATCH;
    const DELETE: Method = Method::DELETE;
    let known: (&str, Methods, &str) = match segments {
        ["identities"] => ("", &[(POST, O::CreateIdentity)], "POST"),
        ["identities", id, ":issueAccessToken"] => (id, &[(POST, O::IssueToken)], "POST"),
        ["identities", id, ":revokeAccessTokens"] => (id, &[(POST, O::RevokeTokens)], "POST"),
        ["identities", id] => (id, &[(DELETE, O::DeleteIdentity)], "DELETE"),
        ["teamsUser", ":exchangeAccessToken"] => ("", &[(POST, O::ExchangeToken)], "POST"),
        ["rooms"] => (
            "",
            &[(GET, O::ListRooms), (POST, O::CreateRoom)],
            "GET, POST",
        ),
        ["rooms", id] => (
            id,
            &[
                (GET, O::ReadRoom),
                (PATCH, O::UpdateRoom),
                (DELETE, O::DeleteRoom),
            ],
            "GET, PATCH, DELETE",
        ),
        ["rooms", id, "participants"] => (
            id,
            &[(GET, O::ListParticipants), (PATCH, O::UpdateParticipants)],
            "GET, PATCH",
        ),
        ["calling", ".well-known", "acsopenidconfiguration"] => {
            ("", &[(GET, O::OpenIdConfiguration)], "GET")
        }
        ["calling", "keys"] => ("", &[(GET, O::Keys)], "GET"),
        _ => return None,
    };
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_decoded_and_colons_divide() {
        let of = |method: &Method, path: &str| Target::of(method, path);
        let id = "/identities/8%3Aacs%3Ar_u";
        let target = of(&Method::POST, &format!("{id}/:issueAccessToken")).unwrap();
        assert_eq!(target.operation, Operation::IssueToken);
        assert_eq!(target.id, "8:acs:r_u");
        let target = of(&Method::DELETE, "/identities/8:acs:r_u").unwrap();
        assert_eq!(target.id, "8:acs:r_u");
        let refused = of(&Method::PUT, "/rooms/1").unwrap_err();
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.hint, Some(Hint::Allow("GET, PATCH, DELETE")));
        for path in [
            "/",
            "/identities/",
            "/rooms/1/other",
            "/rooms/1/participants/2",
            "/calling",
        ] {
            let refused = of(&Method::GET, path);
            let Err(refused) = refused else {
                assert_eq!(path, "/identities/", "an empty id is nobody's");
                continue;
            };
            assert!(refused.status.is_client_error(), "{path}");
        }
        assert_eq!(of(&Method::GET, "/rooms/%FF").unwrap_err().status, 400);
    }
}
