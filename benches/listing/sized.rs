//! Syncs of one world on a real NetBox: the first one, unchanged ones with and without the listing, and later ones.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use rir_sandbox::{
    regrws::{Options, Server},
    world::World,
};
use rir_sidecar::netbox::schema;
use serde_json::json;

use crate::{
    Size,
    bounds::Bounds,
    netbox::{Netbox, custom},
    one_sync::Settings,
    spent::{self, Spent},
    table,
};

/// ARIN's answering times.
pub(crate) const LATENCIES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(50)];
/// All but the first sync are repeated so many times; of their figures those of the one in the middle count.
const TIMES: usize = 3;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MORE_THAN_A_WEEK: SignedDuration = SignedDuration::from_hours(8 * 24);

/// What a sync took of everybody.
pub(crate) struct Sync {
    pub(crate) spent: Spent,
    /// CPU seconds that NetBox spent on it.
    pub(crate) netbox_cpu: f64,
    /// Rows written, created and changed, by NetBox's change log.
    pub(crate) written: usize,
    /// The seconds of all the times that it was repeated, the shortest first.
    pub(crate) seconds: Vec<f64>,
}

/// The syncs of one world.
pub(crate) struct Measured {
    pub(crate) first: Sync,
    /// Unchanged, with the listing and in full, by latency.
    pub(crate) unchanged: Vec<[Sync; 2]>,
    /// Unchanged, at the last latency, with the limit of the listing that is the default.
    pub(crate) limited: Sync,
    /// A day later, at the last latency.
    pub(crate) day: Sync,
    /// More than a week later, at the last latency.
    pub(crate) week: Sync,
}

/// Where syncs take place.
struct Place<'a> {
    netbox: &'a Netbox,
    arin: Server,
    config: u64,
}

/// Measures a world and prints its table.
pub(crate) async fn measure(size: &Size, netbox: &Netbox) {
    let world = World::sized(size.aggregates, size.prefixes);
    netbox.wipe(false);
    let rir = netbox.furnish(&world).await;
    let arin = Server::start(world.registry.clone(), Options::default()).await.unwrap();
    netbox.wipe(true);
    let config = netbox.add_config(&world, &arin.url(), rir).await;
    let place = Place { netbox, arin, config };
    let measured = place.measure(&world).await;
    place.arin.stop().await;
    table::print(size, &Bounds::of(&world), &measured);
}

impl Place<'_> {
    async fn measure(&self, world: &World) -> Measured {
        let settings = |limit| {
            let access = (self.netbox.url.as_str(), self.netbox.token.as_str());
            Settings::write(access, &world.config, &spent::arin(&self.arin, limit))
        };
        let (unlimited, limited) = (settings(Some(0)), settings(None));
        let first = self.sync(&unlimited, &[]).await;
        let mut unchanged = Vec::new();
        for latency in LATENCIES {
            spent::slow_down(&self.arin, latency);
            let listed = self.repeated(&unlimited, &[], None).await;
            unchanged.push([listed, self.repeated(&unlimited, &["--full"], None).await]);
        }
        let limited = self.repeated(&limited, &[], None).await;
        let day = self.repeated(&unlimited, &[], Some(DAY)).await;
        let week = self.repeated(&unlimited, &[], Some(MORE_THAN_A_WEEK)).await;
        Measured { first, unchanged, limited, day, week }
    }

    /// Runs one sync.
    async fn sync(&self, settings: &Settings, flags: &[&str]) -> Sync {
        let (writes, cpu) = (self.netbox.writes().await, self.netbox.cpu_seconds());
        let spent = Spent::of(settings, &self.arin, flags).await;
        let netbox_cpu = self.netbox.cpu_seconds() - cpu;
        let written = self.netbox.writes().await - writes;
        let seconds = vec![spent.took.as_secs_f64()];
        eprintln!(
            "bench: {} in {:.2} s, {netbox_cpu:.2} s of NetBox's CPU, {} requests to Reg-RWS",
            spent.result,
            seconds[0],
            spent.asked.total()
        );
        Sync { spent, netbox_cpu, written, seconds }
    }

    /// Runs a sync several times, each as if so much time had passed since the last one.
    async fn repeated(&self, settings: &Settings, flags: &[&str], later: Option<SignedDuration>) -> Sync {
        let mut all = Vec::new();
        for _ in 0..TIMES {
            if let Some(later) = later {
                self.set_back(later).await;
            }
            all.push(self.sync(settings, flags).await);
        }
        all.sort_by_key(|sync| sync.spent.took);
        let seconds = all.iter().map(|sync| sync.seconds[0]).collect();
        Sync { seconds, ..all.swap_remove(TIMES / 2) }
    }

    /// Sets back up to when the config's objects were asked for again.
    async fn set_back(&self, ago: SignedDuration) {
        let refreshed = (Timestamp::now() - ago).to_string();
        let row = json!([{ "id": self.config, "refreshed": refreshed }]);
        self.netbox.send(Method::PATCH, &custom(schema::CONFIG), row).await;
    }
}
