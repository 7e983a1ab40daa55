//! Deltas: what leads from one version of a source to the next.

use std::io::BufRead;

use serde::Deserialize;

use super::{
    index::FileKind,
    records::{FileLimits, Records, RecordsError, Wanted},
};

/// The changes of a delta, all of them: it was read to its end, and is the one that the index names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    version: u64,
    changes: Vec<DeltaChange>,
}

/// One change, in the words of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum DeltaChange {
    /// The object is new, or says something else than before.
    AddModify {
        /// Its text.
        object: String,
    },
    /// The object is gone.
    Delete {
        /// The name of its class, in any case.
        object_class: String,
        /// Its key, in any case; of a route, prefix and origin one after the other.
        primary_key: String,
    },
}

impl Delta {
    /// Returns the version that it leads to.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns the changes in their order, at least one.
    #[must_use]
    pub fn changes(&self) -> &[DeltaChange] {
        &self.changes
    }

    /// Returns them to be kept.
    #[must_use]
    pub fn into_changes(self) -> Vec<DeltaChange> {
        self.changes
    }
}

/// Reads a delta as it is served.
///
/// # Errors
/// When it is another file than the one that is wanted, is not whole, or holds anything that is no change.
pub fn read_delta<R: BufRead>(from: R, wanted: Wanted<'_>, limits: FileLimits) -> Result<Delta, RecordsError> {
    let mut records = Records::begin(from, FileKind::Delta, wanted, limits)?;
    let mut changes = Vec::new();
    while let Some(change) = records.next()? {
        if changes.len() >= limits.changes {
            return Err(RecordsError::TooManyChanges(limits.changes));
        }
        changes.push(change);
    }
    if changes.is_empty() { Err(RecordsError::EmptyDelta) } else { Ok(Delta { version: wanted.file.version, changes }) }
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixtures::{SESSION, file_ref, gz, header, sequence, session, source},
        *,
    };
    use crate::error_chain::error_chain;

    const ADD: &str = r#"{"action":"add_modify","object":"route: 192.0.2.0/24\norigin: AS64496\n"}"#;
    const DELETE: &str = r#"{"action":"delete","object_class":"route","primary_key":"192.0.2.0/24AS64496"}"#;

    fn outcome(records: &[&str]) -> Result<Delta, String> {
        let bytes = gz(&sequence(&header("delta", SESSION, 4), records));
        let (source, session, file) = (source(), session(), file_ref(4, "d.json.gz", &bytes));
        let wanted = Wanted { source: &source, session: &session, file: &file };
        let limits = FileLimits { changes: 2, ..FileLimits::default() };
        read_delta(bytes.as_slice(), wanted, limits).map_err(|error| error_chain(&error))
    }

    #[test]
    fn a_delta_is_read_in_its_order() {
        let delta = outcome(&[ADD, DELETE]).unwrap();
        let object = "route: 192.0.2.0/24\norigin: AS64496\n".to_owned();
        let (object_class, primary_key) = ("route".to_owned(), "192.0.2.0/24AS64496".to_owned());
        assert_eq!(delta.version(), 4);
        let changes = [DeltaChange::AddModify { object }, DeltaChange::Delete { object_class, primary_key }];
        assert_eq!(delta.changes(), changes);
    }

    #[test]
    fn a_delta_with_anything_wrong_is_none() {
        let all = [
            outcome(&[]),
            outcome(&[ADD, DELETE, ADD]),
            outcome(&[ADD, r#"{"action":"replace","object":"a"}"#]),
            outcome(&[ADD, r#"{"object":"a"}"#]),
            outcome(&[ADD, r#"{"action":"delete","object_class":"route"}"#]),
            outcome(&[ADD, r#"{"action":"add_modify","object":null}"#]),
            outcome(&[ADD, "{} {}"]),
        ];
        insta::assert_snapshot!(all.map(Result::unwrap_err).join("\n"), @r"
        the delta holds no change
        the delta has more than 2 changes
        record 3 is not what belongs there: unknown variant `replace`, expected `add_modify` or `delete` at line 1 column 19
        record 3 is not what belongs there: missing field `action` at line 1 column 14
        record 3 is not what belongs there: missing field `primary_key`
        record 3 is not what belongs there: invalid type: null, expected a string
        record 3 is not what belongs there: missing field `action` at line 1 column 2
        ");
    }
}
