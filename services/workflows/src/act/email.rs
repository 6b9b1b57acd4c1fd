//! E-mails: through an SMTP server, or into a folder while one develops.

use std::{path::PathBuf, time::Duration};

use convene_kit::{Error, Result as KitResult};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::{Attempt, Failed, RunWorker, unfilled};
use crate::{
    definition::{Recipients, Template},
    scope::People,
};

/// How long a server may take for one message, in milliseconds.
const SMTP_MS: u64 = 15_000;
/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 500;
/// The other side of the address when there is no server: nobody's.
const FOLDER_FROM: &str = "convene@localhost.localdomain";

/// A server that takes e-mails.
#[derive(Clone)]
pub struct Smtp {
    /// `smtps://user:password@host:port`, or `smtp://host:port?tls=required`.
    pub url: SecretString,
    /// Whose address they come from, for example `Clinic <no-reply@clinic.example>`.
    pub from: String,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp(from: {})", self.from)
    }
}

/// Where e-mails go.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// To a server.
    Server {
        /// The connections.
        transport: AsyncSmtpTransport<Tokio1Executor>,
        /// From whom.
        from: Mailbox,
    },
    /// One file for each, for people who develop.
    Folder(PathBuf),
    /// Nowhere: there is no server.
    Nowhere,
}

impl Mailer {
    /// To a server; nothing is sent yet.
    pub fn server(smtp: &Smtp) -> KitResult<Self> {
        let malformed = |field: &'static str, message: &'static str| {
            Error::invalid(field, "MALFORMED_SMTP", message)
        };
        let from = smtp.from.parse().map_err(|_| {
            malformed(
                "workflows.smtp.from",
                "workflows.smtp.from is an address such as `Clinic <no-reply@clinic.example>`",
            )
        })?;
        // What is wrong with the URL may quote its password.
        let url = smtp.url.expose_secret();
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| {
            malformed(
                "workflows.smtp.url",
                "workflows.smtp.url reads smtps://user:password@host:465 or smtp://user:password@host:587?tls=required",
            )
        })?;
        let transport = builder
            .timeout(Some(Duration::from_millis(SMTP_MS)))
            .build();
        Ok(Self::Server { transport, from })
    }

    fn from(&self) -> Result<Mailbox, Failed> {
        match self {
            Self::Server { from, .. } => Ok(from.clone()),
            Self::Folder(_) => FOLDER_FROM
                .parse()
                .map_err(|_| Failed::for_good("ADDRESS_INVALID")),
            Self::Nowhere => Err(Failed::for_good("SMTP_NOT_CONFIGURED")),
        }
    }

    async fn send(&self, key: Uuid, message: Message) -> Result<(), Failed> {
        match self {
            Self::Server { transport, .. } => {
                transport.send(message).await.map_err(failure)?;
                Ok(())
            }
            Self::Folder(folder) => {
                // The same message again is the same file.
                let path = folder.join(format!("{key}.eml"));
                let kept = async {
                    tokio::fs::create_dir_all(folder).await?;
                    tokio::fs::write(&path, message.formatted()).await
                };
                kept.await.map_err(|error| {
                    tracing::warn!(%error, "an e-mail was not written");
                    Failed::for_now("MAIL_FOLDER_UNWRITABLE")
                })
            }
            Self::Nowhere => Err(Failed::for_good("SMTP_NOT_CONFIGURED")),
        }
    }
}

fn failure(error: smtp::Error) -> Failed {
    // What a server says may quote the address.
    if error.is_permanent() {
        return Failed::for_good("SMTP_REFUSED");
    }
    if error.is_timeout() {
        return Failed::for_now("TIMED_OUT");
    }
    if error.is_transient() {
        return Failed::for_now("SMTP_BUSY");
    }
    Failed::for_now("SMTP_UNREACHABLE")
}

/// Sends one message to each recipient; how many is what comes out.
pub async fn send(
    worker: &RunWorker,
    attempt: &Attempt<'_>,
    to: &Recipients,
    subject: &Template,
    text: &Template,
) -> Result<Json, Failed> {
    let from = worker.mailer.from()?;
    let people = worker.people(attempt).await?;
    let recipients: Vec<(String, People)> = match to {
        Recipients::Guests => people
            .into_iter()
            .filter(|person| !person.guest_email.is_empty())
            .map(|person| (person.guest_email.clone(), person))
            .collect(),
        Recipients::Addresses(addresses) => {
            let Some(mut nobody) = people.into_iter().next() else {
                return Err(Failed::for_good("NO_GUESTS"));
            };
            nobody.guest.clear();
            nobody.guest_email.clear();
            let addresses = addresses.iter();
            addresses
                .map(|address| (address.clone(), nobody.clone()))
                .collect()
        }
    };
    if recipients.is_empty() {
        return Err(Failed::for_good("NO_ADDRESSES"));
    }
    let count = recipients.len();
    for (address, person) in recipients {
        let mut scope = attempt.scope.clone();
        scope.extend(person.variables());
        let subject = subject.fill(&scope).map_err(unfilled)?;
        let text = text.fill(&scope).map_err(unfilled)?;
        // The same for every attempt: mail programs show a message that comes twice once.
        let key = Uuid::new_v5(&attempt.key, address.as_bytes());
        let address: Address = address
            .parse()
            .map_err(|_| Failed::for_good("ADDRESS_INVALID"))?;
        let name = (!person.guest.is_empty()).then(|| line(&person.guest));
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(name, address))
            .subject(line(&subject))
            .message_id(Some(format!("<{key}@{}>", from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| Failed::for_good("MESSAGE_INVALID"))?;
        worker.mailer.send(key, message).await?;
    }
    Ok(json!({ "recipients": count }))
}

/// Text for a header: one line, bounded.
fn line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(SUBJECT_CHARS_MAX)
        .collect()
}
