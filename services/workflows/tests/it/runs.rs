//! What runs do.

use convene_domain::TenantId;
use convene_kit::Scope;
use convene_proto::workflow::v1::{self as wire, RunState, StepState};
use uuid::Uuid;

use crate::{
    HOUR_MS,
    mail::Act,
    world::{World, refusal, step, until},
};

const REMIND: &str = r#"
workflow: remind
on: [booking.booked]
steps:
  - id: confirm
    email: { to: guests, subject: "Hello ${guest.name}", text: "See ${host.name} for ${service.name} at ${booking.start}." }
  - id: day-before
    at: booking.start - duration("24h")
    skipWhenLateBy: 1h
    email: { to: guests, subject: Tomorrow, text: "Soon." }
  - id: hour-before
    at: booking.start - duration("1h")
    email: { to: guests, subject: In an hour, text: "Very soon." }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_told_at_once_and_in_time() {
    let world = World::new().await;
    world.runs(REMIND).await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book_in(&desk, 48 * HOUR_MS).await;
    until("it is confirmed", async || {
        (world.mail.taken().len() == 1).then_some(())
    })
    .await;
    let first = world.mail.taken().remove(0);
    assert_eq!(first.to, "ada@guest.example");
    assert_eq!(first.header("Subject"), "Hello Ada Lovelace");
    assert!(first.text.contains("See Front desk for First visit at 20"));
    assert!(first.header("Message-ID").ends_with("@clinic.example>"));
    // Never early.
    world.advance(24 * HOUR_MS - 60_000);
    let waits = world
        .run_is(&booking, "it waits", |run| run.steps.len() == 2)
        .await;
    assert_eq!(step(&waits, "day-before").state(), StepState::Scheduled);
    assert_eq!(world.mail.taken().len(), 1);
    world.advance(60_000);
    until("a day before", async || {
        (world.mail.taken().len() == 2).then_some(())
    })
    .await;
    world.advance(24 * HOUR_MS);
    let run = world.ended(&booking, RunState::Succeeded).await;
    let subjects: Vec<_> = world
        .mail
        .taken()
        .iter()
        .map(|mail| mail.header("Subject"))
        .collect();
    assert_eq!(subjects[1..], ["Tomorrow", "In an hour"]);
    assert!(
        run.diagram.contains("hour-before (succeeded)"),
        "{}",
        run.diagram
    );
    assert!(
        !format!("{run:?}").contains("Ada"),
        "a run holds nobody's name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_moves_with_its_booking() {
    let world = World::new().await;
    world.runs(REMIND).await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book_in(&desk, 48 * HOUR_MS).await;
    let until_of = |run: &wire::Run| step(run, "day-before").until.unwrap().seconds;
    let scheduled = |run: &wire::Run| run.steps.len() == 2;
    let run = world.run_is(&booking, "it waits", scheduled).await;
    let before = until_of(&run);
    world.reschedule(&desk, &booking, 72 * HOUR_MS).await;
    let day = 24 * HOUR_MS / 1_000;
    let moved = |run: &wire::Run| (until_of(run) - before - day).abs() < 60;
    world.run_is(&booking, "it waits a day longer", moved).await;
    world.advance(24 * HOUR_MS + 60_000);
    // Another booking's confirmation comes after the time that counts no more.
    world.book(&desk).await;
    until("the other is confirmed", async || {
        (world.mail.taken().len() == 2).then_some(())
    })
    .await;
    world.advance(24 * HOUR_MS);
    until("a day before the new time", async || {
        let mut mails = world.mail.taken().into_iter();
        mails.find(|mail| mail.header("Subject") == "Tomorrow")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_late_is_left_out() {
    let world = World::new().await;
    world.runs(REMIND).await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book_in(&desk, 2 * HOUR_MS).await;
    let run = world
        .run_is(&booking, "the last waits", |run| run.steps.len() == 3)
        .await;
    let skipped = step(&run, "day-before");
    assert_eq!(
        (skipped.state(), skipped.reason.as_str()),
        (StepState::Skipped, "TOO_LATE")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_booking_ends_its_runs() {
    let world = World::new().await;
    world.runs(REMIND).await;
    world
        .runs("workflow: goodbye\non: [booking.cancelled]\nsteps:\n  - id: tell\n    http: { url: 'RECEIVER', body: { why: '${trigger.data.reason}' } }")
        .await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book_in(&desk, 48 * HOUR_MS).await;
    until("it waits", async || {
        let runs = world.of(&booking).await;
        runs.first().filter(|run| run.steps.len() == 2).map(drop)
    })
    .await;
    world.cancel(&desk, &booking).await;
    let runs = until("both are over", async || {
        let runs = world.of(&booking).await;
        let over = runs.iter().all(|run| run.state() != RunState::Running);
        (runs.len() == 2 && over).then_some(runs)
    })
    .await;
    assert_eq!(runs[0].state(), RunState::Cancelled);
    assert_eq!(runs[0].reason, "BOOKING_CANCELLED");
    assert_eq!(runs[1].state(), RunState::Succeeded, "{:?}", runs[1]);
    assert_eq!(world.receiver.seen()[0].body["why"], "HOST_IS_ILL");
    let before = world.mail.taken().len();
    world.advance(48 * HOUR_MS);
    // A later booking's confirmation comes, the cancelled one's reminder does not.
    world.book(&desk).await;
    until("the other is confirmed", async || {
        (world.mail.taken().len() == before + 1).then_some(())
    })
    .await;
}

const TELL: &str = "workflow: tell\non: [booking.booked]\nsteps:\n  - id: tell\n    retry: { attempts: 3, pause: 10s }\n    http: { url: 'RECEIVER', body: { booking: '${booking.id}', host: '${host.name}', fixed: [1, true] } }\n  - id: then\n    wait: { for: 1s }";

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_tried_again_under_one_key() {
    let world = World::new().await;
    world.runs(TELL).await;
    world.receiver.script(&[503, 429]);
    let desk = world.desk(world.tenant).await;
    let booking = world.book(&desk).await;
    until("it was tried three times", async || {
        world.advance(10_000);
        (world.receiver.seen().len() == 3).then_some(())
    })
    .await;
    let run = until("it is over", async || {
        world.advance(1_000);
        let run = world.of(&booking).await.remove(0);
        (run.state() == RunState::Succeeded).then_some(run)
    })
    .await;
    assert_eq!(step(&run, "tell").attempts, 2);
    assert_eq!(step(&run, "tell").output, r#"{"status":200}"#);
    let seen = world.receiver.seen();
    assert!(
        seen.iter()
            .all(|one| one.key == seen[0].key && one.body == seen[0].body)
    );
    assert_eq!(seen[0].body["host"], "Front desk");
    assert_eq!(seen[0].body["fixed"], serde_json::json!([1, true]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_goes_on_from_the_failed_step() {
    let world = World::new().await;
    world.runs(TELL).await;
    world.receiver.script(&[400]);
    let desk = world.desk(world.tenant).await;
    let booking = world.book(&desk).await;
    let failed = world.ended(&booking, RunState::Failed).await;
    assert_eq!(
        (failed.failed_step.as_str(), failed.reason.as_str()),
        ("tell", "HTTP_400")
    );
    let message = wire::RetryRunRequest {
        id: failed.id.clone(),
    };
    world
        .workflows()
        .retry_run(world.admin(message))
        .await
        .unwrap();
    until("it is over", async || {
        world.advance(1_000);
        let run = world.of(&booking).await.remove(0);
        (run.state() == RunState::Succeeded).then_some(())
    })
    .await;
    let keys: std::collections::BTreeSet<_> = world
        .receiver
        .seen()
        .into_iter()
        .map(|one| one.key)
        .collect();
    assert_eq!(keys.len(), 1, "what was asked again is the same request");
    let again = wire::RetryRunRequest { id: failed.id };
    let refused = refusal(world.workflows().retry_run(world.admin(again)).await);
    assert_eq!(refused.0, "RUN_NOT_FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_is_refused_for_now_is_sent_again_as_the_same_message() {
    let world = World::new().await;
    world
        .runs("workflow: m\non: [booking.booked]\nsteps:\n  - id: a\n    retry: { attempts: 5, pause: 1s }\n    email: { to: guests, subject: S, text: T }")
        .await;
    world.mail.script(&[Act::Refuse(451), Act::TakeAndDrop]);
    let desk = world.desk(world.tenant).await;
    let booking = world.book(&desk).await;
    until("it is over", async || {
        world.advance(2_000);
        let run = world.of(&booking).await.pop()?;
        (run.state() == RunState::Succeeded).then_some(())
    })
    .await;
    let taken = world.mail.taken();
    assert_eq!(taken.len(), 2, "its answer was lost once");
    assert_eq!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    world.mail.script(&[Act::Refuse(550)]);
    let booking = world.book(&desk).await;
    let failed = world.ended(&booking, RunState::Failed).await;
    assert_eq!(failed.reason, "SMTP_REFUSED");
}

const SIGNALLED: &str = "workflow: s\non: [booking.booked]\nsteps:\n  - id: paid\n    waitFor: { signal: paid, example: { amount: 12 }, for: 1h }\n  - id: how\n    branch:\n      arms:\n        - when: steps.paid.output.happened && steps.paid.output.event.amount > 10\n          steps: [{ id: rich, wait: { for: 0s } }]\n      otherwise: [{ id: poor, wait: { for: 0s } }]";

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_taken_once_and_never_by_another_tenant() {
    let world = World::new().await;
    world.runs(SIGNALLED).await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book(&desk).await;
    let run = world
        .run_is(&booking, "it waits", |run| run.steps.len() == 1)
        .await;
    let signal = |name: &str, key: &str| wire::SignalRunRequest {
        idempotency_key: key.into(),
        id: run.id.clone(),
        name: name.into(),
        data: r#"{"amount": 11}"#.into(),
    };
    let stranger = TenantId::from_uuid(Uuid::now_v7());
    let foreign = world.call(stranger, Scope::Admin, signal("paid", "k"));
    assert_eq!(
        refusal(world.workflows().signal_run(foreign).await).0,
        "NOT_FOUND"
    );
    let app = world.call(world.tenant, Scope::BookingApp, signal("paid", "k"));
    assert_eq!(
        refusal(world.workflows().signal_run(app).await).0,
        "FORBIDDEN"
    );
    let unknown = world.admin(signal("payed", "k"));
    let refused = refusal(world.workflows().signal_run(unknown).await);
    assert_eq!(refused, ("NO_SUCH_SIGNAL".into(), "name".into()));
    for _ in 0..2 {
        let request = world.admin(signal("paid", "k"));
        world.workflows().signal_run(request).await.unwrap();
    }
    let over = world.ended(&booking, RunState::Succeeded).await;
    assert_eq!(step(&over, "rich").state(), StepState::Succeeded);
    let late = world.admin(signal("paid", "other"));
    assert_eq!(
        refusal(world.workflows().signal_run(late).await).0,
        "RUN_OVER"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_keeps_its_version_and_another_is_tried_dry() {
    let world = World::new().await;
    world.runs(SIGNALLED).await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book(&desk).await;
    let run = world
        .run_is(&booking, "it waits", |run| run.steps.len() == 1)
        .await;
    let changed = SIGNALLED.replace("amount > 10", "amount > 100");
    world.runs(&changed).await;
    let message = wire::SignalRunRequest {
        idempotency_key: "k".into(),
        id: run.id.clone(),
        name: "paid".into(),
        data: r#"{"amount": 11}"#.into(),
    };
    world
        .workflows()
        .signal_run(world.admin(message))
        .await
        .unwrap();
    let over = world.ended(&booking, RunState::Succeeded).await;
    assert_eq!(over.version, 1);
    step(&over, "rich");
    let replay = async |version| {
        let message = wire::ReplayRunRequest {
            id: run.id.clone(),
            version,
        };
        let replayed = world.workflows().replay_run(world.admin(message)).await;
        let differences = replayed.unwrap().into_inner().differences;
        differences
            .into_iter()
            .map(|one| (one.step, one.was, one.would_be))
            .collect::<Vec<_>>()
    };
    assert_eq!(replay(1).await, [], "the same version makes the same of it");
    let other = replay(2).await;
    assert_eq!(
        other,
        [
            ("poor".to_owned(), String::new(), "SUCCEEDED".to_owned()),
            ("rich".to_owned(), "SUCCEEDED".to_owned(), String::new()),
        ]
    );
    let message = wire::ReplayRunRequest {
        id: run.id.clone(),
        version: 9,
    };
    let refused = refusal(world.workflows().replay_run(world.admin(message)).await);
    assert_eq!(refused, ("NOT_FOUND".into(), "version".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_can_act_on_its_booking() {
    let world = World::new().await;
    world
        .runs("workflow: off\non: [manual]\nifCancelled: continue\nsteps:\n  - id: off\n    booking: { cancel: nobody came }")
        .await;
    let desk = world.desk(world.tenant).await;
    let booking = world.book(&desk).await;
    let start = |key: &str| wire::StartRunRequest {
        idempotency_key: key.into(),
        workflow: "off".into(),
        booking_id: booking.clone(),
        data: String::new(),
    };
    let run = until("the booking is known", async || {
        world
            .workflows()
            .start_run(world.admin(start("k")))
            .await
            .ok()
    })
    .await;
    let again = world
        .workflows()
        .start_run(world.admin(start("k")))
        .await
        .unwrap();
    assert_eq!(again.into_inner().id, run.into_inner().id);
    world.ended(&booking, RunState::Succeeded).await;
    let refused = world.admin(wire::StartRunRequest {
        data: "[]".into(),
        ..start("other")
    });
    assert_eq!(
        refusal(world.workflows().start_run(refused).await).0,
        "MALFORMED_DATA"
    );
}
