//! The checks of a new net.

use super::{
    super::{
        answered::Answered,
        identity::{self, written_range},
    },
    known::Known,
    live::Live,
    sheet::{blocked, look, passed},
};
use crate::{
    arin::{NewCustomer, NewHolder, NewNet},
    findings::postal::lacks,
    model::{
        Address, Net, NetBlock, NetType, Org, OrgHandle, Recipient, address_block::registrable, registration::Holder,
    },
    requests::change::Check,
};

/// The most characters of a net's name.
const LONGEST_NAME: usize = 50;
/// The end of the handle of an organization that cannot be given space.
const NO_RECIPIENT: &str = "-Z";

pub(super) fn check(net: &NewNet, live: &Live, known: &Known) -> Vec<Check> {
    let mut checks = vec![range(net, known), key(net, live), parent(net, live, known)];
    checks.extend(whole_parent(net, live));
    checks.extend([free(net, live), inside(net, known), name(&net.name)]);
    match &net.holder {
        NewHolder::Customer(wanted) => checks.push(customer(wanted)),
        NewHolder::Org(handle) => checks.extend([organization(handle, live), contacts(handle)]),
    }
    checks
}

fn range(net: &NewNet, known: &Known) -> Check {
    let (range, told) = (net.range, written_range(net.range));
    if let Some(why) = range.prefixes().into_iter().find_map(|prefix| registrable(prefix).err()) {
        return blocked("range", format!("{told} cannot be registered: {why}."));
    }
    match known.aggregates.iter().find(|aggregate| NetBlock::from(**aggregate).covers(&range)) {
        Some(aggregate) => passed("range", format!("{told} lies inside aggregate {aggregate}.")),
        None => blocked(
            "range",
            format!(
                "{range} lies inside no aggregate of this RIR; add the aggregate in NetBox, or use another config."
            ),
        ),
    }
}

/// Whether the key may give out parts of the parent only shows when it is sent.
fn key(net: &NewNet, live: &Live) -> Check {
    match &live.parent {
        Answered::Found(_) | Answered::Absent => passed(
            "key",
            format!("ARIN answers this API key; whether it may cut from {} only shows when it is sent.", net.parent),
        ),
        Answered::NotKnown(why) => {
            blocked("key", format!("ARIN gave this API key no answer about {}: {why}.", written_range(net.range)))
        }
    }
}

fn parent(net: &NewNet, live: &Live, known: &Known) -> Check {
    let (range, planned) = (written_range(net.range), &net.parent);
    let reason = match &live.parent {
        Answered::NotKnown(why) => format!("It is not known which net {range} would be cut from: {why}."),
        Answered::Absent => format!("ARIN has no net that {range} could be cut from."),
        Answered::Found(found) => match unfit_parent(net, found, known) {
            Some(reason) => reason,
            None => {
                let holder = identity::holder(found.holder.as_ref());
                return passed("parent", format!("{range} would be cut from {planned}, held by {holder}."));
            }
        },
    };
    blocked("parent", reason)
}

/// Returns why a range cannot be cut from a net as planned.
fn unfit_parent(net: &NewNet, parent: &Net, known: &Known) -> Option<String> {
    let (range, handle) = (written_range(net.range), &parent.handle);
    match &parent.kind {
        Some(NetType::Reassigned) => {
            return Some(format!(
                "{range} is covered by the reassignment {handle}, and nothing can be cut from a reassignment."
            ));
        }
        Some(NetType::DirectAllocation | NetType::Reallocated) => {}
        kind @ (Some(NetType::Registry(_) | NetType::Other(_)) | None) => {
            let code = kind.as_ref().map_or("none", NetType::code);
            return Some(format!("{handle} is of type {code}, and only from DA and A nets can be cut."));
        }
    }
    if *handle != net.parent {
        return Some(format!("{range} would be cut from {handle} now, not from {}; prepare it again.", net.parent));
    }
    if !parent.range().is_some_and(|whole| whole.covers(&net.range)) {
        return Some(format!("{range} does not lie wholly inside {handle}."));
    }
    match &parent.holder {
        Some(Holder::Org(org)) if known.ours.contains(org) => None,
        other @ (Some(_) | None) => Some(format!(
            "{handle} is held by {}, which is not yours: only its holder can register {range}. If it is yours, link \
             the RIR organization to one of your own tenants.",
            identity::holder(other.as_ref())
        )),
    }
}

/// Nobody has tried whether ARIN takes that.
fn whole_parent(net: &NewNet, live: &Live) -> Option<Check> {
    let (parent, range) = (live.parent.found()?, written_range(net.range));
    Some(if parent.range() == Some(net.range) {
        look(
            "whole parent",
            format!(
                "{} is the whole of {}; ARIN may refuse to give all of a net to one holder.",
                net.range, net.parent
            ),
        )
    } else {
        passed("whole parent", format!("{range} is only a part of {}.", parent.handle))
    })
}

fn free(net: &NewNet, live: &Live) -> Check {
    let range = written_range(net.range);
    match &live.exact {
        Answered::Absent => passed("free", format!("ARIN has no net of exactly {range}.")),
        // Some registries answer with the net around the range where it has none of its own.
        Answered::Found(found) if found.handle == net.parent => {
            passed("free", format!("The most specific net of {range} is {}, its parent.", found.handle))
        }
        Answered::Found(found) if found.range() == Some(net.range) => blocked(
            "free",
            format!(
                "{range} is registered already: {}, held by {}. Sync it into NetBox.",
                found.handle,
                identity::holder(found.holder.as_ref())
            ),
        ),
        Answered::Found(found) => blocked(
            "free",
            format!("{range} has addresses of {}, which is not its parent {}.", found.handle, net.parent),
        ),
        Answered::NotKnown(why) => blocked("free", format!("It is not known whether {range} is registered: {why}.")),
    }
}

fn inside(net: &NewNet, known: &Known) -> Check {
    let handles: Vec<&str> = known.inside(net.range).map(|other| other.handle.as_str()).collect();
    if handles.is_empty() {
        return passed("inside", format!("No net inside {} is recorded in NetBox.", written_range(net.range)));
    }
    let (range, handles) = (written_range(net.range), handles.join(", "));
    blocked("inside", format!("{range} overlaps {handles}; remove these first, or sync if they are gone."))
}

/// The pattern that is valid under all readings of ARIN's rules.
pub(super) fn name(name: &str) -> Check {
    let allowed = |letter: u8| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == b'-';
    let fits = name.bytes().all(allowed) && name.len() <= LONGEST_NAME && !name.is_empty() && !name.starts_with('-');
    if fits {
        return passed("name", format!("{name} is a name that ARIN takes."));
    }
    blocked(
        "name",
        format!(
            "`{name}` is no name for a net: 1 to {LONGEST_NAME} upper case letters, digits and hyphens, the first no \
             hyphen. Set `netName`."
        ),
    )
}

fn customer(wanted: &NewCustomer) -> Check {
    let mut faults = name_faults(&wanted.name);
    faults.extend(address_faults(&wanted.address));
    told_customer(&wanted.name, &faults)
}

/// Writes down what a customer lacks.
pub(super) fn told_customer(name: &str, faults: &[String]) -> Check {
    if faults.is_empty() {
        return passed("customer", format!("What ARIN needs to know of customer {name} is complete."));
    }
    blocked("customer", format!("Customer {name} is not complete: {}.", faults.join("; ")))
}

pub(super) fn name_faults(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.trim().is_empty() {
        faults.push("`customerName` is missing".to_owned());
    }
    faults.extend(not_ascii("customerName", name));
    faults
}

/// Returns what ARIN would refuse of a customer's address.
pub(super) fn address_faults(address: &Address) -> Vec<String> {
    let missing = lacks(address).into_iter().map(|part| format!("`{}` is missing", part.element()));
    let text = |part: &Option<String>| part.as_deref().unwrap_or_default().trim().to_owned();
    let parts = [
        ("streetAddress", address.street.join(" ")),
        ("city", text(&address.city)),
        ("iso3166-1", text(&address.country)),
        ("iso3166-2", text(&address.state_province)),
        ("postalCode", text(&address.postal_code)),
    ];
    let unwritable = parts.into_iter().filter_map(|(element, text)| not_ascii(element, &text));
    missing.chain(unwritable).collect()
}

fn not_ascii(element: &str, text: &str) -> Option<String> {
    let printable = text.chars().all(|letter| matches!(letter, ' '..='~'));
    (!printable).then(|| format!("`{element}` has other letters than ASCII"))
}

fn organization(handle: &OrgHandle, live: &Live) -> Check {
    let name = "organization";
    if handle.as_str().ends_with(NO_RECIPIENT) {
        return blocked(name, format!("{handle} ends in {NO_RECIPIENT}: such an organization cannot be given space."));
    }
    match &live.org {
        Answered::Absent => blocked(name, format!("ARIN has no organization {handle}.")),
        // A key may be refused a look at an organization that it can give space to.
        Answered::NotKnown(why) => look(name, format!("{handle} cannot be checked: {why}.")),
        Answered::Found(org) => recipient(handle, org),
    }
}

fn recipient(handle: &OrgHandle, org: &Org) -> Check {
    let functions = org.pocs.values().flatten().cloned().collect();
    let recipient = Recipient { functions, accepts: org.accepts_reassignments };
    let mut faults: Vec<String> = recipient.lacks().into_iter().map(|what| format!("it lacks {what}")).collect();
    if recipient.accepts == Some(false) {
        faults.push("it accepts no reassignments".to_owned());
    }
    if !faults.is_empty() {
        return blocked("organization", format!("{handle} cannot be given space: {}.", faults.join("; ")));
    }
    if handle.as_str().contains(NO_RECIPIENT) {
        let reason = format!("{handle} has {NO_RECIPIENT} in it, as organizations have that cannot be given space.");
        return look("organization", reason);
    }
    passed("organization", format!("{handle} ({}) has the contacts it needs and takes reassignments.", org.name))
}

fn contacts(handle: &OrgHandle) -> Check {
    let reason =
        format!("Reg-RWS does not say whether a contact of {handle} is validated; ARIN may refuse if none is.");
    look("contacts", reason)
}
