//! The facts that replicas share, asked of both implementations: each case runs as `coordination::memory::` on a clock that
//! is paused, and as `coordination::redis::`, which needs `RIR_LAB_REDIS_URL`.

use std::time::Duration;

use rir_sidecar::coordination::{Coordination, KnownAnswer};

use crate::queue::bench::{secs, settings};

/// The same facts as two replicas have them.
struct Desk {
    here: Coordination,
    other: Coordination,
}

impl Desk {
    fn memory() -> Self {
        let here = Coordination::in_memory();
        Self { other: here.clone(), here }
    }

    async fn redis() -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        let settings = settings(&url);
        let open = async || Coordination::open(&settings).await.unwrap();
        Self { here: open().await, other: open().await }
    }
}

macro_rules! cases {
    ($($case:ident)+) => {
        mod memory {
            $(
                #[tokio::test(start_paused = true)]
                async fn $case() {
                    super::$case(super::Desk::memory()).await;
                }
            )+
        }

        mod redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(super::Desk::redis().await).await;
                }
            )+
        }
    };
}

cases! {
    a_lease_has_one_holder
    a_cursor_stays_where_it_was_set
    changes_are_seen_once_they_are_remembered
    a_delivery_is_taken_once_unless_it_is_forgotten
    an_answer_is_given_once_and_then_remembered
    requests_go_evenly_after_a_burst
    a_pause_holds_everybody_and_is_never_shortened
    processes_are_counted
}

async fn a_lease_has_one_holder(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    let short = Duration::from_millis(500);
    assert!(here.acquire_lease("schedule", "a", short).await.unwrap());
    assert!(here.acquire_lease("schedule", "a", short).await.unwrap(), "keeping it is fine");
    assert!(!other.acquire_lease("schedule", "b", short).await.unwrap());
    assert!(other.acquire_lease("sweep", "b", short).await.unwrap());
    tokio::time::sleep(short + Duration::from_millis(50)).await;
    assert!(other.acquire_lease("schedule", "b", secs(60)).await.unwrap());
    assert!(!here.acquire_lease("schedule", "a", secs(60)).await.unwrap());
}

async fn a_cursor_stays_where_it_was_set(desk: Desk) {
    let here = &desk.here;
    assert_eq!(here.cursor("sweep").await.unwrap(), None);
    here.set_cursor("sweep", "41").await.unwrap();
    here.set_cursor("sweep", "42").await.unwrap();
    assert_eq!(desk.other.cursor("sweep").await.unwrap().as_deref(), Some("42"));
    assert_eq!(here.cursor("other").await.unwrap(), None);
}

async fn changes_are_seen_once_they_are_remembered(desk: Desk) {
    let here = &desk.here;
    let changes: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(here.unseen_changes(&changes).await.unwrap(), [true; 3]);
    here.remember_change("b").await.unwrap();
    here.remember_change("c").await.unwrap();
    assert_eq!(desk.other.unseen_changes(&changes).await.unwrap(), [true, false, false]);
    assert_eq!(here.unseen_changes(&[]).await.unwrap(), [] as [bool; 0]);
}

async fn a_delivery_is_taken_once_unless_it_is_forgotten(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    assert!(here.remember_delivery("a").await.unwrap());
    assert!(!other.remember_delivery("a").await.unwrap());
    assert!(other.remember_delivery("b").await.unwrap());
    other.forget_delivery("a").await.unwrap();
    assert!(here.remember_delivery("a").await.unwrap());
    assert_eq!(here.unseen_changes(&["a".to_owned()]).await.unwrap(), [true], "it is no change that was seen");
}

async fn an_answer_is_given_once_and_then_remembered(desk: Desk) {
    let here = &desk.here;
    assert_eq!(here.recall_answer("k", "print").await.unwrap(), KnownAnswer::Reserved);
    assert_eq!(here.recall_answer("k", "print").await.unwrap(), KnownAnswer::InProgress);
    assert_eq!(here.recall_answer("k", "another").await.unwrap(), KnownAnswer::OtherRequest);
    here.remember_answer("k", "print", "answer", secs(60)).await.unwrap();
    assert_eq!(here.recall_answer("k", "print").await.unwrap(), KnownAnswer::Answer("answer".to_owned()));
    assert_eq!(here.recall_answer("k", "another").await.unwrap(), KnownAnswer::OtherRequest);

    assert_eq!(here.recall_answer("free", "print").await.unwrap(), KnownAnswer::Reserved);
    here.forget_answer("free").await.unwrap();
    assert_eq!(here.recall_answer("free", "another").await.unwrap(), KnownAnswer::Reserved);

    here.remember_answer("short", "print", "answer", Duration::from_millis(200)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(here.recall_answer("short", "print").await.unwrap(), KnownAnswer::Reserved);
}

async fn requests_go_evenly_after_a_burst(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    // So slow that the test itself takes no time beside it.
    let acquire = async |facts: &Coordination, instance: &str| facts.acquire_rate(instance, 1, 3).await.unwrap();
    for facts in [here, other, here] {
        assert_eq!(acquire(facts, "arin").await, Duration::ZERO);
    }
    let wait = acquire(other, "arin").await;
    assert!(wait > Duration::from_millis(500) && wait <= secs(1), "{wait:?}");
    assert_eq!(acquire(other, "arin-ote").await, Duration::ZERO, "instances are counted apart");
    tokio::time::sleep(wait).await;
    assert_eq!(acquire(here, "arin").await, Duration::ZERO);
    assert!(acquire(other, "arin").await > Duration::ZERO);
    for _ in 0..100 {
        assert_eq!(here.acquire_rate("unlimited", 0, 0).await.unwrap(), Duration::ZERO);
    }
    assert_eq!(here.acquire_rate("single", 1, 0).await.unwrap(), Duration::ZERO);
    assert!(here.acquire_rate("single", 1, 0).await.unwrap() > Duration::ZERO);
}

async fn a_pause_holds_everybody_and_is_never_shortened(desk: Desk) {
    let (here, other) = (&desk.here, &desk.other);
    here.pause_rate("arin", Duration::from_millis(1500)).await.unwrap();
    here.pause_rate("arin", Duration::from_millis(100)).await.unwrap();
    for per_second in [0, 5] {
        let wait = other.acquire_rate("arin", per_second, 5).await.unwrap();
        assert!(wait > Duration::from_millis(700) && wait <= Duration::from_millis(1500), "{wait:?}");
    }
    assert_eq!(other.acquire_rate("arin-ote", 5, 5).await.unwrap(), Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(1501)).await;
    assert_eq!(other.acquire_rate("arin", 5, 5).await.unwrap(), Duration::ZERO);
}

async fn processes_are_counted(desk: Desk) {
    let here = &desk.here;
    assert_eq!(here.register_presence("a").await.unwrap(), 1);
    assert_eq!(desk.other.register_presence("b").await.unwrap(), 2);
    assert_eq!(here.register_presence("a").await.unwrap(), 2);
}
