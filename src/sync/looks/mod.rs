//! What a run leaves behind for the findings: how completely the registry was asked about each aggregate, and the answers
//! about single organizations and customers that no row has.
//!
//! A run gathers what it has [`Seen`] while it asks. At its end it is decided, without asking anybody, which look follows
//! from that (`next`) and which `answers` are kept; only what changes is written.

pub(super) mod answers;
mod leave;
pub(super) mod next;
pub mod seen;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

pub use self::seen::Seen;
use crate::{
    model::{Answer, Look, ObjectType, RowId, Standing},
    netbox::looks::{LookRows, LookWrites},
};

/// What a run gathers while it asks.
#[derive(Debug, Default)]
pub(super) struct Looking {
    /// What the syncs before have left behind; `None` if that is not known, so that nothing is written.
    pub(super) rows: Option<LookRows>,
    /// All aggregates that the run is about.
    pub(super) targets: BTreeMap<RowId, InScope>,
    pub(super) seen: BTreeMap<RowId, Seen>,
    /// The aggregates about which all has been written.
    pub(super) written: BTreeSet<RowId>,
    /// What came back about organizations and customers.
    pub(super) standings: Standings,
}

/// What came back about organizations and customers, by type and handle.
pub(super) type Standings = BTreeMap<(ObjectType, String), Standing>;

/// An aggregate that a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InScope {
    pub(super) range: IpNet,
    /// The ranges inside that are asked for, if the run is about these only.
    pub(super) only: Option<BTreeSet<IpNet>>,
}

/// What a run leaves behind, where it differs from what is recorded.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Left {
    /// The looks with the ranges of their aggregates.
    pub(super) looks: Vec<(Look, Option<IpNet>)>,
    /// The answers of the config, if it was asked for them.
    pub(super) answers: Option<Vec<Answer>>,
    /// All aggregates of the config were looked at, or it is said of each why not.
    pub(super) all: bool,
}

impl Looking {
    /// Returns the answers that the syncs of a config have left behind.
    pub(super) fn answers_of(&self, config: RowId) -> &[Answer] {
        self.rows.as_ref().map(|rows| rows.answers_of(config)).unwrap_or_default()
    }

    /// Returns what has to be written for this to be recorded, by a config of this name.
    pub(super) fn writes(&self, left: &Left, (config, name): (RowId, &str)) -> LookWrites {
        let (Some(rows), mut writes) = (&self.rows, LookWrites::default()) else { return LookWrites::default() };
        for (look, range) in &left.looks {
            rows.record(look, range.map(|range| range.to_string()).as_deref(), &mut writes);
        }
        if let Some(answers) = &left.answers {
            rows.record_answers((config, name), answers, &mut writes);
        }
        writes
    }
}
