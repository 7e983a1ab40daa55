//! Brings the rows in line with what change requests have changed at the registry.

use std::collections::BTreeSet;

use ipnet::IpNet;
use tracing::warn;

use super::findings::{Subject, refresh_findings};
use crate::{
    coordination::Coordination,
    error_chain::error_chain,
    model::{Config, Resource, RowId, Scope},
    netbox,
    queue::{Delay, Job, JobId, Order, Trigger, Work},
    requests::ChangeRequest,
    sync::{Context, NoCheckpoint, Request, Requester, Verdict, run},
};

/// The parts of a config whose rows are to be synced after some requests are done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Touched {
    prefixes: BTreeSet<RowId>,
    aggregates: BTreeSet<RowId>,
}

impl Touched {
    /// Finds the prefixes that requests are linked to, and the aggregates around the ranges of those that have none.
    pub(super) async fn by(
        netbox: &netbox::Client,
        config: &Config,
        requests: &[&ChangeRequest],
    ) -> Result<Self, netbox::Error> {
        let with_prefix = requests.iter().filter_map(|request| request.links.prefix).collect();
        let without: Vec<_> = requests
            .iter()
            .filter(|request| request.links.prefix.is_none())
            .filter_map(|request| request.range)
            .collect();
        let mut touched = Self { prefixes: with_prefix, aggregates: BTreeSet::new() };
        if let (false, Some(rir)) = (without.is_empty(), config.rir) {
            let around = |aggregate: &IpNet| {
                let block = crate::model::NetBlock::from(*aggregate);
                without.iter().any(|range| block.overlaps(range))
            };
            let aggregates = netbox.aggregate_details(rir).await?;
            touched.aggregates = aggregates.iter().filter(|it| around(&it.prefix)).map(|it| it.id).collect();
        }
        Ok(touched)
    }

    fn scopes(&self) -> Vec<Scope> {
        let prefixes = (!self.prefixes.is_empty()).then(|| Scope::Prefixes(self.prefixes.clone()));
        prefixes.into_iter().chain(self.aggregates.iter().copied().map(Scope::Aggregate)).collect()
    }

    /// Returns the orders for syncs of these parts, for whoever approved what was done.
    pub(super) fn orders(&self, config: RowId, approver: &str) -> Vec<Order> {
        let work = |scope: Scope| match scope {
            Scope::Config => Work::SyncConfig { config, resources: Resource::all() },
            Scope::Aggregate(aggregate) => Work::SyncAggregate { config: Some(config), aggregate },
            Scope::Prefixes(prefixes) => Work::SyncPrefix { config: Some(config), prefixes },
        };
        let job = |scope| Job::new(work(scope), Trigger::Job).by(approver);
        self.scopes().into_iter().map(|scope| Order { job: job(scope), delay: Delay::None }).collect()
    }
}

/// Syncs the rows of what requests have changed at the registry, each with the key of whoever approved it, and judges
/// these parts anew. Returns whether all of it went well; what did not is logged, and the next sync makes up for it.
pub async fn sync_after(
    ctx: &Context,
    coordination: &Coordination,
    (config, configs): (&Config, &[Config]),
    requests: &[&ChangeRequest],
) -> bool {
    let approver = |request: &&ChangeRequest| request.approval.as_ref().map(|approval| approval.by.clone());
    let approvers: BTreeSet<String> = requests.iter().filter_map(approver).collect();
    let mut well = true;
    for person in approvers {
        let of_person: Vec<&ChangeRequest> =
            requests.iter().copied().filter(|request| approver(request).as_ref() == Some(&person)).collect();
        let touched = match Touched::by(&ctx.netbox, config, &of_person).await {
            Ok(touched) => touched,
            Err(error) => {
                warn!(error = %error_chain(&error), "could not read what is to be synced after a change request");
                return false;
            }
        };
        for scope in touched.scopes() {
            let requester = Requester::User(&person);
            // Of the organization and its contacts a change request changes nothing.
            let resources = BTreeSet::from([Resource::Networks]);
            let request = Request { scope, resources, requester, ..Request::of(config, configs) };
            let run = run(ctx, &request, &NoCheckpoint).await;
            let synced = matches!(run.verdict(), Verdict::Unchanged | Verdict::Changed);
            let subject = Subject { config, configs, scope: &request.scope, run: &run.id };
            well &= synced && refresh_findings(ctx, coordination, subject).await.is_ok();
        }
    }
    well
}

/// Returns a name for a run of requests that is no job.
#[must_use]
pub fn run_name() -> String {
    JobId::new(jiff::Timestamp::now()).to_string()
}
