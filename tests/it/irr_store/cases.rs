//! The cases that both kinds of store pass.

use std::{io::Read, time::Instant};

use flate2::read::MultiGzDecoder;
use rir_sidecar::irr::{
    nrtm4::Standing,
    rpsl::{Class, Object, ObjectKey},
    source::Serial,
    store::{Basis, Notes, RefusedShrink, SourceState, StoreError, Unusable, Written, needs_compaction},
};

use super::desk::{Desk, add, at, delete, expected, large, object, plain, text};

pub(super) async fn nothing_is_known_of_a_new_source(desk: Desk) {
    assert_eq!(desk.state().await, SourceState::default());
    assert_eq!(desk.state().await.basis(), Basis::default());
    assert_eq!(desk.objects().await, None);
    assert!(desk.here.snapshot(&desk.name).await.unwrap().is_none());
    assert_eq!(desk.serials().await, [] as [u64; 0]);
    assert_eq!(desk.here.names().await.unwrap(), []);
    let nothing = desk.here.append(&desk.name, Basis::default(), &[], Serial(1), &Notes::default()).await;
    assert!(matches!(nothing, Err(StoreError::NothingHeld { .. })), "{nothing:?}");
}

pub(super) async fn a_dump_is_seen_when_all_of_it_is_there(desk: Desk) {
    let mut import = desk.here.import(&desk.name, Basis::default()).await.unwrap();
    for key in ["A", "B", "C", "D", "E", "F", "G"] {
        import.push(&large(key, "first")).await.unwrap();
        assert_eq!(desk.objects().await, None);
    }
    assert_eq!(import.objects(), 7);
    let notes = Notes { imported: Some("etag".to_owned()), changed: Some(at(5)), ..Notes::default() };
    assert_eq!(import.finish(Some(Serial(7)), notes.clone(), at(5)).await.unwrap(), Written::Done);
    let state = desk.state().await;
    assert_eq!(state.notes, notes);
    let holding = state.holding.unwrap();
    assert!(holding.blocks > 1 && holding.stored > 0, "{holding:?}");
    assert_eq!((holding.objects, holding.made, holding.tail), (7, at(5), 0));
    assert_eq!((holding.snapshot_serial, holding.serial), (Some(Serial(7)), Some(Serial(7))));
    let objects = desk.objects().await.unwrap();
    assert_eq!(objects.len(), 7);
    assert_eq!(objects["C"], large("C", "first").text);
    assert_eq!(holding.bytes, objects.values().map(|text| text.len() as u64 + 1).sum::<u64>());
    assert_eq!(desk.here.names().await.unwrap(), [desk.name]);
}

pub(super) async fn a_dump_that_is_dropped_changes_nothing(desk: Desk) {
    desk.imported(&plain(&[("A", "old")]), 1).await;
    let before = desk.state().await;
    let mut import = desk.here.import(&desk.name, before.basis()).await.unwrap();
    for key in ["A", "B", "C", "D", "E", "F", "G"] {
        import.push(&large(key, "new")).await.unwrap();
    }
    drop(import);
    assert_eq!(desk.state().await, before);
    assert_eq!(desk.objects().await, expected(&[("A", "old")]));
    desk.imported(&plain(&[("B", "newer")]), 2).await;
    assert_eq!(desk.objects().await, expected(&[("B", "newer")]));
}

pub(super) async fn the_last_object_of_a_key_counts(desk: Desk) {
    let mut objects = vec![object("A", "1"), object("B", "1"), object("A", "2")];
    // Until here it is in one block; these make further ones.
    objects.extend(["C", "D", "E", "F", "G", "H", "I"].map(|key| large(key, "1")));
    objects.extend([object("A", "3"), object("D", "2"), object("J", "1"), object("J", "2"), object("A", "4")]);
    desk.imported(&objects, 1).await;
    let found = desk.objects().await.unwrap();
    assert_eq!(found.keys().map(String::as_str).collect::<String>(), "ABCDEFGHIJ");
    for (key, says) in [("A", "4"), ("B", "1"), ("D", "2"), ("J", "2")] {
        assert_eq!(found[key], text(key, says));
    }
    assert_eq!(found["E"], large("E", "1").text);
    let holding = desk.holding().await;
    assert_eq!(holding.objects, 10);
    assert_eq!(holding.bytes, found.values().map(|text| text.len() as u64 + 1).sum::<u64>());
    // A key in another class is another one.
    let mut of_other_class = object("A", "role");
    of_other_class.key.class = Class::Role;
    desk.imported(&[object("A", "mntner"), of_other_class], 2).await;
    assert_eq!(desk.holding().await.objects, 2);
}

/// Those that come a second time are more than are held in memory until the end.
pub(super) async fn objects_may_be_very_large_and_come_twice(desk: Desk) {
    let huge = |key, says| {
        let mut object = object(key, says);
        object.text.push_str(&format!("remarks: {}\n", "x".repeat(9 * 1024 * 1024)));
        object
    };
    let twice = [huge("A", "2"), huge("B", "2"), huge("C", "1"), object("A", "3"), object("C", "2")];
    let objects = [plain(&[("A", "1"), ("B", "1")]), twice.to_vec()].concat();
    desk.imported(&objects, 1).await;
    let found = desk.objects().await.unwrap();
    assert_eq!((found.len(), desk.holding().await.objects), (3, 3));
    assert_eq!((&found["A"], &found["C"]), (&text("A", "3"), &text("C", "2")));
    assert!(found["B"] == huge("B", "2").text);
    // More than is written in one step, by their bytes; and one that is too large for a step.
    let keys = ["D", "E", "F", "G", "H", "I", "J", "K", "L", "M"];
    let mut changes: Vec<_> = keys.into_iter().zip(2..).map(|(key, serial)| add(serial, large(key, "1"))).collect();
    changes.push(add(12, huge("C", "3")));
    changes.push(delete(13, "A"));
    desk.appended(&changes).await;
    let found = desk.objects().await.unwrap();
    assert_eq!(found.keys().map(String::as_str).collect::<String>(), "BCDEFGHIJKLM");
    assert!(found["C"] == huge("C", "3").text && found["M"] == large("M", "1").text);
}

pub(super) async fn a_dump_of_nothing_is_held(desk: Desk) {
    desk.imported(&[], 3).await;
    assert_eq!(desk.holding().await.objects, 0);
    assert_eq!(desk.objects().await, expected(&[]));
    desk.appended(&[add(4, object("A", "new"))]).await;
    assert_eq!(desk.objects().await, expected(&[("A", "new")]));
    desk.compacted(0).await;
    desk.appended(&[delete(5, "A")]).await;
    desk.compacted(0).await;
    assert_eq!(desk.objects().await, expected(&[]));
    assert_eq!(desk.holding().await.objects, 0);
}

pub(super) async fn an_object_that_would_not_come_back_is_refused(desk: Desk) {
    let mut import = desk.here.import(&desk.name, Basis::default()).await.unwrap();
    let mut two = object("A", "1");
    two.text.push_str("\nmntner: B\n");
    let refused = import.push(&two).await;
    assert!(matches!(refused, Err(StoreError::NoParagraph { .. })), "{refused:?}");
    let again = import.push(&two).await;
    assert!(matches!(again, Err(StoreError::NoParagraph { .. })), "{again:?}");
    desk.imported(&[], 1).await;
    let basis = desk.basis().await;
    let appended = desk.here.append(&desk.name, basis, &[add(2, two)], Serial(2), &Notes::default()).await;
    assert!(matches!(appended, Err(StoreError::NoParagraph { .. })), "{appended:?}");
    assert_eq!(desk.objects().await, expected(&[]));
}

pub(super) async fn of_two_writers_that_stand_on_the_same_one_is_stale(desk: Desk) {
    let nothing = desk.basis().await;
    desk.imported(&plain(&[("A", "1")]), 1).await;
    assert_eq!(desk.import(nothing, &plain(&[("A", "late")]), Some(9)).await, Written::Stale);
    let (first, one) = (desk.basis().await, [add(2, object("B", "1"))]);
    assert_eq!(desk.append(first, &one, 2).await, Written::Done);
    let before = desk.state().await;
    assert_eq!(desk.append(first, &one, 2).await, Written::Stale);
    assert_eq!(desk.import(first, &plain(&[("A", "late")]), Some(9)).await, Written::Stale);
    let late = Notes { imported: Some("late".to_owned()), ..Notes::default() };
    assert_eq!(desk.here.note(&desk.name, first, &late).await.unwrap(), Written::Stale);
    assert_eq!(desk.here.compact(&desk.name, first, 9, at(1)).await.unwrap(), Written::Stale);
    assert_eq!(desk.state().await, before);
    assert_eq!(desk.objects().await, expected(&[("A", "1"), ("B", "1")]));
    // The same serial in another snapshot is something else.
    desk.compacted(9).await;
    assert_eq!(desk.append(before.basis(), &[add(3, object("C", "1"))], 3).await, Written::Stale);
}

pub(super) async fn changes_are_on_top_of_the_snapshot(desk: Desk) {
    desk.imported(&plain(&[("A", "1"), ("B", "1"), ("C", "1"), ("D", "1")]), 10).await;
    let changes = [
        add(11, object("E", "new")),
        add(13, object("B", "2")),
        delete(14, "C"),
        delete(15, "never there"),
        delete(16, "D"),
        add(17, object("D", "back")),
        add(18, object("F", "new")),
        delete(19, "F"),
    ];
    desk.appended(&changes).await;
    assert_eq!(desk.objects().await, expected(&[("A", "1"), ("B", "2"), ("D", "back"), ("E", "new")]));
    assert_eq!(desk.serials().await, [11, 13, 14, 15, 16, 17, 18, 19]);
    let holding = desk.holding().await;
    assert_eq!((holding.tail, holding.objects), (8, 4));
    assert_eq!((holding.snapshot_serial, holding.serial), (Some(Serial(10)), Some(Serial(19))));
    let journal = async |range| desk.here.journal(&desk.name, range, 2).await.unwrap();
    assert_eq!(journal((Serial(12), Serial(19))).await, changes[1..3]);
    assert_eq!(journal((Serial(15), Serial(15))).await, changes[3..4]);
    assert_eq!(journal((Serial(20), Serial(15))).await, []);
}

pub(super) async fn changes_come_in_order_or_not_at_all(desk: Desk) {
    desk.imported(&plain(&[("A", "1")]), 10).await;
    let before = desk.state().await;
    let change = |serial| add(serial, object("B", "1"));
    for (changes, newest) in [
        (vec![change(10)], 10),
        (vec![change(11), change(11)], 11),
        (vec![change(12), change(11)], 12),
        (vec![change(11), change(12)], 11),
        (vec![], 9),
    ] {
        let refused = desk.here.append(&desk.name, before.basis(), &changes, Serial(newest), &Notes::default()).await;
        assert!(matches!(refused, Err(StoreError::OutOfOrder { .. })), "{changes:?} {newest}: {refused:?}");
    }
    assert_eq!(desk.state().await, before);
    assert_eq!(desk.append(before.basis(), &[], 15).await, Written::Done, "nothing changed up to 15");
    assert_eq!(desk.append(before.basis(), &[], 15).await, Written::Stale);
    desk.appended(&[change(16)]).await;
    assert_eq!(desk.serials().await, [16]);
}

pub(super) async fn a_source_without_serials_may_get_some(desk: Desk) {
    assert_eq!(desk.import(Basis::default(), &plain(&[("A", "1")]), None).await, Written::Done);
    assert_eq!(desk.holding().await.serial, None);
    desk.appended(&[add(1, object("B", "1"))]).await;
    assert_eq!(desk.objects().await, expected(&[("A", "1"), ("B", "1")]));
    desk.compacted(5).await;
    assert_eq!(desk.holding().await.snapshot_serial, Some(Serial(1)));
    assert_eq!(desk.import(desk.basis().await, &plain(&[("A", "2")]), None).await, Written::Done);
    desk.compacted(5).await;
    assert_eq!(desk.objects().await, expected(&[("A", "2")]));
}

/// Lua has no such numbers.
pub(super) async fn serials_may_be_as_large_as_can_be(desk: Desk) {
    let last = u64::MAX - 1;
    desk.imported(&plain(&[("A", "1")]), last - 2).await;
    desk.appended(&[add(last - 1, object("B", "1"))]).await;
    let stale = desk.basis().await;
    desk.appended(&[add(last, object("C", "1"))]).await;
    assert_eq!(desk.append(stale, &[], last + 1).await, Written::Stale, "they differ by one");
    assert_eq!(desk.objects().await, expected(&[("A", "1"), ("B", "1"), ("C", "1")]));
    desk.compacted(1).await;
    assert_eq!(desk.serials().await, [last]);
    desk.appended(&[delete(u64::MAX, "A")]).await;
    assert_eq!(desk.objects().await, expected(&[("B", "1"), ("C", "1")]));
}

pub(super) async fn readers_see_all_of_a_batch_or_none(desk: Desk) {
    desk.imported(&plain(&[("A", "1")]), 0).await;
    let batch = |from: u64| (1..=3000).map(|nth| add(from + nth, object(&format!("N{}", from + nth), "new"))).collect();
    let batches: Vec<Vec<_>> = vec![batch(0), batch(3000)];
    let writing = async {
        for batch in &batches {
            desk.appended(batch).await;
            tokio::task::yield_now().await;
        }
    };
    let reading = async {
        let mut seen = 0;
        while seen < 6001 {
            let now = desk.objects().await.unwrap().len();
            assert!(now >= seen && [1, 3001, 6001].contains(&now), "{now} after {seen}");
            seen = now;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writing, reading);
}

pub(super) async fn readers_see_every_change_however_often_snapshots_are_made(desk: Desk) {
    const CHANGES: u64 = 150;
    desk.imported(&[], 0).await;
    let writing = async {
        for serial in 1..=CHANGES {
            desk.appended(&[add(serial, object(&format!("N{serial}"), "new"))]).await;
            tokio::task::yield_now().await;
            if serial % 3 == 0 {
                desk.compacted(0).await;
            }
        }
    };
    let reading = async {
        let mut seen = 0;
        while seen < CHANGES {
            let before = desk.holding().await.serial.unwrap().0;
            // It may give up when the snapshot changes again and again; it may not read half of the changes.
            let mut current = match desk.other.objects(&desk.name).await {
                Err(StoreError::Replaced { .. }) => continue,
                opened => opened.unwrap().unwrap(),
            };
            let serial = current.holding().serial.unwrap().0;
            seen = 0;
            while let Some(objects) = current.next().await.unwrap() {
                seen += objects.len() as u64;
            }
            assert_eq!(seen, serial);
            assert!(seen >= before, "{seen} after {before}");
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(writing, reading);
}

pub(super) async fn a_compaction_changes_nothing_for_readers(desk: Desk) {
    let objects: Vec<Object> = ["A", "B", "C", "D", "E", "F", "G"].map(|key| large(key, "1")).to_vec();
    desk.imported(&objects, 10).await;
    assert!(!needs_compaction(&desk.holding().await, at(1)));
    desk.appended(&[delete(11, "B"), add(12, large("H", "1")), add(13, object("D", "2"))]).await;
    let before = desk.holding().await;
    assert!(needs_compaction(&before, at(1)));
    let notes = Notes { imported: Some("etag".to_owned()), ..Notes::default() };
    assert_eq!(desk.here.note(&desk.name, desk.basis().await, &notes).await.unwrap(), Written::Done);
    let found = desk.objects().await;
    desk.compacted(100).await;
    assert_eq!(desk.objects().await, found);
    let state = desk.state().await;
    assert_eq!(state.notes, notes);
    let after = state.holding.unwrap();
    assert!(after.generation > before.generation && !needs_compaction(&after, at(1)), "{after:?}");
    assert_eq!((after.objects, after.tail, after.made), (7, 0, at(1)));
    assert_eq!((after.snapshot_serial, after.serial), (Some(Serial(13)), Some(Serial(13))));
    assert_eq!(desk.serials().await, [11, 12, 13]);
    desk.appended(&[add(14, object("B", "back"))]).await;
    assert_eq!(desk.objects().await.unwrap().len(), 8);
}

pub(super) async fn a_compaction_leaves_as_much_of_the_journal_as_is_asked_for(desk: Desk) {
    desk.imported(&[], 0).await;
    let changes: Vec<_> = (1..=6).map(|serial| add(serial * 10, object("A", &serial.to_string()))).collect();
    desk.appended(&changes).await;
    for (keep, left) in [(4, vec![30, 40, 50, 60]), (4, vec![30, 40, 50, 60]), (1, vec![60]), (0, vec![])] {
        desk.compacted(keep).await;
        assert_eq!(desk.serials().await, left, "{keep}");
    }
    desk.appended(&[add(61, object("B", "1"))]).await;
    assert_eq!(desk.serials().await, [61]);
    assert_eq!(desk.objects().await, expected(&[("A", "6"), ("B", "1")]));
}

pub(super) async fn a_snapshot_is_a_dump(desk: Desk) {
    let objects: Vec<Object> = ["A", "B", "C", "D", "E", "F", "G"].map(|key| large(key, "1")).to_vec();
    desk.imported(&objects, 10).await;
    desk.appended(&[delete(11, "B")]).await;
    let mut snapshot = desk.other.snapshot(&desk.name).await.unwrap().unwrap();
    assert_eq!(snapshot.holding().snapshot_serial, Some(Serial(10)));
    let mut file = Vec::new();
    while let Some(member) = snapshot.next().await.unwrap() {
        file.extend(member);
    }
    let mut dump = String::new();
    MultiGzDecoder::new(file.as_slice()).read_to_string(&mut dump).unwrap();
    let whole: String = objects.iter().map(|object| format!("{}\n", object.text)).collect();
    assert!(dump == whole, "{} bytes, not {}", dump.len(), whole.len());
}

pub(super) async fn whoever_reads_goes_on_with_what_was_there(desk: Desk) {
    let objects: Vec<Object> = ["A", "B", "C", "D", "E", "F", "G"].map(|key| large(key, "1")).to_vec();
    desk.imported(&objects, 10).await;
    desk.appended(&[delete(11, "G"), add(12, large("H", "1"))]).await;
    let mut current = desk.other.objects(&desk.name).await.unwrap().unwrap();
    let mut snapshot = desk.other.snapshot(&desk.name).await.unwrap().unwrap();
    assert_eq!(current.basis(), desk.basis().await);
    let mut read = current.next().await.unwrap().unwrap();
    desk.compacted(0).await;
    desk.imported(&plain(&[("Z", "1")]), 13).await;
    while let Some(objects) = current.next().await.unwrap() {
        read.extend(objects);
    }
    assert_eq!(read.iter().map(|object| object.key.key.as_str()).collect::<String>(), "ABCDEFH");
    while snapshot.next().await.unwrap().is_some() {}
    assert_eq!(desk.objects().await, expected(&[("Z", "1")]));
}

pub(super) async fn an_import_drops_the_journal_and_may_begin_serials_again(desk: Desk) {
    desk.imported(&[], 1000).await;
    desk.appended(&[add(1001, object("A", "1"))]).await;
    desk.imported(&plain(&[("B", "1")]), 5).await;
    assert_eq!(desk.serials().await, [] as [u64; 0]);
    assert_eq!(desk.objects().await, expected(&[("B", "1")]));
    desk.appended(&[add(6, object("C", "1"))]).await;
    assert_eq!(desk.objects().await, expected(&[("B", "1"), ("C", "1")]));
}

pub(super) async fn a_reload_that_is_asked_for_is_not_lost(desk: Desk) {
    assert_eq!(desk.here.ask_reload(&desk.name).await.unwrap(), 1);
    let state = desk.state().await;
    assert!(state.wants_reload() && state.holding.is_none(), "{state:?}");
    let import = desk.here.import(&desk.name, state.basis()).await.unwrap();
    assert_eq!(desk.other.ask_reload(&desk.name).await.unwrap(), 2);
    let notes = Notes { reloads_done: state.reloads_asked, ..Notes::default() };
    assert_eq!(import.finish(Some(Serial(1)), notes, at(0)).await.unwrap(), Written::Done);
    let state = desk.state().await;
    assert!(state.wants_reload(), "{state:?}");
    let notes = Notes { reloads_done: 2, ..Notes::default() };
    assert_eq!(desk.here.note(&desk.name, state.basis(), &notes).await.unwrap(), Written::Done);
    assert!(!desk.state().await.wants_reload());
}

pub(super) async fn only_the_shrink_that_was_refused_is_accepted(desk: Desk) {
    assert_eq!(desk.here.accept_shrink(&desk.name).await.unwrap(), None);
    desk.imported(&[], 1).await;
    let refuse = async |objects| {
        let refused = Some(RefusedShrink { objects, at: at(7) });
        let notes = Notes { refused: refused.clone(), ..Notes::default() };
        assert_eq!(desk.here.note(&desk.name, desk.basis().await, &notes).await.unwrap(), Written::Done);
        refused
    };
    let refused = refuse(5).await;
    assert!(!desk.state().await.shrink_is_accepted());
    assert_eq!(desk.other.accept_shrink(&desk.name).await.unwrap(), refused);
    assert!(desk.state().await.shrink_is_accepted());
    refuse(4).await;
    assert!(!desk.state().await.shrink_is_accepted(), "it is another one");
    desk.imported(&[], 2).await;
    refuse(5).await;
    assert!(!desk.state().await.shrink_is_accepted(), "it was accepted once");
}

pub(super) async fn notes_are_replaced_and_nothing_else(desk: Desk) {
    let mut notes = Notes { v4: Some(standing()), ..Notes::default() };
    notes.fail("ä \"quoted\" trouble".to_owned(), Unusable::Now, at(3));
    assert_eq!(desk.here.note(&desk.name, Basis::default(), &notes).await.unwrap(), Written::Done);
    assert_eq!(desk.state().await, SourceState { notes: notes.clone(), ..SourceState::default() });
    assert_eq!(desk.here.names().await.unwrap(), std::slice::from_ref(&desk.name));
    desk.imported(&plain(&[("A", "1")]), 1).await;
    let before = desk.state().await;
    assert_eq!(before.notes, Notes::default());
    assert_eq!(desk.here.note(&desk.name, before.basis(), &notes).await.unwrap(), Written::Done);
    assert_eq!(desk.state().await, SourceState { notes, ..before });
}

pub(super) async fn a_source_is_forgotten(desk: Desk) {
    desk.imported(&plain(&[("A", "1")]), 1).await;
    desk.imported(&plain(&[("A", "2")]), 2).await;
    desk.appended(&[add(3, object("B", "1"))]).await;
    let basis = desk.basis().await;
    desk.here.forget(&desk.name).await.unwrap();
    assert_eq!(desk.state().await, SourceState::default());
    assert_eq!(desk.objects().await, None);
    assert_eq!(desk.here.names().await.unwrap(), []);
    assert_eq!(desk.append(basis, &[], 4).await, Written::Stale);
    desk.imported(&plain(&[("A", "1")]), 1).await;
    assert_eq!(desk.objects().await, expected(&[("A", "1")]));
}

pub(super) async fn sources_do_not_know_each_other(mut desk: Desk) {
    desk.imported(&plain(&[("A", "1")]), 1).await;
    let first = std::mem::replace(&mut desk.name, "TEST-2".parse().unwrap());
    assert_eq!(desk.objects().await, None);
    desk.imported(&plain(&[("B", "1")]), 9).await;
    assert_eq!(desk.here.names().await.unwrap(), [first.clone(), desk.name.clone()]);
    desk.here.forget(&desk.name).await.unwrap();
    desk.name = first;
    assert_eq!(desk.objects().await, expected(&[("A", "1")]));
}

/// Short ones, or as many whole ones as `RIR_IRR_OBJECTS` says. With `--no-capture` it tells what they take.
pub(super) async fn very_many_objects_are_streamed(desk: Desk) {
    let asked: Option<u64> = std::env::var("RIR_IRR_OBJECTS").ok().map(|count| count.parse().unwrap());
    let (count, route): (_, fn(u64, &mut fastrand::Rng) -> Object) = match asked {
        Some(count) => (count, whole_route),
        None => (100_000, short_route),
    };
    let began = Instant::now();
    let mut import = desk.here.import(&desk.name, Basis::default()).await.unwrap();
    let mut dice = fastrand::Rng::with_seed(7);
    for nth in 0..count {
        import.push(&route(nth, &mut dice)).await.unwrap();
    }
    assert_eq!(import.finish(Some(Serial(1)), Notes::default(), at(0)).await.unwrap(), Written::Done);
    let (imported, began) = (began.elapsed(), Instant::now());
    let holding = desk.holding().await;
    assert_eq!(holding.objects, count);
    let mut current = desk.other.objects(&desk.name).await.unwrap().unwrap();
    let (mut dice, mut nth) = (fastrand::Rng::with_seed(7), 0);
    while let Some(objects) = current.next().await.unwrap() {
        for object in objects {
            assert_eq!(object, route(nth, &mut dice));
            nth += 1;
        }
    }
    assert_eq!(nth, count);
    let (per_object, text) = (holding.stored as f64 / count as f64, holding.bytes as f64 / count as f64);
    println!(
        "{count} objects of {text:.0} bytes: {per_object:.1} bytes each, imported in {imported:.1?}, read in {:.1?}",
        began.elapsed()
    );
}

fn short_route(nth: u64, dice: &mut fastrand::Rng) -> Object {
    let mut route = whole_route(nth, dice);
    route.text.truncate(route.text.find("descr").unwrap());
    route
}

fn whole_route(nth: u64, dice: &mut fastrand::Rng) -> Object {
    let prefix = format!("{}.{}.{}.0/24", 1 + nth / 65536, nth / 256 % 256, nth % 256);
    let (origin, maintainer) = (dice.u32(1..400_000), dice.u32(1..20_000));
    let (year, day) = (dice.u32(2004..2026), dice.u32(10..29));
    let text = format!(
        "route:          {prefix}\ndescr:          Customer {origin} of network {maintainer}\norigin:         AS{origin}\n\
         notify:         noc{maintainer}@example.net\nmnt-by:         MAINT-AS{maintainer}\n\
         changed:        noc@example.net {year}04{day}  #12:40:11Z\nsource:         TEST\n\
         last-modified:  {year}-04-{day}T12:40:11Z\n"
    );
    Object { key: ObjectKey { class: Class::Route, key: format!("{prefix}AS{origin}") }, text }
}

/// A mirror over NRTMv4 that stands somewhere, with a key that is none of anybody's.
fn standing() -> Standing {
    let point = format!("BA{}=", "A".repeat(85));
    let local = serde_json::json!({
        "session": "ca128382-78d9-41d1-8927-1ecb3c9e7e11", "version": 1, "newest": 2, "written": "2026-11-06T12:00:00Z",
        "files": [],
    });
    serde_json::from_value(serde_json::json!({ "keys": { "current": point, "next": null }, "local": local })).unwrap()
}
