//! For whom a permit, a consent or join details are.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{HostId, MalformedId, VisitId};

/// One person at the door of a meeting. Written `visit:<uuid>` or `host:<uuid>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Audience {
    /// A guest, by the guest's visit.
    Visit(VisitId),
    /// The host of the meeting.
    Host(HostId),
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visit(id) => write!(f, "visit:{id}"),
            Self::Host(id) => write!(f, "host:{id}"),
        }
    }
}

impl FromStr for Audience {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        match text.split_once(':') {
            Some(("visit", id)) => id.parse().map(Self::Visit),
            Some(("host", id)) => id.parse().map(Self::Host),
            _ => Err(MalformedId),
        }
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.to_string()
    }
}

impl TryFrom<String> for Audience {
    type Error = MalformedId;

    fn try_from(text: String) -> Result<Self, MalformedId> {
        text.parse()
    }
}
