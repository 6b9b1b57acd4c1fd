//! What a tenant may set: bounded, and nothing that a page or a header would take for more than it is.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use convene_kit::{Error, Result, convert, limits};
use reqwest::Url;

use super::{ConsentText, Settings};

/// A logo as a `data:` address, in bytes.
pub const LOGO_BYTES_MAX: usize = 64 * 1024;
/// A text about recording, in characters.
pub const CONSENT_CHARS_MAX: usize = 4_000;
/// Languages of texts about recording.
pub const CONSENT_TEXTS_MAX: usize = 20;
/// Origins that may show the page.
pub const ORIGINS_MAX: usize = 20;
/// A language tag, in characters.
const LOCALE_CHARS_MAX: usize = 35;
/// Kinds of pictures, and how their bytes begin. A drawing (SVG) runs nothing where it is shown as a picture.
const PICTURES: [(&str, &[u8]); 3] = [
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/webp", b"RIFF"),
];

/// The settings, tidied up, or why not.
pub fn settings(new: Settings) -> Result<Settings> {
    let optional = |field: &'static str, text: Option<String>| {
        text.map(|text| convert::text(field, &text)).transpose()
    };
    let texts = consent_texts(new.consent_texts)?;
    let version = optional("consentTextVersion", new.consent_text_version)?;
    if texts.is_empty() == version.is_some() {
        return Err(Error::invalid(
            "consentTextVersion",
            "CONSENT_VERSION_MISMATCH",
            "texts about recording have a version, and a version has texts; raise it when you change a text",
        ));
    }
    Ok(Settings {
        name: convert::text("name", &new.name)?,
        accent_colour: new.accent_colour.map(|text| colour(&text)).transpose()?,
        logo: new.logo.map(logo).transpose()?,
        default_locale: new
            .default_locale
            .map(|tag| locale("defaultLocale", &tag))
            .transpose()?,
        support_line: optional("supportLine", new.support_line)?,
        asks_consent: new.asks_consent,
        consent_text_version: version,
        consent_texts: texts,
        embedding_origins: origins(&new.embedding_origins)?,
    })
}

fn colour(text: &str) -> Result<String> {
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Error::invalid(
        "accentColour",
        "MALFORMED_COLOUR",
        "a colour is # and six hexadecimal digits, for example #2b59c3",
    ))
}

fn logo(address: String) -> Result<String> {
    if address.len() > LOGO_BYTES_MAX {
        return Err(Error::invalid(
            "logo",
            "LOGO_TOO_LARGE",
            format!("a logo has at most {LOGO_BYTES_MAX} bytes, encoding included"),
        ));
    }
    let picture = || {
        let (kind, encoded) = address.strip_prefix("data:")?.split_once(";base64,")?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let known = PICTURES.iter().find(|(known, _)| *known == kind);
        let fits = match known {
            Some((_, begin)) => bytes.starts_with(begin),
            None => kind == "image/svg+xml" && std::str::from_utf8(&bytes).ok()?.contains("<svg"),
        };
        fits.then_some(())
    };
    if picture().is_some() {
        return Ok(address);
    }
    Err(Error::invalid(
        "logo",
        "MALFORMED_LOGO",
        "a logo is data:<type>;base64,<bytes>, of type image/png, image/jpeg, image/webp or image/svg+xml",
    ))
}

fn locale(field: &'static str, tag: &str) -> Result<String> {
    let parts = || tag.split('-');
    let alphanumeric = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let language = parts().next().unwrap_or_default();
    let fits = tag.len() <= LOCALE_CHARS_MAX
        && parts().all(alphanumeric)
        && (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    if fits {
        return Ok(tag.to_owned());
    }
    Err(Error::invalid(
        field,
        "MALFORMED_LOCALE",
        "a language is a BCP 47 tag, for example de or pt-BR",
    ))
}

fn consent_texts(texts: Vec<ConsentText>) -> Result<Vec<ConsentText>> {
    if texts.len() > CONSENT_TEXTS_MAX {
        return Err(Error::invalid(
            "consentTexts",
            "TOO_MANY_TEXTS",
            format!("at most {CONSENT_TEXTS_MAX} languages"),
        ));
    }
    let mut seen = BTreeSet::new();
    for text in &texts {
        let tag = locale("consentTexts", &text.locale)?;
        if !seen.insert(tag.to_ascii_lowercase()) {
            return Err(Error::invalid(
                "consentTexts",
                "LOCALE_REPEATED",
                "one text for each language",
            ));
        }
        let length = text.text.chars().count();
        let control = |c: char| c.is_control() && c != '\n';
        if text.text.trim().is_empty() || length > CONSENT_CHARS_MAX || text.text.contains(control)
        {
            return Err(Error::invalid(
                "consentTexts",
                "MALFORMED_CONSENT_TEXT",
                format!(
                    "a text is plain, with line breaks at most, and has 1 to {CONSENT_CHARS_MAX} characters"
                ),
            ));
        }
    }
    Ok(texts)
}

fn origins(wanted: &[String]) -> Result<Vec<String>> {
    if wanted.len() > ORIGINS_MAX {
        return Err(Error::invalid(
            "embeddingOrigins",
            "TOO_MANY_ORIGINS",
            format!("at most {ORIGINS_MAX} origins"),
        ));
    }
    let origins: Option<BTreeSet<String>> = wanted.iter().map(|text| origin(text)).collect();
    origins.map(Vec::from_iter).ok_or_else(|| {
        Error::invalid(
            "embeddingOrigins",
            "MALFORMED_ORIGIN",
            "an origin is https://host or https://host:port, nothing behind it and no wildcard; http only for localhost",
        )
    })
}

/// What browsers call the origin. It stands in a header, so its host is made of letters, digits, dots and hyphens only.
fn origin(text: &str) -> Option<String> {
    if text.len() > limits::TEXT_CHARS_MAX {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte));
    let local = matches!(host, "localhost" | "127.0.0.1");
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local);
    let origin = url.origin().ascii_serialization();
    // Nothing else in it: no path, no credentials, no default port spelled out and meant otherwise.
    let nothing_more = url.as_str() == format!("{origin}/");
    (plain && safe && nothing_more).then_some(origin)
}
