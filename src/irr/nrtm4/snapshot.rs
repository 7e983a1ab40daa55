//! Snapshots: all objects of a source at a version.

use std::io::BufRead;

use serde::Deserialize;

use super::{
    index::FileKind,
    records::{FileLimits, Records, RecordsError, Wanted},
};

/// Reads the objects of a snapshot as they come. What is read is good only once [`SnapshotReader::finish`] says so: the hash
/// of a file is known at its end.
pub struct SnapshotReader<R: BufRead> {
    records: Records<R>,
    version: u64,
    objects: u64,
}

/// Says that a snapshot was read to its end, and is the one that the index names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WholeSnapshot {
    version: u64,
    objects: u64,
}

#[derive(Deserialize)]
struct ObjectRecord {
    object: String,
}

impl<R: BufRead> SnapshotReader<R> {
    /// Begins with a file as it is served, and checks its header.
    ///
    /// # Errors
    /// When it is another file than the one that is wanted, or none of that kind.
    pub fn begin(from: R, wanted: Wanted<'_>, limits: FileLimits) -> Result<Self, RecordsError> {
        let records = Records::begin(from, FileKind::Snapshot, wanted, limits)?;
        Ok(Self { records, version: wanted.file.version, objects: 0 })
    }

    /// Returns the text of the next object; `None` after the last one, once the hash is right.
    ///
    /// # Errors
    /// When the file is not sound; then nothing of it may be used.
    pub fn next_object(&mut self) -> Result<Option<String>, RecordsError> {
        let record: Option<ObjectRecord> = self.records.next()?;
        self.objects = self.objects.saturating_add(u64::from(record.is_some()));
        Ok(record.map(|record| record.object))
    }

    /// Reads what is left, and says that the file is whole.
    ///
    /// # Errors
    /// When it is not, or something failed before.
    pub fn finish(mut self) -> Result<WholeSnapshot, RecordsError> {
        while self.next_object()?.is_some() {}
        Ok(WholeSnapshot { version: self.version, objects: self.objects })
    }
}

impl WholeSnapshot {
    /// Returns the version that the objects are of.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns how many objects there were.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.objects
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            fixtures::{SESSION, file_ref, gz, header, sequence, session, source},
            index::FileRef,
        },
        *,
    };
    use crate::error_chain::error_chain;

    const OBJECTS: [&str; 2] =
        [r#"{"object":"route: 192.0.2.0/24\norigin: AS64496\n"}"#, r#"{"object":"mntner: M\n"}"#];

    fn good() -> Vec<u8> {
        sequence(&header("snapshot", SESSION, 4), &OBJECTS)
    }

    fn read(bytes: &[u8], file: &FileRef, limits: FileLimits) -> Result<(Vec<String>, WholeSnapshot), RecordsError> {
        let (source, session) = (source(), session());
        let mut reader = SnapshotReader::begin(bytes, Wanted { source: &source, session: &session, file }, limits)?;
        let mut objects = Vec::new();
        while let Some(object) = reader.next_object()? {
            objects.push(object);
        }
        Ok((objects, reader.finish()?))
    }

    fn told(bytes: &[u8], named: &[u8], name: &str) -> String {
        error_chain(&read(bytes, &file_ref(4, name, named), FileLimits::default()).unwrap_err())
    }

    #[test]
    fn a_snapshot_is_read_packed_or_not() {
        for (bytes, name) in [(good(), "a.json"), (gz(&good()), "a.json.gz")] {
            let (objects, whole) = read(&bytes, &file_ref(4, name, &bytes), FileLimits::default()).unwrap();
            assert_eq!(objects, ["route: 192.0.2.0/24\norigin: AS64496\n", "mntner: M\n"]);
            assert_eq!((whole.version(), whole.objects()), (4, 2));
        }
        let empty = sequence(&header("snapshot", SESSION, 4), &[]);
        let (_, whole) = read(&empty, &file_ref(4, "a.json", &empty), FileLimits::default()).unwrap();
        assert_eq!(whole.objects(), 0);
    }

    #[test]
    fn a_file_that_is_not_the_one_of_the_index_is_refused() {
        let other = "ca128382-78d9-41d1-8927-1ecb3c9e7e99";
        let text = |header: &str| sequence(header, &OBJECTS);
        let good = good();
        let wrong = |bytes: Vec<u8>| told(&bytes, &bytes, "a.json");
        assert!(told(&gz(&good), &gz(&good), "a.json").starts_with("the file is no sequence"), "packed says the name");
        let all = [
            told(&good, b"another one", "a.json"),
            told(&good, &good, "a.json.gz"),
            wrong(text(&header("delta", SESSION, 4))),
            wrong(text(&header("snapshot", other, 4))),
            wrong(text(&header("snapshot", SESSION, 5))),
            wrong(text(&header("snapshot", SESSION, 4).replace("TEST", "RADB"))),
            wrong(text(&header("snapshot", SESSION, 4).replace(":4,", ":3,"))),
            wrong(text(r#"{"object":"a"}"#)),
            wrong(Vec::new()),
            wrong(b"<html>".to_vec()),
            wrong(b"\x1e".to_vec()),
        ];
        insta::assert_snapshot!(all.join("\n"), @r#"
        the file has the hash 9d6764d52bc9e866e75b79b413796cde3f695bf3d8c416dc82000b325da46931, and the index names another one
        the file cannot be read to its end: invalid gzip header
        the header says `type` is delta, where the index has snapshot
        the header says `session_id` is ca128382-78d9-41d1-8927-1ecb3c9e7e99, where the index has ca128382-78d9-41d1-8927-1ecb3c9e7e11
        the header says `version` is 5, where the index has 4
        the header says `source` is RADB, where the index has TEST
        the header says `nrtm_version` is 3, where the index has 4
        record 1 is not what belongs there: missing field `nrtm_version` at line 1 column 14
        the file is no sequence of JSON texts, as it begins with ""
        the file is no sequence of JSON texts, as it begins with "<html>"
        the file ends in the middle of record 1
        "#);
    }

    #[test]
    fn a_file_that_is_cut_or_goes_on_is_refused() {
        let good = good();
        let packed = gz(&good);
        for (bytes, name) in [(&good, "a.json"), (&packed, "a.json.gz")] {
            let file = file_ref(4, name, bytes);
            for end in 0..bytes.len() {
                assert!(read(&bytes[..end], &file, FileLimits::default()).is_err(), "{name} up to {end}");
            }
        }
        // Even if the index names the hash of that.
        let wrong = |bytes: &[u8]| told(bytes, bytes, "a.json");
        let all = [
            wrong(&good[..good.len() - 1]),
            wrong(&good[..good.len() - 5]),
            wrong(&[good.as_slice(), b"more\n"].concat()),
            wrong(&[good.as_slice(), b"\x1e\n"].concat()),
            wrong(&[good.as_slice(), b"\x1e{\"object\":\"\xff\"}\n"].concat()),
            told(&[packed.as_slice(), b"more"].concat(), b"", "a.json.gz"),
        ];
        insta::assert_snapshot!(all.join("\n"), @r"
        the file ends in the middle of record 3
        the file ends in the middle of record 3
        record 3 is not what belongs there: trailing characters at line 2 column 1
        record 4 is not what belongs there: EOF while parsing a value at line 2 column 0
        record 4 is not what belongs there: invalid unicode code point at line 1 column 12
        the file cannot be read to its end: unexpected end of file
        ");
    }

    #[test]
    fn a_bomb_and_a_giant_have_an_end() {
        let giant = sequence(&header("snapshot", SESSION, 4), &[&format!(r#"{{"object":"{}"}}"#, "a".repeat(1000))]);
        let packed = gz(&giant);
        let limited = |text, record| {
            let limits = FileLimits { text, record, changes: 1 };
            read(&packed, &file_ref(4, "a.gz", &packed), limits).map_err(|error| error.to_string())
        };
        let length = u64::try_from(giant.len()).unwrap();
        assert_eq!(limited(length, 500).unwrap_err(), "record 2 has more than 500 bytes");
        assert_eq!(limited(1000, 5000).unwrap_err(), "the file unpacks to more than 1000 bytes");
        assert!(limited(length, 1014).is_ok());
        assert_eq!(limited(length, 1013).unwrap_err(), "record 2 has more than 1013 bytes");
    }

    #[test]
    fn after_a_failure_a_file_is_never_whole() {
        let bytes = [&good()[..], b"\x1enull\n\x1e{\"object\":\"a\"}\n"].concat();
        let (source, session, file) = (source(), session(), file_ref(4, "a", &bytes));
        let wanted = Wanted { source: &source, session: &session, file: &file };
        let mut reader = SnapshotReader::begin(bytes.as_slice(), wanted, FileLimits::default()).unwrap();
        assert!(reader.next_object().is_ok() && reader.next_object().is_ok() && reader.next_object().is_err());
        assert!(matches!(reader.finish(), Err(RecordsError::FailedBefore)));
    }
}
