//! Notes: what a job has finished is kept beside it.

use std::time::Duration;

use rir_sidecar::queue::{Asked, Claim, Ending, JobId, Noted, Signal, State};
use serde_json::{Value, json};

use super::bench::{ATTEMPTS, Bench, CLAIM_TIMEOUT, LEASE, failed, free, progress, secs, whole};

const CONFIG: u64 = 7;
const LOST: Noted = Noted { signal: Signal::Lost, others_wait: false };
const ALONE: Noted = Noted { signal: Signal::Yours, others_wait: false };

async fn note(bench: &Bench, claim: &Claim, note: Value) -> Noted {
    bench.queue.note(claim, "w", &note).await.unwrap()
}

async fn notes(bench: &Bench, job: &JobId) -> Vec<Value> {
    bench.queue.notes(job).await.unwrap()
}

pub(super) async fn notes_are_kept_in_order_and_refused_by_the_fence(bench: Bench) {
    let id = bench.order(whole(CONFIG)).await.job;
    assert_eq!(notes(&bench, &id).await, [] as [Value; 0]);
    let claim = bench.claim("w").await;
    // Whatever JSON can hold: numbers that no double holds, empty lists, null, and text that looks like none of these.
    let written = [
        json!({"aggregate": u64::MAX, "net": null, "prefixes": []}),
        json!([1, {}, "\u{0}\"\\"]),
        json!(null),
        json!("x"),
    ];
    for value in &written {
        assert_eq!(note(&bench, &claim, value.clone()).await, ALONE);
    }
    assert_eq!(notes(&bench, &id).await, written);
    bench.settle(&claim, Ending::HandedBack).await;
    let next = bench.claim("other").await;
    assert_eq!(note(&bench, &claim, json!("late")).await, LOST);
    assert_eq!(note(&bench, &next, json!("next")).await, ALONE);
    assert_eq!(notes(&bench, &id).await, [&written[..], &[json!("next")]].concat());
    bench.done(&next).await;
    assert_eq!(note(&bench, &next, json!("over")).await, LOST);
    assert_eq!(notes(&bench, &id).await, [] as [Value; 0]);
}

pub(super) async fn a_note_keeps_the_lease_and_hears_of_a_cancellation(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    let claim = bench.begin("w").await;
    let version = bench.find(&id).await.version;
    for number in 0..4 {
        tokio::time::sleep(LEASE / 2).await;
        assert_eq!(note(&bench, &claim, json!(number)).await, ALONE);
        assert_eq!(bench.queue.claim("other", 1, Duration::ZERO).await.unwrap(), []);
    }
    assert_eq!(bench.find(&id).await.version, version, "the record is the same");
    bench.queue.cancel(&id, "ann").await.unwrap();
    assert_eq!(note(&bench, &claim, json!("last")).await.signal, Signal::Cancelled);
    assert_eq!(notes(&bench, &id).await.len(), 5);
    bench.settle(&claim, Ending::Cancelled).await;
    assert_eq!(notes(&bench, &id).await, [] as [Value; 0]);
}

pub(super) async fn notes_survive_whatever_is_not_the_end(bench: Bench) {
    let id = bench.order(whole(CONFIG)).await.job;
    let again = || Ending::Again { wait: Duration::ZERO };
    let endings = [again(), Ending::HandedBack, failed("timeout", Some(Duration::from_millis(50))), again()];
    let mut wanted = Vec::new();
    for (number, ending) in (0..).zip(endings) {
        let claim = bench.claim("w").await;
        assert_eq!(notes(&bench, &id).await, wanted);
        note(&bench, &claim, json!(number)).await;
        wanted.push(json!(number));
        bench.settle(&claim, ending).await;
    }
    let dead = bench.claim("dead").await;
    note(&bench, &dead, json!("before it died")).await;
    wanted.push(json!("before it died"));
    let claims = bench.queue.claim("other", 1, LEASE + CLAIM_TIMEOUT).await.unwrap();
    assert_eq!((&claims[0].id, claims[0].attempt), (&id, 2));
    assert_eq!(note(&bench, &dead, json!("late")).await, LOST);
    assert_eq!(notes(&bench, &id).await, wanted);
    assert_eq!(bench.queue.retry(&id, "ann", None).await.unwrap(), Asked::Unfit(State::Running));
}

pub(super) async fn notes_leave_with_the_end_and_a_new_life_begins_anew(bench: Bench) {
    let endings = [super::bench::done(json!(1)), failed("boom", None), Ending::Cancelled];
    for (number, ending) in (1..).zip(endings) {
        let id = bench.order(whole(number)).await.job;
        let claim = bench.claim("w").await;
        note(&bench, &claim, json!(1)).await;
        bench.settle(&claim, ending).await;
        assert_eq!(notes(&bench, &id).await, [] as [Value; 0]);
        if bench.queue.retry(&id, "ann", None).await.unwrap() == Asked::Taken {
            let claim = bench.claim("w").await;
            assert_eq!((&claim.id, claim.attempt), (&id, 1));
            assert_eq!(notes(&bench, &id).await, [] as [Value; 0]);
            bench.done(&claim).await;
        }
    }
    // Also of a job that is cancelled while it waits to go on.
    let id = bench.order(whole(9)).await.job;
    let claim = bench.claim("w").await;
    note(&bench, &claim, json!(1)).await;
    bench.settle(&claim, Ending::Again { wait: secs(3600) }).await;
    assert_eq!(notes(&bench, &id).await, [json!(1)]);
    bench.queue.cancel(&id, "ann").await.unwrap();
    assert_eq!(notes(&bench, &id).await, [] as [Value; 0]);
}

pub(super) async fn attempts_count_from_the_last_note(bench: Bench) {
    let id = bench.order(free(1)).await.job;
    for _ in 0..ATTEMPTS + 1 {
        let claim = bench.claim("w").await;
        bench.settle(&claim, failed("timeout", Some(Duration::ZERO))).await;
        let claim = bench.claim("w").await;
        note(&bench, &claim, json!("progress")).await;
        assert_eq!(bench.find(&id).await.attempts, 1);
        bench.settle(&claim, failed("timeout", Some(Duration::ZERO))).await;
        assert_eq!(bench.state(&id).await, State::Ready);
        // What is given back was no attempt.
        let claim = bench.claim("w").await;
        assert_eq!(claim.attempt, 2);
        note(&bench, &claim, json!("progress")).await;
        bench.settle(&claim, Ending::HandedBack).await;
        assert_eq!(bench.find(&id).await.attempts, 0);
    }
    let claim = bench.claim("dying").await;
    note(&bench, &claim, json!("the last one")).await;
    for attempt in 2..=ATTEMPTS {
        assert_eq!(bench.begin("dying").await.attempt, attempt);
    }
    assert_eq!(bench.queue.claim("other", 1, LEASE * 2).await.unwrap(), []);
    assert_eq!(bench.state(&id).await, State::Dead, "it died three times without a note");
}

pub(super) async fn a_note_tells_whether_others_wait(bench: Bench) {
    bench.order(whole(CONFIG)).await;
    let claim = bench.claim("w").await;
    let others_wait = async || note(&bench, &claim, json!(1)).await.others_wait;
    assert!(!others_wait().await);
    bench.order_later(free(1), rir_sidecar::queue::Delay::For(Duration::from_millis(300))).await;
    bench.order(whole(CONFIG)).await;
    assert!(!others_wait().await, "one is not due yet, the other waits for its twin");
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert!(others_wait().await, "it is due, though nobody has claimed since");
    let other = bench.claim("other").await;
    assert!(!others_wait().await, "it runs");
    bench.queue.heartbeat(&other, "other", &progress(0, 0, "")).await.unwrap();
    let ready = bench.order(free(2)).await.job;
    assert!(others_wait().await);
    bench.queue.cancel(&ready, "ann").await.unwrap();
    assert!(!others_wait().await);
}
