//! Checks: whether a change may be sent as things stand at ARIN and in NetBox.
//!
//! [`ask()`] asks ARIN, no more than the change rests on; [`check()`] judges the answers, and does nothing else. It is
//! done when a request is drafted, and again right before it is sent. Each [`Check`] has *passed*, or it is for a
//! person to *look* at because it is unusual or cannot be known, or it has *blocked* the request. A question that
//! failed blocks wherever the call could do harm without its answer.

mod ask;
mod call;
mod create;
mod known;
mod live;
mod modify;
mod remove;
mod sheet;
#[cfg(test)]
mod tests;

pub use self::{
    ask::ask,
    known::{Known, UnderWay},
    live::Live,
};
use super::{
    change::{Change, Check, Content},
    identity::written_range,
};

/// Judges whether a change may be sent.
#[must_use]
pub fn check(change: &Change, content: &Content, live: &Live, known: &Known) -> Vec<Check> {
    let mut checks = match change {
        Change::Create(net) => create::check(net, live, known),
        Change::ChangeNetwork(network) => modify::network(network, content, live),
        Change::ChangeCustomer(customer) => modify::customer(customer, content, live),
        Change::RemoveNetwork(removal) => remove::network(removal, live, known),
        Change::DeleteCustomer(removal) => remove::customer(removal, live, known),
    };
    checks.extend([under_way(change, known), call::check(change, content)]);
    checks
}

/// Nothing is sent about addresses of which it is not known what became of what was sent before.
fn under_way(change: &Change, known: &Known) -> Check {
    let Some(range) = change.range() else {
        return sheet::passed("under way", "It is about no range that another request could be about.");
    };
    match known.under_way.iter().find(|other| other.range.overlaps(&range)) {
        Some(other) => sheet::blocked(
            "under way",
            format!(
                "It is not known yet what became of {}, which is about {}; wait for its end.",
                other.name,
                written_range(other.range)
            ),
        ),
        None => sheet::passed("under way", "No other request about these addresses waits for an answer of ARIN."),
    }
}
