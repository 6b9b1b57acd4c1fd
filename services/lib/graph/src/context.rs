//! Whose request it is, for those who follow it through the systems.

use uuid::Uuid;

/// Length of a `traceparent` of version 00, in characters.
const TRACEPARENT_CHARS: usize = 55;

/// What a request says about its cause.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// Sent as `client-request-id`; a random one for each request when absent.
    pub client_request_id: Option<Uuid>,
    /// W3C Trace Context, section 3.2. Left out when it is not well-formed: a trace must never fail a request.
    pub traceparent: Option<String>,
}

impl RequestContext {
    pub(crate) fn client_request_id(&self) -> Uuid {
        self.client_request_id.unwrap_or_else(Uuid::new_v4)
    }

    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref().filter(|text| well_formed(text))
    }
}

fn well_formed(text: &str) -> bool {
    let place = |(at, c): (usize, char)| match at {
        2 | 35 | 52 => c == '-',
        _ => matches!(c, '0'..='9' | 'a'..='f'),
    };
    text.len() == TRACEPARENT_CHARS && text.starts_with("00-") && text.char_indices().all(place)
}

#[cfg(test)]
mod tests {
    use super::well_formed;

    #[test]
    fn only_version_00_in_lower_case_is_well_formed() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(well_formed(good));
        for bad in ["", "00", &good.to_uppercase(), &good.replace("00-", "01-")] {
            assert!(!well_formed(bad), "{bad}");
        }
        assert!(!well_formed(&good.replace("-01", "\r\nx")));
        assert!(!well_formed(&format!("{good}-x")));
    }
}
