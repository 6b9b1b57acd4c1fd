//! JSON batching.

use serde_json::{Value, json};

use crate::desk::{Desk, online};

fn request(id: u32, method: &str, url: &str) -> Value {
    json!({"id": id.to_string(), "method": method, "url": url})
}

fn with_body(mut request: Value, body: Value) -> Value {
    request["headers"] = json!({"Content-Type": "application/json"});
    request["body"] = body;
    request
}

async fn batch(desk: &Desk, requests: Vec<Value>) -> Value {
    let reply = desk.post("/$batch", json!({"requests": requests})).await;
    reply.with(200)
}

fn answer<'a>(answers: &'a Value, id: &str) -> &'a Value {
    let answers = answers["responses"].as_array().unwrap();
    answers.iter().find(|answer| answer["id"] == id).unwrap()
}

#[tokio::test]
async fn each_request_has_its_own_answer() {
    let desk = Desk::new().await;
    let events = desk.host("/events");
    let answers = batch(
        &desk,
        vec![
            with_body(request(1, "POST", &events), online("Batched")),
            request(2, "GET", "/users/nobody"),
            request(3, "get", &format!("{}/users?$top=1", desk.env.graph_base)),
            with_body(request(4, "POST", &events), json!({"subject": "no times"})),
        ],
    )
    .await;
    assert_eq!(answer(&answers, "1")["status"], 201);
    assert_eq!(answer(&answers, "1")["body"]["subject"], "Batched");
    let missing = answer(&answers, "2");
    assert_eq!(missing["status"], 404);
    assert_eq!(missing["body"]["error"]["code"], "Request_ResourceNotFound");
    let users = answer(&answers, "3");
    assert_eq!(users["body"]["value"].as_array().unwrap().len(), 1);
    let kind = users["headers"]["Content-Type"].as_str().unwrap();
    assert!(kind.starts_with("application/json"));
    let next = users["body"]["@odata.nextLink"].as_str().unwrap();
    assert!(next.starts_with(&desk.env.graph_base), "{next}");
    assert_eq!(answer(&answers, "4")["status"], 400);
    assert_eq!(desk.summary().await["createdEvents"], 1);
}

#[tokio::test]
async fn a_request_waits_for_those_it_depends_on() {
    let desk = Desk::new().await;
    let events = desk.host("/events");
    let mut after = request(2, "GET", &events);
    after["dependsOn"] = json!(["1"]);
    let mut never = with_body(request(4, "POST", &events), online("Never"));
    never["dependsOn"] = json!(["3"]);
    let mut nor = request(5, "GET", &events);
    nor["dependsOn"] = json!(["4"]);
    let made = with_body(request(1, "POST", &events), online("First"));
    let fails = request(3, "GET", "/users/nobody");
    let answers = batch(&desk, vec![made, after, fails, never, nor]).await;
    let seen = &answer(&answers, "2")["body"]["value"];
    assert_eq!(seen.as_array().unwrap().len(), 1);
    for id in ["4", "5"] {
        let answer = answer(&answers, id);
        assert_eq!(answer["status"], 424);
        assert_eq!(answer["body"]["error"]["code"], "FailedDependency");
    }
    assert_eq!(desk.summary().await["createdEvents"], 1);
}

#[tokio::test]
async fn one_item_may_be_throttled_or_lost() {
    let desk = Desk::new().await;
    let events = desk.host("/events");
    for action in [
        json!({"throttle": {"retryAfter": 2.5}}),
        json!("dropBefore"),
    ] {
        let rule = json!({"pathContains": "/events", "times": 1, "action": action});
        desk.fault(rule).await;
    }
    let create = |id| with_body(request(id, "POST", &events), online("Visit"));
    let mut second = create(2);
    second["dependsOn"] = json!([]);
    let answers = batch(&desk, vec![create(1), second, create(3)]).await;
    let answers = answers["responses"].as_array().unwrap();
    let status = |status: u16| answers.iter().find(|answer| answer["status"] == status);
    assert_eq!(status(429).unwrap()["headers"]["Retry-After"], "2.5");
    assert!(
        status(504).is_some() && status(201).is_some(),
        "{answers:?}"
    );
    assert_eq!(desk.summary().await["createdEvents"], 1);
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_whole() {
    let desk = Desk::new().await;
    let get = |id| request(id, "GET", "/users");
    let mut ahead = get(1);
    ahead["dependsOn"] = json!(["2"]);
    let mut bodied = get(1);
    bodied["body"] = json!({});
    for requests in [
        json!({}),
        json!({"requests": {}}),
        json!({"requests": (0..21).map(get).collect::<Vec<_>>()}),
        json!({"requests": [get(1), get(1)]}),
        json!({"requests": [ahead, get(2)]}),
        json!({"requests": [bodied]}),
        json!({"requests": [{"id": "1", "method": "GET"}]}),
        json!({"requests": [request(1, "GET", "https://elsewhere.example/x")]}),
        json!({"requests": [request(1, "POST", "/$batch")]}),
        json!({"requests": [7]}),
    ] {
        let reply = desk.post("/$batch", requests.clone()).await;
        reply.refused(400, "BadRequest");
    }
    let twenty = (0..20).map(get).collect::<Vec<_>>();
    let answers = batch(&desk, twenty).await;
    assert_eq!(answers["responses"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_batch_needs_a_token_and_its_requests_are_logged() {
    let desk = Desk::new().await;
    let url = format!("{}/$batch", desk.env.graph_base);
    let bare = desk.http.post(url).json(&json!({"requests": []}));
    let refused = crate::desk::send(bare).await;
    refused.refused(401, "InvalidAuthenticationToken");
    batch(&desk, vec![request(1, "GET", "/users")]).await;
    let log = desk.control(reqwest::Method::GET, "requests", None).await;
    let log = log.with(200);
    let paths = log.as_array().unwrap().iter().map(|entry| &entry["path"]);
    let paths: Vec<_> = paths
        .filter(|path| path.as_str().unwrap().starts_with("/v1.0"))
        .collect();
    assert_eq!(paths, ["/v1.0/$batch", "/v1.0/$batch", "/v1.0/users"]);
}
