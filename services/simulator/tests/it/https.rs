//! The same world over HTTPS, with an authority of the simulator's own.

use std::path::Path;

use convene_simulator::{Https, Simulator, SimulatorConfig, SimulatorError};
use reqwest::{Certificate, Client};
use serde_json::Value;

use crate::desk::{Desk, Reply, client, send};

fn config(folder: &Path) -> SimulatorConfig {
    let listen = ([127, 0, 0, 1], 0).into();
    SimulatorConfig {
        listen,
        https: Some(Https {
            listen,
            folder: folder.to_owned(),
        }),
        ..SimulatorConfig::default()
    }
}

async fn env(desk: &Desk, scheme: &str) -> Reply {
    let url = format!("{}/_simulator/env", desk.simulator.base_url());
    send(desk.http.get(url).query(&[("scheme", scheme)])).await
}

fn trusting(env: &Value) -> Client {
    let file = env["GRAPH_CA"].as_str().unwrap();
    let ca = Certificate::from_pem(&std::fs::read(file).unwrap()).unwrap();
    let builder = Client::builder().no_proxy().tls_certs_only([ca]);
    builder.build().unwrap()
}

fn form(env: &Value) -> [(&'static str, String); 4] {
    let text = |name: &str| env[name].as_str().unwrap().to_owned();
    [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", text("GRAPH_CLIENT_ID")),
        ("client_secret", text("GRAPH_CLIENT_SECRET")),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ]
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_gets_the_same_world() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::with(config(&folder.path().join("tls"))).await;
    let env = env(&desk, "https").await.with(200);
    let base = desk.simulator.https_url().unwrap();
    assert_eq!(env["GRAPH_BASE"], format!("{base}/v1.0"));
    assert_eq!(env["GRAPH_AUTHORITY"], base);
    let http = trusting(&env);
    let url = env["GRAPH_TOKEN_URL"].as_str().unwrap();
    let token = send(http.post(url).form(&form(&env))).await.with(200);
    let token = token["access_token"].as_str().unwrap();

    desk.online_event("Visit").await;
    desk.online_event("Visit").await;
    // By either name of loopback; the links in answers keep it, because tokens go to trusted hosts only.
    for base in [base.clone(), base.replace("127.0.0.1", "localhost")] {
        let url = format!("{base}/v1.0{}?$top=1", desk.host("/events"));
        let page = send(http.get(&url).bearer_auth(token)).await.with(200);
        let next = page["@odata.nextLink"].as_str().unwrap();
        assert!(next.starts_with(&base), "{next}");
        let page = send(http.get(next).bearer_auth(token)).await.with(200);
        assert_eq!(page["value"].as_array().unwrap().len(), 1);
        let tenant = env["GRAPH_TENANT"].as_str().unwrap();
        let url = format!("{base}/{tenant}/v2.0/.well-known/openid-configuration");
        let openid = send(http.get(url)).await.with(200);
        assert!(openid["issuer"].as_str().unwrap().starts_with(&base));
    }
    let stranger = client().get(format!("{base}/_simulator/health")).send();
    assert!(stranger.await.is_err(), "nobody else signs for it");
    desk.simulator.shutdown().await;
    assert!(http.get(&base).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn certificates_are_kept_and_their_key_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let tls = folder.path().join("tls");
    let desk = Desk::with(config(&tls)).await;
    let http = trusting(&env(&desk, "https").await.with(200));
    desk.simulator.shutdown().await;
    let desk = Desk::with(config(&tls)).await;
    let health = format!("{}/_simulator/health", desk.simulator.https_url().unwrap());
    assert_eq!(send(http.get(health)).await.status, 200, "trusted before");
    let mode = std::fs::metadata(tls.join("server.pem")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    let ca = std::fs::read_to_string(tls.join("ca.pem")).unwrap();
    assert!(!ca.contains("PRIVATE"), "the authority's key is nowhere");

    std::fs::write(tls.join("server.pem"), "nonsense").unwrap();
    let broken = Simulator::start(config(&tls)).await.unwrap_err();
    assert!(matches!(broken, SimulatorError::Tls(..)), "{broken}");
}

#[tokio::test]
async fn without_it_the_environment_is_of_plain_http() {
    let desk = Desk::new().await;
    let plain = env(&desk, "https").await.with(200);
    assert_eq!(plain["GRAPH_BASE"], desk.env.graph_base);
    assert_eq!(plain["GRAPH_CA"], "");
    env(&desk, "gopher").await.with(400);
}

#[tokio::test]
async fn a_client_may_ask_to_be_throttled_for_some_attempts() {
    let desk = Desk::new().await;
    let header = desk.env.graph_throttle_header.as_str();
    let attempt = async |number: &str| {
        let request = desk.request(reqwest::Method::GET, "/users");
        let request = request.header(header, "2").header("Retry-Attempt", number);
        send(request).await
    };
    let reply = attempt("0").await;
    reply.refused(429, "TooManyRequests");
    assert_eq!(reply.header("retry-after"), "1");
    attempt("1").await.with(429);
    attempt("2").await.with(200);
}
