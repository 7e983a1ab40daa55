//! The ways of orders: equal ones, and ones that wait.

use std::time::{Duration, Instant};

use rir_sidecar::queue::{Delay, Ending, Job, State};
use serde_json::json;

use super::bench::{Bench, CLAIM_TIMEOUT, aggregate, done, free, full, now, prefixes, secs};

const HOUR: Duration = Duration::from_secs(3600);

fn debounce(quiet: u64, longest: u64) -> Delay {
    Delay::Debounce { quiet: secs(quiet), longest: secs(longest) }
}

/// Returns whether a number of seconds is `wanted`, or a little more for the time that the test itself took.
fn about(seconds: f64, wanted: f64) -> bool {
    (wanted - 0.001..wanted + 5.0).contains(&seconds)
}

pub(super) async fn an_order_becomes_part_of_an_equal_one_that_waits(bench: Bench) {
    let ready = bench.order(free(1)).await;
    let delayed = bench.order_later(free(2), Delay::For(HOUR)).await;
    assert!(!ready.coalesced && !delayed.coalesced && ready.job != delayed.job);
    for (job, ticket) in [(free(1), &ready), (free(2), &delayed)] {
        let again = bench.order_later(job, Delay::For(HOUR)).await;
        assert!(again.coalesced);
        assert_eq!(again.job, ticket.job);
    }
    assert_eq!((bench.state(&ready.job).await, bench.state(&delayed.job).await), (State::Ready, State::Delayed));
    let claim = bench.claim("w").await;
    assert_eq!(claim.id, ready.job);
    bench.done(&claim).await;
    bench.idle().await;
}

pub(super) async fn an_order_whose_twin_runs_is_parked_and_runs_after_it(bench: Bench) {
    let first = bench.order(free(1)).await.job;
    let claim = bench.claim("w").await;
    let second = bench.order(free(1)).await;
    assert!(!second.coalesced);
    assert_ne!(second.job, first);
    assert_eq!(bench.state(&second.job).await, State::Parked);
    bench.idle().await;
    bench.done(&claim).await;
    assert_eq!(bench.state(&second.job).await, State::Ready);
    let claim = bench.claim("w").await;
    assert_eq!(claim.id, second.job);
    bench.done(&claim).await;
    // The key is free again.
    assert!(!bench.order(free(1)).await.coalesced);
}

pub(super) async fn an_order_joins_the_twin_that_is_parked(bench: Bench) {
    bench.order(prefixes([1])).await;
    let claim = bench.claim("w").await;
    let parked = bench.order(prefixes([2])).await.job;
    let third = bench.order(prefixes([3])).await;
    assert!(third.coalesced);
    assert_eq!(third.job, parked);
    bench.done(&claim).await;
    assert_eq!(bench.claim("w").await.job, prefixes([2, 3]));
}

pub(super) async fn orders_of_prefixes_are_put_together(bench: Bench) {
    // Ids that a double still tells apart, the highest among them.
    let highest = (1 << 53) - 1;
    let id = bench.order_later(prefixes([3, highest]), debounce(600, 900)).await.job;
    bench.order_later(prefixes([1, 3]), debounce(600, 900)).await;
    bench.order_later(prefixes([2, highest - 1]), Delay::None).await;
    let wanted = prefixes([1, 2, 3, highest - 1, highest]);
    assert_eq!(bench.find(&id).await.job.as_ref(), Some(&wanted));
    let claim = bench.claim("w").await;
    assert_eq!((&claim.id, &claim.job), (&id, &wanted));
    // Nothing of it is lost when it is tried again.
    bench.settle(&claim, Ending::HandedBack).await;
    bench.order(prefixes([4])).await;
    assert_eq!(bench.claim("w").await.job, prefixes([1, 2, 3, 4, highest - 1, highest]));
}

pub(super) async fn an_order_of_very_many_prefixes_is_as_good_as_any(bench: Bench) {
    bench.order_later(prefixes(0..20_000), debounce(600, 900)).await;
    assert!(bench.order(prefixes(10_000..40_000)).await.coalesced);
    assert_eq!(bench.claim("w").await.job, prefixes(0..40_000));
}

pub(super) async fn orders_of_one_call_are_told_apart(bench: Bench) {
    let tickets = bench.queue.enqueue(&[now(free(1)), now(free(2)), now(free(1))]).await.unwrap();
    assert_eq!(tickets.iter().map(|ticket| ticket.coalesced).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(tickets[0].job, tickets[2].job);
    assert_ne!(tickets[0].job, tickets[1].job);
    assert_eq!(bench.queue.enqueue(&[]).await.unwrap(), []);
}

pub(super) async fn equal_work_of_another_user_or_config_is_other_work(bench: Bench) {
    let of_user = |user: &str| Job { user: Some(user.to_owned()), ..free(1) };
    let other_config = aggregate(7, 1);
    for job in [free(1), of_user("someone"), of_user("other"), other_config] {
        assert!(!bench.order(job.clone()).await.coalesced, "{job:?}");
        assert!(bench.order(job.clone()).await.coalesced, "{job:?}");
    }
}

pub(super) async fn an_order_that_asks_for_everything_is_other_work_and_keeps_asking_so(bench: Bench) {
    let quick = bench.order(prefixes([1])).await;
    let whole = bench.order(full(prefixes([2]))).await;
    assert!(!quick.coalesced && !whole.coalesced, "neither becomes part of the other");
    assert_eq!(bench.order(prefixes([3])).await.job, quick.job);
    assert_eq!(bench.order(full(prefixes([4]))).await.job, whole.job);
    let claim = bench.claim("w").await;
    assert_eq!((&claim.id, &claim.job), (&quick.job, &prefixes([1, 3])));
    // Nor does it wait for one that runs. What it asks for is not lost when it is tried again, or is somebody else's.
    let claim = bench.claim("w").await;
    assert_eq!((&claim.id, &claim.job), (&whole.job, &full(prefixes([2, 4]))));
    bench.settle(&claim, super::bench::failed("unreachable", Some(Duration::ZERO))).await;
    assert_eq!(bench.order(full(prefixes([5]))).await.job, whole.job);
    let claim = bench.claim("w").await;
    assert_eq!(claim.job, full(prefixes([2, 4, 5])));
    bench.settle(&claim, super::bench::failed("boom", None)).await;
    bench.queue.retry(&whole.job, "bob", Some("bob")).await.unwrap();
    assert_eq!(bench.claim("w").await.job, full(prefixes([2, 4, 5])).by("bob"));
}

pub(super) async fn a_delay_is_kept_and_the_earlier_of_two_wins(bench: Bench) {
    let id = bench.order_later(free(1), Delay::For(HOUR)).await.job;
    assert!(about(bench.due_after(&id).await, 3600.0));
    bench.order_later(free(1), Delay::For(HOUR * 2)).await;
    assert!(about(bench.due_after(&id).await, 3600.0));
    bench.order_later(free(1), Delay::For(secs(600))).await;
    assert!(about(bench.due_after(&id).await, 600.0));
    bench.idle().await;
}

pub(super) async fn an_order_that_does_not_wait_brings_its_twin_forward(bench: Bench) {
    for (number, delay) in [(1, Delay::For(HOUR)), (2, debounce(600, 900))] {
        let id = bench.order_later(free(number), delay).await.job;
        assert!(bench.order(free(number)).await.coalesced);
        assert_eq!(bench.find(&id).await.due, None);
        let claim = bench.claim("w").await;
        assert_eq!(claim.id, id);
        bench.done(&claim).await;
    }
}

pub(super) async fn a_debounce_slides_until_patience_ends(bench: Bench) {
    let id = bench.order_later(free(1), debounce(600, 900)).await.job;
    assert!(about(bench.due_after(&id).await, 600.0));
    bench.order_later(free(1), debounce(700, 900)).await;
    assert!(about(bench.due_after(&id).await, 700.0));
    // Less quiet is asked for: the last order counts.
    bench.order_later(free(1), debounce(500, 900)).await;
    assert!(about(bench.due_after(&id).await, 500.0));
    bench.order_later(free(1), debounce(1000, 2000)).await;
    assert!((bench.due_after(&id).await - 900.0).abs() < 0.001, "patience ends with what the first order said");
    let short = bench.order_later(free(2), debounce(600, 60)).await.job;
    assert!(about(bench.due_after(&short).await, 60.0));
}

pub(super) async fn a_debounce_never_moves_an_earlier_time(bench: Bench) {
    let id = bench.order_later(free(1), Delay::For(secs(300))).await.job;
    bench.order_later(free(1), debounce(600, 900)).await;
    assert!(about(bench.due_after(&id).await, 300.0));
    bench.order_later(free(1), debounce(30, 900)).await;
    assert!(about(bench.due_after(&id).await, 30.0));
    bench.order_later(free(1), debounce(60, 900)).await;
    assert!(about(bench.due_after(&id).await, 60.0));
}

pub(super) async fn a_time_the_queue_set_is_kept_unless_somebody_cannot_wait(bench: Bench) {
    bench.order(free(1)).await;
    let claim = bench.claim("w").await;
    bench.settle(&claim, super::bench::failed("unreachable", Some(HOUR))).await;
    for delay in [Delay::For(secs(10)), debounce(10, 20)] {
        assert!(bench.order_later(free(1), delay).await.coalesced);
        assert!(about(bench.due_after(&claim.id).await, 3600.0), "{delay:?} does not disturb the backoff");
    }
    bench.order(free(1)).await;
    assert_eq!(bench.claim("w").await.attempt, 2);
}

pub(super) async fn a_parked_order_keeps_its_delay(bench: Bench) {
    bench.order(free(1)).await;
    let claim = bench.claim("w").await;
    let parked = bench.order_later(free(1), Delay::For(HOUR)).await.job;
    assert_eq!(bench.state(&parked).await, State::Parked);
    bench.done(&claim).await;
    assert!(about(bench.due_after(&parked).await, 3600.0));
    bench.idle().await;
}

pub(super) async fn what_is_due_is_claimed_without_anybody_asking_again(bench: Bench) {
    let other = bench.other().await;
    let waiting = tokio::spawn(async move { other.claim("w", 1, CLAIM_TIMEOUT).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let id = bench.order_later(free(1), Delay::For(Duration::from_millis(700))).await.job;
    let claims = waiting.await.unwrap();
    assert_eq!(claims[0].id, id);
    let record = bench.find(&id).await;
    let waited = record.started.unwrap().duration_since(record.created).as_secs_f64();
    assert!((0.7..2.0).contains(&waited), "{waited}");
}

pub(super) async fn a_claim_waits_for_an_order(bench: Bench) {
    let begun = Instant::now();
    assert_eq!(bench.queue.claim("w", 1, Duration::ZERO).await.unwrap(), []);
    assert!(begun.elapsed() < secs(2));
    let other = bench.other().await;
    let waiting = tokio::spawn(async move { other.claim("w", 5, CLAIM_TIMEOUT).await.unwrap() });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let id = bench.order(aggregate(7, 1)).await.job;
    let claims = waiting.await.unwrap();
    assert!(begun.elapsed() < secs(2), "{:?}", begun.elapsed());
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].id, id);
    bench.settle(&claims[0], done(json!(null))).await;
}
