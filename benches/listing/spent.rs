//! One sync, and what it took of those that it asked.

use std::time::{Duration, Instant};

use rir_sandbox::regrws::{Operation, Requests, Server};

use crate::one_sync::Settings;

/// Requests to ARIN under way at once, as in the third sync of the bench `sync`.
pub(crate) const IN_FLIGHT: usize = 16;

/// What a sync took.
#[derive(Clone)]
pub(crate) struct Spent {
    /// From the start of the process to its end.
    pub(crate) took: Duration,
    /// The result as the program reports it.
    pub(crate) result: String,
    /// The requests to Reg-RWS.
    pub(crate) asked: Requests,
    /// The number of requests to the listing.
    pub(crate) listing: usize,
    /// The number of questions that the listing spared, as the program reports it.
    pub(crate) spared: u64,
    /// Most memory in use, in KiB.
    pub(crate) peak_kib: u64,
}

impl Spent {
    /// Runs one sync, which has to believe the listing.
    pub(crate) async fn of(settings: &Settings, arin: &Server, flags: &[&str]) -> Self {
        arin.forget_requests();
        arin.whois().forget_requests();
        let started = Instant::now();
        let (run, peak_kib) = settings.sync(flags).await;
        let took = started.elapsed();
        assert_eq!(run.get("in_full"), None, "the listing was not believed");
        Self {
            took,
            result: run["result"].as_str().unwrap().to_owned(),
            asked: arin.requests(),
            listing: arin.whois().requests().total(),
            spared: run["spared"].as_u64().unwrap(),
            peak_kib,
        }
    }

    /// Counts the requests to Reg-RWS, by kind: look-ups of ranges, nets, customers, organizations, contacts.
    pub(crate) fn kinds(&self) -> [usize; 5] {
        let count = |operation| self.asked.count(operation);
        let look_ups = count(Operation::MostSpecificNet) + count(Operation::ParentNet);
        let handles = [Operation::Net, Operation::Customer, Operation::Org, Operation::Poc].map(count);
        [look_ups, handles[0], handles[1], handles[2], handles[3]]
    }
}

/// The settings of ARIN, with the listing's own limit in requests a second (0: none), or with that of the defaults.
pub(crate) fn arin(arin: &Server, listing_limit: Option<u32>) -> String {
    let (url, whois) = (arin.url(), arin.whois_url());
    let limit = listing_limit.map(|limit| format!("whois_requests_per_second = {limit}\n")).unwrap_or_default();
    format!(
        "[arin]\nallowed_base_urls = [{url:?}]\nwhois_url = {whois:?}\nrequests_per_second = 0\n\
         max_in_flight = {IN_FLIGHT}\n{limit}"
    )
}

/// Has Reg-RWS and the listing take so long for each answer.
pub(crate) fn slow_down(arin: &Server, latency: Duration) {
    arin.configure(|options| options.latency = latency);
    arin.whois().configure(|options| options.latency = latency);
}
