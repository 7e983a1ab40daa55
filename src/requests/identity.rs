//! Whether a net at ARIN is the one that a request means. ARIN uses the handles of removed nets again.

use jiff::Timestamp;

use super::change::NetTarget;
use crate::model::{Holder, Net, NetBlock};

/// Returns the moment at which a net was registered, as ARIN wrote it; `None` if it wrote a day, or nothing readable.
#[must_use]
pub fn registered_at(net: &Net) -> Option<Timestamp> {
    net.raw.json().get("registrationDate")?.as_str()?.trim().parse().ok()
}

/// Returns in what a net is not the one that was meant, each as a part of a sentence; empty if it is that one.
#[must_use]
pub fn differences(meant: &NetTarget, net: &Net) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differ = |other: bool, what: &str, is: String, was: String| {
        if other {
            differences.push(format!("{what} is {is}, not {was}"));
        }
    };
    differ(net.handle != meant.handle, "the handle", net.handle.to_string(), meant.handle.to_string());
    let range = net.range();
    let now = range.map_or_else(|| "not told".to_owned(), written_range);
    differ(range != Some(meant.range), "the range", now, written_range(meant.range));
    differ(net.holder != meant.holder, "the holder", holder(net.holder.as_ref()), holder(meant.holder.as_ref()));
    let (is, was) = (net.registration_date, meant.registered_on);
    differ(is != was, "the registration date", written(is.as_ref()), written(was.as_ref()));
    differences
}

/// Writes the holder of a net for people.
#[must_use]
pub fn holder(holder: Option<&Holder>) -> String {
    match holder {
        Some(Holder::Org(org)) => format!("organization {org}"),
        Some(Holder::Customer(customer)) => format!("customer {customer}"),
        None => "nobody".to_owned(),
    }
}

/// Writes a range as people do: a prefix, or its ends if it is none.
#[must_use]
pub fn written_range(range: NetBlock) -> String {
    match range.prefixes().as_slice() {
        [prefix] => prefix.to_string(),
        _ => range.to_string(),
    }
}

fn written(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "not told".to_owned(), ToString::to_string)
}
