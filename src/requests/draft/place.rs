//! A prefix or aggregate as a person names it.

use std::{fmt, str::FromStr};

use ipnet::IpNet;

use crate::model::RowId;

/// A prefix or aggregate as a person names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// By its row.
    Row(RowId),
    /// By its range.
    Range(IpNet),
}

/// A text that names no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither the id of a row in NetBox nor a range such as 192.0.2.0/24")]
pub struct NoPlace(String);

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let range = || text.parse::<IpNet>().ok().filter(|range| *range == range.trunc()).map(Self::Range);
        text.parse().map(RowId).map(Self::Row).ok().or_else(range).ok_or_else(|| NoPlace(text.to_owned()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "{row}"),
            Self::Range(range) => write!(f, "{range}"),
        }
    }
}
