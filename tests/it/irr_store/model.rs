//! Chance games: whatever is done to a source, it has the objects that a plain map has.

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use rir_sidecar::irr::{rpsl::Object, store::Written};

use super::desk::{Desk, Objects, add, delete, large, object};

/// Few keys, so that they meet.
const KEYS: [&str; 6] = ["A", "B", "C", "D", "E", "F"];

#[derive(Debug, Clone)]
enum Step {
    Import(Vec<Said>),
    /// It ends before it is finished.
    Begin(Vec<Said>),
    /// Changes, and how far their serials are apart.
    Append(Vec<(Said, bool)>, u64),
    Compact(u64),
}

/// An object by the place of its key, what it says, and whether it is large.
type Said = (usize, u8, bool);

fn step() -> impl Strategy<Value = Step> {
    let said = || (0..KEYS.len(), any::<u8>(), prop::bool::weighted(0.3));
    prop_oneof![
        2 => vec(said(), 0..12).prop_map(Step::Import),
        1 => vec(said(), 0..12).prop_map(Step::Begin),
        4 => (vec((said(), any::<bool>()), 0..12), 1..4_u64).prop_map(|(changes, apart)| Step::Append(changes, apart)),
        2 => (0..8_u64).prop_map(Step::Compact),
    ]
}

fn said((key, says, is_large): Said) -> Object {
    if is_large { large(KEYS[key], &says.to_string()) } else { object(KEYS[key], &says.to_string()) }
}

async fn play(desk: Desk, steps: Vec<Step>) {
    let mut model: Option<Objects> = None;
    let mut journal: Vec<u64> = Vec::new();
    let mut newest = 0;
    for step in steps {
        match step {
            Step::Import(objects) => {
                let objects: Vec<Object> = objects.into_iter().map(said).collect();
                newest += 1;
                desk.imported(&objects, newest).await;
                journal.clear();
                model = Some(objects.into_iter().map(|object| (object.key.key, object.text)).collect());
            }
            Step::Begin(objects) => {
                let mut import = desk.here.import(&desk.name, desk.basis().await).await.unwrap();
                for object in objects {
                    import.push(&said(object)).await.unwrap();
                }
            }
            Step::Append(changes, apart) => {
                let Some(model) = &mut model else { continue };
                let serials = (1..).map(|nth| newest + nth * apart);
                let changes: Vec<_> = changes.into_iter().zip(serials).collect();
                let of = |((object, is_there), serial): &((Said, bool), u64)| match is_there {
                    true => add(*serial, said(*object)),
                    false => delete(*serial, KEYS[object.0]),
                };
                newest += changes.len() as u64 * apart + apart - 1;
                let written =
                    desk.append(desk.basis().await, &changes.iter().map(of).collect::<Vec<_>>(), newest).await;
                assert_eq!(written, Written::Done);
                for ((object, is_there), serial) in changes {
                    journal.push(serial);
                    let object = if is_there {
                        Some(said(object))
                    } else {
                        model.remove(KEYS[object.0]);
                        None
                    };
                    model.extend(object.map(|object| (object.key.key, object.text)));
                }
            }
            Step::Compact(keep) if model.is_some() => {
                desk.compacted(keep).await;
                journal.drain(..journal.len().saturating_sub(keep as usize));
                assert_eq!(desk.holding().await.objects, model.as_ref().unwrap().len() as u64);
            }
            Step::Compact(_) => {}
        }
        assert_eq!(desk.objects().await, model);
        assert_eq!(desk.serials().await, journal);
    }
}

fn games(cases: u32, desk: impl AsyncFn() -> Desk) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let play = |steps| {
        runtime.block_on(async { play(desk().await, steps).await });
        Ok(())
    };
    TestRunner::new(config).run(&vec(step(), 1..12), play).unwrap();
}

#[test]
fn a_source_in_memory_has_what_a_map_has() {
    games(40, async || Desk::memory());
}

#[test]
fn a_source_in_redis_has_what_a_map_has() {
    games(40, Desk::redis);
}
