//! Small facts that the replicas share.

use std::time::Duration;

use rir_sidecar::queue::Remembered;

use super::bench::{Bench, free, now, secs};

pub(super) async fn a_lease_has_one_holder(bench: Bench) {
    let other = bench.other().await;
    let short = Duration::from_millis(500);
    assert!(bench.queue.hold("schedule", "a", short).await.unwrap());
    assert!(bench.queue.hold("schedule", "a", short).await.unwrap(), "keeping it is fine");
    assert!(!other.hold("schedule", "b", short).await.unwrap());
    assert!(other.hold("sweep", "b", short).await.unwrap());
    tokio::time::sleep(short + Duration::from_millis(50)).await;
    assert!(other.hold("schedule", "b", secs(60)).await.unwrap());
    assert!(!bench.queue.hold("schedule", "a", secs(60)).await.unwrap());
}

pub(super) async fn a_cursor_stays_where_it_was_set(bench: Bench) {
    assert_eq!(bench.queue.cursor("sweep").await.unwrap(), None);
    bench.queue.set_cursor("sweep", "41").await.unwrap();
    bench.queue.set_cursor("sweep", "42").await.unwrap();
    assert_eq!(bench.other().await.cursor("sweep").await.unwrap().as_deref(), Some("42"));
    assert_eq!(bench.queue.cursor("other").await.unwrap(), None);
}

pub(super) async fn hints_are_heard_once_something_was_queued_for_them(bench: Bench) {
    let hints: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(bench.queue.unheard(&hints).await.unwrap(), [true; 3]);
    bench.queue.enqueue(&[now(free(1))], Some("b")).await.unwrap();
    bench.queue.enqueue(&[], Some("c")).await.unwrap();
    assert_eq!(bench.other().await.unheard(&hints).await.unwrap(), [true, false, false]);
    assert_eq!(bench.queue.unheard(&[]).await.unwrap(), [] as [bool; 0]);
}

pub(super) async fn an_answer_is_given_once_and_then_remembered(bench: Bench) {
    let queue = &bench.queue;
    assert_eq!(queue.recall("k", "print").await.unwrap(), Remembered::New);
    assert_eq!(queue.recall("k", "print").await.unwrap(), Remembered::Busy);
    assert_eq!(queue.recall("k", "another").await.unwrap(), Remembered::Other);
    queue.remember("k", "print", "answer", secs(60)).await.unwrap();
    assert_eq!(queue.recall("k", "print").await.unwrap(), Remembered::Answer("answer".to_owned()));
    assert_eq!(queue.recall("k", "another").await.unwrap(), Remembered::Other);

    assert_eq!(queue.recall("free", "print").await.unwrap(), Remembered::New);
    queue.forget("free").await.unwrap();
    assert_eq!(queue.recall("free", "another").await.unwrap(), Remembered::New);

    queue.remember("short", "print", "answer", Duration::from_millis(200)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(queue.recall("short", "print").await.unwrap(), Remembered::New);
}

pub(super) async fn turns_come_evenly_after_a_burst(bench: Bench) {
    let other = bench.other().await;
    // So slow that the test itself takes no time beside it.
    let turn = async |queue: &rir_sidecar::queue::Queue, instance: &str| queue.turn(instance, 1, 3).await.unwrap();
    for queue in [&bench.queue, &other, &bench.queue] {
        assert_eq!(turn(queue, "arin").await, Duration::ZERO);
    }
    let wait = turn(&other, "arin").await;
    assert!(wait > Duration::from_millis(500) && wait <= secs(1), "{wait:?}");
    assert_eq!(turn(&other, "arin-ote").await, Duration::ZERO, "instances are counted apart");
    tokio::time::sleep(wait).await;
    assert_eq!(turn(&bench.queue, "arin").await, Duration::ZERO);
    assert!(turn(&other, "arin").await > Duration::ZERO);
    for _ in 0..100 {
        assert_eq!(bench.queue.turn("unlimited", 0, 0).await.unwrap(), Duration::ZERO);
    }
    assert_eq!(bench.queue.turn("single", 1, 0).await.unwrap(), Duration::ZERO);
    assert!(bench.queue.turn("single", 1, 0).await.unwrap() > Duration::ZERO);
}

pub(super) async fn a_pause_holds_everybody_and_is_never_shortened(bench: Bench) {
    let other = bench.other().await;
    bench.queue.pause("arin", Duration::from_millis(1500)).await.unwrap();
    bench.queue.pause("arin", Duration::from_millis(100)).await.unwrap();
    for per_second in [0, 5] {
        let wait = other.turn("arin", per_second, 5).await.unwrap();
        assert!(wait > Duration::from_millis(700) && wait <= Duration::from_millis(1500), "{wait:?}");
    }
    assert_eq!(other.turn("arin-ote", 5, 5).await.unwrap(), Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(1501)).await;
    assert_eq!(other.turn("arin", 5, 5).await.unwrap(), Duration::ZERO);
}

pub(super) async fn processes_are_counted(bench: Bench) {
    assert_eq!(bench.queue.attend("a").await.unwrap(), 1);
    assert_eq!(bench.other().await.attend("b").await.unwrap(), 2);
    assert_eq!(bench.queue.attend("a").await.unwrap(), 2);
}
