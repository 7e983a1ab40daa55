//! Why there is no answer that can be used.

use std::{io, time::Duration};

use super::question::SerialRange;
use crate::irr::source::Serial;

/// Why a question has no answer that can be used. Nothing of what came may be applied; the same question may be asked again at
/// the next run, unless it [calls for a reload](Self::calls_for_reload). Text of the upstream is shortened.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No connection was made.
    #[error("NRTM upstream {address} cannot be reached; it is asked again at the next run")]
    Unreachable {
        /// Where to.
        address: String,
        /// What stood in the way.
        #[source]
        source: io::Error,
    },
    /// The connection broke.
    #[error(
        "the connection to NRTM upstream {address} broke before its answer had ended, so nothing of it was applied"
    )]
    Broken {
        /// Where to.
        address: String,
        /// What happened to it.
        #[source]
        source: io::Error,
    },
    /// No connection was made in time.
    #[error("NRTM upstream {address} did not take the connection within {limit:?}; it is asked again at the next run")]
    NotConnected {
        /// Where to.
        address: String,
        /// The time that it had.
        limit: Duration,
    },
    /// Nothing came for too long.
    #[error(
        "NRTM upstream {address} sent nothing for {limit:?} in the midst of its answer, so nothing of it was applied"
    )]
    Silent {
        /// Where to.
        address: String,
        /// The time that it had.
        limit: Duration,
    },
    /// The whole took too long.
    #[error("the answer of NRTM upstream {address} had not ended after {limit:?}, so nothing of it was applied")]
    Slow {
        /// Where to.
        address: String,
        /// The time that it had.
        limit: Duration,
    },
    /// The answer is too large to be kept.
    #[error("the answer has more than {limit} bytes, so nothing of it was applied; a full reload is the shorter way")]
    TooLarge {
        /// The most bytes.
        limit: u64,
    },
    /// The upstream said that it does not answer.
    #[error("the upstream refuses changes from serial {asked} on, so there are none to apply: {message:?}")]
    Refused {
        /// The first serial that it was asked for.
        asked: Serial,
        /// What it said.
        message: String,
        /// The serials that it named.
        named: Option<NamedRange>,
    },
    /// There is no line with which an answer begins: it may be no NRTM at all.
    #[error("the answer has no %START, so nothing of it was applied; it says {begins:?}")]
    NoStart {
        /// What stands there, or the last remark of what is nothing but remarks.
        begins: String,
    },
    /// The first line cannot be read.
    #[error("the answer begins with {line:?}, which cannot be read, so nothing of it was applied")]
    MalformedStart {
        /// The line.
        line: String,
    },
    /// The answer begins twice.
    #[error("the answer begins a second time with {line:?}, so nothing of it was applied")]
    SecondStart {
        /// The second line.
        line: String,
    },
    /// It is an answer about another source.
    #[error("the answer is about the source {found:?}, so nothing of it was applied")]
    ForeignSource {
        /// Which one.
        found: String,
    },
    /// It is an answer in a form that was never made.
    #[error("the answer is of NRTM version {found:?} in place of 1 or 3, so nothing of it was applied")]
    ForeignVersion {
        /// Which one.
        found: String,
    },
    /// It begins at another serial than the one that was asked for.
    #[error(
        "the answer begins at serial {found} in place of {asked}, so nothing of it was applied: changes would be missing"
    )]
    OtherFirst {
        /// The serial that was asked for.
        asked: Serial,
        /// The one that came.
        found: Serial,
    },
    /// Its last serial is before its first one.
    #[error("the answer goes from serial {first} to {last}, which is before it, so nothing of it was applied")]
    FallingRange {
        /// The first one.
        first: Serial,
        /// The last one.
        last: Serial,
    },
    /// A serial is not greater than the one before.
    #[error("serial {found} follows where at least {least} has to, so nothing of the answer was applied")]
    FallingSerial {
        /// The least that may come.
        least: Serial,
        /// The one that came.
        found: Serial,
    },
    /// There are more changes than serials for them.
    #[error("the answer has changes behind its last serial {last}, so nothing of it was applied")]
    BeyondRange {
        /// The last serial.
        last: Serial,
    },
    /// A line with `ADD` or `DEL` cannot be read, or has no serial in version 3.
    #[error("the operation {line:?} cannot be read, so nothing of the answer was applied")]
    MalformedOperation {
        /// The line.
        line: String,
    },
    /// No object is behind an operation.
    #[error("no object stands behind the operation with serial {serial}, so nothing of the answer was applied")]
    NoObject {
        /// The serial.
        serial: Serial,
    },
    /// The last line is that of another source.
    #[error("the answer ends with %END {found:?} in place of our source, so nothing of it was applied")]
    ForeignEnd {
        /// What stands there.
        found: String,
    },
    /// There is no last line: the answer was cut off.
    #[error("the answer ends without %END, so it is not whole and nothing of it was applied")]
    NoEnd,
}

/// Serials that an upstream names when it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedRange {
    /// It has these, and no others.
    Kept(SerialRange),
    /// It does not have these.
    Gone(SerialRange),
}

impl NoAnswer {
    /// Returns whether the upstream did answer, with something that cannot be used.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        !matches!(
            self,
            Self::Unreachable { .. }
                | Self::Broken { .. }
                | Self::NotConnected { .. }
                | Self::Silent { .. }
                | Self::Slow { .. }
        )
    }

    /// Returns whether the same question will never have an answer, so that the source has to be loaded anew: the upstream does
    /// not have the changes that we lack, or has too many of them.
    ///
    /// Any other fault may go away. One that stays for many runs calls for a reload, too; only who counts the runs knows that.
    #[must_use]
    pub fn calls_for_reload(&self) -> bool {
        match self {
            Self::Refused { asked, named: Some(NamedRange::Kept(kept)), .. } => !kept.contains(*asked),
            Self::Refused { asked, named: Some(NamedRange::Gone(gone)), .. } => gone.contains(*asked),
            Self::TooLarge { .. } => true,
            Self::Refused { named: None, .. }
            | Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::NotConnected { .. }
            | Self::Silent { .. }
            | Self::Slow { .. }
            | Self::NoStart { .. }
            | Self::MalformedStart { .. }
            | Self::SecondStart { .. }
            | Self::ForeignSource { .. }
            | Self::ForeignVersion { .. }
            | Self::OtherFirst { .. }
            | Self::FallingRange { .. }
            | Self::FallingSerial { .. }
            | Self::BeyondRange { .. }
            | Self::MalformedOperation { .. }
            | Self::NoObject { .. }
            | Self::ForeignEnd { .. }
            | Self::NoEnd => false,
        }
    }
}
