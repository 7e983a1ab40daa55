//! The ways of claims: ends, failures, and workers that die.

use std::time::Duration;

use rir_sidecar::queue::{Claimant, Ending, JobId, Settled, Signal, State, job::VERSION};
use serde_json::json;

use super::bench::{ATTEMPTS, Bench, CLAIM_TIMEOUT, LEASE, done, failed, free, now, progress, secs};

const SHORT: Duration = Duration::from_millis(50);

pub(super) async fn a_job_goes_through_its_life(bench: Bench) {
    let ticket = bench.order(free(1)).await;
    let record = bench.find(&ticket.job).await;
    assert_eq!((record.state, record.attempts, &record.job), (State::Ready, 0, &Some(free(1))));
    assert_eq!((record.started, record.ended, record.due, record.worker), (None, None, None, None));

    let claim = bench.claim("w-1").await;
    assert_eq!((&claim.id, &claim.job, claim.attempt), (&ticket.job, &free(1), 1));
    assert_eq!(claim.created, record.created);
    let running = bench.find(&ticket.job).await;
    assert_eq!((running.state, running.attempts, running.worker.as_deref()), (State::Running, 0, Some("w-1")));
    assert_eq!(bench.queue.heartbeat(&claim, "w-1", &progress(0, 0, "")).await.unwrap(), Signal::Yours);
    assert_eq!(bench.find(&ticket.job).await.attempts, 1, "it counts from the first heartbeat on");
    assert!(running.version > record.version && running.started.is_some());

    bench.settle(&claim, done(json!({"changes": 3}))).await;
    let over = bench.find(&ticket.job).await;
    assert_eq!((over.state, over.result, over.error), (State::Done, Some(json!({"changes": 3})), None));
    assert!(over.version > running.version && over.ended >= over.started);
    bench.idle().await;
}

pub(super) async fn jobs_are_claimed_in_order_and_not_more_than_asked_for(bench: Bench) {
    let orders: Vec<_> = (0..5).map(|number| now(free(number))).collect();
    let tickets = bench.queue.enqueue(&orders).await.unwrap();
    let first = bench.queue.claim("w", 3, CLAIM_TIMEOUT).await.unwrap();
    let second = bench.queue.claim("w", 3, CLAIM_TIMEOUT).await.unwrap();
    assert_eq!((first.len(), second.len()), (3, 2));
    let claimed: Vec<_> = first.into_iter().chain(second).map(|claim| claim.id).collect();
    assert_eq!(claimed, tickets.into_iter().map(|ticket| ticket.job).collect::<Vec<_>>());
    assert_eq!(bench.queue.claim("w", 0, CLAIM_TIMEOUT).await.unwrap(), []);
}

pub(super) async fn a_sign_of_life_keeps_the_lease_and_tells_progress(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let claim = bench.claim("w").await;
    let mut versions = Vec::new();
    for step in [progress(0, 0, ""), progress(1, 4, "networks"), progress(1, 4, "networks"), progress(2, 4, "networks")]
    {
        tokio::time::sleep(LEASE / 2).await;
        assert_eq!(bench.queue.heartbeat(&claim, "w", &step).await.unwrap(), Signal::Yours);
        assert_eq!(bench.queue.claim("other", 1, Duration::ZERO).await.unwrap(), []);
        let record = bench.find(&id).await;
        assert_eq!(record.progress, step);
        versions.push(record.version);
    }
    let grown: Vec<_> = versions.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(grown, [1, 0, 1], "the version grows with each change, and only then");
    bench.done(&claim).await;
    assert_eq!(bench.find(&id).await.progress, progress(2, 4, "networks"));
}

pub(super) async fn a_job_whose_worker_died_goes_to_another_and_the_old_one_is_refused(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let dead = bench.begin("dead").await;
    assert_eq!(bench.queue.claim("other", 1, MOMENTS).await.unwrap(), [], "not before the lease is over");
    let claim = bench.claim("other").await;
    assert_eq!((&claim.id, claim.attempt), (&id, 2));
    assert!(claim.fence > dead.fence);

    let before = bench.find(&id).await;
    assert_eq!(bench.queue.heartbeat(&dead, "dead", &progress(9, 9, "late")).await.unwrap(), Signal::Lost);
    for ending in [
        done(json!("late")),
        failed("late", None),
        failed("late", Some(SHORT)),
        Ending::HandedBack,
        Ending::Cancelled,
        Ending::Again { wait: SHORT },
    ] {
        assert_eq!(bench.queue.settle(&dead, ending).await.unwrap(), Settled::Lost);
    }
    assert_eq!(bench.find(&id).await, before, "what the old one said changed nothing");
    assert_eq!(bench.queue.heartbeat(&claim, "other", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    bench.done(&claim).await;
    bench.idle().await;
}

const MOMENTS: Duration = Duration::from_millis(500);

pub(super) async fn a_worker_that_dies_in_each_attempt_ends_in_the_dead_letters(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    for attempt in 1..=ATTEMPTS {
        assert_eq!(bench.begin("dying").await.attempt, attempt);
    }
    assert_eq!(bench.queue.claim("other", 1, LEASE * 2).await.unwrap(), []);
    let record = bench.find(&id).await;
    assert_eq!((record.state, record.attempts), (State::Dead, ATTEMPTS));
    assert_eq!(record.error.as_deref(), Some("the worker died in attempt 3 of 3"));
    assert!(!bench.order(free(1)).await.coalesced, "its key is free");
}

pub(super) async fn a_failure_is_tried_again_after_its_wait_until_attempts_are_used_up(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    for attempt in 1..ATTEMPTS {
        let claim = bench.claim("w").await;
        assert_eq!(claim.attempt, attempt);
        let wait = Duration::from_millis(400);
        bench.settle(&claim, failed(&format!("attempt {attempt}: refused: by peer"), Some(wait))).await;
        let record = bench.find(&id).await;
        assert_eq!((record.state, record.attempts), (State::Delayed, attempt));
        assert_eq!(record.error, Some(format!("attempt {attempt}: refused: by peer")));
        assert!(record.due > record.started);
        assert_eq!(bench.queue.claim("w", 1, Duration::ZERO).await.unwrap(), []);
    }
    let claim = bench.claim("w").await;
    bench.settle(&claim, failed("last: refused: by peer", Some(SHORT))).await;
    let record = bench.find(&id).await;
    assert_eq!((record.state, record.attempts), (State::Dead, ATTEMPTS));
    assert_eq!(record.error.as_deref(), Some("last: refused: by peer"));
    assert!(record.ended.is_some() && record.due.is_none());
    bench.idle().await;
}

pub(super) async fn a_failure_that_nothing_helps_is_dead_at_once(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let parked = {
        let claim = bench.claim("w").await;
        let parked = bench.order(free(1)).await.job;
        bench.settle(&claim, failed("no such thing", None)).await;
        parked
    };
    let record = bench.find(&id).await;
    assert_eq!((record.state, record.attempts, record.error.as_deref()), (State::Dead, 1, Some("no such thing")));
    assert_eq!(bench.state(&parked).await, State::Ready, "its twin goes on");
}

pub(super) async fn a_job_of_a_newer_version_is_dead_at_once(bench: Bench) {
    let newer = rir_sidecar::queue::Job { v: VERSION + 1, ..free(1) };
    let id = bench.order(newer).await.job;
    let after = bench.order(free(2)).await.job;
    assert_eq!(bench.claim("w").await.id, after);
    let record = bench.find(&id).await;
    assert_eq!((record.state, record.attempts, record.job), (State::Dead, 0, None));
    assert_eq!(record.error.as_deref(), Some("not understood: version 3 of a job"));
}

pub(super) async fn a_job_handed_back_goes_to_another_without_an_attempt(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    for round in 1..=ATTEMPTS + 1 {
        let claim = bench.claim("w").await;
        assert_eq!((claim.attempt, claim.fence), (1, u64::from(round)));
        bench.settle(&claim, Ending::HandedBack).await;
        let record = bench.find(&id).await;
        assert_eq!((record.state, record.attempts), (State::Ready, 0));
    }
    assert!(bench.order(free(1)).await.coalesced, "it waits as it did before");
    bench.done(&bench.claim("other").await).await;
    bench.idle().await;
}

pub(super) async fn a_job_that_wants_to_go_on_later_uses_no_attempt(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    for _ in 0..=ATTEMPTS {
        let claim = bench.claim("w").await;
        assert_eq!(claim.attempt, 1);
        bench.settle(&claim, Ending::Again { wait: Duration::from_millis(200) }).await;
        assert_eq!(bench.state(&id).await, State::Delayed);
        assert_eq!(bench.queue.settle(&claim, done(json!(1))).await.unwrap(), Settled::Lost);
    }
    bench.done(&bench.claim("w").await).await;
}

pub(super) async fn an_end_is_taken_once(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let claim = bench.claim("w").await;
    let ending = Ending::Done { result: json!(1), then: vec![now(free(2))] };
    assert_eq!(bench.queue.settle(&claim, ending.clone()).await.unwrap(), Settled::Taken);
    let before = bench.find(&id).await;
    bench.done(&bench.claim("w").await).await;
    assert_eq!(bench.queue.settle(&claim, ending).await.unwrap(), Settled::Lost);
    assert_eq!(bench.queue.heartbeat(&claim, "w", &progress(1, 1, "")).await.unwrap(), Signal::Lost);
    assert_eq!(bench.find(&id).await, before);
    bench.idle().await;
}

/// A process that dies and comes back under the same name, against the contract, gets what it had back after the lease,
/// once.
pub(super) async fn a_name_that_comes_back_neither_loses_nor_doubles_jobs(bench: Bench) {
    let orders: Vec<_> = (0..6).map(|number| now(free(number))).collect();
    bench.queue.enqueue(&orders).await.unwrap();
    let before = bench.queue.claim("same", 3, CLAIM_TIMEOUT).await.unwrap();
    for claim in &before {
        bench.queue.heartbeat(claim, "same", &progress(0, 0, "")).await.unwrap();
    }
    let again = bench.other().await;
    let mut after = again.claim("same", 10, CLAIM_TIMEOUT).await.unwrap();
    assert_eq!(after.len(), 3, "only what nobody has");
    for claim in &after {
        assert_eq!(again.settle(claim, done(json!(null))).await.unwrap(), Settled::Taken);
    }
    while after.len() < 6 {
        let more = again.claim("same", 10, LEASE + secs(5)).await.unwrap();
        assert!(!more.is_empty(), "what the name had before comes back");
        for claim in &more {
            assert_eq!((claim.attempt, claim.fence), (2, 2));
            assert_eq!(again.settle(claim, done(json!(null))).await.unwrap(), Settled::Taken);
        }
        after.extend(more);
    }
    for claim in &before {
        assert_eq!(bench.queue.settle(claim, done(json!(null))).await.unwrap(), Settled::Lost);
    }
    let ids: std::collections::BTreeSet<_> = after.iter().map(|claim| &claim.id).collect();
    assert_eq!((ids.len(), after.len()), (6, 6));
    bench.idle().await;
}

/// A worker that was held up for longer than a lease, and has not let go of its job.
pub(super) async fn a_worker_gets_no_job_that_it_holds(bench: Bench) {
    let orders: Vec<_> = (0..2).map(|number| now(free(number))).collect();
    bench.queue.enqueue(&orders).await.unwrap();
    let [held, dropped] = <[_; 2]>::try_from(bench.queue.claim("w", 2, CLAIM_TIMEOUT).await.unwrap()).unwrap();
    let holds = [held.id.clone()];
    let holder = Claimant { name: "w", holds: Some(&holds) };
    tokio::time::sleep(LEASE + MOMENTS).await;
    let again = bench.queue.claim(holder, 5, CLAIM_TIMEOUT).await.unwrap();
    assert_eq!(again.iter().map(|claim| &claim.id).collect::<Vec<_>>(), [&dropped.id]);
    assert_eq!(bench.queue.heartbeat(&held, "w", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    bench.done(&again[0]).await;

    // Another worker takes it over and hands it back.
    tokio::time::sleep(LEASE + MOMENTS).await;
    let other = bench.claim("other").await;
    assert_eq!(other.id, held.id);
    bench.settle(&other, Ending::HandedBack).await;
    assert_eq!(bench.queue.claim(holder, 5, LEASE).await.unwrap(), []);
    let now_free = bench.claim("w").await;
    assert_eq!((&now_free.id, now_free.attempt), (&held.id, 2));
    bench.done(&now_free).await;
    bench.idle().await;
}

/// The answers to claims are lost, again and again: the worker has what it was given with the next one, and loses nothing.
pub(super) async fn a_worker_gets_again_what_it_was_given_and_does_not_hold(bench: Bench) {
    let bench = bench.with(|settings| settings.lease = secs(600)).await;
    let orders: Vec<_> = (0..4).map(|number| now(free(number))).collect();
    let ids: Vec<_> = bench.queue.enqueue(&orders).await.unwrap().into_iter().map(|ticket| ticket.job).collect();
    let claim = async |holds: &[JobId], most| {
        bench.queue.claim(Claimant { name: "w", holds: Some(holds) }, most, Duration::ZERO).await.unwrap()
    };
    let first = claim(&[], 2).await;
    let held = [first[0].id.clone()];
    for fence in 2..=u64::from(ATTEMPTS) + 2 {
        let again = claim(&held, 1).await;
        let told: Vec<_> = again.iter().map(|claim| (&claim.id, claim.attempt, claim.fence)).collect();
        assert_eq!(told, [(&ids[1], 1, fence)], "a claim that was not heard of is no attempt");
    }
    assert_eq!(bench.queue.heartbeat(&first[1], "w", &progress(1, 1, "")).await.unwrap(), Signal::Lost);
    let all = claim(&held, 9).await;
    assert_eq!(all.iter().map(|claim| &claim.id).collect::<Vec<_>>(), [&ids[1], &ids[2], &ids[3]]);
    assert_eq!(bench.queue.claim("other", 9, Duration::ZERO).await.unwrap(), [], "they are nobody else's");

    // One that was begun with and given up is another attempt, and one that was cancelled is over.
    assert_eq!(bench.queue.heartbeat(&all[0], "w", &progress(1, 1, "")).await.unwrap(), Signal::Yours);
    bench.queue.cancel(&ids[2], "ann").await.unwrap();
    let holds = [&held[..], &ids[3..]].concat();
    let again = claim(&holds, 9).await;
    assert_eq!(again.iter().map(|claim| (&claim.id, claim.attempt)).collect::<Vec<_>>(), [(&ids[1], 2)]);
    assert_eq!(bench.state(&ids[2]).await, State::Cancelled);
    for claim in [&first[0], &all[2], &again[0]] {
        bench.done(claim).await;
    }
    bench.idle().await;
}

pub(super) async fn a_claim_that_nobody_waits_for_is_handed_back(bench: Bench) {
    let bench = bench.with(|settings| settings.lease = secs(600)).await;
    let orders: Vec<_> = (0..20).map(|number| now(free(number))).collect();
    bench.queue.enqueue(&orders).await.unwrap();
    let mut arrived = 0;
    for micros in 0..60 {
        let claim = bench.queue.claim("impatient", 3, CLAIM_TIMEOUT);
        if let Ok(claims) = tokio::time::timeout(Duration::from_micros(micros * 25), claim).await {
            for claim in claims.unwrap() {
                bench.settle(&claim, Ending::HandedBack).await;
                arrived += 1;
            }
        }
    }
    let mut rest = Vec::new();
    while rest.len() < 20 {
        let claims = bench.queue.claim("w", 20, CLAIM_TIMEOUT).await.unwrap();
        assert!(!claims.is_empty(), "{} are lost; {arrived} arrived before", 20 - rest.len());
        rest.extend(claims);
    }
    assert!(rest.iter().all(|claim| claim.attempt == 1));
}
