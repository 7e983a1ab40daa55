//! The operator's own space: the aggregates in NetBox of RIRs that are not private.

use crate::{
    config::Settings,
    model::Ranges,
    netbox::{self, Client, announced::AnnouncedAggregate},
};

/// Reads the aggregates of public space, and the ranges that they make up together.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn own_aggregates(
    netbox: &Client,
    settings: &Settings,
) -> Result<(Vec<AnnouncedAggregate>, Ranges), netbox::Error> {
    let (mut aggregates, private) = tokio::try_join!(netbox.announced_aggregates(), netbox.private_rirs())?;
    let wanted: Ranges = settings.routing.own_space.iter().copied().collect();
    let is_wanted = |range: &ipnet::IpNet| wanted.all().is_empty() || wanted.around(range).is_some();
    aggregates.retain(|aggregate| !private.contains(&aggregate.rir) && is_wanted(&aggregate.prefix));
    let space = aggregates.iter().map(|aggregate| aggregate.prefix).collect();
    Ok((aggregates, space))
}
