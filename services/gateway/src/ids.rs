//! Relay's global ids: base64 of `Type:uuid`. The tenant never comes from them.

use std::str::FromStr;

use async_graphql::ID;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use convene_domain::MalformedId;
use convene_kit::{Error, Result};
use uuid::Uuid;

/// Longest id that is looked at, in bytes.
const ID_BYTES_MAX: usize = 128;

/// What an id can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Service,
    Host,
    Schedule,
    Booking,
    Guest,
    Meeting,
    Lobby,
    Visit,
    Recording,
    ApiKey,
    WebhookEndpoint,
    WebhookDelivery,
    PluginBinding,
    PluginCall,
    WorkflowRun,
}

const KINDS: [(Kind, &str); 15] = [
    (Kind::Service, "Service"),
    (Kind::Host, "Host"),
    (Kind::Schedule, "Schedule"),
    (Kind::Booking, "Booking"),
    (Kind::Guest, "Guest"),
    (Kind::Meeting, "Meeting"),
    (Kind::Lobby, "Lobby"),
    (Kind::Visit, "Visit"),
    (Kind::Recording, "Recording"),
    (Kind::ApiKey, "ApiKey"),
    (Kind::WebhookEndpoint, "WebhookEndpoint"),
    (Kind::WebhookDelivery, "WebhookDelivery"),
    (Kind::PluginBinding, "PluginBinding"),
    (Kind::PluginCall, "PluginCall"),
    (Kind::WorkflowRun, "WorkflowRun"),
];

impl Kind {
    fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }
}

/// The global id of an object, from the UUID that a service answered.
pub fn encode(kind: Kind, uuid: &str) -> ID {
    ID(STANDARD.encode(format!("{}:{uuid}", kind.name())))
}

/// Kind and UUID of a global id.
pub fn parse(field: &'static str, id: &ID) -> Result<(Kind, Uuid)> {
    let parts = || {
        if id.len() > ID_BYTES_MAX {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(id.as_str()).ok()?).ok()?;
        let (name, uuid) = text.split_once(':')?;
        let (kind, _) = KINDS.iter().find(|(_, known)| *known == name)?;
        Some((*kind, Uuid::try_parse(uuid).ok()?))
    };
    parts().ok_or_else(|| {
        Error::invalid(
            field,
            "MALFORMED_ID",
            format!("{field} is not an id of this API; send ids as they were answered"),
        )
    })
}

/// The typed id of a global id of this kind.
pub fn decode<T: FromStr<Err = MalformedId>>(
    kind: Kind,
    field: &'static str,
    id: &ID,
) -> Result<T> {
    let (found, uuid) = parse(field, id)?;
    if found != kind {
        return Err(Error::invalid(
            field,
            "WRONG_ID_TYPE",
            format!(
                "{field} names a {}, but a {} is wanted",
                found.name(),
                kind.name()
            ),
        ));
    }
    uuid.to_string()
        .parse()
        .map_err(|malformed: MalformedId| Error::from(malformed).on_field(field))
}

/// The UUID text of a global id of this kind, as services want it.
pub fn text(kind: Kind, field: &'static str, id: &ID) -> Result<String> {
    decode::<convene_domain::EventId>(kind, field, id).map(|id| id.to_string())
}

/// The UUID of a global id of this kind.
pub fn uuid(kind: Kind, field: &'static str, id: &ID) -> Result<Uuid> {
    decode::<convene_domain::EventId>(kind, field, id).map(|id| id.as_uuid())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_comes_back_as_its_own_kind_only(uuid: u128, at in 0..KINDS.len()) {
            let (kind, _) = KINDS[at];
            let uuid = Uuid::from_u128(uuid).to_string();
            let id = encode(kind, &uuid);
            prop_assert_eq!(text(kind, "id", &id).unwrap(), uuid);
            for (other, _) in KINDS.into_iter().filter(|(other, _)| *other != kind) {
                prop_assert_eq!(text(other, "id", &id).unwrap_err().reason, "WRONG_ID_TYPE");
            }
        }

        #[test]
        fn whatever_comes_is_an_id_or_refused(garbage in "\\PC{0,200}") {
            // As it comes, and as what an id is made of.
            for id in [ID(garbage.clone()), ID(STANDARD.encode(&garbage))] {
                if let Err(error) = parse("hostId", &id) {
                    prop_assert_eq!(error.reason, "MALFORMED_ID");
                    prop_assert_eq!(error.field.as_deref(), Some("hostId"));
                }
            }
        }
    }

    #[test]
    fn ids_come_back_and_garbage_does_not() {
        let uuid = Uuid::from_u128(7).to_string();
        for (kind, _) in KINDS {
            let id = encode(kind, &uuid);
            assert_eq!(text(kind, "id", &id).unwrap(), uuid);
        }
        let booking = encode(Kind::Booking, &uuid);
        let wrong = text(Kind::Visit, "visitId", &booking).unwrap_err();
        assert_eq!(wrong.reason, "WRONG_ID_TYPE");
        assert_eq!(wrong.field.as_deref(), Some("visitId"));
        let long = "A".repeat(10_000);
        for bad in ["", "x", uuid.as_str(), "Qm9va2luZzp4", long.as_str(), "é"] {
            let error = parse("id", &ID(bad.to_owned())).unwrap_err();
            assert_eq!(error.reason, "MALFORMED_ID", "{bad}");
        }
    }
}
