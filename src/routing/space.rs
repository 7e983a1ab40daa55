//! Which space is the operator's own.

use ipnet::IpNet;

use crate::{
    config::Settings,
    model::Ranges,
    netbox::{self, Client, announced::AnnouncedAggregate},
};

/// Returns the operator's own space in the order of its addresses; no range lies in another one. It is what `irr.own_space`
/// says, by the aggregates that NetBox has.
///
/// # Errors
/// When NetBox cannot be asked.
pub async fn own_space(netbox: &Client, settings: &Settings) -> Result<Vec<IpNet>, netbox::Error> {
    Ok(own_aggregates(netbox, settings).await?.1.into_vec())
}

/// Reads the aggregates of RIRs that are not private, and returns with them the operator's own space.
pub(super) async fn own_aggregates(
    netbox: &Client,
    settings: &Settings,
) -> Result<(Vec<AnnouncedAggregate>, Ranges), netbox::Error> {
    let (mut aggregates, private) = tokio::try_join!(netbox.announced_aggregates(), netbox.private_rirs())?;
    aggregates.retain(|aggregate| !private.contains(&aggregate.rir));
    let ranges: Vec<IpNet> = aggregates.iter().map(|aggregate| aggregate.prefix).collect();
    let space = narrowed(&ranges, &settings.irr.own_space);
    Ok((aggregates, space))
}

/// Returns what is listed, or all aggregates if nothing is. A range around aggregates stands for these.
fn narrowed(aggregates: &[IpNet], listed: &[IpNet]) -> Ranges {
    let meant = |range: &IpNet| {
        let inside: Vec<IpNet> = aggregates.iter().filter(|aggregate| range.contains(*aggregate)).copied().collect();
        if inside.is_empty() { vec![*range] } else { inside }
    };
    if listed.is_empty() { aggregates.iter().copied().collect() } else { listed.iter().flat_map(meant).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(aggregates: &[&str], listed: &[&str]) -> String {
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpNet>>();
        let own = narrowed(&nets(aggregates), &nets(listed));
        own.all().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn own_space_is_that_of_all_aggregates_in_order_unless_some_is_listed() {
        let aggregates = ["2001:db8::/32", "198.51.100.0/24", "192.0.2.0/24"];
        assert_eq!(own(&aggregates, &[]), "192.0.2.0/24 198.51.100.0/24 2001:db8::/32");
        assert_eq!(own(&aggregates, &["192.0.2.128/25"]), "192.0.2.128/25", "a part of an aggregate");
        assert_eq!(own(&aggregates, &["203.0.113.0/24"]), "203.0.113.0/24", "in no aggregate");
        assert_eq!(own(&aggregates, &["198.0.0.0/8"]), "198.51.100.0/24", "around an aggregate");
        assert_eq!(own(&[], &["192.0.2.0/24"]), "192.0.2.0/24");
        assert_eq!(own(&[], &[]), "");
    }

    #[test]
    fn no_range_of_it_lies_in_another_one() {
        assert_eq!(own(&["192.0.2.0/24"], &["192.0.2.64/26", "192.0.2.0/25", "192.0.2.0/24"]), "192.0.2.0/24");
        assert_eq!(own(&["192.0.2.0/25", "192.0.2.0/24"], &[]), "192.0.2.0/24");
    }
}
