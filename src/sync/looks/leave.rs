//! Puts together at the end of a run what it leaves behind.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::{
    super::{lookup::Lookup, request::Request, result::Ended, run::Run},
    InScope, Left, Seen, Standings, answers, next,
};
use crate::model::{
    Answer, ListedNet, Look, LookSource, Net, NetBlock, NetHandle, NetType, ObjectType, Row, RowId, Scope,
};

/// The reason of a look that was interrupted.
const INTERRUPTED: &str = "the sync was interrupted";
/// The reason of a look at what the config does not ask for any more.
const ELSEWHERE: &str = "it is no aggregate of the config's RIR any more";

/// The prefixes of a net that is not known, and why.
pub(in crate::sync) type MissedNet = (Vec<IpNet>, String);

impl Run<'_, '_> {
    /// Puts together what the run leaves behind. One that wrote nothing, as a plan was not what was approved, leaves
    /// everything as it was.
    pub(in crate::sync) fn leave_looks(&mut self, request: &Request<'_>, lookup: &Lookup, ended: Option<&Ended>) {
        let why = match ended {
            Some(Ended::PlanDiffers { .. }) => {
                self.report.left = Some(Left::default());
                return;
            }
            Some(Ended::Failed { why, .. }) => Some(why.as_str()),
            Some(Ended::Interrupted) => Some(INTERRUPTED),
            Some(Ended::Refused(_)) | None => None,
        };
        let mut seen = self.all_seen(lookup, why);
        let (targets, mut looks) = (&self.report.looking.targets, Vec::new());
        for (aggregate, target) in targets {
            let look = self.next(request, (*aggregate, target), seen.remove(aggregate).unwrap_or_default());
            looks.extend(look.map(|look| (look, Some(target.range))));
        }
        let all = request.scope == Scope::Config;
        if all {
            let rows = self.report.looking.rows.iter().flat_map(|rows| rows.looks.values());
            let elsewhere = rows
                .map(|row| &row.look)
                .filter(|look| look.config == self.report.run.config_id && !targets.contains_key(&look.aggregate));
            looks.extend(elsewhere.filter_map(|look| Some((next::failed(look, ELSEWHERE)?, None))));
        }
        let answers = request.is_whole().then(|| self.answers(request, why.is_none()));
        self.report.left = Some(Left { looks, answers, all });
    }

    fn next(&self, request: &Request<'_>, (aggregate, target): (RowId, &InScope), seen: Seen) -> Option<Look> {
        let config = request.config.id;
        let row = self.report.looking.rows.as_ref()?.row(config, aggregate);
        let run = next::AtAggregate {
            config,
            aggregate,
            range: target.range,
            started: self.report.run.started,
            before: row.map(|row| &row.look),
            // One whose aggregate got another range is written anew.
            whole: request.scope == Scope::Config && row.is_none_or(|row| row.subject == target.range.to_string()),
        };
        match &target.only {
            Some(ranges) => run.asked(ranges, &seen),
            None => run.looked(seen),
        }
    }

    /// Returns what was seen of all aggregates. With a reason the run has ended early, and what was not written until then
    /// is not known.
    fn all_seen(&self, lookup: &Lookup, why: Option<&str>) -> BTreeMap<RowId, Seen> {
        let (looking, missed) = (&self.report.looking, self.missed());
        let mut all = self.report.run.before.seen.clone();
        for (aggregate, InScope { range, .. }) in &looking.targets {
            if let Some(mut seen) = self.seen((*aggregate, *range), &missed) {
                let doubt = lookup.doubt(*range).filter(|_| seen.over == Some(LookSource::Listing));
                if let Some(doubt) = doubt {
                    seen.miss(*range, &doubt);
                }
                if let Some(why) = why.filter(|_| !looking.written.contains(aggregate)) {
                    seen.miss(*range, why);
                }
                all.insert(*aggregate, seen);
            } else if let Some(why) = why.filter(|_| !all.contains_key(aggregate)) {
                all.entry(*aggregate).or_default().miss(*range, why);
            }
        }
        for (prefixes, why) in self.not_recorded().chain(why.into_iter().flat_map(|why| self.not_asked(why))) {
            for (aggregate, InScope { range, .. }) in &looking.targets {
                if let Some(seen) = all.get_mut(aggregate) {
                    seen.miss_net(*range, &prefixes, &why);
                }
            }
        }
        all
    }

    /// Returns what was seen of an aggregate with this range in this run, with what the listing has in it and with the nets
    /// inside that were `missed`.
    pub(in crate::sync) fn seen(&self, (aggregate, range): (RowId, IpNet), missed: &[MissedNet]) -> Option<Seen> {
        let mut seen = self.report.looking.seen.get(&aggregate)?.clone();
        if seen.over == Some(LookSource::Listing) {
            seen.listed = self.only_listed(range);
        }
        for (prefixes, why) in missed {
            seen.miss_net(range, prefixes, why);
        }
        Some(seen)
    }

    /// Returns the nets that the public listing has in a range or around it, and that are not recorded. What a registry
    /// holds itself is registered for nobody.
    fn only_listed(&self, range: IpNet) -> Vec<ListedNet> {
        let whole = NetBlock::from(range);
        let near = |net: &&ListedNet| net.range().is_some_and(|block| block.overlaps(&whole));
        let nobody = |net: &ListedNet| net.kind.as_ref().and_then(NetType::registry).is_some();
        let nets = self.registered.listed.values().filter(near).filter(|net| !nobody(net));
        let nets = nets.filter(|net| !self.is_recorded(&net.handle));
        nets.map(|net| ListedNet { updated: None, ..net.clone() }).collect()
    }

    fn is_recorded(&self, handle: &NetHandle) -> bool {
        let key = self.rules.instance.key(handle);
        self.recorded.row(ObjectType::Network, &key).is_some_and(Row::is_registered)
    }

    /// Returns the nets that could not be asked for by handle, and those that NetBox did not take.
    pub(in crate::sync) fn missed(&self) -> Vec<MissedNet> {
        let failures = self.report.run.all_failures().into_iter();
        let nets = failures.filter(|failure| failure.object == ObjectType::Network);
        let missed = nets.filter_map(|it| Some((self.prefixes_of(&NetHandle::new(&it.handle)?), it.message)));
        missed.filter(|(prefixes, _)| !prefixes.is_empty()).collect()
    }

    /// Returns the nets that the registry does not have any more, and that are recorded all the same.
    fn not_recorded(&self) -> impl Iterator<Item = MissedNet> {
        let gone = self.registered.gone.iter().filter(|(object, _)| *object == ObjectType::Network);
        let rows = gone.filter_map(|(object, key)| self.recorded.row(*object, key)).filter(|row| row.is_registered());
        rows.map(|row| {
            let handle = row.text("handle").unwrap_or_default();
            let why = format!("ARIN does not have {handle} any more, which could not be recorded yet");
            (row.prefixes().collect(), why)
        })
    }

    /// Returns the recorded nets that have not come up until the run ended early.
    fn not_asked(&self, why: &str) -> impl Iterator<Item = MissedNet> {
        let before = &self.report.run.before;
        let rows = self.recorded.registered(ObjectType::Network, self.rules.config, &self.rules.instance);
        let unseen = rows.filter(|(handle, _)| {
            let name = (ObjectType::Network, handle.clone().into_owned());
            let came_up = NetHandle::new(handle).is_some_and(|handle| self.registered.nets.contains_key(&handle));
            !came_up && !before.written.contains(&name) && !before.unchanged.contains(&name)
        });
        unseen.map(move |(_, row)| (row.prefixes().collect(), why.to_owned()))
    }

    /// Returns the prefixes of a net as it was learnt, as it is listed and as it is recorded.
    fn prefixes_of(&self, handle: &NetHandle) -> Vec<IpNet> {
        let mut prefixes = self.registered.nets.get(handle).map(Net::prefixes).unwrap_or_default();
        let listed = self.registered.listed.get(handle);
        prefixes.extend(listed.iter().flat_map(|net| net.blocks.iter().flat_map(NetBlock::prefixes)));
        let row = self.recorded.row(ObjectType::Network, &self.rules.instance.key(handle));
        prefixes.extend(row.into_iter().flat_map(Row::prefixes));
        prefixes
    }

    fn answers(&self, request: &Request<'_>, complete: bool) -> Vec<Answer> {
        let (config, looking) = (request.config, &self.report.looking);
        let mut standings: Standings = self.report.run.before.standings.iter().cloned().collect();
        standings.extend(looking.standings.iter().map(|(name, standing)| (name.clone(), standing.clone())));
        let heard = answers::Heard {
            started: self.report.run.started,
            complete,
            registered: &self.registered,
            standings: &standings,
        };
        let (org, instance) = (config.org_handle.as_ref(), &self.rules.instance);
        let ours = answers::OurRows { config: config.id, org, instance, has: &self.recorded };
        ours.answers(looking.answers_of(config.id), &heard)
    }
}
