//! A world of 1,500 prefixes in which every verdict is planted, each beside its neighbours: IPv4 and IPv6, several VRFs,
//! aggregates of several RIRs, AS0, maximal lengths, several origins, objects of others inside our space.
//!
//! What has to come out is written down by whoever plants it, range by range, and not by the rules.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rir_sandbox::irr::Server as Registry;
use serde_json::{Value, json};

use super::{asns, desk, done, health, route, update};
use crate::{
    scene::Target,
    service::{Service, memory},
};

/// Our AS, our second one, and one of somebody else.
const OURS: u32 = 64496;
const SECOND: u32 = 64497;
const THEIRS: u32 = 64511;

/// What is planted.
#[derive(Default)]
struct World {
    prefixes: Vec<Value>,
    /// Objects of the registry that counts, and of the other one.
    counting: Vec<String>,
    other: Vec<String>,
    /// The list of VRPs, entry by entry.
    vrps: Vec<Value>,
    /// What has to be said of each range.
    expected: BTreeMap<String, &'static str>,
}

impl World {
    fn plant(&mut self, range: &str, says: &'static str) {
        assert_eq!(self.expected.insert(range.to_owned(), says), None, "{range} is planted twice");
    }

    /// A prefix that its own field says is announced by these.
    fn announced(&mut self, range: &str, origins: &[u64], says: &'static str) {
        self.prefixes.push(json!({ "prefix": range, "custom_fields": { "origin_asns": origins } }));
        self.plant(range, says);
    }

    /// A prefix about which NetBox says nothing of its own but this.
    fn part(&mut self, range: &str, mut with: Value, says: &'static str) {
        with["prefix"] = json!(range);
        self.prefixes.push(with);
        self.plant(range, says);
    }

    /// A ROA for this range, or up to a length.
    fn signed(&mut self, range: &str, origin: u32, max_length: Option<u8>) {
        let length: u8 = range.rsplit('/').next().unwrap().parse().unwrap();
        let max_length = max_length.unwrap_or(length);
        self.vrps.push(json!({ "asn": format!("AS{origin}"), "prefix": range, "maxLength": max_length }));
    }

    fn objects(&mut self, range: &str, counting: &[u32], other: &[u32]) {
        self.counting.extend(counting.iter().map(|origin| route(range, *origin, "GOOD")));
        self.other.extend(other.iter().map(|origin| route(range, *origin, "OTHER")));
    }
}

/// Plants one of each kind into the sixteen ranges that `range` names, inside an aggregate that has an object of ours and a
/// ROA for all lengths, or neither.
fn group(world: &mut World, asns: (u64, u64), (private, is_covered): (u64, bool), range: impl Fn(usize) -> String) {
    // Without a ROA it could be better; what somebody else announces inside ours is invalid.
    let or = |covered: &'static str, bare: &'static str| if is_covered { covered } else { bare };
    let (ours, second) = asns;
    let [ok, both, missing, one_of_two, found, none] = [0, 1, 2, 3, 4, 5].map(&range);
    world.announced(&ok, &[ours], or("ok ok", "ok info"));
    world.objects(&ok, &[OURS], &[]);
    world.announced(&both, &[ours, second], or("ok ok", "ok info"));
    if is_covered {
        world.signed(&both, SECOND, None);
    }
    world.objects(&both, &[OURS, SECOND], &[OURS]);
    world.announced(&missing, &[ours], or("covered info", "missing danger"));
    world.announced(&one_of_two, &[ours, second], "missing danger");
    world.objects(&one_of_two, &[OURS], &[]);
    let [elsewhere, other, other_counts, wrong, unexpected, vrf, unclaimed, as0, idle, silent] =
        [6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map(&range);
    world.part(&found, json!({}), or("ok ok", "ok info"));
    world.objects(&found, &[OURS], &[]);
    world.part(&none, json!({}), or("covered info", "not-announced none"));
    // Two /48 side by side, and a ROA that ends at the /47 around them.
    if !is_covered {
        world.signed(&elsewhere.replace("/48", "/47"), OURS, Some(47));
    }
    world.announced(&elsewhere, &[ours], or("elsewhere warning", "elsewhere danger"));
    world.objects(&elsewhere, &[], &[OURS]);
    world.announced(&other, &[ours], or("other-origin warning", "other-origin danger"));
    world.objects(&other, &[OURS], &[THEIRS]);
    world.announced(&other_counts, &[ours], "other-origin danger");
    world.objects(&other_counts, &[OURS, THEIRS], &[]);
    world.announced(&wrong, &[ours], "wrong-origin danger");
    world.objects(&wrong, &[THEIRS], &[]);
    world.part(&unexpected, json!({ "status": "reserved" }), "unexpected info");
    world.objects(&unexpected, &[OURS], &[]);
    world.part(&vrf, json!({ "vrf": private }), or("unexpected danger", "unexpected info"));
    world.objects(&vrf, &[], &[THEIRS]);
    world.plant(&unclaimed, or("unclaimed-space danger", "unclaimed-space warning"));
    world.objects(&unclaimed, &[], &[THEIRS]);
    world.announced(&as0, &[ours], "wrong-origin danger");
    world.objects(&as0, &[0], &[]);
    world.part(&idle, json!({ "status": "deprecated" }), "not-announced none");
    world.part(&silent, json!({ "vrf": private }), "not-announced none");
}

/// Space of somebody else's, around ours, and of nobody's: nothing of it has to be told.
const FOREIGN: [&str; 6] =
    ["8.8.8.0/24", "2001:db8:ffff::/48", "24.0.0.0/8", "22.0.0.0/8", "23.0.0.0/8", "10.1.0.0/16"];

pub(crate) async fn all_that_is_planted_comes_out_and_nothing_else(target: Target, prefixes: usize) {
    let (good, other) = (empty("GOOD").await, empty("OTHER").await);
    let mut scene = desk(target, &[&good, &other]).await;
    scene.settings.routing.prefer = ["GOOD".parse().unwrap()].into();
    let numbers = asns(&scene, &[OURS, SECOND]).await;
    let (ours, second) = (numbers[&OURS], numbers[&SECOND]);
    let arin = scene.ids("ipam/rirs").await[0];
    let others =
        json!([{ "name": "RIPE NCC", "slug": "ripe" }, { "name": "RFC 1918", "slug": "rfc-1918", "is_private": true }]);
    let rirs = scene.add("ipam/rirs", others).await;
    let private = scene.add("ipam/vrfs", json!([{ "name": "private" }])).await[0];
    let mut world = World::default();
    let aggregates =
        [("23.0.0.0/12", arin), ("185.0.0.0/16", rirs[0]), ("2001:db8:1000::/36", arin), ("10.0.0.0/8", rirs[1])];
    let rows = aggregates
        .map(|(range, rir)| json!({ "prefix": range, "rir": rir, "custom_fields": { "origin_asns": [ours] } }));
    for (range, _) in &aggregates[..2] {
        world.plant(range, "ok ok");
        world.objects(range, &[OURS], &[]);
        world.signed(range, OURS, Some(29));
    }
    world.plant(aggregates[2].0, "missing danger");
    scene.add("ipam/aggregates", json!(rows)).await;
    // Space of nobody's is not judged.
    world.prefixes.push(json!({ "prefix": "10.1.0.0/16" }));
    let groups = prefixes.div_ceil(15);
    for number in 0..groups {
        match number % 3 {
            0 => group(&mut world, (ours, second), (private, number % 3 < 2), |place| {
                format!("23.{}.{}.0/24", number / 10, number % 10 * 16 + place)
            }),
            1 => group(&mut world, (ours, second), (private, number % 3 < 2), |place| {
                let third = number / 3 * 16 + place;
                format!("185.0.{}.{}/29", third / 32, third % 32 * 8)
            }),
            _ => group(&mut world, (ours, second), (private, number % 3 < 2), |place| {
                format!("2001:db8:1{:03x}::/48", number * 16 + place)
            }),
        }
    }
    for range in FOREIGN {
        world.objects(range, &[THEIRS], &[THEIRS]);
    }
    for some in world.prefixes.chunks(200) {
        scene.add("ipam/prefixes", json!(some)).await;
    }
    world.counting.iter().for_each(|object| good.add(object));
    world.other.iter().for_each(|object| other.add(object));
    let (folder, generated) = (tempfile::tempdir().unwrap(), Timestamp::now().as_second());
    let list = folder.path().join("vrps.json");
    std::fs::write(&list, json!({ "metadata": { "generated": generated }, "roas": world.vrps }).to_string()).unwrap();
    scene.settings.rpki.vrps = Some(format!("file://{}", list.display()).parse().unwrap());
    scene.settings.irr.source.extend(scene.settings.rpki.source());
    let service = Service::start(&scene, memory(&scene), 1);
    for source in ["RPKI", "GOOD", "OTHER"] {
        patient(&service, source).await;
    }
    let health = health(&scene).await;
    for (range, says) in &world.expected {
        assert_eq!(health.get(range).map(String::as_str), Some(*says), "{range}");
    }
    let more: Vec<&String> = health.keys().filter(|range| !world.expected.contains_key(*range)).collect();
    assert!(more.is_empty(), "{more:?}");
    assert!(health.len() > prefixes, "{} ranges", health.len());
    let again = done(&service, rir_sidecar::queue::Work::Routing {}).await;
    assert_eq!([&again["created"], &again["changed"], &again["removed"]], [&json!(0); 3], "nothing has changed");
    service.stop().await;
}

/// A registry that has one object, about nothing of ours.
async fn empty(source: &str) -> Registry {
    Registry::start(source, 1000, &[route("198.18.0.0/15", 64500, source)]).await.unwrap()
}

/// Updates a source, and waits until all that follows is written, which takes a real NetBox a while.
async fn patient(service: &Service, source: &str) {
    let id = service.ask(update(source)).await;
    service.over(&id).await;
    for _ in 0..600 {
        let open = service.queue.figures().await.unwrap().jobs;
        if open.values().all(|count| *count == 0) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    panic!("the rows are still being written after five minutes");
}

#[tokio::test]
async fn all_that_is_planted_comes_out() {
    all_that_is_planted_comes_out_and_nothing_else(Target::sandbox().await, 1500).await;
}
