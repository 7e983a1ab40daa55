//! The planted world of findings on the real NetBox.

use crate::scene::Target;

#[tokio::test]
async fn what_is_planted_is_found_and_nothing_else_whatever_happens() {
    crate::findings::all_that_happens(Target::lab()).await;
}
