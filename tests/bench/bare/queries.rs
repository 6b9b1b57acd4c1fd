//! Two limits of a query: async-graphql over values in memory with every document parsed and validated once, and the same answer written as
//! JSON by hand.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_graphql::{
    EmptyMutation, EmptySubscription, ID, Request, Response, Schema, ServerError, ServerResult,
    SimpleObject, ValidationResult, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextValidation},
    parser::types::ExecutableDocument,
};
use axum::{Json, Router, extract::State, routing::post};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub struct Query;

#[derive(SimpleObject)]
struct Booking {
    id: ID,
    state: String,
    version: u64,
}

#[async_graphql::Object]
impl Query {
    async fn booking(&self, id: ID) -> Booking {
        Booking {
            id,
            state: "CONFIRMED".into(),
            version: 2,
        }
    }
}

type Bare = Schema<Query, EmptyMutation, EmptySubscription>;

type Documents = HashMap<String, (ExecutableDocument, Option<ValidationResult>)>;

/// Parsed and validated once for each text.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Documents>>);

impl ExtensionFactory for Kept {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(OfRequest(self.clone(), Mutex::default()))
    }
}

struct OfRequest(Kept, Mutex<String>);

#[async_trait::async_trait]
impl Extension for OfRequest {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        query.clone_into(&mut self.1.lock().unwrap());
        if let Some((document, _)) = self.0.0.lock().unwrap().get(query) {
            return Ok(document.clone());
        }
        let document = next.run(ctx, query, variables).await?;
        let mut kept = self.0.0.lock().unwrap();
        kept.insert(query.to_owned(), (document.clone(), None));
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let query = self.1.lock().unwrap().clone();
        let known = self.0.0.lock().unwrap().get(&query).and_then(|kept| kept.1);
        if let Some(known) = known {
            return Ok(known);
        }
        let result = next.run(ctx).await?;
        if let Some(kept) = self.0.0.lock().unwrap().get_mut(&query) {
            kept.1 = Some(result);
        }
        Ok(result)
    }
}

pub fn router() -> Router {
    let bare = Schema::build(Query, EmptyMutation, EmptySubscription);
    let kept = Schema::build(Query, EmptyMutation, EmptySubscription).extension(Kept::default());
    Router::new()
        .route("/bare", post(graphql).with_state(bare.finish()))
        .route("/kept", post(graphql).with_state(kept.finish()))
        .route("/hand", post(by_hand))
}

async fn graphql(State(schema): State<Bare>, Json(request): Json<Request>) -> Json<Response> {
    Json(schema.execute(request).await)
}

#[derive(Deserialize)]
struct Asked {
    variables: HashMap<String, Value>,
}

#[derive(Serialize)]
struct Answer<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    booking: Fields<'a>,
}

#[derive(Serialize)]
struct Fields<'a> {
    id: &'a Value,
    state: &'a str,
    version: u64,
}

async fn by_hand(Json(asked): Json<Asked>) -> Json<Value> {
    let booking = Fields {
        id: &asked.variables["id"],
        state: "CONFIRMED",
        version: 2,
    };
    Json(
        serde_json::to_value(Answer {
            data: Data { booking },
        })
        .unwrap(),
    )
}
