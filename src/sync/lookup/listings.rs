//! Asks ARIN's public listing about the aggregates of a run.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use ipnet::IpNet;

use super::{
    finding::Stopped,
    listing::Doubt,
    worklist::{Named, Worklist},
};
use crate::{
    arin::{Whois, WhoisError},
    error_chain::error_chain,
    model::{ListedNet, NetBlock, address_block::registrable},
};

/// So many ranges are asked about at once; the listing takes few questions a second.
const AT_ONCE: usize = 4;
/// After so many failures in a row, such as pages of something that stands in between, the listing is not asked any more in
/// this run.
const ENOUGH_FAILURES: u32 = 2;

/// A range to ask the listing about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) range: IpNet,
    /// All nets inside are wanted, else only those at and around it.
    pub(super) whole: bool,
}

/// What the listing has there.
pub(super) type Listed = (Extent, Result<Vec<ListedNet>, Doubt>);

/// Returns the ranges of a worklist's aggregates; those that lie side by side are one question.
pub(super) fn extents(worklist: &Worklist) -> Vec<Extent> {
    let aggregates = worklist.targets.iter().map(|target| target.aggregate.prefix.trunc());
    let aggregates: Vec<IpNet> = aggregates.filter(|range| registrable(*range).is_ok()).collect();
    // Of what was asked for by name only ARIN's own word will do, so that nothing inside is spared.
    let whole = worklist.named != Named::Prefixes;
    IpNet::aggregate(&aggregates).into_iter().map(|range| Extent { range, whole }).collect()
}

/// Asks about all of these ranges. `may_go_on` returns an error once somebody asked to stop.
pub(super) async fn ask(
    whois: &Whois,
    extents: Vec<Extent>,
    may_go_on: impl Fn() -> Result<(), Stopped>,
) -> Result<Vec<Listed>, Stopped> {
    let failures = AtomicU32::new(0);
    let (failures, may_go_on) = (&failures, &may_go_on);
    let asked = stream::iter(extents).map(|extent| async move {
        may_go_on()?;
        if whois.is_away() || failures.load(Ordering::Relaxed) >= ENOUGH_FAILURES {
            return Ok((extent, Err(Doubt::GivenUp)));
        }
        let nets = in_extent(whois, extent).await;
        match &nets {
            Ok(_) => failures.store(0, Ordering::Relaxed),
            Err(_) => drop(failures.fetch_add(1, Ordering::Relaxed)),
        }
        Ok((extent, nets.map_err(|error| Doubt::Failed(error_chain(&error)))))
    });
    asked.buffer_unordered(AT_ONCE).try_collect().await
}

/// Asks about one range. The nets inside may or may not include the one whose range it is, and those around it tell what
/// it lies in otherwise.
async fn in_extent(whois: &Whois, Extent { range, whole }: Extent) -> Result<Vec<ListedNet>, WhoisError> {
    let mut nets = if whole { whois.inside(range).await? } else { Vec::new() };
    let covered = |nets: &[ListedNet]| {
        nets.iter().any(|net| net.range().is_some_and(|block| block.covers(&NetBlock::from(range))))
    };
    if !covered(&nets) {
        nets.extend(whois.at(range).await?);
    }
    if !covered(&nets) {
        nets.extend(whois.around(range).await?);
    }
    Ok(nets)
}
