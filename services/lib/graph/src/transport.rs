//! One request: token, bounds, and the sorting of what comes back.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tracing::Instrument as _;

use crate::{GraphConfig, GraphError, Result, error, token::Tokens};

/// A client for one application. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Graph {
    pub(crate) config: GraphConfig,
    http: reqwest::Client,
    tokens: Tokens,
}

/// What to send. `route` is the path's template: paths hold ids, and filters hold links, so neither is logged.
pub(crate) struct Send<'a> {
    pub method: Method,
    pub route: &'static str,
    pub url: String,
    pub query: &'a [(&'a str, &'a str)],
    pub body: Option<&'a Value>,
}

impl<'a> Send<'a> {
    pub fn new(method: Method, route: &'static str, url: String) -> Self {
        Self {
            method,
            route,
            url,
            query: &[],
            body: None,
        }
    }

    pub fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    pub fn body(self, body: &'a Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    error: Problem,
}

#[derive(Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Graph {
    /// A client; nothing is sent yet.
    pub fn new(config: GraphConfig) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_millis(config.timeout_ms))
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| GraphError::Unavailable(without_url(error)))?;
        Ok(Self {
            config,
            http,
            tokens: Tokens::default(),
        })
    }

    /// Asks for a token: whether the provider is there and the credentials hold.
    pub async fn probe(&self) -> Result<()> {
        self.tokens.get(&self.http, &self.config).await.map(drop)
    }

    /// A path under v1.0, its segments percent-encoded.
    pub(crate) fn v1(&self, segments: &[&str]) -> String {
        join(&self.config.base, segments)
    }

    /// A path under beta.
    pub(crate) fn beta(&self, segments: &[&str]) -> String {
        join(&self.config.beta_base, segments)
    }

    /// Sends, and decodes a JSON answer.
    pub(crate) async fn json<T: DeserializeOwned>(&self, send: Send<'_>) -> Result<T> {
        let (_, value) = self.status_and_json(send).await?;
        Ok(value)
    }

    /// [`Self::json`] with the status, where success has several.
    pub(crate) async fn status_and_json<T: DeserializeOwned>(
        &self,
        send: Send<'_>,
    ) -> Result<(StatusCode, T)> {
        let route = send.route;
        let response = self.send(send).await?;
        let status = response.status();
        let body = body(response, self.config.response_bytes_max).await?;
        let value = serde_json::from_slice(&body)
            .map_err(|error| GraphError::Malformed(format!("{route}: {:?}", error.classify())))?;
        Ok((status, value))
    }

    /// Sends, and expects success without caring for the body.
    pub(crate) async fn done(&self, send: Send<'_>) -> Result<()> {
        self.send(send).await.map(drop)
    }

    /// Sends; every status but 2xx becomes an error. A refused token is renewed once.
    pub(crate) async fn send(&self, send: Send<'_>) -> Result<Response> {
        let span = tracing::info_span!("graph", method = %send.method, route = send.route, status = tracing::field::Empty);
        async {
            for last in [false, true] {
                let token = self.tokens.get(&self.http, &self.config).await?;
                let request = self.request(&send).bearer_auth(token.expose_secret());
                let response = request.send().await.map_err(not_answered)?;
                tracing::Span::current().record("status", response.status().as_u16());
                if response.status() == StatusCode::UNAUTHORIZED && !last {
                    self.tokens.forget(&token).await;
                    continue;
                }
                return self.sorted(response).await;
            }
            Err(GraphError::Unauthorized {
                code: "InvalidAuthenticationToken".into(),
            })
        }
        .instrument(span)
        .await
    }

    fn request(&self, send: &Send<'_>) -> RequestBuilder {
        let mut request = self
            .http
            .request(send.method.clone(), &send.url)
            .header("client-request-id", uuid::Uuid::now_v7().to_string());
        if !send.query.is_empty() {
            request = request.query(send.query);
        }
        match send.body {
            Some(body) => request.json(body),
            None if send.method == Method::POST => request.header(header::CONTENT_LENGTH, 0),
            None => request,
        }
    }

    async fn sorted(&self, response: Response) -> Result<Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = retry_after(&response);
        if status == StatusCode::TOO_MANY_REQUESTS
            || (matches!(status.as_u16(), 503 | 509) && retry_after.is_some())
        {
            return Err(GraphError::Throttled { retry_after });
        }
        if status.is_server_error() {
            return Err(GraphError::UnknownOutcome(format!("status {status}")));
        }
        let body = body(response, self.config.response_bytes_max).await?;
        let problem = serde_json::from_slice::<Envelope>(&body)
            .map_or_else(|_| Problem::default(), |envelope| envelope.error);
        Err(match status {
            StatusCode::NOT_FOUND => GraphError::NotFound { code: problem.code },
            StatusCode::UNAUTHORIZED => GraphError::Unauthorized { code: problem.code },
            // Seen with codes Forbidden, General and Unauthorized over the years: the text is what they share.
            StatusCode::FORBIDDEN
                if problem
                    .message
                    .contains("No application access policy found")
                    || problem.message.contains("is not authorized to") =>
            {
                GraphError::NoAccessPolicy
            }
            _ => GraphError::Refused {
                status: status.as_u16(),
                code: problem.code,
            },
        })
    }
}

fn join(base: &str, segments: &[&str]) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let mut url = base.trim_end_matches('/').to_owned();
    for segment in segments {
        url.push('/');
        url.extend(utf8_percent_encode(segment, NON_ALPHANUMERIC));
    }
    url
}

/// A request that got no answer: told apart by whether anything can have arrived.
pub(crate) fn not_answered(error: reqwest::Error) -> GraphError {
    if error.is_connect() || error.is_builder() {
        GraphError::Unavailable(without_url(error))
    } else {
        GraphError::UnknownOutcome(without_url(error))
    }
}

/// A bounded body.
pub(crate) async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(not_answered)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(GraphError::Malformed(format!(
                "answer longer than {bytes_max} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let text = |name| response.headers().get(name)?.to_str().ok();
    error::retry_after(text(header::RETRY_AFTER)?, text(header::DATE))
}

/// URLs of Graph hold links and names.
fn without_url(error: reqwest::Error) -> String {
    error.without_url().to_string()
}
