//! I1: however many ask at the same moment, and whichever replica they ask, no host is overbooked.

use convene_domain::{Interval, peak};
use convene_scratch::Place;
use futures_util::future::join_all;

use crate::world::{BUFFER, DURATION, MINUTE, Schedulers};

convene_scratch::contract!(
    one_slot_is_given_as_often_as_the_host_can,
    overlapping_slots_never_exceed_capacity,
    the_same_request_at_two_replicas_is_one_booking,
);

async fn one_slot_is_given_as_often_as_the_host_can(place: Place) {
    let schedulers = Schedulers::start(&place).await;
    for round in 0..4 {
        let of = schedulers.service_and_host(3).await;
        let start = schedulers.tomorrow + round * 2 * 3_600_000;
        let keys: Vec<_> = (0..24).map(|n| format!("{round}/{n}")).collect();
        let asking = keys
            .iter()
            .enumerate()
            .map(|(n, key)| schedulers.book(n, key, &of, start));
        let answers = join_all(asking).await;
        let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
        for error in refused {
            assert_eq!(error.reason, "SLOT_TAKEN", "{error:?}");
        }
        let given = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(given, 3, "I1");
    }
    schedulers.stop.cancel();
}

async fn overlapping_slots_never_exceed_capacity(place: Place) {
    const CAPACITY: usize = 2;
    let schedulers = Schedulers::start(&place).await;
    let of = schedulers.service_and_host(2).await;
    let keys: Vec<_> = (0..60).map(|n| format!("key {n}")).collect();
    let asking = keys.iter().enumerate().map(|(n, key)| {
        // Starts within two hours, ten minutes apart, in no order.
        let start = schedulers.tomorrow + ((n as i64 * 7) % 12) * 10 * MINUTE;
        schedulers.book(n, key, &of, start)
    });
    let taken: Vec<Interval> = join_all(asking)
        .await
        .into_iter()
        .filter_map(|answer| match answer {
            Ok(booking) => Some(booking),
            Err(error) => {
                assert_eq!(error.reason, "SLOT_TAKEN", "{error:?}");
                None
            }
        })
        .map(|booking| {
            let start = convene_kit::convert::from_wire(booking.start.unwrap());
            let end = start.plus_millis(DURATION + BUFFER);
            Interval::new(start.plus_millis(-BUFFER), end).unwrap()
        })
        .collect();
    assert!(taken.len() >= 2 * CAPACITY, "some were given");
    for (n, interval) in taken.iter().enumerate() {
        let others: Vec<_> = [&taken[..n], &taken[n + 1..]].concat();
        assert!(peak(interval, &others) < CAPACITY, "I1");
    }
    schedulers.stop.cancel();
}

async fn the_same_request_at_two_replicas_is_one_booking(place: Place) {
    let schedulers = Schedulers::start(&place).await;
    let of = schedulers.service_and_host(10).await;
    for round in 0..10 {
        let key = format!("round {round}");
        let start = schedulers.tomorrow + round * 3_600_000;
        let asking = (0..6).map(|n| schedulers.book(n, &key, &of, start));
        let mut ids: Vec<_> = join_all(asking)
            .await
            .into_iter()
            .map(|answer| answer.unwrap().id)
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "one key, one booking, one answer");
    }
    schedulers.stop.cancel();
}
