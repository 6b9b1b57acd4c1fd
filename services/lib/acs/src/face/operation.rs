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
    Calls,
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
            Self::OpenIdConfiguration | Self::Keys | Self::Calls => Area::Calls,
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
        let (id, methods, allow) = known(&segments).ok_or_else(|| {
            let text = "There is no such resource. Identities are under /identities and /teamsUser, rooms under /rooms, calls under /calling.";
            Problem::not_found("NotFound", text)
        })?;
        let found = methods.iter().find(|(one, _)| one == method);
        let (_, operation) = found.ok_or_else(|| {
            let text = format!("{method} is not allowed here; {allow} is.");
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", text)
                .with(Hint::Allow(allow))
        })?;
        Ok(Self {
            operation: *operation,
            id: id.to_owned(),
        })
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
        ["calling", first, ..]
            if first.starts_with("callConnections") || first.starts_with("recordings") =>
        {
            (
                "",
                &[(GET, O::Calls), (POST, O::Calls), (DELETE, O::Calls)],
                "GET, POST, DELETE",
            )
        }
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
