//! The promises of the queue, asked of both queues: each case runs as `queue::memory::` and as `queue::redis::`.
//!
//! The queue in memory runs on a clock that is paused; the one in Redis needs `RIR_LAB_REDIS_URL`, and takes the time it
//! takes. Each case has keys of its own, which are looked through when it has ended. Cases that hurt Redis start one of
//! their own: `trouble`. `same` plays chance games on both and compares.

mod audit;
pub(crate) mod bench;
mod claims;
mod configs;
mod fitness;
mod lost_keys;
mod many;
mod notes;
mod orders;
mod persons;
mod same;
pub(crate) mod server;
mod trouble;

macro_rules! cases {
    ($($file:ident: $($case:ident)+;)+) => {
        mod memory {
            $($(
                #[tokio::test(start_paused = true)]
                async fn $case() {
                    super::$file::$case(super::bench::Bench::memory()).await;
                }
            )+)+
        }

        mod redis {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let bench = super::bench::Bench::redis().await;
                    let settings = bench.settings.clone();
                    super::$file::$case(bench).await;
                    super::audit::Keys::of(&settings).await.audit().await;
                }
            )+)+
        }
    };
}

cases! {
    orders:
        an_order_becomes_part_of_an_equal_one_that_waits
        an_order_whose_twin_runs_is_parked_and_runs_after_it
        an_order_joins_the_twin_that_is_parked
        orders_of_prefixes_are_put_together
        an_order_of_very_many_prefixes_is_as_good_as_any
        orders_of_one_call_are_told_apart
        equal_work_of_another_user_or_config_is_other_work
        an_order_that_asks_for_everything_is_other_work_and_keeps_asking_so
        a_delay_is_kept_and_the_earlier_of_two_wins
        an_order_that_does_not_wait_brings_its_twin_forward
        a_debounce_slides_until_patience_ends
        a_debounce_never_moves_an_earlier_time
        a_time_the_queue_set_is_kept_unless_somebody_cannot_wait
        a_parked_order_keeps_its_delay
        what_is_due_is_claimed_without_anybody_asking_again
        a_claim_waits_for_an_order
    ;
    claims:
        a_job_goes_through_its_life
        jobs_are_claimed_in_order_and_not_more_than_asked_for
        a_sign_of_life_keeps_the_lease_and_tells_progress
        a_job_whose_worker_died_goes_to_another_and_the_old_one_is_refused
        a_worker_that_dies_in_each_attempt_ends_in_the_dead_letters
        a_failure_is_tried_again_after_its_wait_until_attempts_are_used_up
        a_failure_that_nothing_helps_is_dead_at_once
        a_job_of_a_newer_version_is_dead_at_once
        a_job_handed_back_goes_to_another_without_an_attempt
        a_job_that_wants_to_go_on_later_uses_no_attempt
        an_end_is_taken_once
        a_name_that_comes_back_neither_loses_nor_doubles_jobs
        a_worker_gets_no_job_that_it_holds
        a_worker_gets_again_what_it_was_given_and_does_not_hold
        a_claim_that_nobody_waits_for_is_handed_back
    ;
    persons:
        a_job_that_waits_is_cancelled_at_once
        a_parked_job_is_cancelled_and_the_line_closes_up
        a_job_that_runs_is_told_that_it_is_cancelled
        a_cancelled_job_does_not_come_back
        a_cancelled_job_whose_worker_died_is_over
        a_dead_job_gets_a_new_life_or_is_put_away
        a_job_that_is_done_can_be_neither_cancelled_nor_retried
        a_retried_job_waits_behind_its_twin
        a_job_keeps_who_cancelled_and_who_retried_it
        a_retried_job_is_that_of_its_new_owner
        a_job_that_is_not_understood_becomes_nobody_elses
        jobs_are_listed_newest_first_and_by_page
        jobs_are_listed_by_state_and_config
        jobs_about_mirrors_are_listed_by_source_and_found_at_work
        jobs_are_counted
        jobs_that_are_over_are_forgotten
        the_oldest_are_forgotten_when_too_many_are_over
    ;
    configs:
        another_run_of_a_config_waits
        the_end_of_a_job_lets_the_next_at_its_config_go_at_once
        those_who_wait_for_a_config_are_called_one_by_one
        a_job_that_had_its_turn_is_not_called_again
        jobs_of_other_configs_and_of_none_are_free
        a_job_that_waits_to_try_again_lets_others_write
        a_job_whose_worker_died_is_held_by_nobody
        a_called_job_that_is_cancelled_lets_the_next_go_at_once
        a_job_that_goes_on_later_lets_those_that_wait_go_first
        a_preview_runs_beside_the_sync_of_its_config
        a_user_has_one_preview_made_at_a_time
    ;
    notes:
        notes_are_kept_in_order_and_refused_by_the_fence
        a_note_keeps_the_lease_and_hears_of_a_cancellation
        notes_survive_whatever_is_not_the_end
        notes_leave_with_the_end_and_a_new_life_begins_anew
        attempts_count_from_the_last_note
        a_note_tells_whether_others_wait
    ;
    many:
        a_hundred_orders_at_once_make_one_job
        five_hundred_prefixes_at_once_make_few_jobs
        many_promoters_neither_lose_nor_double
        everything_is_done_exactly_once_by_many_workers
        configs_are_exclusive_among_many_workers
    ;
}
