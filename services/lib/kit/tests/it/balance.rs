//! Replicas behind one channel: those that serve are called, and what befalls a call is told.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use convene_domain::TenantId;
use convene_kit::{
    Caller, Channel, Clock, Code, Context, Db, Deps, Error, Role,
    clock::Offset,
    listen::Listener,
    local,
    probe::{Act, Point, Probe, Probed, Side, Verdict},
    remote::{self, Standing},
    role::keep_clock,
};
use convene_migrations::lobby_manager::Migrator;
use convene_proto::{
    clock::v1::{GetRequest, SetRequest, clock_client::ClockClient},
    event::v1::{ReadRequest, WatchRequest, events_client::EventsClient},
};
use futures_util::future::join_all;
use tempfile::TempDir;
use tokio::{
    runtime::Runtime,
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{feed::callers, world::until};

/// A server whose business clock tells who it is.
struct Replica {
    address: SocketAddr,
    process: Runtime,
    stop: CancellationToken,
    running: JoinHandle<convene_kit::Result<()>>,
    _folder: TempDir,
}

/// How a replica is started.
#[derive(Default)]
struct Start {
    /// Serves nobody before it is told the time.
    awaits_clock: bool,
    probe: Option<Arc<dyn Probe>>,
    /// A port of before.
    at: Option<SocketAddr>,
}

impl Replica {
    async fn start(name: i64, how: Start) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = how.at.unwrap_or("127.0.0.1:0".parse().unwrap());
        let stop = CancellationToken::new();
        let process = Runtime::new().unwrap();
        let (path, told) = (folder.path().to_owned(), stop.clone());
        let starting = process.spawn(async move {
            let clock = Clock::new(Offset {
                millis: name,
                version: 1,
            });
            let db = Db::open_sqlite::<Migrator>(&path, "below").await.unwrap();
            let deps = Deps {
                db: db.with_probe(Probed::new("below", how.probe)),
                callers: callers(&clock),
                clock,
            };
            let listener = Listener::bind("listen.below", at, None).await.unwrap();
            let address = listener.address();
            let mut role = Role::new("below", deps).await.unwrap().listen(listener);
            if how.awaits_clock {
                role = role.await_clock();
            }
            let (_nobody, incoming) = local::pipe();
            (address, tokio::spawn(role.run(incoming, told)))
        });
        let (address, running) = starting.await.unwrap();
        Self {
            address,
            process,
            stop,
            running,
            _folder: folder,
        }
    }

    async fn named(name: i64) -> Self {
        Self::start(name, Start::default()).await
    }

    /// As a process that is killed: nothing is said, its connections break.
    fn kill(self) -> SocketAddr {
        self.process.shutdown_background();
        self.address
    }

    /// As a process that is asked to stop.
    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.process.shutdown_background();
    }
}

fn channel(replicas: &[SocketAddr]) -> Channel {
    let places: Vec<_> = replicas.iter().map(ToString::to_string).collect();
    remote::balanced("peers.below", "below", &places, None)
        .unwrap()
        .into()
}

fn request<T>(message: T) -> tonic::Request<T> {
    let nobody = Caller::system(TenantId::from_uuid(Uuid::nil()), "above");
    let callers = callers(&Clock::default());
    Context::begin(nobody).request(&callers, message).unwrap()
}

/// Who answers.
async fn who(channel: &Channel) -> Result<i64, Error> {
    let mut clock = ClockClient::new(channel.clone());
    Ok(clock
        .get(request(GetRequest {}))
        .await?
        .into_inner()
        .offset_ms)
}

/// Waits until this one answers.
async fn answers(channel: &Channel, name: i64) {
    let asked = || async { (who(channel).await == Ok(name)).then_some(()) };
    until("it answers", asked).await;
}

async fn read(channel: &Channel) -> Result<(), Error> {
    let mut events = EventsClient::new(channel.clone());
    let read = events.read(request(ReadRequest::default())).await;
    Ok(read.map(drop)?)
}

/// Holds calls of `Read` until it is told to let them go.
struct Holding {
    held: Semaphore,
    let_go: CancellationToken,
}

impl Holding {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            held: Semaphore::new(0),
            let_go: CancellationToken::new(),
        })
    }
}

#[async_trait]
impl Probe for Holding {
    async fn at(&self, point: Point) -> Verdict {
        let call = (point.act, point.side) == (Act::Call, Side::Before);
        if call && point.what.ends_with("Events/Read") {
            self.held.add_permits(1);
            self.let_go.cancelled().await;
        }
        Verdict::Pass
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_around_those_that_serve() {
    let waiting = Start {
        awaits_clock: true,
        ..Start::default()
    };
    let all = [
        Replica::named(1).await,
        Replica::named(2).await,
        Replica::start(3, waiting).await,
    ];
    let below = channel(&all.each_ref().map(|replica| replica.address));
    answers(&below, 1).await;
    answers(&below, 2).await;
    let mut counts = BTreeMap::new();
    for _ in 0..20 {
        *counts.entry(who(&below).await.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(counts, [(1, 10), (2, 10)].into());

    // It answers, but serves nobody yet.
    let standings = below.replicas().await;
    assert_eq!(standings.len(), 3);
    let third = channel(&[all[2].address]);
    assert_eq!(third.replicas().await.len(), 1);
    assert_eq!(third.standing().await, Standing::Waits);
    let refused = who(&third).await.unwrap_err();
    assert_eq!(refused.reason, "PEER_UNAVAILABLE");
    let mut alone = ClockClient::new(third.replicas().await[0].channel());
    let time = SetRequest {
        offset_ms: 33,
        version: 2,
    };
    alone.set(request(time)).await.unwrap();
    answers(&below, 33).await;
    assert_eq!(below.standing().await, Standing::Works);
    join_all(all.map(Replica::stop)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quieter_of_two_is_called() {
    let holding = Holding::new();
    let busy = Start {
        probe: Some(holding.clone()),
        ..Start::default()
    };
    let all = [Replica::start(1, busy).await, Replica::named(2).await];
    let below = channel(&all.each_ref().map(|replica| replica.address));
    answers(&below, 1).await;
    answers(&below, 2).await;
    // Of two at the same time one goes to the first, which holds it.
    let mut reads = JoinSet::new();
    for below in [below.clone(), below.clone()] {
        reads.spawn(async move { read(&below).await });
    }
    reads.join_next().await.unwrap().unwrap().unwrap();
    holding.held.acquire().await.unwrap().forget();
    for _ in 0..20 {
        assert_eq!(who(&below).await, Ok(2), "the first is busy");
    }
    holding.let_go.cancel();
    reads.join_next().await.unwrap().unwrap().unwrap();
    answers(&below, 1).await;
    join_all(all.map(Replica::stop)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_is_told_of_and_called_no_more() {
    let holding = Holding::new();
    let doomed = Start {
        probe: Some(holding.clone()),
        ..Start::default()
    };
    let doomed = Replica::start(1, doomed).await;
    let other = Replica::named(2).await;
    let below = channel(&[doomed.address, other.address]);
    answers(&below, 1).await;
    answers(&below, 2).await;
    let mut events = EventsClient::new(below.clone());
    let mut watched = Vec::new();
    for _ in 0..2 {
        let watch = events.watch(request(WatchRequest::default()));
        watched.push(watch.await.unwrap().into_inner());
    }
    let reads = [below.clone(), below.clone()];
    let reads = reads.map(|below| tokio::spawn(async move { read(&below).await }));
    holding.held.acquire().await.unwrap().forget();
    let place = doomed.kill();

    let reads = join_all(reads).await.into_iter().map(Result::unwrap);
    let failed: Vec<_> = reads.filter_map(Result::err).collect();
    assert_eq!(
        failed.len(),
        1,
        "it was called once, and nobody else for it"
    );
    let [first, second] = &mut watched[..] else {
        panic!("two are watched");
    };
    // The one that was at the dead; the other goes on.
    let ended = tokio::select! {
        ended = first.message() => ended,
        ended = second.message() => ended,
    };
    let broken = Error::from(ended.unwrap_err());
    for lost in [&failed[0], &broken] {
        assert_eq!((lost.code, &*lost.reason), (Code::Unavailable, "PEER_LOST"));
        assert!(lost.message.contains("below"), "{lost}");
    }

    // Until the loss is noticed a call may still be lost; afterwards none is.
    until("the loss is noticed", || async {
        let replicas = below.replicas().await;
        let dead = |replica: &remote::Replica| replica.standing() == Standing::Silent;
        replicas.iter().any(dead).then_some(())
    })
    .await;
    for _ in 0..50 {
        assert_eq!(who(&below).await, Ok(2));
    }
    let back = Start {
        at: Some(place),
        ..Start::default()
    };
    let back = Replica::start(4, back).await;
    answers(&below, 4).await;
    back.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_serves_the_caller_hears_of_whom() {
    let place = Replica::named(1).await.kill();
    let below = channel(&[place]);
    for _ in 0..2 {
        let begun = Instant::now();
        let refused = who(&below).await.unwrap_err();
        assert_eq!(
            (refused.code, &*refused.reason),
            (Code::Unavailable, "PEER_UNAVAILABLE")
        );
        assert!(refused.message.contains("below"), "{refused}");
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "nothing is waited for"
        );
    }
    assert_eq!(below.standing().await, Standing::Silent);
    // A name may stand for several addresses; those where nobody is are passed by.
    let back = Start {
        at: Some(place),
        ..Start::default()
    };
    let back = Replica::start(2, back).await;
    let places = [format!("localhost:{}", place.port())];
    let named = remote::balanced("peers.below", "below", &places, None).unwrap();
    answers(&named.into(), 2).await;
    answers(&below, 2).await;
    back.stop().await;
}

/// Whoever is asked to stop first says so, and answers what comes meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_stops_loses_no_call() {
    let all = [Replica::named(1).await, Replica::named(2).await];
    let below = channel(&all.each_ref().map(|replica| replica.address));
    answers(&below, 1).await;
    answers(&below, 2).await;
    let over = CancellationToken::new();
    let calling = (0..4).map(|_| {
        let (below, over) = (below.clone(), over.clone());
        tokio::spawn(async move {
            let mut calls = 0;
            while !over.is_cancelled() {
                who(&below).await.unwrap();
                calls += 1;
            }
            calls
        })
    });
    let calling: Vec<_> = calling.collect();
    let [first, second] = all;
    first.stop().await;
    over.cancel();
    for calls in join_all(calling).await {
        assert!(calls.unwrap() > 0);
    }
    assert_eq!(who(&below).await, Ok(2));
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_replica_is_told_the_time_in_each_of_its_lives() {
    let waiting = |at| Start {
        awaits_clock: true,
        at,
        ..Start::default()
    };
    let first = Replica::start(1, waiting(None)).await;
    let second = Replica::start(2, waiting(None)).await;
    let below = channel(&[first.address, second.address]);
    let master = Clock::new(Offset {
        millis: 5_000,
        version: 9,
    });
    let stop = CancellationToken::new();
    let keeping = keep_clock(
        "above",
        master.clone(),
        callers(&master),
        below.clone(),
        stop.clone(),
    );
    let keeping = tokio::spawn(keeping);
    let all_know = || async {
        let replicas = below.replicas().await;
        let knowing = replicas.iter().map(async |replica| {
            let mut alone = ClockClient::new(replica.channel());
            let told = alone.get(request(GetRequest {})).await;
            let knows = told.is_ok_and(|told| told.into_inner().offset_ms == 5_000);
            knows && replica.standing() == Standing::Works
        });
        let all = join_all(knowing).await.into_iter().all(|knows| knows);
        all.then_some(())
    };
    until("both know", all_know).await;
    let place = first.kill();
    until("the loss is noticed", || async {
        let replicas = below.replicas().await;
        let dead = |replica: &remote::Replica| replica.standing() == Standing::Silent;
        replicas.iter().any(dead).then_some(())
    })
    .await;
    let again = Replica::start(1, waiting(Some(place))).await;
    until("both know again", all_know).await;
    stop.cancel();
    keeping.await.unwrap().unwrap();
    again.stop().await;
    second.stop().await;
}
