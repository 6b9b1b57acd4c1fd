//! The schema with its limits.

use async_graphql::Schema as GraphQlSchema;

use crate::{
    documents::{COMPLEXITY_MAX, DEPTH_MAX, DIRECTIVES_MAX, Documents},
    model::Node,
    mutation::Mutation,
    query::Query,
    subscription::Subscription,
};

/// The executable schema.
pub type Schema = GraphQlSchema<Query, Mutation, Subscription>;

/// A schema with all limits on.
pub fn build() -> Schema {
    GraphQlSchema::build(Query, Mutation::default(), Subscription)
        .register_output_type::<Node>()
        .limit_depth(DEPTH_MAX)
        .limit_complexity(COMPLEXITY_MAX)
        .limit_directives(DIRECTIVES_MAX)
        .limit_recursive_depth(2 * DEPTH_MAX)
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
