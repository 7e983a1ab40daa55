//! Setting up the webhook in a real NetBox.

use crate::{hooks, scene::Target};

#[tokio::test]
async fn a_webhook_is_set_up_once_and_kept_up_to_date() {
    hooks::a_webhook_is_set_up_once_and_kept_up_to_date(Target::lab()).await;
}
