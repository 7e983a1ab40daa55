//! A run over NRTMv4 (RFC 10063): from the signed index to the objects.
//!
//! NRTMv4 counts versions of files and has no serials: those of the store are our own here, one for each change.

use std::{
    fs::File,
    io::{BufRead, Read},
};

use jiff::Timestamp;
use tracing::warn;

use super::{
    Did, Mirror, Updated,
    error::UpdateError,
    intake::{Intake, wanted},
};
use crate::{
    config::IrrSource,
    irr::{
        dump::{Fetched, Incoming, Location},
        journal::{Change, Operation},
        nrtm4::{
            Delta, DeltaChange, FileLimits, FileRef, Index, Keys, Local, PublicKey, SnapshotReader, Standing, Step,
            Wanted, decide, read_delta, read_index, verify,
        },
        rejects::Rejects,
        rpsl::{Checked, ObjectFault, ObjectKey, Rejected, UnknownClass, check},
        source::{Serial, SourceName},
        store::{Notes, SourceState, Trouble},
    },
};

/// The largest update notification file: a day of deltas, one a minute, has 1,440 entries of about 200 bytes.
const MOST_OF_INDEX: usize = 4 << 20;
/// The largest file with a key.
const MOST_OF_KEY: u64 = 64 << 10;

impl Mirror {
    /// Brings a source up to date by its update notification file.
    pub(super) async fn update_by_index(
        &self,
        source: &IrrSource,
        state: &SourceState,
        progress: &impl Fn(u64),
    ) -> Result<Updated, UpdateError> {
        let Some(url) = &source.index else { return Err(UpdateError::NoSerial) };
        let home: Location = url.as_str().parse()?;
        // Who asks for a reload may have put another key into the file.
        let goes_on = state.holding.is_some() && !state.wants_reload();
        let standing = state.notes.v4.clone().filter(|_| goes_on);
        let keys = match &standing {
            Some(standing) => standing.keys.clone(),
            None => Keys::new(key(source)?),
        };
        let signed = self.fetcher.small(&home, MOST_OF_INDEX).await?;
        let verified = verify(&signed, &keys)?;
        let index = read_index(&verified.payload, &source.name)?;
        let keys = keys.after(verified.signed_by, &index);
        let calls_for_reload = state.notes.trouble.as_ref().is_some_and(Trouble::calls_for_reload);
        let anew = state.shrink_is_accepted() || calls_for_reload;
        let local = standing.map(|standing| standing.local).filter(|_| !anew);
        let decision = decide(local.as_ref(), &index, Timestamp::now());
        for warning in &decision.warnings {
            warn!(source = %source.name, "{}: {warning}", source.name);
        }
        match (decision.step, local) {
            (Step::Refuse(refusal), _) => Err(UpdateError::Refused(refusal)),
            (Step::Nothing, None) | (Step::Snapshot(..), _) | (Step::Deltas(_), None) => {
                let standing = Standing { keys, local: Local::loaded(&index) };
                self.take_snapshot(source, state, (&home, &index), &standing, progress).await
            }
            (Step::Nothing, Some(local)) => {
                let notes = noted(&state.notes, &Standing { keys, local: local.seen(&index) });
                let state = SourceState { notes, ..state.clone() };
                self.nothing_new(source, &state).await
            }
            (Step::Deltas(files), Some(local)) => {
                let standing = Standing { keys, local: local.seen(&index) };
                self.take_deltas(source, (&home, &index), files, standing).await
            }
        }
    }

    async fn take_snapshot(
        &self,
        source: &IrrSource,
        state: &SourceState,
        (home, index): (&Location, &Index),
        standing: &Standing,
        progress: &impl Fn(u64),
    ) -> Result<Updated, UpdateError> {
        let from = self.file(home, &index.snapshot).await?;
        let (name, index) = (source.name.clone(), index.clone());
        let read = move |intake| read_snapshot(from, &name, &index, intake);
        let (import, rejected) = self.fill(source, state, progress, read).await?;
        let held = state.holding.as_ref().and_then(|holding| holding.serial).unwrap_or_default();
        let serial = held.next().ok_or(UpdateError::NoSerial)?;
        let notes = Notes { rejected, ..noted(&Notes::default(), standing) };
        self.switch(source, state, import, Some(serial), notes).await
    }

    /// Takes deltas one after the other: each is taken whole, and those before one that fails are kept.
    async fn take_deltas(
        &self,
        source: &IrrSource,
        (home, index): (&Location, &Index),
        files: Vec<FileRef>,
        mut standing: Standing,
    ) -> Result<Updated, UpdateError> {
        let (mut count, mut rejects, mut serial) = (0_u64, Rejects::default(), None);
        for file in files {
            let from = self.file(home, &file).await?;
            let (name, session) = (source.name.clone(), index.session.clone());
            let reading = tokio::task::spawn_blocking(move || {
                let wanted = Wanted { source: &name, session: &session, file: &file };
                read_delta(from, wanted, FileLimits::default())
            });
            let delta = reading.await.map_err(UpdateError::Broken)??;
            standing.local = standing.local.applied(delta.version());
            let state = self.store.state(&source.name).await?;
            let held = state.holding.as_ref().and_then(|holding| holding.serial).unwrap_or_default();
            let (changes, left_out) = changes(source, held, delta)?;
            let newest = changes.last().map_or(held, |change| change.serial);
            let notes = noted(&state.notes, &standing);
            let more = self.append(source, &state, (&changes, newest), &left_out, notes).await?;
            count = count.saturating_add(more);
            rejects = rejects.and(left_out);
            serial = Some(newest);
        }
        self.compact_if_needed(source).await?;
        Ok(Updated { did: Did::Followed(count), serial, rejects })
    }

    async fn file(&self, home: &Location, file: &FileRef) -> Result<Incoming, UpdateError> {
        let place = home.sibling(file.url.as_str())?;
        match self.fetcher.fetch(std::slice::from_ref(&place), &[]).await? {
            Fetched::Coming(download) => Ok(download.bytes()),
            Fetched::Unchanged => Err(UpdateError::NotSent(place)),
        }
    }
}

/// Reads the key that the settings name.
fn key(source: &IrrSource) -> Result<PublicKey, UpdateError> {
    let path = source.key_file.clone().unwrap_or_default();
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(MOST_OF_KEY).read_to_string(&mut text));
    match read {
        Ok(_) => text.parse().map_err(|_| UpdateError::NoKey { path }),
        Err(source) => Err(UpdateError::KeyFile { path, source }),
    }
}

fn noted(notes: &Notes, standing: &Standing) -> Notes {
    Notes { v4: Some(standing.clone()), ..notes.clone() }
}

fn read_snapshot(
    from: impl BufRead,
    source: &SourceName,
    index: &Index,
    mut intake: Intake,
) -> Result<Rejects, UpdateError> {
    let file = Wanted { source, session: &index.session, file: &index.snapshot };
    let mut reader = SnapshotReader::begin(from, file, FileLimits::default())?;
    while let Some(text) = reader.next_object()? {
        intake.take(&lines(text))?;
    }
    // Its hash is known at the end alone: nothing was switched before.
    reader.finish()?;
    intake.end()
}

/// Returns the text of an object with a line feed at the end of each line, as it is kept.
fn lines(text: String) -> String {
    let mut text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
    text.truncate(text.trim_end_matches('\n').len());
    text.push('\n');
    text
}

/// Makes the changes of a delta, with the serials after the one that is held.
fn changes(source: &IrrSource, held: Serial, delta: Delta) -> Result<(Vec<Change>, Rejects), UpdateError> {
    let (version, classes) = (delta.version(), wanted(source));
    let (mut serial, mut rejects, mut changes) = (held, Rejects::default(), Vec::new());
    for change in delta.into_changes() {
        let operation = match change {
            DeltaChange::AddModify { object } => match check(&lines(object), &source.name, classes.as_ref()) {
                Checked::Taken(object) => Operation::Add(object),
                Checked::Rejected(rejected) => {
                    rejects.add_of(format_args!("delta {version}"), &rejected);
                    continue;
                }
                Checked::Unwanted(_) | Checked::Leftover => continue,
            },
            DeltaChange::Delete { object_class, primary_key } => match object_class.parse() {
                Ok(class) if source.wants(class) => {
                    let key = ObjectKey { class, key: primary_key.to_ascii_uppercase() };
                    // The registry tells no more of it. The first line of an object of its class says as much.
                    let text = format!("{class}: {primary_key}\n");
                    Operation::Delete { key, text }
                }
                Ok(_) => continue,
                Err(UnknownClass(class)) => {
                    let begins = format!("{object_class}: {primary_key}");
                    let rejected = Rejected::new(&begins, None, ObjectFault::UnknownClass { class });
                    rejects.add_of(format_args!("delta {version}"), &rejected);
                    continue;
                }
            },
        };
        serial = serial.next().ok_or(UpdateError::NoSerial)?;
        changes.push(Change { serial, operation });
    }
    Ok((changes, rejects))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        config::load_from,
        irr::{
            nrtm4::{
                Sha256Hash,
                fixtures::{OTHER_SESSION, SESSION, Signer, gz, header, notification, sequence},
            },
            store::Store,
        },
    };

    const INDEX: &str = "update-notification-file.jose";

    /// A registry that publishes in a folder, and the mirror of it.
    struct Desk {
        folder: tempfile::TempDir,
        signer: Signer,
        source: IrrSource,
        mirror: Mirror,
    }

    impl Desk {
        fn new() -> Self {
            let (folder, signer) = (tempfile::tempdir().unwrap(), Signer::new());
            let place = folder.path().display();
            let text = format!(
                "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[[irr.source]]\nname = 'TEST'\n\
                 index = 'file://{place}/{INDEX}'\nkey_file = '{place}/key'\n"
            );
            std::fs::write(folder.path().join("key"), signer.public().to_string()).unwrap();
            std::fs::write(folder.path().join("settings.toml"), text).unwrap();
            let settings = load_from(Some(&folder.path().join("settings.toml")), &BTreeMap::new()).unwrap();
            let mirror = Mirror::new(Store::in_memory(), &settings).unwrap();
            Self { folder, signer, source: settings.irr.source[0].clone(), mirror }
        }

        /// Publishes a snapshot of a version, and a delta for each later one.
        fn publishes(&self, session: &str, snapshot: (u64, &[String]), deltas: &[&[String]]) {
            let newest = snapshot.0 + u64::try_from(deltas.len()).unwrap();
            let mut index = notification(session, newest, snapshot.0, snapshot.0 + 1..=newest);
            let file = |kind: &str, version: u64, records: &[String]| {
                let records: Vec<&str> = records.iter().map(String::as_str).collect();
                gz(&sequence(&header(kind, session, version), &records))
            };
            let mut files = vec![("/snapshot".to_owned(), file("snapshot", snapshot.0, snapshot.1))];
            for ((place, version), records) in (0..).zip(snapshot.0 + 1..).zip(deltas) {
                files.push((format!("/deltas/{place}"), file("delta", version, records)));
            }
            for (place, bytes) in files {
                let named = index.pointer_mut(&place).unwrap();
                named["hash"] = Sha256Hash::of(&bytes).to_string().into();
                std::fs::write(self.folder.path().join(named["url"].as_str().unwrap()), bytes).unwrap();
            }
            std::fs::write(self.folder.path().join(INDEX), self.signer.sign(index.to_string().as_bytes())).unwrap();
        }

        async fn update(&self) -> Result<Updated, UpdateError> {
            self.mirror.update(&self.source, |_| {}).await
        }

        async fn did(&self) -> Did {
            self.update().await.unwrap().did
        }

        async fn objects(&self) -> String {
            let mut all = Vec::new();
            let mut current = self.mirror.store.objects(&self.source.name).await.unwrap().unwrap();
            while let Some(some) = current.next().await.unwrap() {
                all.extend(
                    some.into_iter().map(|object| format!("{}: {}", object.key.key, object.text.lines().count())),
                );
            }
            all.sort_unstable();
            all.join(", ")
        }
    }

    fn route(number: u8, more: &str) -> String {
        format!("route: 192.0.{number}.0/24\\norigin: AS64496\\nsource: TEST\\n{more}")
    }

    fn object(number: u8) -> String {
        format!(r#"{{"object":"{}"}}"#, route(number, ""))
    }

    fn modified(number: u8) -> String {
        format!(r#"{{"action":"add_modify","object":"{}"}}"#, route(number, "remarks: more\\n"))
    }

    fn deleted(number: u8) -> String {
        format!(r#"{{"action":"delete","object_class":"route","primary_key":"192.0.{number}.0/24AS64496"}}"#)
    }

    #[tokio::test]
    async fn a_snapshot_is_taken_and_then_its_deltas() {
        let desk = Desk::new();
        let snapshot = [object(1), object(2), object(3)];
        desk.publishes(SESSION, (1, &snapshot), &[]);
        assert_eq!(desk.did().await, Did::Imported(3));
        assert_eq!(desk.did().await, Did::Nothing);
        let (first, second) = ([modified(1), deleted(2)], [modified(4)]);
        desk.publishes(SESSION, (1, &snapshot), &[&first, &second]);
        assert_eq!(desk.did().await, Did::Followed(3));
        assert_eq!(desk.objects().await, "192.0.1.0/24AS64496: 4, 192.0.3.0/24AS64496: 3, 192.0.4.0/24AS64496: 4");
        assert_eq!(desk.did().await, Did::Nothing);
        // A reload takes the snapshot, and the deltas after it at the next run.
        desk.mirror.store.ask_reload(&desk.source.name).await.unwrap();
        assert_eq!(desk.did().await, Did::Imported(3));
        assert_eq!(desk.did().await, Did::Followed(3));
    }

    #[tokio::test]
    async fn another_session_is_another_snapshot() {
        let desk = Desk::new();
        desk.publishes(SESSION, (5, &[object(1)]), &[]);
        desk.did().await;
        desk.publishes(OTHER_SESSION, (1, &[object(2), object(3)]), &[]);
        assert_eq!(desk.did().await, Did::Imported(2));
        assert_eq!(desk.objects().await, "192.0.2.0/24AS64496: 3, 192.0.3.0/24AS64496: 3");
    }

    #[tokio::test]
    async fn what_cannot_be_trusted_changes_nothing() {
        let desk = Desk::new();
        desk.publishes(SESSION, (2, &[object(1)]), &[&[modified(1)]]);
        desk.did().await;
        desk.did().await;
        let before = desk.objects().await;
        let index = desk.folder.path().join(INDEX);
        let forged = Signer::new().sign(notification(SESSION, 9, 9, 0..0).to_string().as_bytes());
        std::fs::write(&index, forged).unwrap();
        assert!(matches!(desk.update().await, Err(UpdateError::Signature(_))));
        desk.publishes(SESSION, (1, &[object(1)]), &[]);
        assert!(matches!(desk.update().await, Err(UpdateError::Refused(_))), "versions go back");
        desk.publishes(SESSION, (2, &[object(7)]), &[&[modified(1)]]);
        assert!(matches!(desk.update().await, Err(UpdateError::Refused(_))), "its history is another one");
        desk.publishes(SESSION, (2, &[object(1)]), &[&[modified(1)], &[deleted(1)]]);
        std::fs::write(desk.folder.path().join("nrtm-delta.4.TEST.json.gz"), gz(b"other")).unwrap();
        assert!(matches!(desk.update().await, Err(UpdateError::Records(_))));
        assert_eq!(desk.objects().await, before);
        let trouble = desk.mirror.store.state(&desk.source.name).await.unwrap().notes.trouble.unwrap();
        assert_eq!(trouble.times, 4);
    }

    #[tokio::test]
    async fn a_key_that_was_changed_without_notice_is_taken_from_the_file_with_a_reload() {
        let mut desk = Desk::new();
        desk.publishes(SESSION, (1, &[object(1)]), &[]);
        desk.did().await;
        desk.signer = Signer::new();
        desk.publishes(SESSION, (2, &[object(1), object(2)]), &[]);
        assert!(matches!(desk.update().await, Err(UpdateError::Signature(_))));
        std::fs::write(desk.folder.path().join("key"), desk.signer.public().to_string()).unwrap();
        assert!(matches!(desk.update().await, Err(UpdateError::Signature(_))), "a person has to say that it is well");
        desk.mirror.store.ask_reload(&desk.source.name).await.unwrap();
        assert_eq!(desk.did().await, Did::Imported(2));
    }
}
