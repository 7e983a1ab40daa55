//! Syncs that spare questions by ARIN's public listing, beside syncs that ask everything.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use rir_sandbox::{
    regrws::{Lookup, Operation},
    whois::{Blocks, Fault, Rule},
    world::{Holder, Registry, World},
};
use rir_sidecar::{
    model::{Resource, RowId, Scope},
    netbox::schema,
    sync::{self, NoCheckpoint, Request, SyncRun, Verdict},
};
use serde_json::{Value, json};

use crate::scene::{CONFIG, ORG, Row, Scene, Target, aggregate, cidr, custom, prefix, small};

const NETWORK: &str = "rir-network";
const PARENT: &str = "NET-23-144-0-0-1";
const CUSTOMERS: &str = "NET-23-144-1-0-1";
const ORGS: &str = "NET-23-144-2-0-1";

/// A scene whose syncs use the listing.
async fn listed(world: World) -> Scene {
    let mut scene = Scene::new(Target::sandbox().await, world).await;
    scene.settings.arin.whois_requests_per_second = 0;
    scene.settings.arin.whois_url = Some(scene.arin.whois_url().parse().unwrap());
    scene
}

/// Two scenes of the same world, of which one uses the listing and the other one asks everything.
struct Pair {
    listed: Scene,
    full: Scene,
}

impl Pair {
    async fn new(world: World) -> Self {
        Self { listed: listed(world.clone()).await, full: Scene::new(Target::sandbox().await, world).await }
    }

    fn configure(&self, lookup: Lookup, records: usize, itself: bool) {
        for scene in [&self.listed, &self.full] {
            scene.arin.configure(|options| options.lookup = lookup);
        }
        self.listed.arin.whois().configure(|options| (options.records, options.itself) = (records, itself));
    }

    /// Changes both registries in the same way.
    fn edit(&self, change: impl FnOnce(&mut Registry)) {
        let mut registry = self.full.arin.registry().clone();
        change(&mut registry);
        for scene in [&self.listed, &self.full] {
            registry.clone_into(&mut scene.arin.registry());
        }
    }

    async fn add(&self, path: &str, rows: Value) {
        self.listed.add(path, rows.clone()).await;
        self.full.add(path, rows).await;
    }

    /// Syncs both, and sees to it that they come to the same. Returns the run that used the listing.
    async fn sync(&self, what: &str) -> SyncRun {
        let (run, all) = tokio::join!(self.listed.sync(), self.full.sync());
        assert_eq!(run.in_full, Vec::new(), "{what}");
        self.assert_same(&run, &all, what).await;
        run
    }

    async fn assert_same(&self, run: &SyncRun, all: &SyncRun, what: &str) {
        assert_eq!(run.verdict(), all.verdict(), "{what}: {:?} {:?}", run.all_failures(), all.all_failures());
        assert_eq!(
            run.skips.iter().map(|skip| (&skip.handle, &skip.message)).collect::<BTreeSet<_>>(),
            all.skips.iter().map(|skip| (&skip.handle, &skip.message)).collect::<BTreeSet<_>>(),
            "{what}"
        );
        let (listed, full) = tokio::join!(rows(&self.listed), rows(&self.full));
        similar_asserts(&listed, &full, what);
        let (log, full) = tokio::join!(log(&self.listed, run), log(&self.full, all));
        assert_eq!(log, full, "{what}");
        assert_eq!(self.listed.left_to_do().await.changes, Vec::new(), "{what}");
    }
}

/// Compares rows one by one, so that a failure shows the row and not all of them.
fn similar_asserts(listed: &BTreeMap<String, String>, full: &BTreeMap<String, String>, what: &str) {
    for (name, row) in full {
        assert_eq!(listed.get(name), Some(row), "{what}: {name}");
    }
    assert_eq!(listed.keys().collect::<Vec<_>>(), full.keys().collect::<Vec<_>>(), "{what}");
}

/// All rows about registered objects by what they are called, without what differs between any two runs.
async fn rows(scene: &Scene) -> BTreeMap<String, String> {
    let types = ["rir-address", "rir-organization", "rir-contact", "rir-network", "rir-customer"];
    let mut all: Vec<(&str, Row)> = Vec::new();
    for slug in types {
        all.extend(scene.rows_of(slug).await.into_iter().map(|row| (slug, row)));
    }
    let key = |row: &Row| row["key"].as_str().unwrap().rsplit(':').next().unwrap().to_owned();
    let names: BTreeMap<(String, u64), String> =
        all.iter().map(|(slug, row)| (((*slug).to_owned(), row["id"].as_u64().unwrap()), key(row))).collect();
    let field = |(name, value): (&String, &Value)| {
        let reference = || Some((format!("rir-{name}"), value.get("id")?.as_u64()?));
        let named = reference().and_then(|reference| names.get(&reference).cloned());
        let id = || value.get("id").map(Value::to_string);
        format!("{name}={}", named.or_else(id).unwrap_or_else(|| without_urls(value).to_string()))
    };
    let passing = ["id", "url", "display", "display_url", "created", "last_updated", "last_synced", "listed", "key"];
    let shown = |(slug, row): &(&str, Row)| {
        let fields = row.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
        (format!("{slug} {}", key(row)), fields.map(field).collect::<Vec<_>>().join("\n"))
    };
    all.iter().map(shown).collect()
}

/// References of a list, which begin with the address of the NetBox that has them, by their ids.
fn without_urls(value: &Value) -> Value {
    let all = value.as_array().map(|all| all.iter().map(|one| one.get("id").unwrap_or(one).clone()).collect());
    all.unwrap_or_else(|| value.clone())
}

/// The log of a run, an object a line, without its summary.
async fn log(scene: &Scene, run: &SyncRun) -> Vec<String> {
    let rows = scene.rows_of(schema::SYNC_LOG).await;
    let text = |row: &Row, name: &str| {
        let value = row.get(name).unwrap_or(&Value::Null);
        value.as_str().or_else(|| value["value"].as_str()).unwrap_or_default().to_owned()
    };
    let mut lines = Vec::new();
    for row in rows.iter().filter(|row| row["run"] == run.id.as_str() && !text(row, "object_type").is_empty()) {
        let [operation, object, status] = ["operation", "object_type", "status"].map(|name| text(row, name));
        match text(row, "details").as_str() {
            "" => {
                let (handle, message) = (text(row, "object_handle"), text(row, "message"));
                lines.push(format!("{operation} {object} {handle} {status}: {message}"));
            }
            details => {
                let handles = details.lines().map(|line| line.trim_start_matches(['-', '*', ' ']).trim_matches('`'));
                lines.extend(handles.map(|handle| format!("{operation} {object} {handle} {status}: created")));
            }
        }
    }
    lines.sort();
    lines
}

/// Makes worlds by chance, and what happens in them.
struct Chance {
    rng: Rng,
    /// The allocations, with those of their parts that are not taken yet.
    free: Vec<(String, Vec<IpNet>)>,
}

impl Chance {
    fn world(seed: u64) -> (Self, World) {
        let mut world = small();
        (world.ipam.aggregates, world.ipam.prefixes) = (Vec::new(), Vec::new());
        world.registry.nets.clear();
        let mut chance = Self { rng: Rng::with_seed(seed), free: Vec::new() };
        // One whole, one in halves side by side, one of which NetBox has a part, one off the bits, one of IPv6.
        let plan: [(&[&str], &[&str]); 5] = [
            (&["23.16.0.0/20"], &["23.16.0.0/20"]),
            (&["23.16.16.0/20"], &["23.16.16.0/21", "23.16.24.0/21"]),
            (&["23.32.0.0/16"], &["23.32.64.0/20"]),
            (&["23.48.0.0/24", "23.48.1.0/25"], &["23.48.0.0/24", "23.48.1.0/25"]),
            (&["2600:1000::/32"], &["2600:1000::/40"]),
        ];
        for (blocks, aggregates) in plan {
            let blocks: Vec<IpNet> = blocks.iter().map(|block| cidr(block)).collect();
            let handle = world.registry.allocate(&blocks, ORG);
            let places = aggregates.iter().flat_map(|text| {
                aggregate(&mut world, text);
                let range = cidr(text);
                let longer = if range.prefix_len() > 32 { 44 } else { range.prefix_len() + 3 };
                range.subnets(longer).unwrap().take(16).collect::<Vec<_>>()
            });
            let places = places.collect();
            chance.free.push((handle, places));
        }
        aggregate(&mut world, "23.64.0.0/22");
        prefix(&mut world, "23.64.1.0/24", None);
        for _ in 0..chance.rng.usize(4..30) {
            if let Some(net) = chance.register(&mut world.registry) {
                chance.plan_prefixes(&net, &mut |text, vrf| prefix(&mut world, text, vrf));
            }
        }
        (chance, world)
    }

    /// Registers something in a free place. Returns the ranges that were registered, and are a prefix of NetBox perhaps.
    fn register(&mut self, registry: &mut Registry) -> Option<Vec<IpNet>> {
        let at = self.rng.usize(..self.free.len());
        let (parent, places) = &mut self.free[at];
        if places.is_empty() {
            return None;
        }
        let range = places.swap_remove(self.rng.usize(..places.len()));
        let parent = parent.clone();
        let half = |range: IpNet| range.subnets(range.prefix_len() + 1).unwrap().next().unwrap();
        Some(match self.rng.u8(0..6) {
            // A reallocation with a net below, all of which or half.
            0 => {
                let middle = registry.reallocate(&parent, &[range], Holder::Org("CARRIER-7".into())).unwrap();
                let inner = if self.rng.bool() { range } else { half(range) };
                let holder = self.holder(registry);
                registry.reassign(&middle, &[inner], holder).unwrap();
                vec![range, inner]
            }
            // Off the bits: one and a half.
            1 if range.prefix_len() < 32 => {
                let blocks: Vec<IpNet> = range.subnets(range.prefix_len() + 2).unwrap().take(3).collect();
                let blocks = [half(range), blocks[2]];
                let holder = self.holder(registry);
                registry.reassign(&parent, &blocks, holder).unwrap();
                blocks.to_vec()
            }
            _ => {
                let holder = self.holder(registry);
                registry.reassign(&parent, &[range], holder).unwrap();
                vec![range]
            }
        })
    }

    fn holder(&mut self, registry: &mut Registry) -> Holder {
        if self.rng.bool() {
            return Holder::Org((*self.rng.choice(&["SAMPLE-3", "CARRIER-7"]).unwrap()).into());
        }
        let address = registry.orgs["SAMPLE-3"].address.clone();
        let customer = registry.add_customer(ORG, &format!("Customer {}", self.rng.u16(..)), address);
        registry.customers.get_mut(&customer).unwrap().private = Some(self.rng.bool());
        Holder::Customer(customer)
    }

    /// Plans prefixes that are a registered range, lie inside one, or around it, in the global table and in VRFs.
    fn plan_prefixes(&mut self, ranges: &[IpNet], plan: &mut dyn FnMut(&str, Option<&str>)) {
        for range in ranges {
            let vrf = Some("RED").filter(|_| self.rng.u8(0..4) == 0);
            if self.rng.u8(0..3) > 0 {
                plan(&range.to_string(), vrf);
            }
            let inside = range.subnets(range.prefix_len() + 2).unwrap().nth(self.rng.usize(0..4));
            if let Some(inside) = inside.filter(|_| self.rng.bool()) {
                plan(&inside.to_string(), None);
            }
        }
    }

    /// Lets something happen to what is registered.
    fn happen(&mut self, registry: &mut Registry) {
        let cut = |net: &&rir_sandbox::world::Net| net.parent.is_some();
        let nets: Vec<String> = registry.nets.values().filter(cut).map(|net| net.handle.clone()).collect();
        let Some(net) = self.rng.choice(&nets).cloned() else { return };
        match self.rng.u8(0..6) {
            0 => registry.rename_net(&net, &format!("RENAMED-{}", self.rng.u16(..))).unwrap(),
            1 => {
                let gone = registry.remove_net(&net).unwrap();
                if let (Holder::Customer(customer), true) = (gone.holder, self.rng.bool()) {
                    registry.customers.remove(&customer);
                }
            }
            2 => {
                let holder = self.holder(registry);
                registry.net_mut(&net).unwrap().holder = holder;
            }
            // The same handle comes back for another registration.
            3 => {
                let mut back = registry.remove_net(&net).unwrap();
                back.holder = self.holder(registry);
                back.registered = Some(registry.now);
                registry.nets.insert(net.clone(), back);
                registry.net_mut(&net).unwrap();
            }
            4 => registry.net_mut(&net).unwrap().comment.push("Changed.".to_owned()),
            _ => drop(self.register(registry)),
        }
    }
}

/// Syncs as if time had passed since what is listed as unchanged was asked for again.
async fn sync_after(scene: &Scene, days: i64) -> SyncRun {
    let then = Timestamp::now() - SignedDuration::from_hours(24 * days);
    scene.edit(&custom("rir-config"), scene.config.0, json!({ "refreshed": then.to_string() })).await;
    asked(scene).await
}

/// Syncs, with an empty account of what ARIN was asked.
async fn asked(scene: &Scene) -> SyncRun {
    scene.arin.forget_requests();
    scene.sync().await
}

/// What ARIN was asked by that, the organization's and the contacts' left out, which it always is.
fn questions(scene: &Scene) -> Vec<String> {
    let requests = scene.arin.requests();
    let others = requests.0.iter().filter(|request| request.operation != Operation::Poc && request.target != ORG);
    let mut questions: Vec<String> =
        others.map(|request| format!("{:?} {}", request.operation, request.target)).collect();
    questions.sort();
    questions
}

#[tokio::test]
async fn only_what_is_new_or_has_changed_is_asked_for_by_handle() {
    let scene = listed(small()).await;
    scene.arin.forget_requests();
    let run = scene.sync().await;
    assert_eq!((run.verdict(), run.listing_requests), (Verdict::Changed, 1));
    let (customer, org) = ("Customer C00000001", "Org SAMPLE-3");
    let nets = [PARENT, CUSTOMERS, ORGS].map(|net| format!("Net {net}"));
    assert_eq!(questions(&scene), [&[customer.to_owned()], &nets[..], &[org.to_owned()]].concat());
    assert_eq!(scene.arin.whois().requests().with_key(), 0, "no key goes to the listing");

    let again = asked(&scene).await;
    assert_eq!((again.verdict(), questions(&scene)), (Verdict::Unchanged, Vec::<String>::new()));
    assert_eq!(again.unchanged.len(), run.counts().values().map(|counts| counts.created).sum::<usize>());
    // The aggregate, three of its prefixes, and who holds the two nets inside.
    assert_eq!((again.spared, again.arin_requests), (6, 1 + scene.rows("rir-contact").await.len() as u64));

    // A net that changed is asked for with its holder, and whoever held it.
    scene.arin.registry().rename_net(ORGS, "RENAMED").unwrap();
    assert_eq!(asked(&scene).await.verdict(), Verdict::Changed);
    assert_eq!(questions(&scene), [format!("Net {ORGS}"), org.to_owned()]);
    scene.arin.registry().net_mut(CUSTOMERS).unwrap().holder = Holder::Org("SAMPLE-3".into());
    assert_eq!(asked(&scene).await.verdict(), Verdict::Changed);
    assert_eq!(questions(&scene), [customer.to_owned(), format!("Net {CUSTOMERS}"), org.to_owned()]);
    assert!(scene.row(NETWORK, CUSTOMERS).await["organization"].is_object());

    // One that is not listed any more is asked for, and only ARIN's own word retires it.
    scene.arin.registry().remove_net(ORGS).unwrap();
    assert_eq!(asked(&scene).await.verdict(), Verdict::Changed);
    assert_eq!(questions(&scene), [customer.to_owned(), format!("Net {ORGS}"), org.to_owned()]);
    assert_eq!(scene.row(NETWORK, ORGS).await["status"]["value"], "not-found");
    assert_eq!(asked(&scene).await.verdict(), Verdict::Unchanged);
    let customers = questions(&scene);
    assert_eq!(customers, [customer], "an organization that stays behind without a net has its turn some day");
}

#[tokio::test]
async fn a_link_needs_no_question() {
    let mut world = small();
    world.ipam.prefixes.retain(|prefix| prefix.prefix != cidr("23.144.2.0/24"));
    prefix(&mut world, "23.144.2.0/23", None);
    let scene = listed(world).await;
    scene.sync().await;
    assert!(!scene.rows(NETWORK).await.contains_key(ORGS), "no prefix has its range");
    let id = scene.add("ipam/prefixes", json!([{ "prefix": "23.144.2.0/24" }])).await[0];
    scene.sync().await;
    assert_eq!(scene.row(NETWORK, ORGS).await["prefix"]["id"], id);
    // Somebody takes the link off, and the prefix gets it back from what is recorded.
    let row = scene.row(NETWORK, ORGS).await["id"].as_u64().unwrap();
    scene.edit(&custom(NETWORK), row, json!({ "prefix": null })).await;
    let run = asked(&scene).await;
    assert_eq!((run.verdict(), questions(&scene)), (Verdict::Changed, Vec::<String>::new()));
    assert_eq!(scene.row(NETWORK, ORGS).await["prefix"]["id"], id);
}

#[tokio::test]
async fn each_object_is_asked_for_again_once_in_a_while() {
    let scene = listed(small()).await;
    scene.sync().await;
    let address = scene.arin.registry().orgs["CARRIER-7"].address.clone().unwrap();
    scene.arin.registry().move_customer("C00000001", address).unwrap();
    let run = asked(&scene).await;
    assert_eq!(run.verdict(), Verdict::Unchanged, "the listing does not show it");
    let run = sync_after(&scene, 7).await;
    assert_eq!(run.verdict(), Verdict::Changed);
    let all = [PARENT, CUSTOMERS, ORGS].map(|net| format!("Net {net}"));
    assert_eq!(
        questions(&scene),
        [&["Customer C00000001".to_owned()], &all[..], &["Org SAMPLE-3".to_owned()]].concat()
    );
    let run = asked(&scene).await;
    assert_eq!((run.spared, questions(&scene)), (6, Vec::<String>::new()), "and then not again");
}

#[tokio::test]
async fn a_run_that_came_to_no_end_does_not_count_as_having_asked_again() {
    let scene = listed(small()).await;
    scene.sync().await;
    let refreshed = async || scene.row_by_id("rir-config", scene.config).await["refreshed"].clone();
    let before = refreshed().await;
    assert!(before.is_string());
    scene.arin.fail(rir_sandbox::regrws::Rule::new(rir_sandbox::regrws::Fault::Refusal(401, "E_AUTHENTICATION")));
    assert_eq!(scene.sync().await.verdict(), Verdict::Failed);
    assert_eq!(refreshed().await, before);
    scene.arin.heal();
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged);
    assert_ne!(refreshed().await, before);
    // Nor does one in which an object was not answered for, which has its turn again.
    let before = refreshed().await;
    let outage = rir_sandbox::regrws::Rule::new(rir_sandbox::regrws::Fault::Outage).on(Operation::Poc);
    scene.arin.fail(outage);
    assert_ne!(scene.sync().await.verdict(), Verdict::Unchanged);
    assert_eq!(refreshed().await, before);
}

/// What the listing does wrong, and what is told of it.
fn wrongs() -> Vec<(Fault, &'static str)> {
    vec![
        (Fault::Status(500), "could not be had"),
        (Fault::Outage, "could not be had"),
        (Fault::CutOff, "could not be had"),
        (Fault::TruncatedXml, "could not be had"),
        (Fault::Html404, "could not be had"),
        (Fault::Html200, "could not be had"),
        (Fault::Garbage, "could not be had"),
        (Fault::Doctype, "could not be had"),
        (Fault::Namespace("http://example.net/other"), "could not be had"),
        (Fault::LimitExceeded, "could not be had"),
        (Fault::OldSnapshot, "older than what is recorded"),
        (Fault::Missing(ORGS.into()), "ARIN has NET-23-144-2-0-1, which its listing lacks"),
    ]
}

#[tokio::test]
async fn a_listing_that_cannot_be_believed_costs_questions_and_no_rows() {
    let pair = Pair::new(small()).await;
    pair.sync("first").await;
    let mut extra = None;
    for (number, (fault, why)) in wrongs().into_iter().enumerate() {
        // What happens now would be missed by whoever believes the listing.
        pair.edit(|registry| {
            registry.rename_net(ORGS, &format!("RENAMED-{number}")).unwrap();
            match extra.take() {
                Some(net) => drop(registry.remove_net(net).unwrap()),
                None => {
                    let holder = Holder::Org("SAMPLE-3".into());
                    registry.reassign(PARENT, &[cidr("23.144.3.0/24")], holder).unwrap();
                    extra = Some("NET-23-144-3-0-1");
                }
            }
        });
        pair.listed.arin.whois().fail(Rule::new(fault.clone()));
        let (run, all) = tokio::join!(asked(&pair.listed), asked(&pair.full));
        let told: Vec<_> = run.in_full.iter().map(|in_full| (in_full.aggregate, in_full.why.contains(why))).collect();
        assert_eq!(told, [(cidr("23.144.0.0/20"), true)], "{fault:?}: {:?}", run.in_full);
        pair.assert_same(&run, &all, &format!("{fault:?}")).await;
        let summary = pair.listed.rows_of(schema::SYNC_LOG).await;
        let summary = summary.iter().rfind(|row| row["run"] == run.id.as_str() && row["operation"]["value"] == "sync");
        let told = summary.unwrap()["message"].as_str().unwrap().to_owned();
        assert!(told.contains("23.144.0.0/20 asked for in full: ") && told.contains(why), "{fault:?}: {told}");
        pair.listed.arin.whois().heal();
        pair.sync(&format!("after {fault:?}")).await;
    }
}

#[tokio::test]
async fn what_was_spared_before_the_listing_turned_out_wrong_is_asked_for() {
    const GONE: &str = "NET-23-144-4-0-1";
    let mut world = small();
    world.registry.reassign(PARENT, &[cidr("23.144.4.0/24")], Holder::Org("CARRIER-7".into())).unwrap();
    prefix(&mut world, "23.144.4.0/24", None);
    let pair = Pair::new(world).await;
    pair.sync("first").await;
    let mut new = String::new();
    pair.edit(|registry| {
        new = registry.reassign(PARENT, &[cidr("23.144.3.0/24")], Holder::Org("CARRIER-7".into())).unwrap();
    });
    // From here on the listing is behind. It shows that there is something new, and that is not what ARIN has now. What moves
    // or is gone would not be seen by a sync that spares questions.
    pair.listed.arin.whois().refresh();
    pair.edit(|registry| {
        registry.rename_net(&new, "RENAMED").unwrap();
        registry.remove_net(GONE).unwrap();
        let elsewhere = registry.orgs["CARRIER-7"].address.clone().unwrap();
        registry.move_customer("C00000001", elsewhere.clone()).unwrap();
        registry.move_org("SAMPLE-3", elsewhere).unwrap();
    });
    let (run, all) = tokio::join!(asked(&pair.listed), asked(&pair.full));
    let why = format!("ARIN's listing has {new} with another name than ARIN");
    assert_eq!(run.in_full.iter().map(|in_full| &in_full.why).collect::<Vec<_>>(), [&why]);
    pair.assert_same(&run, &all, "in full").await;
}

#[tokio::test]
async fn one_aggregate_whose_listing_is_wrong_costs_the_others_nothing() {
    let mut world = small();
    world.registry.allocate(&[cidr("23.150.0.0/22")], ORG);
    aggregate(&mut world, "23.150.0.0/22");
    prefix(&mut world, "23.150.1.0/24", None);
    let scene = listed(world).await;
    scene.sync().await;
    scene.arin.whois().fail(Rule::new(Fault::Html404).about("23.150.0.0/22"));
    let run = asked(&scene).await;
    assert_eq!(run.in_full.iter().map(|in_full| in_full.aggregate).collect::<Vec<_>>(), [cidr("23.150.0.0/22")]);
    let asked = ["MostSpecificNet 23.150.0.0/23.150.3.255", "MostSpecificNet 23.150.1.0/23.150.1.255"];
    assert_eq!(questions(&scene), asked);
}

#[tokio::test]
async fn a_listing_that_does_not_answer_is_left_alone_for_a_while() {
    let scene = listed(small()).await;
    let ctx = scene.context();
    let whois = scene.arin.whois();
    whois.fail(Rule::new(Fault::Outage));
    let sync = async || {
        whois.forget_requests();
        let run = scene.sync_as(&ctx, CONFIG, Scope::Config, &Resource::all(), None).await;
        assert_eq!(run.in_full.len(), 1);
        whois.requests().total()
    };
    assert!(sync().await > 0);
    assert_eq!(sync().await, 0, "each of many syncs would wait for it");
    whois.heal();
    whois.fail(Rule::new(Fault::Html404));
    let other = scene.context();
    let run = scene.sync_as(&other, CONFIG, Scope::Config, &Resource::all(), None).await;
    assert_eq!((run.in_full.len(), run.listing_requests), (1, 1));
    whois.heal();
    let run = scene.sync_as(&other, CONFIG, Scope::Config, &Resource::all(), None).await;
    assert_eq!(run.in_full, Vec::new(), "a page in its place costs no wait");
}

#[tokio::test]
async fn a_net_that_is_listed_only_and_has_no_prefix_is_not_recorded() {
    let mut world = small();
    world.registry.reassign(PARENT, &[cidr("23.144.8.0/24")], Holder::Org("SAMPLE-3".into())).unwrap();
    let pair = Pair::new(world).await;
    pair.sync("first").await;
    assert!(!pair.listed.rows(NETWORK).await.contains_key("NET-23-144-8-0-1"));
}

#[tokio::test]
async fn what_somebody_asked_about_is_asked_of_arin_itself() {
    let scene = listed(small()).await;
    scene.sync().await;
    // The listing is behind.
    scene.arin.whois().refresh();
    let holder = Holder::Org("SAMPLE-3".into());
    let new = scene.arin.registry().reassign(PARENT, &[cidr("23.144.3.0/24")], holder).unwrap();
    let ctx = scene.context();
    let row = |rows: &[Row], range: &str| {
        RowId(rows.iter().find(|row| row["prefix"] == range).unwrap()["id"].as_u64().unwrap())
    };
    let prefixes = scene.list("ipam/prefixes", "limit=100").await;
    let scope = Scope::Prefixes(BTreeSet::from([row(&prefixes, "23.144.3.0/24")]));
    scene.arin.forget_requests();
    let run = scene.sync_as(&ctx, CONFIG, scope, &Resource::all(), None).await;
    assert_eq!((run.verdict(), run.in_full.len()), (Verdict::Changed, 0), "{:?}", run.in_full);
    assert_eq!(questions(&scene), ["MostSpecificNet 23.144.3.0/23.144.3.255", "Org SAMPLE-3"]);
    assert_eq!(scene.row(NETWORK, &new).await["prefix"]["prefix"], "23.144.3.0/24");
    // So is an aggregate; where that contradicts the listing, nothing is spared.
    let aggregates = scene.list("ipam/aggregates", "limit=100").await;
    let scope = Scope::Aggregate(row(&aggregates, "23.144.0.0/20"));
    scene.arin.forget_requests();
    let run = scene.sync_as(&ctx, CONFIG, scope, &Resource::all(), None).await;
    assert_eq!(run.in_full.len(), 1);
    assert_eq!(run.verdict(), Verdict::Unchanged);
    assert_eq!(scene.row(NETWORK, &new).await["status"]["value"], "registered");
}

#[tokio::test]
async fn a_full_sync_asks_everything_and_the_listing_nothing() {
    let scene = listed(small()).await;
    scene.sync().await;
    let ctx = scene.context();
    let configs = ctx.netbox.configs().await.unwrap();
    let request = Request { full: true, ..Request::of(&configs[0], &configs) };
    scene.arin.forget_requests();
    scene.arin.whois().forget_requests();
    let run = sync::run(&ctx, &request, &NoCheckpoint).await;
    assert_eq!((run.spared, scene.arin.whois().requests().total()), (0, 0));
    let mut scene_off = scene;
    scene_off.settings.arin.whois_url = None;
    let off = asked(&scene_off).await;
    assert_eq!((off.arin_requests, off.spared), (run.arin_requests, 0));
}

#[tokio::test]
async fn a_plan_is_the_same_with_and_without_the_listing() {
    let mut scene = listed(small()).await;
    scene.sync().await;
    scene.arin.registry().rename_net(ORGS, "RENAMED").unwrap();
    let listed = scene.preview().await;
    scene.settings.arin.whois_url = None;
    let full = scene.preview().await;
    assert!(listed.run.spared > 0 && full.run.spared == 0);
    assert_eq!((listed.digest, listed.plan.changes.len()), (full.digest, 1));
}

#[tokio::test]
async fn the_result_is_the_same_as_of_asking_everything_in_any_world() {
    let worlds = std::env::var("RIR_LISTING_WORLDS").map_or(8, |worlds| worlds.parse().unwrap());
    for seed in 0..worlds {
        let (mut chance, world) = Chance::world(seed);
        let pair = Pair::new(world).await;
        let lookup = if chance.rng.bool() { Lookup::Exact } else { Lookup::Covering };
        // Small answers have to be halved.
        let records = *chance.rng.choice(&[3, 10, 256]).unwrap();
        pair.configure(lookup, records, chance.rng.bool());
        if records == 256 {
            pair.listed.arin.whois().configure(|options| options.blocks = Blocks::All);
        }
        pair.sync(&format!("seed {seed}, first, {lookup:?}")).await;
        for step in 0..3 {
            for _ in 0..chance.rng.usize(0..4) {
                pair.edit(|registry| chance.happen(registry));
            }
            let mut prefixes = Vec::new();
            let nets: Vec<IpNet> = pair.full.arin.registry().nets.values().flat_map(|net| net.blocks.clone()).collect();
            let some = [*chance.rng.choice(&nets).unwrap()];
            chance.plan_prefixes(&some, &mut |text, _| prefixes.push(json!({ "prefix": text })));
            pair.add("ipam/prefixes", json!(prefixes)).await;
            let run = pair.sync(&format!("seed {seed}, step {step}, {lookup:?}")).await;
            assert!(run.spared > 0, "seed {seed}, step {step}");
        }
    }
}
