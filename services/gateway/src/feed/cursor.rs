//! Where a subscriber stands.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use convene_kit::{Error, Result};

use super::{SOURCES, Source};

/// Longest cursor that is looked at, in bytes: four numbers of 20 digits in base64.
const CURSOR_BYTES_MAX: usize = 128;

/// Where a subscriber stands in each service's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor([u64; SOURCES.len()]);

impl Cursor {
    /// Opaque text for clients.
    pub fn encode(self) -> String {
        let text = self.0.map(|position| position.to_string()).join(".");
        URL_SAFE_NO_PAD.encode(text)
    }

    /// What [`Self::encode`] wrote.
    pub fn decode(text: &str) -> Result<Self> {
        let parse = || {
            if text.len() > CURSOR_BYTES_MAX {
                return None;
            }
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
            let positions: Vec<u64> = text
                .split('.')
                .map(|position| position.parse().ok())
                .collect::<Option<_>>()?;
            Some(Self(positions.try_into().ok()?))
        };
        parse().ok_or_else(|| {
            Error::invalid(
                "after",
                "MALFORMED_CURSOR",
                "after is not a cursor of this API; send one as it was answered, or none to start at the beginning",
            )
        })
    }

    /// The position in a source's log.
    pub fn at(self, source: Source) -> u64 {
        self.0.get(source.index()).copied().unwrap_or(0)
    }

    /// The cursor after an event of a source.
    pub fn advanced(mut self, source: Source, position: u64) -> Self {
        if let Some(at) = self.0.get_mut(source.index()) {
            *at = position;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cursors_come_back(positions: [u64; 4]) {
            let cursor = Cursor(positions);
            prop_assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
            for source in SOURCES {
                let moved = cursor.advanced(source, 7);
                prop_assert_eq!(moved.at(source), 7);
                let others = SOURCES.into_iter().filter(|other| *other != source);
                for other in others {
                    prop_assert_eq!(moved.at(other), cursor.at(other));
                }
            }
        }

        #[test]
        fn whatever_comes_is_a_cursor_or_refused(text in "\\PC{0,200}") {
            match Cursor::decode(&text) {
                // What is accepted stands for the same place when it is sent again.
                Ok(cursor) => prop_assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor),
                Err(error) => prop_assert_eq!(error.reason, "MALFORMED_CURSOR"),
            }
        }
    }

    #[test]
    fn garbage_is_refused() {
        let long = "MS4".repeat(100);
        // Among them "1.2.3", "1.2.3.4.5" and "-1.0.0.0".
        for bad in ["", "x", "MS4yLjM", "MS4yLjMuNC41", "LTEuMC4wLjA", &long] {
            let error = Cursor::decode(bad).unwrap_err();
            assert_eq!(error.reason, "MALFORMED_CURSOR", "{bad}");
            assert_eq!(error.field.as_deref(), Some("after"));
        }
    }
}
