//! Entra's token endpoint, and what Graph makes of tokens.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as URL},
};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

use crate::desk::{Desk, send};

#[tokio::test]
async fn a_token_is_a_signed_jwt_that_the_published_key_verifies() {
    let desk = Desk::new().await;
    let reply = desk.ask_token(&desk.token_form()).await;
    let answer = reply.with(200);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3_599);
    assert_eq!(reply.header("cache-control"), "no-store");
    let token = answer["access_token"].as_str().unwrap();
    let (body, signature) = token.rsplit_once('.').unwrap();
    let claims = URL.decode(body.split_once('.').unwrap().1).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert_eq!(claims["tid"], desk.env.graph_tenant);
    assert_eq!(claims["appid"], desk.env.graph_client_id);

    let tenant = format!("{}/{}", desk.env.graph_authority, desk.env.graph_tenant);
    let url = format!("{tenant}/v2.0/.well-known/openid-configuration");
    let configuration = send(desk.http.get(url)).await.with(200);
    assert_eq!(configuration["token_endpoint"], desk.env.graph_token_url);
    assert_eq!(configuration["issuer"], claims["iss"]);
    let keys = configuration["jwks_uri"].as_str().unwrap();
    let keys = send(desk.http.get(keys)).await.with(200);
    let public = URL.decode(keys["keys"][0]["x"].as_str().unwrap()).unwrap();
    UnparsedPublicKey::new(&ED25519, public)
        .verify(body.as_bytes(), &URL.decode(signature).unwrap())
        .unwrap();
}

#[tokio::test]
async fn the_secret_may_come_by_basic_authentication() {
    let desk = Desk::new().await;
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let env = &desk.env;
    let request = desk.http.post(&env.graph_token_url).form(&form);
    let good = request.basic_auth(&env.graph_client_id, Some(&env.graph_client_secret));
    send(good).await.with(200);
    let request = desk.http.post(&env.graph_token_url).form(&form);
    let bad = send(request.basic_auth(&env.graph_client_id, Some("x"))).await;
    assert_eq!(bad.with(401)["error_codes"][0], 7_000_215);
}

#[tokio::test]
async fn each_mistake_has_its_number() {
    let desk = Desk::new().await;
    let cases: [(&str, Option<&str>, u16, &str, u32); 9] = [
        (
            "client_secret",
            Some("wrong"),
            401,
            "invalid_client",
            7_000_215,
        ),
        ("client_secret", None, 401, "invalid_client", 7_000_218),
        (
            "client_id",
            Some("another"),
            400,
            "unauthorized_client",
            700_016,
        ),
        ("client_id", None, 400, "invalid_request", 900_144),
        (
            "grant_type",
            Some("password"),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        ("grant_type", None, 400, "invalid_request", 900_144),
        ("scope", Some("User.Read"), 400, "invalid_scope", 1_002_012),
        (
            "scope",
            Some("https://other.example/.default"),
            400,
            "invalid_scope",
            70_011,
        ),
        ("scope", None, 400, "invalid_request", 900_144),
    ];
    for (field, value, status, error, number) in cases {
        let mut form = desk.token_form();
        form.retain(|(name, _)| *name != field);
        form.extend(value.map(|value| (field, value.to_owned())));
        let answer = desk.ask_token(&form).await.with(status);
        assert_eq!(answer["error"], error, "{field} {value:?}");
        assert_eq!(answer["error_codes"][0], number, "{field} {value:?}");
        let text = answer["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{number}: ")), "{text}");
        for part in ["Trace ID: ", "Correlation ID: ", "Timestamp: "] {
            assert!(text.contains(part), "{text}");
        }
        assert!(answer["trace_id"].is_string() && answer["error_uri"].is_string());
    }
    let url = desk
        .env
        .graph_token_url
        .replace(&desk.env.graph_tenant, "nowhere");
    let foreign = send(desk.http.post(url).form(&desk.token_form())).await;
    assert_eq!(foreign.with(400)["error_codes"][0], 90_002);
    let got = send(desk.http.get(&desk.env.graph_token_url)).await;
    assert_eq!(got.with(400)["error_codes"][0], 900_561);
    let not_a_form = desk.http.post(&desk.env.graph_token_url).body("{");
    assert_eq!(send(not_a_form).await.with(400)["error_codes"][0], 900_144);
    // A query on the address changes nothing: MSAL for Node sends one.
    let url = format!("{}?client-request-id=x", desk.env.graph_token_url);
    send(desk.http.post(url).form(&desk.token_form()))
        .await
        .with(200);
}

#[tokio::test]
async fn graph_opens_for_a_good_token_only() {
    let desk = Desk::new().await;
    let url = format!("{}/users", desk.env.graph_base);
    let get = || desk.http.get(&url);
    send(get().bearer_auth(&desk.token)).await.with(200);
    // The scheme has no case.
    let lower = get().header("authorization", format!("bearer {}", desk.token));
    send(lower).await.with(200);

    let (body, signature) = desk.token.rsplit_once('.').unwrap();
    let (head, claims) = body.split_once('.').unwrap();
    let claims = String::from_utf8(URL.decode(claims).unwrap()).unwrap();
    let later = claims.replace("\"exp\":", "\"exp\":9");
    assert_ne!(claims, later);
    let forged = format!("{head}.{}.{signature}", URL.encode(later));
    let basic = STANDARD.encode("a:b");
    for (wrong, what) in [
        (None, "none"),
        (Some("Bearer".to_owned()), "only the scheme"),
        (Some("Bearer ".to_owned()), "an empty one"),
        (Some(format!("Basic {basic}")), "another scheme"),
        (Some("Bearer abc".to_owned()), "no JWT"),
        (Some("Bearer a.b.c".to_owned()), "three parts of nothing"),
        (Some(format!("Bearer {forged}")), "a forged life"),
        (
            Some(format!("Bearer {body}.{}", URL.encode([0; 64]))),
            "a wrong signature",
        ),
    ] {
        let request = match wrong {
            Some(value) => get().header("authorization", value),
            None => get(),
        };
        let reply = send(request).await;
        assert_eq!(reply.status, 401, "{what}");
        reply.refused(401, "InvalidAuthenticationToken");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    desk.advance(3_600_000).await;
    desk.get("/users")
        .await
        .refused(401, "InvalidAuthenticationToken");
    let fresh = desk.fresh_token().await;
    send(get().bearer_auth(fresh)).await.with(200);
}

#[tokio::test]
async fn a_token_of_another_simulator_does_not_open_this_one() {
    let desk = Desk::new().await;
    let other = Desk::with(convene_simulator::SimulatorConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        seed: 2,
        ..convene_simulator::SimulatorConfig::default()
    })
    .await;
    assert_ne!(desk.env.graph_client_secret, other.env.graph_client_secret);
    let url = format!("{}/users", desk.env.graph_base);
    let reply = send(desk.http.get(url).bearer_auth(&other.token)).await;
    reply.refused(401, "InvalidAuthenticationToken");
}
