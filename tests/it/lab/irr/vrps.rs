//! Route origin validation: an IRRd and we say the same of each route, by the same list of VRPs.
//!
//! An IRRd knows `valid`, `invalid` and `not_found`; of invalid ones we say what does not fit as well. Its bulk validation is
//! RFC 6811 with AS0 as in RFC 6483: an AS0 covers and never matches. When it takes an object it does not look at one whose
//! origin is AS0 or whose prefix is all addresses; its next import of VRPs does, so that comes after the routes here. That it
//! hides those that are invalid is of no matter: its database has all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    time::Instant,
};

use fastrand::Rng;
use ipnet::IpNet;
use rir_sidecar::{
    config::load_from,
    irr::{
        roa::{Validity, Vrp, Vrps},
        store::Store,
        update::Mirror,
    },
    model::Asn,
};

use super::irrd::Irrd;

/// So many routes are judged unless `RIR_RPKI_OBJECTS` says otherwise. An IRRd takes minutes for 200,000.
const ROUTES: usize = 3000;

/// Routes and VRPs about them, in parts of the address space that no other test uses.
struct World {
    rng: Rng,
    vrps: Vec<(IpNet, u8, u32)>,
    routes: BTreeSet<(IpNet, u32)>,
}

impl World {
    fn new(count: usize) -> Self {
        let mut world = Self { rng: Rng::with_seed(6811), vrps: Vec::new(), routes: BTreeSet::new() };
        // A VRP is there once, as an IRRd takes it; its prefix and origin may come again.
        let mut vrps = BTreeSet::new();
        while vrps.len() < count / 4 {
            let (prefix, origin) = match world.rng.choice(&world.vrps).copied() {
                Some((prefix, _, origin)) if world.rng.u8(..) < 25 => (prefix, origin),
                Some((prefix, ..)) if world.rng.u8(..) < 25 => (prefix, world.origin()),
                _ => (world.prefix(count), world.origin()),
            };
            let max_length = (prefix.prefix_len() + world.rng.u8(0..=8)).min(prefix.max_prefix_len());
            if vrps.insert((prefix, max_length, origin)) {
                world.vrps.push((prefix, max_length, origin));
            }
        }
        while world.routes.len() < count {
            let route = world.route(count);
            world.routes.insert(route);
        }
        world
    }

    /// One of few ASes, so that the right one is met often enough; now and then AS0.
    fn origin(&mut self) -> u32 {
        if self.rng.u8(..) < 8 { 0 } else { self.rng.u32(64496..64600) }
    }

    /// A prefix in a space that has room for four times as many of the usual length.
    fn prefix(&mut self, count: usize) -> IpNet {
        let room = (count * 4).ilog2();
        let shorter = if self.rng.u8(..) < 8 { self.rng.u8(5..=8) } else { self.rng.u8(0..=4) };
        if self.rng.u8(..) < 200 {
            let inside = self.rng.u32(..) & (u32::MAX >> (24 - room));
            return cut(Ipv4Addr::from(0x2000_0000 | inside).into(), 24 - shorter);
        }
        let inside = self.rng.u128(..) & (u128::MAX >> (48 - room));
        cut(Ipv6Addr::from((0x2600_u128 << 112) | inside).into(), 48 - shorter)
    }

    /// A route: as a VRP says, or inside it, or around it, or anywhere.
    fn route(&mut self, count: usize) -> (IpNet, u32) {
        let (prefix, _, origin) = self.vrps[self.rng.usize(..self.vrps.len())];
        let origin = if self.rng.bool() { origin } else { self.origin() };
        let (length, most) = (prefix.prefix_len(), prefix.max_prefix_len());
        let longer = (length + self.rng.u8(0..=10)).min(most);
        let prefix = match self.rng.u8(0..4) {
            0 => prefix,
            1 => self.inside(prefix, longer),
            2 => cut(prefix.addr(), length - self.rng.u8(1..=4)),
            _ => self.prefix(count),
        };
        (prefix, origin)
    }

    fn inside(&mut self, prefix: IpNet, length: u8) -> IpNet {
        match prefix {
            IpNet::V4(net) => {
                let host = self.rng.u32(..) & u32::from(net.hostmask());
                cut(Ipv4Addr::from(u32::from(net.network()) | host).into(), length)
            }
            IpNet::V6(net) => {
                let host = self.rng.u128(..) & u128::from(net.hostmask());
                cut(Ipv6Addr::from(u128::from(net.network()) | host).into(), length)
            }
        }
    }

    /// The list, as Routinator writes it.
    fn list(&self) -> String {
        let entry = |(prefix, max_length, origin): &(IpNet, u8, u32)| {
            format!(r#"{{"asn": "AS{origin}", "prefix": "{prefix}", "maxLength": {max_length}, "ta": "sample"}}"#)
        };
        format!(r#"{{"roas": [{}]}}"#, self.vrps.iter().map(entry).collect::<Vec<_>>().join(",\n"))
    }

    /// The routes as a dump.
    fn dump(&self, source: &str) -> String {
        self.routes.iter().fold(String::new(), |mut text, (prefix, origin)| {
            let class = if matches!(prefix, IpNet::V4(_)) { "route" } else { "route6" };
            write!(text, "{class}: {prefix}\norigin: AS{origin}\nmnt-by: SAMPLE-MNT\nsource: {source}\n\n").unwrap();
            text
        })
    }
}

fn cut(address: IpAddr, length: u8) -> IpNet {
    IpNet::new(address, length).unwrap().trunc()
}

/// Takes a list as the source that it is, and returns the VRPs that are held then.
async fn taken(list: &Path) -> Vrps {
    let url = format!("file://{}", list.display());
    let set = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "x"), ("RPKI__VRPS", url.as_str())];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    let settings = load_from(None, &set.into()).unwrap();
    let (mirror, source) = (Mirror::new(Store::in_memory(), &settings).unwrap(), &settings.irr.source[0]);
    let updated = mirror.update(source, |_| {}).await.unwrap();
    assert_eq!(updated.rejects.total(), 0, "{:?}", updated.rejects);
    let (mut all, mut objects) = (Vec::new(), mirror.store.objects(&source.name).await.unwrap().unwrap());
    while let Some(some) = objects.next().await.unwrap() {
        all.extend(some.iter().map(|object| Vrp::read(object).unwrap()));
    }
    all.into_iter().collect()
}

#[tokio::test]
async fn an_irrd_and_we_say_the_same_of_each_route() {
    let count = std::env::var("RIR_RPKI_OBJECTS").map_or(ROUTES, |count| count.parse().unwrap());
    let (irrd, world, begun) = (Irrd::new(), World::new(count), Instant::now());
    let list = irrd.path("vrps.json");
    std::fs::write(&list, world.list()).unwrap();
    std::fs::write(irrd.path("objects.db"), world.dump(&irrd.name)).unwrap();
    irrd.judges_by(&list);
    let theirs = irrd.does(&["load", "vrps", "verdicts"]);
    println!("measured: {count} routes and {} VRPs by an IRRd in {:.1?}", world.vrps.len(), begun.elapsed());
    let begun = Instant::now();
    let vrps = taken(&list).await;
    println!("measured: the VRPs taken and read here in {:.1?}", begun.elapsed());
    let (mut judged, mut told) = (BTreeSet::new(), BTreeMap::<_, usize>::new());
    for line in theirs.lines() {
        let (key, theirs) = line.split_once(' ').unwrap();
        let (prefix, origin) = key.split_once("AS").unwrap();
        let (prefix, origin): (IpNet, u32) = (prefix.parse().unwrap(), origin.parse().unwrap());
        let ours = vrps.validity(&prefix, Asn(origin));
        let in_their_words = match ours {
            Validity::Valid => "valid",
            Validity::NotFound => "not_found",
            Validity::InvalidLength | Validity::InvalidOrigin | Validity::InvalidBoth => "invalid",
        };
        assert_eq!(in_their_words, theirs, "{key}");
        *told.entry(format!("{ours:?}")).or_default() += 1;
        judged.insert((prefix, origin));
    }
    assert_eq!(judged, world.routes, "each of them is judged");
    println!("measured: {told:?}");
    assert_eq!(told.len(), 5, "all there is to say is said: {told:?}");
    assert!(told.values().all(|some| some * 100 > count), "and often enough: {told:?}");
}
