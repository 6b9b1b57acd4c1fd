//! Workflows over the public API: published, switched on, run with what happens to a booking.

use convene_tests::{Booked, Cast, SetUp, World, reason, until};
use serde_json::{Value, json};

use crate::DAY_MS;

crate::on_every_world!(
    a_workflow_calls_off_what_nobody_came_to,
    a_guest_who_comes_brings_the_run_on,
    a_bad_definition_is_answered_with_its_line,
);
crate::on_replicas!(a_workflow_calls_off_what_nobody_came_to);

const HOUR_MS: i64 = 3_600_000;

/// A template that comes with Convene, published and switched on as it is.
pub async fn use_template(world: &World, name: &str) {
    let templates = "{ workflowTemplates { name source } }";
    let templates = world.admin.call(templates, json!({})).await.unwrap();
    let templates = templates["workflowTemplates"].as_array().unwrap().clone();
    let template = templates.iter().find(|template| template["name"] == name);
    publish(world, &template.unwrap()["source"]).await;
}

/// Publishes a definition and switches it on.
async fn publish(world: &World, source: &Value) {
    let query = "mutation($source: String!) { publishWorkflow(input: { source: $source }) { workflow { name newestVersion } refusal { reason message } } }";
    let published = world.admin.call(query, json!({ "source": source })).await;
    let published = published.unwrap();
    assert_eq!(reason(&published, "publishWorkflow"), "", "{published}");
    let name = &published["publishWorkflow"]["workflow"]["name"];
    let query = "mutation($name: String!) { activateWorkflow(input: { name: $name }) { workflow { activeVersion } refusal { reason } } }";
    let active = world
        .admin
        .call(query, json!({ "name": name }))
        .await
        .unwrap();
    assert_eq!(reason(&active, "activateWorkflow"), "");
}

/// The runs about a booking, newest first.
pub async fn runs(world: &World, booked: &Booked) -> Vec<Value> {
    let query = "query($id: ID!) { workflowRuns(bookingId: $id) { edges { node { id workflow version state reason trigger steps { id state reason } } } } }";
    let found = world
        .admin
        .call(query, json!({ "id": booked.id }))
        .await
        .unwrap();
    let edges = found["workflowRuns"]["edges"].as_array().unwrap().clone();
    edges
        .into_iter()
        .map(|mut edge| edge["node"].take())
        .collect()
}

async fn run_is(world: &World, booked: &Booked, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, || async {
        let runs = runs(world, booked).await;
        runs.into_iter().find(|run| is(run))
    })
    .await
}

/// Nobody comes to a booking with the template for that; how its people see it in the end.
pub async fn nobody_came(world: &World) -> Value {
    let cast = Cast::new(world, 1).await;
    use_template(world, "no-show").await;
    let booked = cast.book(world, DAY_MS, 1).await;
    run_is(world, &booked, "the run waits", |run| {
        run["steps"][0]["state"] == "WAITING"
    })
    .await;
    world.advance_beyond(DAY_MS + HOUR_MS / 2).await;
    let seen = cast.until(&booked, "/booking/state", "CANCELLED").await;
    cast.until(&booked, "/booking/lobby/state", "CLOSED").await;
    let run = run_is(world, &booked, "the run is over", |run| {
        run["state"] != "RUNNING"
    })
    .await;
    world.drained().await;
    json!([
        seen["booking"]["state"],
        run["workflow"],
        run["trigger"],
        run["steps"][0],
        run["steps"][1]["id"]
    ])
}

async fn a_workflow_calls_off_what_nobody_came_to(set_up: SetUp) {
    let world = World::open(set_up).await;
    let seen = nobody_came(&world).await;
    assert_eq!(
        seen[3],
        json!({ "id": "came", "state": "SUCCEEDED", "reason": null })
    );
    assert_eq!(seen[4], "call-off");
    world.audited().await;
}

const ARRIVAL: &str = "workflow: arrival\non: [booking.booked]\nsteps:\n  - id: came\n    waitFor: { event: visit.arrived, until: booking.end }\n  - id: decide\n    branch:\n      arms:\n        - when: steps.came.output.happened\n          steps: [{ id: greeted, waitFor: { signal: greeted } }]";

async fn a_guest_who_comes_brings_the_run_on(set_up: SetUp) {
    let world = World::open(set_up).await;
    let cast = Cast::new(&world, 1).await;
    publish(&world, &json!(ARRIVAL)).await;
    let booked = cast.book(&world, DAY_MS, 1).await;
    let guest = cast.arrive(&booked, 0).await;
    let waits = |run: &Value| {
        let steps = run["steps"].as_array().unwrap();
        steps
            .iter()
            .any(|step| step["id"] == "greeted" && step["state"] == "WAITING")
    };
    let run = run_is(&world, &booked, "the run waits for the signal", waits).await;
    let query = "mutation($run: ID!, $key: String!) { signalWorkflowRun(input: { runId: $run, name: \"greeted\", idempotencyKey: $key, data: { by: \"desk\" } }) { run { state } refusal { reason } } }";
    let signal = json!({ "run": run["id"], "key": booked.id });
    let foreign = cast.app.call(query, signal.clone()).await.unwrap_err();
    assert_eq!(foreign.reason, "FORBIDDEN", "{foreign:?}");
    let guests = guest.client.call(query, signal.clone()).await.unwrap_err();
    assert_eq!(guests.reason, "FORBIDDEN", "{guests:?}");
    let signalled = world.admin.call(query, signal).await.unwrap();
    assert_eq!(reason(&signalled, "signalWorkflowRun"), "");
    let run = run_is(&world, &booked, "the run is over", |run| {
        run["state"] == "SUCCEEDED"
    })
    .await;
    let query = "query($id: ID!) { node(id: $id) { ... on WorkflowRun { diagram bookingId steps { id output } } } replayWorkflowRun(id: $id, version: 1) { step } }";
    let shown = world
        .admin
        .call(query, json!({ "id": run["id"] }))
        .await
        .unwrap();
    assert!(
        shown["node"]["diagram"]
            .as_str()
            .unwrap()
            .starts_with("gantt")
    );
    assert_eq!(shown["node"]["bookingId"], json!(booked.id));
    let greeted = shown["node"]["steps"].as_array().unwrap();
    let greeted = greeted.iter().find(|step| step["id"] == "greeted").unwrap();
    assert_eq!(greeted["output"]["event"], json!({ "by": "desk" }));
    assert_eq!(shown["replayWorkflowRun"], json!([]));
}

async fn a_bad_definition_is_answered_with_its_line(set_up: SetUp) {
    let world = World::open(set_up).await;
    let source = ARRIVAL.replace("booking.end", "booking.id");
    let query = "query($source: String!) { checkWorkflow(source: $source) { line path message } }";
    let checked = world
        .admin
        .call(query, json!({ "source": source }))
        .await
        .unwrap();
    let problem = &checked["checkWorkflow"][0];
    assert_eq!(
        (problem["line"].as_u64(), problem["path"].as_str()),
        (Some(4), Some("steps.came.waitFor.until")),
        "{checked}"
    );
    let query = "mutation($source: String!) { publishWorkflow(input: { source: $source }) { workflow { name } refusal { reason field message } } }";
    let refused = world
        .admin
        .call(query, json!({ "source": source }))
        .await
        .unwrap();
    let refusal = &refused["publishWorkflow"]["refusal"];
    assert_eq!(
        (refusal["reason"].as_str(), refusal["field"].as_str()),
        (Some("INVALID_WORKFLOW"), Some("source"))
    );
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .starts_with("line 4: steps.came"),
        "{refusal}"
    );
    let clean = world
        .admin
        .call("{ workflows { name } }", json!({}))
        .await
        .unwrap();
    assert_eq!(clean["workflows"], json!([]));
}
