//! Access tokens by the client-credentials grant: asked for once, shared by all, renewed before they end.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{GraphConfig, GraphError, Result, transport};

/// A token that ends within this time is renewed, in seconds.
const MARGIN_S: u64 = 120;
const SCOPE: &str = "https://graph.microsoft.com/.default";

/// The one token of an application.
#[derive(Debug, Default)]
pub struct Tokens {
    current: Mutex<Option<Token>>,
}

#[derive(Clone)]
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
    /// A valid token. Whoever comes while one is being asked for waits for that one.
    pub async fn get(&self, http: &reqwest::Client, config: &GraphConfig) -> Result<SecretString> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|t| t.renew_at > Instant::now()) {
            return Ok(token.secret.clone());
        }
        let granted = grant(http, config).await?;
        // A short-lived token is used for half its life.
        let life = granted.expires_in;
        let usable = life.saturating_sub(MARGIN_S).max(life / 2);
        *current = Some(Token {
            secret: granted.access_token.clone(),
            renew_at: Instant::now() + Duration::from_secs(usable),
        });
        Ok(granted.access_token)
    }

    /// Forgets a token that the API refused, unless another has taken its place.
    pub async fn forget(&self, refused: &SecretString) {
        let mut current = self.current.lock().await;
        let same = |token: &Token| token.secret.expose_secret() == refused.expose_secret();
        if current.as_ref().is_some_and(same) {
            *current = None;
        }
    }
}

async fn grant(http: &reqwest::Client, config: &GraphConfig) -> Result<Granted> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &config.client_id),
        ("client_secret", config.client_secret.expose_secret()),
        ("scope", SCOPE),
    ];
    let request = http.post(&config.token_url).form(&form);
    let response = request.send().await.map_err(transport::not_answered)?;
    let status = response.status();
    if status.is_success() {
        let body = transport::body(response, config.response_bytes_max).await?;
        return serde_json::from_slice(&body)
            .map_err(|_| GraphError::Malformed("token answer".into()));
    }
    if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
        // Asking for a token has no effect that could be doubled.
        return Err(GraphError::Throttled {
            retry_after: transport::retry_after(&response),
        });
    }
    let body = transport::body(response, config.response_bytes_max).await?;
    let code = serde_json::from_slice::<Denied>(&body)
        .ok()
        .and_then(|denied| denied.error_codes.first().copied());
    Err(GraphError::Unauthorized {
        code: code.map_or_else(|| status.as_u16().to_string(), |n| format!("AADSTS{n}")),
    })
}
