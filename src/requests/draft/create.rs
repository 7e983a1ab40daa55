//! Drafts of registrations: reassign simple, reassign detailed, reallocate.

use super::{
    answers::{Answers, Question},
    drafting::{Draft, Drafting, Outline, Rows, Stop, known},
    fields::Field,
    page::Page,
    place::Place,
    refusal::NotAskedFor,
    wish::Wish,
};
use crate::{
    arin::{Call, NewCustomer, NewHolder, NewNet},
    findings::{
        judge::{Assignment, WantedAddress, written},
        postal::lacks,
    },
    model::{Address, NetBlock, NetHandle, NetType, OrgHandle, RowId},
    requests::{answered::Answered, change::Change, operation::Operation},
};

/// The name of a net where no template is set.
const NET_NAME: &str = "{tenant}-{prefix}";
/// The most prefixes or rows that a sentence names.
const NAMED: usize = 3;

const SIMPLE: [Field; 9] = [
    Field::NetName,
    Field::CustomerName,
    Field::StreetAddress,
    Field::City,
    Field::Country,
    Field::StateProvince,
    Field::PostalCode,
    Field::PrivateCustomer,
    Field::Comment,
];
const WITH_ORG: [Field; 3] = [Field::NetName, Field::OrgHandle, Field::Comment];

/// The fields of an address.
pub(super) const ADDRESS: [Field; 5] =
    [Field::StreetAddress, Field::City, Field::Country, Field::StateProvince, Field::PostalCode];

/// Who is to get a range, with the words for them in a sentence.
pub(super) struct Recipient {
    pub(super) holder: Option<NewHolder>,
    pub(super) words: String,
    pub(super) organization: Option<OrgHandle>,
}

impl<'a> Drafting<'a> {
    pub(super) fn create(
        &self,
        wish: &Wish,
        place: Place,
        chosen: Option<Operation>,
        asked: &Answers,
    ) -> Result<Draft, Stop> {
        let assignment = self.assignment(place)?;
        if assignment.is_our_own() && chosen.is_none() && wish.org().is_none() {
            let (range, tenant) = (assignment.range(), assignment.holder().unwrap_or_default().to_owned());
            return Err(NotAskedFor::OurOwn { range, tenant }.into());
        }
        let operation = chosen.unwrap_or_else(|| kind(wish, &assignment));
        let mut page = Page::default();
        let range = NetBlock::from(assignment.range());
        let parent = parent(&mut page, range, asked)?;
        let is_private = wish.set.private().or(assignment.is_residential()).unwrap_or(false);
        let recipient = match operation {
            Operation::ReassignSimple => {
                Self::takes(wish, operation, &SIMPLE)?;
                customer(&mut page, wish, &assignment, is_private)
            }
            Operation::ReassignDetailed
            | Operation::Reallocate
            | Operation::ChangeNetwork
            | Operation::ChangeCustomer
            | Operation::RemoveNetwork
            | Operation::DeleteCustomer => {
                Self::takes(wish, operation, &WITH_ORG)?;
                self.organization(&mut page, wish, &assignment, asked)?
            }
        };
        let name = self.net_name(&mut page, wish, &assignment, is_private);
        let comment = wish.set.lines(Field::Comment).map(<[String]>::to_vec).unwrap_or_default();
        let kind = kind_of_net(operation);
        let net = (|| {
            let (name, parent, holder) = (name?, parent?, recipient.holder.clone()?);
            Some(NewNet { name, parent, range, kind, holder, comment })
        })();
        self.created(net, operation, page, (range, assignment.prefix().id, &recipient))
    }

    /// Makes the draft of a new net; without one something is missing.
    pub(super) fn created(
        &self,
        net: Option<NewNet>,
        operation: Operation,
        page: Page,
        (range, prefix, recipient): (NetBlock, impl Into<Option<RowId>>, &Recipient),
    ) -> Result<Draft, Stop> {
        let verb = match operation {
            Operation::Reallocate => "Reallocate",
            Operation::ReassignSimple
            | Operation::ReassignDetailed
            | Operation::ChangeNetwork
            | Operation::ChangeCustomer
            | Operation::RemoveNetwork
            | Operation::DeleteCustomer => "Reassign",
        };
        let organization = recipient.organization.as_ref().and_then(|org| self.assignments.org(org));
        let outline = Outline {
            operation,
            summary: format!("{verb} {} to {}", written(range), recipient.words),
            range: Some(range),
            links: Rows { prefix: prefix.into(), organization: organization.map(|org| org.row), ..Rows::default() },
        };
        let call = net.as_ref().map(Call::create).transpose()?;
        Ok(outline.draft(page, net.map(Change::Create).zip(call), serde_json::Value::Null, None))
    }

    /// Returns the organization that gets a range.
    fn organization(
        &self,
        page: &mut Page,
        wish: &Wish,
        assignment: &Assignment<'_, 'a>,
        asked: &Answers,
    ) -> Result<Recipient, Stop> {
        let named = wish.org();
        let org = match &named {
            Some(org) => self.named_org(page, org, asked)?,
            None => linked_org(page, assignment),
        };
        let words = match org.as_ref().or(named.as_ref()) {
            Some(org) => self.org_words(org),
            None => assignment.holder().unwrap_or("an organization").to_owned(),
        };
        Ok(Recipient { holder: org.clone().map(NewHolder::Org), words, organization: org })
    }

    /// Returns an organization by its name and handle, as far as it is recorded.
    pub(super) fn org_words(&self, org: &OrgHandle) -> String {
        match self.assignments.org(org) {
            Some(row) => format!("{} ({org})", row.name),
            None => format!("organization {org}"),
        }
    }

    /// Takes an organization that somebody named, if ARIN has it.
    pub(super) fn named_org(
        &self,
        page: &mut Page,
        org: &OrgHandle,
        asked: &Answers,
    ) -> Result<Option<OrgHandle>, Stop> {
        if self.assignments.org(org).is_some_and(|row| row.registered) {
            return Ok(Some(org.clone()));
        }
        match known(asked.orgs.get(org), &Question::Org(org.clone()))? {
            // One that could not be asked for may belong to somebody who does not show it to us.
            Answered::Found(_) | Answered::NotKnown(_) => Ok(Some(org.clone())),
            Answered::Absent => {
                page.miss("orgHandle", format!("ARIN has no organization {org}: correct --org"));
                Ok(None)
            }
        }
    }

    fn net_name(
        &self,
        page: &mut Page,
        wish: &Wish,
        assignment: &Assignment<'_, 'a>,
        is_private: bool,
    ) -> Option<String> {
        if let Some(set) = wish.set.text(Field::NetName) {
            return Some(set.to_ascii_uppercase());
        }
        let template = Some(self.policy.net_name_template.as_str()).filter(|template| !template.is_empty());
        let named = wish.set.text(Field::CustomerName).or(assignment.holder());
        let of_org = wish.org();
        let of_org = of_org.as_ref().map(OrgHandle::as_str);
        let holder = if is_private { None } else { Some(named.or(of_org).unwrap_or_default()) };
        let name = assignment.net_name(template.unwrap_or(NET_NAME), holder);
        if name.is_none() {
            page.miss(
                "netName",
                "no name in letters, digits and hyphens can be made by `findings.net_name_template`: set netName",
            );
        }
        name
    }
}

/// Chooses how a range is given to its tenant: to whom is linked to an organization as an organization, which has to be able
/// to pass it on if others have parts of it; to all others as a customer.
fn kind(wish: &Wish, assignment: &Assignment<'_, '_>) -> Operation {
    if assignment.others_inside().next().is_some() {
        Operation::Reallocate
    } else if wish.org().is_some() || assignment.orgs().next().is_some() {
        Operation::ReassignDetailed
    } else {
        Operation::ReassignSimple
    }
}

fn kind_of_net(operation: Operation) -> NetType {
    match operation {
        Operation::Reallocate => NetType::Reallocated,
        Operation::ReassignSimple
        | Operation::ReassignDetailed
        | Operation::ChangeNetwork
        | Operation::ChangeCustomer
        | Operation::RemoveNetwork
        | Operation::DeleteCustomer => NetType::Reassigned,
    }
}

/// Returns the net that ARIN cuts a range from.
pub(super) fn parent(page: &mut Page, range: NetBlock, asked: &Answers) -> Result<Option<NetHandle>, Stop> {
    let words = written(range);
    let where_to = match known(asked.parents.get(&range), &Question::Parent(range))? {
        Answered::Found(net) if net.kind == Some(NetType::Reassigned) => format!(
            "{words} lies in {}, which is reassigned itself, so that nothing can be cut from it: return that one first",
            net.handle
        ),
        Answered::Found(net) => return Ok(Some(net.handle.clone())),
        Answered::Absent => format!("ARIN has no network around {words}: see whether the aggregate is registered"),
        Answered::NotKnown(why) => {
            format!("ARIN could not be asked for the network around {words} ({why}): prepare it again")
        }
    };
    page.miss("parentNetHandle", where_to);
    Ok(None)
}

/// Returns the organization that is linked to the tenant, if there is one to choose.
fn linked_org(page: &mut Page, assignment: &Assignment<'_, '_>) -> Option<OrgHandle> {
    let tenant = assignment.holder();
    let link = match tenant {
        Some(tenant) => format!("link an RIR organization to tenant {tenant}"),
        None => format!("set the tenant of prefix {}", assignment.range()),
    };
    let linked: Vec<_> = assignment.orgs().collect();
    let fit: Vec<_> = linked.iter().filter(|org| assignment.unfit(org).is_empty()).collect();
    let where_to = match (fit.as_slice(), linked.as_slice()) {
        ([one], _) => return Some(one.handle.clone()),
        ([_, ..], _) => {
            let handles: Vec<&str> = fit.iter().map(|org| org.handle.as_str()).collect();
            format!("several organizations are linked to the tenant, {}: choose one with --org", handles.join(", "))
        }
        ([], []) => {
            let others = others(assignment);
            format!("{others}{link}, or name it with --org")
        }
        ([], linked) => {
            let unfit: Vec<String> = linked.iter().flat_map(|org| assignment.unfit(org)).collect();
            format!("{}: have that corrected at ARIN, or name another one with --org", unfit.join("; "))
        }
    };
    page.miss("orgHandle", where_to);
    None
}

/// Says why an organization is needed, if it is because others have parts of the range.
fn others(assignment: &Assignment<'_, '_>) -> String {
    let named: Vec<String> =
        assignment.others_inside().take(NAMED).map(|(range, name)| format!("{range} ({name})")).collect();
    if named.is_empty() {
        return String::new();
    }
    format!("parts of it are assigned to others, {}, and a customer cannot pass them on: ", named.join(", "))
}

/// Returns the customer who gets a range.
fn customer(page: &mut Page, wish: &Wish, assignment: &Assignment<'_, '_>, is_private: bool) -> Recipient {
    let set = wish.set.text(Field::CustomerName);
    let named = set.or(assignment.holder());
    let place = named.map(|named| format!("the name of tenant {named}, or its `findings.legal_name_field`"));
    let name = match named {
        Some(named) => page.ascii(Field::CustomerName, named, place.as_deref().filter(|_| set.is_none())),
        None => {
            page.miss("customerName", format!("set the tenant of prefix {}, or set customerName", assignment.range()));
            None
        }
    };
    let address = address(page, wish, &assignment.address(), assignment);
    let words = match (is_private, &name) {
        (true, _) => "a private customer".to_owned(),
        (false, Some(name)) => name.clone(),
        (false, None) => named.unwrap_or("a customer").to_owned(),
    };
    let holder = name.zip(address).map(|(name, address)| {
        NewHolder::Customer(NewCustomer { name, address, private: is_private, comment: Vec::new() })
    });
    Recipient { holder, words, organization: None }
}

/// Returns the address of a tenant, with what was set of it. It is the one that is linked, or all set: never a guess.
pub(super) fn address(
    page: &mut Page,
    wish: &Wish,
    wanted: &WantedAddress<'_>,
    assignment: &Assignment<'_, '_>,
) -> Option<Address> {
    let is_set = ADDRESS.iter().any(|field| wish.set.text(*field).is_some());
    let link = match assignment.holder() {
        Some(tenant) => format!("link an RIR address to tenant {tenant} or to its site"),
        None => format!("set the tenant of prefix {}", assignment.range()),
    };
    let (base, place) = match wanted {
        WantedAddress::One(row) => (row.address.clone(), Some(format!("RIR address {}", row.row))),
        WantedAddress::Several(_) | WantedAddress::None => (Address::default(), None),
    };
    let address = with_set(base, wish);
    let is_whole = lacks(&address).is_empty();
    match wanted {
        WantedAddress::Several(rows) if !is_whole => {
            let rows: Vec<String> = rows.iter().map(|row| row.row.to_string()).collect();
            page.miss(
                "address",
                format!(
                    "choose one of RIR addresses {}, which are linked to the same tenant and site: leave the link at one, \
                     or set streetAddress, city, iso3166-1, iso3166-2 and postalCode",
                    rows.join(", ")
                ),
            );
            None
        }
        WantedAddress::None if !is_set => {
            page.miss("address", format!("{link}, or set streetAddress, city, iso3166-1, iso3166-2 and postalCode"));
            None
        }
        WantedAddress::One(_) | WantedAddress::Several(_) | WantedAddress::None => {
            let before = page.missing.len();
            let written = page.address(&address, place.as_deref());
            (page.missing.len() == before).then_some(written)
        }
    }
}

/// Puts what was set into an address.
pub(super) fn with_set(mut address: Address, wish: &Wish) -> Address {
    let set = |field| wish.set.text(field).map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
    if let Some(lines) = wish.set.lines(Field::StreetAddress) {
        address.street = lines.to_vec();
    }
    let parts = [
        (Field::City, &mut address.city),
        (Field::Country, &mut address.country),
        (Field::StateProvince, &mut address.state_province),
        (Field::PostalCode, &mut address.postal_code),
    ];
    for (field, part) in parts {
        if let Some(text) = set(field) {
            *part = text;
        }
    }
    address
}
