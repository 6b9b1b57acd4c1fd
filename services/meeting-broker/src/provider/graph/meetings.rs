//! Making and removing: one calendar event with an online meeting for each key (I2).

use chrono::{DateTime, Utc};
use convene_domain::{Interval, Timestamp, meeting::External};
use convene_graph::{
    Event, EventChange, GraphError, LobbyBypassSettings, MeetingOptions, NewEvent, OnlineMeeting,
};
use convene_kit::{Error, Result};

use super::{
    GraphCalendar, NAME,
    failure::{failed, failed_or_lost, preparing},
};
use crate::provider::{JoinDetails, Made, Wish};

const CANCEL_COMMENT: &str = "The appointment was cancelled.";

impl GraphCalendar {
    /// The event of a key with its online meeting, options set and read back.
    pub(super) async fn made(&self, wish: &Wish) -> Result<Made> {
        let user = &wish.organizer;
        let event = self.event(wish).await?;
        let event_id = event.id.clone();
        let meeting = self.online_meeting(user, event).await?;
        let options = MeetingOptions {
            lobby_bypass_settings: Some(LobbyBypassSettings {
                scope: self.lobby_bypass.clone(),
            }),
        };
        let meeting = self
            .graph
            .patch_online_meeting(user, &meeting.id, &options)
            .await
            .map_err(failed_or_lost)?;
        let effective = meeting
            .lobby_bypass_settings
            .as_ref()
            .map(|settings| settings.scope.clone());
        Ok(Made {
            external: External {
                provider: NAME.to_owned(),
                organizer_id: meeting.organizer_id().unwrap_or(user).to_owned(),
                event_id,
                online_meeting_id: meeting.id.clone(),
                lobby_bypass_wanted: self.lobby_bypass.clone(),
                lobby_bypass_effective: effective.unwrap_or_else(|| "unknown".to_owned()),
            },
            details: details(meeting),
        })
    }

    /// Gives an event another time.
    pub(super) async fn moved(
        &self,
        organizer: &str,
        event: &str,
        interval: Interval,
    ) -> Result<()> {
        let change = EventChange {
            subject: None,
            interval: Some((utc(interval.start())?, utc(interval.end())?)),
        };
        match self.graph.update_event(organizer, event, &change).await {
            Err(GraphError::NotFound { .. }) => Err(Error::refused(
                "EVENT_GONE",
                "somebody removed the event from the calendar; cancel the booking and book again",
            )),
            updated => updated.map(drop).map_err(failed),
        }
    }

    /// Removes every event of a key but `keep`; answers how many there were.
    pub(super) async fn removed(
        &self,
        organizer: &str,
        key: &str,
        keep: Option<&str>,
    ) -> Result<usize> {
        let found = match self.graph.find_events(organizer, key).await {
            // A mailbox that is not there holds no event.
            Err(GraphError::NotFound { .. }) => return Ok(0),
            found => found.map_err(failed)?,
        };
        let count = found.len();
        for event in found {
            if keep != Some(event.id.as_str()) {
                let cancelled = self
                    .graph
                    .cancel_event(organizer, &event.id, CANCEL_COMMENT);
                cancelled.await.map_err(failed)?;
            }
        }
        Ok(count)
    }

    /// The one event of a key: look up first, because an earlier try may have made it without our knowing.
    async fn event(&self, wish: &Wish) -> Result<Event> {
        if let Some(event) = self.found(wish).await? {
            return Ok(event);
        }
        let new = NewEvent {
            subject: wish.subject.clone(),
            start: utc(wish.interval.start())?,
            end: utc(wish.interval.end())?,
            key: wish.key.clone(),
        };
        match self.graph.create_event(&wish.organizer, &new).await {
            // One of two possible answers to a repeated transactionId; which one is not documented. It is there, so it is found.
            Err(GraphError::Refused { status: 409, .. }) => {
                self.found(wish).await?.ok_or_else(preparing)
            }
            created => created.map_err(failed),
        }
    }

    async fn found(&self, wish: &Wish) -> Result<Option<Event>> {
        match self.graph.find_events(&wish.organizer, &wish.key).await {
            Err(GraphError::NotFound { .. }) => Err(Error::refused(
                "ORGANIZER_UNKNOWN",
                "the provider has no such user; correct the host's providerUser",
            )),
            found => Ok(found.map_err(failed)?.into_iter().next()),
        }
    }

    async fn online_meeting(&self, user: &str, event: Event) -> Result<OnlineMeeting> {
        let event = match event.join_url() {
            Some(_) => event,
            // Graph may still be making the online half.
            None => self
                .graph
                .get_event(user, &event.id)
                .await
                .map_err(failed_or_lost)?,
        };
        let join_url = event.join_url().ok_or_else(preparing)?;
        self.graph
            .find_online_meeting(user, join_url)
            .await
            .map_err(failed)?
            .ok_or_else(preparing)
    }
}

fn details(meeting: OnlineMeeting) -> JoinDetails {
    let digits = meeting.join_meeting_id_settings;
    let dial_in = meeting.audio_conferencing;
    JoinDetails {
        join_url: meeting.join_web_url,
        join_meeting_id: digits
            .as_ref()
            .and_then(|digits| digits.join_meeting_id.clone())
            .unwrap_or_default(),
        passcode: digits
            .and_then(|digits| digits.passcode)
            .unwrap_or_default(),
        dial_in_numbers: dial_in
            .as_ref()
            .and_then(|dial_in| dial_in.toll_number.clone())
            .into_iter()
            .collect(),
        conference_id: dial_in
            .and_then(|dial_in| dial_in.conference_id)
            .unwrap_or_default(),
    }
}

fn utc(time: Timestamp) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(time.as_millis())
        .ok_or_else(|| Error::internal("a time that no calendar has"))
}
