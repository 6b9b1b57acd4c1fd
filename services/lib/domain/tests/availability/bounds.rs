//! What would be too much is refused, and what many hosts cost.

use convene_domain::{
    HostId, Interval, ServiceId,
    availability::{
        Availability, HOSTS_MAX, HostTime, Hours, Match, Rules, SLOTS_MAX, WINDOW_MS_MAX, Zone,
    },
};
use uuid::Uuid;

use crate::{MINUTE, at};

fn hosts(count: usize, step_min: i64) -> Availability {
    let service = ServiceId::from_uuid(Uuid::from_u128(1));
    let hosts = (0..count as u128).map(|n| HostId::from_uuid(Uuid::from_u128(n)));
    Availability {
        now: at(0),
        rules: Rules {
            zone: Zone::UTC,
            durations_ms: vec![30 * MINUTE],
            buffer_before_ms: 0,
            buffer_after_ms: 0,
            step_ms: Some(step_min * MINUTE),
            notice_ms: 0,
            horizon_ms: None,
            per_day: None,
            per_week: None,
        },
        hours: Hours::default(),
        hosts: hosts
            .map(|host| HostTime::new(host, 1, Hours::default(), service, Vec::new()))
            .collect(),
    }
}

#[test]
fn questions_have_bounds() {
    let window = |ms| Interval::new(at(1), at(1).plus_millis(ms)).unwrap();
    let ask = |hosts: &Availability, ms| {
        let found = hosts.slots(window(ms), 30 * MINUTE, Match::All, 10);
        found.map_err(|refused| refused.reason)
    };
    assert_eq!(
        ask(&hosts(1, 15), WINDOW_MS_MAX + 1),
        Err("WINDOW_TOO_LONG")
    );
    for count in [0, HOSTS_MAX + 1] {
        assert_eq!(
            ask(&hosts(count, 15), MINUTE).unwrap_err(),
            "TOO_MANY_HOSTS"
        );
    }
    assert_eq!(ask(&hosts(100, 1), WINDOW_MS_MAX), Err("TOO_MUCH_ASKED"));
    let found = ask(&hosts(50, 15), 60 * 24 * 60 * MINUTE).unwrap();
    assert_eq!((found.slots.len(), found.more), (10, true));
    let all = hosts(1, 1).slots(window(WINDOW_MS_MAX), 30 * MINUTE, Match::Any, usize::MAX);
    let all = all.unwrap();
    assert_eq!((all.slots.len(), all.more), (SLOTS_MAX, true));
}
