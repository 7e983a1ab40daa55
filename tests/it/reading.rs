//! Reading both sides for the findings: the address plan, and what is recorded of the registrations.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use rir_sandbox::netbox::{Action, Grant, Server};
use rir_sidecar::{
    findings::{
        AddressPlan, Registrations,
        address_plan::{PlannedPrefix, PrefixState},
        read::{deletions, histories, read},
    },
    model::{Holder, Instance, NetType, RowId, Scope},
    netbox::{Client, Error, needs, schema},
};
use serde_json::{Value, json};

use crate::scene::{Scene, Target, aggregate, cidr, custom, prefix, small};

const PREFIXES: &str = "ipam/prefixes";

/// Names in the settings everything that findings can be judged by.
fn name_all(scene: &mut Scene) {
    let text = str::to_owned;
    let findings = &mut scene.settings.findings;
    findings.own_tenants = Some(BTreeSet::from([text("ourselves")]));
    findings.own_tenant_groups = Some(BTreeSet::from([text("internal")]));
    findings.public_vrfs = BTreeSet::from([text("internet")]);
    findings.since_field = text("assigned_on");
    findings.legal_name_field = text("legal_name");
    findings.residential_tag = text("at-home");
}

/// Puts in NetBox whatever makes the reader ask for something, and names all of it in the settings.
pub(crate) async fn set_up(scene: &mut Scene) {
    let field = |name: &str, kind: &str, of: &str| json!({ "name": name, "type": kind, "object_types": [of] });
    let fields = json!([field("assigned_on", "date", "ipam.prefix"), field("legal_name", "text", "tenancy.tenant")]);
    scene.add("extras/custom-fields", fields).await;
    let tag = scene.add("extras/tags", json!([{ "name": "At home", "slug": "at-home" }])).await[0];
    let outer = scene.add("tenancy/tenant-groups", json!([{ "name": "Internal", "slug": "internal" }])).await[0];
    let inner = json!([{ "name": "Lab", "slug": "lab", "parent": outer }]);
    let inner = scene.add("tenancy/tenant-groups", inner).await[0];
    let bakery = json!({ "name": "Sample Bakery", "slug": "bakery", "group": inner, "tags": [tag],
                         "custom_fields": { "legal_name": "Sample Bakery Inc" } });
    let tenants = json!([bakery, { "name": "Dairy", "slug": "dairy" }, { "name": "Nobody", "slug": "nobody" }]);
    let tenants = scene.add("tenancy/tenants", tenants).await;
    let site = json!([{ "name": "S", "slug": "s", "tenant": tenants[1] }]);
    let site = scene.add("dcim/sites", site).await[0];
    let location = scene.add("dcim/locations", json!([{ "name": "L", "slug": "l", "site": site }])).await[0];
    let vrf = scene.add("ipam/vrfs", json!([{ "name": "internet" }])).await[0];
    let prefixes = by_range(scene).await;
    let fields = json!({ "tenant": tenants[0], "status": "reserved", "scope_type": "dcim.location", "scope_id": location,
                         "vrf": vrf, "tags": [tag], "custom_fields": { "assigned_on": "2026-01-31" } });
    scene.edit(PREFIXES, prefixes["23.144.1.0/24"], fields).await;
    let address = |city: &str, site: Option<u64>| json!({ "street_address": "1 Mill Lane\nDoor 2", "city": city, "country": "US", "site": site });
    scene.add(&custom(schema::ADDRESS), json!([address("Springfield", Some(site)), address("Nowhere", None)])).await;
    name_all(scene);
}

async fn by_range(scene: &Scene) -> BTreeMap<String, u64> {
    let rows = scene.list(PREFIXES, "limit=1000").await;
    rows.iter().map(|row| (row["prefix"].as_str().unwrap().to_owned(), row["id"].as_u64().unwrap())).collect()
}

async fn scene() -> Scene {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    set_up(&mut scene).await;
    scene
}

fn server(scene: &Scene) -> &Server {
    scene.netbox.server.as_ref().unwrap()
}

fn client(scene: &Scene) -> Client {
    Client::new(&scene.settings.netbox).unwrap()
}

async fn read_of(scene: &Scene, scope: &Scope) -> Result<(AddressPlan, Registrations), Error> {
    let instance = Instance::of(&scene.arin.url().parse().unwrap());
    read(&client(scene), &BTreeMap::from([(scene.config, instance)]), &scene.settings, scope).await
}

/// Reads everything that there is, the change log included.
pub(crate) async fn everything(scene: &Scene) -> (AddressPlan, Registrations) {
    let (mut plan, registrations) = read_of(scene, &Scope::Config).await.unwrap();
    let ids = plan.prefixes.iter().map(|prefix| prefix.id).collect();
    plan.histories = histories(&client(scene), &ids).await.unwrap();
    plan.deletions = Some(deletions(&client(scene)).await.unwrap());
    (plan, registrations)
}

fn planned<'a>(plan: &'a AddressPlan, range: &str) -> &'a PlannedPrefix {
    plan.prefixes.iter().find(|prefix| prefix.prefix == cidr(range)).unwrap()
}

fn ranges(plan: &AddressPlan) -> Vec<IpNet> {
    let mut ranges: Vec<IpNet> = plan.prefixes.iter().map(|prefix| prefix.prefix).collect();
    ranges.sort_unstable();
    ranges
}

#[tokio::test]
async fn a_prefix_is_read_with_whose_it_is_and_where() {
    let scene = scene().await;
    let (plan, _) = read_of(&scene, &Scope::Config).await.unwrap();
    assert_eq!(ranges(&plan), ["23.144.1.0/24", "23.144.1.0/26", "23.144.2.0/24", "23.144.3.0/24"].map(cidr));
    let prefix = planned(&plan, "23.144.1.0/24");
    let tenant = &plan.tenants[&prefix.tenant.unwrap()];
    assert_eq!(
        (&*tenant.name, &*tenant.slug, tenant.legal_name.as_deref()),
        ("Sample Bakery", "bakery", Some("Sample Bakery Inc"))
    );
    let group = &plan.tenant_groups[&tenant.group.unwrap()];
    assert_eq!((&*group.slug, &*plan.tenant_groups[&group.parent.unwrap()].slug), ("lab", "internal"));
    assert_eq!((&tenant.tags, &prefix.tags), (&BTreeSet::from(["at-home".to_owned()]), &tenant.tags));
    assert_eq!(plan.tags, BTreeMap::from([("At home".to_owned(), "at-home".to_owned())]));
    assert_eq!((&*prefix.status, prefix.assigned_on), ("reserved", Some(jiff::civil::date(2026, 1, 31))));
    assert_eq!(plan.vrfs[&prefix.vrf.unwrap()], "internet");
    assert!(prefix.created.unwrap() <= prefix.last_updated.unwrap());
    let bare = planned(&plan, "23.144.3.0/24");
    assert_eq!((bare.tenant, bare.vrf, &*bare.status, bare.site, bare.assigned_on), (None, None, "active", None, None));
    // A location belongs to a site; only addresses that somebody linked matter, and no tenant that nothing refers to.
    let address = &plan.addresses[0];
    assert_eq!((plan.addresses.len(), address.site, address.tenant), (1, prefix.site, None));
    assert_eq!(address.address.to_string(), "1 Mill Lane, Door 2, Springfield, US");
    assert_eq!(plan.tenants[&plan.site_tenants[&prefix.site.unwrap()]].slug, "dairy");
    assert!(plan.tenants.values().all(|tenant| tenant.slug != "nobody"));
    let config = &plan.configs[0];
    assert_eq!(
        (config.id, config.rir, config.sync_interval),
        (scene.config, Some(plan.aggregates[0].rir), scene.settings.schedule.interval)
    );
    assert!(plan.oldest_change.unwrap() <= jiff::Timestamp::now());
}

#[tokio::test]
async fn what_is_recorded_is_read_with_its_holders() {
    let scene = scene().await;
    assert_eq!(scene.sync().await.ended, None);
    let bakery = scene.ids("tenancy/tenants").await[0];
    let (customer, org) =
        (scene.rows_of(schema::CUSTOMER).await.remove(0), scene.row(schema::ORGANIZATION, "SAMPLE-3").await);
    for (slug, row) in [(schema::CUSTOMER, &customer), (schema::ORGANIZATION, &org)] {
        scene.edit(&custom(slug), row["id"].as_u64().unwrap(), json!({ "tenant": bakery })).await;
    }
    let (_, registrations) = read_of(&scene, &Scope::Config).await.unwrap();
    let of = |range: &str| registrations.nets.iter().find(|net| net.blocks == [cidr(range).into()]).unwrap();
    let (whole, simple, detailed) = (of("23.144.0.0/20"), of("23.144.1.0/24"), of("23.144.2.0/24"));
    assert_eq!((&whole.kind, &simple.kind), (&Some(NetType::DirectAllocation), &Some(NetType::Reassigned)));
    assert_eq!((&simple.parent, simple.registered, simple.config), (&Some(whole.handle.clone()), true, scene.config));
    let holder = registrations.customers.iter().find(|customer| customer.network == Some(simple.row)).unwrap();
    assert_eq!(simple.holder, Some(Holder::Customer(holder.handle.clone())));
    assert_eq!((&*holder.name, holder.tenant, holder.registered), ("Sample Bakery", Some(RowId(bakery)), true));
    assert!(holder.address.as_ref().is_some_and(|address| address.city.is_some()), "{holder:?}");
    let recipient = registrations.orgs.iter().find(|org| org.handle.as_str() == "SAMPLE-3").unwrap();
    assert_eq!(
        (&detailed.holder, recipient.tenant),
        (&Some(Holder::Org(recipient.handle.clone())), Some(RowId(bakery)))
    );
    scene.edit(&custom(schema::CUSTOMER), customer["id"].as_u64().unwrap(), json!({ "status": "not-found" })).await;
    let (_, registrations) = read_of(&scene, &Scope::Config).await.unwrap();
    assert_eq!(registrations.nets.iter().find(|net| net.handle == simple.handle).unwrap().holder, None);
}

#[tokio::test]
async fn requests_and_tickets_are_read() {
    let scene = scene().await;
    let row = json!([{ "key": "r:1", "summary": "Reassign", "operation": "reassign-simple", "state": "waiting",
                       "config": scene.config, "range": "23.144.3.0 - 23.144.3.255" }]);
    let request = scene.add(&custom(schema::CHANGE_REQUEST), row).await[0];
    let row = json!([{ "key": "t:1", "number": "20261127-X1", "status": "PENDING_REVIEW", "change_request": request,
                       "created_at": "2026-11-01T00:00:00Z", "waiting_for_us": true, "config": scene.config }]);
    scene.add(&custom(schema::TICKET), row).await;
    let (_, registrations) = read_of(&scene, &Scope::Config).await.unwrap();
    let [request] = &*registrations.requests else { panic!("{registrations:?}") };
    assert_eq!((&*request.operation, &*request.state), ("reassign-simple", "waiting"));
    assert_eq!(request.range, Some(cidr("23.144.3.0/24").into()));
    let [ticket] = &*registrations.tickets else { panic!("{registrations:?}") };
    assert_eq!((&*ticket.number, ticket.request, ticket.waiting_for_us), ("20261127-X1", Some(request.row), true));
    assert_eq!((&ticket.resolution, ticket.created), (&None, Some("2026-11-01T00:00:00Z".parse().unwrap())));
}

#[tokio::test]
async fn of_single_prefixes_only_what_is_near_is_read() {
    let mut world = small();
    aggregate(&mut world, "23.145.0.0/20");
    for text in ["23.144.0.0/20", "23.144.2.0/25", "23.144.2.128/25", "23.145.1.0/24"] {
        prefix(&mut world, text, None);
    }
    let scene = Scene::new(Target::sandbox().await, world).await;
    assert_eq!(scene.sync().await.ended, None);
    let prefixes = by_range(&scene).await;
    let near = async |ranges: &[&str]| {
        let ids = ranges.iter().map(|range| RowId(prefixes[*range])).collect();
        read_of(&scene, &Scope::Prefixes(ids)).await.unwrap()
    };
    let (plan, registrations) = near(&["23.144.1.0/26"]).await;
    // What is around it, and all that is inside the net that it is a part of.
    assert_eq!(self::ranges(&plan), ["23.144.0.0/20", "23.144.1.0/24", "23.144.1.0/26"].map(cidr));
    let nets = |registrations: &Registrations| {
        registrations.nets.iter().map(|net| net.blocks[0].prefixes()[0]).collect::<BTreeSet<_>>()
    };
    assert_eq!(nets(&registrations), ["23.144.0.0/20", "23.144.1.0/24"].map(cidr).into());
    assert_eq!(plan.aggregates.len(), 2, "an aggregate is judged together with the others of its net");
    let (plan, registrations) = near(&["23.144.2.0/25"]).await;
    let inside = ["23.144.0.0/20", "23.144.2.0/24", "23.144.2.0/25", "23.144.2.128/25"].map(cidr);
    assert_eq!(self::ranges(&plan), inside);
    assert_eq!(nets(&registrations), ["23.144.0.0/20", "23.144.2.0/24"].map(cidr).into());
    let many: Vec<&str> = prefixes.keys().map(String::as_str).filter(|range| range.starts_with("23.144")).collect();
    let (plan, _) = near(&many).await;
    assert_eq!(self::ranges(&plan).len(), many.len());
    let other = plan.aggregates.iter().find(|aggregate| aggregate.prefix == cidr("23.145.0.0/20")).unwrap().id;
    let (plan, registrations) = read_of(&scene, &Scope::Aggregate(other)).await.unwrap();
    assert_eq!(self::ranges(&plan), ["23.145.1.0/24"].map(cidr));
    assert_eq!(nets(&registrations), [cidr("23.144.0.0/20")].into(), "what our own organization holds stays");
}

#[tokio::test]
async fn what_no_setting_and_no_row_needs_is_not_asked_for() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let before = server(&scene).requests().0.len();
    let (plan, _) = read_of(&scene, &Scope::Config).await.unwrap();
    assert_eq!((plan.prefixes.len(), plan.tenants.len()), (4, 0));
    let requests = server(&scene).requests();
    let asked: BTreeSet<&str> = requests.0.iter().skip(before).map(|request| request.path()).collect();
    for list in ["tenancy", "dcim", "extras", "ipam/vrfs"] {
        assert!(!asked.iter().any(|path| path.contains(list)), "{asked:?}");
    }
}

#[tokio::test]
async fn the_change_log_tells_what_became_of_a_prefix() {
    let scene = scene().await;
    let prefixes = by_range(&scene).await;
    let (kept, gone) = (prefixes["23.144.1.0/24"], prefixes["23.144.3.0/24"]);
    scene.edit(PREFIXES, kept, json!({ "tags": [], "status": "active" })).await;
    scene.remove(PREFIXES, gone).await;
    let asked = BTreeSet::from([RowId(kept), RowId(99_999_999)]);
    let all = histories(&client(&scene), &asked).await.unwrap();
    assert_eq!(all[&RowId(99_999_999)], [], "one that was asked for has an entry");
    let [newest, middle, oldest] = &*all[&RowId(kept)] else { panic!("{all:?}") };
    assert!(newest.at > middle.at && middle.at > oldest.at);
    assert_eq!((&oldest.before, oldest.after.as_ref().unwrap().tenant), (&None, None));
    let state = PrefixState {
        prefix: Some(cidr("23.144.1.0/24")),
        vrf: newest.after.as_ref().unwrap().vrf,
        tenant: newest.after.as_ref().unwrap().tenant,
        status: "reserved".to_owned(),
        tags: BTreeSet::from(["At home".to_owned()]),
    };
    assert_eq!((&newest.before, &middle.after), (&Some(state.clone()), &Some(state.clone())));
    assert_eq!(newest.after, Some(PrefixState { status: "active".to_owned(), tags: BTreeSet::new(), ..state }));
    let [deletion] = &*deletions(&client(&scene)).await.unwrap() else { panic!("more than one") };
    assert_eq!(
        (deletion.prefix, deletion.vrf, deletion.user.as_deref()),
        (cidr("23.144.3.0/24"), None, Some("sandbox"))
    );
}

#[tokio::test]
async fn many_changes_and_deletions_are_read_page_by_page() {
    let mut scene = Scene::new(Target::sandbox().await, small()).await;
    scene.settings.netbox.page_size = 7;
    let rows: Vec<Value> = (0..120).map(|number| json!({ "prefix": format!("23.144.9.{number}/32") })).collect();
    let ids = scene.add(PREFIXES, json!(rows)).await;
    for id in &ids {
        scene.edit(PREFIXES, *id, json!({ "status": "reserved" })).await;
    }
    let all = histories(&client(&scene), &ids.iter().copied().map(RowId).collect()).await.unwrap();
    assert_eq!((all.len(), all.values().map(Vec::len).sum::<usize>()), (120, 240));
    for id in &ids {
        scene.remove(PREFIXES, *id).await;
    }
    let gone = deletions(&client(&scene)).await.unwrap();
    assert_eq!((gone.len(), gone[0].prefix), (120, cidr("23.144.9.119/32")));
    assert!(gone.is_sorted_by(|newer, older| newer.at > older.at));
}

/// NetBox's pages do not show the key of an address, so that one made there has none.
#[tokio::test]
async fn an_address_that_an_operator_made_does_not_stop_a_sync() {
    let scene = scene().await;
    let run = scene.sync().await;
    assert_eq!(run.ended, None);
    let made = scene.rows_of(schema::ADDRESS).await;
    assert_eq!(made.iter().filter(|row| row["key"].is_null()).count(), 2);
    assert!(scene.left_to_do().await.changes.is_empty());
}

#[tokio::test]
async fn a_list_that_netbox_refuses_stops_the_findings_and_no_sync() {
    let mut scene = scene().await;
    let all = [Action::View, Action::Add, Action::Change, Action::Delete];
    let list = |path: &str| path.trim_start_matches("/api/").trim_end_matches('/').to_owned();
    let needs = needs(true, &scene.settings);
    for refused in ["tenants", "tenant-groups", "sites", "locations", "vrfs", "tags", "object-changes", "rir-ticket"] {
        let granted = needs.iter().filter(|need| need.list() != refused);
        let grants = granted.map(|need| Grant::new(&list(&need.path), &all)).collect();
        scene.settings.netbox.token = server(&scene).add_user(refused, grants).as_str().into();
        assert_eq!(scene.sync().await.ended, None, "{refused}");
        let error = read_of(&scene, &Scope::Config).await.unwrap_err();
        let told = error.to_string();
        assert!(error.is_forbidden() && told.contains(&format!("/{refused}/")), "{refused}: {told}");
        assert!(told.contains("needs the \"view\" permission"), "{told}");
    }
}

#[tokio::test]
async fn a_prefix_that_cannot_be_read_is_left_out_and_a_net_is_an_error() {
    let scene = scene().await;
    let odd = json!({ "prefix": "23.144.4.0/24", "status": 5 });
    server(&scene).add_object(PREFIXES, odd.as_object().unwrap().clone()).unwrap();
    let (plan, _) = read_of(&scene, &Scope::Config).await.unwrap();
    assert_eq!(plan.prefixes.len(), 4);
    let odd = json!({ "key": "arin:NET-1", "handle": "NET-1" });
    server(&scene).add_row(schema::NETWORK, odd.as_object().unwrap().clone()).unwrap();
    let error = read_of(&scene, &Scope::Config).await.unwrap_err();
    let told = rir_sidecar::error_chain::error_chain(&error);
    assert!(told.contains("rir-network") && told.contains("cidrs"), "{told}");
}
