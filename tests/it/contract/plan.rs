//! What belongs to a prefix in an address plan: tenants and their groups, sites, VRFs, tags and custom fields.

use serde_json::{Value, json};

use super::{Target, network};

pub(super) const PREFIXES: &str = "/api/ipam/prefixes/";
const AGGREGATES: &str = "/api/ipam/aggregates/";
const VRFS: &str = "/api/ipam/vrfs/";
const TENANTS: &str = "/api/tenancy/tenants/";
const GROUPS: &str = "/api/tenancy/tenant-groups/";
const SITES: &str = "/api/dcim/sites/";
const LOCATIONS: &str = "/api/dcim/locations/";
const TAGS: &str = "/api/extras/tags/";
const CUSTOM_FIELDS: &str = "/api/extras/custom-fields/";
const RIRS: &str = "/api/ipam/rirs/";
const ASNS: &str = "/api/ipam/asns/";

impl Target {
    /// A slug of this case's own.
    fn slug_of(&self, name: &str) -> String {
        format!("{}-{}", name.to_lowercase().replace(' ', "-"), self.run)
    }

    fn named(&self, name: &str) -> Value {
        json!({ "name": format!("{name} {}", self.run), "slug": self.slug_of(name) })
    }

    /// Makes a tenant of this case's own.
    pub(super) async fn tenant(&self, name: &str) -> u64 {
        self.made(TENANTS, self.named(name)).await
    }

    /// Makes a tag of this case's own.
    pub(super) async fn tag(&self, name: &str) -> u64 {
        self.made(TAGS, self.named(name)).await
    }

    /// Makes a site of this case's own.
    pub(super) async fn site(&self, name: &str, tenant: Option<u64>) -> u64 {
        let mut site = self.named(name);
        site["tenant"] = json!(tenant);
        self.made(SITES, site).await
    }

    /// Makes a custom field of this case's own, and returns its name.
    async fn custom_field(&self, name: &str, kind: &str, object_type: &str) -> String {
        let name = format!("{name}_{}", self.run);
        let field = json!({ "name": name, "type": kind, "object_types": [object_type] });
        self.made(CUSTOM_FIELDS, field).await;
        name
    }

    /// The first row of a list.
    async fn first(&self, path: &str) -> Value {
        self.get(path).await.expect(200)["results"][0].clone()
    }
}

pub(crate) async fn a_prefix_tells_whose_it_is_and_where(target: &Target) {
    let (tenant, site, tag) = (target.tenant("a").await, target.site("a", None).await, target.tag("a").await);
    let row = json!({
        "prefix": format!("{}/64", network()), "tenant": tenant, "status": "container", "scope_type": "dcim.site",
        "scope_id": site, "tags": [tag],
    });
    let id = target.made(PREFIXES, row).await;
    let fields = "id,prefix,vrf,tenant,status,scope_type,scope_id,tags,created,last_updated";
    let prefix = target.first(&format!("{PREFIXES}?id={id}&fields={fields}")).await;
    assert_eq!((&prefix["tenant"]["id"], &prefix["vrf"]), (&json!(tenant), &json!(null)));
    assert_eq!(prefix["status"], json!({ "value": "container", "label": "Container" }));
    assert_eq!((&prefix["scope_type"], &prefix["scope_id"]), (&json!("dcim.site"), &json!(site)));
    assert_eq!((&prefix["tags"][0]["id"], &prefix["tags"][0]["slug"]), (&json!(tag), &json!(target.slug_of("a"))));
    for name in ["created", "last_updated"] {
        assert!(prefix[name].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{prefix}");
    }
    assert_eq!(prefix.as_object().unwrap().len(), 10);
    let bare = target.made(PREFIXES, json!({ "prefix": format!("{}/64", network()) })).await;
    let bare = target.first(&format!("{PREFIXES}?id={bare}&fields={fields}")).await;
    assert_eq!(
        (&bare["tenant"], &bare["status"]["value"], &bare["tags"]),
        (&json!(null), &json!("active"), &json!([]))
    );
    assert_eq!((&bare["scope_type"], &bare["scope_id"]), (&json!(null), &json!(null)));
    let wrong = json!({ "prefix": format!("{}/64", network()), "status": "nope" });
    let told = target.post(PREFIXES, wrong).await.expect(400);
    assert_eq!(told, json!({ "status": ["nope is not a valid choice."] }));
}

pub(crate) async fn an_aggregate_nests_its_tenant(target: &Target) {
    let (rir, tenant) = (target.rir().await, target.tenant("a").await);
    let id =
        target.made(AGGREGATES, json!({ "prefix": format!("{}/64", network()), "rir": rir, "tenant": tenant })).await;
    let found = target.first(&format!("{AGGREGATES}?id={id}&fields=id,prefix,rir,tenant")).await;
    assert_eq!((&found["tenant"]["id"], &found["rir"]["id"]), (&json!(tenant), &json!(rir)));
}

pub(crate) async fn a_tenant_tells_its_group_and_tags(target: &Target) {
    let (group, tag) = (target.made(GROUPS, target.named("group")).await, target.tag("a").await);
    let mut row = target.named("tenant");
    (row["group"], row["tags"]) = (json!(group), json!([{ "slug": target.slug_of("a") }]));
    let id = target.made(TENANTS, row).await;
    let tenant = target.first(&format!("{TENANTS}?id={id}&fields=id,name,slug,group,tags")).await;
    assert_eq!((&tenant["slug"], &tenant["group"]["id"]), (&json!(target.slug_of("tenant")), &json!(group)));
    assert_eq!((&tenant["tags"][0]["id"], &tenant["tags"][0]["slug"]), (&json!(tag), &json!(target.slug_of("a"))));
    let alone = target.tenant("alone").await;
    let alone = target.first(&format!("{TENANTS}?id={alone}&fields=id,name,slug,group,tags")).await;
    assert_eq!((&alone["group"], &alone["tags"]), (&json!(null), &json!([])));
}

pub(crate) async fn a_tenant_group_nests_the_one_around_it(target: &Target) {
    let outer = target.made(GROUPS, target.named("outer")).await;
    let mut row = target.named("inner");
    row["parent"] = json!(outer);
    let inner = target.made(GROUPS, row).await;
    let (query, slug) = (format!("id={inner}&fields=id,slug,parent"), target.slug_of("inner"));
    let group = target.first(&format!("{GROUPS}?{query}")).await;
    assert_eq!((&group["slug"], &group["parent"]["id"]), (&json!(slug), &json!(outer)));
}

pub(crate) async fn a_location_nests_its_site_and_a_site_its_tenant(target: &Target) {
    let tenant = target.tenant("a").await;
    let site = target.site("a", Some(tenant)).await;
    let mut row = target.named("location");
    row["site"] = json!(site);
    let location = target.made(LOCATIONS, row).await;
    assert_eq!(target.first(&format!("{LOCATIONS}?id={location}&fields=id,site")).await["site"]["id"], json!(site));
    assert_eq!(target.first(&format!("{SITES}?id={site}&fields=id,tenant")).await["tenant"]["id"], json!(tenant));
}

pub(crate) async fn custom_fields_are_answered_set_or_not(target: &Target) {
    let day = target.custom_field("day", "date", "ipam.prefix").await;
    let legal = target.custom_field("legal", "text", "tenancy.tenant").await;
    let row = |fields: Value| json!({ "prefix": format!("{}/64", network()), "custom_fields": fields });
    let set = target.made(PREFIXES, row(json!({ &*day: "2026-01-31" }))).await;
    let unset = target.made(PREFIXES, row(json!({}))).await;
    let of = async |id: u64| {
        target.first(&format!("{PREFIXES}?id={id}&fields=id,custom_fields")).await["custom_fields"].clone()
    };
    assert_eq!(of(set).await[&*day], json!("2026-01-31"));
    assert!(of(unset).await.as_object().unwrap().contains_key(&*day));
    target.patch(&format!("{PREFIXES}{set}/"), json!({ "custom_fields": { &*day: null } })).await.expect(200);
    assert_eq!(of(set).await[&*day], json!(null));
    let told = target.post(PREFIXES, row(json!({ &*legal: "x" }))).await.expect(400);
    let words = format!("Custom field '{legal}' does not exist for this object type.");
    assert_eq!(told, json!({ "custom_fields": { &*legal: words } }));
    let mut tenant = target.named("a");
    tenant["custom_fields"] = json!({ &*legal: "Sample Bakery Inc" });
    let tenant = target.made(TENANTS, tenant).await;
    let tenant = target.first(&format!("{TENANTS}?id={tenant}&fields=id,custom_fields")).await;
    assert_eq!(tenant["custom_fields"][&*legal], json!("Sample Bakery Inc"));
}

/// A custom field that leads to several objects has them with all that they are called by.
pub(crate) async fn what_leads_to_asns_has_their_numbers(target: &Target) {
    let rir = target.made(RIRS, target.named("rir")).await;
    let low = 4_200_000_000 + u64::from(fastrand::u32(..90_000_000));
    let high = low + 1;
    let asn = async |number: u64| target.made(ASNS, json!({ "asn": number, "rir": rir })).await;
    let (one, other) = (asn(low).await, asn(high).await);
    let name = format!("origins_{}", target.run);
    let field = json!({
        "name": name, "type": "multiobject", "related_object_type": "ipam.asn",
        "object_types": ["ipam.prefix", "ipam.aggregate"],
    });
    target.made(CUSTOM_FIELDS, field).await;
    let numbers = |rows: &Value| {
        let mut numbers: Vec<u64> = rows.as_array().unwrap().iter().map(|row| row["asn"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    };
    let prefix = format!("{}/64", network());
    for (list, row) in [
        (PREFIXES, json!({ "prefix": prefix, "custom_fields": { &*name: [one, other] } })),
        (AGGREGATES, json!({ "prefix": prefix, "rir": rir, "custom_fields": { &*name: [one, other] } })),
    ] {
        let id = target.made(list, row).await;
        let row = target.first(&format!("{list}?id={id}&fields=id,custom_fields")).await;
        assert_eq!(numbers(&row["custom_fields"][&*name]), [low, high], "{list}");
    }
    let unset = target.made(PREFIXES, json!({ "prefix": format!("{}/64", network()) })).await;
    let unset = target.first(&format!("{PREFIXES}?id={unset}&fields=id,custom_fields")).await;
    let unset = &unset["custom_fields"][&*name];
    assert!(unset.is_null() || *unset == json!([]), "{unset}");
    let mut site = target.named("site");
    site["asns"] = json!([one, other]);
    let site = target.made(SITES, site).await;
    assert_eq!(numbers(&target.first(&format!("{SITES}?id={site}&fields=id,asns")).await["asns"]), [low, high]);
    let rir = target.first(&format!("{RIRS}?id={rir}&fields=id,is_private")).await;
    assert_eq!(rir["is_private"], json!(false));
}

pub(crate) async fn several_slugs_are_alternatives(target: &Target) {
    for list in [TENANTS, GROUPS, TAGS] {
        for name in ["a", "b", "c"] {
            target.made(list, target.named(name)).await;
        }
        let (a, b) = (target.slug_of("a"), target.slug_of("b"));
        let found = target.get(&format!("{list}?slug={a}&slug={b}&fields=id,slug&ordering=id")).await.column("slug");
        assert_eq!(found, [a, b], "{list}");
    }
}

pub(crate) async fn several_names_of_vrfs_are_alternatives(target: &Target) {
    for name in ["a", "b", "c"] {
        target.made(VRFS, json!({ "name": target.slug_of(name) })).await;
    }
    let (a, b) = (target.slug_of("a"), target.slug_of("b"));
    let found = target.get(&format!("{VRFS}?name={a}&name={b}&fields=id,name&ordering=id")).await.column("name");
    assert_eq!(found, [a, b]);
}
