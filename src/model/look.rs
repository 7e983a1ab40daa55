//! How completely a registry was asked, and when: what a sync leaves behind for the findings.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use jiff::Timestamp;

use super::{
    ListedNet, NetHandle, PocFunction,
    inventory::{ObjectType, RowId},
};

/// All that the syncs of all configs have left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Looks {
    /// One for each config and aggregate that was ever looked at.
    pub aggregates: Vec<Look>,
    /// The answers about single organizations and customers that the findings need, by config.
    pub answers: Vec<Answer>,
}

/// What the syncs of one config have learnt of one aggregate besides the recorded rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// The config.
    pub config: RowId,
    /// The aggregate.
    pub aggregate: RowId,
    /// The beginning of the last look that was complete: everything it asked was answered, or was spared by the public
    /// listing. `None` if there never was one.
    pub complete: Option<Timestamp>,
    /// What that look was at.
    pub source: LookSource,
    /// Why a later look failed as a whole; `None` if the last look was complete, as far as `unanswered` does not say else.
    pub failed: Option<String>,
    /// The ranges whose own question was not answered last time, with the reason.
    pub unanswered: BTreeMap<IpNet, String>,
    /// The ranges that were asked for by themselves since the last complete look, with the time.
    pub asked: BTreeMap<IpNet, Timestamp>,
    /// The nets in the aggregate that the public listing had at that look and that are not recorded.
    pub listed: Vec<ListedNet>,
}

/// What a look was at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LookSource {
    /// The ranges that NetBox had were asked for at the registry, one by one. Nets at other ranges are not known.
    Questions,
    /// The public listing of the whole aggregate, which was complete and not contradicted.
    Listing,
}

/// The last answer about an organization or a customer that was asked for by its handle for the findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The config whose sync asked.
    pub config: RowId,
    /// An organization or a customer.
    pub object: ObjectType,
    /// Its handle.
    pub handle: String,
    /// What came back.
    pub standing: Standing,
    /// When the first of the answers came that are all alike up to the last one.
    pub since: Timestamp,
    /// The number of complete looks that brought this answer, one after the other; no more than two are counted.
    pub times: u8,
    /// Of a customer, the net that it holds or held.
    pub net: Option<NetHandle>,
    /// Of a customer, true if its net is gone or has another holder now, and this answer came later than the one that says
    /// so.
    pub left: bool,
}

/// What came back about an object.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// The registry has it.
    Found(Recipient),
    /// The registry says that it does not have it (`E_OBJECT_NOT_FOUND`).
    Absent,
    /// The key may not see it (401 or 403).
    Denied,
}

/// What of an organization decides whether space can be given to it; empty for a customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recipient {
    /// The functions of its points of contact, each as often as it has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<PocFunction>,
    /// Whether it takes reassignments (`acceptReassignments`); `None` if the registry did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepts: Option<bool>,
}

impl Recipient {
    /// Returns what it lacks: exactly one Admin, at least one Tech and one Abuse contact.
    #[must_use]
    pub fn lacks(&self) -> BTreeSet<&'static str> {
        let count = |wanted: &PocFunction| self.functions.iter().filter(|function| *function == wanted).count();
        let mut lacks = BTreeSet::new();
        match count(&PocFunction::Admin) {
            0 => drop(lacks.insert("an Admin contact")),
            1 => {}
            _ => drop(lacks.insert("a single Admin contact")),
        }
        if count(&PocFunction::Tech) == 0 {
            lacks.insert("a Tech contact");
        }
        if count(&PocFunction::Abuse) == 0 {
            lacks.insert("an Abuse contact");
        }
        lacks
    }
}
