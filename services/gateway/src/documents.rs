//! Documents are bounded, parsed and validated once, and kept.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::{
    ErrorExtensionValues, Pos, Request, Response, ServerError, ServerResult, ValidationResult,
    Variables,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextPrepareRequest,
        NextRequest, NextSubscribe, NextValidation,
    },
    parser::{parse_query, types::ExecutableDocument},
};
use convene_kit::{Error, digest};
use futures_util::{StreamExt as _, stream::BoxStream};
use lru::LruCache;

use crate::{
    error::{code, fault},
    limits,
    metrics::Asked,
};

/// Documents that are kept, and outcomes of validation that are kept.
const KEPT: usize = 1_000;
/// Longest document that is kept, in bytes: the tree of a long one takes megabytes.
const KEPT_BYTES_MAX: usize = 8 * 1024;

type Hash = [u8; 32];

/// Keeps documents over requests.
pub struct Documents(Arc<Kept>);

struct Kept {
    parsed: Mutex<LruCache<Hash, Arc<ExecutableDocument>>>,
    validated: Mutex<LruCache<Hash, ValidationResult>>,
}

impl Documents {
    pub fn new() -> Self {
        let kept = NonZeroUsize::new(KEPT).unwrap_or(NonZeroUsize::MIN);
        Self(Arc::new(Kept {
            parsed: Mutex::new(LruCache::new(kept)),
            validated: Mutex::new(LruCache::new(kept)),
        }))
    }
}

impl ExtensionFactory for Documents {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(OfRequest {
            kept: self.0.clone(),
            keys: Mutex::new(None),
            fresh: Mutex::new(None),
        })
    }
}

/// What a document and its validation are kept under.
#[derive(Clone, Copy)]
struct Keys {
    text: Hash,
    validation: Hash,
}

impl Keys {
    /// Validation looks into the variables of the selected operation (their types, the sizes of pages), so its outcome holds for the same
    /// text, operation and variables only. `None` when the variables have no text.
    fn of(request: &Request) -> Option<Self> {
        let variables = serde_json::to_vec(&request.variables).ok()?;
        let mut parts = vec![request.query.as_bytes(), &variables];
        parts.extend(request.operation_name.as_deref().map(str::as_bytes));
        Some(Self {
            text: digest::sha256(request.query.as_bytes()),
            validation: digest::of_parts(&parts),
        })
    }
}

/// One request's view.
struct OfRequest {
    kept: Arc<Kept>,
    keys: Mutex<Option<Keys>>,
    /// Parsed for this request; kept once it has proved valid.
    fresh: Mutex<Option<Arc<ExecutableDocument>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refused(error: Error) -> ServerError {
    let mut error = fault(error).into_server_error(Pos::default());
    error.locations.clear();
    error
}

/// What the engine itself refuses is the document's or its variables' fault: clients get a code and a reason for it too.
fn labelled(mut response: Response) -> Response {
    for error in &mut response.errors {
        if error.extensions.is_none() {
            let label = Error::invalid(
                "query",
                "INVALID_DOCUMENT",
                "the document or its variables do not fit the schema; see /schema.graphql",
            );
            let mut extensions = ErrorExtensionValues::default();
            extensions.set("code", code(label.code));
            extensions.set("reason", label.reason.as_ref());
            error.extensions = Some(extensions);
        }
    }
    response
}

#[async_trait::async_trait]
impl Extension for OfRequest {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        labelled(next.run(ctx).await)
    }

    fn subscribe<'s>(
        &self,
        ctx: &ExtensionContext<'_>,
        stream: BoxStream<'s, Response>,
        next: NextSubscribe<'_>,
    ) -> BoxStream<'s, Response> {
        next.run(ctx, stream).map(labelled).boxed()
    }

    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let request = next.run(ctx, request).await?;
        limits::check_text(&request.query).map_err(refused)?;
        *lock(&self.keys) = Keys::of(&request);
        Ok(request)
    }

    // Parses by itself: the engine's own step walks expanded fragments, which must be counted before.
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        _variables: &Variables,
        _next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let keys = *lock(&self.keys);
        let kept = keys.and_then(|keys| lock(&self.kept.parsed).get(&keys.text).cloned());
        let asked = ctx.data_opt::<Asked>();
        if let Some(document) = kept {
            asked.inspect(|asked| asked.parsed(&document));
            return Ok(document.as_ref().clone());
        }
        let document = parse_query(query)?;
        asked.inspect(|asked| asked.parsed(&document));
        limits::check_shape(&document).map_err(refused)?;
        if query.len() <= KEPT_BYTES_MAX {
            *lock(&self.fresh) = Some(Arc::new(document.clone()));
        }
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let keys = *lock(&self.keys);
        let kept = keys.and_then(|keys| lock(&self.kept.validated).get(&keys.validation).copied());
        if let Some(result) = kept {
            return Ok(result);
        }
        let result = next.run(ctx).await?;
        limits::check_cost(result.depth, result.complexity).map_err(|e| vec![refused(e)])?;
        if let Some(keys) = keys {
            lock(&self.kept.validated).put(keys.validation, result);
            if let Some(document) = lock(&self.fresh).take() {
                lock(&self.kept.parsed).put(keys.text, document);
            }
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use serde_json::{Value, json};

    use super::*;

    struct Query;

    #[Object]
    impl Query {
        async fn twice(&self, number: i32) -> i32 {
            number * 2
        }

        #[graphql(complexity = "usize::try_from(first).unwrap_or(0) * child_complexity")]
        async fn page(&self, first: i32) -> Vec<Query> {
            (0..first.min(3)).map(|_| Query).collect()
        }
    }

    struct Probe {
        schema: Schema<Query, EmptyMutation, EmptySubscription>,
        kept: Arc<Kept>,
    }

    impl Probe {
        fn new() -> Self {
            let documents = Documents::new();
            let kept = documents.0.clone();
            let schema = Schema::build(Query, EmptyMutation, EmptySubscription);
            Self {
                schema: schema.extension(documents).finish(),
                kept,
            }
        }

        async fn ask(&self, query: &str, operation: Option<&str>, variables: Value) -> Value {
            let mut request = Request::new(query).variables(Variables::from_json(variables));
            request.operation_name = operation.map(str::to_owned);
            serde_json::to_value(self.schema.execute(request).await).unwrap()
        }

        fn sizes(&self) -> (usize, usize) {
            (
                lock(&self.kept.parsed).len(),
                lock(&self.kept.validated).len(),
            )
        }
    }

    fn reason(answer: &Value) -> &str {
        answer["errors"][0]["extensions"]["reason"]
            .as_str()
            .unwrap_or_default()
    }

    #[tokio::test]
    async fn the_same_text_answers_each_request_with_its_own_variables() {
        let probe = Probe::new();
        let query = "query($n: Int!) { twice(number: $n) }";
        for number in [1, 2, 1, 3] {
            let answer = probe.ask(query, None, json!({ "n": number })).await;
            assert_eq!(answer["data"]["twice"], number * 2, "{answer}");
        }
        assert_eq!(probe.sizes(), (1, 3));
        let wrong = probe.ask(query, None, json!({"n": "x"})).await;
        assert_eq!(reason(&wrong), "INVALID_DOCUMENT", "{wrong}");
        assert_eq!(probe.sizes(), (1, 3), "a refusal is not kept");
        let missing = probe.ask(query, None, json!({})).await;
        assert_eq!(reason(&missing), "INVALID_DOCUMENT", "{missing}");
    }

    #[tokio::test]
    async fn one_operations_validation_says_nothing_about_another() {
        let probe = Probe::new();
        // `a` does not look at the variable that is wrong for `b`.
        let query = "query a { twice(number: 1) } query b($n: Int!) { twice(number: $n) }";
        let variables = json!({"n": "not a number"});
        let a = probe.ask(query, Some("a"), variables.clone()).await;
        assert_eq!(a["data"]["twice"], 2, "{a}");
        let b = probe.ask(query, Some("b"), variables).await;
        let message = b["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with("Invalid value for argument"), "{b}");
        assert_eq!(probe.sizes(), (1, 1), "b was validated, and refused");
        let unknown = probe.ask(query, Some("c"), json!({})).await;
        assert_eq!(reason(&unknown), "INVALID_DOCUMENT", "{unknown}");
    }

    #[tokio::test]
    async fn cost_is_that_of_the_variables_in_hand() {
        let probe = Probe::new();
        let query = "query($n: Int!) { page(first: $n) { twice(number: 1) } }";
        let cheap = probe.ask(query, None, json!({"n": 2})).await;
        assert_eq!(cheap["data"]["page"].as_array().unwrap().len(), 2);
        let dear = probe.ask(query, None, json!({"n": 100_000})).await;
        assert_eq!(reason(&dear), "QUERY_TOO_COMPLEX", "{dear}");
        assert!(dear["data"].is_null());
    }

    #[tokio::test]
    async fn only_valid_documents_of_a_bounded_length_are_kept() {
        let probe = Probe::new();
        for bad in ["{", "{ missing }", "{ ...a } fragment a on Query { ...a }"] {
            let answer = probe.ask(bad, None, json!({})).await;
            assert!(!reason(&answer).is_empty(), "{bad}: {answer}");
        }
        let long = format!("{{ twice(number: 1) }} #{}", " ".repeat(KEPT_BYTES_MAX));
        let answer = probe.ask(&long, None, json!({})).await;
        assert_eq!(answer["data"]["twice"], 2);
        let large = " ".repeat(limits::DOCUMENT_BYTES_MAX + 1);
        let answer = probe.ask(&large, None, json!({})).await;
        assert_eq!(reason(&answer), "DOCUMENT_TOO_LARGE");
        let (parsed, _) = probe.sizes();
        assert_eq!(parsed, 0);
    }
}
