//! Configs: only one job of a config is at work.

use std::time::Duration;

use rir_sidecar::{
    model::RowId,
    queue::{Asked, Ending, JobId, Signal, State},
};

use super::bench::{
    ATTEMPTS, Bench, CLAIM_TIMEOUT, LEASE, MOMENT, aggregate, failed, free, now, preview, progress, secs, whole,
};

const CONFIG: u64 = 7;

async fn active(bench: &Bench) -> Option<JobId> {
    bench.queue.active(RowId(CONFIG)).await.unwrap()
}

pub(super) async fn another_run_of_a_config_waits(bench: Bench) {
    let run = bench.order(whole(CONFIG)).await.job;
    let other = bench.order(aggregate(CONFIG, 5)).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(claim.id, run);
    assert_eq!(bench.queue.claim("w", 5, MOMENT).await.unwrap(), []);
    let waiting = bench.find(&other).await;
    assert_eq!((waiting.state, waiting.attempts), (State::Delayed, 0), "it waits, which is no attempt");
    assert!(waiting.due.is_some());
    assert_eq!(active(&bench).await.as_ref(), Some(&run));
    bench.done(&claim).await;
    assert_eq!(bench.claim("w").await.id, other);
    assert_eq!(active(&bench).await.as_ref(), Some(&other));
}

pub(super) async fn the_end_of_a_job_lets_the_next_at_its_config_go_at_once(bench: Bench) {
    let orders = [now(aggregate(CONFIG, 1)), now(aggregate(CONFIG, 2))];
    bench.queue.enqueue(&orders).await.unwrap();
    let first = bench.queue.claim("w", 5, CLAIM_TIMEOUT).await.unwrap();
    assert_eq!(first.len(), 1);
    bench.done(&first[0]).await;
    let second = bench.queue.claim("w", 5, MOMENT).await.unwrap();
    assert_eq!(second.len(), 1);
}

pub(super) async fn those_who_wait_for_a_config_are_called_one_by_one(bench: Bench) {
    let orders: Vec<_> = (0..25).map(|number| now(aggregate(CONFIG, number))).collect();
    let tickets = bench.queue.enqueue(&orders).await.unwrap();
    let mut claims = bench.queue.claim("w", 50, CLAIM_TIMEOUT).await.unwrap();
    let begun = tokio::time::Instant::now();
    for (number, ticket) in tickets.iter().enumerate() {
        assert_eq!(claims.len(), 1);
        assert_eq!(claims[0].id, ticket.job, "in the order in which they came");
        let waiting = bench.queue.figures().await.unwrap().jobs;
        assert_eq!((waiting[&State::Delayed], waiting[&State::Ready]), (24 - number as u64, 0));
        bench.done(&claims[0]).await;
        claims = bench.queue.claim("w", 50, Duration::ZERO).await.unwrap();
    }
    assert!(begun.elapsed() < secs(1), "nobody waits for a time to come: {:?}", begun.elapsed());
}

pub(super) async fn a_job_that_had_its_turn_is_not_called_again(bench: Bench) {
    let orders: Vec<_> = (1..=3).map(|number| now(aggregate(CONFIG, number))).collect();
    bench.queue.enqueue(&orders).await.unwrap();
    let first = bench.queue.claim("w", 5, CLAIM_TIMEOUT).await.unwrap().remove(0);
    bench.done(&first).await;
    let second = bench.claim("w").await;
    bench.settle(&second, failed("timeout", Some(secs(3600)))).await;
    let third = bench.claim("w").await;
    bench.done(&third).await;
    bench.idle().await;
    assert_eq!(bench.state(&second.id).await, State::Delayed, "it waits for its own time");
}

pub(super) async fn jobs_of_other_configs_and_of_none_are_free(bench: Bench) {
    bench.order(whole(CONFIG)).await;
    let orders = [now(aggregate(CONFIG + 1, 1)), now(aggregate(CONFIG + 2, 1)), now(free(1)), now(free(2))];
    bench.queue.enqueue(&orders).await.unwrap();
    assert_eq!(bench.queue.claim("w", 10, CLAIM_TIMEOUT).await.unwrap().len(), 5);
}

pub(super) async fn a_job_that_waits_to_try_again_lets_others_write(bench: Bench) {
    bench.order(aggregate(CONFIG, 1)).await;
    for (number, ending) in [(2, failed("timeout", Some(secs(3600)))), (3, Ending::Again { wait: secs(3600) })] {
        let claim = bench.claim("w").await;
        bench.settle(&claim, ending).await;
        assert_eq!(active(&bench).await, None);
        bench.order(aggregate(CONFIG, number)).await;
    }
    // A worker that died holds its config until its job is taken over, and no longer.
    let held = bench.begin("dying").await;
    let next = bench.order(aggregate(CONFIG, 4)).await.job;
    for _ in 1..ATTEMPTS {
        let taken = bench.begin("dying").await;
        assert_eq!(taken.id, held.id);
    }
    assert_eq!(bench.queue.claim("w", 1, LEASE * 4).await.unwrap()[0].id, next);
    assert_eq!(bench.state(&held.id).await, State::Dead);
}

pub(super) async fn a_job_whose_worker_died_is_held_by_nobody(bench: Bench) {
    let held = async || bench.queue.held(RowId(CONFIG)).await.unwrap();
    assert_eq!(held().await, None);
    let id = bench.order(whole(CONFIG)).await.job;
    assert_eq!(held().await, None, "it waits");
    let claim = bench.begin("w").await;
    assert_eq!(held().await.as_ref(), Some(&id));
    tokio::time::sleep(LEASE * 2 / 3).await;
    assert_eq!(bench.queue.heartbeat(&claim, "w", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    tokio::time::sleep(LEASE * 2 / 3).await;
    assert_eq!(held().await.as_ref(), Some(&id), "a heartbeat renews it");
    tokio::time::sleep(LEASE).await;
    assert_eq!(held().await, None);
    assert_eq!(active(&bench).await.as_ref(), Some(&id), "it is still to be taken over");
    let claim = bench.begin("other").await;
    assert_eq!(held().await.as_ref(), Some(&id));
    bench.done(&claim).await;
    assert_eq!(held().await, None);
}

pub(super) async fn a_called_job_that_is_cancelled_lets_the_next_go_at_once(bench: Bench) {
    let orders: Vec<_> = (1..=4).map(|number| now(aggregate(CONFIG, number))).collect();
    let ids: Vec<JobId> =
        bench.queue.enqueue(&orders).await.unwrap().into_iter().map(|enqueued| enqueued.job).collect();
    let first = bench.queue.claim("w", 5, CLAIM_TIMEOUT).await.unwrap().remove(0);
    assert_eq!(bench.queue.cancel(&ids[2], "ann").await.unwrap(), Asked::Taken);
    bench.done(&first).await;
    assert_eq!(bench.state(&ids[1]).await, State::Ready);
    assert_eq!(bench.queue.cancel(&ids[1], "ann").await.unwrap(), Asked::Taken);
    assert_eq!(bench.queue.claim("w", 5, MOMENT).await.unwrap()[0].id, ids[3]);
}

pub(super) async fn a_job_that_goes_on_later_lets_those_that_wait_go_first(bench: Bench) {
    let run = bench.order(whole(CONFIG)).await.job;
    let claim = bench.claim("w").await;
    let orders = [now(aggregate(CONFIG, 1)), now(aggregate(CONFIG, 2))];
    let waiting = bench.queue.enqueue(&orders).await.unwrap();
    assert_eq!(bench.queue.claim("w", 5, MOMENT).await.unwrap(), []);
    let other = bench.order(whole(CONFIG + 1)).await.job;
    bench.settle(&claim, Ending::Again { wait: Duration::ZERO }).await;
    assert_eq!(active(&bench).await, None);
    let mut order = Vec::new();
    for _ in 0..4 {
        let claim = bench.claim("w").await;
        bench.done(&claim).await;
        order.push(claim.id);
    }
    // One of those that wait for a config is called at a time; the run is in the same line from then on.
    assert_eq!(order, [other, waiting[0].job.clone(), run, waiting[1].job.clone()]);

    // The same without anybody in line: what is ready goes first.
    let run = bench.order(whole(CONFIG)).await.job;
    let claim = bench.claim("w").await;
    let ready = [bench.order(aggregate(CONFIG, 1)).await.job, bench.order(whole(CONFIG + 1)).await.job];
    bench.settle(&claim, Ending::Again { wait: Duration::ZERO }).await;
    for id in ready.into_iter().chain([run]) {
        let claim = bench.claim("w").await;
        assert_eq!(claim.id, id);
        bench.done(&claim).await;
    }
}

pub(super) async fn a_preview_runs_beside_the_sync_of_its_config(bench: Bench) {
    let sync = bench.order(whole(CONFIG)).await.job;
    let before = bench.claim("w").await;
    let plan = bench.order(preview(CONFIG, "ann")).await.job;
    let beside = bench.claim("w").await;
    assert_eq!((&before.id, &beside.id), (&sync, &plan));
    bench.done(&before).await;
    let next = bench.order(aggregate(CONFIG, 1)).await.job;
    let after = bench.claim("w").await;
    assert_eq!(after.id, next, "nor does it hold up the next sync");
    assert_eq!(active(&bench).await, Some(next));
    bench.done(&beside).await;
    bench.done(&after).await;
}

pub(super) async fn a_user_has_one_preview_made_at_a_time(bench: Bench) {
    let orders = [preview(1, "ann"), preview(2, "ann"), preview(3, "ann"), preview(1, "bob")].map(now);
    let ids: Vec<JobId> = bench.queue.enqueue(&orders).await.unwrap().into_iter().map(|ticket| ticket.job).collect();
    let claims = bench.queue.claim("w", 10, CLAIM_TIMEOUT).await.unwrap();
    let claimed: Vec<&JobId> = claims.iter().map(|claim| &claim.id).collect();
    assert_eq!(claimed, [&ids[0], &ids[3]]);
    assert_eq!(bench.queue.cancel(&ids[1], "ann").await.unwrap(), Asked::Taken);
    bench.done(&claims[0]).await;
    let next = bench.claim("w").await;
    assert_eq!(next.id, ids[2]);
    bench.done(&next).await;
    bench.done(&claims[1]).await;
}
