//! Who comes first, and how much one endpoint may take of the others' time.

use convene_proto::webhook::v1::DeliveryState::Delivered;

use crate::{
    receiver::{Act, Receiver},
    world::{ANSWER_MS, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_object_come_one_after_the_other() {
    let world = World::new().await;
    let (receiver, desk) = (Receiver::new().await, world.desk(world.tenant).await);
    let (endpoint, _) = world
        .endpoint(&receiver, &["booking.booked", "booking.cancelled"])
        .await;
    receiver.always(Act::Slow(ANSWER_MS / 4));
    let booking = world.book(&desk).await;
    world.cancel(&desk, &booking).await;
    world.settled(&endpoint, Delivered, 2).await;
    let told: Vec<_> = receiver.seen().iter().map(|seen| seen.kind()).collect();
    assert_eq!(told, ["booking.booked", "booking.cancelled"]);
    assert_eq!(receiver.most_at_once(), 1);

    // One that fails does not hold up those after it.
    receiver.script(&[Act::Status(500)]);
    let booking = world.book(&desk).await;
    world.cancel(&desk, &booking).await;
    world.settled(&endpoint, Delivered, 3).await;
    let told: Vec<_> = receiver
        .seen()
        .iter()
        .skip(2)
        .map(|seen| seen.kind())
        .collect();
    assert_eq!(told, ["booking.booked", "booking.cancelled"]);
    world.advance(60_000);
    world.settled(&endpoint, Delivered, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_endpoint_holds_up_itself_only() {
    let world = World::new().await;
    let desk = world.desk(world.tenant).await;
    let (slow, quick) = (Receiver::new().await, Receiver::new().await);
    let (slow_endpoint, _) = world.endpoint(&slow, &["booking.booked"]).await;
    let (quick_endpoint, _) = world.endpoint(&quick, &["booking.booked"]).await;
    slow.always(Act::Slow(ANSWER_MS / 2));
    for _ in 0..20 {
        world.book(&desk).await;
    }
    world.settled(&quick_endpoint, Delivered, 20).await;
    world.settled(&slow_endpoint, Delivered, 20).await;
    assert!(slow.most_at_once() <= 4, "{}", slow.most_at_once());
    assert!(slow.most_at_once() > 1, "different objects go side by side");
    assert_eq!(slow.ids().len(), 20);
}
