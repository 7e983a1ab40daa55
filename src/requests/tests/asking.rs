//! How much ARIN is asked, over real HTTP on a loopback port.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::Request, http::StatusCode};
use secrecy::SecretString;
use tokio::net::TcpListener;

use super::{
    super::{
        answered::Answered,
        change::{Change, CustomerRemoval},
        checks::{self, Live},
        intent::Intent,
        look::{Seen, look},
    },
    example::*,
};
use crate::{
    arin::{Client, Pool},
    config,
};

const NS: &str = "xmlns=\"http://www.arin.net/regrws/core/v1\"";

/// A server in ARIN's place, which has some things and keeps what it was asked for.
struct Arin {
    client: Client,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Arin {
    /// Starts one that answers a path behind `/rest/` with a document; with 500 if that is empty, and with 404 if
    /// there is none.
    async fn with(documents: Vec<(&'static str, String)>) -> Self {
        let documents: BTreeMap<&str, String> = documents.into_iter().collect();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&asked);
        let router = Router::new().fallback(move |request: Request| {
            let path = request.uri().path().trim_start_matches("/rest/").to_owned();
            let answer = match documents.get(path.split(';').next().unwrap()) {
                Some(document) if document.is_empty() => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
                Some(document) => (StatusCode::OK, document.clone()),
                None => (StatusCode::NOT_FOUND, format!("<error {NS}><code>E_OBJECT_NOT_FOUND</code></error>")),
            };
            kept.lock().unwrap().push(path);
            async move { answer }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { client: client(&url), asked }
    }

    /// Returns what it was asked for since the last time, in the order of the alphabet: questions go out together.
    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }

    async fn live(&self, change: &Change) -> Live {
        checks::ask(&self.client, change).await
    }

    async fn seen(&self, change: Change) -> Seen {
        let intent = Intent::new(change, "alice", time("2026-11-27T12:00:00Z"), None);
        look(&self.client, &intent).await
    }
}

fn client(url: &str) -> Client {
    let set = [("NETBOX__URL", "http://netbox.test/"), ("NETBOX__TOKEN", "token"), ("ARIN__RETRY_COUNT", "0")];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    let mut settings = config::load_from(None, &set.into()).unwrap();
    settings.arin.allowed_base_urls = vec![url.parse().unwrap()];
    Pool::new(&settings.arin).unwrap().client(url, SecretString::from("API-KEY")).unwrap()
}

fn net_document() -> String {
    format!(
        "<net {NS}><handle>{NET}</handle><netName>CUSTOMER-17</netName><customerHandle>{CUSTOMER}</customerHandle>\
         <parentNetHandle>{PARENT}</parentNetHandle><registrationDate>2026-11-27T07:00:00-05:00</registrationDate>\
         <netBlocks><netBlock><type>S</type><startAddress>23.144.1.0</startAddress>\
         <endAddress>23.144.1.255</endAddress></netBlock></netBlocks></net>"
    )
}

fn customer_document() -> String {
    format!("<customer {NS}><handle>{CUSTOMER}</handle><customerName>Customer Seventeen</customerName></customer>")
}

const MOST_SPECIFIC: &str = "net/mostSpecificNet/23.144.1.0/23.144.1.255";
const PARENT_NET: &str = "net/parentNet/23.144.1.0/23.144.1.255";
const OF_NET: &str = "net/NET-23-144-1-0-1";
const OF_CUSTOMER: &str = "customer/C00000001";

#[tokio::test]
async fn a_reassignment_is_checked_with_two_questions_and_one_more_for_an_organization() {
    let arin = Arin::with(vec![]).await;
    let live = arin.live(&Change::Create(simple())).await;
    assert_eq!(arin.asked(), [MOST_SPECIFIC, PARENT_NET]);
    assert_eq!((live.exact, live.parent), (Answered::Absent, Answered::Absent));
    let live = arin.live(&Change::Create(detailed())).await;
    assert_eq!(arin.asked(), [MOST_SPECIFIC, PARENT_NET, "org/SAMPLE-3"]);
    assert_eq!(live.org, Answered::Absent);
}

#[tokio::test]
async fn what_arin_could_not_answer_is_not_absent() {
    let arin = Arin::with(vec![(MOST_SPECIFIC, String::new()), (PARENT_NET, net_document())]).await;
    let live = arin.live(&Change::Create(simple())).await;
    assert!(matches!(live.exact, Answered::NotKnown(_)), "{:?}", live.exact);
    assert_eq!(live.parent.found().map(|net| net.handle.as_str()), Some(NET));
}

#[tokio::test]
async fn a_modification_rests_on_one_document_whose_digest_tells_it_apart() {
    let changed = || net_document().replace("CUSTOMER-17", "CUSTOMER-18");
    let arin = Arin::with(vec![(OF_NET, net_document()), (OF_CUSTOMER, customer_document())]).await;
    let base = arin.live(&rename_net("NEW")).await.base;
    assert_eq!(arin.asked(), [OF_NET]);
    let other = Arin::with(vec![(OF_NET, changed())]).await;
    let of_other = other.live(&rename_net("NEW")).await.base;
    assert!(base.found().is_some() && base != of_other, "{base:?} {of_other:?}");
    let of_customer = arin.live(&Change::ChangeCustomer(customer_change())).await.base;
    assert_eq!(arin.asked(), [OF_CUSTOMER]);
    assert!(of_customer.found().is_some() && base != of_customer);
}

#[tokio::test]
async fn a_removal_asks_for_the_net_and_for_what_hangs_on_it() {
    let arin = Arin::with(vec![(OF_NET, net_document())]).await;
    let live = arin.live(&removal()).await;
    assert_eq!(arin.asked(), [OF_NET, &format!("{OF_NET}/delegations"), &format!("{OF_NET}/routes")]);
    assert_eq!(live.net.found().map(|net| net.handle.as_str()), Some(NET));
    assert_eq!((live.delegations, live.routes), (Answered::Found(vec![]), Answered::Found(vec![])));
}

#[tokio::test]
async fn the_deletion_of_a_customer_asks_for_it_and_for_its_net_if_that_is_known() {
    let arin = Arin::with(vec![(OF_CUSTOMER, customer_document())]).await;
    let live = arin.live(&customer_removal()).await;
    assert_eq!(arin.asked(), [OF_CUSTOMER, OF_NET]);
    assert_eq!((live.net, live.customer.found().is_some()), (Answered::Absent, true));
    let unknown = Change::DeleteCustomer(CustomerRemoval { customer: customer_handle(CUSTOMER), net: None });
    arin.live(&unknown).await;
    assert_eq!(arin.asked(), [OF_CUSTOMER]);
}

#[tokio::test]
async fn a_look_asks_for_the_customer_of_a_net_that_it_found_and_for_tickets_if_it_found_nothing() {
    let arin = Arin::with(vec![(MOST_SPECIFIC, net_document()), (OF_CUSTOMER, customer_document())]).await;
    let seen = arin.seen(Change::Create(simple())).await;
    assert_eq!(arin.asked(), [OF_CUSTOMER, MOST_SPECIFIC]);
    assert!(seen.customer.found().is_some());
    arin.seen(Change::Create(detailed())).await;
    assert_eq!(arin.asked(), [MOST_SPECIFIC], "its holder is told by the net");

    let collection = format!("<collection {NS}><ticket><ticketNo>20261127-X1</ticketNo></ticket></collection>");
    let arin = Arin::with(vec![("ticket/summary", collection)]).await;
    let seen = arin.seen(Change::Create(simple())).await;
    assert_eq!(arin.asked(), [MOST_SPECIFIC, "ticket/summary;ticketStatus=ANY_OPEN"]);
    assert_eq!(seen.tickets, Answered::Found(vec![unknown_ticket("20261127-X1")]));
}

#[tokio::test]
async fn a_look_that_tickets_cannot_decide_does_not_ask_for_them() {
    let arin = Arin::with(vec![(OF_NET, net_document()), (OF_CUSTOMER, customer_document())]).await;
    arin.seen(rename_net("NEW")).await;
    arin.seen(customer_removal()).await;
    assert_eq!(arin.asked(), [OF_CUSTOMER, OF_NET]);
    let silent = Arin::with(vec![(OF_NET, String::new())]).await;
    silent.seen(removal()).await;
    assert_eq!(silent.asked(), [OF_NET], "it is not known whether the net is there");
}
