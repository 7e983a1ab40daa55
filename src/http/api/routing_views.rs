//! How prefixes stand in the routing registries, as the API and `rir-sidecar irr check` and `lookup` show it.

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    model::{Asn, RowId, SourceName},
    netbox::{HealthRow, Recorded},
    routing::{FoundRoute, Freshness, Lookup, RangeHealth, RouteObject, Witness},
};

/// How a range stands in the routing registries, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrefixHealth)]
pub struct HealthView {
    /// The range.
    #[schema(example = "192.0.2.0/24")]
    pub(crate) range: String,
    /// How urgent it is: `none`, `ok`, `info`, `warning` or `danger`.
    #[schema(example = "danger")]
    pub(crate) level: String,
    /// How it stands in the routing registries.
    #[schema(example = "missing")]
    pub(crate) verdict: String,
    /// What RPKI says of it with the expected origins.
    #[schema(example = "not-found")]
    pub(crate) rpki: String,
    /// `registered`, `not-found` or `unknown`.
    #[schema(example = "registered")]
    registration: String,
    /// Who is expected to announce it.
    #[schema(example = "AS64496, AS64497")]
    pub(crate) expected_origins: String,
    /// The origins of its route objects, and the sources that have them.
    #[schema(example = "AS64496 in ARIN, RADB")]
    pub(crate) found: String,
    /// The next step.
    pub(crate) advice: String,
    /// The id of the prefix in NetBox; null for an aggregate, and for a range that NetBox does not have.
    prefix: Option<RowId>,
    /// The id of the aggregate in NetBox that it is, or that it is in.
    aggregate: Option<RowId>,
}

/// How ranges stand.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PrefixHealthPage)]
pub(crate) struct HealthPage {
    /// The most urgent ones first, then by address.
    pub(crate) ranges: Vec<HealthView>,
    /// What to give as `cursor` for those that follow; null if there are none.
    pub(crate) next_cursor: Option<String>,
    /// What it is judged by.
    pub(crate) sources: Vec<WitnessView>,
}

/// A source, and whether prefixes are judged by it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JudgingSource)]
pub struct WitnessView {
    /// Its name.
    #[schema(value_type = String, example = "RADB")]
    pub(crate) name: SourceName,
    /// `fresh`, `old`, `refused` (it suddenly had few objects) or `never-read`.
    #[schema(example = "fresh")]
    pub(crate) state: &'static str,
    /// As of when it is known.
    pub(crate) as_of: Option<Timestamp>,
}

/// A route object.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RouteObject)]
pub struct RouteView {
    /// Its range.
    #[schema(value_type = String, example = "192.0.2.0/24")]
    pub(crate) prefix: IpNet,
    /// The AS that may announce it.
    #[schema(value_type = String, example = "AS64496")]
    pub(crate) origin: Asn,
    /// The registry that has it.
    #[schema(value_type = String, example = "RADB")]
    pub(crate) source: SourceName,
    /// Who may change it.
    pub(crate) maintainers: Vec<String>,
    /// As the registry writes it; empty where it says nothing.
    last_modified: String,
    /// What RPKI says of it.
    #[schema(example = "valid")]
    pub(crate) rpki: &'static str,
}

/// What is said of a prefix.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RouteLookup)]
pub struct LookupView {
    /// The prefix.
    #[schema(value_type = String, example = "192.0.2.0/24")]
    pub(crate) prefix: IpNet,
    /// The objects about it, around it and inside it, in address order, at most 1,000.
    pub(crate) routes: Vec<RouteView>,
    /// True if there are more.
    pub(crate) is_cut: bool,
    /// The sources that were looked at.
    pub(crate) sources: Vec<WitnessView>,
}

impl HealthView {
    /// Makes the view of what was just judged.
    #[must_use]
    pub fn of(judged: &RangeHealth) -> Self {
        Self {
            range: judged.range.to_string(),
            level: judged.health.level.name().to_owned(),
            verdict: judged.health.verdict.name().to_owned(),
            rpki: judged.health.rpki.name().to_owned(),
            registration: judged.health.registration.name().to_owned(),
            expected_origins: judged.expected_origins(),
            found: judged.found(),
            advice: judged.health.advice.clone(),
            prefix: judged.prefix,
            aggregate: judged.aggregate,
        }
    }
}

impl From<Recorded<HealthRow>> for HealthView {
    fn from(Recorded { row, .. }: Recorded<HealthRow>) -> Self {
        Self {
            range: row.range,
            level: row.level,
            verdict: row.verdict,
            rpki: row.rpki,
            registration: row.registration,
            expected_origins: row.expected_origins,
            found: row.found,
            advice: row.advice,
            prefix: row.prefix,
            aggregate: row.aggregate,
        }
    }
}

impl From<&Witness> for WitnessView {
    fn from(witness: &Witness) -> Self {
        let state = match witness.freshness {
            Freshness::Fresh => "fresh",
            Freshness::Old(_) => "old",
            Freshness::Refused => "refused",
            Freshness::Never => "never-read",
        };
        Self { name: witness.name.clone(), state, as_of: witness.as_of }
    }
}

impl From<FoundRoute> for RouteView {
    fn from(FoundRoute { object, rpki }: FoundRoute) -> Self {
        let RouteObject { prefix, origin, source, maintainers, last_modified } = object;
        Self { prefix, origin, source, maintainers, last_modified, rpki: rpki.name() }
    }
}

impl LookupView {
    /// Makes the view of what was found of a prefix.
    #[must_use]
    pub fn of(prefix: IpNet, found: Lookup) -> Self {
        Self {
            prefix,
            routes: found.routes.into_iter().map(RouteView::from).collect(),
            is_cut: found.is_cut,
            sources: found.sources.iter().map(WitnessView::from).collect(),
        }
    }
}
