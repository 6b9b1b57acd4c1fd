//! The two clocks. Nothing else in the product reads wall time.
//!
//! *Business time* (wall + offset) judges due times, holds, tickets, consent and retention; development can move it. *Unmoved time* judges
//! leases, retries and credentials between roles.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use convene_domain::Timestamp;
use tokio::sync::watch;

/// How far business time stands from wall time. Versions only rise, so a late message cannot bring an old offset back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset {
    /// Milliseconds added to wall time.
    pub millis: i64,
    /// Version of this offset; 0 before any was set.
    pub version: u64,
}

/// Wall time, whatever business time is.
pub(crate) fn unmoved() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::from_millis(since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }))
}

/// Business and unmoved time of one role.
#[derive(Clone, Debug)]
pub struct Clock {
    offset: Arc<watch::Sender<Offset>>,
    /// How wrong this process's wall is, in milliseconds.
    wrong_by_ms: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Offset::default())
    }
}

impl Clock {
    /// A clock that starts with a known offset.
    pub fn new(offset: Offset) -> Self {
        Self {
            offset: Arc::new(watch::Sender::new(offset)),
            wrong_by_ms: 0,
        }
    }

    /// The clock of a machine whose wall time is wrong by so many milliseconds: for tests of what skew between replicas must not do.
    pub fn wrong_by(millis: i64) -> Self {
        Self {
            wrong_by_ms: millis,
            ..Self::default()
        }
    }

    /// Business time.
    pub fn now(&self) -> Timestamp {
        self.unmoved().plus_millis(self.offset.borrow().millis)
    }

    /// Wall time, whatever business time is.
    pub fn unmoved(&self) -> Timestamp {
        unmoved().plus_millis(self.wrong_by_ms)
    }

    /// The offset in force.
    pub fn offset(&self) -> Offset {
        *self.offset.borrow()
    }

    /// Takes over an offset unless a newer one is in force; answers the one in force.
    pub fn set(&self, offset: Offset) -> Offset {
        self.offset.send_if_modified(|current| {
            let newer = offset.version > current.version;
            if newer {
                *current = offset;
            }
            newer
        });
        self.offset()
    }

    /// Wakes whoever sleeps until a business time when the offset changes.
    pub fn moved(&self) -> watch::Receiver<Offset> {
        self.offset.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_version_never_wins() {
        let clock = Clock::default();
        clock.set(Offset {
            millis: 5_000,
            version: 2,
        });
        let kept = clock.set(Offset {
            millis: 1,
            version: 1,
        });
        assert_eq!(kept.millis, 5_000);
        assert!(clock.now() >= clock.unmoved());
    }
}
