//! What tells a dump from the one before it.

use serde::{Deserialize, Serialize};

use crate::{
    hex,
    irr::{
        dump::{Receipt, Validators},
        store::Notes,
    },
};

/// What is noted of the files of a dump.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// What their servers say, in the order of the files.
    pub(super) validators: Vec<Validators>,
    /// The SHA-256 of each as it came.
    pub(super) sha256: Vec<String>,
    /// Whether the last of them ends with `# EOF`.
    #[serde(default)]
    pub(super) is_marked: bool,
}

impl Fingerprint {
    pub(super) fn of(receipt: &Receipt, is_marked: bool) -> Self {
        Self {
            validators: receipt.files.iter().map(|file| file.validators.clone()).collect(),
            sha256: receipt.files.iter().map(|file| hex::encode(&file.sha256)).collect(),
            is_marked,
        }
    }

    /// Returns what was noted of the dump that was imported last. What cannot be read is no dump that we know: it is taken.
    pub(super) fn noted(notes: &Notes) -> Option<Self> {
        serde_json::from_str(notes.imported.as_deref()?).ok()
    }

    pub(super) fn note(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
