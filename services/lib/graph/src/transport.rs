//! One request: token, bounds, paging.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;
use tokio::time::Instant;
use tracing::{Instrument as _, Span, field::Empty};

use crate::{GraphConfig, GraphError, Heard, Look, RequestContext, Result, problem, token::Tokens};

/// Pages of one collection that are read.
const PAGES_MAX: usize = 20;

/// A client for one application. Clones share its token and connections.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(crate) config: Arc<GraphConfig>,
    http: reqwest::Client,
    tokens: Arc<Tokens>,
    context: RequestContext,
    watcher: Watcher,
}

type Watch = dyn Fn(&Exchange) + Sync + std::marker::Send;

/// Who is told of every request; nobody unless said.
#[derive(Clone, Default)]
struct Watcher(Option<Arc<Watch>>);

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

/// One request and how it ended, in words of closed lists.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `GET`, `POST` …
    pub method: Method,
    /// The path's template.
    pub route: &'static str,
    /// The reason of its failure; `None` when it was answered well.
    pub failure: Option<&'static str>,
    /// For how long the server wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Time until the answer began.
    pub took: Duration,
}

/// What to send. `route` is the path's template: paths hold ids, and filters hold links, so neither is logged.
pub(crate) struct Send<'a> {
    method: Method,
    route: &'static str,
    url: String,
    query: &'a [(&'a str, &'a str)],
    body: Option<&'a Value>,
    streamed: bool,
}

impl<'a> Send<'a> {
    pub fn new(method: Method, route: &'static str, url: String) -> Self {
        Self {
            method,
            route,
            url,
            query: &[],
            body: None,
            streamed: false,
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

    /// The answer is long: it may take its time, as long as it does not pause.
    pub fn streamed(self) -> Self {
        Self {
            streamed: true,
            ..self
        }
    }
}

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

impl Graph {
    /// A client; nothing is sent yet. Fails when no request could be made with the configuration.
    pub fn new(config: GraphConfig) -> Result<Self> {
        config.check()?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .read_timeout(Duration::from_millis(config.timeout_ms))
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| GraphError::Unavailable(problem::cause(error)))?;
        Ok(Self {
            config: Arc::new(config),
            http,
            tokens: Arc::default(),
            context: RequestContext::default(),
            watcher: Watcher::default(),
        })
    }

    /// The same client, which tells of every request.
    pub fn watched<F>(self, watcher: F) -> Self
    where
        F: Fn(&Exchange) + Sync + std::marker::Send + 'static,
    {
        Self {
            watcher: Watcher(Some(Arc::new(watcher))),
            ..self
        }
    }

    /// The same client, whose requests name their cause.
    pub fn within(&self, context: RequestContext) -> Self {
        Self {
            context,
            ..self.clone()
        }
    }

    /// Asks for a token: whether the provider is there and the credentials hold.
    pub async fn probe(&self) -> Result<()> {
        self.tokens.get(&self.http, &self.config).await.map(drop)
    }

    /// A new token in place of the one in use.
    pub(crate) async fn renew_token(&self, heard: &mut Option<Heard>) -> Result<SecretString> {
        self.tokens.renew(&self.http, &self.config, heard).await
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
        Ok((status, self.decoded(route, response).await?))
    }

    async fn decoded<T: DeserializeOwned>(&self, route: &str, response: Response) -> Result<T> {
        let body = body(response, self.config.response_bytes_max).await?;
        serde_json::from_slice(&body).map_err(|error| {
            // Its own text would repeat parts of the body.
            let (kind, column) = (error.classify(), error.column());
            GraphError::Malformed(format!("{route}: {kind:?} error at column {column}"))
        })
    }

    /// All items of a collection. A filtered list may begin with empty pages, so the first page is no answer by itself.
    pub(crate) async fn all<T: DeserializeOwned>(&self, send: Send<'_>) -> Result<Vec<T>> {
        let route = send.route;
        let mut page: Page<T> = self.json(send).await?;
        let mut items = page.value;
        for _ in 1..PAGES_MAX {
            let Some(next) = page.next_link else {
                return Ok(items);
            };
            let next = self.own(route, next)?;
            page = self.json(Send::new(Method::GET, route, next)).await?;
            items.append(&mut page.value);
        }
        match page.next_link {
            None => Ok(items),
            Some(_) => Err(GraphError::Malformed(format!(
                "{route}: more than {PAGES_MAX} pages"
            ))),
        }
    }

    /// A link that an answer gave, if it leads to where tokens may go.
    fn own(&self, route: &str, link: String) -> Result<String> {
        let origin = |text: &str| Url::parse(text).map(|url| url.origin()).ok();
        let there = origin(&link).filter(|origin| origin.is_tuple());
        let ours = [&self.config.base, &self.config.beta_base];
        if there.is_some() && ours.iter().any(|base| origin(base) == there) {
            Ok(link)
        } else {
            Err(GraphError::Malformed(format!(
                "{route}: the next page is at another place"
            )))
        }
    }

    /// Sends, and expects success without caring for the body.
    pub(crate) async fn done(&self, send: Send<'_>) -> Result<()> {
        self.send(send).await.map(drop)
    }

    /// Asks for a collection, of which nothing is kept; tells what the answer said beside its body.
    pub(crate) async fn look(&self, send: Send<'_>) -> Look<()> {
        let (route, mut heard) = (send.route, None);
        let answer = match self.hear(send, &mut heard).await {
            Ok(response) => self.decoded::<Page<IgnoredAny>>(route, response).await,
            Err(error) => Err(error),
        };
        Look {
            answer: answer.map(drop),
            heard,
        }
    }

    /// Sends; every status but 2xx becomes an error.
    pub(crate) async fn send(&self, send: Send<'_>) -> Result<Response> {
        self.hear(send, &mut None).await
    }

    async fn hear(&self, send: Send<'_>, heard: &mut Option<Heard>) -> Result<Response> {
        let span = tracing::info_span!(
            "graph",
            method = %send.method,
            route = send.route,
            status = Empty,
            reason = Empty,
            duration_ms = Empty,
            otel.kind = "client",
        );
        let began = Instant::now();
        let exchange = self.exchange(&send, &span, heard);
        let answer = exchange.instrument(span.clone()).await;
        if let Err(error) = &answer {
            span.record("reason", error.reason());
        }
        let took = began.elapsed();
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        span.record("duration_ms", millis);
        if let Watcher(Some(watcher)) = &self.watcher {
            let failed = answer.as_ref().err();
            watcher(&Exchange {
                method: send.method.clone(),
                route: send.route,
                failure: failed.map(GraphError::reason),
                retry_after: failed.and_then(GraphError::retry_after),
                took,
            });
        }
        answer
    }

    /// A refused token is renewed once: it may have been revoked before its time.
    async fn exchange(
        &self,
        send: &Send<'_>,
        span: &Span,
        heard: &mut Option<Heard>,
    ) -> Result<Response> {
        let began = Instant::now();
        let mut response = self.ask(send, span, true).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            response = self.ask(send, span, false).await?;
        }
        *heard = Some(Heard::of(&response, began));
        sorted(response).await
    }

    async fn ask(&self, send: &Send<'_>, span: &Span, renewable: bool) -> Result<Response> {
        let token = self.tokens.get(&self.http, &self.config).await?;
        let request = self.request(send).bearer_auth(token.expose_secret());
        let response = request.send().await.map_err(problem::not_answered)?;
        span.record("status", response.status().as_u16());
        if renewable && response.status() == StatusCode::UNAUTHORIZED {
            self.tokens.forget(&token).await;
        }
        Ok(response)
    }

    fn request(&self, send: &Send<'_>) -> RequestBuilder {
        let id = self.context.client_request_id();
        let mut request = self
            .http
            .request(send.method.clone(), &send.url)
            .header("client-request-id", id.to_string());
        if let Some(traceparent) = self.context.traceparent() {
            request = request.header("traceparent", traceparent);
        }
        if !send.streamed {
            request = request.timeout(Duration::from_millis(self.config.timeout_ms));
        }
        if !send.query.is_empty() {
            request = request.query(send.query);
        }
        match send.body {
            Some(body) => request.json(body),
            None if send.method == Method::POST => request.header(header::CONTENT_LENGTH, 0),
            None => request,
        }
    }
}

async fn sorted(response: Response) -> Result<Response> {
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(problem::sort(response).await)
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

/// A bounded body.
pub(crate) async fn body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(problem::not_answered)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(GraphError::Malformed(format!(
                "answer longer than {bytes_max} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
