//! The serials of a source.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use crate::model::SourceName;

/// The number of a change of a source. They rise; where one is missing there was nothing for mirrors.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Serial(pub u64);

impl Serial {
    /// Returns the one after this; none is after the last one that there can be.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
