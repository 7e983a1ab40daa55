//! Runs of several parts, and that only one run of a config is at work.

use std::time::Duration;

use rir_sidecar::{
    model::RowId,
    queue::{Asked, Beat, Claim, Ending, Job, JobId, Part, State, Work},
};
use serde_json::json;

use super::bench::{
    ATTEMPTS, Bench, LEASE, MOMENT, PATIENCE, aggregate, done, failed, found, free, job, now, part, progress, secs,
    whole,
};

const CONFIG: u64 = 7;

/// Begins a run with parts for these aggregates; the id of its first job.
async fn begin(bench: &Bench, parts: impl IntoIterator<Item = u64>) -> JobId {
    let first = Job { user: Some("someone".to_owned()), traceparent: Some("00-aa-bb-01".to_owned()), ..whole(CONFIG) };
    let run = bench.order(first).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(claim.id, run);
    let then = parts.into_iter().map(|number| now(part(&run, CONFIG, number))).collect();
    bench.settle(&claim, found(json!("first"), then)).await;
    run
}

fn records(claim: &Claim) -> bool {
    claim.job.work == Work::RecordRun { config: RowId(CONFIG) }
}

async fn active(bench: &Bench) -> Option<JobId> {
    bench.queue.active(RowId(CONFIG)).await.unwrap()
}

/// Records the run, which has to be all that is left of it.
async fn record(bench: &Bench, run: &JobId) {
    let claim = bench.claim("w").await;
    assert!(records(&claim), "{claim:?}");
    assert_eq!(claim.job.run.as_ref(), Some(run));
    bench.settle(&claim, done(json!("recorded"))).await;
}

pub(super) async fn a_run_ends_once_when_all_its_parts_have(bench: Bench) {
    let run = begin(&bench, [1, 2, 3, 4]).await;
    assert_eq!(bench.state(&run).await, State::Spread);
    assert_eq!(bench.find(&run).await.progress, progress(1, 5, "parts"));
    assert_eq!(active(&bench).await.as_ref(), Some(&run));

    let endings = [
        found(json!({"changes": 1}), Vec::new()),
        failed("ARIN: refused", None),
        Ending::Cancelled,
        Ending::Done { result: json!(2), part: None, then: Vec::new() },
    ];
    let mut version = bench.find(&run).await.version;
    for (done, ending) in (2..).zip(endings) {
        let claim = bench.claim("w").await;
        assert!(!records(&claim));
        bench.settle(&claim, ending).await;
        let first = bench.find(&run).await;
        assert_eq!((first.state, first.progress), (State::Spread, progress(done, 5, "parts")));
        assert!(first.version > version);
        version = first.version;
    }
    let claim = bench.claim("w").await;
    let wanted = Job {
        user: Some("someone".to_owned()),
        run: Some(run.clone()),
        traceparent: Some("00-aa-bb-01".to_owned()),
        ..job(Work::RecordRun { config: RowId(CONFIG) })
    };
    assert_eq!(claim.job, wanted);
    let parts = bench.queue.parts(&run).await.unwrap();
    let wanted = [
        Part::Found(json!("first")),
        Part::Found(json!({"changes": 1})),
        Part::Failed("ARIN: refused".to_owned()),
        Part::Failed("cancelled".to_owned()),
    ];
    assert_eq!(parts, wanted);
    bench.idle().await;
    bench.settle(&claim, done(json!("recorded"))).await;
    let first = bench.find(&run).await;
    assert_eq!((first.state, first.result, first.error), (State::Done, Some(json!("recorded")), None));
    assert!(first.ended.is_some());
    assert_eq!(active(&bench).await, None);
    bench.idle().await;
}

pub(super) async fn a_run_without_further_parts_is_recorded_too(bench: Bench) {
    let run = begin(&bench, []).await;
    assert_eq!(bench.queue.parts(&run).await.unwrap(), [Part::Found(json!("first"))]);
    record(&bench, &run).await;
    assert_eq!(bench.state(&run).await, State::Done);
    assert_eq!(active(&bench).await, None);
    let again = begin(&bench, [1]).await;
    assert_ne!(again, run);
}

pub(super) async fn parts_may_bring_further_parts(bench: Bench) {
    let run = begin(&bench, [1]).await;
    let claim = bench.claim("w").await;
    let then = vec![now(part(&run, CONFIG, 2)), now(part(&run, CONFIG, 2)), now(free(3))];
    bench.settle(&claim, found(json!(1), then)).await;
    assert_eq!(bench.find(&run).await.progress, progress(2, 3, "parts"), "equal parts count once, other jobs do not");
    let claims = bench.queue.claim("w", 5, PATIENCE).await.unwrap();
    assert_eq!(claims.len(), 2);
    for claim in &claims {
        bench.settle(claim, found(json!(2), Vec::new())).await;
    }
    assert_eq!(bench.queue.parts(&run).await.unwrap().len(), 3);
    let claim = bench.claim("w").await;
    assert!(records(&claim));
    let late = Ending::Done { result: json!("recorded"), part: None, then: vec![now(part(&run, CONFIG, 9))] };
    bench.settle(&claim, late).await;
    assert_eq!(bench.state(&run).await, State::Done, "what the record orders runs on its own");
    bench.done(&bench.claim("w").await).await;
    assert_eq!(active(&bench).await, None);
    bench.idle().await;
}

pub(super) async fn a_failed_first_job_is_recorded_and_then_dead(bench: Bench) {
    let run = bench.order(whole(CONFIG)).await.job;
    let claim = bench.claim("w").await;
    bench.settle(&claim, failed("no key: for config 7", None)).await;
    assert_eq!(bench.state(&run).await, State::Spread);
    assert_eq!(bench.queue.parts(&run).await.unwrap(), [Part::Failed("no key: for config 7".to_owned())]);
    record(&bench, &run).await;
    let first = bench.find(&run).await;
    assert_eq!((first.state, first.error.as_deref()), (State::Dead, Some("no key: for config 7")));
    assert_eq!(first.result, Some(json!("recorded")));

    assert_eq!(bench.queue.retry(&run).await.unwrap(), Asked::Taken, "the whole run again");
    let claim = bench.claim("w").await;
    bench.settle(&claim, found(json!("second time"), Vec::new())).await;
    assert_eq!(bench.queue.parts(&run).await.unwrap(), [Part::Found(json!("second time"))]);
    record(&bench, &run).await;
    assert_eq!(bench.state(&run).await, State::Done);
}

pub(super) async fn a_run_that_cannot_be_recorded_ends_as_its_record_did(bench: Bench) {
    let run = begin(&bench, [1]).await;
    let claim = bench.claim("w").await;
    bench.settle(&claim, found(json!("part"), Vec::new())).await;
    let recorder = bench.claim("w").await;
    bench.settle(&recorder, failed("NetBox: 500", None)).await;
    let first = bench.find(&run).await;
    assert_eq!((first.state, first.error.as_deref()), (State::Dead, Some("NetBox: 500")));
    assert_eq!(active(&bench).await, None);

    assert_eq!(bench.queue.retry(&recorder.id).await.unwrap(), Asked::Taken);
    assert_eq!(bench.claim("w").await.id, recorder.id);
    let parts = [Part::Found(json!("first")), Part::Found(json!("part"))];
    assert_eq!(bench.queue.parts(&run).await.unwrap(), parts, "it still finds what there is to record");
}

pub(super) async fn a_first_job_that_tries_again_does_not_begin_its_run_yet(bench: Bench) {
    let run = bench.order(whole(CONFIG)).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(active(&bench).await.as_ref(), Some(&run));
    bench.settle(&claim, failed("timeout", Some(secs(3600)))).await;
    assert_eq!(bench.state(&run).await, State::Delayed);
    assert_eq!(active(&bench).await, None);
    assert_eq!(bench.queue.cancel(&run).await.unwrap(), Asked::Taken);
    assert_eq!(bench.state(&run).await, State::Cancelled);
    bench.idle().await;
}

pub(super) async fn a_cancelled_run_loses_its_parts_and_is_recorded(bench: Bench) {
    let run = begin(&bench, [1, 2, 3]).await;
    let claim = bench.claim("w").await;
    assert_eq!(bench.queue.cancel(&run).await.unwrap(), Asked::Taken);
    assert_eq!(bench.find(&run).await.progress, progress(3, 4, "parts"));
    assert_eq!(bench.queue.beat(&claim, "w", &progress(0, 1, "")).await.unwrap(), Beat::Cancelled);
    bench.idle().await;
    bench.settle(&claim, Ending::Cancelled).await;
    let cancelled = Part::Failed("cancelled".to_owned());
    let parts = bench.queue.parts(&run).await.unwrap();
    assert_eq!(parts, [Part::Found(json!("first")), cancelled.clone(), cancelled.clone(), cancelled]);
    record(&bench, &run).await;
    let first = bench.find(&run).await;
    assert_eq!((first.state, first.result), (State::Cancelled, Some(json!("recorded"))));

    let run = begin(&bench, [1, 2]).await;
    bench.queue.cancel(&run).await.unwrap();
    record(&bench, &run).await;
    assert_eq!(bench.state(&run).await, State::Cancelled);
    assert_eq!(active(&bench).await, None);

    let run = bench.order(whole(CONFIG)).await.job;
    let claim = bench.claim("w").await;
    bench.queue.cancel(&run).await.unwrap();
    bench.settle(&claim, Ending::Cancelled).await;
    record(&bench, &run).await;
    assert_eq!(bench.state(&run).await, State::Cancelled, "also while its first job runs");
}

pub(super) async fn a_dead_part_gets_a_new_life_inside_its_run_or_after_it(bench: Bench) {
    let run = begin(&bench, [1, 2]).await;
    let dying = bench.claim("w").await;
    bench.settle(&dying, failed("boom", None)).await;
    assert_eq!(bench.queue.retry(&dying.id).await.unwrap(), Asked::Taken);
    assert_eq!(bench.find(&run).await.progress, progress(1, 3, "parts"));
    let other = bench.claim("w").await;
    bench.settle(&other, found(json!(2), Vec::new())).await;
    let again = bench.claim("w").await;
    assert_eq!(again.id, dying.id);
    bench.settle(&again, failed("boom again", None)).await;
    record(&bench, &run).await;
    assert_eq!(bench.state(&run).await, State::Done);

    assert_eq!(bench.queue.retry(&dying.id).await.unwrap(), Asked::Taken);
    let alone = bench.claim("w").await;
    assert_eq!(active(&bench).await.as_ref(), Some(&dying.id), "it is a run by itself now");
    bench.settle(&alone, found(json!("late"), Vec::new())).await;
    assert_eq!(bench.find(&run).await.result, Some(json!("recorded")));
    bench.idle().await;
}

pub(super) async fn a_new_order_for_a_run_that_goes_on_waits_for_its_end(bench: Bench) {
    let run = bench.order(whole(CONFIG)).await.job;
    let claim = bench.claim("w").await;
    bench.settle(&claim, found(json!(1), vec![now(part(&run, CONFIG, 1))])).await;
    let next = bench.order(whole(CONFIG)).await;
    assert!(!next.coalesced);
    assert_eq!(bench.state(&next.job).await, State::Parked);
    bench.done(&bench.claim("w").await).await;
    record(&bench, &run).await;
    assert_eq!(bench.claim("w").await.id, next.job);
}

pub(super) async fn another_run_of_a_config_waits(bench: Bench) {
    let run = begin(&bench, [1]).await;
    let other = bench.order(aggregate(CONFIG, 5)).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(claim.job.run.as_ref(), Some(&run));
    assert_eq!(bench.queue.claim("w", 5, MOMENT).await.unwrap(), []);
    let waiting = bench.find(&other).await;
    assert_eq!((waiting.state, waiting.attempts), (State::Delayed, 0), "it waits, which is no attempt");
    assert!(waiting.due.is_some());

    // Not even when nothing of the run is at work just now.
    bench.settle(&claim, failed("timeout", Some(secs(2)))).await;
    assert_eq!(bench.queue.claim("w", 5, Duration::from_millis(1500)).await.unwrap(), []);
    let claim = bench.claim("w").await;
    assert_eq!(claim.job.run.as_ref(), Some(&run));
    bench.settle(&claim, found(json!(1), Vec::new())).await;
    record(&bench, &run).await;
    assert_eq!(bench.claim("w").await.id, other);
    assert_eq!(active(&bench).await.as_ref(), Some(&other));
}

pub(super) async fn the_end_of_a_job_lets_the_next_at_its_config_go_at_once(bench: Bench) {
    let orders = [now(aggregate(CONFIG, 1)), now(aggregate(CONFIG, 2))];
    bench.queue.enqueue(&orders, None).await.unwrap();
    let first = bench.queue.claim("w", 5, PATIENCE).await.unwrap();
    assert_eq!(first.len(), 1);
    bench.done(&first[0]).await;
    let second = bench.queue.claim("w", 5, MOMENT).await.unwrap();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].turn, first[0].turn + 1);
}

pub(super) async fn one_job_of_a_run_is_at_work_at_a_time(bench: Bench) {
    let run = begin(&bench, [1, 2, 3]).await;
    for _ in 0..3 {
        let claims = bench.queue.claim("w", 5, PATIENCE).await.unwrap();
        assert_eq!(claims.len(), 1);
        assert_eq!(bench.queue.claim("other", 5, Duration::ZERO).await.unwrap(), []);
        bench.settle(&claims[0], found(json!(1), Vec::new())).await;
    }
    record(&bench, &run).await;
}

pub(super) async fn those_who_wait_for_a_config_are_called_one_by_one(bench: Bench) {
    let orders: Vec<_> = (0..25).map(|number| now(aggregate(CONFIG, number))).collect();
    let tickets = bench.queue.enqueue(&orders, None).await.unwrap();
    let mut claims = bench.queue.claim("w", 50, PATIENCE).await.unwrap();
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
    bench.queue.enqueue(&orders, None).await.unwrap();
    let first = bench.queue.claim("w", 5, PATIENCE).await.unwrap().remove(0);
    bench.done(&first).await;
    let second = bench.claim("w").await;
    bench.settle(&second, failed("timeout", Some(secs(3600)))).await;
    let third = bench.claim("w").await;
    bench.done(&third).await;
    bench.idle().await;
    assert_eq!(bench.state(&second.id).await, State::Delayed, "it waits for its own time");
}

pub(super) async fn jobs_of_other_configs_and_of_none_are_free(bench: Bench) {
    begin(&bench, [1]).await;
    let orders = [now(aggregate(CONFIG + 1, 1)), now(aggregate(CONFIG + 2, 1)), now(free(1)), now(free(2))];
    bench.queue.enqueue(&orders, None).await.unwrap();
    assert_eq!(bench.queue.claim("w", 10, PATIENCE).await.unwrap().len(), 5);
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
    let held = bench.claim("dying").await;
    let next = bench.order(aggregate(CONFIG, 4)).await.job;
    for _ in 1..ATTEMPTS {
        let taken = bench.claim("dying").await;
        assert_eq!(taken.id, held.id);
    }
    assert_eq!(bench.queue.claim("w", 1, LEASE * 4).await.unwrap()[0].id, next);
    assert_eq!(bench.state(&held.id).await, State::Dead);
}
