//! The planted world of findings on the real NetBox.

use crate::scene::Target;

#[tokio::test]
async fn the_planted_world_is_synced_without_a_failure() {
    crate::findings::the_planted_world_is_synced_without_a_failure(Target::lab()).await;
}
