//! Access tokens by the client-credentials grant: asked for once, shared by all, renewed before they end.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{GraphConfig, GraphError, Heard, Result, problem, transport};

/// A token that ends within this time is renewed, in seconds.
const MARGIN_S: u64 = 120;
/// Longest use of a token, whatever the answer says, in seconds.
const LIFE_S_MAX: u64 = 24 * 60 * 60;
const SCOPE: &str = "https://graph.microsoft.com/.default";

/// The one token of an application.
#[derive(Debug, Default)]
pub struct Tokens {
    current: Mutex<Current>,
    /// Grants asked for and answered, well or badly.
    rounds: AtomicU64,
}

#[derive(Debug, Default)]
struct Current {
    token: Option<Token>,
    /// How the last round failed.
    failure: Option<GraphError>,
}

struct Token {
    secret: SecretString,
    renew_at: Instant,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Denied {
    #[serde(default)]
    error_codes: Vec<u32>,
}

impl Tokens {
    /// A valid token. Whoever comes while one is being asked for waits for that one, and shares the failure too: otherwise each would wait for a time-out of its
    /// own, one after the other.
    pub async fn get(&self, http: &reqwest::Client, config: &GraphConfig) -> Result<SecretString> {
        let round = self.rounds.load(Ordering::SeqCst);
        let mut current = self.current.lock().await;
        let valid = |token: &&Token| token.renew_at > Instant::now();
        if let Some(token) = current.token.as_ref().filter(valid) {
            return Ok(token.secret.clone());
        }
        if self.rounds.load(Ordering::SeqCst) != round
            && let Some(failure) = &current.failure
        {
            return Err(failure.clone());
        }
        let granted = grant(http, config, &mut None).await;
        self.rounds.fetch_add(1, Ordering::SeqCst);
        current.failure = granted.as_ref().err().cloned();
        Ok(current.keep(granted?))
    }

    /// A new token in place of the one in use, which stays when there is none. `heard` is what the answer told beside.
    pub async fn renew(
        &self,
        http: &reqwest::Client,
        config: &GraphConfig,
        heard: &mut Option<Heard>,
    ) -> Result<SecretString> {
        // Nobody waits for it: the one in use may be good.
        let granted = grant(http, config, heard).await?;
        Ok(self.current.lock().await.keep(granted))
    }

    /// Forgets a token that the API refused, unless another has taken its place.
    pub async fn forget(&self, refused: &SecretString) {
        let mut current = self.current.lock().await;
        let same = |token: &Token| token.secret.expose_secret() == refused.expose_secret();
        if current.token.as_ref().is_some_and(same) {
            current.token = None;
        }
    }
}

impl Current {
    /// A short-lived token is used for half its life.
    fn keep(&mut self, granted: Granted) -> SecretString {
        let life = granted.expires_in.min(LIFE_S_MAX);
        let usable = life.saturating_sub(MARGIN_S).max(life / 2);
        self.token = Some(Token {
            secret: granted.access_token.clone(),
            renew_at: Instant::now() + Duration::from_secs(usable),
        });
        granted.access_token
    }
}

/// Asking for a token has no effect that could be doubled, so a lost answer is *not reachable*, never *outcome unknown*.
async fn grant(
    http: &reqwest::Client,
    config: &GraphConfig,
    heard: &mut Option<Heard>,
) -> Result<Granted> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &config.client_id),
        ("client_secret", config.client_secret.expose_secret()),
        ("scope", SCOPE),
    ];
    let request = http
        .post(&config.token_url)
        .timeout(Duration::from_millis(config.timeout_ms))
        .form(&form);
    let unreachable = |error| GraphError::Unavailable(format!("token: {}", problem::cause(error)));
    let began = Instant::now();
    let response = request.send().await.map_err(unreachable)?;
    *heard = Some(Heard::of(&response, began));
    let status = response.status();
    let retry_after = problem::retry_after(&response);
    if problem::is_throttled(status, retry_after) {
        return Err(GraphError::Throttled { retry_after });
    }
    if status.is_server_error() {
        let text = format!("token: status {}", status.as_u16());
        return Err(GraphError::Unavailable(text));
    }
    let body = transport::body(response, config.response_bytes_max)
        .await
        .map_err(|error| match error {
            GraphError::UnknownOutcome(cause) => GraphError::Unavailable(format!("token: {cause}")),
            other => other,
        });
    if status.is_success() {
        return serde_json::from_slice(&body?)
            .ok()
            .filter(|granted: &Granted| is_token(granted.access_token.expose_secret()))
            .ok_or_else(|| GraphError::Malformed("token answer".into()));
    }
    let code = serde_json::from_slice::<Denied>(&body.unwrap_or_default())
        .ok()
        .and_then(|denied| denied.error_codes.first().copied());
    Err(GraphError::Unauthorized {
        code: code.map_or_else(|| status.as_u16().to_string(), |n| format!("AADSTS{n}")),
    })
}

/// What can stand in an `Authorization` header (`b64token` of RFC 6750, section 2.1, taken generously).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())
}
