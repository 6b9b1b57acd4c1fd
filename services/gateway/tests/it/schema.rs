//! The schema explains itself.

use serde_json::{Value, json};

use crate::world::World;

const INTROSPECTION: &str = "{ __schema { types { kind name description
    fields(includeDeprecated: true) { name description }
    inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn every_type_and_field_is_described() {
    let world = World::new().await;
    let seen = world.data(&world.admin, INTROSPECTION, json!({})).await;
    let types = seen["__schema"]["types"].as_array().unwrap();
    assert!(types.len() > 50);
    let mut bare = Vec::new();
    let described = |thing: &Value| thing["description"].as_str().is_some_and(|d| d.len() > 1);
    for of in types {
        let name = of["name"].as_str().unwrap();
        if name.starts_with("__") || of["kind"] == "SCALAR" {
            continue;
        }
        // Connections are Relay's: what they are is written there.
        if !described(of) && !name.ends_with("Connection") {
            bare.push(name.to_owned());
        }
        for members in ["fields", "inputFields", "enumValues"] {
            for member in of[members].as_array().into_iter().flatten() {
                if !described(member) {
                    bare.push(format!("{name}.{}", member["name"]));
                }
            }
        }
    }
    assert!(bare.is_empty(), "without description: {bare:?}");
    world.stop().await.0.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_and_the_explorer_need_no_credential_and_no_network() {
    let world = World::new().await;
    let get = async |path: &str| {
        let response = world.http().get(format!("{}{path}", world.url)).send();
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    };
    assert_eq!(get("/schema.graphql").await, convene_gateway::sdl());
    assert_eq!(get("/health").await, "ok");
    let page = get("/graphiql").await;
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "nothing comes from elsewhere"
    );
    // What the explorer asks to list the schema passes the limits.
    let start = page.find("query Schema").unwrap();
    let end = start + page[start..].find('`').unwrap();
    let schema = world.data(&world.admin, &page[start..end], json!({})).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 50);
    world.stop().await.0.unwrap();
}
