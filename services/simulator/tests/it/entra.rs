//! Tokens and their refusals (Entra's v2.0 endpoint).

use reqwest::Method;
use serde_json::json;

use crate::cloud::{Cloud, answered};

#[tokio::test]
async fn each_wrong_field_has_its_own_number() {
    let cloud = Cloud::new().await;
    for (changed, status, error, number) in [
        (("client_secret", "wrong"), 401, "invalid_client", 7000215),
        (("client_secret", ""), 401, "invalid_client", 7000218),
        (("client_id", "nobody"), 400, "unauthorized_client", 700016),
        (("client_id", ""), 400, "invalid_request", 900144),
        (
            ("grant_type", "password"),
            400,
            "unsupported_grant_type",
            70003,
        ),
        (("grant_type", ""), 400, "invalid_request", 900144),
        (("scope", "User.Read"), 400, "invalid_scope", 1002012),
    ] {
        let (got, body) = cloud.grant(&[changed]).await;
        assert_eq!(
            (got, body["error"].as_str().unwrap()),
            (status, error),
            "{changed:?}"
        );
        assert_eq!(body["error_codes"], json!([number]));
        let text = body["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{number}: ")), "{text}");
    }
    let elsewhere = cloud
        .env
        .graph_token_url
        .replace(&cloud.env.graph_tenant, "nowhere");
    let request = cloud
        .http
        .post(elsewhere)
        .form(&[("grant_type", "client_credentials")]);
    assert_eq!(answered(request).await.1["error_codes"], json!([90002]));
}

#[tokio::test]
async fn the_graph_side_believes_its_own_tokens_until_they_expire() {
    let cloud = Cloud::new().await;
    assert_eq!(cloud.get("/users").await.0, 200);
    let forged = format!("{}x", cloud.token);
    for token in ["", "garbage", "a.b.c", forged.as_str()] {
        let url = format!("{}/users", cloud.env.graph_base);
        let answer = cloud.http.get(url).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{token}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "InvalidAuthenticationToken");
        assert!(body["error"]["innerError"]["request-id"].is_string());
    }
    cloud
        .control(Method::PUT, "clock", json!({"offsetMs": 3_600_000}))
        .await;
    assert_eq!(cloud.get("/users").await.0, 401, "an hour later");
}
