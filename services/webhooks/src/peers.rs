//! Whose facts are told.

use convene_kit::{Channel, Deps, feed::Follower};

use crate::service::apply_facts;

/// The way to the services whose feeds are followed.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Scheduler.
    pub scheduler: Channel,
    /// Meeting broker.
    pub broker: Channel,
    /// Lobby manager.
    pub lobby: Channel,
    /// Recording coordinator.
    pub recording: Channel,
}

/// One service with a feed.
pub(crate) struct Source {
    name: &'static str,
    channel: Channel,
}

impl Peers {
    pub(crate) fn sources(self) -> [Source; 4] {
        [
            ("scheduler", self.scheduler),
            ("meeting-broker", self.broker),
            ("lobby-manager", self.lobby),
            ("recording-coordinator", self.recording),
        ]
        .map(|(name, channel)| Source { name, channel })
    }
}

impl Source {
    /// Follows its feed with a cursor of this role's own.
    pub(crate) fn follower(self, deps: &Deps) -> Follower {
        Follower {
            db: deps.db.clone(),
            clock: deps.clock.clone(),
            callers: deps.callers.clone(),
            role: crate::NAME,
            source: self.name,
            channel: self.channel,
            apply: apply_facts(),
        }
    }
}
