//! Drafts that register a net again that is gone: holder, name and address as they were, cut from what is around it now.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    answers::Answers,
    create::{ADDRESS, Recipient, parent, with_set},
    drafting::{Draft, Drafting, Stop},
    fields::{Field, is_net_name},
    page::Page,
    place::Place,
    refusal::NotAskedFor,
    wish::{About, Choice, Wish},
};
use crate::{
    arin::{NewCustomer, NewHolder, NewNet},
    findings::{
        names::is_masked,
        registrations::{RecordedCustomer, RecordedNet},
    },
    model::{Address, Customer, Holder, Net, NetBlock, NetType, OrgHandle},
    requests::operation::Operation,
};

/// A registration as it was: what it takes to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Former {
    name: String,
    range: NetBlock,
    kind: NetType,
    holder: FormerHolder,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormerHolder {
    Org(OrgHandle),
    /// Parts that were not to be seen are empty.
    Customer {
        name: Option<String>,
        address: Address,
        private: bool,
    },
}

impl Former {
    /// Takes a net as ARIN has it, with its customer if that could be read.
    pub(super) fn of(net: &Net, customer: Option<&Customer>) -> Option<Self> {
        let holder = match net.holder.as_ref()? {
            Holder::Org(org) => FormerHolder::Org(org.clone()),
            Holder::Customer(_) => customer.map_or_else(FormerHolder::nobody, |customer| {
                FormerHolder::customer(&customer.name, customer.address.as_ref(), customer.private)
            }),
        };
        Some(Self { name: net.name.clone(), range: net.range()?, kind: net.kind.clone()?, holder })
    }

    /// Takes a net as it is recorded.
    fn recorded(net: &RecordedNet, customer: impl FnOnce() -> Option<RecordedCustomer>) -> Option<Self> {
        let holder = match net.holder.as_ref()? {
            Holder::Org(org) => FormerHolder::Org(org.clone()),
            Holder::Customer(_) => customer().map_or_else(FormerHolder::nobody, |customer| {
                FormerHolder::customer(&customer.name, customer.address.as_ref(), customer.private)
            }),
        };
        let range = NetBlock::spanning(&net.blocks)?;
        Some(Self { name: net.name.clone(), range, kind: net.kind.clone()?, holder })
    }

    pub(super) fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn operation(&self) -> Operation {
        match (&self.kind, &self.holder) {
            (NetType::Reallocated, _) => Operation::Reallocate,
            (_, FormerHolder::Customer { .. }) => Operation::ReassignSimple,
            (_, FormerHolder::Org(_)) => Operation::ReassignDetailed,
        }
    }
}

impl FormerHolder {
    fn nobody() -> Self {
        Self::Customer { name: None, address: Address::default(), private: false }
    }

    fn customer(name: &str, address: Option<&Address>, private: Option<bool>) -> Self {
        let masked = is_masked(name);
        Self::Customer {
            name: (!masked).then(|| name.to_owned()),
            // ARIN shows another street with such a name.
            address: address.filter(|_| !masked).cloned().unwrap_or_default(),
            private: private.unwrap_or(masked),
        }
    }
}

impl Drafting<'_> {
    pub(super) fn again(&self, wish: &Wish, asked: &Answers) -> Result<Draft, Stop> {
        let former = self.former(&wish.about)?;
        let operation = former.operation();
        let mut page = Page::default();
        let parent = parent(&mut page, former.range, asked)?;
        let recipient = match &former.holder {
            FormerHolder::Org(org) => {
                Self::takes(wish, operation, &[Field::NetName, Field::OrgHandle, Field::Comment])?;
                let org = wish.org().unwrap_or_else(|| org.clone());
                let words = self.org_words(&org);
                let org = self.named_org(&mut page, &org, asked)?;
                Recipient { holder: org.clone().map(NewHolder::Org), words, organization: org }
            }
            FormerHolder::Customer { name, address, private } => {
                let mut fields = vec![Field::NetName, Field::CustomerName, Field::PrivateCustomer, Field::Comment];
                fields.extend(ADDRESS);
                Self::takes(wish, operation, &fields)?;
                former_customer(&mut page, wish, (name.as_deref(), address, *private))
            }
        };
        let name = net_name(&mut page, wish, &former.name);
        let comment = wish.set.lines(Field::Comment).map(<[String]>::to_vec).unwrap_or_default();
        let (range, kind) = (former.range, former.kind);
        let net = name.zip(parent).zip(recipient.holder.clone()).map(|((name, parent), holder)| NewNet {
            name,
            parent,
            range,
            kind,
            holder,
            comment,
        });
        let prefix = match range.prefixes().as_slice() {
            [one] => self.assignment(Place::Range(*one)).ok().map(|assignment| assignment.prefix().id),
            [] | [_, ..] => None,
        };
        self.created(net, operation, page, (range, prefix, &recipient))
    }

    /// Finds what a net was.
    fn former(&self, about: &About) -> Result<Former, NotAskedFor> {
        match about {
            About::Former(before) => before
                .get("former")
                .and_then(|former| serde_json::from_value(former.clone()).ok())
                .ok_or_else(|| NotAskedFor::NothingKept(about.to_string())),
            About::Network(handle) => {
                let net = self.recorded(handle).ok_or_else(|| NotAskedFor::NothingKept(about.to_string()))?;
                if net.registered {
                    return Err(NotAskedFor::StillRegistered(handle.clone()));
                }
                Former::recorded(net, || self.former_customer_of(net))
                    .filter(|former| matches!(former.kind, NetType::Reassigned | NetType::Reallocated))
                    .ok_or_else(|| NotAskedFor::NothingKept(about.to_string()))
            }
            About::Prefix(_) | About::Customer(_) => Err(NotAskedFor::OtherObject {
                operation: Choice::RegisterAgain.to_string(),
                about: about.to_string(),
                by: "the request that returned it, or network",
            }),
        }
    }

    fn former_customer_of(&self, net: &RecordedNet) -> Option<RecordedCustomer> {
        match net.holder.as_ref()? {
            Holder::Customer(customer) => self.assignments.customer(customer).cloned(),
            Holder::Org(_) => None,
        }
    }
}

fn net_name(page: &mut Page, wish: &Wish, former: &str) -> Option<String> {
    let name = wish.set.text(Field::NetName).unwrap_or(former).to_ascii_uppercase().replace(' ', "-");
    if is_net_name(&name) {
        return Some(name);
    }
    page.miss("netName", format!("its former name `{former}` is not taken any more: set netName"));
    None
}

fn former_customer(
    page: &mut Page,
    wish: &Wish,
    (name, address, private): (Option<&str>, &Address, bool),
) -> Recipient {
    let private = wish.set.private().unwrap_or(private);
    let named = wish.set.text(Field::CustomerName).or(name);
    let name = match named {
        Some(named) => page.ascii(Field::CustomerName, named, None),
        None => {
            page.miss("customerName", "ARIN did not show the name of this private customer: set customerName");
            None
        }
    };
    let before = page.missing.len();
    let address = page.address(&with_set(address.clone(), wish), None);
    let address = (page.missing.len() == before).then_some(address);
    let words = match (private, &name) {
        (true, _) => "a private customer".to_owned(),
        (false, Some(name)) => name.clone(),
        (false, None) => named.unwrap_or("a customer").to_owned(),
    };
    let holder = name
        .zip(address)
        .map(|(name, address)| NewHolder::Customer(NewCustomer { name, address, private, comment: Vec::new() }));
    Recipient { holder, words, organization: None }
}
