//! Measures how much memory a sync takes in large worlds, and prints Markdown.
//!
//! ```text
//! cargo bench --bench memory -- [prefixes[/nets]]...
//! ```
//!
//! The aggregates are 400 allocations of a /16. In the lower half of each lies a reassigned net with nineteen in twenty of
//! its prefixes, which need no question; the others, and the other nets, lie in the upper half. ARIN and the tables of
//! custom objects are simulated. The prefixes are worked out when a page of them is asked for, as a million rows would
//! not fit into a NetBox of ours; so nothing is linked to them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on ends")]

#[path = "../bootstrap.rs"]
mod bootstrap;
#[path = "../one_sync.rs"]
mod one_sync;

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    body::Body,
    extract::{Query, Request, State},
    response::Response,
    routing::get,
};
use ipnet::{IpNet, Ipv4Net};
use rir_sandbox::{
    netbox::{Options, Server, TOKEN},
    regrws,
    world::{Address, Country, Holder, World},
};
use serde_json::{Value, json};

use bootstrap::bootstrap;
use one_sync::Settings;

const AGGREGATES: u32 = 400;
const FIRST_AGGREGATE: u32 = 20 << 24;
/// One prefix in so many lies outside of reassigned nets.
const DIRECT: u32 = 20;
/// Without an argument: the worlds of docs/benchmarks.md.
const WORLDS: [&str; 3] = ["100000/400", "100000/4000", "1000000/400"];

/// The prefixes of a world, by a rule.
#[derive(Clone, Copy)]
struct Plan {
    prefixes: u32,
    nets: u32,
}

/// A NetBox whose prefixes are worked out and whose other tables are simulated.
struct Front {
    plan: Plan,
    behind: String,
    http: reqwest::Client,
}

fn aggregate(number: u32) -> Ipv4Net {
    Ipv4Net::new((FIRST_AGGREGATE + (number << 16)).into(), 16).unwrap()
}

impl Plan {
    fn read(text: &str) -> Self {
        let (prefixes, nets) = text.split_once('/').unwrap_or((text, "400"));
        Self { prefixes: prefixes.parse().unwrap(), nets: nets.parse().unwrap() }
    }

    /// Prefixes in each aggregate.
    fn each(self) -> u32 {
        self.prefixes / AGGREGATES
    }

    /// Returns a prefix of an aggregate; the first ones lie in its lower half.
    fn prefix(self, aggregate: Ipv4Net, number: u32) -> Ipv4Net {
        let (first, direct) = (u32::from(aggregate.network()), self.each() / DIRECT);
        let inside = self.each() - direct;
        let (start, number) = if number < inside { (first, number) } else { (first + (1 << 15), number - inside) };
        Ipv4Net::new((start + number * 8).into(), 29).unwrap()
    }

    fn world(self) -> World {
        let mut world = World::demo();
        world.registry.nets.clear();
        world.registry.customers.clear();
        world.ipam.aggregates.clear();
        world.ipam.prefixes.clear();
        let street = vec!["100 Example Way".to_owned()];
        let address = Address {
            street,
            city: Some("Example".to_owned()),
            state_province: Some("VA".to_owned()),
            postal_code: Some("20151".to_owned()),
            country: Country::US,
        };
        let org = world.org_handle.clone();
        for number in 0..AGGREGATES {
            let block = aggregate(number);
            let parent = world.registry.allocate(&[block.into()], &org);
            let halves = [Ipv4Net::new(block.network(), 17).unwrap()];
            let upper = (1..self.nets / AGGREGATES).map(|net| self.prefix(block, self.each() - net));
            for net in halves.into_iter().chain(upper) {
                let customer = world.registry.add_customer(&org, &format!("Customer of {net}"), Some(address.clone()));
                world.registry.reassign(&parent, &[IpNet::V4(net)], Holder::Customer(customer)).unwrap();
            }
        }
        world
    }
}

impl Front {
    /// Answers with a page of the prefixes inside a range, or of all.
    fn page(&self, query: &BTreeMap<String, String>) -> Value {
        let number = |name: &str, default| query.get(name).map_or(default, |value| value.parse().unwrap());
        let (offset, limit, each) = (number("offset", 0), number("limit", 50).min(1000), self.plan.each());
        let within: Option<Ipv4Net> = query.get("within_include").map(|range| range.parse().unwrap());
        let from = within.map_or(0, |range| (u32::from(range.network()) - FIRST_AGGREGATE) >> 16) * each;
        let count = within.map_or(each * AGGREGATES, |_| each);
        let rows = (from + offset..from + count.min(offset + limit)).map(|at| {
            let prefix = self.plan.prefix(aggregate(at / each), at % each);
            json!({ "id": at + 1, "prefix": prefix, "vrf": null })
        });
        json!({ "count": count, "results": rows.collect::<Vec<_>>() })
    }

    /// Passes a request on to the simulated NetBox.
    async fn pass_on(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let url = format!("{}{}", self.behind, head.uri);
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = self.http.request(head.method, url).headers(head.headers).body(body).send().await.unwrap();
        let mut response = Response::builder().status(answer.status());
        if let Some(kind) = answer.headers().get("content-type") {
            response = response.header("content-type", kind);
        }
        response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
    }

    async fn serve(self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let prefixes = async |State(front): State<Arc<Self>>, Query(query): Query<BTreeMap<String, String>>| {
            Json(front.page(&query))
        };
        let rest = async |State(front): State<Arc<Self>>, request: Request| front.pass_on(request).await;
        let router = Router::new().route("/api/ipam/prefixes/", get(prefixes)).fallback(rest);
        let router = router.with_state(Arc::new(self));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

#[tokio::main]
async fn main() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if asked.is_empty() {
        asked = WORLDS.map(str::to_owned).to_vec();
    }
    println!("| prefixes | nets | sync | seconds | ARIN requests | peak MB |\n|---:|---:|---|---:|---:|---:|");
    for plan in asked.iter().map(|text| Plan::read(text)) {
        measure(plan).await;
    }
}

async fn measure(plan: Plan) {
    let world = plan.world();
    let arin = regrws::Server::start(world.registry.clone(), regrws::Options::default()).await.unwrap();
    let behind = Server::start(Options::default()).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "the program's own clients are what is measured")]
    let front = Front { plan, behind: behind.url(), http: reqwest::Client::new() };
    let netbox = front.serve().await;
    bootstrap(&netbox, TOKEN).await;
    let rir = behind.add_rir("ARIN");
    for number in 0..AGGREGATES {
        behind.add_aggregate(aggregate(number).into(), rir);
    }
    let row = json!({ "name": world.config, "rir": rir, "registry": "arin", "api_url": arin.url(),
        "org_handle": world.org_handle, "is_active": true });
    let Value::Object(row) = row else { panic!("no object") };
    behind.add_row("rir-config", row).unwrap();
    let more = format!(
        "[arin]\nallowed_base_urls = [{:?}]\nrequests_per_second = 0\n[sync]\nauto_link_networks = false\n",
        arin.url()
    );
    let settings = Settings::write((&netbox, TOKEN), &world.config, &more);
    for name in ["first", "unchanged"] {
        arin.forget_requests();
        let started = Instant::now();
        let (_, peak) = settings.sync(&[]).await;
        let (took, asked) = (started.elapsed().as_secs_f64(), arin.requests().total());
        let Plan { prefixes, nets } = plan;
        println!("| {prefixes} | {nets} | {name} | {took:.1} | {asked} | {:.0} |", peak as f64 / 1024.0);
    }
}
