//! Notifications of a real NetBox.

use crate::{notices, scene::Target};

#[tokio::test]
async fn a_group_is_notified_of_requests_that_wait_for_somebody() {
    notices::a_group_is_notified_of_requests_that_wait_for_somebody(Target::lab()).await;
}
