//! What is gathered while a draft is written: what is missing, and what is written otherwise than NetBox has it.

use super::fields::{Field, is_country};
use crate::{
    findings::{names::ascii, postal},
    model::Address,
    requests::change::{Check, Folded, Missing, Verdict},
};

/// What has been gathered so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Page {
    pub(super) missing: Vec<Missing>,
    pub(super) folded: Vec<Folded>,
    pub(super) checks: Vec<Check>,
}

impl Page {
    /// Says that something is missing, and where to put it.
    pub(super) fn miss(&mut self, what: impl Into<String>, where_to: impl Into<String>) {
        self.missing.push(Missing { what: what.into(), where_to: where_to.into() });
    }

    /// Says something that whoever approves should look at.
    pub(super) fn look(&mut self, name: &str, reason: impl Into<String>) {
        self.check(name, Verdict::Look, reason.into());
    }

    /// Says why it must not be sent.
    pub(super) fn block(&mut self, name: &str, reason: impl Into<String>) {
        self.check(name, Verdict::Blocked, reason.into());
    }

    fn check(&mut self, name: &str, verdict: Verdict, reason: String) {
        self.checks.push(Check { name: name.to_owned(), verdict, reason });
    }

    /// Writes a text in ASCII; what cannot be is missing. `place` is where NetBox has it, if it does.
    pub(super) fn ascii(&mut self, field: Field, text: &str, place: Option<&str>) -> Option<String> {
        match ascii(text) {
            Some(written) if written.is_empty() && field == Field::CustomerName => {
                let change = change(place);
                self.miss(field.to_string(), format!("`{text}` is no name in ASCII letters: {change}set {field}"));
                None
            }
            Some(written) => {
                if written != text.trim() {
                    self.folded.push(Folded { field: field.to_string(), from: text.to_owned(), to: written.clone() });
                }
                Some(written).filter(|written| !written.is_empty())
            }
            None => {
                let change = change(place);
                let where_to =
                    format!("`{text}` cannot be written in ASCII letters, as ARIN wants it: {change}set {field}");
                self.miss(field.to_string(), where_to);
                None
            }
        }
    }

    /// Writes an address in ASCII; every part of it that ARIN asks for and that is not there is missing. `place` is where
    /// NetBox has it, if it does.
    pub(super) fn address(&mut self, address: &Address, place: Option<&str>) -> Address {
        let lines = address.street.iter().flat_map(|line| line.lines());
        let street = lines.filter_map(|line| self.ascii(Field::StreetAddress, line, place)).collect();
        let mut part = |field, text: &Option<String>| self.ascii(field, text.as_deref()?, place);
        let written = Address {
            street,
            city: part(Field::City, &address.city),
            state_province: part(Field::StateProvince, &address.state_province),
            postal_code: part(Field::PostalCode, &address.postal_code),
            country: part(Field::Country, &address.country).map(|country| country.to_ascii_uppercase()),
        };
        if let Some(country) = written.country.as_deref().filter(|country| !is_country(country)) {
            let change = change(place);
            let where_to = format!("`{country}` is no code of two or three letters: {change}set iso3166-1");
            self.miss(Field::Country.to_string(), where_to);
        }
        for lacking in postal::lacks(&written) {
            let element = lacking.element();
            if !self.missing.iter().any(|missing| missing.what == element) {
                let fill_in = place.map(|place| format!("fill in the {lacking} of {place}, or ")).unwrap_or_default();
                self.miss(element, format!("{fill_in}set {element}"));
            }
        }
        written
    }
}

fn change(place: Option<&str>) -> String {
    place.map(|place| format!("change {place}, or ")).unwrap_or_default()
}
