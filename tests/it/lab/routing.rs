//! How prefixes stand in the routing registries, recorded in a real NetBox.

use crate::{
    routing::{self, planted},
    scene::Target,
};

#[tokio::test]
async fn a_change_at_the_registry_reaches_the_row_and_an_unchanged_world_writes_nothing() {
    routing::a_change_at_the_registry_reaches_the_row_and_an_unchanged_world_writes_nothing(Target::lab()).await;
}

#[tokio::test]
async fn all_that_is_planted_comes_out_and_nothing_else() {
    let prefixes = std::env::var("RIR_PREFIXES").map_or(150, |count| count.parse().unwrap());
    planted::all_that_is_planted_comes_out_and_nothing_else(Target::lab(), prefixes).await;
}
