//! Many at a time: each net exactly once, whatever happens.

use std::{collections::BTreeMap, time::Duration};

use rir_sandbox::{regrws::Noise, world::World};
use serde_json::{Value, json};

use super::{Changes, OVER, PREFIXES, RUN, choice, empty, id};
use crate::scene::{ORG, Target, aggregate, cidr};

const AGGREGATE: &str = "23.144.0.0/16";

/// A world with room for many.
fn wide() -> World {
    let mut world = empty();
    world.registry.nets.clear();
    world.registry.customers.clear();
    world.ipam.aggregates.clear();
    world.registry.allocate(&[cidr(AGGREGATE)], ORG);
    aggregate(&mut world, AGGREGATE);
    world
}

/// The prefix of this number.
fn prefix(number: usize) -> String {
    format!("23.144.{}.{}/28", number / 16, number % 16 * 16)
}

/// So many assigned prefixes.
async fn assigned(target: Target, count: usize) -> Changes {
    let changes = Changes::of(target, wide()).await;
    let tenant = changes.customer("Harbour Catch Ltd").await;
    let rows: Vec<Value> = (0..count).map(|number| json!({ "prefix": prefix(number), "tenant": tenant })).collect();
    for some in rows.chunks(200) {
        changes.scene.add(PREFIXES, json!(some)).await;
    }
    changes.sync().await;
    changes
}

/// The ranges of the open requests.
async fn open_ranges(changes: &Changes) -> Vec<String> {
    let rows = changes.rows().await;
    let open = rows.iter().filter(|row| !OVER.contains(&choice(row, "state").as_str()));
    open.map(|row| row["range"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_aggregate_gets_a_request_for_each_prefix_that_is_not_registered() {
    let changes = assigned(Target::sandbox().await, 5).await;
    let told = changes.prepare(&["--aggregate", AGGREGATE]).await.expect(0);
    assert_eq!(told.requests.len(), 5);
    assert!(told.requests.iter().all(|request| request["state"] == "waiting"), "{:#?}", told.requests);
    let again = changes.prepare(&["--aggregate", AGGREGATE]).await;
    assert_eq!(open_ranges(&changes).await.len(), 5, "none a second time: {}", again.words);
}

#[tokio::test]
async fn no_more_are_made_at_once_than_is_allowed() {
    let mut changes = assigned(Target::sandbox().await, 5).await;
    changes.set("REQUESTS__MAX_AT_ONCE", "3");
    let told = changes.prepare(&["--aggregate", AGGREGATE]).await;
    assert!(open_ranges(&changes).await.len() <= 3, "{}", told.words);
    assert!(told.words.contains("max_at_once") || told.words.contains('3'), "it says so: {}", told.words);
}

#[tokio::test]
async fn one_request_is_open_about_a_range() {
    let changes = assigned(Target::sandbox().await, 2).await;
    let first = changes.waiting(&["--prefix", &prefix(0)]).await;
    let second = changes.prepare(&["--prefix", &prefix(0)]).await;
    assert_eq!(open_ranges(&changes).await.len(), 1, "{}", second.words);
    let tenant = changes.scene.ids("tenancy/tenants").await[0];
    changes.assign("23.144.0.0/29", tenant).await;
    changes.assign("23.144.0.0/24", tenant).await;
    for range in ["23.144.0.0/29", "23.144.0.0/24"] {
        let told = changes.prepare(&["--prefix", range]).await;
        assert_ne!(told.code, 0, "{range}: {:#?}", told.requests);
        let kept = |request: &&Value| !request["id"].is_null() && request["id"] != first["id"];
        assert_eq!(told.requests.iter().filter(kept).count(), 0, "{:#?}", told.requests);
        assert_eq!(open_ranges(&changes).await.len(), 1);
    }
    changes.waiting(&["--prefix", &prefix(1)]).await;
    changes.approve(&changes.bob, &first).await.expect(0);
    changes.submit(&changes.bob, &[&first]).await.expect(0);
    let states = changes.states().await;
    assert_eq!(states.values().filter(|state| *state == "done").count(), 1, "{states:?}");
}

#[tokio::test]
async fn two_who_ask_at_the_same_time_make_one_request() {
    let changes = assigned(Target::sandbox().await, 3).await;
    let asked = ["--aggregate", AGGREGATE];
    let (one, other, third) = tokio::join!(changes.prepare(&asked), changes.prepare(&asked), changes.prepare(&asked));
    let mut ranges = open_ranges(&changes).await;
    ranges.sort();
    let count = ranges.len();
    ranges.dedup();
    assert_eq!((count, ranges.len()), (3, 3), "{} {} {}", one.words, other.words, third.words);
}

/// A request of which part is sent wrongly blocks nobody else's.
#[tokio::test]
async fn what_is_blocked_stops_no_other() {
    let changes = assigned(Target::sandbox().await, 3).await;
    let tenant = changes.tenant("Without Address").await;
    changes.assign(&prefix(8), tenant).await;
    changes.sync().await;
    let told = changes.prepare(&["--aggregate", AGGREGATE]).await.expect(3);
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for request in &told.requests {
        *states.entry(request["state"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(states, BTreeMap::from([("draft", 1), ("waiting", 3)]));
}

#[tokio::test]
async fn many_come_to_their_end_whatever_happens() {
    all_come_to_their_end(Target::sandbox().await, 60).await;
}

/// Writes go wrong in every way, one in ten, and processes are killed: each net is there exactly once, and what is said of it
/// is true. `RIR_REQUESTS_MANY=1000` tries so many, with a kill every five seconds.
pub(crate) async fn all_come_to_their_end(target: Target, few: usize) {
    let count: usize = std::env::var("RIR_REQUESTS_MANY").map_or(few, |count| count.parse().unwrap());
    let mut changes = assigned(target, count).await;
    changes.set("REQUESTS__MAX_AT_ONCE", "10000");
    changes.scene.arin.configure(|options| options.latency = Duration::from_millis(50));
    if count >= 1000 {
        let began = std::time::Instant::now();
        changes.prepare(&["--aggregate", AGGREGATE, "--plan-only"]).await.expect(0);
        eprintln!("measured: {count} drafts of which no row is made in {:?}, with ARIN at 50 ms", began.elapsed());
    }
    let began = std::time::Instant::now();
    let told = changes.prepare(&["--aggregate", AGGREGATE]).await.expect(0);
    let took = began.elapsed();
    eprintln!("measured: {count} requests prepared in {took:?}, with ARIN at 50 ms");
    changes.scene.arin.configure(|options| options.latency = Duration::ZERO);
    assert_eq!(told.requests.len(), count);
    for some in told.requests.chunks(100) {
        let ids: Vec<String> = some.iter().map(id).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        changes.run_as(&changes.bob, &[&["approve"], &ids[..]].concat()).await.expect(0);
    }
    changes.scene.arin.configure(|options| options.write_noise = Some(Noise::of_writes(0.1, 20_261_127)));
    changes.scene.arin.forget_requests();
    let kills = if count < 1000 { 6 } else { 200 };
    for number in 0..kills {
        let mut child = changes.spawn(&changes.scene.netbox.token, &RUN);
        let pause = if count < 1000 { 400 + number * 331 % 900 } else { 5000 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
        child.kill().await.unwrap();
        super::tickets::accept_all(&changes.scene.arin);
        let states = changes.states().await;
        let over = states.values().filter(|state| OVER.contains(&state.as_str())).count();
        // The last few are waited for without being killed.
        if over + 5 > count {
            break;
        }
    }
    changes.scene.arin.configure(|options| options.write_noise = None);
    for _ in 0..4 {
        changes.settle().await;
        super::tickets::accept_all(&changes.scene.arin);
        // What was lost twice is left to a person.
        let states = changes.states().await;
        let left = told.requests.iter().filter(|request| !OVER.contains(&states[&number(request)].as_str()));
        let left: Vec<&Value> = left.collect();
        if left.is_empty() {
            break;
        }
        changes.submit(&changes.bob, &left).await;
    }
    let states = changes.states().await;
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    for state in states.values() {
        *tally.entry(state.as_str()).or_default() += 1;
    }
    eprintln!("measured: {count} reassignments ended as {tally:?}, with {} calls", changes.writes().len());
    for request in told.requests.iter().filter(|request| states[&number(request)] != "done") {
        changes.give_up_and_ask_anew(request, &states[&number(request)]).await;
    }
    for request in &told.requests {
        assert_eq!(changes.nets(&range_of(request)).len(), 1, "{}", request["range"]);
    }
    assert_eq!(changes.left_over().len(), 0, "customers without a net");
    assert_eq!(changes.scene.arin.registry().customers.len(), count, "a customer for each net");
}

impl Changes {
    /// Does what a person does with a request that ARIN refused, or that was sent twice in vain: nothing of it is at ARIN,
    /// so that it may be asked for anew.
    async fn give_up_and_ask_anew(&self, request: &Value, state: &str) {
        assert!(["refused", "unknown"].contains(&state), "{} is {state}", request["range"]);
        assert_eq!(self.nets(&range_of(request)).len(), 0, "{} is {state}", request["range"]);
        if state == "unknown" {
            self.run_as(&self.bob, &["reject", &id(request)]).await.expect(0);
        }
        let anew = self.prepare(&["--prefix", &range_of(request)]).await.expect(0);
        self.approve(&self.bob, &anew.requests[0]).await.expect(0);
        self.settle().await;
        assert_eq!(self.states().await[&number(&anew.requests[0])], "done", "{}", request["range"]);
    }
}

/// The range of a request as a CIDR.
fn range_of(request: &Value) -> String {
    let range = request["range"].as_str().unwrap();
    format!("{}/28", range.split(" - ").next().unwrap())
}

fn number(request: &Value) -> u64 {
    request["id"].as_u64().unwrap()
}
