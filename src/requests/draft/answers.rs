//! What ARIN has to be asked for a draft, and what it answered.

use std::{collections::BTreeMap, fmt};

use crate::{
    arin::Document,
    findings::judge::written,
    model::{CustomerHandle, Net, NetBlock, NetHandle, Org, OrgHandle},
    requests::answered::Answered,
};

/// A question to ARIN that a draft depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Which net would a range be cut from? (`net/parentNet/{first}/{last}`)
    Parent(NetBlock),
    /// Which net has exactly this range? (`net/mostSpecificNet/{first}/{last}`)
    Exact(NetBlock),
    /// What is a net, word for word? (`net/{handle}`)
    Net(NetHandle),
    /// What is a customer, word for word? (`customer/{handle}`)
    Customer(CustomerHandle),
    /// What is an organization? (`org/{handle}`)
    Org(OrgHandle),
    /// Which reverse zones of a net have name servers? (`net/{handle}/delegations`)
    Delegations(NetHandle),
    /// Which routes are there in ARIN's routing registry for a net? (`net/{handle}/routes`)
    Routes(NetHandle),
}

/// What ARIN answered.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "`Question` says what each of them is")]
pub struct Answers {
    pub parents: BTreeMap<NetBlock, Answered<Net>>,
    pub exact: BTreeMap<NetBlock, Answered<Net>>,
    pub nets: BTreeMap<NetHandle, Answered<Document>>,
    pub customers: BTreeMap<CustomerHandle, Answered<Document>>,
    pub orgs: BTreeMap<OrgHandle, Answered<Org>>,
    pub delegations: BTreeMap<NetHandle, Answered<Vec<String>>>,
    pub routes: BTreeMap<NetHandle, Answered<Vec<String>>>,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parent(range) => write!(f, "the net around {}", written(*range)),
            Self::Exact(range) => write!(f, "the net of {}", written(*range)),
            Self::Net(handle) => write!(f, "net {handle}"),
            Self::Customer(handle) => write!(f, "customer {handle}"),
            Self::Org(handle) => write!(f, "organization {handle}"),
            Self::Delegations(handle) => write!(f, "the delegations of {handle}"),
            Self::Routes(handle) => write!(f, "the routes of {handle}"),
        }
    }
}
