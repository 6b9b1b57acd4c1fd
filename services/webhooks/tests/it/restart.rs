//! I7: a killed role loses nothing and keeps its ids.

use convene_proto::webhook::v1::DeliveryState::Delivered;

use crate::{
    HOUR_MS,
    receiver::{Act, Receiver},
    world::{ANSWER_MS, World, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_role_dies_in_the_middle() {
    let mut world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, secret) = world
        .endpoint(&receiver, &["booking.booked", "booking.cancelled"])
        .await;
    // Delivered, failed, and on their way when it dies; and what happens while it is dead.
    world.book(&desk).await;
    world.settled(&endpoint, Delivered, 1).await;
    receiver.script(&[Act::Status(500), Act::Status(500)]);
    receiver.always(Act::Slow(ANSWER_MS / 2));
    for _ in 0..6 {
        let booking = world.book(&desk).await;
        world.cancel(&desk, &booking).await;
    }
    until("some are on their way", async || {
        (receiver.seen().len() > 3).then_some(())
    })
    .await;
    world.kill();
    for _ in 0..3 {
        world.book(&desk).await;
    }
    let before = receiver.ids();
    world.start().await;
    receiver.always(Act::Status(200));
    until("all are there", async || {
        (world.deliveries(&endpoint).await.len() == 16).then_some(())
    })
    .await;
    let all = until("all are delivered", async || {
        let all = world.deliveries(&endpoint).await;
        // Leases of the dead process end with its file lock; retries want their time.
        world.advance(HOUR_MS / 60);
        all.iter()
            .all(|delivery| delivery.state() == Delivered)
            .then_some(all)
    })
    .await;
    let ids: std::collections::BTreeSet<_> =
        all.iter().map(|delivery| delivery.id.clone()).collect();
    assert_eq!(ids.len(), 16);
    assert_eq!(
        receiver.ids(),
        ids,
        "every event arrived, under one id each"
    );
    assert!(before.is_subset(&ids), "what was on its way kept its id");
    assert!(
        receiver
            .seen()
            .iter()
            .all(|seen| seen.is_signed_with(&secret))
    );
    world.kill();
}
