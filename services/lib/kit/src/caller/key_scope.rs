//! What an API key can be narrowed to, less than its role may: a closed list.

use serde::{Deserialize, Serialize};

/// One thing that a narrowed key may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyScope {
    /// See bookings with their meetings, lobbies, visits, recordings and trails. Whoever acts on bookings may do so too.
    BookingsRead,
    /// Book, cancel, end meetings.
    BookingsWrite,
    /// Hand out tickets, admit, deny, get the host's own join details.
    Lobby,
    /// Start, pause, resume and stop recordings, read artefacts and consents, decide about being recorded.
    Recording,
    /// Set up services, hosts, keys and the clock.
    Admin,
}

impl KeyScope {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::BookingsRead,
        Self::BookingsWrite,
        Self::Lobby,
        Self::Recording,
        Self::Admin,
    ];

    /// Its name in APIs and databases.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BookingsRead => "BOOKINGS_READ",
            Self::BookingsWrite => "BOOKINGS_WRITE",
            Self::Lobby => "LOBBY",
            Self::Recording => "RECORDING",
            Self::Admin => "ADMIN",
        }
    }

    /// The scope of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyScopes(u8);

impl KeyScopes {
    /// Whether the set says so, or says something that includes it.
    pub const fn allow(self, scope: KeyScope) -> bool {
        let also = match scope {
            KeyScope::BookingsRead => {
                KeyScope::BookingsWrite.bit() | KeyScope::Lobby.bit() | KeyScope::Recording.bit()
            }
            _ => 0,
        };
        self.0 & (scope.bit() | also) != 0
    }

    /// Those of `self` that `other` does not allow.
    pub fn beyond(self, other: Self) -> Self {
        self.iter().filter(|scope| !other.allow(*scope)).collect()
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members.
    pub fn iter(self) -> impl Iterator<Item = KeyScope> {
        KeyScope::ALL
            .into_iter()
            .filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromIterator<KeyScope> for KeyScopes {
    fn from_iter<T: IntoIterator<Item = KeyScope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acting_includes_seeing_and_nothing_else() {
        for one in KeyScope::ALL {
            assert_eq!(KeyScope::of_name(one.name()), Some(one));
            let set: KeyScopes = [one].into_iter().collect();
            for other in KeyScope::ALL {
                let acts = one != KeyScope::Admin && other == KeyScope::BookingsRead;
                assert_eq!(set.allow(other), one == other || acts, "{one:?} {other:?}");
            }
        }
        assert_eq!(KeyScope::of_name("ROOT"), None);
        assert!(!KeyScopes::default().allow(KeyScope::BookingsRead));
    }

    #[test]
    fn what_goes_beyond_is_named() {
        let own: KeyScopes = [KeyScope::Lobby].into_iter().collect();
        let wanted: KeyScopes = [KeyScope::BookingsRead, KeyScope::Admin]
            .into_iter()
            .collect();
        let beyond: Vec<_> = wanted.beyond(own).iter().collect();
        assert_eq!(beyond, [KeyScope::Admin]);
    }
}
