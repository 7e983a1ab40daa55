//! A store to try things on, and short words for what is tried.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rir_sidecar::{
    config,
    irr::{
        journal::{Change, Operation},
        rpsl::{Class, Object, ObjectKey},
        source::{Serial, SourceName},
        store::{Basis, Holding, Notes, SourceState, Store, Written},
    },
    redis_client::Client,
};

use crate::queue::bench::settings;

/// The same store as two replicas have it.
pub(super) struct Desk {
    pub(super) here: Store,
    pub(super) other: Store,
    pub(super) name: SourceName,
    settings: config::Queue,
}

/// The objects of a source by key.
pub(super) type Objects = BTreeMap<String, String>;

impl Desk {
    pub(super) fn memory() -> Self {
        let here = Store::in_memory();
        Self { other: here.clone(), here, name: "TEST".parse().unwrap(), settings: settings("") }
    }

    pub(super) async fn redis() -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        Self::at(settings(&url))
    }

    pub(super) fn at(settings: config::Queue) -> Self {
        let open = || Store::open(&settings).unwrap();
        Self { here: open(), other: open(), name: "TEST".parse().unwrap(), settings }
    }

    /// A client for the keys of the source.
    pub(super) fn keys(&self) -> Client {
        Client::open(&self.settings).unwrap().apart("irr:TEST")
    }

    pub(super) async fn state(&self) -> SourceState {
        self.other.state(&self.name).await.unwrap()
    }

    pub(super) async fn holding(&self) -> Holding {
        self.state().await.holding.unwrap()
    }

    pub(super) async fn basis(&self) -> Basis {
        self.state().await.basis()
    }

    /// Takes a dump.
    pub(super) async fn import(&self, basis: Basis, objects: &[Object], serial: Option<u64>) -> Written {
        let mut import = self.here.import(&self.name, basis).await.unwrap();
        for object in objects {
            import.push(object).await.unwrap();
        }
        import.finish(serial.map(Serial), Notes::default(), at(0)).await.unwrap()
    }

    /// Takes a dump that nothing speaks against.
    pub(super) async fn imported(&self, objects: &[Object], serial: u64) {
        assert_eq!(self.import(self.basis().await, objects, Some(serial)).await, Written::Done);
    }

    /// Appends changes that nothing speaks against.
    pub(super) async fn appended(&self, changes: &[Change]) {
        let newest = changes.last().unwrap().serial;
        assert_eq!(self.append(self.basis().await, changes, newest.0).await, Written::Done);
    }

    pub(super) async fn append(&self, basis: Basis, changes: &[Change], newest: u64) -> Written {
        self.here.append(&self.name, basis, changes, Serial(newest), &Notes::default()).await.unwrap()
    }

    pub(super) async fn compacted(&self, journal_keep: u64) {
        let compact = self.here.compact(&self.name, self.basis().await, journal_keep, at(1)).await;
        assert_eq!(compact.unwrap(), Written::Done);
    }

    /// Returns the objects that the source has; `None` if nothing is held.
    pub(super) async fn objects(&self) -> Option<Objects> {
        let mut current = self.other.objects(&self.name).await.unwrap()?;
        let mut objects = Objects::new();
        while let Some(some) = current.next().await.unwrap() {
            for Object { key, text } in some {
                let before = objects.insert(key.key.clone(), text);
                assert_eq!(before, None, "{} comes twice", key.key);
            }
        }
        Some(objects)
    }

    /// Returns the serials that the journal has.
    pub(super) async fn serials(&self) -> Vec<u64> {
        let changes = self.other.journal(&self.name, (Serial(0), Serial(u64::MAX)), 500).await.unwrap();
        changes.iter().map(|change| change.serial.0).collect()
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn object(key: &str, says: &str) -> Object {
    Object { key: key_of(key), text: text(key, says) }
}

fn key_of(key: &str) -> ObjectKey {
    ObjectKey { class: Class::Mntner, key: key.to_owned() }
}

pub(super) fn text(key: &str, says: &str) -> String {
    format!("mntner: {key}\nremarks: {says}\n")
}

/// So large that there are few in a block.
pub(super) fn large(key: &str, says: &str) -> Object {
    let mut object = object(key, says);
    let mut dice = fastrand::Rng::with_seed(key.len() as u64);
    for _ in 0..1000 {
        object.text.push_str(&format!("remarks: {}\n", "x".repeat(dice.usize(50..130))));
    }
    object
}

pub(super) fn add(serial: u64, object: Object) -> Change {
    Change { serial: Serial(serial), operation: Operation::Add(object) }
}

pub(super) fn delete(serial: u64, key: &str) -> Change {
    Change { serial: Serial(serial), operation: Operation::Delete { key: key_of(key), text: text(key, "gone") } }
}

/// A few objects by key and what they say.
pub(super) fn plain(objects: &[(&str, &str)]) -> Vec<Object> {
    objects.iter().map(|(key, says)| object(key, says)).collect()
}

pub(super) fn expected(objects: &[(&str, &str)]) -> Option<Objects> {
    Some(objects.iter().map(|(key, says)| ((*key).to_owned(), text(key, says))).collect())
}
