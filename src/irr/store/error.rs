//! The errors of the store.

use std::io;

use crate::{
    irr::{
        rpsl::ObjectKey,
        source::{Serial, SourceName},
    },
    redis_client,
    retry::Retry,
};

/// Something that the store did not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Redis did not do it.
    #[error("the mirror of {name} cannot be reached")]
    Redis {
        /// The source.
        name: SourceName,
        /// The cause.
        source: redis_client::Error,
    },
    /// The text of an object would not be found again among others.
    #[error(
        "{} {} cannot be kept: its text is empty, has an empty line or does not end with a line feed",
        key.class,
        key.key
    )]
    NoParagraph {
        /// The object.
        key: ObjectKey,
    },
    /// A block does not hold what was put there.
    #[error("block {number} of {name} cannot be read; a reload of the source makes it anew")]
    Damaged {
        /// The source.
        name: SourceName,
        /// Which block.
        number: u64,
        /// What is wrong with it.
        source: BlockDamage,
    },
    /// Newer blocks took the place of those that somebody read, longer ago than those are kept.
    #[error("the objects of {name} were replaced while they were read")]
    Replaced {
        /// The source.
        name: SourceName,
    },
    /// Blocks are missing though nothing took their place: somebody else has taken them away, or Redis has.
    #[error("Redis has lost blocks of {name}; a reload of the source makes them anew")]
    Missing {
        /// The source.
        name: SourceName,
    },
    /// What was written so far is gone: it waited too long for the rest, or Redis lost it.
    #[error("what was written of {name} was lost before all of it was there")]
    Lost {
        /// The source.
        name: SourceName,
    },
    /// The changes are in no order in which they can be kept.
    #[error("a change of {name} has the serial {serial}, which is not greater than {before}, or beyond the newest")]
    OutOfOrder {
        /// The source.
        name: SourceName,
        /// The serial.
        serial: Serial,
        /// What it has to be greater than.
        before: Serial,
    },
    /// There are no objects that could change.
    #[error("there is nothing of {name} yet that could change: it has to be imported first")]
    NothingHeld {
        /// The source.
        name: SourceName,
    },
}

/// What is wrong with a block.
#[derive(Debug, thiserror::Error)]
pub enum BlockDamage {
    /// It cannot be unpacked.
    #[error("it cannot be unpacked")]
    Packed(#[from] io::Error),
    /// Keys and texts do not belong together.
    #[error("it has {texts} texts and {keys} keys")]
    Uneven {
        /// The number of keys.
        keys: usize,
        /// The number of texts.
        texts: usize,
    },
    /// A key cannot be read.
    #[error("{0:?} is no key of an object")]
    Key(String),
}

impl StoreError {
    /// Returns whether trying again may help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Redis { source, .. } => source.retry(),
            Self::Replaced { .. } | Self::Lost { .. } => Retry::Backoff,
            Self::NoParagraph { .. }
            | Self::Damaged { .. }
            | Self::Missing { .. }
            | Self::OutOfOrder { .. }
            | Self::NothingHeld { .. } => Retry::Never,
        }
    }

    /// Returns whether a reload of the source is what helps: what is held of it cannot be read.
    #[must_use]
    pub fn calls_for_reload(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Missing { .. } => true,
            Self::Redis { .. }
            | Self::NoParagraph { .. }
            | Self::Replaced { .. }
            | Self::Lost { .. }
            | Self::OutOfOrder { .. }
            | Self::NothingHeld { .. } => false,
        }
    }

    /// Says which source Redis was asked about.
    pub(super) fn of(name: &SourceName) -> impl FnOnce(redis_client::Error) -> Self {
        move |source| Self::Redis { name: name.clone(), source }
    }
}
