//! A run survives its process: whatever it dies at, each step reaches the outside under one key.

use std::collections::BTreeMap;

use convene_proto::workflow::v1::RunState;

use crate::world::{World, until};

/// Twelve steps: requests and e-mails in turn.
fn twelve() -> String {
    let mut text = String::from("workflow: twelve\non: [booking.booked]\nsteps:\n");
    for number in 0..12 {
        text.push_str(&match number % 2 {
            0 => format!(
                "  - {{ id: s{number}, http: {{ url: 'RECEIVER', body: {{ step: {number} }} }} }}\n"
            ),
            _ => format!(
                "  - {{ id: s{number}, email: {{ to: guests, subject: 's{number}', text: t }} }}\n"
            ),
        });
    }
    text
}

/// How often each step has come, by its key.
fn come(world: &World) -> BTreeMap<String, usize> {
    let requests = world.receiver.seen().into_iter();
    let requests = requests.map(|seen| format!("s{} {}", seen.body["step"], seen.key));
    let mails = world.mail.taken().into_iter();
    let mails =
        mails.map(|mail| format!("{} {}", mail.header("Subject"), mail.header("Message-ID")));
    let mut come = BTreeMap::new();
    for one in requests.chain(mails) {
        *come.entry(one).or_default() += 1;
    }
    come
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_comes_under_one_key_wherever_the_process_dies() {
    let mut world = World::new().await;
    world.runs(&twelve()).await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book(&desk).await;
    // It dies each time one more step has come: before what came of it is stored, or after, as it falls.
    for count in 1..=12 {
        until(&format!("{count} steps have come"), async || {
            (come(&world).len() >= count).then_some(())
        })
        .await;
        world.kill();
        world.start().await;
    }
    world.ended(&booking, RunState::Succeeded).await;
    let come = come(&world);
    assert_eq!(come.len(), 12, "each step has one key: {come:?}");
    let steps: std::collections::BTreeSet<_> = come
        .keys()
        .map(|key| key.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(steps.len(), 12);
    world.kill();
}
