//! Drafts of changed texts: of a net its name and comment, of a customer name, address and privacy. What ARIN has is sent back
//! as it is besides.

use serde_json::json;

use super::{
    answers::{Answers, Question},
    create::{ADDRESS, address, with_set},
    drafting::{Draft, Drafting, Outline, Rows, Stop, read},
    fields::Field,
    page::Page,
    refusal::NotAskedFor,
    wish::Wish,
};
use crate::{
    arin::{Call, Document, Unsendable},
    findings::{
        judge::{Assignment, WantedAddress},
        names::{fold, is_masked, is_other_place},
        registrations::RecordedNet,
    },
    model::{Address, Customer, CustomerHandle, Holder, Net, NetBlock, NetHandle, ObjectType},
    requests::{
        change::{Change, CustomerChange, NetTarget, NetworkChange},
        operation::Operation,
    },
};

const NETWORK: [Field; 2] = [Field::NetName, Field::Comment];
const CUSTOMER: [Field; 7] = [
    Field::CustomerName,
    Field::StreetAddress,
    Field::City,
    Field::Country,
    Field::StateProvince,
    Field::PostalCode,
    Field::PrivateCustomer,
];

/// The beginning of the street that ARIN shows of a private customer.
const RESIDENCE: &str = "PRIVATE RESIDENCE";

/// The new facts of a customer, as far as they are other ones.
#[derive(Default)]
struct NewFacts {
    name: Option<String>,
    address: Option<Address>,
    private: Option<bool>,
}

impl<'a> Drafting<'a> {
    pub(super) fn change_network(&self, wish: &Wish, handle: &NetHandle, asked: &Answers) -> Result<Draft, Stop> {
        let operation = Operation::ChangeNetwork;
        Self::takes(wish, operation, &NETWORK)?;
        let (net, document) = self.net(handle, asked)?;
        let name = wish.set.text(Field::NetName).map(str::to_ascii_uppercase);
        let name = name.or_else(|| self.name_by_template(handle)).filter(|name| *name != net.name.to_uppercase());
        let mut changed = document.clone();
        if let Some(name) = &name {
            changed.set_text("netName", Some(name))?;
        }
        let comment = wish.set.lines(Field::Comment).map(<[String]>::to_vec);
        if let Some(comment) = &comment {
            changed.set_comment(comment)?;
        }
        if changed.digest() == document.digest() {
            return Err(NotAskedFor::NothingToChange(format!("network {handle}")).into());
        }
        let target = target(&net).ok_or_else(|| NotAskedFor::NothingKept(handle.to_string()))?;
        let what = [name.is_some().then_some("name"), comment.is_some().then_some("comment")];
        let outline = Outline {
            operation,
            summary: format!("Change {}network {handle}", listed(&what)),
            range: Some(target.range),
            links: self.rows_of(handle),
        };
        let change = Change::ChangeNetwork(NetworkChange { net: target, name, comment });
        let before = json!({ "net": document.json() });
        Ok(outline.draft(Page::default(), Some((change, Call::change_net(handle, &changed))), before, Some(document)))
    }

    /// Returns a net that ARIN has, if it is the recorded registration.
    pub(super) fn net<'q>(&self, handle: &NetHandle, asked: &'q Answers) -> Result<(Net, &'q Document), Stop> {
        let (net, document) = read(asked.nets.get(handle), &Question::Net(handle.clone()), Document::net)?;
        let recorded = self.recorded(handle).filter(|net| net.registered).and_then(|net| net.registered_on);
        let dates = recorded.zip(net.registration_date);
        if dates.is_some_and(|(recorded, registered)| recorded != registered) {
            return Err(NotAskedFor::OtherRegistration(handle.clone()).into());
        }
        Ok((net, document))
    }

    /// Returns the name that a net gets by the template, if one is set.
    fn name_by_template(&self, handle: &NetHandle) -> Option<String> {
        let template = Some(self.policy.net_name_template.as_str()).filter(|template| !template.is_empty())?;
        let assignment = self.assignments.of_net(handle)?;
        let customer = self.customer_of(handle).ok().and_then(|customer| self.assignments.customer(&customer));
        let is_private = assignment.is_residential() == Some(true) || customer.is_some_and(|it| it.is_private());
        let holder = if is_private { None } else { Some(assignment.holder()?) };
        assignment.net_name(template, holder)
    }

    pub(super) fn change_customer(&self, wish: &Wish, handle: &CustomerHandle, asked: &Answers) -> Result<Draft, Stop> {
        let operation = Operation::ChangeCustomer;
        Self::takes(wish, operation, &CUSTOMER)?;
        let question = Question::Customer(handle.clone());
        let (customer, document) = read(asked.customers.get(handle), &question, Document::customer)?;
        let net = self.net_of_customer(handle);
        let assignment = net.and_then(|net| self.assignments.of_net(&net.handle));
        let mut page = Page::default();
        let facts = new_facts(&mut page, wish, &customer, assignment.as_ref());
        let mut changed = document.clone();
        facts.put_into(&mut changed)?;
        if page.missing.is_empty() && changed.digest() == document.digest() {
            return Err(NotAskedFor::NothingToChange(format!("customer {handle}")).into());
        }
        let what = [
            facts.name.is_some().then_some("name"),
            facts.address.is_some().then_some("address"),
            facts.private.is_some().then_some("privacy"),
        ];
        let range = net.and_then(|net| NetBlock::spanning(&net.blocks));
        let mut links = net.map(|net| self.rows_of(&net.handle)).unwrap_or_default();
        links.customer = self.assignments.customer(handle).map(|row| row.row);
        let outline =
            Outline { operation, summary: format!("Change {}customer {handle}", listed(&what)), range, links };
        let NewFacts { name, address, private } = facts;
        let change = Change::ChangeCustomer(CustomerChange { customer: handle.clone(), range, name, address, private });
        let before = json!({ "customer": document.json() });
        Ok(outline.draft(page, Some((change, Call::change_customer(handle, &changed))), before, Some(document)))
    }

    /// Returns the recorded net of a customer.
    pub(super) fn net_of_customer(&self, handle: &CustomerHandle) -> Option<&'a RecordedNet> {
        let row = self.assignments.customer(handle).and_then(|customer| customer.network);
        let of_row = row.and_then(|row| self.registrations.nets.iter().find(|net| net.row == row));
        of_row.or_else(|| {
            let answers = self.registrations.looks.answers.iter();
            let mut answers = answers.filter(|answer| answer.config == self.config.id);
            let answer = answers.find(|it| it.object == ObjectType::Customer && it.handle == handle.as_str())?;
            self.recorded(answer.net.as_ref()?)
        })
    }

    /// Returns the rows of a net, its holder and its prefix.
    pub(super) fn rows_of(&self, handle: &NetHandle) -> Rows {
        let net = self.recorded(handle);
        let (organization, customer) = match net.and_then(|net| net.holder.as_ref()) {
            Some(Holder::Org(org)) => (self.assignments.org(org).map(|row| row.row), None),
            Some(Holder::Customer(customer)) => (None, self.assignments.customer(customer).map(|row| row.row)),
            None => (None, None),
        };
        let prefix = self.assignments.of_net(handle).map(|assignment| assignment.prefix().id);
        Rows { prefix, network: net.map(|net| net.row), customer, organization }
    }
}

/// Returns what tells a registration from any other one; `None` for a net without a range.
pub(super) fn target(net: &Net) -> Option<NetTarget> {
    Some(NetTarget {
        handle: net.handle.clone(),
        range: net.range()?,
        holder: net.holder.clone(),
        registered_on: net.registration_date,
    })
}

/// Returns what is to be changed of a customer: what was set, and what is not as NetBox has it.
///
/// Of a private customer ARIN may show another name and street than it has, so that nothing of these can be compared, and
/// sending them back would destroy what ARIN has: then they are taken from NetBox as a whole.
fn new_facts(page: &mut Page, wish: &Wish, customer: &Customer, assignment: Option<&Assignment<'_, '_>>) -> NewFacts {
    let masked = is_hidden(customer);
    let is_private = customer.private == Some(true) || masked;
    let by_tag = assignment.and_then(Assignment::is_residential).filter(|wanted| *wanted != is_private);
    let private = wish.set.private().filter(|wanted| Some(*wanted) != customer.private);
    let private = if wish.set.private().is_some() { private } else { by_tag };
    let is_set = wish.set.names().next().is_some();
    let whole = masked && (is_set || private.is_some());
    let is_compared = !is_private || private == Some(false) || whole;
    let name = new_name(page, wish, customer, assignment.filter(|_| is_compared), whole);
    let address = new_address(page, wish, customer, assignment.filter(|_| is_compared), whole);
    NewFacts { name, address, private }
}

/// Returns whether ARIN shows another name or street than it has.
fn is_hidden(customer: &Customer) -> bool {
    let street = customer.address.iter().flat_map(|address| &address.street);
    is_masked(&customer.name) || street.into_iter().any(|line| line.to_uppercase().starts_with(RESIDENCE))
}

fn new_name(
    page: &mut Page,
    wish: &Wish,
    customer: &Customer,
    assignment: Option<&Assignment<'_, '_>>,
    is_needed: bool,
) -> Option<String> {
    if let Some(set) = wish.set.text(Field::CustomerName) {
        return page.ascii(Field::CustomerName, set, None);
    }
    let Some(wanted) = assignment.and_then(Assignment::holder) else {
        if is_needed {
            page.miss("customerName", "ARIN does not show the name, and no tenant has it: set customerName");
        }
        return None;
    };
    // What cannot be folded cannot be compared either.
    let differs = fold(wanted).is_some_and(|wanted| fold(&customer.name) != Some(wanted));
    (is_needed || differs)
        .then(|| page.ascii(Field::CustomerName, wanted, Some(&format!("the name of tenant {wanted}"))))?
}

fn new_address(
    page: &mut Page,
    wish: &Wish,
    customer: &Customer,
    assignment: Option<&Assignment<'_, '_>>,
    is_needed: bool,
) -> Option<Address> {
    let is_set = ADDRESS.iter().any(|field| wish.set.text(*field).is_some() || wish.set.lines(*field).is_some());
    let wanted = assignment.map_or(WantedAddress::None, Assignment::address);
    let registered = customer.address.as_ref();
    let differs = match &wanted {
        WantedAddress::One(row) => registered.is_none_or(|registered| is_other_place(registered, &row.address)),
        WantedAddress::Several(_) | WantedAddress::None => false,
    };
    if let Some(assignment) = assignment
        && (is_needed || differs)
    {
        return address(page, wish, &wanted, assignment);
    }
    if is_needed && !is_set {
        page.miss("address", "ARIN does not show the address, and no tenant has one: set streetAddress and the others");
        return None;
    }
    if !is_set {
        return None;
    }
    // Of an address that ARIN does not show nothing can be kept.
    let base = registered.filter(|_| !is_needed).cloned().unwrap_or_default();
    let before = page.missing.len();
    let written = page.address(&with_set(base, wish), None);
    (page.missing.len() == before).then_some(written)
}

impl NewFacts {
    fn put_into(&self, document: &mut Document) -> Result<(), Unsendable> {
        if let Some(name) = &self.name {
            document.set_text("customerName", Some(name))?;
        }
        if let Some(address) = &self.address {
            document.set_address(address)?;
        }
        if let Some(private) = self.private {
            document.set_text("privateCustomer", Some(if private { "true" } else { "false" }))?;
        }
        Ok(())
    }
}

/// Writes what is changed one behind the other, `name and comment of `.
fn listed(what: &[Option<&str>]) -> String {
    let words: Vec<&str> = what.iter().copied().flatten().collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => format!("{one} of "),
        [first @ .., last] => format!("{} and {last} of ", first.join(", ")),
    }
}
