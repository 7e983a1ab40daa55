//! What a client may send, written down from ARIN's pages and not from what the server here takes.
//!
//! It is stricter than the server where the sources disagree: what passes here is right by all of them. The tables are
//! in [`documents`].

mod documents;
mod values;

use std::collections::BTreeSet;

use super::{requests::Request, tree::CORE, tree::Node};
use documents::{Count, Rule};

/// The calls: method, path below `/rest` with `*` for whatever stands there, and the document that is sent.
const CALLS: &[(&str, &str, Sent)] = &[
    ("GET", "org/*", Sent::Nothing),
    ("GET", "poc/*", Sent::Nothing),
    ("GET", "customer/*", Sent::Nothing),
    ("GET", "net/*", Sent::Nothing),
    ("GET", "net/mostSpecificNet/*/*", Sent::Nothing),
    ("GET", "net/parentNet/*/*", Sent::Nothing),
    ("GET", "net/*/delegations", Sent::Nothing),
    ("GET", "net/*/routes", Sent::Nothing),
    ("GET", "org/*/routes", Sent::Nothing),
    ("PUT", "net/*/reassign", Sent::Reassignment),
    ("PUT", "net/*/reallocate", Sent::Reallocation),
    ("POST", "net/*/customer", Sent::Customer),
    ("PUT", "customer/*", Sent::ChangedCustomer),
    ("DELETE", "customer/*", Sent::Nothing),
    ("PUT", "net/*", Sent::ChangedNet),
    ("DELETE", "net/*", Sent::Nothing),
    ("PUT", "net/*/remove", Sent::RemovedNet),
    ("GET", "ticket", Sent::Nothing),
    ("GET", "ticket/summary", Sent::Nothing),
    ("GET", "ticket/*/summary", Sent::Nothing),
    ("GET", "ticket/*", Sent::Nothing),
    ("PUT", "ticket/*/ticketStatus/CLOSED", Sent::Nothing),
    ("PUT", "ticket/*/message", Sent::Message),
    ("PUT", "ticket/*", Sent::Ticket),
    ("GET", "ticket/*/message/*", Sent::Nothing),
    ("GET", "ticket/*/message/*/attachment/*", Sent::Nothing),
    ("GET", "report/reassignment/*", Sent::Nothing),
    ("GET", "report/associations", Sent::Nothing),
];

/// The document that a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Reassignment,
    Reallocation,
    Customer,
    ChangedCustomer,
    ChangedNet,
    RemovedNet,
    Message,
    Ticket,
}

/// Returns everything about a request that is against the rules; nothing if it is as it should be.
#[must_use]
pub fn validate(request: &Request) -> Vec<String> {
    let mut violations = Vec::new();
    let type_is_xml = request.content_type.as_deref().is_some_and(|sent| sent.starts_with("application/xml"));
    if !type_is_xml {
        violations.push("the header Content-Type is not application/xml".to_owned());
    }
    if !request.accept.as_deref().is_some_and(|accept| accept.contains("application/xml")) {
        violations.push("the header Accept does not have application/xml".to_owned());
    }
    let fits = |(method, path, _): &&(&str, &str, Sent)| *method == request.method && is_at(&request.path, path);
    match CALLS.iter().find(fits) {
        None => violations.push(format!("there is no call {} {}", request.method, request.path)),
        Some((_, _, Sent::Nothing)) if request.body.is_empty() => {}
        Some((_, _, Sent::Nothing)) => violations.push("the call takes no document".to_owned()),
        Some((_, _, sent)) => document(*sent, request, &mut violations),
    }
    violations
}

/// Whether a path is of a form; matrix parameters do not count.
fn is_at(path: &str, form: &str) -> bool {
    let Some(path) = path.strip_prefix("/rest/") else { return false };
    let path: Vec<&str> = path.split('/').map(|part| part.split(';').next().unwrap_or_default()).collect();
    let form: Vec<&str> = form.split('/').collect();
    path.len() == form.len() && path.iter().zip(form).all(|(part, form)| form == "*" || form == *part)
}

fn document(sent: Sent, request: &Request, violations: &mut Vec<String>) {
    let root = match Node::read(&request.body) {
        Ok(root) => root,
        Err(malformed) => return violations.push(malformed.to_string()),
    };
    let (name, rules) = sent.rules();
    if (root.name.as_str(), root.namespace.as_str()) != (name, CORE) {
        return violations.push(format!("the root is not the element {name} of {CORE}"));
    }
    element(&root, "", &rules, violations);
    let parent = request.path.split('/').nth(3).unwrap_or_default();
    match sent {
        Sent::Reassignment => new_net(&root, "S", parent, violations),
        Sent::Reallocation => new_net(&root, "A", parent, violations),
        Sent::Customer | Sent::ChangedCustomer => whole_address(&root, violations),
        Sent::ChangedNet | Sent::RemovedNet => {
            one_of(&root, &["orgHandle", "customerHandle"], violations);
            same(&root, "handle", parent, violations);
        }
        Sent::Nothing | Sent::Message | Sent::Ticket => {}
    }
}

impl Sent {
    /// The name of the root, and the rules of what is inside.
    fn rules(self) -> (&'static str, Vec<Rule>) {
        match self {
            Self::Nothing => ("", Vec::new()),
            Self::Reassignment => ("net", documents::reassignment()),
            Self::Reallocation => ("net", documents::reallocation()),
            Self::Customer => ("customer", documents::customer("")),
            Self::ChangedCustomer => ("customer", documents::changed_customer()),
            Self::ChangedNet => ("net", documents::changed_net()),
            Self::RemovedNet => ("net", documents::removed_net()),
            Self::Message => ("message", documents::message("")),
            Self::Ticket => ("ticket", documents::ticket()),
        }
    }
}

/// Holds what is inside of an element at this path against the rules.
fn element(node: &Node, path: &str, rules: &[Rule], violations: &mut Vec<String>) {
    let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
    for child in &node.children {
        let at = inner(&child.name);
        match rules.iter().find(|rule| rule.path == at) {
            _ if child.namespace != CORE => violations.push(format!("{at} is not of ARIN's namespace")),
            None => violations.push(format!("{at} is not known")),
            Some(rule) => {
                violations.extend(rule.violation(child).map(|why| format!("{at} {why}")));
                element(child, &at, rules, violations);
            }
        }
    }
    let depth = path.split_terminator('/').count();
    let direct = rules.iter().filter(|rule| {
        let inside = rule.path.strip_prefix(path).is_some_and(|rest| path.is_empty() || rest.starts_with('/'));
        inside && rule.path.split('/').count() == depth + 1
    });
    for rule in direct {
        let name = rule.path.rsplit('/').next().unwrap_or_default();
        let there = node.all(name).count();
        match rule.count {
            Count::One | Count::Some if there == 0 => violations.push(format!("{} is missing", rule.path)),
            Count::One | Count::Optional | Count::Empty if there > 1 => {
                violations.push(format!("{} stands there more than once", rule.path));
            }
            Count::One | Count::Some | Count::Optional | Count::Empty | Count::Any => {}
        }
    }
}

fn new_net(net: &Node, net_type: &str, parent: &str, violations: &mut Vec<String>) {
    same(net, "parentNetHandle", parent, violations);
    match net_type {
        "A" => one_of(net, &["orgHandle"], violations),
        _ => one_of(net, &["orgHandle", "customerHandle", "customer"], violations),
    }
    net.child("customer").into_iter().for_each(|customer| whole_address(customer, violations));
    let blocks: Vec<&Node> = net.child("netBlocks").into_iter().flat_map(|list| list.all("netBlock")).collect();
    let other_type = |block: &&Node| block.text_of("type").is_some_and(|sent| sent != net_type);
    if blocks.iter().any(other_type) {
        violations.push(format!("netBlocks/netBlock/type is not {net_type}"));
    }
    let ranges: Option<Vec<values::Range>> = blocks.iter().map(|block| values::range(block)).collect();
    match ranges {
        None => violations.push("netBlocks/netBlock has no end, or not that of its length".to_owned()),
        Some(ranges) if !values::is_one(&ranges) => violations.push("netBlocks are not one range".to_owned()),
        Some(_) => {}
    }
    let families: BTreeSet<&str> = blocks.iter().map(|block| values::version(block)).collect();
    if net.text_of("version").is_some_and(|version| !families.contains(version.as_str())) {
        violations.push("version is not that of the addresses".to_owned());
    }
}

/// State and postal code are required in two countries; a country has one code at least.
fn whole_address(customer: &Node, violations: &mut Vec<String>) {
    let Some(country) = customer.child("iso3166-1") else { return };
    let codes = [country.text_of("code2"), country.text_of("code3")];
    let needs = |code: &String| matches!(code.as_str(), "US" | "USA" | "CA" | "CAN");
    if codes.iter().all(Option::is_none) {
        violations.push("iso3166-1 has neither code2 nor code3".to_owned());
    }
    if codes.iter().flatten().any(needs) {
        let missing = ["iso3166-2", "postalCode"].into_iter().filter(|name| customer.text_of(name).is_none());
        violations.extend(missing.map(|name| format!("{name} is missing in this country")));
    }
}

fn one_of(node: &Node, names: &[&str], violations: &mut Vec<String>) {
    let all = ["orgHandle", "customerHandle", "customer"].into_iter().filter(|name| has(node, name));
    let there: Vec<&str> = all.collect();
    if there.len() != 1 || !there.iter().all(|name| names.contains(name)) {
        violations.push(format!("exactly one of {} has to be there", names.join(", ")));
    }
}

fn has(node: &Node, name: &str) -> bool {
    node.child(name).is_some_and(|child| !child.text.trim().is_empty() || !child.children.is_empty())
}

fn same(node: &Node, name: &str, wanted: &str, violations: &mut Vec<String>) {
    if !node.text_of(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted)) {
        violations.push(format!("{name} is not {wanted}, as in the URL"));
    }
}

#[cfg(test)]
mod tests;
