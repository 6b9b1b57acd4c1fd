//! The ledger: what people decided about being recorded.

use convene_domain::{Audience, BookingId, MeetingId, consent::Event};
use convene_kit::{Context, Error, KeyScope, Origin, Result, Scope, Tx, store as spine};

use super::{Coordinator, ensure_records};
use crate::{
    peers::Met,
    store::{self, consent::Consents},
};

/// Version and language of what a host agrees to who starts a recording: no text was shown.
const BY_STARTING: (&str, &str) = ("start-recording", "und");

/// A decision for recording.
#[derive(Debug)]
pub struct GiveConsent {
    pub booking: BookingId,
    pub meeting: MeetingId,
    pub text_version: String,
    pub locale: String,
}

impl Coordinator {
    pub async fn give_consent(
        &self,
        context: &Context,
        wish: GiveConsent,
    ) -> Result<store::consent::Model> {
        let audience = self
            .own_audience(context, wish.booking, wish.meeting)
            .await?;
        let event = Event::ConsentGiven {
            booking: wish.booking,
            meeting: wish.meeting,
            audience,
            text_version: wish.text_version,
            locale: wish.locale,
        };
        self.decide(context, wish.meeting, audience, event).await
    }

    pub async fn withdraw_consent(
        &self,
        context: &Context,
        booking: BookingId,
        meeting: MeetingId,
    ) -> Result<store::consent::Model> {
        let audience = self.own_audience(context, booking, meeting).await?;
        self.decide(context, meeting, audience, Event::ConsentWithdrawn)
            .await
    }

    pub async fn list_consents(
        &self,
        context: &Context,
        meeting: MeetingId,
    ) -> Result<Vec<store::consent::Model>> {
        ensure_records(&context.caller)?;
        let met = self.broker.meeting(context, meeting).await?;
        context.caller.ensure_hosts(met.host, KeyScope::Recording)?;
        store::consent::of_meeting(self.deps.db.read(), context.caller.tenant, meeting).await
    }

    async fn decide(
        &self,
        context: &Context,
        meeting: MeetingId,
        audience: Audience,
        event: Event,
    ) -> Result<store::consent::Model> {
        let origin = context.origin(&self.deps.clock);
        self.deps
            .db
            .write(move |tx| {
                Box::pin(async move {
                    decide(tx, &origin, meeting, audience, event).await?;
                    store::consent::get(tx, origin.tenant, meeting.consent(audience)).await
                })
            })
            .await
    }

    /// As whom the caller decides: everybody for himself only, and only about a meeting that is his.
    async fn own_audience(
        &self,
        context: &Context,
        booking: BookingId,
        meeting: MeetingId,
    ) -> Result<Audience> {
        let caller = &context.caller;
        match caller.scope {
            Scope::Guest {
                visit,
                booking: own,
            } if own == booking => Ok(Audience::Visit(visit)),
            Scope::Guest { .. } => Err(Error::not_found("booking").on_field("bookingId")),
            Scope::Host(host) => {
                caller.ensure_may(KeyScope::Recording)?;
                let audience = Audience::Host(host);
                let id = meeting.consent(audience);
                let known = store::consent::find(self.deps.db.read(), caller.tenant, id).await?;
                // Who decided before need not wait for the broker to take it back.
                if known.is_none() {
                    let met = self.broker.meeting(context, meeting).await?;
                    caller.ensure_hosts(met.host, KeyScope::Recording)?;
                }
                Ok(audience)
            }
            Scope::Admin | Scope::BookingApp | Scope::System => Err(Error::forbidden(
                "CONSENT_IS_PERSONAL",
                "only the person decides about being recorded: use the guest's ticket or the host's key",
            )),
        }
    }
}

/// Refuses with `CONSENT_MISSING` unless everyone who holds join details agrees. A host who records agrees by doing so.
pub async fn ensure_consents(
    tx: &Tx,
    origin: &Origin,
    recorder: Option<Audience>,
    booking: BookingId,
    meeting: MeetingId,
    met: &Met,
) -> Result<()> {
    let mut given = store::consent::given(tx, origin.tenant, meeting).await?;
    if let Some(audience) = recorder.filter(|recorder| !given.contains(recorder)) {
        let event = Event::ConsentGiven {
            booking,
            meeting,
            audience,
            text_version: BY_STARTING.0.into(),
            locale: BY_STARTING.1.into(),
        };
        decide(tx, origin, meeting, audience, event).await?;
        given.insert(audience);
    }
    if met.holders.is_subset(&given) {
        return Ok(());
    }
    Err(Error::refused(
        "CONSENT_MISSING",
        "somebody in the meeting has not consented to recording; see holdersWithoutConsent",
    ))
}

async fn decide(
    tx: &Tx,
    origin: &Origin,
    meeting: MeetingId,
    audience: Audience,
    event: Event,
) -> Result<()> {
    let id = meeting.consent(audience).as_uuid();
    match spine::load_for_change::<Consents>(tx, origin.tenant, id).await? {
        Some(row) => spine::apply::<Consents>(tx, origin, row, event).await?,
        None => spine::insert::<Consents>(tx, origin, id, event, Vec::new()).await?,
    };
    Ok(())
}
