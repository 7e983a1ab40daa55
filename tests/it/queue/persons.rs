//! Persons look at jobs, cancel them and try them again.

use std::{collections::BTreeMap, time::Duration};

use rir_sidecar::{
    model::{RowId, SourceName},
    queue::{Asked, Delay, Ending, Enqueued, Filter, Job, JobId, MAX_OVER, Signal, State, Trigger, Work, job::VERSION},
};
use serde_json::json;
use tokio::task::JoinSet;

use super::bench::{Bench, CLAIM_TIMEOUT, LEASE, aggregate, done, failed, free, now, prefixes, progress, whole};

const HOUR: Delay = Delay::For(Duration::from_secs(3600));

pub(super) async fn a_job_that_waits_is_cancelled_at_once(bench: Bench) {
    for (number, delay) in [(1, Delay::None), (2, HOUR)] {
        let id = bench.order_later(free(number), delay).await.job;
        assert_eq!(bench.queue.cancel(&id, "ann").await.unwrap(), Asked::Taken);
        let record = bench.find(&id).await;
        assert_eq!((record.state, record.attempts, record.due), (State::Cancelled, 0, None));
        assert!(record.ended.is_some());
        assert!(!bench.order_later(free(number), HOUR).await.coalesced, "its key is free");
    }
    bench.idle().await;
    let unknown = JobId::parse(&"0".repeat(24)).unwrap();
    assert_eq!(bench.queue.cancel(&unknown, "ann").await.unwrap(), Asked::Unknown);
    assert_eq!(bench.queue.retry(&unknown, "ann", None).await.unwrap(), Asked::Unknown);
    assert_eq!(bench.queue.find(&unknown).await.unwrap(), None);
}

pub(super) async fn a_parked_job_is_cancelled_and_the_line_closes_up(bench: Bench) {
    bench.order(free(1)).await;
    let claim = bench.claim("w").await;
    let parked = bench.order(free(1)).await.job;
    assert_eq!(bench.queue.cancel(&parked, "ann").await.unwrap(), Asked::Taken);
    assert_eq!(bench.state(&parked).await, State::Cancelled);
    let next = bench.order(free(1)).await;
    assert!(!next.coalesced);
    assert_eq!(bench.queue.retry(&parked, "ann", None).await.unwrap(), Asked::Taken, "now two are parked");
    assert_eq!(bench.state(&parked).await, State::Parked);
    assert_eq!(bench.queue.cancel(&next.job, "ann").await.unwrap(), Asked::Taken);
    bench.done(&claim).await;
    assert_eq!(bench.claim("w").await.id, parked);
}

pub(super) async fn a_job_that_runs_is_told_that_it_is_cancelled(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(bench.queue.heartbeat(&claim, "w", &progress(1, 2, "")).await.unwrap(), Signal::Yours);
    let before = bench.find(&id).await.version;
    assert_eq!(bench.queue.cancel(&id, "ann").await.unwrap(), Asked::Taken);
    assert!(bench.find(&id).await.version > before);
    assert_eq!(bench.state(&id).await, State::Running);
    assert_eq!(bench.queue.heartbeat(&claim, "w", &progress(1, 2, "")).await.unwrap(), Signal::Cancelled);
    bench.settle(&claim, Ending::Cancelled).await;
    assert_eq!(bench.state(&id).await, State::Cancelled);
    bench.idle().await;
}

pub(super) async fn a_cancelled_job_does_not_come_back(bench: Bench) {
    let again = Ending::Again { wait: Duration::ZERO };
    let endings = [again, Ending::HandedBack, failed("boom", Some(Duration::ZERO)), failed("boom", None)];
    for (number, ending) in (0..).zip(endings) {
        let id = bench.order(free(number)).await.job;
        let claim = bench.claim("w").await;
        bench.queue.cancel(&id, "ann").await.unwrap();
        bench.settle(&claim, ending.clone()).await;
        let record = bench.find(&id).await;
        assert_eq!(record.state, State::Cancelled, "{ending:?}");
        assert_eq!(record.error.is_some(), matches!(ending, Ending::Failed { .. }));
    }
    let id = bench.order(free(9)).await.job;
    let claim = bench.claim("w").await;
    bench.queue.cancel(&id, "ann").await.unwrap();
    bench.done(&claim).await;
    assert_eq!(bench.state(&id).await, State::Done, "it was faster");
    bench.idle().await;
}

pub(super) async fn a_cancelled_job_whose_worker_died_is_over(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    bench.claim("dying").await;
    bench.queue.cancel(&id, "ann").await.unwrap();
    assert_eq!(bench.queue.claim("w", 1, LEASE * 2).await.unwrap(), []);
    assert_eq!(bench.state(&id).await, State::Cancelled);
}

pub(super) async fn a_dead_job_gets_a_new_life_or_is_put_away(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let claim = bench.claim("w").await;
    bench.settle(&claim, failed("boom", None)).await;
    assert_eq!(bench.queue.retry(&id, "ann", None).await.unwrap(), Asked::Taken);
    assert_eq!(bench.queue.retry(&id, "ann", None).await.unwrap(), Asked::Unfit(State::Ready));
    let record = bench.find(&id).await;
    assert_eq!((record.state, record.attempts, record.ended), (State::Ready, 0, None));
    assert!(bench.order(free(1)).await.coalesced, "it has its key again");
    let again = bench.claim("w").await;
    assert_eq!((&again.id, again.attempt, again.fence), (&id, 1, claim.fence + 1));
    bench.settle(&again, failed("boom", None)).await;
    assert_eq!(bench.queue.cancel(&id, "ann").await.unwrap(), Asked::Taken);
    assert_eq!(bench.state(&id).await, State::Cancelled);
    assert_eq!(bench.queue.figures().await.unwrap().jobs[&State::Dead], 0);
    bench.queue.retry(&id, "ann", None).await.unwrap();
    bench.done(&bench.claim("w").await).await;
}

pub(super) async fn a_job_that_is_done_can_be_neither_cancelled_nor_retried(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(bench.queue.retry(&id, "ann", None).await.unwrap(), Asked::Unfit(State::Running));
    bench.done(&claim).await;
    let before = bench.find(&id).await;
    assert_eq!(bench.queue.cancel(&id, "ann").await.unwrap(), Asked::Unfit(State::Done));
    assert_eq!(bench.queue.retry(&id, "ann", None).await.unwrap(), Asked::Unfit(State::Done));
    assert_eq!(bench.find(&id).await, before);
}

pub(super) async fn a_retried_job_waits_behind_its_twin(bench: Bench) {
    let first = bench.order(free(1)).await.job;
    bench.queue.cancel(&first, "ann").await.unwrap();
    let second = bench.order(free(1)).await.job;
    assert_eq!(bench.queue.retry(&first, "ann", None).await.unwrap(), Asked::Taken);
    assert_eq!(bench.state(&first).await, State::Parked);
    assert_eq!(bench.order(free(1)).await.job, second, "orders become part of the one that comes first");
    let claim = bench.claim("w").await;
    assert_eq!(claim.id, second);
    bench.idle().await;
    bench.done(&claim).await;
    assert_eq!(bench.claim("w").await.id, first);
}

pub(super) async fn a_job_keeps_who_cancelled_and_who_retried_it(bench: Bench) {
    let persons = async |id: &JobId| {
        let record = bench.find(id).await;
        (record.cancelled_by, record.retried_by)
    };
    let by = |name: &str| Some(name.to_owned());
    let id = bench.order(free(1)).await.job;
    assert_eq!(persons(&id).await, (None, None));
    bench.queue.cancel(&id, "ann").await.unwrap();
    assert_eq!(persons(&id).await, (by("ann"), None));
    assert_eq!(bench.queue.cancel(&id, "eve").await.unwrap(), Asked::Unfit(State::Cancelled));
    assert_eq!(persons(&id).await, (by("ann"), None), "what is refused leaves no trace");
    bench.queue.retry(&id, "bob", None).await.unwrap();
    assert_eq!(persons(&id).await, (None, by("bob")));
    assert_eq!(bench.queue.retry(&id, "eve", Some("eve")).await.unwrap(), Asked::Unfit(State::Ready));
    let claim = bench.claim("w").await;
    bench.queue.cancel(&id, "cat").await.unwrap();
    assert_eq!(persons(&id).await, (by("cat"), by("bob")), "it is told, and still runs");
    bench.done(&claim).await;
    assert_eq!(persons(&id).await, (by("cat"), by("bob")));
    assert_eq!(bench.queue.cancel(&id, "eve").await.unwrap(), Asked::Unfit(State::Done));
    assert_eq!(persons(&id).await, (by("cat"), by("bob")));
}

pub(super) async fn a_retried_job_is_that_of_its_new_owner(bench: Bench) {
    let scheduled = Job::new(prefixes([1]).work, Trigger::Webhook).by("ann");
    let id = bench.order_later(scheduled.clone(), HOUR).await.job;
    bench.order_later(Job { work: prefixes([2]).work, ..scheduled.clone() }, HOUR).await;
    bench.queue.cancel(&id, "bob").await.unwrap();
    assert_eq!(bench.queue.retry(&id, "bob", Some("bob")).await.unwrap(), Asked::Taken);
    let job = bench.find(&id).await.job.unwrap();
    assert_eq!((job.user.as_deref(), job.trigger), (Some("bob"), Trigger::Api));
    assert_eq!(job.work, prefixes([1, 2]).work, "the work is the same");
    // It has the key of its new owner, and not that of the one before.
    assert!(!bench.order_later(scheduled, HOUR).await.coalesced);
    assert_eq!(bench.order(prefixes([3]).by("bob")).await.job, id);
    let claim = bench.claim("w").await;
    assert_eq!((claim.id.clone(), claim.job.user.as_deref()), (id, Some("bob")));
    assert_eq!(claim.job.work, prefixes([1, 2, 3]).work);
    bench.done(&claim).await;
}

pub(super) async fn a_job_that_is_not_understood_becomes_nobody_elses(bench: Bench) {
    let id = bench.order(Job { v: VERSION + 1, ..free(1) }.by("ann")).await.job;
    bench.idle().await;
    assert_eq!(bench.queue.retry(&id, "bob", Some("bob")).await.unwrap(), Asked::Unfit(State::Dead));
    assert_eq!(bench.find(&id).await.retried_by, None);
    assert_eq!(bench.queue.retry(&id, "bob", None).await.unwrap(), Asked::Taken, "another version may do it");
    bench.idle().await;
}

/// Jobs made in different milliseconds, the oldest first.
async fn jobs(bench: &Bench, count: u64) -> Vec<JobId> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(bench.order(aggregate(number % 2, number)).await.job);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    ids
}

async fn listed(bench: &Bench, filter: Filter) -> Vec<JobId> {
    bench.queue.list(&filter).await.unwrap().into_iter().map(|record| record.id).collect()
}

pub(super) async fn jobs_are_listed_newest_first_and_by_page(bench: Bench) {
    let mut ids = jobs(&bench, 7).await;
    let claim = bench.claim("w").await;
    bench.done(&claim).await;
    ids.reverse();
    assert_eq!(listed(&bench, Filter { limit: 100, ..Filter::default() }).await, ids);
    let mut paged = Vec::new();
    loop {
        let page = listed(&bench, Filter { limit: 3, before: paged.last().cloned(), ..Filter::default() }).await;
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, ids);
    let all = bench.queue.list(&Filter { limit: 100, ..Filter::default() }).await.unwrap();
    assert_eq!(all[6], bench.find(&ids[6]).await);
    assert_eq!(all[6].result, Some(json!("done")));
}

pub(super) async fn jobs_are_listed_by_state_and_config(bench: Bench) {
    let ids = jobs(&bench, 4).await;
    let later = bench.order_later(aggregate(1, 9), HOUR).await.job;
    let claim = bench.claim("w").await;
    assert_eq!(claim.id, ids[0]);
    let of = |state, config: Option<u64>| Filter { state, config: config.map(RowId), limit: 10, ..Filter::default() };
    assert_eq!(listed(&bench, of(Some(State::Running), None)).await, [ids[0].clone()]);
    assert_eq!(listed(&bench, of(Some(State::Delayed), None)).await, std::slice::from_ref(&later));
    assert_eq!(listed(&bench, of(Some(State::Dead), None)).await, []);
    assert_eq!(listed(&bench, of(None, Some(1))).await, [later, ids[3].clone(), ids[1].clone()]);
    assert_eq!(listed(&bench, of(Some(State::Ready), Some(1))).await, [ids[3].clone(), ids[1].clone()]);
    assert_eq!(listed(&bench, Filter { limit: 1, ..of(None, Some(0)) }).await, [ids[2].clone()]);
    assert_eq!(listed(&bench, of(None, Some(5))).await, []);
}

pub(super) async fn jobs_about_mirrors_are_listed_by_source_and_found_at_work(bench: Bench) {
    jobs(&bench, 2).await;
    let [one, other] = ["ONE", "OTHER"].map(|name| name.parse::<SourceName>().unwrap());
    let mut ids = Vec::new();
    for source in [&one, &other] {
        let job = Job::new(Work::UpdateIrr { source: source.clone() }, Trigger::Schedule);
        ids.push(bench.order(job).await.job);
    }
    let of = |source: &SourceName| Filter { source: Some(source.clone()), limit: 10, ..Filter::default() };
    assert_eq!(listed(&bench, of(&one)).await, ids[..1]);
    assert_eq!(listed(&bench, Filter { state: Some(State::Ready), ..of(&other) }).await, ids[1..]);
    assert_eq!(listed(&bench, Filter { state: Some(State::Done), ..of(&other) }).await, []);
    assert_eq!(listed(&bench, Filter { config: Some(RowId(0)), ..of(&one) }).await, []);
    assert_eq!(bench.queue.active(&one).await.unwrap(), None);
    let claims = bench.queue.claim("w", 10, Duration::ZERO).await.unwrap();
    assert_eq!(claims.len(), 4);
    for (source, id) in [&one, &other].into_iter().zip(&ids) {
        assert_eq!(bench.queue.active(source).await.unwrap().as_ref(), Some(id));
    }
}

pub(super) async fn jobs_are_counted(bench: Bench) {
    let none: BTreeMap<State, u64> = State::ALL
        .into_iter()
        .filter(|state| !matches!(state, State::Done | State::Cancelled))
        .map(|state| (state, 0))
        .collect();
    let figures = bench.queue.figures().await.unwrap();
    assert_eq!((figures.jobs, figures.oldest_ready), (none.clone(), Duration::ZERO));

    let orders: Vec<_> = (0..6).map(|number| now(free(number))).chain([now(whole(7))]).collect();
    bench.queue.enqueue(&orders).await.unwrap();
    bench.order_later(free(99), HOUR).await;
    let claims = bench.queue.claim("w", 4, CLAIM_TIMEOUT).await.unwrap();
    bench.order(claims[0].job.clone()).await;
    bench.settle(&claims[1], done(json!(1))).await;
    bench.settle(&claims[2], failed("boom", None)).await;
    bench.settle(&claims[3], Ending::Cancelled).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let figures = bench.queue.figures().await.unwrap();
    let wanted = [(State::Delayed, 1), (State::Parked, 1), (State::Ready, 3), (State::Running, 1), (State::Dead, 1)];
    let mut jobs = none.clone();
    jobs.extend(wanted);
    assert_eq!(figures.jobs, jobs);
    assert!(figures.oldest_ready >= Duration::from_millis(300), "{figures:?}");

    let rest = bench.queue.claim("w", 10, CLAIM_TIMEOUT).await.unwrap();
    bench.settle(&rest[2], done(json!(1))).await;
    let figures = bench.queue.figures().await.unwrap();
    assert_eq!((figures.jobs[&State::Ready], figures.oldest_ready), (0, Duration::ZERO));
}

pub(super) async fn jobs_that_are_over_are_forgotten(bench: Bench) {
    let keep = Duration::from_millis(400);
    let bench = bench.with(|settings| settings.keep = keep).await;
    let orders = [now(free(1)), now(free(2)), now(free(3))];
    bench.queue.enqueue(&orders).await.unwrap();
    let claims = bench.queue.claim("w", 3, CLAIM_TIMEOUT).await.unwrap();
    bench.done(&claims[0]).await;
    bench.settle(&claims[1], failed("boom", None)).await;
    tokio::time::sleep(keep + Duration::from_millis(100)).await;
    bench.idle().await;
    assert_eq!(bench.queue.find(&claims[0].id).await.unwrap(), None);
    assert_eq!(bench.state(&claims[1].id).await, State::Dead, "the dead stay for longer");
    assert_eq!(bench.state(&claims[2].id).await, State::Running);
    tokio::time::sleep(keep * 4).await;
    bench.queue.heartbeat(&claims[2], "w", &progress(0, 0, "")).await.unwrap();
    bench.queue.claim("w", 1, Duration::ZERO).await.unwrap();
    assert_eq!(bench.queue.find(&claims[1].id).await.unwrap(), None);
    let left = bench.queue.list(&Filter { limit: 10, ..Filter::default() }).await.unwrap();
    assert_eq!(left.into_iter().map(|record| record.id).collect::<Vec<_>>(), [claims[2].id.clone()]);
}

pub(super) async fn the_oldest_are_forgotten_when_too_many_are_over(bench: Bench) {
    let mut first = None;
    for batch in 0..=MAX_OVER as u64 / 1000 {
        let orders: Vec<_> = (0..1000).map(|number| now(free(batch * 1000 + number))).collect();
        let tickets = bench.queue.enqueue(&orders).await.unwrap();
        first.get_or_insert_with(|| tickets[0].job.clone());
        let cancel = |ticket: Enqueued| {
            let queue = bench.queue.clone();
            async move { queue.cancel(&ticket.job, "ann").await.unwrap() }
        };
        tickets.into_iter().map(cancel).collect::<JoinSet<_>>().join_all().await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Each look at the queue forgets some.
    for _ in 0..20 {
        bench.queue.claim("w", 1, Duration::ZERO).await.unwrap();
    }
    let left = bench.queue.list(&Filter { limit: MAX_OVER * 2, ..Filter::default() }).await.unwrap();
    assert_eq!(left.len(), MAX_OVER);
    assert_eq!(bench.queue.find(&first.unwrap()).await.unwrap(), None);
}
