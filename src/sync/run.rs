//! A run under way: what NetBox has, and what was learnt from the registry.

use std::{collections::BTreeSet, mem, ops::ControlFlow, time::Duration};

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use tracing::warn;

use super::{
    approved::Approved,
    checkpoint::Checkpoint,
    looks::{
        InScope,
        answers::{self, recipient},
    },
    lookup::{Answered, Finding, Gone, Lookup, Ours, Recall, Recorded, Refresh, Worklist, recorded},
    note::Note,
    outcome::Skip,
    plan::{Learnt, Limits, Plan, Refused, Rules, misfits, plan, plan_round},
    progress::Phase,
    report::{Asking, Report, change_message},
    request::{Context, Request, Requester},
    result::Ended,
};
use crate::{
    config::keys::{ApiKey, NoKey},
    error_chain::error_chain,
    model::{
        AggregateProgress, AggregateState, Config, Inventory, NetBlock, ObjectType, OrgHandle, Recipient, Registration,
        Resource, RowId, Scope, Standing,
    },
    netbox::{self, looks::LookRows},
    retry::Retry,
    shell_word::shell_word,
};

/// The time within which rows that are marked as not found are counted together.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// A run under way.
pub(super) struct Run<'a, 'c> {
    pub(super) ctx: &'c Context,
    pub(super) report: &'a mut Report<'c>,
    /// NetBox's side, kept in step with what is written.
    pub(super) recorded: Inventory,
    pub(super) registered: Registration,
    pub(super) rules: Rules,
    limits: Limits,
    pub(super) stamp: Stamp,
    /// The parts that are finished as soon as the round at hand is written.
    finished: Finished,
}

/// The values that are written with every row.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    pub(super) now: Timestamp,
    pub(super) user: String,
    /// A line for NetBox's change log.
    pub(super) message: String,
}

#[derive(Default)]
struct Finished {
    organization: bool,
    aggregates: Vec<AggregateProgress>,
    /// Aggregates about which all was asked, whether it was answered or not.
    over: Vec<RowId>,
}

impl<'a, 'c> Run<'a, 'c> {
    /// Reads NetBox, chooses the API key and begins to ask. What is recorded is read while the first questions are under
    /// way, unless the choice of the key depends on it.
    pub(super) async fn begin(request: &Request<'_>, report: &'a mut Report<'c>) -> Result<(Self, Lookup), Ended> {
        let (ctx, config) = (report.ctx, request.config);
        ctx.progress.update(|at| at.phase = Phase::Inventory);
        let rir = config.rir.ok_or_else(|| Ended::failed("the config names no RIR; set one in NetBox"))?;
        let one_key = ctx.keys.of(&config.name).count() < 2;
        let first_rows = async { if one_key { Ok(None) } else { ctx.netbox.recorded().await.map(Some) } };
        let read = tokio::try_join!(
            ctx.netbox.aggregates_and_prefixes(rir, &request.scope),
            first_rows,
            look_rows(ctx, request),
        );
        let ((aggregates, prefixes), rows, looks) = read.map_err(|error| Ended::of(&error, error.retry()))?;
        match looks {
            LooksBefore::Unused => {}
            LooksBefore::Read(rows) => report.looking.rows = Some(rows),
            LooksBefore::Unreadable(why) => report.remark(&why),
        }
        let configs = request.configs.to_vec();
        let mut has = Inventory { configs, aggregates, prefixes, rows: rows.unwrap_or_default() };
        let key = choose_key(report, request, &has).map_err(|error| Ended::of(&error, Retry::Never))?;
        let arin = ctx.arin.client(&config.api_url, key.secret.clone());
        let arin = arin.map_err(|error| Ended::of(&error, error.retry()))?;
        let listing = ctx.arin.listing(&config.api_url).filter(|_| !request.full);
        let worklist = worklist(report, request, &has);
        let mut lookup = Lookup::begin(ctx, (&arin, listing.clone()), worklist, answered(report));
        report.asking = Some(Asking { arin: arin.clone(), listing, spared: lookup.spared() });
        if one_key {
            has.rows = ctx.netbox.recorded().await.map_err(|error| Ended::of(&error, error.retry()))?;
        }
        let ours = Ours { config: config.id, instance: arin.instance(), has: &has };
        let mut recorded = recorded(&request.scope, &request.resources, &ours);
        let mut suspects = BTreeSet::new();
        if request.is_whole() {
            let (org, before) = (config.org_handle.as_ref(), report.looking.answers_of(config.id));
            let ours = answers::OurRows { config: config.id, org, instance: arin.instance(), has: &has };
            suspects = ours.suspects(before);
            recorded.extend(ours.lost_orgs());
        }
        let refresh = Refresh {
            since: config.refreshed,
            now: report.run.started,
            period: SignedDuration::try_from(ctx.settings.arin.refresh).unwrap_or(SignedDuration::MAX),
        };
        let recall = || Recall::new(&has, arin.instance(), config.id, refresh).suspecting(suspects);
        lookup.then_ask_for(recorded, recall);
        let instance_of = |other: &Config| ctx.arin.instance(&other.api_url);
        let (settings, now) = (&ctx.settings.sync, Timestamp::now());
        let run = Self {
            rules: Rules {
                link: settings.auto_link_networks,
                ..Rules::new(config, request.configs, arin.instance(), instance_of)
            },
            limits: Limits {
                max_retired_share: settings.max_retired_share,
                since: now.saturating_sub(A_DAY).unwrap_or(Timestamp::MIN),
            },
            stamp: Stamp { now, user: key.user, message: change_message(&report.run.id) },
            registered: registered_before(report),
            recorded: has,
            finished: Finished::default(),
            ctx,
            report,
        };
        Ok((run, lookup))
    }

    /// Looks up and plans everything before any of it is written. Returns the plan with what may be written, and whether
    /// that is all of it.
    async fn planned(
        &mut self,
        request: &Request<'_>,
        lookup: &mut Lookup,
    ) -> Result<(Plan, Result<(), Ended>), Ended> {
        while let Some(round) = lookup.next_round().await? {
            let learnt = self.learn(round);
            if request.approved.is_none() {
                // Nobody writes the documents of a preview; their digests tell them apart.
                self.drop_documents(&learnt);
            }
        }
        Ok(self.plan_all(mem::take(&mut lookup.gone)))
    }

    /// Takes up what was learnt in one round.
    pub(super) fn learn(&mut self, round: Vec<Finding>) -> Learnt {
        let (mut learnt, registered) = (Learnt::default(), &mut self.registered);
        for finding in round {
            match finding {
                Finding::Org(org) => {
                    learnt.orgs.insert(org.handle.clone());
                    let name = (ObjectType::Organization, org.handle.to_string());
                    self.report.stands(name, Standing::Found(recipient(&org)));
                    registered.orgs.insert(org.handle.clone(), org);
                }
                Finding::Functions(functions) => registered.functions = Some(functions),
                Finding::Poc(poc) => {
                    learnt.pocs.insert(poc.handle.clone());
                    registered.pocs.insert(poc.handle.clone(), poc);
                }
                Finding::Net(net) => {
                    learnt.nets.insert(net.handle.clone());
                    registered.add_net(net);
                }
                Finding::Customer(customer) => {
                    learnt.customers.insert(customer.handle.clone());
                    let name = (ObjectType::Customer, customer.handle.to_string());
                    self.report.looking.standings.insert(name, Standing::Found(Recipient::default()));
                    registered.customers.insert(customer.handle.clone(), customer);
                }
                Finding::AsRecorded(object, key) => {
                    learnt.as_recorded.insert((object, key.clone()));
                    registered.as_recorded.insert((object, key));
                }
                Finding::Listed(nets) => {
                    registered.listed.extend(nets.into_iter().map(|net| (net.handle.clone(), net)));
                }
                Finding::InFull(in_full) => {
                    let frame = NetBlock::from(in_full.aggregate);
                    registered.listed.retain(|_, net| !net.range().is_some_and(|range| frame.covers(&range)));
                    warn!(aggregate = %in_full.aggregate, "asking in full: {}", in_full.why);
                    self.report.run.in_full.push(in_full);
                }
                Finding::Answer(aggregate, net) => {
                    // A net that is known already may have one more aggregate to link.
                    learnt.nets.extend(net.clone());
                    registered.aggregates.insert(aggregate, net);
                }
                Finding::Unseen(name, why) => self.report.stands(name, why),
                Finding::Unanswered(aggregate, range, why) => {
                    self.report.looking.seen.entry(aggregate).or_default().miss(range, &why);
                }
                Finding::LookAgain(aggregate) => drop(self.report.looking.seen.remove(&aggregate)),
                Finding::LookOver(aggregate, source) => {
                    self.report.looking.seen.entry(aggregate).or_default().over = Some(source);
                    self.finished.over.push(aggregate);
                }
                Finding::Failed(failure) => self.report.run.failures.push(failure),
                Finding::Skipped(skip) => self.report.run.skips.push(skip),
                Finding::OrganizationDone => self.finished.organization = true,
                Finding::AggregateDone(line) => self.finished.aggregates.push(line),
            }
        }
        learnt
    }

    /// Plans what was learnt in one round.
    pub(super) fn plan_round(&mut self, learnt: &Learnt) -> Plan {
        let mut plan = plan_round(learnt, &self.registered, &self.recorded, &self.rules);
        self.report.unchanged(mem::take(&mut plan.unchanged));
        plan
    }

    /// Plans everything at the end, when it is known what is gone. Marks no more as not found than is allowed, and returns
    /// an error where that would have been too much.
    pub(super) fn plan_all(&mut self, gone: Gone) -> (Plan, Result<(), Ended>) {
        self.registered.gone = gone;
        let misfits = misfits(&self.registered, &self.recorded, &self.rules).into_iter();
        self.report.run.skips.extend(misfits.map(|(net, why)| Skip::new(ObjectType::Network, net, why)));
        let mut plan = plan(&self.registered, &self.recorded, &self.rules);
        self.report.unchanged(mem::take(&mut plan.unchanged));
        match self.limits.allow(plan, &self.recorded, &self.rules) {
            Ok(plan) => (plan, Ok(())),
            Err(refused) => {
                let why = why(&refused, &self.report.run.config);
                (refused.rest, Err(Ended::Refused(why)))
            }
        }
    }

    /// Sees to it that only what was approved is written, or the rest of it by whoever takes over a run that has begun to
    /// write. What could not be asked for may be why the plan differs: the run is tried again then, if that may help.
    ///
    /// # Errors
    /// When nothing may be written.
    async fn begin_writing(
        &mut self,
        request: &Request<'_>,
        approved: &Approved,
        (plan, checkpoint): (&Plan, &impl Checkpoint),
    ) -> Result<(), Ended> {
        let begun = self.report.run.before.plan_approved;
        if let Some(difference) = approved.difference(plan, plan.digest(request.subject()), begun) {
            return Err(match self.report.run.may_pass() {
                Some(failures) => {
                    let why = format!("what would be written could not be compared with the plan: {failures}");
                    Ended::Failed { why, may_pass: true }
                }
                None => Ended::plan_differs(difference),
            });
        }
        if begun {
            return Ok(());
        }
        let note = Note { plan_approved: true, ..self.report.take_note(false, Vec::new()) };
        match checkpoint.append(&note).await {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Ended::Interrupted),
        }
    }

    /// Forgets the documents of what was learnt, which nobody writes or which have been written.
    pub(super) fn drop_documents(&mut self, learnt: &Learnt) {
        learnt.drop_documents(&mut self.registered);
    }

    /// Notes what is finished now that the round has been written, and forgets what nobody needs any more.
    pub(super) async fn append_to(&mut self, checkpoint: &impl Checkpoint, learnt: &Learnt) -> Result<(), Ended> {
        self.drop_documents(learnt);
        let Finished { organization, mut aggregates, over } = mem::take(&mut self.finished);
        self.report.looking.written.extend(over);
        for line in &mut aggregates {
            line.state = AggregateState::Done;
            self.ctx.progress.update(|at| at.written(line.aggregate));
        }
        if !organization && aggregates.is_empty() {
            return Ok(());
        }
        let missed = self.missed();
        let seen = |line: &AggregateProgress| Some((line.aggregate, self.seen((line.aggregate, line.range), &missed)?));
        let seen = aggregates.iter().filter_map(seen).collect();
        let note = Note { seen, ..self.report.take_note(organization, aggregates) };
        match checkpoint.append(&note).await {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Ended::Interrupted),
        }
    }
}

/// Looks up and plans everything, and leaves it at that. Returns the plan with what may be written, and whether that is all
/// of it.
pub(super) async fn plan_only(
    request: &Request<'_>,
    report: &mut Report<'_>,
) -> Result<(Plan, Result<(), Ended>), Ended> {
    let (mut run, mut lookup) = Run::begin(request, report).await?;
    run.planned(request, &mut lookup).await
}

/// Plans everything before anything is written, and then writes it, if it is what was approved.
pub(super) async fn write_approved(
    request: &Request<'_>,
    approved: &Approved,
    (report, checkpoint): (&mut Report<'_>, &impl Checkpoint),
) -> Result<(), Ended> {
    let (mut run, mut lookup) = Run::begin(request, report).await?;
    let ended = async {
        let (plan, allowed) = run.planned(request, &mut lookup).await?;
        run.begin_writing(request, approved, (&plan, checkpoint)).await?;
        run.apply(plan).await?;
        allowed
    };
    let ended = ended.await;
    run.leave_looks(request, &lookup, ended.as_ref().err());
    ended
}

/// What came of reading what the syncs before have left behind.
enum LooksBefore {
    /// The run is not about networks.
    Unused,
    Read(LookRows),
    /// It cannot be read, for a reason that a person can do something about.
    Unreadable(String),
}

/// Reads what the syncs before have left behind. That there is no place for it yet is no reason not to sync.
async fn look_rows(ctx: &Context, request: &Request<'_>) -> Result<LooksBefore, netbox::Error> {
    if !request.resources.contains(&Resource::Networks) {
        return Ok(LooksBefore::Unused);
    }
    match ctx.netbox.look_rows().await {
        Ok(rows) => Ok(LooksBefore::Read(rows)),
        Err(error) if error.is_not_found() => Ok(LooksBefore::Unreadable(
            "NetBox has no RIR looks yet, so that nothing is known of how completely ARIN was asked; run `rir-sidecar \
             bootstrap`."
                .to_owned(),
        )),
        Err(error) if error.is_forbidden() => Ok(LooksBefore::Unreadable(format!(
            "How completely ARIN was asked is not recorded: {}.",
            error_chain(&error)
        ))),
        Err(error) => Err(error),
    }
}

/// Returns what to ask for, without what was finished by whoever had the run before.
fn worklist(report: &mut Report<'_>, request: &Request<'_>, has: &Inventory) -> Worklist {
    let Request { config, scope, resources, .. } = request;
    let mut worklist = Worklist::new(scope, resources, config, has);
    let single = matches!(scope, Scope::Prefixes(_));
    let target = |range, ranges: &[IpNet]| InScope { range, only: single.then(|| ranges.iter().copied().collect()) };
    let targets = worklist.targets.iter().map(|it| (it.aggregate.id, target(it.aggregate.prefix, &it.ranges)));
    report.looking.targets = targets.collect();
    let (settings, before) = (&report.ctx.settings.sync, &report.run.before);
    if before.organization {
        worklist.org = None;
    } else if *scope == Scope::Config {
        worklist.recipients = settings.recipient_orgs.iter().filter_map(|handle| OrgHandle::new(handle)).collect();
    }
    let finished: BTreeSet<RowId> = before.aggregates.iter().map(|line| line.aggregate).collect();
    worklist.targets.retain(|target| !finished.contains(&target.aggregate.id));
    report.ctx.progress.update(|at| at.finished.clone_from(&before.aggregates));
    worklist
}

/// Returns what came up for whoever had the run before.
fn answered(report: &Report<'_>) -> Answered {
    let before = &report.run.before;
    let all = before.written.iter().chain(&before.unchanged);
    all.filter_map(|(object, handle)| Recorded::new(*object, handle)).collect()
}

/// Returns what is known of the registry from whoever had the run before.
fn registered_before(report: &Report<'_>) -> Registration {
    let before = &report.run.before;
    let answer = |line: &AggregateProgress| (line.aggregate, line.parent.clone());
    Registration { aggregates: before.aggregates.iter().map(answer).collect(), ..Registration::default() }
}

fn why(refused: &Refused, config: &str) -> String {
    let Refused { retired, before, registered, allowed, .. } = refused;
    let percent = |share: f64| (share * 1000.0).ceil() / 10.0;
    let share = refused.share();
    let before = if *before == 0 { String::new() } else { format!(", and {before} were marked within the last day") };
    format!(
        "ARIN does not have {retired} of the {registered} rows any more{before} ({:.1} % in all), and \
         sync.max_retired_share allows {:.1} % a day; none was marked as not found in this run. If that is right, allow \
         it once: rir-sidecar sync --config-name={} --max-retired-share {}",
        share * 100.0,
        allowed * 100.0,
        shell_word(config),
        percent(share) / 100.0,
    )
}

/// Chooses the API key of a run. That it is not the asking user's is worth a remark.
fn choose_key(report: &mut Report<'_>, request: &Request<'_>, has: &Inventory) -> Result<ApiKey, NoKey> {
    let (keys, name) = (&report.ctx.keys, &request.config.name);
    let last = used_last(has, request.config);
    let key = match request.requester {
        Requester::Automatic => keys.choose(name, None, last.as_deref()),
        Requester::User(user) => keys.choose(name, Some(user), None),
        Requester::ChangedBy(user) => keys.choose(name, Some(user), None).or_else(|_| {
            let key = keys.choose(name, None, last.as_deref())?;
            report.remark(&format!("{user}, who made the change, has no API key for this config."));
            Ok(key)
        }),
    }?;
    report.run.user = Some(key.user.clone());
    Ok(key.clone())
}

/// Returns the user whose key was used last for a config: the one that its most recently written row names.
fn used_last(has: &Inventory, config: &Config) -> Option<String> {
    let rows = has.rows.values().flat_map(|rows| rows.values());
    let ours = rows.filter(|row| row.config() == Some(config.id) && row.synced_by.is_some());
    ours.max_by_key(|row| row.last_synced)?.synced_by.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_in_a_refusal_is_one_whatever_the_config_is_called() {
        let told = |config: &str| {
            let refused = Refused { rest: Plan::default(), retired: 30, before: 0, registered: 100, allowed: 0.2 };
            why(&refused, config).split_once("allow it once: ").unwrap().1.to_owned()
        };
        assert_eq!(told("example"), "rir-sidecar sync --config-name=example --max-retired-share 0.3");
        for name in ["O'Hare; touch /tmp/x", "$(id) `id`", "-v", "two words"] {
            let words = shlex::split(&told(name)).unwrap();
            assert_eq!(words[2..], [format!("--config-name={name}").as_str(), "--max-retired-share", "0.3"]);
        }
    }
}
