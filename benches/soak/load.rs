//! What is asked of the service: syncs over its API, and changes in NetBox and at ARIN, of which webhooks tell.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Method;
use rir_sandbox::{netbox::TOKEN, world::Holder};
use rir_sidecar::queue::{JobId, Queue};
use serde_json::{Value, json};
use sha2::Sha512;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    places::Places,
    processes::{Processes, REPLICAS},
};

/// The secret of the webhooks.
pub(crate) const SECRET: &str = "the secret of a measurement";
/// Times between two orders, and between two changes.
const ORDERS_APART: Duration = Duration::from_millis(1500);
const CHANGES_APART: Duration = Duration::from_secs(3);
/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was asked for, and what came of it at once.
pub(crate) struct Load<'a> {
    places: &'a Places,
    processes: &'a Processes,
    http: reqwest::Client,
    /// The jobs of everything that was answered with a success.
    pub(crate) promised: Mutex<BTreeSet<JobId>>,
    pub(crate) orders: Count,
    pub(crate) webhooks: Count,
    /// Changes in NetBox, of which not every one came to a webhook.
    pub(crate) changes: AtomicU64,
    /// Changes at ARIN.
    pub(crate) edits: AtomicU64,
}

/// Requests, and those of them that were answered with a success.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) sent: AtomicU64,
    pub(crate) taken: AtomicU64,
}

impl<'a> Load<'a> {
    pub(crate) fn new(places: &'a Places, processes: &'a Processes) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap();
        Self {
            places,
            processes,
            http,
            promised: Mutex::default(),
            orders: Count::default(),
            webhooks: Count::default(),
            changes: AtomicU64::default(),
            edits: AtomicU64::default(),
        }
    }

    /// Opens the queue that the replicas share.
    pub(crate) async fn queue(&self) -> Queue {
        let redis = self.processes.redis_url();
        Queue::open(&self.places.settings(&[("QUEUE__URL", &redis)]).queue).await.unwrap()
    }

    /// Asks for syncs, each at any of the replicas, until it is over.
    pub(crate) async fn order(&self, ended: &CancellationToken) {
        let mut rng = Rng::with_seed(2);
        let mut tick = interval(ORDERS_APART);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !ended.is_cancelled() {
            tick.tick().await;
            let path = match rng.u8(0..3) {
                0 => format!("configs/{}", rng.choice(&self.places.configs).unwrap()),
                1 => format!("aggregates/{}", rng.u64(1..=self.places.allocations.len() as u64)),
                _ => format!("prefixes/{}", rng.u64(1..=90)),
            };
            let url = format!("{}/api/v1/{path}/sync", self.processes.urls[rng.usize(0..REPLICAS)]);
            let request = self.http.post(url).bearer_auth(TOKEN).header("content-type", "application/json");
            self.send(request.body("{}"), &self.orders).await;
        }
    }

    /// Sends a request to the service once. Notes the jobs that it promises.
    async fn send(&self, request: reqwest::RequestBuilder, count: &Count) {
        count.sent.fetch_add(1, Ordering::Relaxed);
        let Ok(answer) = request.send().await else { return };
        let status = answer.status();
        let Ok(text) = answer.text().await else { return };
        if !status.is_success() {
            return;
        }
        count.taken.fetch_add(1, Ordering::Relaxed);
        let answer: Value = serde_json::from_str(&text).unwrap();
        let jobs = answer["jobs"].as_array().into_iter().flatten().chain([&answer["job"]["id"]]);
        let ids = jobs.filter_map(Value::as_str).filter_map(JobId::parse);
        self.promised.lock().unwrap().extend(ids);
    }

    /// Changes something in NetBox or at ARIN, again and again, until it is over.
    pub(crate) async fn change(&self, ended: &CancellationToken) {
        let mut rng = Rng::with_seed(3);
        let mut tick = interval(CHANGES_APART);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut added: Vec<String> = Vec::new();
        let mut number = 0;
        while !ended.is_cancelled() {
            tick.tick().await;
            match rng.u8(0..4) {
                0 => self.rename_a_net(&mut rng),
                1 if added.len() > 3 => {
                    let handle = added.swap_remove(rng.usize(..added.len()));
                    self.places.arin.registry().remove_net(&handle).unwrap();
                }
                _ => {
                    added.push(self.add_a_net(number, &mut rng).await);
                    number += 1;
                }
            }
            self.edits.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn rename_a_net(&self, rng: &mut Rng) {
        let mut registry = self.places.arin.registry();
        let handles: Vec<String> = registry.nets.keys().cloned().collect();
        let name = format!("RENAMED-{:08X}", rng.u32(..));
        registry.rename_net(rng.choice(&handles).unwrap(), &name).unwrap();
    }

    /// Reassigns a part of an allocation and adds the prefix for it. Returns the handle of the net.
    async fn add_a_net(&self, number: usize, rng: &mut Rng) -> String {
        let (second, parent) = &self.places.allocations[number % self.places.allocations.len()];
        let place = number / self.places.allocations.len();
        let prefix = format!("23.{second}.{}.{}/27", 100 + place / 8, place % 8 * 32);
        let handle = {
            let mut registry = self.places.arin.registry();
            let org = match &registry.nets[parent].holder {
                Holder::Org(org) | Holder::Customer(org) => org.clone(),
            };
            let customer = registry.add_customer(&org, &format!("Newcomer {number}"), None);
            registry.reassign(parent, &[prefix.parse().unwrap()], Holder::Customer(customer)).unwrap()
        };
        if let Some(id) = self.add_prefix(&prefix).await {
            self.changes.fetch_add(1, Ordering::Relaxed);
            self.tell(id, &prefix, rng.usize(0..REPLICAS)).await;
        }
        handle
    }

    /// Adds a prefix in NetBox. Returns its id, unless NetBox's answer was lost, as that of the one who would send a webhook.
    async fn add_prefix(&self, prefix: &str) -> Option<u64> {
        for _ in 0..5 {
            if let Some(row) = self.netbox(Method::POST, "ipam/prefixes/", json!({ "prefix": prefix })).await {
                return row["id"].as_u64();
            }
        }
        None
    }

    async fn netbox(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        let request = self.http.request(method, format!("{}/api/{path}", self.places.netbox.url())).bearer_auth(TOKEN);
        let request = request.header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.ok()?.error_for_status().ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    /// Sends the webhook about a new prefix to a replica, once.
    async fn tell(&self, id: u64, prefix: &str, replica: usize) {
        let query = format!("core/object-changes/?changed_object_type=ipam.prefix&changed_object_id={id}");
        let Some(log) = self.netbox(Method::GET, &query, Value::Null).await else { return };
        let body = json!({
            "event": "created", "timestamp": Timestamp::now(), "object_type": "ipam.prefix",
            "request": { "id": log["results"][0]["request_id"], "user": "sandbox" },
            "data": { "id": id, "url": format!("/api/ipam/prefixes/{id}/"), "prefix": prefix },
            "snapshots": { "prechange": null, "postchange": { "prefix": prefix } },
        });
        let body = body.to_string();
        let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let request = self.http.post(format!("{}/webhooks/netbox", self.processes.urls[replica]));
        let request = request.header("content-type", "application/json").header("x-hook-signature", signature);
        self.send(request.body(body), &self.webhooks).await;
    }
}
