//! Findings as the API and `rir-sidecar findings` show them.

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    findings::{Known, Sources},
    model::RowId,
    netbox::{FindingRow, findings::Linked},
};

/// A finding, as the API and `rir-sidecar findings` show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingView {
    /// Its id in NetBox.
    pub(crate) id: RowId,
    /// Its kind.
    #[schema(example = "overdue")]
    pub(crate) kind: String,
    /// Its level: `alert`, `notice` or `info`.
    #[schema(example = "alert")]
    pub(crate) level: String,
    /// The range, handle or number that it is about.
    #[schema(example = "192.0.2.0/24")]
    pub(crate) subject: String,
    /// `open`, or `resolved` when it does not hold any more.
    #[schema(example = "open")]
    pub(crate) state: String,
    /// True if the operator has said to ignore it.
    pub(crate) ignored: bool,
    /// What is the matter.
    pub(crate) message: String,
    /// The last day on which it can be put right in time.
    #[schema(value_type = Option<String>, format = Date)]
    pub(crate) due: Option<Date>,
    /// The time since which it is so.
    pub(crate) since: Option<Timestamp>,
    /// True if it may have been so for longer.
    pub(crate) since_at_least: bool,
    /// The RIR config that judges it.
    config: Option<RowId>,
    /// Its name.
    pub(crate) config_name: Option<String>,
    /// The prefix that it is about.
    prefix: Option<String>,
    /// The aggregate that it is about.
    aggregate: Option<String>,
    /// The handle of the net that it is about.
    #[schema(example = "NET-192-0-2-0-1")]
    network: Option<String>,
    /// The handle of the customer that it is about.
    customer: Option<String>,
    /// The handle of the organization that it is about.
    organization: Option<String>,
    /// The change request that it is about.
    request: Option<String>,
    /// The number of the ticket that it is about.
    ticket: Option<String>,
    /// The operator's note.
    pub(crate) note: Option<String>,
}

impl FindingView {
    /// Makes the view of a recorded finding; the name is that of its config.
    #[must_use]
    pub fn new(row: FindingRow, config_name: Option<String>) -> Self {
        let name = |what| row.links.name(what).map(str::to_owned);
        Self {
            id: row.id,
            kind: row.kind.into_owned(),
            level: row.level.into_owned(),
            subject: row.subject,
            state: row.state.into_owned(),
            ignored: row.ignore,
            message: row.message,
            due: row.due,
            since: row.since,
            since_at_least: row.since_at_least,
            config: row.config,
            config_name,
            prefix: name(Linked::Prefix),
            aggregate: name(Linked::Aggregate),
            network: name(Linked::Network),
            customer: name(Linked::Customer),
            organization: name(Linked::Organization),
            request: name(Linked::Request),
            ticket: name(Linked::Ticket),
            note: Some(row.note).filter(|note| !note.is_empty()),
        }
    }
}

/// A page of findings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Findings {
    /// The findings by level, the earliest due date, kind and subject.
    pub(crate) findings: Vec<FindingView>,
    /// `cursor` of the next page; null when there is none.
    pub(crate) next_cursor: Option<String>,
    /// Where it is known from what is registered, by RIR config.
    pub(crate) sources: Vec<ConfigSources>,
}

/// The sources of what is known of the registrations of an RIR config.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConfigSources {
    /// The RIR config.
    config: RowId,
    /// Its name.
    config_name: String,
    /// Aggregates whose nets are known from ARIN's public listing: all there are.
    listing: KnownAggregates,
    /// Aggregates whose nets are known from questions about the prefixes in NetBox: nets without a prefix are not known.
    questions: KnownAggregates,
    /// The number of aggregates whose last look was not complete.
    incomplete: usize,
    /// Why these looks were not complete.
    reasons: Vec<String>,
    /// The number of prefixes in the other aggregates whose own question was not answered.
    unanswered: usize,
}

/// Aggregates that are known from one source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnownAggregates {
    /// Their number.
    aggregates: usize,
    /// The oldest of their last complete looks; null when there are no such aggregates.
    as_of: Option<Timestamp>,
}

impl ConfigSources {
    /// Makes the view of a config's sources.
    pub(crate) fn new((config, config_name): (RowId, String), sources: Sources) -> Self {
        let known = |Known { aggregates, as_of }| KnownAggregates { aggregates, as_of };
        Self {
            config,
            config_name,
            listing: known(sources.listing),
            questions: known(sources.questions),
            incomplete: sources.incomplete,
            reasons: sources.reasons.into_iter().collect(),
            unanswered: sources.unanswered,
        }
    }
}
