//! What holds for customers.

use super::{Complaints, Terms, names::ascii};
use crate::{
    regrws::{change::Change, payload, reply::Reply, submitted::SubmittedCustomer},
    world::{Address, Customer},
};

/// The countries of which state and postal code are required.
const WHOLE_ADDRESS: [&str; 2] = ["US", "CA"];

/// A customer by itself, under a net.
pub(super) fn created(terms: Terms<'_>, parent: &str, sent: &SubmittedCustomer) -> Result<Change, Reply> {
    let (_, org) = terms.parent(parent)?;
    let mut complaints = Complaints::default();
    let customer = new(sent, org, &mut complaints);
    complaints.settled(customer).map(|customer| Change::RegisterCustomer(Box::new(customer)))
}

/// Another name, address, comment or privacy of a customer.
pub(super) fn modified(terms: Terms<'_>, handle: &str, sent: &SubmittedCustomer) -> Result<Change, Reply> {
    let now = terms.customer(handle)?;
    let mut complaints = Complaints::default();
    let customer = changed(terms, now, sent, &mut complaints);
    complaints.settled(customer).map(|customer| Change::ReplaceCustomer(Box::new(customer)))
}

/// A customer that is to be made, without a handle; or complaints.
pub(super) fn new(sent: &SubmittedCustomer, org: &str, complaints: &mut Complaints) -> Option<Customer> {
    complaints.say_if(sent.handle.is_some(), "handle", "The handle has to be empty.");
    complaints.say_if(sent.registered.is_some(), "registrationDate", "The date has to be empty.");
    whole(sent, Some(org), complaints)
}

/// A customer as it is to be from now on; or complaints.
pub(super) fn changed(
    terms: Terms<'_>,
    now: &Customer,
    sent: &SubmittedCustomer,
    complaints: &mut Complaints,
) -> Option<Customer> {
    let shown = payload::shown_moment(now.registered, terms.options.style, &now.handle);
    complaints.say_if(sent.handle.as_ref() != Some(&now.handle), "handle", "The handle cannot be modified.");
    complaints.say_if(sent.registered != shown, "registrationDate", "The date cannot be modified.");
    let customer = whole(sent, now.parent_org.as_deref(), complaints)?;
    Some(Customer { handle: now.handle.clone(), registered: now.registered, ..customer })
}

fn whole(sent: &SubmittedCustomer, org: Option<&str>, complaints: &mut Complaints) -> Option<Customer> {
    let other_org = sent.parent_org.as_deref().is_some_and(|sent| Some(sent) != org);
    complaints.say_if(other_org, "parentOrgHandle", "It is not the organization that the customer belongs to.");
    let name = sent.name.as_deref().ok_or("The name is required.").and_then(ascii);
    let name = complaints.value("customerName", name);
    let address = address(sent, complaints);
    Some(Customer {
        handle: String::new(),
        name: name?,
        parent_org: org.map(str::to_owned),
        private: Some(sent.private.unwrap_or(false)),
        address: Some(address?),
        registered: None,
        comment: sent.comment.clone(),
    })
}

fn address(sent: &SubmittedCustomer, complaints: &mut Complaints) -> Option<Address> {
    complaints.say_if(sent.street.is_empty(), "streetAddress", "At least one line is required.");
    let country = complaints.value("iso3166-1", sent.country);
    let needed = country.is_some_and(|country| WHOLE_ADDRESS.contains(&country.code2));
    let in_full = [("iso3166-2", &sent.state_province), ("postalCode", &sent.postal_code)];
    for (name, value) in in_full {
        complaints.say_if(needed && value.is_none(), name, "It is required in this country.");
    }
    for (name, value) in in_full.into_iter().chain([("city", &sent.city)]) {
        let wrong = value.as_deref().is_some_and(|value| ascii(value).is_err());
        complaints.say_if(wrong, name, "Only ASCII characters may be in here.");
    }
    let street: Option<Vec<String>> =
        sent.street.iter().map(|line| complaints.value("streetAddress", ascii(line))).collect();
    Some(Address {
        street: street?,
        city: sent.city.clone(),
        state_province: sent.state_province.clone(),
        postal_code: sent.postal_code.clone(),
        country: country?,
    })
}
