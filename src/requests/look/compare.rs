//! Whether what is registered is what a change asked for.

use serde_json::Value;

use super::super::{
    change::{CustomerChange, NetworkChange},
    identity::{self, written_range},
};
use crate::{
    arin::{NewCustomer, NewHolder, NewNet},
    findings::names::{fold, is_masked, is_other_place},
    model::{Address, Customer, Holder, Net},
};

/// Whether something is as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    /// In these it is not, each as a part of a sentence.
    Other(Vec<String>),
    /// It cannot be told, with the reason.
    Hidden(String),
}

impl Likeness {
    fn of(differences: Vec<String>) -> Self {
        if differences.is_empty() { Self::Same } else { Self::Other(differences) }
    }
}

/// Returns in what a net is not at the place that was asked for; what ARIN does not tell is left aside.
pub(super) fn new_net(asked: &NewNet, net: &Net) -> Vec<String> {
    let mut differences = Vec::new();
    if net.range() != Some(asked.range) {
        let range = net.range().map_or_else(|| "not told".to_owned(), written_range);
        differences.push(format!("its range is {range}, not {}", written_range(asked.range)));
    }
    if let Some(kind) = net.kind.as_ref().filter(|kind| **kind != asked.kind) {
        differences.push(format!("its type is {}, not {}", kind.code(), asked.kind.code()));
    }
    if let Some(parent) = net.parent.as_ref().filter(|parent| **parent != asked.parent) {
        differences.push(format!("its parent is {parent}, not {}", asked.parent));
    }
    differences
}

/// Compares the holder of a net with the one that it was to get; who the customer is is left aside.
pub(super) fn new_holder(asked: &NewHolder, net: &Net) -> Option<String> {
    let same = match (asked, &net.holder) {
        (NewHolder::Org(asked), Some(Holder::Org(org))) => asked == org,
        (NewHolder::Customer(_), Some(Holder::Customer(_))) => true,
        (NewHolder::Org(_), Some(Holder::Customer(_)) | None)
        | (NewHolder::Customer(_), Some(Holder::Org(_)) | None) => false,
    };
    (!same).then(|| format!("it is held by {}", identity::holder(net.holder.as_ref())))
}

/// Compares the name of a net, which ARIN writes in upper case.
pub(super) fn net_name(asked: &str, net: &Net) -> Option<String> {
    let same = asked.trim().eq_ignore_ascii_case(net.name.trim());
    (!same).then(|| format!("its name is {}, not {asked}", net.name))
}

/// Compares a customer with the one that was to be made together with a net, however ARIN writes it.
pub(super) fn new_customer(asked: &NewCustomer, customer: &Customer) -> Likeness {
    let masked = customer.private == Some(true) || is_masked(&customer.name);
    if asked.private != masked {
        return Likeness::of(vec![format!("{} is {}", customer.handle, if masked { "private" } else { "public" })]);
    }
    // ARIN may show neither the name nor the address of a private one.
    if masked {
        return Likeness::Same;
    }
    let mut differences = Vec::new();
    if fold(&asked.name) != fold(&customer.name) {
        differences.push(format!("the customer's name is {}, not {}", customer.name, asked.name));
    }
    let address = customer.address.clone().unwrap_or_default();
    if is_other_place(&asked.address, &address) {
        differences.push(format!("the customer's address is {address}, not {}", asked.address));
    }
    Likeness::of(differences)
}

/// Compares a net with what was to be changed of it.
pub(super) fn changed_net(asked: &NetworkChange, net: &Net) -> Likeness {
    let mut differences: Vec<String> = asked.name.iter().filter_map(|name| net_name(name, net)).collect();
    if let Some(asked) = &asked.comment {
        let Some(lines) = comment(net) else {
            return Likeness::Hidden(format!("the document of {} is too large to be kept", net.handle));
        };
        let said = |lines: &[String]| lines.join("\n").trim().to_owned();
        if said(asked) != said(&lines) {
            differences.push(format!("its comment is `{}`", said(&lines)));
        }
    }
    Likeness::of(differences)
}

/// Returns the lines of a net's comment, trimmed as ARIN's texts are; `None` if they were not kept.
fn comment(net: &Net) -> Option<Vec<String>> {
    let document = net.raw.json();
    if document.is_null() || document.get("#omitted").is_some() {
        return None;
    }
    let lines = document.get("comment").and_then(|comment| comment.get("line"));
    let text = |line: &Value| line.as_str().or_else(|| line.get("#text")?.as_str()).unwrap_or_default().to_owned();
    Some(match lines {
        Some(Value::Array(lines)) => lines.iter().map(text).collect(),
        Some(line) => vec![text(line)],
        None => Vec::new(),
    })
}

/// Compares a customer with what was to be changed of it. It has to be so to the letter: the change may be about
/// letters.
pub(super) fn changed_customer(asked: &CustomerChange, customer: &Customer) -> Likeness {
    let mut differences = Vec::new();
    let private = customer.private == Some(true) || is_masked(&customer.name);
    if asked.private.is_some_and(|asked| asked != private) {
        differences.push(format!("it is {}", if private { "private" } else { "public" }));
    }
    let hidden = is_masked(&customer.name) && (asked.name.is_some() || asked.address.is_some());
    if hidden && differences.is_empty() && asked.private.is_none() {
        return Likeness::Hidden(format!("ARIN does not show the name and the address of {}", customer.handle));
    }
    if !hidden {
        differences.extend(
            asked
                .name
                .iter()
                .filter(|name| !same_words(name, &customer.name))
                .map(|name| format!("its name is {}, not {name}", customer.name)),
        );
        let address = customer.address.clone().unwrap_or_default();
        differences.extend(
            asked
                .address
                .iter()
                .filter(|asked| !same_address(asked, &address))
                .map(|asked| format!("its address is {address}, not {asked}")),
        );
    }
    Likeness::of(differences)
}

fn same_words(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

fn same_address(one: &Address, other: &Address) -> bool {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let same = |part: fn(&Address) -> &Option<String>| same_words(&text(part(one)), &text(part(other)));
    same_words(&one.street.join(" "), &other.street.join(" "))
        && same(|address| &address.city)
        && same(|address| &address.state_province)
        && same(|address| &address.postal_code)
        && !is_other_place(one, other)
}
