//! Judges the address plan by what is registered: pure, the same answer to the same question in whatever order it is put.

mod assignments;
mod ground;
mod holders;
mod nets;
mod parties;
mod prefixes;
mod sheet;
mod since;
mod spaces;
mod subjects;
mod unclaimed;
mod undecided;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use self::{
    assignments::{Assignment, Assignments, InnerNet},
    nets::written,
    wanted::WantedAddress,
};
use self::{
    ground::Ground,
    holders::with_others_inside,
    sheet::Sheet,
    subjects::{Must, Registered, Spot, subjects},
    undecided::undecided,
};
use super::{address_plan::AddressPlan, finding::Finding, registrations::Registrations};
use crate::{
    config,
    model::{Instance, Key, RowId},
};

/// What came of judging, beside the findings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// The recorded findings that nothing can be said of now, as what they are about is not known: they stay as they are.
    pub undecided: BTreeSet<Key>,
    /// The prefixes whose histories decide something, and are not in the address plan.
    pub wanted_histories: BTreeSet<RowId>,
    /// True if the deletions of prefixes decide something, and are not in the address plan.
    pub wants_deletions: bool,
    /// Figures for metrics, by config.
    pub figures: BTreeMap<RowId, Figures>,
}

/// How much was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Figures {
    /// Prefixes that are judged at all.
    pub subjects: u64,
    /// Prefixes that are assigned to a customer.
    pub assigned: u64,
    /// Of these, those that have to be registered.
    pub must: u64,
    /// Of the assigned ones, those that are registered.
    pub registered: u64,
    /// Subjects of which it is not known whether they are registered.
    pub unknown: u64,
    /// The oldest of the last complete looks at the aggregates; `None` if one was never looked at.
    pub last_complete_look: Option<Timestamp>,
}

/// Finds where the address plan and the registrations differ, for all configs. `found` takes the findings one by one, in no
/// particular order: there may be as many as prefixes, and not each has to be kept.
pub fn judge(
    (plan, registrations): (&AddressPlan, &Registrations),
    policy: &config::Findings,
    now: Timestamp,
    found: &mut dyn FnMut(Finding),
) -> Judgement {
    let instances: BTreeSet<&Instance> = plan.configs.iter().map(|config| &config.instance).collect();
    let mut judgement = Judgement::default();
    for instance in instances {
        let ground = Ground::new((plan, registrations), policy, now, instance);
        let spots = subjects(&ground);
        let others_inside = with_others_inside(&ground, &spots);
        let mut sheet = Sheet::new(&ground, &spots, found);
        sheet.prefixes(&spots, &others_inside.keys().copied().collect());
        sheet.holders(&spots, &others_inside);
        sheet.unclaimed();
        sheet.left_behind(&spots);
        sheet.aggregates();
        sheet.organizations(&spots);
        sheet.not_known(&spots);
        let tickets = sheet.requests(&spots);
        judgement.wanted_histories.extend(sheet.wanted_histories);
        judgement.wants_deletions |= sheet.wants_deletions;
        judgement.undecided.extend(undecided(&ground, &spots, &tickets));
        judgement.figures.extend(figures(&ground, &spots));
    }
    judgement
}

fn figures(ground: &Ground<'_>, spots: &[Spot<'_>]) -> BTreeMap<RowId, Figures> {
    let mut all: BTreeMap<RowId, Figures> =
        ground.configs.iter().map(|config| (config.id, Figures::default())).collect();
    for (config, figures) in &mut all {
        let aggregates = ground.aggregates.iter().filter(|it| it.config.id == *config);
        // None is less than any time.
        let looks = aggregates.map(|aggregate| aggregate.look.and_then(|look| look.complete));
        figures.last_complete_look = looks.min().flatten();
    }
    for spot in spots.iter().filter(|spot| !spot.left_alone) {
        let Some(aggregate) = ground.aggregates.get(spot.aggregate) else { continue };
        let Some(figures) = all.get_mut(&aggregate.config.id) else { continue };
        figures.subjects += 1;
        figures.unknown += u64::from(spot.unknown.is_some());
        if spot.tenant().is_some() {
            figures.assigned += 1;
            figures.must += u64::from(spot.must != Must::No);
            let is_registered = spot.unknown.is_none() && matches!(spot.registration, Registered::Own(_));
            figures.registered += u64::from(is_registered);
        }
    }
    all
}

#[cfg(test)]
mod tests;
