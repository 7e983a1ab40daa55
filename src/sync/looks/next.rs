//! Decides which look follows from what a run has seen of an aggregate.

use std::collections::BTreeSet;

use ipnet::IpNet;
use jiff::Timestamp;

use super::seen::{Seen, shortened};
use crate::{
    model::{Look, LookSource, RowId},
    netbox::looks::MOST_ENTRIES,
};

/// With more ranges than this that were not answered the aggregate was not looked at.
const MOST_UNANSWERED: usize = 1_000;

/// A run that looked at an aggregate.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) struct AtAggregate<'a> {
    pub(in crate::sync) config: RowId,
    pub(in crate::sync) aggregate: RowId,
    /// The range of the aggregate.
    pub(in crate::sync) range: IpNet,
    /// When it began.
    pub(in crate::sync) started: Timestamp,
    /// The look that holds so far.
    pub(in crate::sync) before: Option<&'a Look>,
    /// The time of the config moves on with the run, and with it that of each look that is as before.
    pub(in crate::sync) whole: bool,
}

impl AtAggregate<'_> {
    /// Returns the look after a run that asked for all of the aggregate; `None` if what is recorded says the same.
    pub(in crate::sync) fn looked(&self, mut seen: Seen) -> Option<Look> {
        if let Some(why) = seen.unanswered.get(&self.range) {
            return self.failed(why);
        }
        if let Some((range, why)) =
            seen.unanswered.first_key_value().filter(|_| seen.unanswered.len() > MOST_UNANSWERED)
        {
            let count = seen.unanswered.len();
            return self.failed(&format!("{count} questions were not answered; one of them, {range}: {why}"));
        }
        let Some(source) = seen.over else { return self.failed("not all questions about it were asked") };
        let too_many = seen.listed.len() > MOST_ENTRIES;
        let source = if too_many { LookSource::Questions } else { source };
        if source == LookSource::Questions {
            seen.listed.clear();
        }
        let look = Look {
            config: self.config,
            aggregate: self.aggregate,
            complete: Some(self.started),
            source,
            failed: None,
            unanswered: seen.unanswered,
            asked: [].into(),
            listed: seen.listed,
        };
        let same = self.before.is_some_and(|before| Look { complete: look.complete, ..before.clone() } == look);
        (!(self.whole && same)).then_some(look)
    }

    /// Returns the look after a run that could not ask for the aggregate; `None` if that is recorded.
    pub(in crate::sync) fn failed(&self, why: &str) -> Option<Look> {
        match self.before {
            Some(before) => failed(before, why),
            None => Some(Look {
                config: self.config,
                aggregate: self.aggregate,
                complete: None,
                source: LookSource::Questions,
                failed: Some(shortened(why)),
                unanswered: [].into(),
                asked: [].into(),
                listed: Vec::new(),
            }),
        }
    }

    /// Returns the look after a run that asked for these ranges only; `None` if it says the same as before, or there was
    /// none: what was never looked at as a whole stays unknown.
    pub(in crate::sync) fn asked(&self, ranges: &BTreeSet<IpNet>, seen: &Seen) -> Option<Look> {
        let before = self.before.filter(|before| before.complete.is_some())?;
        let mut look = before.clone();
        for range in ranges {
            let missed = seen.unanswered.get(range).or_else(|| seen.unanswered.get(&self.range));
            if let Some(why) = missed {
                look.asked.remove(range);
                look.unanswered.insert(*range, why.clone());
                continue;
            }
            look.unanswered.remove(range);
            if look.source == LookSource::Questions && look.asked.len() < MOST_ENTRIES {
                look.asked.entry(*range).or_insert(self.started);
            }
        }
        if look.unanswered.len() > MOST_UNANSWERED {
            return self.failed("too many of its ranges were not answered");
        }
        (look != *before).then_some(look)
    }
}

/// Returns a look that holds no longer; `None` if that is recorded.
pub(in crate::sync) fn failed(before: &Look, why: &str) -> Option<Look> {
    let failed = Some(shortened(why));
    (before.failed != failed).then(|| Look { failed, ..before.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ListedNet, NetBlock, NetHandle};

    fn range(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run(before: Option<&Look>) -> AtAggregate<'_> {
        let (config, aggregate) = (RowId(1), RowId(2));
        AtAggregate { config, aggregate, range: range("23.0.0.0/16"), started: at(500), before, whole: true }
    }

    fn seen(source: LookSource, unanswered: &[&str]) -> Seen {
        let unanswered = unanswered.iter().map(|text| (range(text), "no answer".to_owned())).collect();
        Seen { over: Some(source), unanswered, listed: Vec::new() }
    }

    fn complete(source: LookSource, unanswered: &[&str]) -> Look {
        let look = run(None).looked(seen(source, unanswered)).unwrap();
        Look { complete: Some(at(100)), ..look }
    }

    fn listed(handle: &str) -> ListedNet {
        ListedNet {
            handle: NetHandle::new(handle).unwrap(),
            name: handle.to_owned(),
            kind: None,
            blocks: vec![NetBlock::from(range("23.0.9.0/24"))],
            parent: None,
            holder: None,
            registration_date: None,
            updated: None,
        }
    }

    use LookSource::{Listing, Questions};

    #[test]
    fn a_first_look_is_complete_as_of_the_beginning_of_the_run() {
        let look = run(None).looked(seen(Listing, &["23.0.4.0/24"])).unwrap();
        assert_eq!((look.complete, look.failed, look.source), (Some(at(500)), None, Listing));
        assert_eq!(look.unanswered.into_iter().collect::<Vec<_>>(), [(range("23.0.4.0/24"), "no answer".to_owned())]);
    }

    #[test]
    fn a_look_that_brings_nothing_new_is_not_written_if_the_time_of_the_config_moves_on() {
        let before = complete(Listing, &["23.0.4.0/24"]);
        let same = || seen(Listing, &["23.0.4.0/24"]);
        assert_eq!(run(Some(&before)).looked(same()), None);
        let alone = AtAggregate { whole: false, ..run(Some(&before)) }.looked(same()).unwrap();
        assert_eq!(alone.complete, Some(at(500)));
    }

    #[test]
    fn whatever_is_new_is_written() {
        let before = complete(Listing, &[]);
        let with_net = Seen { listed: vec![listed("NET-1")], ..seen(Listing, &[]) };
        for other in [seen(Questions, &[]), seen(Listing, &["23.0.4.0/24"]), with_net] {
            let look = run(Some(&before)).looked(other.clone()).unwrap();
            assert_eq!(look.complete, Some(at(500)), "{other:?}");
        }
        let failed = Look { failed: Some("away".to_owned()), ..before.clone() };
        let asked = Look { asked: [(range("23.0.5.0/24"), at(200))].into(), ..before.clone() };
        for before in [failed, asked] {
            let look = run(Some(&before)).looked(seen(Listing, &[])).unwrap();
            assert_eq!((look.failed, look.asked.len(), look.complete), (None, 0, Some(at(500))));
        }
    }

    #[test]
    fn an_aggregate_whose_own_question_failed_keeps_the_time_at_which_it_was_complete() {
        let before = complete(Listing, &["23.0.4.0/24"]);
        let look = run(Some(&before)).looked(seen(Listing, &["23.0.0.0/16"])).unwrap();
        assert_eq!(look, Look { failed: Some("no answer".to_owned()), ..before.clone() });
        assert_eq!(run(Some(&look)).looked(seen(Listing, &["23.0.0.0/16"])), None, "that is recorded");
        assert_eq!(run(None).looked(seen(Listing, &["23.0.0.0/16"])).unwrap().complete, None);
        let unasked = Seen { over: None, ..seen(Listing, &[]) };
        assert!(run(Some(&before)).looked(unasked).unwrap().failed.is_some(), "nobody asked to the end");
    }

    #[test]
    fn an_aggregate_of_which_too_much_was_not_answered_was_not_looked_at() {
        let many: Vec<String> = (0..=MOST_UNANSWERED).map(|n| format!("23.0.{}.{}/32", n / 256, n % 256)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let failed = run(None).looked(seen(Questions, &many)).unwrap().failed;
        assert_eq!(failed.as_deref(), Some("1001 questions were not answered; one of them, 23.0.0.0/32: no answer"));
    }

    #[test]
    fn only_a_listing_that_can_be_kept_tells_of_nets_at_other_ranges() {
        let net = || vec![listed("NET-1")];
        let kept = |source, listed| {
            let look = run(None).looked(Seen { listed, ..seen(source, &[]) }).unwrap();
            (look.source, look.listed.len())
        };
        assert_eq!(kept(Listing, net()), (Listing, 1));
        assert_eq!(kept(Questions, net()), (Questions, 0));
        assert_eq!(kept(Listing, vec![listed("NET-1"); MOST_ENTRIES + 1]), (Questions, 0));
    }

    #[test]
    fn single_ranges_change_what_is_known_of_them_and_nothing_else() {
        let ranges: BTreeSet<IpNet> = [range("23.0.4.0/24"), range("23.0.5.0/24")].into();
        let asked = |before: Look, missed: &[&str]| {
            let look = run(Some(&before)).asked(&ranges, &seen(Questions, missed))?;
            assert_eq!((look.complete, &look.failed), (before.complete, &before.failed));
            let ranges =
                |of: &mut dyn Iterator<Item = &IpNet>| of.map(ToString::to_string).collect::<Vec<_>>().join(" ");
            Some(format!("{} | {}", ranges(&mut look.unanswered.keys()), ranges(&mut look.asked.keys())))
        };
        let told = |look: Option<String>| look.unwrap_or_else(|| "as before".to_owned());
        let by_question = complete(Questions, &["23.0.4.0/24"]);
        let known = Look { asked: ranges.iter().map(|range| (*range, at(200))).collect(), ..complete(Questions, &[]) };
        let away = Look { failed: Some("away".to_owned()), ..by_question.clone() };
        insta::assert_snapshot!([
            told(asked(by_question.clone(), &[])),
            told(asked(by_question.clone(), &["23.0.4.0/24"])),
            told(asked(by_question.clone(), &["23.0.0.0/16"])),
            told(asked(known.clone(), &[])),
            told(asked(known, &["23.0.5.0/24"])),
            told(asked(away, &[])),
            told(asked(complete(Listing, &["23.0.4.0/24"]), &[])),
            told(asked(complete(Listing, &[]), &[])),
        ].join("\n"), @r"
         | 23.0.4.0/24 23.0.5.0/24
        23.0.4.0/24 | 23.0.5.0/24
        23.0.4.0/24 23.0.5.0/24 | 
        as before
        23.0.5.0/24 | 23.0.4.0/24
         | 23.0.4.0/24 23.0.5.0/24
         | 
        as before
        ");
    }

    #[test]
    fn single_ranges_make_no_first_look() {
        let ranges: BTreeSet<IpNet> = [range("23.0.4.0/24")].into();
        assert_eq!(run(None).asked(&ranges, &seen(Questions, &[])), None);
        let never = run(None).failed("away").unwrap();
        assert_eq!(run(Some(&never)).asked(&ranges, &seen(Questions, &[])), None);
    }

    #[test]
    fn a_net_counts_where_it_lies_in_the_aggregate() {
        let missed = |prefixes: &[&str]| {
            let mut seen = Seen::default();
            let prefixes: Vec<IpNet> = prefixes.iter().map(|text| range(text)).collect();
            seen.miss_net(range("23.0.0.0/16"), &prefixes, "no answer");
            seen.unanswered.into_keys().map(|range| range.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(missed(&["23.0.4.0/24", "23.0.5.0/25", "23.1.0.0/24"]), ["23.0.4.0/24", "23.0.5.0/25"]);
        assert_eq!(missed(&["23.0.0.0/15"]), ["23.0.0.0/16"]);
    }
}
