//! Why a run failed.

use std::{io, path::PathBuf, time::Duration};

use jiff::Timestamp;
use tokio::task::JoinError;

use super::guard::Shrink;
use crate::{
    irr::{
        dump::{FetchError, Location, NoLocation, SerialFileError},
        nrtm3::NoAnswer,
        nrtm4::{IndexError, JwsError, RecordsError, Refusal},
        roa::NoVrpList,
        source::Serial,
        store::{StoreError, Unusable},
        whois::WhoisError,
    },
    retry::Retry,
};

/// A run that failed. What was held before is still there.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else has updated the source meanwhile.
    #[error("another run has updated the source meanwhile; nothing is lost")]
    Overtaken,
    /// A fault of this program.
    #[error("the dump could not be read to its end, by a fault of this program")]
    Broken(#[source] JoinError),
    /// A URL in the settings cannot be used.
    #[error(transparent)]
    Location(#[from] NoLocation),
    /// The dump did not come.
    #[error(transparent)]
    Dump(#[from] FetchError),
    /// The serial of the dump is not known.
    #[error(transparent)]
    SerialFile(#[from] SerialFileError),
    /// The registry's serials are lower than before.
    #[error(
        "the registry has serial {theirs}, and {ours} is held: its serials have begun again, or it serves an old dump"
    )]
    BeganAgain {
        /// The one that is held.
        ours: Serial,
        /// The registry's.
        theirs: Serial,
    },
    /// The upstream's journal is empty, and it has changes that are not held.
    #[error(
        "the registry is at serial {theirs} and {ours} is held, but it has no changes any more; the dump is taken at the next run"
    )]
    JournalGone {
        /// The one that is held.
        ours: Serial,
        /// The registry's.
        theirs: Serial,
    },
    /// The dump before had a mark at its end.
    #[error(
        "the dump does not end with `# EOF` as the one before did, so it was cut off; if the registry has given that up, `rir-sidecar irr reload SOURCE` takes it"
    )]
    NoMark,
    /// There are too few objects in the dump or answer.
    #[error(
        "the {} has {} objects and {} are held; it is refused until `rir-sidecar irr accept-shrink SOURCE` accepts it",
        .0.kind.unit(), .0.objects, .0.held
    )]
    Shrunk(Shrink),
    /// What came is no list of VRPs.
    #[error(transparent)]
    VrpList(NoVrpList),
    /// The validator has stopped, or does not get any further.
    #[error(
        "the list of VRPs was made at {made:.0}, longer ago than {} (`rpki.max_age`): see whether the validator runs, and whether it reaches the repositories",
        humantime::format_duration(*most)
    )]
    OldVrpList {
        /// When it was made.
        made: Timestamp,
        /// The longest time that it counts.
        most: Duration,
    },
    /// There is no serial to go on from.
    #[error("the dump came without a serial, so that there is nothing to go on from over NRTM")]
    NoSerial,
    /// The file with the registry's key cannot be read.
    #[error("the file of the registry's public key, {}, cannot be read", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no key in the file.
    #[error("{} holds no public key; put the one there that the registry publishes, as PEM or in base64", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The signature of the index does not hold.
    #[error("the update notification file is not to be trusted: {0}")]
    Signature(#[from] JwsError),
    /// The index says nothing that can be used.
    #[error("the update notification file cannot be used: {0}")]
    Index(#[from] IndexError),
    /// The index contradicts what was seen before.
    #[error("the update notification file is refused: {0}")]
    Refused(Refusal),
    /// A snapshot or a delta is not what the index says.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A file is said to be the same as one that was never asked for.
    #[error("{0} was not sent, as if it were known already")]
    NotSent(Location),
    /// The changes did not come.
    #[error(transparent)]
    Nrtm(#[from] NoAnswer),
    /// The registry could not be asked.
    #[error(transparent)]
    Whois(#[from] WhoisError),
}

impl UpdateError {
    /// Returns whether it says nothing of the upstream.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Overtaken | Self::Broken(_) | Self::Location(_))
    }

    /// Returns whether trying again soon may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Store(error) => error.retry(),
            Self::Location(_) => Retry::Never,
            Self::Overtaken
            | Self::Broken(_)
            | Self::Dump(_)
            | Self::SerialFile(_)
            | Self::BeganAgain { .. }
            | Self::JournalGone { .. }
            | Self::KeyFile { .. }
            | Self::NoKey { .. }
            | Self::Signature(_)
            | Self::Index(_)
            | Self::Refused(_)
            | Self::Records(_)
            | Self::NotSent(_)
            | Self::NoMark
            | Self::Shrunk(_)
            | Self::VrpList(_)
            | Self::OldVrpList { .. }
            | Self::NoSerial
            | Self::Nrtm(_)
            | Self::Whois(_) => Retry::Backoff,
        }
    }

    /// Returns whether the upstream answered with something that cannot be used: after some of these in a row, or at once
    /// when nothing else helps, a dump is taken.
    #[must_use]
    pub fn unusable(&self) -> Unusable {
        match self {
            Self::Nrtm(why) if why.calls_for_reload() => Unusable::ForEver,
            Self::JournalGone { .. } => Unusable::ForEver,
            Self::Nrtm(why) if why.is_unusable() => Unusable::Now,
            Self::BeganAgain { .. } | Self::NoSerial | Self::Records(_) => Unusable::Now,
            Self::Store(_)
            | Self::Overtaken
            | Self::Broken(_)
            | Self::Location(_)
            | Self::Dump(_)
            | Self::SerialFile(_)
            | Self::KeyFile { .. }
            | Self::NoKey { .. }
            | Self::Signature(_)
            | Self::Index(_)
            | Self::Refused(_)
            | Self::NotSent(_)
            | Self::NoMark
            | Self::Shrunk(_)
            | Self::VrpList(_)
            | Self::OldVrpList { .. }
            | Self::Nrtm(_)
            | Self::Whois(_) => Unusable::Not,
        }
    }
}
