//! Returns for each registered object the row that NetBox should have of it.
//!
//! Only fields that the sidecar owns appear here. A field that is not named is left as it is, and that is how fields that
//! belong to the operator, and links that exist, are kept.

use std::collections::BTreeSet;

use super::{links, references::References};
use crate::model::{
    Address, Customer, CustomerHandle, Fields, Key, Net, NetBlock, NetHandle, NetType, ObjectType, Org, OrgHandle,
    Payload, Poc, PocFunction, PocHandle, PocType, Row, Value, inventory::REGISTERED, payload::digest,
};

/// A row as it should be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Desired<'a> {
    pub(super) object: ObjectType,
    pub(super) key: Key,
    pub(super) handle: String,
    pub(super) fields: Fields,
    /// The document that goes along with a new digest.
    pub(super) raw: Option<&'a Payload>,
}

impl<'a> Desired<'a> {
    /// Adds the fields that every registered object has.
    fn new(object: ObjectType, key: Key, handle: &str, fields: Fields) -> Self {
        let mut all = Fields::from([
            ("key", Value::Text(key.to_string())),
            ("handle", Value::Text(handle.to_owned())),
            ("status", Value::Text(REGISTERED.to_owned())),
        ]);
        all.extend(fields);
        Self { object, key, handle: handle.to_owned(), fields: all, raw: None }
    }

    fn with_document(mut self, raw: &'a Payload) -> Self {
        self.fields.insert("digest", Value::Text(raw.digest().to_owned()));
        Self { raw: Some(raw), ..self }
    }
}

fn date(date: Option<jiff::civil::Date>) -> Value {
    date.map_or(Value::Empty, Value::Date)
}

/// An address row; its key is its content, so equal addresses are one row.
pub(super) fn address(address: &Address) -> Desired<'static> {
    let street = address.street.join("\n");
    let part = |part: &Option<String>| Value::text(part.as_deref());
    let mut fields = Fields::from([
        ("street_address", Value::text(Some(&street))),
        ("city", part(&address.city)),
        ("state_province", part(&address.state_province)),
        ("postal_code", part(&address.postal_code)),
        ("country", part(&address.country)),
    ]);
    let content: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let key = Key::recorded(format!("address:{}", digest(&content.join("\n"))));
    fields.insert("key", Value::Text(key.to_string()));
    Desired { object: ObjectType::Address, key, handle: address.to_string(), fields, raw: None }
}

pub(super) fn organization<'a>(org: &'a Org, address: Value, known: &References<'_>) -> Desired<'a> {
    let key = known.rules.instance.key(&org.handle);
    let fields = Fields::from([
        ("config", Value::NetBoxRow(known.rules.owner_of_org(&org.handle, known.recorded))),
        ("name", Value::text(Some(&org.name))),
        ("dba_name", Value::text(org.dba_name.as_deref())),
        ("org_url", Value::text(org.url.as_deref())),
        ("address", address),
        ("registration_date", date(org.registration_date)),
    ]);
    Desired::new(ObjectType::Organization, key, org.handle.as_str(), fields).with_document(&org.raw)
}

/// Returns the row of an organization, contact or customer that is as recorded, with what follows from other objects. `None`
/// for one that was read as well, and for other types.
pub(super) fn as_recorded(
    object: ObjectType,
    (key, row): (&Key, &Row),
    known: &References<'_>,
) -> Option<Desired<'static>> {
    let registered = known.registered;
    let handle = row.text("handle")?;
    let follows = match object {
        ObjectType::Organization => {
            let handle = OrgHandle::new(handle).filter(|handle| !registered.orgs.contains_key(handle))?;
            Fields::from([("config", Value::NetBoxRow(known.rules.owner_of_org(&handle, known.recorded)))])
        }
        ObjectType::Contact => {
            let handle = PocHandle::new(handle).filter(|handle| !registered.pocs.contains_key(handle))?;
            place_in_org(&handle, Some(row), known)
        }
        ObjectType::Customer => {
            let handle = CustomerHandle::new(handle).filter(|handle| !registered.customers.contains_key(handle))?;
            place_at_net(&handle, Some(row), known)
        }
        ObjectType::Address | ObjectType::Network => return None,
    };
    let mut fields = row.fields.clone();
    fields.extend(follows);
    Some(Desired { object, key: key.clone(), handle: handle.to_owned(), fields, raw: None })
}

pub(super) fn contact<'a>(poc: &'a Poc, address: Value, known: &References<'_>) -> Desired<'a> {
    let key = known.rules.instance.key(&poc.handle);
    let mut fields = Fields::from([
        ("contact_type", known_type(poc.kind.as_ref())),
        ("first_name", Value::text(poc.first_name.as_deref())),
        ("middle_name", Value::text(poc.middle_name.as_deref())),
        ("last_name", Value::text(poc.last_name.as_deref())),
        ("company_name", Value::text(poc.company_name.as_deref())),
        ("email", Value::text(Some(&poc.emails.join(", ")))),
        ("phone", Value::text(Some(&poc.phones.join(", ")))),
        ("address", address),
    ]);
    let row = known.recorded.row(ObjectType::Contact, &key);
    fields.extend(place_in_org(&poc.handle, row, known));
    Desired::new(ObjectType::Contact, key, poc.handle.as_str(), fields).with_document(&poc.raw)
}

/// Returns the organization that a contact serves, and its roles there.
///
/// A contact may serve the organizations of several configs, but its row names one. It stays with the config that first
/// recorded it for as long as that config's organization has it; else the two syncs would take it from each other for ever.
fn place_in_org(poc: &PocHandle, row: Option<&Row>, known: &References<'_>) -> Fields {
    let taken = row.is_some_and(|row| *row.field("organization") != Value::Empty);
    let (Some(functions), Some(org)) = (&known.registered.functions, &known.rules.org) else { return Fields::new() };
    if taken && !known.rules.speaks_for(row.and_then(Row::config)) {
        return Fields::new();
    }
    let roles = functions.get(poc);
    let codes: BTreeSet<String> = roles.into_iter().flatten().filter_map(known_role).collect();
    let org = roles.map_or(Value::Empty, |_| known.our_row(ObjectType::Organization, known.rules.instance.key(org)));
    Fields::from([
        ("config", Value::NetBoxRow(known.rules.config)),
        ("organization", org),
        ("roles", if codes.is_empty() { Value::Empty } else { Value::Choices(codes) }),
    ])
}

/// The type of a contact, if NetBox offers it as a choice.
fn known_type(kind: Option<&PocType>) -> Value {
    Value::text(kind.filter(|kind| !matches!(kind, PocType::Other(_))).map(PocType::code))
}

/// The code of a function, if NetBox offers it as a choice; it refuses all others. `raw_data` has them too.
fn known_role(function: &PocFunction) -> Option<String> {
    (!matches!(function, PocFunction::Other(_))).then(|| function.code().to_owned())
}

pub(super) fn network<'a>(net: &'a Net, known: &References<'_>) -> Desired<'a> {
    let rules = known.rules;
    let key = rules.instance.key(&net.handle);
    let range = net.range();
    let end = |pick: fn(&NetBlock) -> std::net::IpAddr| {
        range.as_ref().map_or(Value::Empty, |range| Value::Text(pick(range).to_string()))
    };
    let cidrs: Vec<String> = net.prefixes().iter().map(ToString::to_string).collect();
    let org = net.org().map(|org| known.our_row(ObjectType::Organization, rules.instance.key(org)));
    let mut fields = Fields::from([
        ("config", Value::NetBoxRow(rules.owner_of_net(net, known.registered, known.recorded))),
        ("net_name", Value::text(Some(&net.name))),
        ("net_type", Value::text(net.kind.as_ref().map(NetType::code))),
        ("version", range.map_or(Value::Empty, |range| Value::Number(if range.first().is_ipv4() { 4 } else { 6 }))),
        ("start_address", end(NetBlock::first)),
        ("end_address", end(NetBlock::last)),
        ("cidrs", Value::text(Some(&cidrs.join(", ")))),
        ("organization", org.unwrap_or(Value::Empty)),
        ("parent_handle", Value::text(net.parent.as_ref().map(NetHandle::as_str))),
        ("registration_date", date(net.registration_date)),
    ]);
    if rules.link {
        let row = known.recorded.row(ObjectType::Network, &key);
        fields.extend(links::links(net, row, known));
    }
    Desired::new(ObjectType::Network, key, net.handle.as_str(), fields).with_document(&net.raw)
}

pub(super) fn customer<'a>(customer: &'a Customer, address: Value, known: &References<'_>) -> Desired<'a> {
    let instance = &known.rules.instance;
    let key = instance.key(&customer.handle);
    let row = known.recorded.row(ObjectType::Customer, &key);
    let mut fields = Fields::from([
        ("config", Value::NetBoxRow(row.and_then(Row::config).unwrap_or(known.rules.config))),
        ("customer_name", Value::text(Some(&customer.name))),
        ("address", address),
        ("private", customer.private.map_or(Value::Empty, Value::Flag)),
        ("registration_date", date(customer.registration_date)),
    ]);
    fields.extend(place_at_net(&customer.handle, row, known));
    Desired::new(ObjectType::Customer, key, customer.handle.as_str(), fields).with_document(&customer.raw)
}

/// Returns the net that a customer holds, and whose it is.
fn place_at_net(customer: &CustomerHandle, row: Option<&Row>, known: &References<'_>) -> Fields {
    let Some(net) = net_of(customer, row, known) else { return Fields::new() };
    Fields::from([
        ("config", Value::NetBoxRow(known.rules.owner_of_net(net, known.registered, known.recorded))),
        ("network", known.our_row(ObjectType::Network, known.rules.instance.key(&net.handle))),
    ])
}

/// The net a customer holds: the recorded one while that is still true, else the first. ARIN gives a customer one net
/// only; old records have more.
fn net_of<'a>(customer: &CustomerHandle, row: Option<&Row>, known: &References<'a>) -> Option<&'a Net> {
    let handles = known.registered.nets_of.get(customer).into_iter().flatten();
    let mut held = handles.filter_map(|handle| known.registered.nets.get(handle)).peekable();
    let first = held.peek().copied();
    let recorded = row.map(|row| row.field("network"));
    held.find(|net| recorded == Some(&Value::OurRow(known.rules.instance.key(&net.handle)))).or(first)
}
