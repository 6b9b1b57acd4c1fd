//! I1 when everything that takes time happens at once: bookings, holds and what becomes of them, other times, several hosts.

use std::collections::BTreeMap;

use convene_domain::{Interval, Timestamp, peak};
use convene_kit::convert::{from_wire, to_wire};
use convene_proto::scheduler::v1 as wire;
use convene_scratch::Place;
use futures_util::future::join_all;

use crate::world::{BUFFER, DURATION, MINUTE, Schedulers};

convene_scratch::contract!(
    bookings_holds_and_moves_at_once_never_exceed_capacity,
    a_collective_takes_all_or_nobody,
    equal_hosts_share_evenly,
);

/// Answers that a race may have besides success.
fn lost(status: &tonic::Status) {
    let error = convene_kit::Error::from(status.clone());
    assert_eq!(error.reason, "SLOT_TAKEN", "{error:?}");
}

/// Every live booking, by the public list alone.
async fn listed(schedulers: &Schedulers) -> Vec<wire::Booking> {
    let (mut bookings, mut after_id) = (Vec::new(), String::new());
    loop {
        let page = wire::Page {
            first: 100,
            after_id,
        };
        let request = wire::ListBookingsRequest {
            page: Some(page),
            host_id: String::new(),
        };
        let request = schedulers.request(request);
        let page = schedulers
            .at(bookings.len())
            .list_bookings(request)
            .await
            .unwrap();
        let page = page.into_inner();
        after_id = page
            .bookings
            .last()
            .map(|last| last.id.clone())
            .unwrap_or_default();
        let live = |one: &wire::Booking| one.state() == wire::BookingState::Confirmed;
        bookings.extend(page.bookings.into_iter().filter(live));
        if !page.has_more {
            return bookings;
        }
    }
}

/// The independent checker: no moment at which a host is taken more often than its capacity, buffers included.
fn check(bookings: &[wire::Booking], capacity: usize) {
    let mut taken: BTreeMap<&str, Vec<Interval>> = BTreeMap::new();
    for booking in bookings {
        let start = from_wire(booking.start.unwrap()).plus_millis(-BUFFER);
        let end = from_wire(booking.end.unwrap()).plus_millis(BUFFER);
        let interval = Interval::new(start, end).unwrap();
        let hosts = std::iter::once(&booking.host_id).chain(&booking.co_host_ids);
        for host in hosts {
            taken.entry(host).or_default().push(interval);
        }
    }
    for (host, taken) in taken {
        for interval in &taken {
            assert!(peak(interval, &taken) <= capacity, "I1: {host}");
        }
    }
}

async fn bookings_holds_and_moves_at_once_never_exceed_capacity(place: Place) {
    const CAPACITY: u32 = 2;
    let schedulers = Schedulers::start(&place).await;
    let of = schedulers.service_and_host(CAPACITY).await;
    let hosts = [of.1.clone()];
    // Somewhere else at first.
    let mut bookings = Vec::new();
    for n in 0..12 {
        let start = schedulers.tomorrow + (10 + n) * 24 * 60 * MINUTE;
        let booked = schedulers.book(0, &format!("far {n}"), &of, start).await;
        bookings.push(booked.unwrap().id);
    }
    // Starts within two hours, ten minutes apart, in no order.
    let start = |n: usize| schedulers.tomorrow + (n as i64 * 7 % 12) * 10 * MINUTE;
    let moves = bookings.iter().enumerate().map(|(n, id)| {
        let request = wire::RescheduleBookingRequest {
            idempotency_key: format!("move {n}"),
            id: id.clone(),
            start: Some(to_wire(Timestamp::from_millis(start(n)))),
            end: None,
            version: 0,
        };
        let (mut client, request) = (schedulers.at(n), schedulers.request(request));
        async move { client.reschedule_booking(request).await.map(drop) }
    });
    let books = (0..24).map(|n| {
        let wish = schedulers.wish(&format!("book {n}"), &of.0, &hosts, start(n));
        let (mut client, request) = (schedulers.at(n), schedulers.request(wish));
        async move { client.book_meeting(request).await.map(drop) }
    });
    let holds = (0..24).map(|n| {
        let wish = schedulers.wish(&format!("held {n}"), &of.0, &hosts, start(n));
        let (schedulers, mut client) = (&schedulers, schedulers.at(n + 1));
        async move {
            let hold = schedulers.request(wire::HoldSlotRequest {
                idempotency_key: format!("hold {n}"),
                service_id: wish.service_id.clone(),
                host_ids: wish.host_ids.clone(),
                start: wish.start,
                ..wire::HoldSlotRequest::default()
            });
            let hold = client.hold_slot(hold).await?.into_inner();
            if n % 3 == 0 {
                let token = hold.token;
                let release = schedulers.request(wire::ReleaseHoldRequest { token });
                return client.release_hold(release).await.map(drop);
            }
            let booking = schedulers.request(wire::BookMeetingRequest {
                hold_token: hold.token,
                host_ids: vec![],
                ..wish
            });
            // Whoever holds gets it.
            client.book_meeting(booking).await.unwrap();
            Ok(())
        }
    });
    let (moves, books, holds) = tokio::join!(join_all(moves), join_all(books), join_all(holds));
    let answers = [moves, books, holds].concat();
    answers
        .iter()
        .filter_map(|one| one.as_ref().err())
        .for_each(lost);
    let live = listed(&schedulers).await;
    check(&live, CAPACITY as usize);
    let near = live
        .iter()
        .filter(|one| from_wire(one.start.unwrap()).as_millis() < start(0) + 120 * MINUTE);
    assert!(near.count() >= 4, "some were given");
    schedulers.stop.cancel();
}

async fn a_collective_takes_all_or_nobody(place: Place) {
    let schedulers = Schedulers::start(&place).await;
    let (service, first) = schedulers.service_and_host(1).await;
    let mut hosts = vec![first];
    for n in 1..6 {
        hosts.push(schedulers.host(&format!("host {n}"), 1).await);
    }
    // Groups that overlap, named in any order: locks are taken in one.
    let wishes = (0..30).map(|n| {
        let mut group: Vec<_> = (0..3)
            .map(|k| hosts[(n * 5 + k * (1 + n % 2)) % 6].clone())
            .collect();
        if n % 3 == 0 {
            group.reverse();
        }
        let start = schedulers.tomorrow + (n as i64 % 4) * 10 * MINUTE;
        let mut wish = schedulers.wish(&format!("group {n}"), &service, &group, start);
        wish.all_hosts = true;
        let (mut client, request) = (schedulers.at(n), schedulers.request(wish));
        async move { client.book_meeting(request).await.map(drop) }
    });
    let answers = join_all(wishes).await;
    answers
        .iter()
        .filter_map(|one| one.as_ref().err())
        .for_each(lost);
    let live = listed(&schedulers).await;
    assert!(
        !live.is_empty() && live.len() <= 2,
        "three of six at once: {}",
        live.len()
    );
    assert!(live.iter().all(|one| one.co_host_ids.len() == 2));
    check(&live, 1);
    schedulers.stop.cancel();
}

async fn equal_hosts_share_evenly(place: Place) {
    let schedulers = Schedulers::start(&place).await;
    let (service, first) = schedulers.service_and_host(1_000).await;
    let mut hosts = vec![first];
    for n in 1..5 {
        hosts.push(schedulers.host(&format!("host {n}"), 1_000).await);
    }
    let members = hosts.iter().map(|host| wire::Member {
        host_id: host.clone(),
        ..wire::Member::default()
    });
    let assignment = wire::Assignment {
        mode: wire::AssignmentMode::RoundRobin.into(),
        sticky: false,
        members: members.collect(),
    };
    let set = schedulers.request(wire::SetServiceAssignmentRequest {
        service_id: service.clone(),
        assignment: Some(assignment),
    });
    schedulers.at(0).set_service_assignment(set).await.unwrap();
    let wishes = (0..123).map(|n| {
        let start = schedulers.tomorrow + (n as i64 * 37 % 1_000) * DURATION;
        let wish = schedulers.wish(&format!("any {n}"), &service, &[], start);
        let (mut client, request) = (schedulers.at(n), schedulers.request(wish));
        async move {
            client
                .book_meeting(request)
                .await
                .unwrap()
                .into_inner()
                .host_id
        }
    });
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for host in join_all(wishes).await {
        *taken.entry(host).or_default() += 1;
    }
    let (most, least) = (taken.values().max().unwrap(), taken.values().min().unwrap());
    assert!(taken.len() == 5 && most - least <= 1, "{taken:?}");
    schedulers.stop.cancel();
}
