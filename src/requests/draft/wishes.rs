//! The wishes that settle a finding, or all that is unregistered in an aggregate.

use ipnet::IpNet;

use super::{
    drafting::Drafting,
    place::Place,
    refusal::NotAskedFor,
    wish::{About, Wish},
};
use crate::{
    findings::Kind,
    model::{CustomerHandle, NetBlock, NetHandle, RowId},
    netbox::{
        FindingRow,
        findings::{Linked, OPEN},
    },
    requests::operation::Operation,
};

/// The wishes about an aggregate, the most urgent ones first.
#[derive(Debug, Clone, PartialEq)]
pub struct Wishes {
    /// One for each prefix, no more than were allowed.
    pub wishes: Vec<Wish>,
    /// How many more there are.
    pub left_out: usize,
}

/// What settles a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settlement {
    /// The prefix is registered.
    Create,
    /// The network is returned.
    Return,
    /// The network is returned, so that the prefix can be registered as it is assigned.
    ReturnFirst,
    /// All that is registered of parts of the prefix is returned, so that the whole can be registered.
    ReturnParts,
    ChangeCustomer,
    ChangeNetwork,
    DeleteCustomer,
}

/// Returns what settles findings of a kind, if it is something that ARIN may be asked for; of a new holder as of one who is
/// only written differently.
fn settlement(kind: Kind, has_new_holder: bool) -> Option<Settlement> {
    Some(match kind {
        Kind::Unregistered | Kind::Overdue | Kind::Voluntary | Kind::NeedsData => Settlement::Create,
        Kind::NotInNetbox | Kind::Stale | Kind::PrefixGone => Settlement::Return,
        Kind::Wider | Kind::OtherOrg | Kind::WrongKind => Settlement::ReturnFirst,
        Kind::CustomerName | Kind::TenantLink if has_new_holder => Settlement::ReturnFirst,
        Kind::Split => Settlement::ReturnParts,
        Kind::CustomerName | Kind::Address | Kind::Privacy => Settlement::ChangeCustomer,
        Kind::NetName => Settlement::ChangeNetwork,
        Kind::CustomerLeft => Settlement::DeleteCustomer,
        Kind::Pending
        | Kind::Overlap
        | Kind::TenantLink
        | Kind::UnlinkedOrg
        | Kind::CustomerMissing
        | Kind::AggregateUnregistered
        | Kind::AggregateHeldByOther
        | Kind::AggregateRange
        | Kind::Unsplittable
        | Kind::NotOurs
        | Kind::WholeAllocation
        | Kind::OrgIncomplete
        | Kind::RecipientUnfit
        | Kind::TicketWaits
        | Kind::TicketOld
        | Kind::TicketFailed
        | Kind::Uncertain
        | Kind::NotKnown
        | Kind::DuplicateRange => return None,
    })
}

/// Returns whether there is something that ARIN may be asked for to settle findings of a kind.
#[must_use]
pub fn is_settled_by_request(kind: Kind) -> bool {
    settlement(kind, true).is_some()
}

impl Drafting<'_> {
    /// Returns what to ask for to settle a finding: mostly one thing; of a prefix of which only parts are registered, the
    /// return of each of these, the smallest first.
    ///
    /// # Errors
    /// When nothing that ARIN could be asked for settles it.
    pub fn of_finding(&self, finding: &FindingRow) -> Result<Vec<Wish>, NotAskedFor> {
        let (row, unnamed) = (finding.id, NotAskedFor::Unnamed { row: finding.id });
        let kind = Kind::from_name(&finding.kind)
            .ok_or_else(|| NotAskedFor::UnknownKind { row, kind: finding.kind.to_string() })?;
        if finding.state != OPEN {
            return Err(NotAskedFor::Resolved { row });
        }
        if finding.config != Some(self.config.id) {
            let config = finding.config.map_or_else(|| "(none)".to_owned(), |config| config.to_string());
            return Err(NotAskedFor::OtherConfig { what: format!("finding {row}"), config });
        }
        let network = || finding.links.name(Linked::Network).and_then(NetHandle::new).map(About::Network);
        let customer = || finding.links.name(Linked::Customer).and_then(CustomerHandle::new).map(About::Customer);
        let prefix = || finding.links.row(Linked::Prefix).map(|row| About::Prefix(Place::Row(row)));
        // Only a term says that the prefix was given to somebody else: all other differences are of writing.
        let has_new_holder = finding.due.is_some();
        let settlement = settlement(kind, has_new_holder).ok_or(NotAskedFor::NothingToAsk { row, kind })?;
        let wish = match settlement {
            Settlement::Create => prefix().map(Wish::about),
            Settlement::Return => network().map(returned),
            Settlement::ReturnFirst => network().map(returned).map(followed),
            Settlement::ReturnParts => {
                let prefix =
                    finding.links.row(Linked::Prefix).and_then(|prefix| self.prefixes.get(&prefix)).ok_or(unnamed)?;
                return self.parts(finding, prefix.prefix.trunc().into());
            }
            Settlement::ChangeCustomer => customer().map(|about| Wish::of(about, Operation::ChangeCustomer)),
            Settlement::ChangeNetwork => network().map(|about| Wish::of(about, Operation::ChangeNetwork)),
            Settlement::DeleteCustomer => customer().map(|about| Wish::of(about, Operation::DeleteCustomer)),
        };
        wish.map(|wish| vec![wish]).ok_or(unnamed)
    }

    /// Returns the wishes to return all that is registered of a range but for the range itself.
    fn parts(&self, finding: &FindingRow, range: NetBlock) -> Result<Vec<Wish>, NotAskedFor> {
        let ours = self.assignments.inside(range).filter(|net| net.is_ours);
        let mut wishes: Vec<Wish> = ours.map(|net| followed(returned(About::Network(net.handle.clone())))).collect();
        wishes.reverse();
        if wishes.is_empty() { Err(NotAskedFor::Unnamed { row: finding.id }) } else { Ok(wishes) }
    }

    /// Returns a wish for each prefix of an aggregate that is found to be unregistered and is not to be ignored, no more than
    /// `most`.
    ///
    /// # Errors
    /// When there is no such aggregate, or nothing is missing in it.
    pub fn of_aggregate(&self, place: Place, findings: &[FindingRow], most: usize) -> Result<Wishes, NotAskedFor> {
        let named = |(row, range): &&(RowId, IpNet)| match place {
            Place::Row(named) => named == *row,
            Place::Range(named) => named.trunc() == *range,
        };
        let (aggregate, range) = *self.aggregates.iter().find(named).ok_or(NotAskedFor::NoAggregate(place))?;
        let is_missing = |finding: &&FindingRow| {
            let kind = Kind::from_name(&finding.kind);
            finding.state == OPEN
                && !finding.ignore
                && finding.config == Some(self.config.id)
                && finding.links.row(Linked::Aggregate) == Some(aggregate)
                && kind.is_some_and(|kind| kind.family() == Kind::Unregistered && kind != Kind::Pending)
        };
        let mut missing: Vec<&FindingRow> = findings.iter().filter(is_missing).collect();
        missing.sort_by_key(|finding| (finding.due.is_none(), finding.due, finding.links.row(Linked::Prefix)));
        let wishes: Vec<Wish> = missing
            .iter()
            .filter_map(|finding| finding.links.row(Linked::Prefix))
            .map(|prefix| Wish::about(About::Prefix(Place::Row(prefix))))
            .collect();
        if wishes.is_empty() {
            return Err(NotAskedFor::NothingMissing(range));
        }
        let left_out = wishes.len().saturating_sub(most);
        Ok(Wishes { wishes: wishes.into_iter().take(most).collect(), left_out })
    }
}

fn returned(about: About) -> Wish {
    Wish::of(about, Operation::RemoveNetwork)
}

fn followed(wish: Wish) -> Wish {
    Wish { is_followed: true, ..wish }
}
