//! Checks what steps and compensations do outside.

use super::{Checker, TEXT_CHARS_MAX, source};
use crate::definition::{Act, Body, Recipients};

/// Addresses of one e-mail.
const ADDRESSES_MAX: usize = 20;

impl Checker<'_> {
    pub fn undo(&mut self, undo: &source::Act) -> Option<Act> {
        let acts = Acts {
            email: undo.email.as_ref(),
            http: undo.http.as_ref(),
            booking: undo.booking.as_ref(),
            recording: undo.recording,
        };
        if acts.count() != 1 {
            self.problem_in(
                "compensate",
                "a compensation does exactly one thing: email, http, booking, recording",
            );
            return None;
        }
        self.act(acts)
    }

    pub fn act(&mut self, acts: Acts<'_>) -> Option<Act> {
        if let Some(email) = acts.email {
            return Some(Act::Email {
                to: self.recipients(&email.to)?,
                subject: self.template("email.subject", &email.subject),
                text: self.template("email.text", &email.text),
            });
        }
        if let Some(http) = acts.http {
            if !http.url.starts_with("https://") && !http.url.starts_with("http://") {
                self.problem_in("http.url", "an address such as https://example.com/hook");
            }
            return Some(Act::Http {
                url: http.url.clone(),
                body: self.body("http.body", &http.body),
            });
        }
        if let Some(booking) = acts.booking {
            let reason = booking.cancel.as_deref().unwrap_or_default();
            if booking.cancel.is_some() == booking.end_meeting {
                self.problem_in(
                    "booking",
                    "either `cancel` with a reason or `endMeeting: true`",
                );
            }
            if booking.cancel.is_some()
                && (reason.is_empty() || reason.chars().count() > TEXT_CHARS_MAX)
            {
                self.problem_in(
                    "booking.cancel",
                    format!("a reason has 1 to {TEXT_CHARS_MAX} characters"),
                );
            }
            return Some(Act::Booking(booking.clone()));
        }
        acts.recording.map(Act::Recording)
    }

    fn recipients(&mut self, to: &source::Recipients) -> Option<Recipients> {
        let addresses = match to {
            source::Recipients::Known(known) if known == "guests" => {
                return Some(Recipients::Guests);
            }
            source::Recipients::Known(other) => std::slice::from_ref(other),
            source::Recipients::Addresses(addresses) => addresses,
        };
        if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
            self.problem_in(
                "email.to",
                format!("`guests`, or 1 to {ADDRESSES_MAX} addresses"),
            );
        }
        for address in addresses {
            if address.parse::<lettre::Address>().is_err() {
                self.problem_in(
                    "email.to",
                    format!("`{address}` is neither `guests` nor an address"),
                );
            }
        }
        Some(Recipients::Addresses(addresses.to_vec()))
    }

    fn body(&mut self, field: &str, body: &serde_json::Value) -> Body {
        use serde_json::Value as Json;
        match body {
            Json::String(text) => Body::Text(self.template(field, text)),
            Json::Array(items) => {
                Body::List(items.iter().map(|item| self.body(field, item)).collect())
            }
            Json::Object(fields) => {
                let fields = fields.iter();
                Body::Object(
                    fields
                        .map(|(name, value)| {
                            (name.clone(), self.body(&format!("{field}.{name}"), value))
                        })
                        .collect(),
                )
            }
            plain => Body::Plain(plain.clone()),
        }
    }
}

/// What can be done outside; one of them.
pub struct Acts<'a> {
    pub email: Option<&'a source::Email>,
    pub http: Option<&'a source::Http>,
    pub booking: Option<&'a source::BookingAct>,
    pub recording: Option<source::RecordingAct>,
}

impl Acts<'_> {
    fn count(&self) -> usize {
        [
            self.email.is_some(),
            self.http.is_some(),
            self.booking.is_some(),
            self.recording.is_some(),
        ]
        .into_iter()
        .filter(|there| *there)
        .count()
    }
}
