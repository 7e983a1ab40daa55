//! Where it is known from what is registered, and since when: what belongs to every list of findings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Look, LookSource, Looks, RowId};

/// The sources of what is known of the registrations of one config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// The aggregates whose nets are known from the public listing: all there are.
    pub listing: Known,
    /// The aggregates whose nets are known from questions about the ranges that NetBox has: others are not known.
    pub questions: Known,
    /// The number of aggregates whose last look was not complete.
    pub incomplete: usize,
    /// Why these looks were not complete.
    pub reasons: BTreeSet<String>,
    /// The number of ranges in the other aggregates whose own question was not answered.
    pub unanswered: usize,
}

/// Aggregates that are known from one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Their number.
    pub aggregates: usize,
    /// The oldest of their last complete looks; `None` if there are no such aggregates.
    pub as_of: Option<Timestamp>,
}

/// Returns the sources of each config that was ever synced.
#[must_use]
pub fn sources(looks: &Looks) -> BTreeMap<RowId, Sources> {
    let mut sources = BTreeMap::<RowId, Sources>::new();
    for look in &looks.aggregates {
        sources.entry(look.config).or_default().add(look);
    }
    sources
}

impl Sources {
    fn add(&mut self, look: &Look) {
        let (Some(at), None) = (look.complete, &look.failed) else {
            self.incomplete += 1;
            self.reasons.extend(look.failed.clone());
            return;
        };
        self.unanswered += look.unanswered.len();
        let known = match look.source {
            LookSource::Listing => &mut self.listing,
            LookSource::Questions => &mut self.questions,
        };
        known.aggregates += 1;
        known.as_of = Some(known.as_of.map_or(at, |oldest| oldest.min(at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(config: u64, source: LookSource, at: Option<&str>) -> Look {
        let complete = at.map(|at| at.parse().unwrap());
        Look {
            config: RowId(config),
            aggregate: RowId(1),
            complete,
            source,
            failed: None,
            unanswered: BTreeMap::new(),
            asked: BTreeMap::new(),
            listed: Vec::new(),
        }
    }

    #[test]
    fn each_source_is_as_old_as_its_oldest_complete_look() {
        let (early, late) = ("2026-11-26T05:00:00Z", "2026-11-27T05:00:00Z");
        let failed = Some("ARIN is away".to_owned());
        let unanswered = BTreeMap::from([("23.0.0.0/24".parse().unwrap(), "timed out".to_owned())]);
        let looks = vec![
            look(1, LookSource::Listing, Some(late)),
            look(1, LookSource::Listing, Some(early)),
            Look { unanswered, ..look(1, LookSource::Questions, Some(late)) },
            Look { failed, ..look(1, LookSource::Listing, Some(early)) },
            look(1, LookSource::Questions, None),
            look(2, LookSource::Questions, Some(early)),
        ];
        let sources = sources(&Looks { aggregates: looks, answers: Vec::new() });
        let known = |aggregates, at: &str| Known { aggregates, as_of: Some(at.parse().unwrap()) };
        let first = Sources {
            listing: known(2, early),
            questions: known(1, late),
            incomplete: 2,
            reasons: BTreeSet::from(["ARIN is away".to_owned()]),
            unanswered: 1,
        };
        let second = Sources { questions: known(1, early), ..Sources::default() };
        assert_eq!(sources, BTreeMap::from([(RowId(1), first), (RowId(2), second)]));
    }
}
