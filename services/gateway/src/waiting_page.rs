//! How a tenant's waiting page looks, what it asks, and who may show it in a frame. Set by admins, read with any of the tenant's credentials.

mod checked;
mod row;

use convene_domain::TenantId;
use convene_kit::{
    Db, Error, Origin, Result, Tx, digest,
    event::{Head, journal},
};
use sea_orm::{ActiveValue::Set, IntoActiveModel as _, entity::prelude::*};
use serde::{Deserialize, Serialize};

use row::{ActiveModel, Entity, Model, TABLE};

/// A text that guests read before they decide about being recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentText {
    /// BCP 47.
    pub locale: String,
    /// Plain text.
    pub text: String,
}

/// What a tenant sets. An absent part is as the page has it of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The organisation, as guests know it.
    pub name: String,
    /// `#rrggbb`.
    pub accent_colour: Option<String>,
    /// A picture as a `data:` address: nobody else learns who waits.
    pub logo: Option<String>,
    /// For guests whose browser wishes none of the page's languages; BCP 47.
    pub default_locale: Option<String>,
    /// Whom to ask for help.
    pub support_line: Option<String>,
    /// Whether every guest is asked about being recorded, not only those who come while it records.
    pub asks_consent: bool,
    /// Stands in the ledger with every consent to these texts.
    pub consent_text_version: Option<String>,
    /// In the languages that the tenant has them in; the page's own text where this is empty.
    pub consent_texts: Vec<ConsentText>,
    /// Origins whose pages may show the waiting page in a frame.
    pub embedding_origins: Vec<String>,
}

/// Settings and how often they were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingPage {
    /// What is set.
    pub settings: Settings,
    /// 0 while nothing was set.
    pub version: i64,
}

/// What happened to the settings. Who may frame the page is a matter of security, so it is here; the rest only as a digest.
#[derive(Serialize)]
#[serde(tag = "type")]
enum Event<'a> {
    WaitingPageSet {
        embedding_origins: &'a [String],
        sha256: String,
    },
}

/// The tenant's page; of a tenant that set nothing, or is not there, the page as it is of its own.
pub async fn get<C: ConnectionTrait>(c: &C, tenant: TenantId) -> Result<WaitingPage> {
    let id = tenant.as_uuid();
    match Entity::find_by_id((id, id)).one(c).await? {
        Some(row) => row.page(),
        None => Ok(WaitingPage::default()),
    }
}

/// Checks and keeps the settings of the origin's tenant; a repeat of the same settings changes nothing.
pub async fn set(db: &Db, origin: Origin, settings: Settings) -> Result<WaitingPage> {
    let settings = checked::settings(settings)?;
    db.write(move |tx| Box::pin(async move { set_in(tx, &origin, settings).await }))
        .await
}

async fn set_in(tx: &Tx, origin: &Origin, settings: Settings) -> Result<WaitingPage> {
    let row = row::for_change(tx, origin.tenant).await?;
    let kept = row.as_ref().map(Model::page).transpose()?;
    if let Some(kept) = kept.filter(|kept| kept.settings == settings) {
        return Ok(kept);
    }
    let text = serde_json::to_string(&settings)?;
    let event = Event::WaitingPageSet {
        embedding_origins: &settings.embedding_origins,
        sha256: digest::hex(&digest::sha256(text.as_bytes())),
    };
    let head = row.as_ref().map_or_else(Head::default, |row| Head {
        version: row.version,
        hash: row.head_hash.clone(),
    });
    let head = journal(tx, origin, TABLE, origin.tenant.as_uuid(), head, &event).await?;
    match row {
        Some(row) => {
            let mut change: ActiveModel = row.into_active_model();
            change.settings = Set(text);
            change.version = Set(head.version);
            change.head_hash = Set(head.hash);
            change.update(tx).await?;
        }
        None => {
            let row = Model {
                tenant_id: origin.tenant.as_uuid(),
                id: origin.tenant.as_uuid(),
                version: head.version,
                head_hash: head.hash,
                settings: text,
            };
            Entity::insert(row.into_active_model().reset_all())
                .exec_without_returning(tx)
                .await?;
        }
    }
    Ok(WaitingPage {
        settings,
        version: head.version,
    })
}

impl Model {
    fn page(&self) -> Result<WaitingPage> {
        let settings = serde_json::from_str(&self.settings)
            .map_err(|_| Error::internal("a stored waiting page cannot be read"))?;
        Ok(WaitingPage {
            settings,
            version: self.version,
        })
    }
}

#[cfg(test)]
mod tests;
