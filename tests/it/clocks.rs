//! Clocks that differ: what NetBox has dated is compared with NetBox's own clock.

use std::time::Duration;

use jiff::SignedDuration;

use crate::scene::{Scene, Target, small};

/// By a clock that is a day ahead of NetBox's, rows of today are older than a day.
#[tokio::test]
async fn a_clock_that_is_ahead_of_netboxs_removes_no_log_rows() {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.netbox.server.as_ref().unwrap().set_clock(SignedDuration::from_hours(-24));
    scene.sync().await;
    let rows = scene.census().await["rir-sync-log"];
    scene.settings.sync.log_retention = Duration::from_secs(3600);
    scene.sync().await;
    assert_eq!(scene.census().await["rir-sync-log"], rows + 1, "all are there, and that of the second run");
}

#[tokio::test]
async fn a_clock_that_is_behind_netboxs_removes_log_rows_in_time() {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.sync().await;
    scene.netbox.server.as_ref().unwrap().set_clock(SignedDuration::from_hours(24));
    scene.settings.sync.log_retention = Duration::from_secs(3600);
    scene.sync().await;
    assert_eq!(scene.census().await["rir-sync-log"], 1, "its own");
}
