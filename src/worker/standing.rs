//! Asks for what somebody's change has made due inside networks with "Auto reassign", and approves it beforehand.
//!
//! A prefix that somebody adds or changes is synced, and judged. If it should be registered then, lacks nothing, and lies in
//! such a network, the request is made and approved in that person's name, and with their key. Whatever speaks against it leaves
//! a request that waits for somebody, or none.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
};

use ipnet::IpNet;
use jiff::Timestamp;
use tracing::{info, warn};

use super::task::Task;
use crate::{
    error_chain::error_chain,
    findings::kind::Kind,
    model::{Config, NetBlock, RowId},
    netbox::{
        FindingFilter,
        findings::{FindingRow, Linked, OPEN},
    },
    queue::{Delay, Job, Order, Trigger, Work},
    requests::{self, ChangeRequest, Decisions, OrderSubject, Preparing, State, draft::Fields, draft::Place},
};

/// Registers what may be registered without anybody's approval after a job has synced and judged what somebody changed.
/// Returns the order to send it, if there is something to send.
pub(super) async fn register(task: &Task, (config, configs): (&Config, &[Config])) -> Option<Order> {
    let (person, prefixes) = changed(&task.claim.job)?;
    let standing = Standing { task, config, configs, person };
    if !standing.is_possible() {
        return None;
    }
    let approved = standing.register(prefixes).await;
    let approved = approved.unwrap_or_else(|error| {
        warn!(person, error = %error_chain(&*error), "could not look for what is to be registered beforehand");
        0
    });
    let job = Job::new(Work::Requests { config: config.id }, Trigger::Job);
    (approved > 0).then_some(Order { job, delay: Delay::None })
}

/// Returns who has changed which prefixes, if that is what a job came from.
fn changed(job: &Job) -> Option<(&str, &BTreeSet<RowId>)> {
    let Work::SyncPrefix { prefixes, .. } = &job.work else { return None };
    match job.trigger {
        Trigger::Webhook | Trigger::Sweep => Some((job.user.as_deref()?, prefixes)),
        Trigger::Schedule | Trigger::Api | Trigger::Job => None,
    }
}

/// Somebody's changes that may be registered without anybody's approval.
struct Standing<'a> {
    task: &'a Task,
    config: &'a Config,
    configs: &'a [Config],
    person: &'a str,
}

impl Standing<'_> {
    /// Returns whether the settings and the keys allow it at all.
    fn is_possible(&self) -> bool {
        let (settings, keys) = (&self.task.ctx.settings.requests, &self.task.ctx.keys);
        let has_key = keys.of(&self.config.name).any(|key| key.user == self.person);
        if settings.enabled && settings.auto_per_day > 0 && !has_key {
            let (person, config) = (&self.person, &self.config);
            info!(config = %config.name, "nothing is registered beforehand: {person} has no API key");
        }
        settings.enabled && settings.auto_per_day > 0 && has_key
    }

    /// Returns how many requests were approved.
    async fn register(&self, prefixes: &BTreeSet<RowId>) -> Result<u32, Box<dyn Error>> {
        let netbox = &self.task.ctx.netbox;
        let inside = netbox.auto_reassigned(self.config.id).await?;
        if inside.is_empty() {
            return Ok(0);
        }
        let filter = FindingFilter { config: Some(self.config.id), state: Some(OPEN.to_owned()) };
        let due = due(&netbox.finding_rows(&filter).await?, prefixes, &inside);
        let left = self.decisions().standing_left(self.config.id).await?;
        let now = usize::try_from(left).unwrap_or(usize::MAX);
        if due.len() > now {
            info!(left_out = due.len() - now, "requests.auto_per_day allows no more today; they wait for somebody");
        }
        let mut approved = 0;
        for prefix in due.into_iter().take(now) {
            if self.task.ctx.stop.is_cancelled() {
                break;
            }
            match self.register_one(prefix).await {
                Ok(true) => approved += 1,
                Ok(false) => {}
                Err(error) => {
                    warn!(prefix = prefix.0, error = %error_chain(&*error), "could not register a prefix beforehand");
                }
            }
        }
        Ok(approved)
    }

    /// Asks for a prefix to be registered, and approves that. Returns whether it is approved.
    async fn register_one(&self, prefix: RowId) -> Result<bool, Box<dyn Error>> {
        let ctx = &self.task.ctx;
        let preparing = Preparing { netbox: &ctx.netbox, arin: &ctx.arin, keys: &ctx.keys, settings: &ctx.settings };
        let order = requests::Order {
            user: self.person.to_owned(),
            subject: OrderSubject::Prefix(Place::Row(prefix)),
            chosen: None,
            org: None,
            set: Fields::default(),
            keep: false,
        };
        let mut prepared = preparing.prepare((self.config, self.configs), &order).await?.requests;
        for request in prepared.extract_if(.., |request| request.state() != State::Waiting) {
            let why = match &request.drafted {
                Ok(_) => request.message().unwrap_or_default(),
                Err(why) => why.to_string(),
            };
            info!(prefix = prefix.0, why, "a prefix is not registered beforehand");
        }
        // What lacks something is not kept: nothing would come of it, and its place would be taken.
        preparing.keep(self.config, &order, &mut prepared).await?;
        let mut approved = false;
        for opened in prepared.into_iter().filter_map(|request| request.opened) {
            approved |= self.approve(opened?).await?;
        }
        Ok(approved)
    }

    async fn approve(&self, id: RowId) -> Result<bool, Box<dyn Error>> {
        let Some(row) = self.task.ctx.netbox.request_row(id).await? else { return Ok(false) };
        let request = ChangeRequest::try_from(row)?;
        match self.decisions().approve_standing(&request, self.configs, Some(self.person)).await {
            Ok(_) => {
                info!(request = id.0, person = self.person, "a change request is approved beforehand");
                Ok(true)
            }
            Err(why) => {
                info!(request = id.0, why = %error_chain(&why), "a change request waits for somebody to approve it");
                Ok(false)
            }
        }
    }

    fn decisions(&self) -> Decisions<'_> {
        let ctx = &self.task.ctx;
        Decisions {
            netbox: &ctx.netbox,
            arin: &ctx.arin,
            keys: &ctx.keys,
            settings: &ctx.settings.requests,
            now: Timestamp::now(),
        }
    }
}

/// Returns which prefixes should be registered, lack nothing that is known of, and are inside one of these ranges.
fn due(findings: &[FindingRow], changed: &BTreeSet<RowId>, inside: &[NetBlock]) -> Vec<RowId> {
    let mut kinds: BTreeMap<RowId, BTreeSet<Kind>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| !finding.ignore) {
        let range = finding.links.name(Linked::Prefix).and_then(|prefix| prefix.parse::<IpNet>().ok());
        let prefix = finding.links.row(Linked::Prefix).filter(|prefix| changed.contains(prefix));
        let (Some(prefix), Some(range), Some(kind)) = (prefix, range, Kind::from_name(&finding.kind)) else { continue };
        if inside.iter().any(|net| net.covers(&range.trunc().into())) {
            kinds.entry(prefix).or_default().insert(kind);
        }
    }
    // A pending one has a request already.
    let is_due = |kinds: &BTreeSet<Kind>| {
        let unregistered = |kind: &Kind| kind.family() == Kind::Unregistered && *kind != Kind::Pending;
        kinds.iter().any(unregistered) && !kinds.contains(&Kind::NeedsData)
    };
    kinds.into_iter().filter(|(_, kinds)| is_due(kinds)).map(|(prefix, _)| prefix).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{model::Key, netbox::findings::LinkedObjects};

    fn found(row: u64, prefix: &str, kind: Kind) -> FindingRow {
        FindingRow {
            id: RowId(row * 10),
            key: Key::recorded(format!("finding:{row}")),
            subject: prefix.to_owned(),
            kind: Cow::Borrowed(kind.name()),
            level: Cow::Borrowed("notice"),
            state: Cow::Borrowed(OPEN),
            message: String::new(),
            due: None,
            since: None,
            since_at_least: false,
            config: Some(RowId(1)),
            ignore: false,
            note: String::new(),
            links: LinkedObjects::of([(Linked::Prefix, Some(RowId(row)), Some(prefix))]),
        }
    }

    fn of(findings: &[FindingRow]) -> Vec<RowId> {
        let changed = (1..=9).map(RowId).collect();
        due(findings, &changed, &["192.0.2.0/24".parse::<IpNet>().unwrap().into()])
    }

    #[test]
    fn what_is_due_is_changed_unregistered_complete_and_inside() {
        let inside = "192.0.2.0/26";
        for kind in [Kind::Unregistered, Kind::Overdue, Kind::Voluntary] {
            assert_eq!(of(&[found(1, inside, kind)]), [RowId(1)], "{kind}");
        }
        for kind in [Kind::Pending, Kind::NeedsData, Kind::CustomerName, Kind::WrongKind, Kind::Split] {
            assert_eq!(of(&[found(1, inside, kind)]), [], "{kind}");
        }
        assert_eq!(of(&[found(1, inside, Kind::Unregistered), found(1, inside, Kind::NeedsData)]), []);
        assert_eq!(of(&[found(10, inside, Kind::Unregistered)]), [], "somebody else's change");
        assert_eq!(of(&[found(1, "192.0.0.0/22", Kind::Unregistered)]), [], "not inside");
        assert_eq!(of(&[FindingRow { ignore: true, ..found(1, inside, Kind::Unregistered) }]), []);
        let both = [found(2, inside, Kind::Unregistered), found(1, "192.0.2.64/26", Kind::Overdue)];
        assert_eq!(of(&both), [RowId(1), RowId(2)], "each once");
    }

    #[test]
    fn only_what_somebody_changed_is_registered_beforehand() {
        let prefixes: BTreeSet<RowId> = [RowId(1)].into();
        let job = |trigger| Job::new(Work::SyncPrefix { config: Some(RowId(1)), prefixes: prefixes.clone() }, trigger);
        for trigger in [Trigger::Webhook, Trigger::Sweep] {
            assert_eq!(changed(&job(trigger).by("ann")), Some(("ann", &prefixes)), "{trigger:?}");
            assert_eq!(changed(&job(trigger)), None, "{trigger:?}");
        }
        for trigger in [Trigger::Schedule, Trigger::Api, Trigger::Job] {
            assert_eq!(changed(&job(trigger).by("ann")), None, "{trigger:?}");
        }
        let whole = Job::new(Work::SyncAggregate { config: None, aggregate: RowId(1) }, Trigger::Webhook).by("ann");
        assert_eq!(changed(&whole), None);
    }
}
