//! What a real NetBox is told of mirrored sources.

use crate::{irr_rows, scene::Target};

#[tokio::test]
async fn a_source_has_a_row() {
    irr_rows::a_source_has_a_row_and_a_run_that_changes_little_costs_netbox_nothing(Target::lab()).await;
}

#[tokio::test]
async fn a_source_is_asked_about_the_aggregates() {
    irr_rows::a_source_is_asked_about_the_aggregates(Target::lab()).await;
}

#[tokio::test]
async fn trouble_is_told_when_it_begins_and_when_it_ends() {
    irr_rows::trouble_is_told_when_it_begins_and_when_it_ends(Target::lab()).await;
}

#[tokio::test]
async fn a_source_that_is_not_set_any_more_is_marked_and_no_row_is_deleted() {
    irr_rows::a_source_that_is_not_set_any_more_is_marked_and_no_row_is_deleted(Target::lab()).await;
}

#[tokio::test]
async fn a_list_of_vrps_has_a_row_as_any_source() {
    irr_rows::a_list_of_vrps_has_a_row_as_any_source(Target::lab()).await;
}

#[tokio::test]
async fn old_rows_of_the_log_are_removed_with_those_of_sources() {
    irr_rows::old_rows_of_the_log_are_removed_with_those_of_sources(Target::lab()).await;
}
