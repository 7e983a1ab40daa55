//! The promises of the store of mirrored sources, asked of both kinds: each case runs as `irr_store::memory::` and as
//! `irr_store::redis::`, which needs `RIR_LAB_REDIS_URL`. `kills` hurts what is in Redis; `model` plays chance games.

mod cases;
mod desk;
mod kills;
mod model;

macro_rules! cases {
    ($($case:ident)+) => {
        mod memory {
            $(
                #[tokio::test]
                async fn $case() {
                    super::cases::$case(super::desk::Desk::memory()).await;
                }
            )+
        }

        mod redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::cases::$case(super::desk::Desk::redis().await).await;
                }
            )+
        }
    };
}

cases! {
    nothing_is_known_of_a_new_source
    a_dump_is_seen_when_all_of_it_is_there
    a_dump_that_is_dropped_changes_nothing
    the_last_object_of_a_key_counts
    objects_may_be_very_large_and_come_twice
    a_dump_of_nothing_is_held
    an_object_that_would_not_come_back_is_refused
    of_two_writers_that_stand_on_the_same_one_is_stale
    changes_are_on_top_of_the_snapshot
    changes_come_in_order_or_not_at_all
    a_source_without_serials_may_get_some
    serials_may_be_as_large_as_can_be
    readers_see_all_of_a_batch_or_none
    readers_see_every_change_however_often_snapshots_are_made
    a_compaction_changes_nothing_for_readers
    a_compaction_leaves_as_much_of_the_journal_as_is_asked_for
    a_snapshot_is_a_dump
    whoever_reads_goes_on_with_what_was_there
    an_import_drops_the_journal_and_may_begin_serials_again
    a_reload_that_is_asked_for_is_not_lost
    only_the_shrink_that_was_refused_is_accepted
    notes_are_replaced_and_nothing_else
    a_source_is_forgotten
    sources_do_not_know_each_other
    very_many_objects_are_streamed
}
