//! Documents are parsed once and kept; what costs too much is refused before it reaches a service.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::{
    Positioned, ServerError, ServerResult, ValidationResult, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextValidation},
    parser::types::{ExecutableDocument, Selection, SelectionSet},
};
use convene_kit::digest;
use lru::LruCache;

/// Depth of a query.
pub const DEPTH_MAX: usize = 12;
/// Cost of a query: a field costs 1, a page its items.
pub const COMPLEXITY_MAX: usize = 5_000;
/// Directives on one field.
pub const DIRECTIVES_MAX: usize = 8;
/// Aliases in a document.
pub const ALIASES_MAX: usize = 30;
/// Text of a document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// Documents that are kept.
const KEPT: usize = 1_000;

type Kept<V> = Arc<Mutex<LruCache<[u8; 32], V>>>;

/// Keeps documents over requests.
pub struct Documents {
    parsed: Kept<Arc<ExecutableDocument>>,
    validated: Kept<ValidationResult>,
}

impl Documents {
    pub fn new() -> Self {
        let kept = NonZeroUsize::new(KEPT).unwrap_or(NonZeroUsize::MIN);
        Self {
            parsed: Arc::new(Mutex::new(LruCache::new(kept))),
            validated: Arc::new(Mutex::new(LruCache::new(kept))),
        }
    }
}

impl ExtensionFactory for Documents {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Request {
            parsed: self.parsed.clone(),
            validated: self.validated.clone(),
            key: Mutex::new(None),
        })
    }
}

/// One request's view.
struct Request {
    parsed: Kept<Arc<ExecutableDocument>>,
    validated: Kept<ValidationResult>,
    /// Text and variables of this request.
    key: Mutex<Option<[u8; 32]>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait::async_trait]
impl Extension for Request {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        if query.len() > DOCUMENT_BYTES_MAX {
            return Err(ServerError::new(
                format!("the document has more than {DOCUMENT_BYTES_MAX} bytes"),
                None,
            ));
        }
        // Validation looks into variables (types, page sizes), so its result holds for the same variables only.
        let variables_text = serde_json::to_vec(variables).unwrap_or_default();
        *lock(&self.key) = Some(digest::of_parts(&[query.as_bytes(), &variables_text]));

        let text = digest::sha256(query.as_bytes());
        let kept = lock(&self.parsed).get(&text).cloned();
        if let Some(document) = kept {
            return Ok(document.as_ref().clone());
        }
        let document = next.run(ctx, query, variables).await?;
        if aliases(&document) > ALIASES_MAX {
            return Err(ServerError::new(
                format!("the document has more than {ALIASES_MAX} aliases; send several requests"),
                None,
            ));
        }
        lock(&self.parsed).put(text, Arc::new(document.clone()));
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let Some(key) = *lock(&self.key) else {
            return next.run(ctx).await;
        };
        let kept = lock(&self.validated).get(&key).copied();
        if let Some(result) = kept {
            return Ok(result);
        }
        let result = next.run(ctx).await?;
        lock(&self.validated).put(key, result);
        Ok(result)
    }
}

fn aliases(document: &ExecutableDocument) -> usize {
    let operations = document.operations.iter();
    let operations = operations.map(|(_, operation)| in_set(&operation.node.selection_set));
    let fragments = document.fragments.values();
    let fragments = fragments.map(|fragment| in_set(&fragment.node.selection_set));
    operations.chain(fragments).sum()
}

fn in_set(set: &Positioned<SelectionSet>) -> usize {
    let items = set.node.items.iter();
    items
        .map(|item| match &item.node {
            Selection::Field(field) => {
                usize::from(field.node.alias.is_some()) + in_set(&field.node.selection_set)
            }
            Selection::InlineFragment(fragment) => in_set(&fragment.node.selection_set),
            Selection::FragmentSpread(_) => 0,
        })
        .sum()
}
