//! What to do about an index.

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    index::{FileKind, FileRef, Index, SessionId},
    jws::SignedBy,
    key::Keys,
    served::Sha256Hash,
};

/// How old an index may be: its server writes one at least as often, even if nothing changed.
const OLD: Duration = Duration::from_secs(24 * 3600);

/// What a mirror has, and remembers of the last index that it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    /// The history that the objects belong to.
    pub session: SessionId,
    /// The version of the objects.
    pub version: u64,
    /// The newest version that an index of this session named.
    pub newest: u64,
    /// When that index was written.
    pub written: Timestamp,
    /// The files of that index. What a name or version stands for never changes within a session.
    pub files: Vec<KnownFile>,
}

/// A file that an index named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct KnownFile {
    pub kind: FileKind,
    pub version: u64,
    pub hash: Sha256Hash,
}

/// What to do, and what a person should hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub step: Step,
    /// What is odd, but no reason to stop.
    pub warnings: Vec<Warning>,
}

/// What to do about an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The objects are of the newest version.
    Nothing,
    /// Replace all objects; then [`Local::loaded`].
    Snapshot(FileRef, WhySnapshot),
    /// Apply these, one after the other; after each [`Local::applied`].
    Deltas(Vec<FileRef>),
    /// Leave everything as it is, the keys too, and raise it.
    Refuse(Refusal),
}

/// Why all objects are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhySnapshot {
    /// There are none yet.
    First,
    /// The source began a new history.
    NewSession,
    /// The deltas that we need are gone.
    Gap,
}

/// Why an index is not taken, though it is signed and sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is older than one that we took, or than our objects.
    #[error("the index is of version {offered}, and one of version {known} came before")]
    #[expect(missing_docs, reason = "the names say it")]
    Back { offered: u64, known: u64 },
    /// It is of another session, but older than the index that we took last: a cache has kept it, or somebody has.
    #[error("the index is of another session and was written at {offered}, before the last one, of {known}")]
    #[expect(missing_docs, reason = "the names say it")]
    Older { offered: Timestamp, known: Timestamp },
    /// A file that we know is another one now.
    #[error("the {} of version {version} has another hash than before: its history was rewritten", kind.word())]
    #[expect(missing_docs, reason = "the names say it")]
    Rewritten { kind: FileKind, version: u64 },
}

/// What is odd about an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// It is older than a day, by so much all in all; its server may have stopped.
    Old(Duration),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Old(age) = self;
        let hours = age.as_secs() / 3600;
        write!(f, "the update notification file is {hours} hours old; the registry may have stopped")
    }
}

/// Decides what to do about an index that is verified and sound.
#[must_use]
pub fn decide(local: Option<&Local>, index: &Index, now: Timestamp) -> Decision {
    let age = Duration::try_from(now.duration_since(index.timestamp)).unwrap_or_default();
    let warnings = (age > OLD).then_some(Warning::Old(age)).into_iter().collect();
    Decision { step: step(local, index), warnings }
}

fn step(local: Option<&Local>, index: &Index) -> Step {
    let snapshot = |why| Step::Snapshot(index.snapshot.clone(), why);
    let Some(local) = local else { return snapshot(WhySnapshot::First) };
    if let Some(refusal) = local.refusal(index) {
        return Step::Refuse(refusal);
    }
    if local.session != index.session {
        return snapshot(WhySnapshot::NewSession);
    }
    let deltas: Vec<FileRef> = index.deltas.iter().filter(|delta| delta.version > local.version).cloned().collect();
    match deltas.first() {
        // The version did not go back, and the last delta is of the newest.
        None if local.version == index.version => Step::Nothing,
        Some(first) if Some(first.version) == local.version.checked_add(1) => Step::Deltas(deltas),
        None | Some(_) => snapshot(WhySnapshot::Gap),
    }
}

impl Local {
    /// Returns what is to be remembered once the snapshot of an index is loaded. The objects are of the snapshot's version,
    /// whatever the index's is, and nothing is left of another session.
    #[must_use]
    pub fn loaded(index: &Index) -> Self {
        let version = index.snapshot.version;
        Self {
            session: index.session.clone(),
            version,
            newest: index.version,
            written: index.timestamp,
            files: files(index),
        }
    }

    /// Returns what is to be remembered of an index of the same session that was not refused, whatever comes of its files.
    #[must_use]
    pub fn seen(&self, index: &Index) -> Self {
        if self.session != index.session || self.refusal(index).is_some() {
            return self.clone();
        }
        Self { newest: index.version, written: index.timestamp, files: files(index), ..self.clone() }
    }

    /// Returns what is to be remembered once the delta to this version is applied.
    #[must_use]
    pub fn applied(&self, version: u64) -> Self {
        Self { version, ..self.clone() }
    }

    /// Returns why an index is not taken.
    fn refusal(&self, index: &Index) -> Option<Refusal> {
        if self.session != index.session {
            let (offered, known) = (index.timestamp, self.written);
            return (offered < known).then_some(Refusal::Older { offered, known });
        }
        let known = self.newest.max(self.version);
        if index.version < known {
            return Some(Refusal::Back { offered: index.version, known });
        }
        let hashes: BTreeMap<(FileKind, u64), Sha256Hash> =
            self.files.iter().map(|file| ((file.kind, file.version), file.hash)).collect();
        let rewritten = |(kind, file): &(FileKind, &FileRef)| {
            hashes.get(&(*kind, file.version)).is_some_and(|known| *known != file.hash)
        };
        index.files().find(rewritten).map(|(kind, file)| Refusal::Rewritten { kind, version: file.version })
    }
}

fn files(index: &Index) -> Vec<KnownFile> {
    index.files().map(|(kind, file)| KnownFile { kind, version: file.version, hash: file.hash }).collect()
}

impl Keys {
    /// Returns the keys after an index that was taken: whoever signed it is the current one, and never the one before again.
    /// An announcement holds until the next index, which repeats it or not.
    #[must_use]
    pub fn after(&self, signed_by: SignedBy, index: &Index) -> Self {
        let current = match (signed_by, self.next) {
            (SignedBy::Next, Some(next)) => next,
            (SignedBy::Next, None) | (SignedBy::Current, _) => self.current,
        };
        Self { current, next: index.next_signing_key.filter(|next| *next != current) }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeBounds;

    use jiff::SignedDuration;

    use super::{
        super::{
            fixtures::{OTHER_SESSION, SESSION, Signer, index, notification, source},
            index::read_index,
            key::PublicKey,
        },
        *,
    };

    fn offered(version: u64, snapshot: u64, deltas: impl RangeBounds<u64>) -> Index {
        index(SESSION, version, snapshot, deltas)
    }

    fn told(local: Option<&Local>, index: &Index) -> String {
        let versions = |deltas: &[FileRef]| deltas.iter().map(|delta| delta.version).collect::<Vec<_>>();
        match decide(local, index, index.timestamp).step {
            Step::Nothing => "nothing".to_owned(),
            Step::Snapshot(file, why) => format!("snapshot {}: {why:?}", file.version),
            Step::Deltas(deltas) => format!("deltas {:?}", versions(&deltas)),
            Step::Refuse(refusal) => format!("refuse: {refusal}"),
        }
    }

    #[test]
    fn an_index_leads_to_what_is_missing() {
        let local = Local::loaded(&offered(6, 4, 3..=6));
        assert_eq!(local.version, 4, "what is loaded is the snapshot's version");
        let at = |version| local.applied(version);
        let all = [
            told(None, &offered(6, 4, 3..=6)),
            told(Some(&local), &offered(6, 4, 3..=6)),
            told(Some(&at(6)), &offered(6, 4, 3..=6)),
            told(Some(&at(6)), &offered(8, 4, 3..=8)),
            told(Some(&at(6)), &offered(7, 7, 7..=7)),
            told(Some(&at(5)), &offered(7, 7, 7..=7)),
            told(Some(&at(6)), &offered(9, 9, 0..0)),
            told(Some(&at(6)), &offered(5, 4, 3..=5)),
            told(Some(&at(4)), &offered(5, 4, 3..=5)),
            told(Some(&at(6)), &index(OTHER_SESSION, 1, 1, 0..0)),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        snapshot 4: First
        deltas [5, 6]
        nothing
        deltas [7, 8]
        deltas [7]
        snapshot 7: Gap
        snapshot 9: Gap
        refuse: the index is of version 5, and one of version 6 came before
        refuse: the index is of version 5, and one of version 6 came before
        snapshot 1: NewSession
        ");
    }

    #[test]
    fn a_history_that_was_rewritten_is_refused_within_its_session_alone() {
        let local = Local::loaded(&offered(6, 4, 3..=6)).applied(6);
        let mut rewritten = offered(7, 4, 3..=7);
        rewritten.deltas[1].hash = Sha256Hash([1; 32]);
        assert_eq!(
            told(Some(&local), &rewritten),
            "refuse: the delta of version 4 has another hash than before: its history was rewritten"
        );
        let mut rewritten = offered(7, 4, 3..=7);
        rewritten.snapshot.hash = Sha256Hash([1; 32]);
        assert_eq!(
            told(Some(&local), &rewritten),
            "refuse: the snapshot of version 4 has another hash than before: its history was rewritten"
        );
        assert_eq!(local.seen(&rewritten), local, "nothing of it is remembered");
        // An index that named them and was taken is enough, whether or not the files came.
        let seen = local.seen(&offered(7, 4, 3..=7));
        let mut rewritten = offered(8, 4, 3..=8);
        rewritten.deltas[4].hash = Sha256Hash([1; 32]);
        assert!(told(Some(&seen), &rewritten).starts_with("refuse"));
        let mut renewed = index(OTHER_SESSION, 7, 4, 3..=7);
        renewed.deltas[1].hash = Sha256Hash([1; 32]);
        assert_eq!(told(Some(&local), &renewed), "snapshot 4: NewSession");
        assert_eq!(told(Some(&Local::loaded(&renewed)), &renewed), "deltas [5, 6, 7]");
    }

    #[test]
    fn an_old_index_of_another_session_does_not_bring_that_back() {
        let old = index(OTHER_SESSION, 9, 9, 0..0);
        let mut renewed = offered(1, 1, 0..0);
        renewed.timestamp += SignedDuration::from_mins(1);
        let local = Local::loaded(&renewed);
        insta::assert_snapshot!(told(Some(&local), &old), @"refuse: the index is of another session and was written at 2026-11-06T12:00:00Z, before the last one, of 2026-11-06T12:01:00Z");
        assert_eq!(local.seen(&old), local);
    }

    #[test]
    fn an_index_older_than_a_day_is_told() {
        let index = offered(1, 1, 0..0);
        let after = |hours| decide(None, &index, index.timestamp + SignedDuration::from_hours(hours)).warnings;
        assert_eq!(after(24), []);
        assert_eq!(after(25), [Warning::Old(Duration::from_secs(25 * 3600))]);
        assert_eq!(after(-5), []);
    }

    #[test]
    fn a_key_that_is_announced_follows_and_the_old_one_is_gone() {
        let (old, new) = (Signer::new().public(), Signer::new().public());
        let announcing = |key: Option<PublicKey>| {
            let mut payload = notification(SESSION, 1, 1, 0..0);
            payload["next_signing_key"] = key.map_or(serde_json::Value::Null, |key| key.to_string().into());
            read_index(payload.to_string().as_bytes(), &source()).unwrap()
        };
        let keys = Keys::new(old).after(SignedBy::Current, &announcing(Some(new)));
        assert_eq!(keys, Keys { current: old, next: Some(new) });
        assert_eq!(keys.after(SignedBy::Current, &announcing(None)), Keys::new(old), "taken back");
        assert_eq!(keys.after(SignedBy::Next, &announcing(Some(new))), Keys::new(new));
        assert_eq!(keys.after(SignedBy::Next, &announcing(None)), Keys::new(new));
    }
}
