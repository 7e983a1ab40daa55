//! Networks with "Auto reassign": what somebody's change makes due is registered without anybody's approval, and nothing
//! else is. A worker on a queue in memory, between the in-memory NetBox and the simulated ARIN.

use std::collections::BTreeSet;

use rir_sandbox::regrws::KEY;
use rir_sidecar::{
    model::RowId,
    netbox::schema,
    queue::{Trigger, Work},
};
use serde_json::{Value, json};

use crate::{
    scene::{CONFIG, Row, Scene, Target, cidr, custom, small},
    service::{Service, ask, memory, wait_for_idle},
};

const PARENT: &str = "NET-23-144-0-0-1";
const RANGE: &str = "23.144.4.0/24";
const PREFIXES: &str = "ipam/prefixes";

/// A scene in which `ann` has a key.
struct Desk {
    scene: Scene,
    tenant: u64,
}

impl Desk {
    /// The allocation says "Auto reassign", and this many a day are allowed.
    async fn new(auto_per_day: u32) -> Self {
        let mut world = small();
        // By these the networks that there are already come into NetBox.
        world.ipam.prefixes.retain(|prefix| [cidr("23.144.1.0/24"), cidr("23.144.2.0/24")].contains(&prefix.prefix));
        let mut scene = Scene::new(Target::sandbox().await, world).await;
        scene.settings.requests.enabled = true;
        scene.settings.requests.seal = "0123456789abcdef0123456789abcdef".into();
        scene.settings.requests.auto_per_day = auto_per_day;
        scene.settings.findings.own_tenants = Some(BTreeSet::new());
        scene.keys(&[(CONFIG, "ann", KEY)]);
        scene.sync().await;
        let parent = scene.row(schema::NETWORK, PARENT).await["id"].as_u64().unwrap();
        scene.edit(&custom(schema::NETWORK), parent, json!({ "auto_reassign": true })).await;
        let tenant = scene.add("tenancy/tenants", json!([{ "name": "Harbour Catch Ltd", "slug": "harbour" }])).await[0];
        let address = json!({
            "street_address": "12 Harbour Street", "city": "Reston", "state_province": "VA", "postal_code": "20190",
            "country": "US", "tenant": tenant, "key": "operator:1",
        });
        scene.add(&custom(schema::ADDRESS), json!([address])).await;
        scene.arin.forget_requests();
        Self { scene, tenant }
    }

    async fn assign(&self, ranges: &[&str]) -> BTreeSet<RowId> {
        let prefix = |range: &&str| json!({ "prefix": range, "tenant": self.tenant });
        let rows: Vec<Value> = ranges.iter().map(prefix).collect();
        self.scene.add(PREFIXES, json!(rows)).await.into_iter().map(RowId).collect()
    }

    /// Does the jobs that follow from a change of prefixes by somebody, until nothing is left to do.
    async fn told(&self, prefixes: BTreeSet<RowId>, user: &str, trigger: Trigger) {
        let service = Service::start(&self.scene, memory(&self.scene), 2);
        ask(&service.queue, Work::SyncPrefix { config: None, prefixes }, Some(user), trigger).await;
        let jobs = wait_for_idle(&service.queue).await;
        assert!(jobs.iter().all(|job| job.error.is_none()), "{jobs:#?}");
        service.stop().await;
    }

    /// The writes at ARIN, a line each.
    fn wrote(&self) -> Vec<String> {
        let requests = self.scene.arin.requests().0.into_iter().filter(|request| request.operation.is_write());
        requests.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    async fn requests(&self) -> Vec<Row> {
        self.scene.rows_of(schema::CHANGE_REQUEST).await
    }

    /// The states of all requests.
    async fn states(&self) -> Vec<String> {
        self.requests().await.iter().map(|row| row["state"]["value"].as_str().unwrap().to_owned()).collect()
    }

    fn is_registered(&self, range: &str) -> bool {
        let range = cidr(range);
        self.scene.arin.registry().nets.values().any(|net| net.range() == Some((range.network(), range.broadcast())))
    }
}

#[tokio::test]
async fn a_prefix_that_somebody_adds_is_registered_without_anybodys_approval() {
    for trigger in [Trigger::Webhook, Trigger::Sweep] {
        let desk = Desk::new(10).await;
        let prefixes = desk.assign(&[RANGE]).await;
        desk.told(prefixes.clone(), "ann", trigger).await;
        let [request] = <[Row; 1]>::try_from(desk.requests().await).unwrap();
        assert_eq!(request["state"]["value"], "done", "{trigger:?} {request:#?}");
        assert_eq!((&request["requested_by"], &request["approved_by"]), (&json!("ann"), &json!("ann")));
        assert_eq!(desk.wrote(), [format!("PUT /rest/net/{PARENT}/reassign")]);
        assert!(desk.is_registered(RANGE));
        let nets = desk.scene.rows_of(schema::NETWORK).await;
        let linked = nets.iter().find(|row| row["prefix"]["id"].as_u64().map(RowId).as_ref() == prefixes.first());
        assert_eq!(linked.unwrap()["status"]["value"], "registered", "its row is linked: {nets:#?}");
        desk.told(prefixes, "ann", trigger).await;
        assert_eq!((desk.wrote().len(), desk.requests().await.len()), (1, 1), "and not a second time");
    }
}

#[tokio::test]
async fn without_the_setting_nothing_is_registered_by_itself() {
    let desk = Desk::new(0).await;
    desk.told(desk.assign(&[RANGE]).await, "ann", Trigger::Webhook).await;
    assert_eq!((desk.wrote(), desk.requests().await.len()), (Vec::new(), 0));
}

#[tokio::test]
async fn while_changes_are_switched_off_nothing_is_registered_by_itself() {
    let mut desk = Desk::new(10).await;
    desk.scene.settings.requests.enabled = false;
    desk.told(desk.assign(&[RANGE]).await, "ann", Trigger::Webhook).await;
    assert_eq!((desk.wrote(), desk.requests().await.len()), (Vec::new(), 0));
}

#[tokio::test]
async fn outside_of_such_a_network_nothing_is_registered_by_itself() {
    let desk = Desk::new(10).await;
    let id = async |handle: &str| desk.scene.row(schema::NETWORK, handle).await["id"].as_u64().unwrap();
    let list = custom(schema::NETWORK);
    desk.scene.edit(&list, id(PARENT).await, json!({ "auto_reassign": false })).await;
    desk.scene.edit(&list, id("NET-23-144-1-0-1").await, json!({ "auto_reassign": true })).await;
    desk.told(desk.assign(&[RANGE]).await, "ann", Trigger::Webhook).await;
    assert_eq!((desk.wrote(), desk.requests().await.len()), (Vec::new(), 0));
}

#[tokio::test]
async fn what_nobody_changed_is_not_registered_by_itself() {
    let desk = Desk::new(10).await;
    let prefixes = desk.assign(&[RANGE]).await;
    for trigger in [Trigger::Api, Trigger::Schedule, Trigger::Job] {
        desk.told(prefixes.clone(), "ann", trigger).await;
    }
    let other = desk.assign(&["23.144.5.0/24"]).await;
    let key = &desk.scene.rows_of(schema::FINDING).await;
    assert!(key.iter().any(|row| row["subject"] == RANGE), "it is due: {key:#?}");
    assert_eq!((desk.wrote(), desk.requests().await.len()), (Vec::new(), 0));
    desk.told(other, "ann", Trigger::Webhook).await;
    assert!(desk.is_registered("23.144.5.0/24") && !desk.is_registered(RANGE), "only what was changed");
}

#[tokio::test]
async fn nobody_elses_key_is_used_for_a_change_by_somebody_without_one() {
    let desk = Desk::new(10).await;
    desk.told(desk.assign(&[RANGE]).await, "ben", Trigger::Webhook).await;
    assert_eq!((desk.wrote(), desk.requests().await.len()), (Vec::new(), 0));
}

/// Whether the contacts of an organization are validated cannot be known, so that somebody has to look at it.
#[tokio::test]
async fn what_somebody_has_to_look_at_waits_for_them() {
    let desk = Desk::new(10).await;
    let org = desk.scene.row(schema::ORGANIZATION, "SAMPLE-3").await["id"].as_u64().unwrap();
    desk.scene.edit(&custom(schema::ORGANIZATION), org, json!({ "tenant": desk.tenant })).await;
    desk.told(desk.assign(&[RANGE]).await, "ann", Trigger::Webhook).await;
    assert_eq!((desk.wrote(), desk.states().await), (Vec::new(), vec!["waiting".to_owned()]));
    assert_eq!(desk.requests().await[0]["approved_by"], Value::Null);
}

#[tokio::test]
async fn what_lacks_something_takes_no_place() {
    let desk = Desk::new(10).await;
    for address in desk.scene.rows_of(schema::ADDRESS).await.iter().filter(|row| row["key"] == "operator:1") {
        desk.scene.edit(&custom(schema::ADDRESS), address["id"].as_u64().unwrap(), json!({ "city": "" })).await;
    }
    let prefixes = desk.assign(&[RANGE]).await;
    desk.told(prefixes.clone(), "ann", Trigger::Webhook).await;
    assert_eq!((desk.wrote(), desk.requests().await.len()), (Vec::new(), 0));
    for address in desk.scene.rows_of(schema::ADDRESS).await.iter().filter(|row| row["key"] == "operator:1") {
        desk.scene.edit(&custom(schema::ADDRESS), address["id"].as_u64().unwrap(), json!({ "city": "Reston" })).await;
    }
    desk.told(prefixes, "ann", Trigger::Webhook).await;
    assert!(desk.is_registered(RANGE), "once it is complete");
}

#[tokio::test]
async fn no_more_are_registered_by_themselves_than_a_day_allows() {
    let desk = Desk::new(2).await;
    let ranges = ["23.144.4.0/24", "23.144.5.0/24", "23.144.6.0/24"];
    desk.told(desk.assign(&ranges).await, "ann", Trigger::Webhook).await;
    assert_eq!((desk.wrote().len(), desk.states().await), (2, vec!["done".to_owned(); 2]));
    desk.told(desk.assign(&["23.144.7.0/24"]).await, "ann", Trigger::Webhook).await;
    assert_eq!((desk.wrote().len(), desk.states().await.len()), (2, 2), "another job changes nothing about that");
}
