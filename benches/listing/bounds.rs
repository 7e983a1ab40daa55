//! The number of times that ARIN may be asked about a world, and the verdict on what was measured.

use rir_sandbox::world::World;

use crate::{
    Size,
    holders::Holders,
    sized::{LATENCIES, Measured},
    spent::Spent,
};

/// An unchanged sync may ask for so much besides the contacts.
const UNCHANGED: usize = 10;
/// A first sync may ask so many times about an aggregate.
const FOR_AN_AGGREGATE: usize = 2;
/// Days in which each object is asked for again.
const REFRESH: usize = 7;
/// A great many loopbacks and links may cost so many requests.
const LOOPBACKS: usize = 30;

/// What a world has that ARIN can be asked for.
pub(crate) struct Bounds {
    aggregates: usize,
    nets: usize,
    holders: Holders,
}

impl Bounds {
    pub(crate) fn of(world: &World) -> Self {
        let nets = world.registry.nets.len();
        Self { aggregates: world.ipam.aggregates.len(), nets, holders: Holders::of(world) }
    }

    fn objects(&self) -> usize {
        let Holders { customers, orgs, pocs } = self.holders;
        self.nets + customers + orgs + pocs
    }

    /// A line for each bound, which says whether it holds.
    pub(crate) fn verdicts(&self, size: &Size, measured: &Measured) -> Vec<String> {
        let Holders { customers, orgs, pocs } = self.holders;
        let aggregates = self.aggregates;
        let requests = |spent: &Spent| spent.asked.total();
        let unchanged = measured.unchanged.iter().map(|[listed, _]| requests(&listed.spent)).max().unwrap_or(0);
        let [latency, seconds] = [LATENCIES[1].as_secs_f64() * 1e3, middle(&measured.unchanged[1][0].seconds)];
        let (day, seventh) = (requests(&measured.day.spent).saturating_sub(unchanged), self.objects() / REFRESH);
        vec![
            format!(
                "First sync: {} requests to Reg-RWS, at most {nets} nets + {customers} customers + \
                 {orgs} organizations + {pocs} contacts + {FOR_AN_AGGREGATE} for each of {aggregates} aggregates: {}",
                requests(&measured.first.spent),
                at_most(requests(&measured.first.spent), self.objects() + FOR_AN_AGGREGATE * aggregates),
                nets = self.nets,
            ),
            format!(
                "The same day: {unchanged} requests to Reg-RWS, at most {UNCHANGED} + {pocs} contacts: {}",
                at_most(unchanged, UNCHANGED + pocs)
            ),
            format!("A day later: {day} more; a seventh of {} objects is {seventh}.", self.objects()),
            format!(
                "The same day at {latency:.0} ms: {seconds:.2} s, less than {:.1} s: {}",
                size.unchanged,
                holds(seconds < size.unchanged)
            ),
        ]
    }
}

/// Judges what loopbacks and links cost in all requests, to Reg-RWS and to the listing.
pub(crate) fn loopbacks(without: &Spent, with: &Spent) -> String {
    let requests = |spent: &Spent| spent.asked.total() + spent.listing;
    let (without, with) = (requests(without), requests(with));
    format!(
        "{without} requests without, {with} with them, at most {LOOPBACKS} more: {}",
        at_most(with, without + LOOPBACKS)
    )
}

/// The one in the middle of sorted figures.
fn middle(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn at_most(figure: usize, most: usize) -> String {
    format!("{most}: {}", holds(figure <= most))
}

fn holds(holds: bool) -> &'static str {
    if holds { "holds." } else { "FAILS." }
}
