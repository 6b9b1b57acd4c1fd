//! Making a meeting, removing it, and looking once more (I2).

use convene_domain::{
    MeetingId, Refused, TenantId,
    meeting::{Event, Meeting, Phase},
};
use convene_kit::{Code, Error, Result, Row, jobs::Done};

use super::MeetingWorker;
use crate::{
    provider::Wish,
    store::{
        join_details,
        meeting::{self, Meetings},
    },
};

impl MeetingWorker {
    pub(super) async fn create(
        &self,
        tenant: TenantId,
        row: &Row<Meeting>,
    ) -> Result<Done<Meetings>> {
        let id = MeetingId::from_uuid(row.id);
        let beside = meeting::beside(self.deps.db.read(), tenant, id).await?;
        let wish = Wish {
            subject: beside.subject,
            organizer: beside.organizer,
            interval: row.machine.interval,
            key: id.external_key(tenant).to_string(),
        };
        let made = match self.provider.ensure(&wish).await {
            Ok(made) => made,
            Err(error) if error.code == Code::Refused => {
                return self.refused(tenant, row, error).await;
            }
            Err(error) => return Err(error),
        };
        let sealed = join_details::seal(&self.sealer, tenant, id, &made.details)?;
        let event = Event::MeetingReady {
            external: made.external,
        };
        Ok(Done::fact(event).with(move |tx, _| {
            Box::pin(async move { join_details::store(tx, tenant, id, sealed).await })
        }))
    }

    /// A refusal may come when the event stands already; a meeting that failed leaves nothing in anybody's calendar.
    async fn refused(
        &self,
        tenant: TenantId,
        row: &Row<Meeting>,
        error: Error,
    ) -> Result<Done<Meetings>> {
        match self.remove(tenant, row, None).await {
            Err(removal) if removal.is_transient() => return Err(removal),
            // Who may not even look made nothing.
            Ok(_) | Err(_) => {}
        }
        tracing::warn!(meeting = %row.id, reason = %error.reason, detail = error.detail(), "the provider refused a meeting");
        Ok(Done::fact(Event::MeetingFailed {
            reason: error.reason.into_owned(),
        }))
    }

    /// Gives the provider's event the meeting's time (I2: the same event, never a second one).
    pub(super) async fn move_meeting(
        &self,
        tenant: TenantId,
        row: &Row<Meeting>,
    ) -> Result<Done<Meetings>> {
        let Some(external) = &row.machine.external else {
            return Err(Error::internal("a meeting that is ready has no event"));
        };
        let id = MeetingId::from_uuid(row.id);
        let beside = meeting::beside(self.deps.db.read(), tenant, id).await?;
        self.provider
            .reschedule(&beside.organizer, &external.event_id, row.machine.interval)
            .await?;
        Ok(Done::fact(Event::MeetingMoved {
            moves: row.machine.moves.told,
        }))
    }

    /// Removes what carries the meeting's key, except the one that is to stay.
    pub(super) async fn remove(
        &self,
        tenant: TenantId,
        row: &Row<Meeting>,
        keep: Option<&str>,
    ) -> Result<usize> {
        let id = MeetingId::from_uuid(row.id);
        let beside = meeting::beside(self.deps.db.read(), tenant, id).await?;
        let key = id.external_key(tenant).to_string();
        self.provider.remove(&beside.organizer, &key, keep).await
    }

    pub(super) async fn reconcile(
        &self,
        tenant: TenantId,
        row: &Row<Meeting>,
    ) -> Result<Done<Meetings>> {
        let keep = match (&row.machine.phase, &row.machine.external) {
            (Phase::Ready, Some(external)) => Some(external.event_id.as_str()),
            (Phase::Cancelled, _) => None,
            _ => return Ok(Done::nothing()),
        };
        let found = self.remove(tenant, row, keep).await?;
        let expected = usize::from(keep.is_some());
        if found != expected {
            tracing::warn!(meeting = %row.id, found, expected, "the provider had another number of meetings");
        }
        Ok(Done::nothing())
    }

    /// After the last try. An answer that was lost may have left an event: it is removed if the provider answers now.
    pub(super) async fn give_up_creating(&self, tenant: TenantId, row: &Row<Meeting>) -> Event {
        if let Err(error) = self.remove(tenant, row, None).await {
            tracing::warn!(meeting = %row.id, reason = %error.reason, detail = error.detail(), "an event may be left; cancelling the booking removes it");
        }
        Event::MeetingFailed {
            reason: UNAVAILABLE.reason.to_owned(),
        }
    }
}

/// What was tried too often.
pub(super) const UNAVAILABLE: Refused = Refused::new(
    "PROVIDER_UNAVAILABLE",
    "the provider stayed away through all tries; try anew when it is back",
);
