//! Puts the world of findings into a registry and a NetBox, real or in memory, as people would have made it over time.

use std::{collections::BTreeMap, process::Stdio};

use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use rir_sandbox::world::{Address, Country, Customer, Holder, Ipam, Org, PocLink, Registry, World};
use rir_sidecar::netbox::schema;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;

use super::plot::{Line, Plot};
use crate::scene::{CONFIG, ORG, Scene, cidr, custom};

/// The change log goes back so many days.
const KEPT: i64 = 90;
/// Changes that were never logged are dated so many days back.
const FORGOTTEN: i64 = 200;
const PREFIXES: &str = "ipam/prefixes";
/// The custom field with the date since when a prefix is assigned.
pub(crate) const SINCE_FIELD: &str = "assigned_on";
/// The custom field with the name that a tenant has at ARIN.
pub(crate) const LEGAL_NAME_FIELD: &str = "legal_name";

/// The world in a NetBox and at a registry.
pub(crate) struct Planted {
    plot: &'static Plot,
    pub(crate) scene: Scene,
    /// The ids of what was planted, by what it is and what it is called.
    ids: BTreeMap<(&'static str, String), u64>,
    changes: Vec<Changes>,
    /// The time from which days are counted back.
    pub(crate) now: Timestamp,
}

/// The times at which a prefix was changed, the first one that of its creation.
struct Changes {
    prefix: u64,
    times: Vec<Timestamp>,
    created: Timestamp,
    /// It is not there any more.
    deleted: bool,
}

/// The registry of the world before the first sync; NetBox's side comes later.
pub(crate) fn registered(plot: &Plot, now: Timestamp) -> World {
    let mut registry = World::demo().registry;
    registry.nets.clear();
    registry.customers.clear();
    registry.orgs.retain(|handle, _| handle == ORG);
    for line in plot.lines("org") {
        let org = organization(&registry.orgs[ORG], line);
        registry.orgs.insert(line.name.clone(), org);
    }
    for line in plot.lines("customer") {
        let customer = customer(line);
        registry.customers.insert(line.name.clone(), customer);
    }
    let mut nets: Vec<&Line> = plot.lines("net").collect();
    nets.sort_by_key(|line| blocks(line)[0].prefix_len());
    for line in nets {
        register(&mut registry, plot, line, now);
    }
    World { registry, ipam: Ipam::default(), config: CONFIG.to_owned(), org_handle: ORG.to_owned() }
}

/// What happens at ARIN between the first and the second sync.
pub(crate) fn change(plot: &Plot, registry: &mut Registry) {
    for line in plot.lines("gone-net") {
        registry.remove_net(&line.name).unwrap();
    }
    for line in plot.lines("gone-customer") {
        registry.customers.remove(&line.name).unwrap();
    }
    for line in plot.lines("gone-org") {
        registry.orgs.remove(&line.name).unwrap();
    }
    for line in plot.lines("passes") {
        registry.net_mut(&line.name).unwrap().holder = Holder::Customer(line.get("customer").unwrap().to_owned());
    }
}

fn organization(like: &Org, line: &Line) -> Org {
    let functions = line.get("pocs").unwrap_or("AD,T,AB").split(',');
    let pocs = ["EXAMP1-ARIN", "NETOP3-ARIN"].into_iter().cycle();
    let link = |(function, handle): (&str, &str)| PocLink { handle: handle.to_owned(), function: function.to_owned() };
    Org {
        handle: line.name.clone(),
        name: line.get("name").unwrap().to_owned(),
        pocs: functions.zip(pocs).map(link).collect(),
        accepts_reassignments: line.get("accepts").map(|word| word == "yes"),
        ..like.clone()
    }
}

fn customer(line: &Line) -> Customer {
    Customer {
        handle: line.name.clone(),
        name: line.get("name").unwrap().to_owned(),
        parent_org: Some(ORG.to_owned()),
        private: Some(line.has("private")),
        address: Some(address(line.get("street").unwrap_or("1 Nowhere"), line.get("city").unwrap_or("Reston"))),
        registered: None,
        comment: Vec::new(),
    }
}

fn address(street: &str, city: &str) -> Address {
    Address {
        street: vec![street.to_owned()],
        city: Some(city.to_owned()),
        state_province: Some("VA".to_owned()),
        postal_code: Some("20190".to_owned()),
        country: Country::US,
    }
}

/// The street of a tenant of whom nothing else is said.
fn street(tenant: &str) -> String {
    format!("1 {tenant} Street")
}

fn blocks(line: &Line) -> Vec<IpNet> {
    line.name.split('+').map(cidr).collect()
}

fn register(registry: &mut Registry, plot: &Plot, line: &Line, now: Timestamp) {
    let blocks = blocks(line);
    let holder = holder(registry, plot, line);
    let parent = parent(registry, &blocks);
    let handle = registry.allocate(&blocks, ORG);
    let net = registry.nets.get_mut(&handle).unwrap();
    line.get("type").unwrap_or("S").clone_into(&mut net.net_type);
    (net.holder, net.parent) = (holder, parent);
    net.registered = Some(line.ago().map_or(DateTime::constant(2020, 1, 1, 12, 0, 0, 0), |days| noon(now, days)));
    if let Some(name) = line.get("name") {
        name.clone_into(&mut net.name);
    }
}

fn holder(registry: &mut Registry, plot: &Plot, line: &Line) -> Holder {
    match (line.get("to"), line.get("customer"), line.get("for")) {
        (Some(org), None, None) => Holder::Org(org.to_owned()),
        (None, Some(customer), None) => Holder::Customer(customer.to_owned()),
        (None, None, Some(slug)) => {
            let tenant = plot.lines("tenant").find(|line| line.name == slug).unwrap();
            let address = address(&street(slug), "Reston");
            Holder::Customer(registry.add_customer(ORG, tenant.get("name").unwrap(), Some(address)))
        }
        (..) => panic!("{}: one of to, customer and for says who holds it", line.name),
    }
}

/// The smallest net around these blocks.
fn parent(registry: &Registry, blocks: &[IpNet]) -> Option<String> {
    let around = |net: &[IpNet]| blocks.iter().all(|block| net.iter().any(|outer| outer.contains(block)));
    let around = registry.nets.values().filter(|net| around(&net.blocks));
    around.max_by_key(|net| net.blocks[0].prefix_len()).map(|net| net.handle.clone())
}

/// A time of so many days ago.
fn ago(now: Timestamp, days: i64) -> Timestamp {
    now - SignedDuration::from_hours(24 * days)
}

fn noon(now: Timestamp, days: i64) -> DateTime {
    ago(now, days).to_zoned(TimeZone::UTC).date().at(12, 0, 0, 0)
}

impl Planted {
    /// Plants NetBox's side.
    pub(crate) async fn new(plot: &'static Plot, scene: Scene, now: Timestamp) -> Self {
        let mut planted = Self { plot, scene, ids: BTreeMap::new(), changes: Vec::new(), now };
        planted.add_custom_fields().await;
        planted.add_tenancy().await;
        planted.add_places().await;
        planted.add_aggregates().await;
        planted.add_deleted().await;
        planted.add_prefixes().await;
        planted.change_prefixes().await;
        planted.rename_tenants().await;
        planted.add_addresses().await;
        planted.date().await;
        planted
    }

    async fn add_custom_fields(&self) {
        for (name, kind, object_type) in
            [(SINCE_FIELD, "date", "ipam.prefix"), (LEGAL_NAME_FIELD, "text", "tenancy.tenant")]
        {
            if self.scene.list("extras/custom-fields", &format!("name={name}")).await.is_empty() {
                let field = json!([{ "name": name, "type": kind, "object_types": [object_type] }]);
                self.scene.add("extras/custom-fields", field).await;
            }
        }
    }

    async fn add_tenancy(&mut self) {
        self.add("tag", "extras/tags", |_, line| named(line)).await;
        for line in self.plot.lines("group") {
            let mut group = named(line);
            group["parent"] = self.link("group", line.get("in"));
            let id = self.scene.add("tenancy/tenant-groups", json!([group])).await[0];
            self.ids.insert(("group", line.name.clone()), id);
        }
        let tenant = |planted: &Self, line: &Line| {
            let mut tenant = named(line);
            tenant["group"] = planted.link("group", line.get("group"));
            tenant["tags"] = planted.tags(line);
            tenant["custom_fields"] = json!({ LEGAL_NAME_FIELD: line.get("legal") });
            tenant
        };
        self.add("tenant", "tenancy/tenants", tenant).await;
    }

    async fn add_places(&mut self) {
        let site = |planted: &Self, line: &Line| {
            let mut site = named(line);
            site["tenant"] = planted.link("tenant", line.get("tenant"));
            site
        };
        self.add("site", "dcim/sites", site).await;
        let location = |planted: &Self, line: &Line| {
            let mut location = named(line);
            location["site"] = planted.link("site", line.get("site"));
            location
        };
        self.add("location", "dcim/locations", location).await;
        self.add("vrf", "ipam/vrfs", |_, line| json!({ "name": line.name })).await;
    }

    async fn add_aggregates(&mut self) {
        let arin = self.scene.ids("ipam/rirs").await[0];
        let other = self.scene.add("ipam/rirs", json!([{ "name": "RIPE", "slug": "ripe" }])).await[0];
        let aggregate = |planted: &Self, line: &Line| {
            let rir = if line.has("rir") { other } else { arin };
            json!({ "prefix": line.name, "rir": rir, "tenant": planted.link("tenant", line.get("tenant")) })
        };
        self.add("aggregate", "ipam/aggregates", aggregate).await;
    }

    /// Makes prefixes and deletes them again.
    async fn add_deleted(&mut self) {
        for line in self.plot.lines("deleted") {
            let prefix = self.scene.add(PREFIXES, json!([{ "prefix": line.name }])).await[0];
            self.scene.remove(PREFIXES, prefix).await;
            let deleted = ago(self.now, line.ago().unwrap());
            let created = deleted - SignedDuration::from_hours(1);
            self.changes.push(Changes { prefix, times: vec![created, deleted], created, deleted: true });
        }
    }

    async fn add_prefixes(&mut self) {
        let lines: Vec<&Line> = self.plot.lines("prefix").collect();
        for some in lines.chunks(50) {
            let rows: Vec<Value> = some.iter().map(|line| self.prefix(line)).collect();
            let ids = self.scene.add(PREFIXES, json!(rows)).await;
            for (line, prefix) in some.iter().zip(ids) {
                self.ids.insert(("prefix", place(line)), prefix);
                let created = ago(self.now, line.ago().unwrap());
                let logged = if line.has("unlogged") { ago(self.now, FORGOTTEN) } else { created };
                self.changes.push(Changes { prefix, times: vec![logged], created, deleted: false });
            }
        }
    }

    fn prefix(&self, line: &Line) -> Value {
        let mut row = self.fields(line);
        row["prefix"] = json!(line.name);
        row["vrf"] = self.link("vrf", line.get("vrf"));
        if let Some(days) = line.get("on") {
            let day = ago(self.now, days.parse().unwrap()).to_zoned(TimeZone::UTC).date();
            row["custom_fields"] = json!({ SINCE_FIELD: day.to_string() });
        }
        for (place, object_type) in [("site", "dcim.site"), ("location", "dcim.location")] {
            if let Some(name) = line.get(place) {
                row["scope_type"] = json!(object_type);
                row["scope_id"] = self.link(place, Some(name));
            }
        }
        row
    }

    /// The fields that may also be changed later on.
    fn fields(&self, line: &Line) -> Value {
        let mut row = Map::new();
        for name in ["status", "description"] {
            row.extend(line.get(name).map(|value| (name.to_owned(), json!(value))));
        }
        if line.has("tenant") {
            row.insert("tenant".to_owned(), self.link("tenant", line.get("tenant")));
        }
        if line.has("tag") {
            row.insert("tags".to_owned(), self.tags(line));
        }
        Value::Object(row)
    }

    async fn change_prefixes(&mut self) {
        for line in self.plot.lines("then") {
            let id = self.ids[&("prefix", place(line))];
            self.scene.edit(PREFIXES, id, self.fields(line)).await;
            let at = ago(self.now, line.ago().unwrap());
            self.changes.iter_mut().find(|changes| changes.prefix == id).unwrap().times.push(at);
        }
    }

    async fn rename_tenants(&self) {
        for line in self.plot.lines("renamed") {
            let id = self.ids[&("tenant", line.name.clone())];
            self.scene.edit("tenancy/tenants", id, json!({ "name": line.get("name").unwrap() })).await;
        }
    }

    /// Writes down where tenants and sites are.
    async fn add_addresses(&self) {
        let mut rows = Vec::new();
        for line in self.plot.lines("tenant").filter(|line| line.get("address") != Some("none")) {
            let mut row = self.address(line, &street(&line.name));
            row["tenant"] = self.link("tenant", Some(&line.name));
            rows.push(row);
        }
        for line in self.plot.lines("address") {
            let mut row = self.address(line, line.get("street").unwrap());
            row["tenant"] = self.link("tenant", line.get("tenant"));
            row["site"] = self.link("site", line.get("site"));
            rows.push(row);
        }
        for (row, number) in rows.iter_mut().zip(1..) {
            row["key"] = json!(format!("operator:{number}"));
        }
        self.scene.add(&custom(schema::ADDRESS), json!(rows)).await;
    }

    fn address(&self, line: &Line, street: &str) -> Value {
        let part = |name: &str, usual: &str| match line.get(name) {
            Some("none") => String::new(),
            other => other.unwrap_or(usual).to_owned(),
        };
        json!({
            "street_address": street, "city": "Reston", "state_province": part("state", "VA"),
            "postal_code": part("postal", "20190"), "country": part("country", "US"),
        })
    }

    /// Links what the first sync has recorded to tenants, as the operator does.
    pub(crate) async fn link_tenants(&self) {
        for (word, slug) in [("org", schema::ORGANIZATION), ("customer", schema::CUSTOMER)] {
            let recorded = self.scene.rows(slug).await;
            let linked = self.plot.lines(word).filter(|line| line.has("tenant")).map(|line| {
                let row = recorded.get(&line.name).unwrap_or_else(|| panic!("{} is not recorded", line.name));
                json!({ "id": row["id"], "tenant": self.link("tenant", line.get("tenant")) })
            });
            self.scene.patch(&custom(slug), linked.collect()).await;
        }
    }

    /// Plants requests and tickets.
    pub(crate) async fn add_requests(&mut self) {
        let networks = self.scene.rows(schema::NETWORK).await;
        let request = |planted: &Self, line: &Line| {
            let range = line.get("range").map(cidr);
            let range = range.map(|range| format!("{} - {}", range.network(), range.broadcast()));
            json!({
                "key": format!("request:{}", line.name), "summary": format!("The {} request", line.name),
                "operation": line.get("operation"), "state": line.get("state"), "range": range.unwrap_or_default(),
                "network": line.get("network").map(|handle| networks[handle]["id"].clone()),
                "config": planted.scene.config, "requested_at": ago(planted.now, 3).to_string(),
            })
        };
        self.add("request", &custom(schema::CHANGE_REQUEST), request).await;
        let ticket = |planted: &Self, line: &Line| {
            let at = ago(planted.now, line.ago().unwrap()).to_string();
            json!({
                "key": format!("ticket:{}", line.name), "number": line.name, "status": line.get("status"),
                "resolution": line.get("resolution").unwrap_or_default(), "config": planted.scene.config,
                "change_request": planted.link("request", line.get("request")),
                "created_at": at, "updated_at": at, "waiting_for_us": line.has("waits"),
            })
        };
        self.add("ticket", &custom(schema::TICKET), ticket).await;
    }

    /// Dates the change log, and cuts it.
    async fn date(&self) {
        let kept_since = ago(self.now, KEPT);
        match &self.scene.netbox.server {
            Some(server) => {
                for Changes { prefix, times, created, deleted } in &self.changes {
                    server.date_changes("ipam.prefix", *prefix, times);
                    let updated = times.last().copied().unwrap_or(*created).max(*created);
                    if !deleted {
                        server.date_object(PREFIXES, *prefix, *created, updated);
                    }
                }
                server.forget_changes(kept_since);
            }
            None => sql(&self.scene.netbox.name, &dated(&self.changes, kept_since)).await,
        }
    }

    /// Adds what all lines with a word are about to a list.
    async fn add(&mut self, word: &'static str, list: &str, row: impl Fn(&Self, &Line) -> Value) {
        let rows: Vec<Value> = self.plot.lines(word).map(|line| row(self, line)).collect();
        let ids = self.scene.add(list, json!(rows)).await;
        let names = self.plot.lines(word).map(|line| (word, line.name.clone()));
        self.ids.extend(names.zip(ids));
    }

    /// The id of something that was planted, as a reference.
    pub(crate) fn link(&self, what: &'static str, name: Option<&str>) -> Value {
        let of = |name: &str| self.ids.get(&(what, name.to_owned())).unwrap_or_else(|| panic!("no {what} {name}"));
        json!(name.map(of))
    }

    /// The id of a prefix in the global table.
    pub(crate) fn prefix_id(&self, range: &str) -> u64 {
        self.ids[&("prefix", format!("{range} global"))]
    }

    fn tags(&self, line: &Line) -> Value {
        json!(line.get("tag").map(|tag| self.link("tag", Some(tag))).into_iter().collect::<Vec<_>>())
    }
}

/// A row with the name and the slug of a line. Tags are called otherwise than their slugs say.
fn named(line: &Line) -> Value {
    json!({ "name": line.get("name").map_or_else(|| format!("The {}", line.name), str::to_owned), "slug": line.name })
}

/// The range and the VRF of a prefix.
fn place(line: &Line) -> String {
    format!("{} {}", line.name, line.get("vrf").unwrap_or("global"))
}

/// The statements that date and cut the change log of a real NetBox.
fn dated(changes: &[Changes], kept_since: Timestamp) -> String {
    let stamps = changes.iter().flat_map(|changes| {
        (1..).zip(&changes.times).map(|(nth, at)| format!("({}, {nth}, '{at}'::timestamptz)", changes.prefix))
    });
    let objects = changes.iter().map(|Changes { prefix, times, created, .. }| {
        let updated = times.last().unwrap_or(created).max(created);
        format!("({prefix}, '{created}'::timestamptz, '{updated}'::timestamptz)")
    });
    let (stamps, objects) = (stamps.collect::<Vec<_>>().join(",\n"), objects.collect::<Vec<_>>().join(",\n"));
    format!(
        "WITH stamp (object, nth, at) AS (VALUES {stamps}),
         numbered AS (
             SELECT change.id, changed_object_id AS object,
                    row_number() OVER (PARTITION BY changed_object_id ORDER BY change.id) AS nth
             FROM core_objectchange AS change JOIN django_content_type AS type ON type.id = changed_object_type_id
             WHERE app_label = 'ipam' AND model = 'prefix')
         UPDATE core_objectchange AS change SET time = stamp.at
         FROM numbered JOIN stamp USING (object, nth) WHERE change.id = numbered.id;
         WITH dated (object, created, updated) AS (VALUES {objects})
         UPDATE ipam_prefix SET created = dated.created, last_updated = dated.updated
         FROM dated WHERE ipam_prefix.id = dated.object;
         DELETE FROM core_objectchange WHERE time < '{kept_since}';"
    )
}

/// Runs SQL in the database of a real NetBox.
async fn sql(name: &str, statements: &str) {
    let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab.sh");
    let mut command = tokio::process::Command::new(lab);
    let mut child = command.args(["sql", "--name", name]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(statements.as_bytes()).await.unwrap();
    assert!(child.wait().await.unwrap().success(), "could not date the changes");
}
