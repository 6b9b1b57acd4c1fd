//! Raw ids: who somebody is, as one text.

/// What a raw id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawId {
    /// `8:acs:{resource}_{user}`, or `8:spool:…`: a communication user.
    User {
        /// The resource that the user belongs to; unknown in old ids.
        resource: Option<String>,
    },
    /// `8:acs:{resource}_{tenant}_{user}`: a Teams user that a resource acts for.
    TeamsExtension,
    /// `8:orgid:…`, `8:gcch:…`, `8:dod:…`, `8:teamsvisitor:…`.
    TeamsUser,
    /// `28:orgid:…` and its clouds.
    TeamsApp,
    /// `4:+14255550100`.
    Phone(String),
    /// Anything else, like the echo bot `8:echo123`.
    Unknown,
}

impl RawId {
    /// Reads a raw id; whatever it is, it is somebody.
    pub fn of(text: &str) -> Self {
        if let Some(rest) = text.strip_prefix("8:acs:") {
            let parts: Vec<&str> = rest.split('_').collect();
            return match parts.as_slice() {
                [resource, user] if !resource.is_empty() && !user.is_empty() => Self::User {
                    resource: Some((*resource).to_owned()),
                },
                [_, _, _] => Self::TeamsExtension,
                _ => Self::Unknown,
            };
        }
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix));
        if begins(&["8:spool:"]) {
            Self::User { resource: None }
        } else if begins(&["8:orgid:", "8:gcch:", "8:dod:", "8:teamsvisitor:"]) {
            Self::TeamsUser
        } else if begins(&["28:orgid:", "28:gcch:", "28:dod:"]) {
            Self::TeamsApp
        } else if let Some(number) = text.strip_prefix("4:") {
            Self::Phone(number.to_owned())
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_ids_say_who_it_is() {
        let resource = |name: &str| RawId::User {
            resource: Some(name.to_owned()),
        };
        assert_eq!(RawId::of("8:acs:r_u"), resource("r"));
        assert_eq!(RawId::of("8:acs:r_t_u"), RawId::TeamsExtension);
        assert_eq!(RawId::of("8:spool:x"), RawId::User { resource: None });
        assert_eq!(RawId::of("8:teamsvisitor:x"), RawId::TeamsUser);
        assert_eq!(RawId::of("28:orgid:x"), RawId::TeamsApp);
        assert_eq!(RawId::of("4:+1"), RawId::Phone("+1".to_owned()));
        for unknown in ["", "8:echo123", "8:acs:", "8:acs:r", "8:acs:_u", "28:x"] {
            assert_eq!(RawId::of(unknown), RawId::Unknown, "{unknown}");
        }
    }
}
