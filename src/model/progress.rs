//! The progress of a run, aggregate by aggregate.

use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Aggregate, NetHandle, RowId};

/// The progress of a run with one aggregate and the net that answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AggregateProgress {
    /// Id of the aggregate in NetBox.
    pub aggregate: RowId,
    /// Its range.
    #[schema(value_type = String, example = "198.51.100.0/24")]
    pub range: IpNet,
    /// Handle of the net that answers for it, once that is known and if one does.
    #[schema(value_type = Option<String>)]
    pub parent: Option<NetHandle>,
    /// The step that the run is at.
    pub state: AggregateState,
    /// Prefixes inside that were looked up, or found to need no question.
    pub prefixes_done: u64,
    /// Prefixes inside that somebody can register.
    pub prefixes: u64,
    /// Look-ups that found a net.
    pub networks: u64,
    /// Look-ups that failed.
    pub failed: u64,
}

/// The step that a run is at with an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AggregateState {
    /// Nothing was asked yet.
    Waiting,
    /// The registry is being asked.
    Asking,
    /// Everything was asked, and is being written.
    Asked,
    /// Everything was asked and written.
    Done,
    /// Something could not be asked. The next attempt asks again.
    Failed,
}

impl AggregateProgress {
    /// The line of an aggregate with so many prefixes before anything was asked.
    #[must_use]
    pub fn waiting(Aggregate { id, prefix }: Aggregate, prefixes: u64) -> Self {
        let (parent, state) = (None, AggregateState::Waiting);
        Self { aggregate: id, range: prefix, parent, state, prefixes_done: 0, prefixes, networks: 0, failed: 0 }
    }
}

/// One line for people: `198.51.100.0/24 (NET-198-51-100-0-1): done, 4 of 4 prefixes, 3 networks`.
impl fmt::Display for AggregateProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { range, parent, state, prefixes_done, prefixes, networks, failed, .. } = self;
        write!(f, "{range} ({}): {}", parent.as_ref().map_or("no net", NetHandle::as_str), state.name())?;
        write!(f, ", {prefixes_done} of {prefixes} prefixes, {networks} networks")?;
        if *failed > 0 { write!(f, ", {failed} failed") } else { Ok(()) }
    }
}

impl AggregateState {
    /// Returns whether nothing more is done about the aggregate in this run.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }

    /// The word for it in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Asking => "asking",
            Self::Asked => "asked",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}
