//! The operator's aggregates and prefixes with what says whose they are: what the findings are judged by.
//!
//! One that cannot be read is left out with a warning: then nothing is said of it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date};
use serde::Deserialize;
use serde_json::{Map, Value};
use tracing::warn;

use super::{
    client::Client,
    error::Error,
    ipam::{AGGREGATES, NAMED_ALONE, PrefixForm},
    row::{Row, optional_reference, reference, text, typed},
};
use crate::model::{Prefix, RowId};

const AGGREGATE_DETAILS: (&str, &str) = ("fields", "id,prefix,rir,tenant");
const SITE: &str = "dcim.site";
const LOCATION: &str = "dcim.location";

/// An aggregate with its tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct AggregateDetails {
    pub id: RowId,
    pub prefix: IpNet,
    #[serde(deserialize_with = "reference")]
    pub rir: RowId,
    #[serde(deserialize_with = "optional_reference")]
    pub tenant: Option<RowId>,
}

/// A prefix with what says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct PrefixDetails {
    pub id: RowId,
    pub prefix: IpNet,
    pub vrf: Option<RowId>,
    pub tenant: Option<RowId>,
    /// The code of its status.
    pub status: Cow<'static, str>,
    pub scope: Option<PrefixScope>,
    /// The slugs of its tags, of those that were asked for.
    pub tags: BTreeSet<String>,
    /// The date in the custom field that was asked for.
    pub date: Option<Date>,
    pub created: Option<Timestamp>,
    pub last_updated: Option<Timestamp>,
}

/// The scope of a prefix, as far as an address may belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub enum PrefixScope {
    Site(RowId),
    Location(RowId),
}

impl PrefixScope {
    /// Returns the location that it is.
    #[must_use]
    pub fn location(self) -> Option<RowId> {
        match self {
            Self::Location(location) => Some(location),
            Self::Site(_) => None,
        }
    }

    /// Returns the site that it is, or that the location is at, by the sites of locations.
    #[must_use]
    pub fn site(self, of_locations: &BTreeMap<RowId, RowId>) -> Option<RowId> {
        match self {
            Self::Site(site) => Some(site),
            Self::Location(location) => of_locations.get(&location).copied(),
        }
    }
}

/// What is read of a prefix, or a tenant, only if somebody wants it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The slugs of tags.
    pub tags: BTreeSet<String>,
    /// The name of a custom field; empty for none.
    pub custom_field: String,
}

/// A row of `/api/ipam/prefixes/`.
#[derive(Deserialize)]
struct PrefixFields {
    id: RowId,
    prefix: IpNet,
    #[serde(deserialize_with = "optional_reference")]
    vrf: Option<RowId>,
    #[serde(deserialize_with = "optional_reference")]
    tenant: Option<RowId>,
    #[serde(deserialize_with = "text")]
    status: String,
    #[serde(deserialize_with = "Option::deserialize")]
    scope_type: Option<String>,
    #[serde(deserialize_with = "Option::deserialize")]
    scope_id: Option<RowId>,
    #[serde(deserialize_with = "Option::deserialize")]
    created: Option<Timestamp>,
    #[serde(deserialize_with = "Option::deserialize")]
    last_updated: Option<Timestamp>,
    #[serde(default)]
    tags: Vec<TagReference>,
    #[serde(default)]
    custom_fields: Map<String, Value>,
}

/// A tag as other rows have it.
#[derive(Deserialize)]
pub(super) struct TagReference {
    slug: String,
}

impl Wanted {
    /// Returns the query `fields`: `always`, and what is wanted.
    pub(super) fn fields(&self, always: &str) -> String {
        let tags = if self.tags.is_empty() { "" } else { ",tags" };
        let custom = if self.custom_field.is_empty() { "" } else { ",custom_fields" };
        format!("{always}{tags}{custom}")
    }

    /// Returns the slugs of the tags that are wanted.
    pub(super) fn tags(&self, all: Vec<TagReference>) -> BTreeSet<String> {
        all.into_iter().map(|tag| tag.slug).filter(|slug| self.tags.contains(slug)).collect()
    }

    /// Returns the text in the custom field that is wanted.
    pub(super) fn text<'a>(&self, all: &'a Map<String, Value>) -> Option<&'a str> {
        all.get(&self.custom_field)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Reads a prefix as it is kept: there can be a hundred thousand.
    fn prefix(&self, row: Row) -> Result<PrefixDetails, serde_json::Error> {
        let fields: PrefixFields = typed(&row)?;
        let scope = prefix_scope(fields.scope_type.as_deref(), fields.scope_id);
        let date = self.text(&fields.custom_fields).and_then(|text| {
            let date = date(text);
            if date.is_none() {
                let (prefix, field) = (fields.prefix, &self.custom_field);
                warn!(%prefix, field, "{field} of prefix {prefix} is no date such as 2026-01-31; correct it");
            }
            date
        });
        Ok(PrefixDetails {
            id: fields.id,
            prefix: fields.prefix,
            vrf: fields.vrf,
            tenant: fields.tenant,
            status: status(fields.status),
            scope,
            tags: self.tags(fields.tags),
            date,
            created: fields.created,
            last_updated: fields.last_updated,
        })
    }
}

/// Reads the scope of a prefix.
pub(super) fn prefix_scope(of: Option<&str>, id: Option<RowId>) -> Option<PrefixScope> {
    match of? {
        SITE => id.map(PrefixScope::Site),
        LOCATION => id.map(PrefixScope::Location),
        _ => None,
    }
}

/// Takes a status. NetBox's own ones need no memory of their own: there can be a hundred thousand prefixes.
pub(super) fn status(code: String) -> Cow<'static, str> {
    // <https://netboxlabs.com/docs/netbox/models/ipam/prefix/>
    let own = ["active", "container", "reserved", "deprecated"];
    own.into_iter().find(|own| *own == code).map_or(Cow::Owned(code), Cow::Borrowed)
}

/// Reads a date, or the date of a time.
fn date(text: &str) -> Option<Date> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<Timestamp>().ok().map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date()))
}

impl Client {
    /// Reads the aggregates of an RIR with their tenants.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn aggregate_details(&self, rir: RowId) -> Result<Vec<AggregateDetails>, Error> {
        let query = [("rir_id", &*rir.to_string()), AGGREGATE_DETAILS];
        self.list_where(AGGREGATES, &query, |row: &AggregateDetails| row.rir == rir).await?.readable()
    }

    /// Reads the prefixes of all VRFs inside these ranges with what says whose they are, in the order of their ids,
    /// each once.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn prefix_details(&self, ranges: &[IpNet], wanted: &Wanted) -> Result<Vec<PrefixDetails>, Error> {
        let read = |row| wanted.prefix(row);
        let fields = wanted.fields(PREFIX_FIELDS);
        let form = PrefixForm { fields: ("fields", &fields), read: &read, net: |row: &PrefixDetails| row.prefix };
        Ok(each_once(self.prefixes_inside_all(ranges, &form).await?.readable()?))
    }

    /// Reads the prefixes of all VRFs around these ranges, these included, as [`Client::prefix_details`].
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn prefix_details_around(&self, ranges: &[IpNet], wanted: &Wanted) -> Result<Vec<PrefixDetails>, Error> {
        let read = |row| wanted.prefix(row);
        let fields = wanted.fields(PREFIX_FIELDS);
        let form = PrefixForm { fields: ("fields", &fields), read: &read, net: |row: &PrefixDetails| row.prefix };
        let mut all = Vec::new();
        for range in ranges {
            all.extend(self.prefixes_around(*range, &form).await?.readable()?);
        }
        Ok(each_once(all))
    }

    /// Reads where prefixes are. An id without a prefix is left out.
    ///
    /// # Errors
    /// When NetBox cannot be asked.
    pub async fn places_of_prefixes(&self, ids: &BTreeSet<RowId>) -> Result<Vec<Prefix>, Error> {
        self.prefixes_of(ids).await?.readable()
    }
}

/// What is always read of a prefix.
const PREFIX_FIELDS: &str = "id,prefix,vrf,tenant,status,scope_type,scope_id,created,last_updated";
/// So few prefixes are read with what is around and inside each, more with all of their aggregates.
pub const FEW_PREFIXES: usize = NAMED_ALONE;

/// Puts prefixes in the order of their ids, each once.
fn each_once(mut prefixes: Vec<PrefixDetails>) -> Vec<PrefixDetails> {
    prefixes.sort_unstable_by_key(|prefix| prefix.id);
    prefixes.dedup_by_key(|prefix| prefix.id);
    prefixes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(more: Value) -> Row {
        let mut row = json!({
            "id": 7, "prefix": "192.0.2.0/24", "vrf": null, "tenant": { "id": 3, "name": "Sample" },
            "status": { "value": "active", "label": "Active" }, "scope_type": "dcim.location", "scope_id": 9,
            "created": "2026-01-31T10:00:00Z", "last_updated": null,
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row.as_object().unwrap().clone()
    }

    fn wanted() -> Wanted {
        Wanted { tags: BTreeSet::from(["at-home".to_owned()]), custom_field: "assigned_on".to_owned() }
    }

    fn read(more: Value) -> PrefixDetails {
        wanted().prefix(row(more)).unwrap()
    }

    #[test]
    fn only_what_is_wanted_is_asked_for_and_kept() {
        assert_eq!(wanted().fields("id"), "id,tags,custom_fields");
        assert_eq!(Wanted::default().fields("id"), "id");
        let tags = json!([{ "slug": "at-home" }, { "slug": "other" }]);
        let fields = json!({ "assigned_on": "2026-01-31", "other": 5 });
        let prefix = read(json!({ "tags": tags, "custom_fields": fields }));
        assert_eq!((prefix.tags, prefix.date), (wanted().tags, Some(jiff::civil::date(2026, 1, 31))));
        assert_eq!((prefix.tenant, prefix.scope), (Some(RowId(3)), Some(PrefixScope::Location(RowId(9)))));
    }

    #[test]
    fn a_custom_field_may_hold_a_time_or_nothing_or_nonsense() {
        let date = |value: Value| read(json!({ "custom_fields": { "assigned_on": value } })).date;
        assert_eq!(date(json!("2026-01-31T23:30:00Z")), Some(jiff::civil::date(2026, 1, 31)));
        assert_eq!([date(json!(null)), date(json!("")), date(json!("last year")), date(json!(5))], [None; 4]);
    }

    #[test]
    fn other_scopes_have_no_address() {
        assert_eq!(read(json!({ "scope_type": "dcim.region" })).scope, None);
        assert_eq!(read(json!({ "scope_type": "dcim.site" })).scope, Some(PrefixScope::Site(RowId(9))));
        assert_eq!(read(json!({ "scope_type": null, "scope_id": null })).scope, None);
    }

    #[test]
    fn a_field_that_was_renamed_is_told() {
        let mut row = row(json!({}));
        row.remove("tenant");
        let error = wanted().prefix(row).unwrap_err().to_string();
        assert!(error.contains("tenant"), "{error}");
    }
}
