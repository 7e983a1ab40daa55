//! One entry of a run's checkpoint.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    looks::Seen,
    outcome::{Applied, Counts, Deed, Failure, Skip},
};
use crate::model::{AggregateProgress, ObjectType, RowId, Standing};

/// Objects that something happened to, by type and handle.
pub type Objects = BTreeSet<(ObjectType, String)>;

/// The work of a run since the note before, and the parts of it that are finished. Notes add up by [`Note::add`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The config's organization and its contacts are finished.
    pub organization: bool,
    /// The plan came out as it was approved, so that it is being written.
    #[serde(default)]
    pub plan_approved: bool,
    /// The aggregates that are finished, each with the net that answers for it.
    pub aggregates: Vec<AggregateProgress>,
    /// What was seen of the aggregates that are finished.
    #[serde(default)]
    pub seen: BTreeMap<RowId, Seen>,
    /// What came back about organizations and customers, as far as the findings need it.
    #[serde(default)]
    pub standings: Vec<((ObjectType, String), Standing)>,
    /// Rows that were written.
    pub written: Objects,
    /// Rows that were as they should be.
    pub unchanged: Objects,
    /// Objects that failed in a way that does not pass by itself.
    pub failed: Objects,
    /// Objects that were passed over.
    pub skipped: Objects,
    /// Rows created, updated and retired.
    pub counts: BTreeMap<ObjectType, Counts>,
    /// Requests sent to ARIN.
    pub arin_requests: u64,
    /// Requests sent to ARIN's public listing.
    #[serde(default)]
    pub listing_requests: u64,
    /// Questions to ARIN that the listing spared.
    #[serde(default)]
    pub spared: u64,
    /// Requests sent to NetBox.
    pub netbox_requests: u64,
    /// The time that it took.
    pub took: Duration,
}

impl Note {
    /// Puts several notes together.
    #[must_use]
    pub fn sum(notes: &[Self]) -> Self {
        let mut sum = Self::default();
        notes.iter().cloned().for_each(|note| sum.add(note));
        sum
    }

    /// Adds what was done later.
    pub fn add(&mut self, later: Self) {
        self.organization |= later.organization;
        self.plan_approved |= later.plan_approved;
        self.aggregates.extend(later.aggregates);
        self.seen.extend(later.seen);
        self.standings.extend(later.standings);
        self.written.extend(later.written);
        self.unchanged.extend(later.unchanged);
        self.failed.extend(later.failed);
        self.skipped.extend(later.skipped);
        for (object, more) in later.counts {
            let counts = self.counts.entry(object).or_default();
            counts.created += more.created;
            counts.updated += more.updated;
            counts.retired += more.retired;
        }
        self.arin_requests += later.arin_requests;
        self.listing_requests += later.listing_requests;
        self.spared += later.spared;
        self.netbox_requests += later.netbox_requests;
        self.took = self.took.saturating_add(later.took);
    }

    /// Takes up a row that was written, or was not.
    pub(super) fn applied(&mut self, applied: &Applied) {
        let object = applied.counted();
        match &applied.result {
            Ok(_) => {
                let counts = self.counts.entry(applied.object).or_default();
                *match applied.deed {
                    Deed::Create => &mut counts.created,
                    Deed::Update(_) => &mut counts.updated,
                    Deed::Retire => &mut counts.retired,
                } += 1;
                self.written.insert(object);
            }
            Err(refused) if !refused.may_pass => drop(self.failed.insert(object)),
            // It is tried again by whoever takes the run over.
            Err(_) => {}
        }
    }

    /// Takes up something that could not be asked.
    pub(super) fn failure(&mut self, failure: &Failure) {
        if !failure.may_pass {
            self.failed.insert((failure.object, failure.handle.clone()));
        }
    }

    /// Takes up something that was passed over.
    pub(super) fn skip(&mut self, skip: &Skip) {
        self.skipped.insert((skip.object, skip.handle.clone()));
    }
}
