//! What the listing does for tests, and ARIN's does not: faults on demand, and an account of what it was asked.

use std::time::{Duration, Instant};

use super::{
    contract::{Lab, Node},
    *,
};

const LIST: &str = "cidr/23.144.8.0/22/more";
const RANGE: &str = "23.144.8.0/22";

async fn with_fault(fault: Fault) -> Lab {
    let lab = Lab::demo().await;
    lab.server.whois().fail(Rule::new(fault));
    lab
}

#[tokio::test]
async fn requests_are_counted_by_what_they_were_about_and_not_among_those_to_reg_rws() {
    let lab = Lab::demo().await;
    for path in [LIST, "cidr/2600:4000::0/32/more?showDetails=true", "net/net-23-144-2-0-1", "poc/X-ARIN"] {
        lab.get(path).await;
    }
    let requests = lab.server.whois().requests();
    assert_eq!(requests.count(Operation::More), 2);
    assert_eq!(requests.count_about(Operation::More, "2600:4000::/32"), 1);
    assert_eq!(requests.count_about(Operation::Net, "NET-23-144-2-0-1"), 1);
    assert_eq!(requests.0.iter().map(|request| request.details).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!((requests.count(Operation::Unknown), lab.server.requests().total()), (1, 0));
}

#[tokio::test]
async fn every_answer_takes_its_time() {
    let lab = Lab::demo().await;
    lab.server.whois().configure(|options| options.latency = Duration::from_millis(60));
    let start = Instant::now();
    lab.get(LIST).await;
    assert!(start.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn rules_strike_what_they_are_about_and_spare_reg_rws() {
    let lab = Lab::demo().await;
    lab.server.whois().fail(Rule::new(Fault::Status(503)).on(Operation::More).about(RANGE).times(1));
    let mut seen = Vec::new();
    for path in ["cidr/23.144.8.0/22", "cidr/23.144.8.0/21/more", LIST, LIST] {
        seen.push(lab.get(path).await.status);
    }
    assert_eq!(seen, [200, 200, 503, 200]);
    lab.server.fail(crate::regrws::Rule::new(crate::regrws::Fault::Status(503)));
    assert_eq!(lab.get(LIST).await.status, 200);
}

#[tokio::test]
async fn answers_from_elsewhere_look_like_it() {
    for (fault, status, content_type, has) in [
        (Fault::Html404, 404, "text/html", "<title>404 Not Found</title>"),
        (Fault::Html200, 200, "text/html", "Please log in"),
        (Fault::Outage, 503, "text/html", "maintenance"),
        (Fault::Refusal(400, "E_AUTHENTICATION"), 400, "application/xml", "<code>E_AUTHENTICATION</code>"),
        (Fault::Doctype, 200, "application/xml", "?><!DOCTYPE "),
        (Fault::Namespace("urn:other"), 200, "application/xml", "xmlns=\"urn:other\""),
    ] {
        let answer = with_fault(fault.clone()).await.get(LIST).await;
        assert_eq!((answer.status, answer.content_type.as_str()), (status, content_type), "{fault:?}");
        assert!(answer.body.contains(has), "{fault:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn answers_that_broke_on_the_way_begin_well() {
    let body = with_fault(Fault::TruncatedXml).await.get(LIST).await.body;
    assert!(body.contains("<nets ") && !body.contains("</nets>"), "{body}");
    let lab = with_fault(Fault::CutOff).await;
    let response = lab.client.get(lab.url(LIST)).send().await.unwrap();
    assert!(response.status() == 200 && response.text().await.is_err());
    let lab = with_fault(Fault::Garbage).await;
    let bytes = lab.client.get(lab.url(LIST)).send().await.unwrap().bytes().await.unwrap();
    assert!(std::str::from_utf8(&bytes).is_err());
}

#[tokio::test]
async fn a_hanging_request_ends_with_the_server() {
    let Lab { server, client } = with_fault(Fault::Hang).await;
    let url = format!("{}/{LIST}", server.whois_url());
    let pending = tokio::spawn(async move { client.get(url).send().await });
    while server.whois().requests().total() == 0 {
        tokio::task::yield_now().await;
    }
    server.stop().await;
    assert!(pending.await.unwrap().is_ok_and(|response| response.status() == 503));
}

#[tokio::test]
async fn an_old_snapshot_is_that_of_the_start_whatever_was_refreshed() {
    let lab = with_fault(Fault::OldSnapshot).await;
    lab.server.registry().remove_net("NET-23-144-2-0-1").unwrap();
    lab.server.whois().refresh();
    assert_eq!(lab.handles("cidr/23.144.2.0/24").await, ["NET-23-144-2-0-1"]);
    lab.server.whois().heal();
    assert_eq!(lab.handles("cidr/23.144.2.0/24").await, ["404"]);
}

#[tokio::test]
async fn a_listing_that_follows_again_is_up_to_date() {
    let lab = Lab::demo().await;
    lab.server.whois().refresh();
    lab.server.registry().remove_net("NET-23-144-2-0-1").unwrap();
    lab.server.whois().follow();
    assert_eq!(lab.handles("cidr/23.144.2.0/24").await, ["404"]);
}

#[tokio::test]
async fn a_missing_net_is_in_no_answer() {
    let lab = with_fault(Fault::Missing("NET-23-144-8-0-2".into())).await;
    assert_eq!(lab.handles(LIST).await, ["NET-23-144-8-0-1", "NET-23-144-8-128-1"]);
    assert_eq!(lab.handles("net/NET-23-144-8-0-2").await, ["404"]);
    assert_eq!(lab.handles("cidr/23.144.8.0/25/more").await, ["404"]);
    assert_eq!(lab.handles("net/NET-23-144-8-0-1").await, ["NET-23-144-8-0-1"]);
}

#[tokio::test]
async fn a_limit_that_is_always_exceeded_is_so_for_no_net_at_all() {
    let lab = with_fault(Fault::LimitExceeded).await;
    for (range, nets) in [("23.144.8.0/22", 3), ("23.144.9.0/32", 0)] {
        let list = lab.document(&format!("cidr/{range}/more")).await;
        assert_eq!((list.all("netRef").count(), list.at("limitExceeded").text.as_str()), (nets, "true"), "{range}");
    }
}

#[tokio::test]
async fn a_net_that_is_there_twice_differs() {
    let lab = with_fault(Fault::Twice("NET-23-144-8-0-2".into())).await;
    let list = lab.document(&format!("{LIST}?showDetails=true")).await;
    let text = |node: &Node, name: &str| node.at(name).text.clone();
    let twice: Vec<&Node> = list.all("net").filter(|net| text(net, "handle") == "NET-23-144-8-0-2").collect();
    let [one, other] = twice.as_slice() else { panic!("{twice:?}") };
    assert_ne!(text(one, "name"), text(other, "name"));
    assert_ne!(text(one, "updateDate"), text(other, "updateDate"));
}
