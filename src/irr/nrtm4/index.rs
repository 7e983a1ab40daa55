//! The update notification file: the index of what a source publishes (RFC 10063).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    key::{NoPublicKey, PublicKey},
    served::Sha256Hash,
};
use crate::{irr::source::SourceName, outbound::excerpt::excerpt};

/// The version of the protocol.
pub(super) const NRTM_VERSION: u64 = 4;
/// The most deltas that an index may name: one a minute for two months. RFC 10063 lists those of a day.
const MOST_DELTAS: usize = 100_000;
/// The longest name of a file.
const LONGEST_URL: usize = 1024;
/// The characters that are shown of a wrong word.
const MOST_SHOWN: usize = 80;

/// An index that is sound in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// When it was written.
    pub timestamp: Timestamp,
    /// The history that all of it belongs to.
    pub session: SessionId,
    /// The newest version, which is that of the last delta or, without any, of the snapshot.
    pub version: u64,
    /// All objects, at a version.
    pub snapshot: FileRef,
    /// The changes that lead to each version, in order and without a gap up to the newest.
    pub deltas: Vec<FileRef>,
    /// The key that will sign next.
    pub next_signing_key: Option<PublicKey>,
}

/// A file that an index names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// The version that it leads to.
    pub version: u64,
    /// Where it is, seen from the index.
    pub url: RelativeUrl,
    /// Its hash, as it is served.
    pub hash: Sha256Hash,
}

/// The two kinds of files that an index names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are called so")]
pub enum FileKind {
    Snapshot,
    Delta,
}

/// The id of a history, a UUID of version 4 in lower case. Another one means that nothing of before holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

/// The place of a file below the folder of its index: no scheme, host, absolute path, `..`, or anything encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RelativeUrl(String);

/// The reasons to refuse an index, whoever signed it.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// It is no such document.
    #[error("the index is no such JSON document")]
    Json(#[source] serde_json::Error),
    /// A field does not hold what it has to.
    #[error("the index has `{0}` {1}")]
    Field(&'static str, String),
    /// It is the index of another source.
    #[error("the index is of the source `{0}`")]
    Source(String),
    /// It names more than anyone reads.
    #[error("the index names more than {MOST_DELTAS} deltas")]
    TooMany,
    /// A version is missing, stands twice, or is out of order.
    #[error("delta {found} stands where {expected} has to")]
    #[expect(missing_docs, reason = "the names say it")]
    Gap { found: u64, expected: u64 },
    /// The snapshot, the deltas and the version do not fit together.
    #[error("the index is of version {version}, but its snapshot of {snapshot} and its deltas {deltas}")]
    #[expect(missing_docs, reason = "the names say it")]
    Versions { version: u64, snapshot: u64, deltas: String },
    /// The key that it announces cannot be used.
    #[error("the index announces a key that cannot be used")]
    NextKey(#[source] NoPublicKey),
}

/// The document. Fields that are not known are left to later versions.
#[derive(Deserialize)]
struct Notification {
    nrtm_version: u64,
    timestamp: String,
    r#type: String,
    source: String,
    session_id: String,
    version: u64,
    snapshot: NamedFile,
    #[serde(default)]
    deltas: Vec<NamedFile>,
    next_signing_key: Option<String>,
}

#[derive(Deserialize)]
struct NamedFile {
    version: u64,
    url: String,
    hash: String,
}

/// Reads the payload of an index that was verified, and holds each field against what it has to be.
///
/// # Errors
/// When it is no index, not of this source, or does not fit together.
pub fn read_index(payload: &[u8], source: &SourceName) -> Result<Index, IndexError> {
    let read: Notification = serde_json::from_slice(payload).map_err(IndexError::Json)?;
    if read.nrtm_version != NRTM_VERSION {
        return Err(IndexError::Field("nrtm_version", read.nrtm_version.to_string()));
    }
    if read.r#type != "notification" {
        return Err(wrong("type", &read.r#type));
    }
    if !source.is(&read.source) {
        return Err(IndexError::Source(excerpt(&read.source, MOST_SHOWN)));
    }
    if read.deltas.len() > MOST_DELTAS {
        return Err(IndexError::TooMany);
    }
    let in_utc = read.timestamp.parse().ok().filter(|_| read.timestamp.ends_with(['Z', 'z']));
    let index = Index {
        timestamp: in_utc.ok_or_else(|| wrong("timestamp", &read.timestamp))?,
        session: SessionId::parse(&read.session_id).ok_or_else(|| wrong("session_id", &read.session_id))?,
        version: positive(read.version)?,
        snapshot: file(read.snapshot)?,
        deltas: read.deltas.into_iter().map(file).collect::<Result<_, _>>()?,
        next_signing_key: match read.next_signing_key {
            Some(text) => Some(text.parse().map_err(IndexError::NextKey)?),
            None => None,
        },
    };
    index.fits_together()?;
    Ok(index)
}

fn wrong(field: &'static str, text: &str) -> IndexError {
    IndexError::Field(field, excerpt(text, MOST_SHOWN))
}

fn positive(version: u64) -> Result<u64, IndexError> {
    if version == 0 { Err(IndexError::Field("version", "0".to_owned())) } else { Ok(version) }
}

fn file(named: NamedFile) -> Result<FileRef, IndexError> {
    Ok(FileRef {
        version: positive(named.version)?,
        url: RelativeUrl::parse(&named.url).ok_or_else(|| wrong("url", &named.url))?,
        hash: Sha256Hash::parse(&named.hash).ok_or_else(|| wrong("hash", &named.hash))?,
    })
}

impl Index {
    /// Returns all files with their kinds.
    pub fn files(&self) -> impl Iterator<Item = (FileKind, &FileRef)> {
        let deltas = self.deltas.iter().map(|delta| (FileKind::Delta, delta));
        std::iter::once((FileKind::Snapshot, &self.snapshot)).chain(deltas)
    }

    /// Checks that deltas lead from the snapshot to the newest version.
    fn fits_together(&self) -> Result<(), IndexError> {
        let misfit =
            |deltas: String| IndexError::Versions { version: self.version, snapshot: self.snapshot.version, deltas };
        let (Some(first), Some(last)) = (self.deltas.first(), self.deltas.last()) else {
            return if self.snapshot.version == self.version { Ok(()) } else { Err(misfit("are none".to_owned())) };
        };
        for (before, delta) in self.deltas.iter().zip(self.deltas.iter().skip(1)) {
            if Some(delta.version) != before.version.checked_add(1) {
                let expected = before.version.saturating_add(1);
                return Err(IndexError::Gap { found: delta.version, expected });
            }
        }
        let reach = first.version <= self.snapshot.version.saturating_add(1);
        if reach && self.snapshot.version <= last.version && last.version == self.version {
            Ok(())
        } else {
            Err(misfit(format!("from {} to {}", first.version, last.version)))
        }
    }
}

impl FileKind {
    /// Returns its word in the header of a file.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Delta => "delta",
        }
    }
}

impl SessionId {
    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a UUID of version 4 (RFC 9562).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let shape = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]);
        let digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let begins = |part: usize, with: &[char]| parts.get(part).is_some_and(|part| part.starts_with(with));
        let version = begins(2, &['4']) && begins(3, &['8', '9', 'a', 'b', 'A', 'B']);
        (shape && digits && version).then(|| Self(text.to_ascii_lowercase()))
    }
}

impl TryFrom<String> for SessionId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("a session is a UUID of version 4")
    }
}

impl From<SessionId> for String {
    fn from(session: SessionId) -> Self {
        session.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RelativeUrl {
    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the file is packed, which its name says.
    #[must_use]
    pub fn is_gzip(&self) -> bool {
        self.0.ends_with(".gz")
    }

    fn parse(text: &str) -> Option<Self> {
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"-._~+,=@!$&'();*".contains(&letter);
        let step = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(fits);
        (text.len() <= LONGEST_URL && text.split('/').all(step)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for RelativeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::fixtures::{OTHER_SESSION, SESSION, notification, source},
        *,
    };
    use crate::error_chain::error_chain;

    fn read(payload: &Value) -> Result<Index, String> {
        read_index(payload.to_string().as_bytes(), &source()).map_err(|error| error_chain(&error))
    }

    #[test]
    fn an_index_is_read() {
        let index = read(&notification(SESSION, 4, 2, 2..=4)).unwrap();
        assert_eq!((index.version, index.snapshot.version, index.deltas.len()), (4, 2, 3));
        assert_eq!(index.session.as_str(), SESSION);
        // A snapshot alone, the first delta after it, and fields of a later version.
        assert!(read(&notification(SESSION, 1, 1, 0..0)).is_ok());
        assert!(read(&notification(SESSION, 2, 1, 2..=2)).is_ok());
        let mut later = notification(OTHER_SESSION, 1, 1, 0..0);
        later["later"] = json!({ "more": [1] });
        later["source"] = json!("test");
        assert!(read(&later).is_ok());
    }

    #[test]
    fn a_field_that_is_wrong_is_told() {
        let odd = |field: &str, value: Value| {
            let mut payload = notification(SESSION, 4, 2, 2..=4);
            *payload.pointer_mut(field).unwrap() = value;
            read(&payload).unwrap_err()
        };
        let all = [
            odd("/nrtm_version", json!(3)),
            odd("/nrtm_version", json!("4")),
            odd("/type", json!("snapshot")),
            odd("/source", json!("RADB")),
            odd("/timestamp", json!("2026-11-06T12:00:00+01:00")),
            odd("/timestamp", json!("yesterday")),
            odd("/session_id", json!("ca128382-78d9-11ee-8927-1ecb3c9e7e11")),
            odd("/session_id", json!("1")),
            odd("/version", json!(0)),
            odd("/version", json!(-1)),
            odd("/version", json!(1.5)),
            odd("/version", json!(5)),
            odd("/snapshot/version", json!(5)),
            odd("/deltas/1/version", json!(2)),
            odd("/deltas/1/version", json!(4)),
            odd("/deltas/0/hash", json!("00")),
            odd("/deltas/0/hash", json!("g".repeat(64))),
            odd("/next_signing_key", json!("secret")),
            odd("/deltas", json!({})),
            read(&notification(SESSION, 4, 1, 3..=4)).unwrap_err(),
            read(&notification(SESSION, 4, 1, 0..0)).unwrap_err(),
        ];
        insta::assert_snapshot!(all.join("\n"), @r#"
        the index has `nrtm_version` 3
        the index is no such JSON document: invalid type: string "4", expected u64 at line 1 column 420
        the index has `type` snapshot
        the index is of the source `RADB`
        the index has `timestamp` 2026-11-06T12:00:00+01:00
        the index has `timestamp` yesterday
        the index has `session_id` ca128382-78d9-11ee-8927-1ecb3c9e7e11
        the index has `session_id` 1
        the index has `version` 0
        the index is no such JSON document: invalid value: integer `-1`, expected u64 at line 1 column 692
        the index is no such JSON document: invalid type: floating point `1.5`, expected u64 at line 1 column 693
        the index is of version 5, but its snapshot of 2 and its deltas from 2 to 4
        the index is of version 4, but its snapshot of 5 and its deltas from 2 to 4
        delta 2 stands where 3 has to
        delta 4 stands where 3 has to
        the index has `hash` 00
        the index has `hash` gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg
        the index announces a key that cannot be used: it is no public key of P-256: that is PEM which begins with -----BEGIN PUBLIC KEY-----, or what stands between its first and last line
        the index is no such JSON document: invalid type: map, expected a sequence at line 1 column 10
        the index is of version 4, but its snapshot of 1 and its deltas from 3 to 4
        the index is of version 4, but its snapshot of 1 and its deltas are none
        "#);
        assert!(read_index(b"[[[[[[", &source()).is_err());
        assert!(read_index("[".repeat(100_000).as_bytes(), &source()).is_err());
    }

    #[test]
    fn files_lie_below_the_index() {
        for good in ["a.json.gz", "nrtm-delta.1.TEST.x_y~z.json", "a/b/c", "...", "a.."] {
            assert!(RelativeUrl::parse(good).is_some(), "{good}");
        }
        let long = "a".repeat(LONGEST_URL + 1);
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/../b",
            ".",
            "./a",
            "https://example.net/a",
            "//example.net/a",
            "file:a",
            "a\\b",
            "%2e%2e/a",
            "a?b",
            "a#b",
            "a b",
            "a\n",
            "ä",
            &long,
        ] {
            assert_eq!(RelativeUrl::parse(bad), None, "{bad}");
        }
    }
}
