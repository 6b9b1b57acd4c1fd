//! The schema with its limits.

use async_graphql::Schema as GraphQlSchema;

use crate::{
    documents::Documents, model::Node, mutation::Mutation, query::Query, subscription::Subscription,
};

/// The executable schema.
pub type Schema = GraphQlSchema<Query, Mutation, Subscription>;

/// A schema whose documents are bounded.
pub fn build() -> Schema {
    GraphQlSchema::build(Query::default(), Mutation::default(), Subscription)
        .register_output_type::<Node>()
        .extension(Documents::new())
        .finish()
}

/// The schema in GraphQL's own language.
pub fn sdl() -> String {
    let mut sdl = build().sdl();
    sdl.truncate(sdl.trim_end().len());
    sdl.push('\n');
    sdl
}
