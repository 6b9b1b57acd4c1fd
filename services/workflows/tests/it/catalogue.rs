//! Publishing and switching on.

use convene_proto::workflow::v1::{self as wire, RunState};

use crate::world::{World, refusal};

const ONE: &str =
    "workflow: one\ntitle: First\non: [booking.booked]\nsteps:\n  - { id: a, wait: { for: 0s } }";

#[tokio::test(flavor = "multi_thread")]
async fn versions_rise_and_the_same_source_is_the_same_version() {
    let world = World::new().await;
    let first = world.publish(ONE).await;
    assert_eq!(
        (first.newest, first.active, first.versions.len()),
        (1, 0, 1)
    );
    assert_eq!(world.publish(ONE).await, first);
    let second = world.publish(&ONE.replace("First", "Second")).await;
    assert_eq!(
        (second.newest, second.versions[0].title.as_str()),
        (2, "Second")
    );
    assert_eq!(second.versions[1].source, ONE);
    let activate = |version| wire::ActivateWorkflowRequest {
        name: "one".into(),
        version,
        service_ids: Vec::new(),
    };
    let active = world
        .workflows()
        .activate_workflow(world.admin(activate(1)))
        .await;
    assert_eq!(active.unwrap().into_inner().active, 1);
    let unknown = world
        .workflows()
        .activate_workflow(world.admin(activate(3)))
        .await;
    assert_eq!(refusal(unknown), ("NOT_FOUND".into(), "version".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_definition_is_refused_with_its_line() {
    let world = World::new().await;
    let source = ONE.replace("0s", "soon");
    let message = wire::PublishWorkflowRequest {
        source: source.clone(),
    };
    let refused = world
        .workflows()
        .publish_workflow(world.admin(message))
        .await;
    assert!(
        refused
            .as_ref()
            .unwrap_err()
            .message()
            .contains("line 5: steps.a.wait.for"),
        "{refused:?}"
    );
    assert_eq!(
        refusal(refused),
        ("INVALID_WORKFLOW".into(), "source".into())
    );
    let message = wire::CheckWorkflowRequest { source };
    let checked = world
        .workflows()
        .check_workflow(world.admin(message))
        .await
        .unwrap();
    assert_eq!(
        checked.into_inner().problems.len(),
        2,
        "what it is, and that it has to be there"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_for_the_services_that_it_is_bound_to() {
    let world = World::new().await;
    let (desk, other) = (
        world.desk(world.tenant).await,
        world.other_service(world.tenant).await,
    );
    world.publish(ONE).await;
    let message = wire::ActivateWorkflowRequest {
        name: "one".into(),
        version: 0,
        service_ids: vec![other.service().to_owned()],
    };
    world
        .workflows()
        .activate_workflow(world.admin(message))
        .await
        .unwrap();
    let elsewhere = world.book(&desk).await;
    let there = world.book(&other).await;
    world.ended(&there, RunState::Succeeded).await;
    assert!(
        world.of(&elsewhere).await.is_empty(),
        "it came before the other"
    );
    let message = wire::DeactivateWorkflowRequest { name: "one".into() };
    let off = world
        .workflows()
        .deactivate_workflow(world.admin(message))
        .await;
    assert_eq!(off.unwrap().into_inner().active, 0);
}
