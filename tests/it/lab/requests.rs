//! Changes at ARIN on the real NetBox: two people with tokens and permissions of their own.

use crate::scene::Target;

#[tokio::test]
async fn a_finding_becomes_a_net_with_a_linked_row() {
    crate::requests::happy::a_finding_becomes_a_net_with_a_linked_row(Target::lab()).await;
}

#[tokio::test]
async fn a_ticket_is_followed_until_the_net_is_there() {
    crate::requests::tickets::a_ticket_is_followed_until_the_net_is_there(Target::lab()).await;
}

#[tokio::test]
async fn a_new_prefix_becomes_a_net_with_a_linked_row_through_the_api() {
    crate::http::requests::a_new_prefix_becomes_a_net_with_a_linked_row(Target::lab()).await;
}

#[tokio::test]
async fn many_come_to_their_end_whatever_happens() {
    crate::requests::bulk::all_come_to_their_end(Target::lab(), 10).await;
}

#[tokio::test]
async fn what_was_returned_is_registered_again_as_it_was() {
    crate::requests::removal::is_registered_again_as_it_was(Target::lab()).await;
}

#[tokio::test]
async fn wrong_approvals_are_refused() {
    crate::requests::approval::wrong_ones_of_all_kinds_are_refused(Target::lab()).await;
}
