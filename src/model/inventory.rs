//! The content of NetBox: the operator's aggregates, prefixes and RIR configs, and the rows recorded for registered
//! objects.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use ipnet::IpNet;
use jiff::{Timestamp, civil::Date};

use super::{Instance, Key, OrgHandle};

/// Id of a row in one of NetBox's tables.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[schema(value_type = u64)]
pub struct RowId(pub u64);

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A kind of object the sidecar records, in an order in which references point backwards: what comes first can be
/// written first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ObjectType {
    /// A postal address.
    Address,
    /// An organization.
    Organization,
    /// A point of contact.
    Contact,
    /// A registered net.
    Network,
    /// A customer that holds a net.
    Customer,
}

impl ObjectType {
    /// All of them, references pointing backwards.
    pub const ALL: [Self; 5] = [Self::Address, Self::Organization, Self::Contact, Self::Network, Self::Customer];

    /// Returns whether what is registered of it may tell of a person: a name, where they live, how to reach them.
    #[must_use]
    pub fn is_personal(self) -> bool {
        match self {
            Self::Address | Self::Contact | Self::Customer => true,
            Self::Organization | Self::Network => false,
        }
    }

    /// Returns the word for one such object in logs and in NetBox's sync log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Organization => "organization",
            Self::Contact => "contact",
            Self::Network => "network",
            Self::Customer => "customer",
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The value of one field of a row, as both sides of a comparison have it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing is recorded.
    Empty,
    /// Text, or the code of a choice.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A day.
    Date(Date),
    /// Codes of several choices.
    Choices(BTreeSet<String>),
    /// A reference to one of our own rows, by its key.
    OurRow(Key),
    /// A reference to a row of NetBox or to a config, by id.
    NetBoxRow(RowId),
    /// References to several rows of NetBox.
    NetBoxRows(BTreeSet<RowId>),
    /// A document.
    Json(serde_json::Value),
}

impl Value {
    /// Makes a text as NetBox keeps it, without surrounding space; nothing for an absent or empty one.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        text.map(str::trim).filter(|text| !text.is_empty()).map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the key of our own row that it refers to.
    #[must_use]
    pub fn as_our_row(&self) -> Option<&Key> {
        if let Self::OurRow(key) = self { Some(key) } else { None }
    }

    /// Returns the id of NetBox's row that it refers to.
    #[must_use]
    pub fn as_netbox_row(&self) -> Option<RowId> {
        if let Self::NetBoxRow(id) = self { Some(*id) } else { None }
    }

    /// Returns the ids of NetBox's rows that it refers to; none for any other value.
    #[must_use]
    pub fn as_netbox_rows(&self) -> BTreeSet<RowId> {
        if let Self::NetBoxRows(ids) = self { ids.clone() } else { BTreeSet::new() }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |items: Vec<String>| if items.is_empty() { "(none)".to_owned() } else { items.join(" ") };
        match self {
            Self::Empty => f.write_str("(none)"),
            Self::Text(text) => f.write_str(&text.replace('\n', " / ")),
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::Choices(codes) => f.write_str(&joined(codes.iter().cloned().collect())),
            Self::OurRow(key) => f.write_str(key.as_str().rsplit(':').next().unwrap_or_default()),
            Self::NetBoxRow(id) => write!(f, "#{id}"),
            Self::NetBoxRows(ids) => f.write_str(&joined(ids.iter().map(|id| format!("#{id}")).collect())),
            Self::Json(_) => f.write_str("(document)"),
        }
    }
}

/// Fields of a row by name.
pub type Fields = BTreeMap<&'static str, Value>;

/// The `status` of an object that is registered.
pub const REGISTERED: &str = "registered";
/// The `status` of an object that the RIR says it does not have any more.
pub const NOT_FOUND: &str = "not-found";

/// A row recorded for a registered object.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: RowId,
    /// The fields the sidecar owns, without `raw_data`, which its `digest` stands for.
    pub fields: Fields,
    /// The time at which it was last written.
    pub last_synced: Option<Timestamp>,
    /// Name of the NetBox user whose API key it was last read with.
    pub synced_by: Option<String>,
    /// The tenant that the operator says it is; only organizations and customers have one. It is never written.
    pub tenant: Option<RowId>,
}

impl Row {
    /// Returns the value of a field; [`Value::Empty`] where there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Empty)
    }

    /// Returns the text of a field.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.field(name).as_text()
    }

    /// Returns the prefixes that make up the range of a net, as far as they are recorded.
    pub fn prefixes(&self) -> impl Iterator<Item = IpNet> {
        self.text("cidrs").unwrap_or_default().split(", ").filter_map(|cidr| cidr.parse().ok())
    }

    /// Returns whether the RIR had it when it was last asked.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.text("status") == Some(REGISTERED)
    }

    /// Returns the config it belongs to.
    #[must_use]
    pub fn config(&self) -> Option<RowId> {
        self.field("config").as_netbox_row()
    }
}

/// An RIR config: it keeps an RIR of NetBox in step with an organization at a registry.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Config {
    pub id: RowId,
    pub name: String,
    /// The RIR (`ipam.rir`) whose aggregates it is about.
    pub rir: Option<RowId>,
    /// The kind of registry; only `arin` is known.
    pub registry: String,
    /// Base URL of the registry's API, empty for ARIN's production.
    pub api_url: String,
    /// The organization whose registrations it is about.
    pub org_handle: Option<OrgHandle>,
    /// True if it takes part in `--all` and scheduled runs.
    pub is_active: bool,
    /// The time between syncs by itself, if it names one.
    pub sync_interval: Option<Duration>,
    /// The time at which a sync of it last ended.
    pub last_sync: Option<Timestamp>,
    /// The time up to which each object was asked for again as often as it is to be, whatever the listing said.
    pub refreshed: Option<Timestamp>,
    /// The time at which all of it was last judged for the findings.
    pub judged: Option<Timestamp>,
}

impl Config {
    /// Returns whether scheduled syncs, and changes to objects of an RIR, concern it.
    #[must_use]
    pub fn serves(&self, rir: RowId) -> bool {
        self.is_active && self.rir == Some(rir)
    }
}

#[cfg(test)]
impl Config {
    /// An active one that was never synced, for tests.
    pub(crate) fn new(id: RowId, name: &str) -> Self {
        Self {
            id,
            name: name.to_owned(),
            rir: None,
            registry: "arin".to_owned(),
            api_url: String::new(),
            org_handle: None,
            is_active: true,
            sync_interval: None,
            last_sync: None,
            refreshed: None,
            judged: None,
        }
    }
}

/// An aggregate of NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the fields say it")]
pub struct Aggregate {
    pub prefix: IpNet,
    pub id: RowId,
}

/// A prefix of NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the other fields say it")]
pub struct Prefix {
    pub prefix: IpNet,
    /// Its VRF, `None` for the global table, which sorts first.
    pub vrf: Option<RowId>,
    pub id: RowId,
}

/// Everything of NetBox that one config's sync needs to know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    /// All RIR configs.
    pub configs: Vec<Config>,
    /// The aggregates in scope, in address order.
    pub aggregates: Vec<Aggregate>,
    /// The prefixes inside those aggregates in all VRFs, in address order, the global table first.
    pub prefixes: Vec<Prefix>,
    /// The recorded rows of all configs and registry instances.
    pub rows: BTreeMap<ObjectType, BTreeMap<Key, Row>>,
}

impl Inventory {
    /// Returns the row recorded under a key.
    #[must_use]
    pub fn row(&self, object: ObjectType, key: &Key) -> Option<&Row> {
        self.rows.get(&object)?.get(key)
    }

    /// Returns all rows of a type, in key order.
    pub fn rows(&self, object: ObjectType) -> impl Iterator<Item = (&Key, &Row)> {
        self.rows.get(&object).into_iter().flatten()
    }

    /// Returns the rows of `config` at `instance`, with their handles.
    pub fn rows_of<'a>(
        &'a self,
        object: ObjectType,
        config: RowId,
        instance: &'a Instance,
    ) -> impl Iterator<Item = (Cow<'a, str>, &'a Row)> {
        self.rows(object)
            .filter(move |(_, row)| row.config() == Some(config))
            .filter_map(move |(key, row)| Some((key.handle_at(instance)?, row)))
    }

    /// Returns the rows of `config` at `instance` that count as registered, with their handles.
    pub fn registered<'a>(
        &'a self,
        object: ObjectType,
        config: RowId,
        instance: &'a Instance,
    ) -> impl Iterator<Item = (Cow<'a, str>, &'a Row)> {
        self.rows_of(object, config, instance).filter(|(_, row)| row.is_registered())
    }

    /// Returns the aggregates with exactly this range.
    pub fn aggregates_at(&self, cidr: IpNet) -> impl Iterator<Item = &Aggregate> {
        let from = self.aggregates.partition_point(|aggregate| aggregate.prefix < cidr);
        self.aggregates.iter().skip(from).take_while(move |aggregate| aggregate.prefix == cidr)
    }

    /// Returns the best prefix with exactly this range: the global table's before any VRF's, then the oldest.
    #[must_use]
    pub fn prefix_at(&self, cidr: IpNet) -> Option<&Prefix> {
        let from = self.prefixes.partition_point(|prefix| prefix.prefix < cidr);
        self.prefixes.get(from).filter(|prefix| prefix.prefix == cidr)
    }

    /// Returns the prefixes inside an aggregate, each range once, the shortest first.
    #[must_use]
    pub fn ranges_inside(&self, aggregate: &Aggregate) -> Vec<IpNet> {
        let near = self.prefixes_within(aggregate.prefix).iter().map(|prefix| prefix.prefix);
        let mut ranges: Vec<IpNet> = near.filter(|range| aggregate.prefix.contains(range)).collect();
        ranges.dedup();
        ranges.sort_by_key(IpNet::prefix_len);
        ranges
    }

    /// Returns the prefixes that begin inside a range: few, however many there are.
    fn prefixes_within(&self, range: IpNet) -> &[Prefix] {
        let (first, last) = (range.network(), range.broadcast());
        let from = self.prefixes.partition_point(|prefix| prefix.prefix.addr() < first);
        let to = self.prefixes.partition_point(|prefix| prefix.prefix.addr() <= last);
        self.prefixes.get(from..to).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn inventory(prefixes: impl Iterator<Item = IpNet>) -> Inventory {
        let row = |(prefix, id)| Prefix { prefix, vrf: None, id: RowId(id) };
        let mut prefixes: Vec<Prefix> = prefixes.zip(1..).map(row).collect();
        prefixes.sort_unstable();
        Inventory { prefixes, ..Inventory::default() }
    }

    fn aggregate(prefix: IpNet) -> Aggregate {
        Aggregate { prefix, id: RowId(1) }
    }

    #[test]
    fn what_is_inside_an_aggregate_is_neither_around_nor_beside_it() {
        let all =
            ["23.0.0.0/8", "23.1.0.0/16", "23.1.0.0/24", "23.1.0.0/15", "23.1.255.0/24", "23.2.0.0/24", "2600::/32"];
        let inventory = inventory(all.into_iter().map(cidr));
        let inside = inventory.ranges_inside(&aggregate(cidr("23.1.0.0/16")));
        assert_eq!(inside, ["23.1.0.0/16", "23.1.0.0/24", "23.1.255.0/24"].map(cidr));
        assert_eq!(inventory.ranges_inside(&aggregate(cidr("2600::/16"))), [cidr("2600::/32")]);
    }

    #[test]
    fn each_prefix_is_looked_at_once_however_many_aggregates_there_are() {
        let net = |number: u32, length| IpNet::new(std::net::Ipv4Addr::from(number << 12).into(), length).unwrap();
        let inventory = inventory((0..50_000).map(|number| net(number, 24)));
        let aggregates: Vec<Aggregate> = (0..5_000).map(|number| aggregate(net(number * 10, 20))).collect();
        let looked_at: usize = aggregates.iter().map(|it| inventory.prefixes_within(it.prefix).len()).sum();
        assert!(looked_at <= inventory.prefixes.len(), "{looked_at}");
        assert_eq!(aggregates.iter().map(|it| inventory.ranges_inside(it).len()).sum::<usize>(), 5_000);
    }
}
