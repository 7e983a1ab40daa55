//! What a writer leaves behind that was killed, and what Redis may lose.

use std::time::Duration;

use redis::Cmd;
use rir_sidecar::{
    config::QueueMode,
    irr::{
        source::Serial,
        store::{Basis, Notes, SourceState, Store, StoreError, Written},
    },
};

use crate::queue::server::{Server, told};

use super::desk::{Desk, add, at, delete, expected, large, object, plain};

async fn keys(desk: &Desk) -> Vec<String> {
    let mut all = desk
        .keys()
        .ask::<Vec<String>>("keys", &Cmd::keys(desk.keys().key("*").replace(['{', '}'], "?")))
        .await
        .unwrap();
    all.sort();
    all
}

async fn lives(desk: &Desk, key: &str) -> i64 {
    desk.keys().ask("ttl", redis::cmd("TTL").arg(key)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_of_a_source_have_a_hash_tag_of_their_own() {
    let desk = Desk::redis().await;
    desk.imported(&plain(&[("A", "1")]), 1).await;
    desk.appended(&[add(2, object("B", "1"))]).await;
    let (keys, prefix) = (keys(&desk).await, desk.keys().key(""));
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(prefix.starts_with("{test-") && prefix.ends_with(":irr:TEST}:"), "{prefix}");
    assert!(keys.iter().all(|key| key.starts_with(&prefix)), "{keys:?}");
}

/// A Cluster of one server, which has all slots: it refuses a step that needs keys of more than one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_holds_sources() {
    let server = Server::start(&["--cluster-enabled", "yes"]).await;
    assert!(told(server.port, &["cluster", "addslotsrange", "0", "16383"]).contains("OK"));
    while !told(server.port, &["cluster", "info"]).contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut settings = server.settings();
    settings.mode = QueueMode::Cluster;
    let desk = Desk::at(settings);
    let objects: Vec<_> = ["A", "B", "C", "D", "E", "F", "G"].map(|key| large(key, "1")).to_vec();
    desk.imported(&objects, 1).await;
    desk.imported(&objects, 2).await;
    desk.appended(&[add(3, object("B", "2")), delete(4, "C")]).await;
    desk.compacted(1).await;
    let found = desk.objects().await.unwrap();
    assert_eq!((found.len(), &found["B"]), (6, &object("B", "2").text));
    assert_eq!(desk.serials().await, [4]);
    assert!(desk.other.snapshot(&desk.name).await.unwrap().unwrap().next().await.unwrap().is_some());
    assert_eq!(desk.here.ask_reload(&desk.name).await.unwrap(), 1);
    desk.here.forget(&desk.name).await.unwrap();
    assert_eq!(desk.objects().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_is_dropped_expires() {
    let desk = Desk::redis().await;
    let mut import = desk.here.import(&desk.name, Basis::default()).await.unwrap();
    for key in ["A", "B", "C", "D", "E", "F", "G"] {
        import.push(&large(key, "1")).await.unwrap();
    }
    drop(import);
    let keys: Vec<String> = keys(&desk).await.into_iter().filter(|key| !key.ends_with(":state")).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        assert!((1..=600).contains(&lives(&desk, &key).await), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_is_given_up_goes_at_once() {
    let desk = Desk::redis().await;
    desk.imported(&plain(&[("A", "1")]), 1).await;
    let before = keys(&desk).await;
    let mut import = desk.here.import(&desk.name, desk.basis().await).await.unwrap();
    for key in ["A", "B", "C", "D", "E", "F", "G"] {
        import.push(&large(key, "1")).await.unwrap();
    }
    assert_eq!(keys(&desk).await.len(), before.len() + 2);
    import.discard().await.unwrap();
    assert_eq!(keys(&desk).await, before);
    assert_eq!(desk.objects().await, expected(&[("A", "1")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_current_stays_and_what_was_replaced_goes() {
    let desk = Desk::redis().await;
    let mut generations = Vec::new();
    for serial in 1..=5 {
        desk.imported(&plain(&[("A", "1")]), serial).await;
        generations.push(desk.holding().await.generation);
    }
    assert!(generations.is_sorted_by(|a, b| a < b), "{generations:?}");
    for (back, generation) in generations.iter().rev().enumerate() {
        for part in ["g", "k"] {
            let lives = lives(&desk, &desk.keys().key(&format!("{part}:{generation}"))).await;
            let is_right = match back {
                0 => lives == -1,
                1 | 2 => (3000..=3600).contains(&lives),
                _ => lives == -2,
            };
            assert!(is_right, "{part} of {back} before: {lives}");
        }
    }
    desk.here.forget(&desk.name).await.unwrap();
    assert_eq!(keys(&desk).await, [] as [&str; 0]);
}

async fn entries(desk: &Desk) -> u64 {
    desk.keys().ask("length", &Cmd::xlen(desk.keys().key("journal"))).await.unwrap()
}

/// Ends whatever writes as soon as the journal has so many entries. Returns nothing if it was ended.
async fn cut<T>(desk: &Desk, writing: impl Future<Output = T>, at: u64) -> Option<T> {
    let cut = async { while entries(desk).await < at {} };
    tokio::select! {
        biased;
        () = cut => None,
        written = writing => Some(written),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_was_cut_anywhere_is_there_or_not() {
    let desk = Desk::redis().await;
    desk.imported(&plain(&[("A", "1")]), 0).await;
    let (mut newest, mut left_behind) = (0, 0);
    for round in 0..12_u64 {
        let basis = desk.basis().await;
        let says = round.to_string();
        let changes: Vec<_> = (1..=2500).map(|nth| add(newest + nth, object(&format!("N{nth}"), &says))).collect();
        let before = desk.objects().await;
        let at = desk.holding().await.tail + round % 4 * 500;
        cut(&desk, desk.append(basis, &changes, newest + 2500), at).await;
        // What was sent is done even if nobody waits for it any more; this is behind it.
        let entries = entries(&desk).await;
        let holding = desk.holding().await;
        left_behind += u32::from(entries != holding.tail);
        let (serial, objects) = (holding.serial.unwrap().0, desk.objects().await);
        if serial == newest {
            assert_eq!(objects, before, "round {round}");
        } else {
            assert_eq!(serial, newest + 2500);
            assert_eq!(objects.unwrap()["N2500"], object("N2500", &says).text);
        }
        // Whoever comes next finds its way, with other changes and fewer of them.
        desk.appended(&[add(serial + 1, object("B", "1")), delete(serial + 5, "B")]).await;
        newest = serial + 5;
    }
    assert!(left_behind > 0, "none left anything behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_writer_left_behind_does_not_count() {
    let desk = Desk::redis().await;
    desk.imported(&plain(&[("A", "1")]), 10).await;
    desk.appended(&[add(11, object("B", "1"))]).await;
    let leave = async |serial: u64| {
        let fields = [("op", "add"), ("class", "mntner"), ("key", "LEFT"), ("text", "mntner: LEFT\n")];
        let id = format!("{serial}-0");
        let _: String = desk.keys().ask("leave", &Cmd::xadd(desk.keys().key("journal"), id, &fields)).await.unwrap();
    };
    leave(12).await;
    leave(500).await;
    assert_eq!(desk.objects().await, expected(&[("A", "1"), ("B", "1")]));
    assert_eq!(desk.serials().await, [11]);
    desk.appended(&[add(13, object("C", "1"))]).await;
    assert_eq!(desk.serials().await, [11, 13]);
    leave(14).await;
    desk.compacted(1).await;
    assert_eq!(desk.serials().await, [13]);
    desk.appended(&[add(14, object("D", "1"))]).await;
    assert_eq!(desk.objects().await, expected(&[("A", "1"), ("B", "1"), ("C", "1"), ("D", "1")]));
}

/// Both stand on the same and write at the same time: one of them, and nothing of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_append_at_once_one_is_stale() {
    let desk = Desk::redis().await;
    desk.imported(&[], 0).await;
    for round in 0..10 {
        let (basis, newest) = (desk.basis().await, desk.holding().await.serial.unwrap().0);
        let batch = |writer: &str, step: u64| -> Vec<_> {
            (1..=1200)
                .map(|nth| add(newest + nth * step, object(&format!("{writer}{nth}"), &round.to_string())))
                .collect()
        };
        let (one, two) = (batch("one", 2), batch("two", 3));
        let append = async |store: &Store, changes| {
            store.append(&desk.name, basis, changes, Serial(newest + 3600), &Notes::default()).await.unwrap()
        };
        let written = tokio::join!(append(&desk.here, &one), append(&desk.other, &two));
        let winner = match written {
            (Written::Done, Written::Stale) => &one,
            (Written::Stale, Written::Done) => &two,
            _ => panic!("{written:?}"),
        };
        let range = (Serial(newest + 1), Serial(u64::MAX));
        assert_eq!(desk.other.journal(&desk.name, range, 10).await.unwrap(), winner[..10]);
        assert_eq!(desk.holding().await.tail, (round + 1) * 1200);
        assert_eq!(entries(&desk).await, (round + 1) * 1200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_of_which_redis_lost_a_part_does_not_count() {
    let desk = Desk::redis().await;
    let mut import = desk.here.import(&desk.name, Basis::default()).await.unwrap();
    for key in ["A", "B", "C", "D", "E", "F", "G"] {
        import.push(&large(key, "1")).await.unwrap();
    }
    let part = keys(&desk).await.into_iter().find(|key| key.contains(":k:")).unwrap();
    let _: u8 = desk.keys().ask("lose", &Cmd::hdel(part, 1)).await.unwrap();
    let finished = import.finish(Some(Serial(1)), Notes::default(), at(0)).await;
    assert!(matches!(finished, Err(StoreError::Lost { .. })), "{finished:?}");
    assert_eq!(desk.objects().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_what_redis_lost_is_told() {
    let desk = Desk::redis().await;
    desk.imported(&plain(&[("A", "1")]), 1).await;
    let mut current = desk.other.objects(&desk.name).await.unwrap().unwrap();
    let mut snapshot = desk.other.snapshot(&desk.name).await.unwrap().unwrap();
    // The keys that lie beside the texts.
    let part = keys(&desk).await.into_iter().find(|key| key.contains(":k:")).unwrap();
    let _: u8 = desk.keys().ask("lose", &Cmd::del(part)).await.unwrap();
    let read = current.next().await;
    assert!(matches!(&read, Err(error @ StoreError::Missing { .. }) if error.calls_for_reload()), "{read:?}");
    let mut lost = Cmd::new();
    lost.arg("DEL").arg(keys(&desk).await);
    let _: u8 = desk.keys().ask("lose", &lost).await.unwrap();
    let read = current.next().await;
    assert!(matches!(read, Err(StoreError::Replaced { .. })), "{read:?}");
    let read = snapshot.next().await;
    assert!(matches!(read, Err(StoreError::Replaced { .. })), "{read:?}");
    assert_eq!(desk.state().await, SourceState::default());
    desk.imported(&plain(&[("B", "1")]), 1).await;
    assert_eq!(desk.objects().await, expected(&[("B", "1")]));
}
