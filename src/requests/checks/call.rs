//! The check of the call itself: whoever edits a request in NetBox must not make it send something else than it says.

use super::sheet::{blocked, passed};
use crate::{
    arin::{Call, Verb},
    requests::change::{Change, Check, Content},
};

pub(super) fn check(change: &Change, content: &Content) -> Check {
    let name = "call";
    match &content.call {
        None => blocked(name, "There is no call to send; prepare it again."),
        Some(call) if is_of(call, change) => passed(name, "The call is the one for what is asked for."),
        Some(_) => {
            blocked(name, "The call is not the one for what is asked for: one of the two was edited. Prepare it again.")
        }
    }
}

/// Returns whether a call is the one for a change. The document of a modification is made of what ARIN had, so of that
/// call only the place is compared.
fn is_of(call: &Call, change: &Change) -> bool {
    let puts =
        |path: &[&str]| call.method == Verb::Put && call.path == path && call.body.is_some() && call.query.is_empty();
    match change {
        Change::Create(net) => Call::create(net).is_ok_and(|own| own == *call),
        Change::ChangeNetwork(asked) => puts(&["net", asked.net.handle.as_str()]),
        Change::ChangeCustomer(asked) => puts(&["customer", asked.customer.as_str()]),
        Change::RemoveNetwork(asked) if asked.reason.is_some() => puts(&["net", asked.net.handle.as_str(), "remove"]),
        Change::RemoveNetwork(asked) => *call == Call::remove_net(&asked.net.handle),
        Change::DeleteCustomer(asked) => *call == Call::delete_customer(&asked.customer),
    }
}
