//! The invented organizations, points of contact and addresses that both worlds are peopled with.

use super::{
    calendar,
    registry::{Address, ContactType, Country, Org, Phone, Poc, PocLink, Registry},
};

/// Handle of the organization whose resources NetBox holds.
pub(super) const PROVIDER: &str = "EXAMPLE-NET-1";
/// Handle of the organization that stands for the registry itself.
pub(super) const ARIN: &str = "ARIN";

/// A point of contact: handle, type, first name, last name, functions, address.
type PocRow = (&'static str, ContactType, Option<&'static str>, &'static str, &'static [&'static str], fn() -> Address);

/// The provider's six points of contact. The first shares the address of the organization, the third has several
/// functions.
const PROVIDER_POCS: [PocRow; 6] = [
    ("EXAMP1-ARIN", ContactType::Person, Some("Alex"), "Example", &["AD"], reston),
    ("SAMPL2-ARIN", ContactType::Person, Some("Ren\u{e9}e"), "Sampl\u{e9}", &["T"], montreal),
    ("NETOP3-ARIN", ContactType::Role, None, "Network Operations", &["T", "N", "R"], denver),
    ("ABUSE4-ARIN", ContactType::Role, None, "Abuse Desk", &["AB"], denver),
    ("ROUTE5-ARIN", ContactType::Role, None, "Routing Desk", &["R"], denver),
    ("HOSTM6-ARIN", ContactType::Role, None, "Hostmaster", &["D"], montreal),
];

impl Registry {
    /// Adds the provider with its points of contact.
    pub(super) fn add_provider(&mut self) {
        let mut pocs = Vec::new();
        for (number, row) in PROVIDER_POCS.iter().enumerate() {
            let (handle, _, _, _, functions, _) = row;
            pocs.extend(functions.iter().map(|function| link(handle, function)));
            self.pocs.insert((*handle).to_owned(), poc(number, row));
        }
        let org = Org {
            dba_name: Some("ExampleNet".to_owned()),
            url: Some("https://www.example.net".to_owned()),
            comment: vec!["Abuse reports are answered within a day.".to_owned(), "24 \u{d7} 7 caf\u{e9}.".to_owned()],
            ..org(PROVIDER, "Example Networks Inc", reston(), pocs)
        };
        self.orgs.insert(PROVIDER.to_owned(), org);
    }

    /// Adds an organization with one role as Admin, Tech and Abuse contact, as ARIN wants it of anyone who is to be
    /// given a net.
    pub(super) fn add_org(&mut self, handle: &str, name: &str, address: fn() -> Address) {
        let number = self.pocs.len() + 1;
        let role = format!("NOC{number}-ARIN");
        let row = ("", ContactType::Role, None, "Network Operations", &[] as &[&str], address);
        let poc = Poc { handle: role.clone(), company_name: Some(name.to_owned()), ..poc(number, &row) };
        let links = ["AD", "T", "AB"].map(|function| link(&role, function)).to_vec();
        self.pocs.insert(role, poc);
        self.orgs.insert(handle.to_owned(), org(handle, name, address(), links));
    }
}

fn org(handle: &str, name: &str, address: Address, pocs: Vec<PocLink>) -> Org {
    Org {
        handle: handle.to_owned(),
        name: name.to_owned(),
        dba_name: None,
        url: None,
        address: Some(address),
        registered: Some(calendar::day(handle.len())),
        comment: Vec::new(),
        pocs,
        accepts_reassignments: None,
    }
}

fn link(handle: &str, function: &str) -> PocLink {
    PocLink { handle: handle.to_owned(), function: function.to_owned() }
}

fn poc(number: usize, (handle, contact_type, first_name, last_name, _, address): &PocRow) -> Poc {
    let mailbox = last_name.to_lowercase().replace(' ', "-").replace('\u{e9}', "e");
    Poc {
        handle: (*handle).to_owned(),
        contact_type: *contact_type,
        company_name: Some("Example Networks Inc".to_owned()),
        first_name: first_name.map(str::to_owned),
        middle_name: None,
        last_name: Some((*last_name).to_owned()),
        emails: vec![format!("{mailbox}@example.net")],
        phones: phones(number),
        address: Some(address()),
        registered: Some(calendar::day(number * 17)),
        comment: Vec::new(),
    }
}

/// An office number, each second time with an extension, each third time with a mobile one beside it.
fn phones(number: usize) -> Vec<Phone> {
    let phone = |kind: &str, line: usize, extension: Option<String>| Phone {
        kind: kind.to_owned(),
        number: format!("+1-703-555-{:04}", 100 + line % 100),
        extension,
    };
    let extension = number.is_multiple_of(2).then(|| (number + 10).to_string());
    let mobile = number.is_multiple_of(3).then(|| phone("M", number + 50, None));
    std::iter::once(phone("O", number, extension)).chain(mobile).collect()
}

pub(super) fn reston() -> Address {
    address(&["100 Example Way", "Suite 400"], "Reston", Some("VA"), Some("20190"), Country::US)
}

pub(super) fn denver() -> Address {
    address(&["1 Sample Street"], "Denver", Some("CO"), Some("80202"), Country::US)
}

pub(super) fn montreal() -> Address {
    address(&["12 rue de l'Exemple", "3e \u{e9}tage"], "Montr\u{e9}al", Some("QC"), Some("H2Y 1A1"), Country::CA)
}

pub(super) fn berlin() -> Address {
    address(&["Beispielstra\u{df}e 5 & 6"], "Berlin", None, Some("10115"), Country::DE)
}

/// An address without state and postal code.
pub(super) fn bridgetown() -> Address {
    address(&["7 Sample Quay"], "Bridgetown", None, None, Country::BB)
}

/// An address that depends on nothing but `number`: three of five customers have one of their own.
pub(super) fn somewhere(number: usize) -> Address {
    let cities =
        [("Reston", "VA", "20190"), ("Denver", "CO", "80202"), ("Austin", "TX", "78701"), ("Boise", "ID", "83702")];
    let (city, state, postal_code) = cities.get(number % cities.len()).copied().unwrap_or(("Reston", "VA", "20190"));
    let house = if number % 5 < 3 { number } else { number % 5 };
    address(&[&format!("{house} Sample Street")], city, Some(state), Some(postal_code), Country::US)
}

fn address(street: &[&str], city: &str, state: Option<&str>, postal_code: Option<&str>, country: Country) -> Address {
    Address {
        street: street.iter().map(|line| (*line).to_owned()).collect(),
        city: Some(city.to_owned()),
        state_province: state.map(str::to_owned),
        postal_code: postal_code.map(str::to_owned),
        country,
    }
}
