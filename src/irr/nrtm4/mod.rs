//! The signed files of NRTMv4 (RFC 10063), as a mirror reads them: pure.
//!
//! | module | its part |
//! |---|---|
//! | `key` | [`PublicKey`], [`Keys`]: who may sign, and who may next |
//! | `jws` | [`verify`]: takes a signed text apart |
//! | `index` | [`Index`]: the update notification file, which names the snapshot and the deltas |
//! | `decide` | [`decide()`]: what to do about an index, given what we have |
//! | `records` | the records of a snapshot or a delta, and what they have to begin with |
//! | `snapshot`, `delta` | [`SnapshotReader`], [`read_delta`]: all of a file or nothing of it |
//!
//! Whoever fetches the files hands in what came and keeps what comes out: the keys, and [`Local`]. Nothing is to be written
//! before a reader has said that its file is whole; the types leave no other way.

mod decide;
mod delta;
#[cfg(test)]
pub(in crate::irr) mod fixtures;
#[cfg(test)]
mod fuzz;
mod index;
mod jws;
mod key;
#[cfg(test)]
mod model;
mod records;
mod served;
mod snapshot;
mod standing;
#[cfg(test)]
mod walk;

pub use decide::{Decision, KnownFile, Local, Refusal, Step, Warning, WhySnapshot, decide};
pub use delta::{Delta, DeltaChange, read_delta};
pub use index::{FileKind, FileRef, Index, IndexError, RelativeUrl, SessionId, read_index};
pub use jws::{JwsError, SignedBy, Verified, verify};
pub use key::{Keys, NoPublicKey, PublicKey};
pub use records::{FileLimits, RecordsError, Wanted};
pub use served::Sha256Hash;
pub use snapshot::{SnapshotReader, WholeSnapshot};
pub use standing::Standing;
