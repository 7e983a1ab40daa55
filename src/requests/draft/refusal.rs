//! Why there is nothing to ask ARIN for. What is only missing for it is no reason: then there is a draft that says so.

use ipnet::IpNet;

use super::{
    answers::Question,
    fields::{Field, names},
    place::Place,
};
use crate::{
    arin::{Unfit, Unsendable},
    findings::Kind,
    model::{CustomerHandle, NetHandle, OrgHandle, RowId, address_block::NotRegistrable},
    requests::operation::Operation,
};

/// A reason for which there is no draft, as a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say it")]
pub enum NotAskedFor {
    #[error("there is no active config with id {0}")]
    NoConfig(RowId),
    #[error("NetBox has no prefix {0} in the aggregates of this config's RIR")]
    NoPrefix(Place),
    #[error("NetBox has no aggregate {0} that belongs to this config")]
    NoAggregate(Place),
    #[error("NetBox has {range} more than once; ask by id for one of {ids}", ids = listed(.rows))]
    SeveralPrefixes { range: IpNet, rows: Vec<RowId> },
    #[error("prefix {range} is in a VRF that is no public space; `findings.public_vrfs` names those that are")]
    NotPublic { range: IpNet },
    #[error("{range}: {why}")]
    NotRegistrable { range: IpNet, why: NotRegistrable },
    #[error("{what} belongs to config {config}; ask for it with that one")]
    OtherConfig { what: String, config: String },
    #[error("{0} is to be left alone, as `findings.opt_out_tag` says; take the tag off first")]
    LeftAlone(IpNet),
    #[error("NetBox has {0} for different tenants; decide first whose it is")]
    Contradicting(IpNet),
    #[error(
        "{range} is assigned to {tenant}, which is us, so that nothing has to be registered; choose an operation if it shall be"
    )]
    OurOwn { range: IpNet, tenant: String },
    #[error("nothing is registered for exactly {0}")]
    NotRegistered(String),
    #[error("{0} is held by nobody known as a customer")]
    NoCustomer(NetHandle),
    #[error("{operation} is asked for by {by}, and not by {about}")]
    OtherObject { operation: String, about: String, by: &'static str },
    #[error("two organizations are named, {0} and {1}")]
    TwoOrgs(OrgHandle, OrgHandle),
    #[error("{field} cannot be set for {operation}; {takes}", takes = all(.takes))]
    FieldNotTaken { field: Field, operation: String, takes: Vec<Field> },
    #[error("ARIN does not have {0} any more; sync its range")]
    Gone(String),
    #[error("ARIN could not be asked for {question}: {why}; try again")]
    NotAnswered { question: Question, why: String },
    #[error("ARIN's answer about {question} cannot be read: {source}; try again")]
    Unreadable { question: Question, source: Unfit },
    #[error("ARIN does not take it: {0}")]
    Unsendable(#[from] Unsendable),
    #[error("ARIN was not asked yet for {}", questions(.0))]
    NotAskedYet(Vec<Question>),
    #[error("{0} was not passed on, but allocated, and cannot be returned in this way")]
    Allocated(NetHandle),
    #[error("ARIN has used the handle {0} again, for another registration than the recorded one; sync its range")]
    OtherRegistration(NetHandle),
    #[error("{0} is at ARIN as NetBox has it; set what shall be changed")]
    NothingToChange(String),
    #[error("{0} is still registered, as far as is recorded; if it is not, sync its range")]
    StillRegistered(NetHandle),
    #[error("nothing is kept of {0} that it could be registered with again")]
    NothingKept(String),
    #[error("finding {row} does not hold any more; see the open ones with `rir-sidecar findings`")]
    Resolved { row: RowId },
    #[error("finding {row} is about nothing that ARIN could be asked for: {instead}", instead = instead(*kind))]
    NothingToAsk { row: RowId, kind: Kind },
    #[error("finding {row} is of a kind that this version does not know, `{kind}`")]
    UnknownKind { row: RowId, kind: String },
    #[error("finding {row} does not name what it is about; wait for the next sync")]
    Unnamed { row: RowId },
    #[error("nothing that can be registered is found missing in {0}")]
    NothingMissing(IpNet),
    #[error("customer {0} is recorded with no net, so that nothing tells whether it still holds one; sync it")]
    NoNetKnown(CustomerHandle),
    #[error("{operation} of {range} is not asked for, as {why}")]
    NoSense { operation: Operation, range: String, why: &'static str },
}

fn listed(rows: &[RowId]) -> String {
    rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn questions(all: &[Question]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn all(fields: &[Field]) -> String {
    if fields.is_empty() {
        return "nothing can".to_owned();
    }
    format!("what can is {}", names(fields.iter().copied()))
}

/// Returns what to do about a finding that no request settles.
fn instead(kind: Kind) -> &'static str {
    match kind {
        Kind::Pending => "its registration has been asked for already",
        Kind::Overlap => "change the prefix, or return the networks that overlap it, one by one",
        Kind::TenantLink => "correct the tenant of the RIR customer, or of the prefix",
        Kind::UnlinkedOrg => "link the RIR organization to a tenant",
        Kind::CustomerMissing => "ask ARIN, or see whether the API key may see the customer",
        Kind::AggregateUnregistered
        | Kind::AggregateHeldByOther
        | Kind::AggregateRange
        | Kind::Unsplittable
        | Kind::NotOurs
        | Kind::WholeAllocation => "see what the guide says of this kind",
        Kind::OrgIncomplete | Kind::RecipientUnfit => "the contacts of an organization are changed in ARIN Online",
        Kind::TicketWaits | Kind::TicketOld | Kind::TicketFailed => "answer the ticket in ARIN Online",
        Kind::Uncertain => "look again what became of the request",
        Kind::NotKnown => "sync it first",
        Kind::DuplicateRange => "decide in NetBox whose it is",
        Kind::Unregistered
        | Kind::Overdue
        | Kind::Voluntary
        | Kind::NeedsData
        | Kind::NotInNetbox
        | Kind::Stale
        | Kind::PrefixGone
        | Kind::Wider
        | Kind::Split
        | Kind::CustomerName
        | Kind::OtherOrg
        | Kind::WrongKind
        | Kind::Address
        | Kind::Privacy
        | Kind::NetName
        | Kind::CustomerLeft => "ask by prefix, network or customer",
    }
}
