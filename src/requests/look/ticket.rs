//! The tickets that ARIN may make of a change. A ticket does not say which net it is about.

use super::super::change::Change;
use crate::{
    arin::{NewHolder, NewNet},
    model::NetType,
};

/// Returns the types of tickets that ARIN may make of a change; empty if it makes none.
pub(super) fn types(change: &Change) -> &'static [&'static str] {
    match change {
        Change::Create(NewNet { range, kind, holder, .. }) => match (range.first().is_ipv4(), kind, holder) {
            (true, NetType::Reallocated, _) => &["IPV4_REALLOCATE"],
            (false, NetType::Reallocated, _) => &["IPV6_REALLOCATE"],
            (true, _, NewHolder::Customer(_)) => &["IPV4_SIMPLE_REASSIGN"],
            (true, _, NewHolder::Org(_)) => &["IPV4_DETAILED_REASSIGN"],
            // No type is known for a simple one.
            (false, _, NewHolder::Customer(_)) => &["IPV6_SIMPLE_REASSIGN", "IPV6_DETAILED_REASSIGN"],
            (false, _, NewHolder::Org(_)) => &["IPV6_DETAILED_REASSIGN"],
        },
        Change::RemoveNetwork(_) => &["NET_DELETE_REQUEST"],
        Change::ChangeNetwork(_) | Change::ChangeCustomer(_) | Change::DeleteCustomer(_) => &[],
    }
}
