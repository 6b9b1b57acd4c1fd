//! Raw ids: who somebody is, as one text, and the objects that say the same.

use serde_json::{Value, json};

use crate::{Problem, face::Fields};

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

/// The object of a raw id.
pub fn identifier(raw_id: &str) -> Value {
    let id = |prefix: &str| raw_id.strip_prefix(prefix).unwrap_or(raw_id);
    match RawId::of(raw_id) {
        RawId::User { .. } => json!({
            "kind": "communicationUser", "rawId": raw_id, "communicationUser": {"id": raw_id},
        }),
        RawId::Phone(number) => json!({
            "kind": "phoneNumber", "rawId": raw_id, "phoneNumber": {"value": number},
        }),
        RawId::TeamsUser => {
            let parts = [
                ("8:orgid:", "public"),
                ("8:gcch:", "gcch"),
                ("8:dod:", "dod"),
            ];
            let mut known = parts
                .iter()
                .filter(|(prefix, _)| raw_id.starts_with(prefix));
            let (user, anonymous, cloud) = match known.next() {
                Some((prefix, cloud)) => (id(prefix), false, *cloud),
                None => (id("8:teamsvisitor:"), true, "public"),
            };
            json!({
                "kind": "microsoftTeamsUser",
                "rawId": raw_id,
                "microsoftTeamsUser": {"userId": user, "isAnonymous": anonymous, "cloud": cloud},
            })
        }
        RawId::TeamsApp | RawId::TeamsExtension | RawId::Unknown => {
            json!({"kind": "unknown", "rawId": raw_id})
        }
    }
}

/// Who an object names: by the member that is there, because clients leave `kind` out, else by the raw id.
pub fn read(object: &Fields) -> Result<String, Problem> {
    if let Some(user) = object.object("communicationUser")? {
        return user.required_text("id");
    }
    if let Some(phone) = object.object("phoneNumber")? {
        let number = phone.required_text("value")?;
        let digits = number.strip_prefix('+').unwrap_or_default();
        let good =
            (2..=15).contains(&digits.len()) && digits.bytes().all(|one| one.is_ascii_digit());
        return match good {
            true => Ok(format!("4:{number}")),
            false => Err(Problem::bad(
                "phoneNumber.value",
                "A phone number is written in E.164, for example +14255550100.",
            )),
        };
    }
    if let Some(user) = object.object("microsoftTeamsUser")? {
        let id = user.required_text("userId")?;
        let prefix = match (user.boolean("isAnonymous")?, user.text("cloud")?.as_deref()) {
            (Some(true), _) => "8:teamsvisitor:",
            (_, Some("gcch")) => "8:gcch:",
            (_, Some("dod")) => "8:dod:",
            _ => "8:orgid:",
        };
        return Ok(format!("{prefix}{id}"));
    }
    if let Some(app) = object.object("microsoftTeamsApp")? {
        let id = app.required_text("appId")?;
        let prefix = match app.text("cloud")?.as_deref() {
            Some("gcch") => "28:gcch:",
            Some("dod") => "28:dod:",
            _ => "28:orgid:",
        };
        return Ok(format!("{prefix}{id}"));
    }
    object.required_text("rawId")
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
