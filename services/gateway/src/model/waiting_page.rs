//! The waiting page's settings as clients see them.

use async_graphql::{InputObject, SimpleObject};

use crate::waiting_page::{self, Settings};

/// How the tenant's waiting page looks, what it asks, and who may show it in a frame. Its address is `/wait/<tenant id>`.
#[derive(SimpleObject)]
pub struct WaitingPage {
    /// The organisation, as guests know it; null while nothing was set.
    name: Option<String>,
    /// `#rrggbb`.
    accent_colour: Option<String>,
    /// A picture as a `data:` address.
    logo: Option<String>,
    /// For guests whose browser wishes none of the page's languages; BCP 47.
    default_locale: Option<String>,
    /// Whom to ask for help.
    support_line: Option<String>,
    /// Whether every guest is asked about being recorded, not only those who come while it records.
    asks_consent: bool,
    /// Version of the tenant's own texts about recording; null while the page's own text is used.
    consent_text_version: Option<String>,
    /// The tenant's own texts about recording.
    consent_texts: Vec<ConsentText>,
    /// Origins whose pages may show the waiting page in a frame.
    embedding_origins: Vec<String>,
    /// Rises with every change; 0 while nothing was set.
    version: i64,
}

impl From<waiting_page::WaitingPage> for WaitingPage {
    fn from(page: waiting_page::WaitingPage) -> Self {
        let settings = page.settings;
        let texts = settings.consent_texts.into_iter();
        Self {
            name: Some(settings.name).filter(|name| !name.is_empty()),
            accent_colour: settings.accent_colour,
            logo: settings.logo,
            default_locale: settings.default_locale,
            support_line: settings.support_line,
            asks_consent: settings.asks_consent,
            consent_text_version: settings.consent_text_version,
            consent_texts: texts
                .map(|text| ConsentText {
                    locale: text.locale,
                    text: text.text,
                })
                .collect(),
            embedding_origins: settings.embedding_origins,
            version: page.version,
        }
    }
}

/// A text that guests read before they decide about being recorded.
#[derive(SimpleObject, InputObject)]
#[graphql(input_name = "ConsentTextInput")]
pub struct ConsentText {
    /// BCP 47.
    locale: String,
    /// Plain text with line breaks, at most 4000 characters.
    text: String,
}

/// The waiting page's settings as a whole: what is left out is as the page has it of its own.
#[derive(InputObject)]
pub struct SetWaitingPageInput {
    /// The organisation, as guests know it.
    name: String,
    /// `#rrggbb`; black or white stands on it, whichever reads better.
    accent_colour: Option<String>,
    /// `data:<type>;base64,<bytes>`: PNG, JPEG, WebP or SVG, at most 64 KiB.
    logo: Option<String>,
    /// For guests whose browser wishes none of the page's languages; BCP 47.
    default_locale: Option<String>,
    /// Whom to ask for help, for example a phone number.
    support_line: Option<String>,
    /// Asks every guest about being recorded, not only those who come while it records.
    #[graphql(default)]
    asks_consent: bool,
    /// Version of the texts: stands in the ledger with every consent.
    consent_text_version: Option<String>,
    /// Own texts about recording, one for each language; at most 20.
    #[graphql(default)]
    consent_texts: Vec<ConsentText>,
    /// Origins whose pages may show the waiting page in a frame, for example https://app.example.org; at most 20.
    #[graphql(default)]
    embedding_origins: Vec<String>,
}

impl From<SetWaitingPageInput> for Settings {
    fn from(input: SetWaitingPageInput) -> Self {
        let texts = input.consent_texts.into_iter();
        Self {
            name: input.name,
            accent_colour: input.accent_colour,
            logo: input.logo,
            default_locale: input.default_locale,
            support_line: input.support_line,
            asks_consent: input.asks_consent,
            consent_text_version: input.consent_text_version,
            consent_texts: texts
                .map(|text| waiting_page::ConsentText {
                    locale: text.locale,
                    text: text.text,
                })
                .collect(),
            embedding_origins: input.embedding_origins,
        }
    }
}
