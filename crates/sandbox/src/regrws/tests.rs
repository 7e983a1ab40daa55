//! The server as clients meet it, over real HTTP.

use std::time::{Duration, Instant};

use reqwest::{Client, Response, StatusCode};

use super::*;
use crate::world::World;

struct Lab {
    server: Server,
    client: Client,
}

async fn lab(options: Options) -> Lab {
    Lab { server: Server::start(World::demo().registry, options).await.unwrap(), client: crate::http_client() }
}

impl Lab {
    async fn get(&self, path: &str) -> Response {
        self.try_get(path).await.unwrap()
    }

    async fn try_get(&self, path: &str) -> reqwest::Result<Response> {
        let url = format!("{}/rest/{path}", self.server.url());
        self.client.get(url).header("Authorization", format!("ApiKey {KEY}")).send().await
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.status().as_u16()
    }

    async fn body(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    /// The handle of the net found, or the status.
    async fn net(&self, path: &str) -> String {
        let response = self.get(path).await;
        let status = response.status();
        let body = response.text().await.unwrap();
        if status == StatusCode::OK { between(&body, "<handle>", "</handle>") } else { status.as_u16().to_string() }
    }
}

fn between(text: &str, start: &str, end: &str) -> String {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(found, _)| found.to_owned()).unwrap()
}

fn odd() -> Options {
    Options { style: Style::Odd, ..Options::default() }
}

#[tokio::test]
async fn objects_are_found_by_handle_in_any_case() {
    let lab = lab(Options::default()).await;
    let paths =
        ["org/EXAMPLE-NET-1", "org/example-net-1", "poc/NETOP3-ARIN", "customer/C00000001", "net/net-23-144-0-0-1"];
    for path in paths {
        assert_eq!(lab.status(path).await, 200, "{path}");
    }
}

#[tokio::test]
async fn a_plain_customer_reads_as_in_arins_pages() {
    let lab = lab(Options::default()).await;
    insta::assert_snapshot!(lab.body("customer/C00000002").await.replace("><", ">\n<"), @r#"
    <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
    <customer xmlns="http://www.arin.net/regrws/core/v1">
    <city>Bridgetown</city>
    <iso3166-1>
    <name>BARBADOS</name>
    <code2>BB</code2>
    <code3>BRB</code3>
    <e164>1246</e164>
    </iso3166-1>
    <streetAddress>
    <line number="1">7 Sample Quay</line>
    </streetAddress>
    <customerName>Sample Fisheries</customerName>
    <handle>C00000002</handle>
    <parentOrgHandle>EXAMPLE-NET-1</parentOrgHandle>
    <privateCustomer>false</privateCustomer>
    <registrationDate>2001-03-07T09:26:44-05:00</registrationDate>
    </customer>
    "#);
}

#[tokio::test]
async fn a_plain_net_of_several_blocks_reads_as_in_arins_pages() {
    let lab = lab(Options::default()).await;
    insta::assert_snapshot!(lab.body("net/NET-23-144-4-0-1").await.replace("><", ">\n<"), @r#"
    <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
    <net xmlns="http://www.arin.net/regrws/core/v1">
    <handle>NET-23-144-4-0-1</handle>
    <netBlocks>
    <netBlock>
    <type>S</type>
    <description>Reassigned</description>
    <startAddress>023.144.004.000</startAddress>
    <endAddress>023.144.005.255</endAddress>
    <cidrLength>23</cidrLength>
    </netBlock>
    <netBlock>
    <type>S</type>
    <description>Reassigned</description>
    <startAddress>023.144.006.000</startAddress>
    <endAddress>023.144.006.255</endAddress>
    <cidrLength>24</cidrLength>
    </netBlock>
    </netBlocks>
    <customerHandle>C00000005</customerHandle>
    <parentNetHandle>NET-23-144-0-0-1</parentNetHandle>
    <netName>EXAMPLE-23-144-4-0-1</netName>
    <registrationDate>2001-03-12T10:01:44-05:00</registrationDate>
    <version>4</version>
    </net>
    "#);
}

#[tokio::test]
async fn odd_payloads_are_the_same_each_time_and_however_found() {
    let lab = lab(odd()).await;
    let by_handle = lab.body("net/NET-23-144-2-0-1").await;
    assert_eq!(lab.body("net/NET-23-144-2-0-1").await, by_handle);
    assert_eq!(lab.body("net/mostSpecificNet/23.144.2.0/23.144.2.255").await, by_handle);
}

#[tokio::test]
async fn what_is_not_there_is_an_error_payload_with_404() {
    let lab = lab(Options::default()).await;
    let response = lab.get("org/NOBODY-1").await;
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/xml");
    assert_eq!(between(&response.text().await.unwrap(), "<code>", "</code>"), "E_OBJECT_NOT_FOUND");
}

#[tokio::test]
async fn covering_look_ups_find_the_most_specific_net_around_the_range() {
    let lab = lab(Options::default()).await;
    let find = async |range: &str| lab.net(&format!("net/mostSpecificNet/{range}")).await;
    assert_eq!(find("23.144.2.0/23.144.2.255").await, "NET-23-144-2-0-1");
    assert_eq!(find("23.144.2.8/23.144.2.15").await, "NET-23-144-2-0-1");
    assert_eq!(find("23.144.0.0/23.144.0.255").await, "NET-23-144-0-0-1");
    assert_eq!(find("2600:4000:8001::/2600:4000:8001:ffff:ffff:ffff:ffff:ffff").await, "NET6-2600-4000-8001-1");
    assert_eq!(find("23.160.0.0/23.160.0.255").await, "NET-23-0-0-0-0");
    assert_eq!(find("24.0.0.0/24.0.0.255").await, "404");
}

#[tokio::test]
async fn exact_look_ups_find_only_what_is_registered_as_asked() {
    let lab = lab(Options { lookup: Lookup::Exact, ..Options::default() }).await;
    let find = async |range: &str| lab.net(&format!("net/mostSpecificNet/{range}")).await;
    assert_eq!(find("23.144.2.0/23.144.2.255").await, "NET-23-144-2-0-1");
    assert_eq!(find("23.144.2.8/23.144.2.15").await, "404");
    assert_eq!(find("23.144.4.0/23.144.6.255").await, "NET-23-144-4-0-1");
    assert_eq!(find("23.144.4.0/23.144.5.255").await, "404");
}

#[tokio::test]
async fn the_parent_of_a_range_is_found_whether_it_is_registered_or_not() {
    for lookup in [Lookup::Covering, Lookup::Exact] {
        let lab = lab(Options { lookup, ..Options::default() }).await;
        let find = async |range: &str| lab.net(&format!("net/parentNet/{range}")).await;
        assert_eq!(find("23.144.2.0/23.144.2.255").await, "NET-23-144-0-0-1");
        assert_eq!(find("23.144.2.8/23.144.2.15").await, "NET-23-144-2-0-1");
        assert_eq!(find("23.144.0.0/23.144.7.255").await, "NET-23-144-0-0-1");
        assert_eq!(find("24.0.0.0/24.0.0.255").await, "404");
    }
}

#[tokio::test]
async fn a_range_that_is_none_is_a_bad_request() {
    let lab = lab(Options::default()).await;
    for range in ["23.0.0.9/23.0.0.1", "23.0.0.0/2600::", "x/y"] {
        for call in ["mostSpecificNet", "parentNet"] {
            assert_eq!(lab.status(&format!("net/{call}/{range}")).await, 400, "{call} {range}");
        }
    }
}

#[tokio::test]
async fn an_edited_registry_is_what_is_found() {
    let lab = lab(Options::default()).await;
    assert_eq!(lab.net("net/mostSpecificNet/23.144.2.0/23.144.2.255").await, "NET-23-144-2-0-1");
    lab.server.registry().remove_net("NET-23-144-2-0-1").unwrap();
    assert_eq!(lab.net("net/mostSpecificNet/23.144.2.0/23.144.2.255").await, "NET-23-144-0-0-1");
    lab.server.registry().rename_net("NET-23-144-0-0-1", "RENAMED").unwrap();
    assert_eq!(between(&lab.body("net/NET-23-144-0-0-1").await, "<netName>", "<"), "RENAMED");
}

#[tokio::test]
async fn keys_are_taken_from_header_and_query_and_from_nowhere_else() {
    let lab = lab(Options::default()).await;
    let url = format!("{}/rest/org/EXAMPLE-NET-1", lab.server.url());
    let send = async |url: String, header: Option<&str>| {
        let request = lab.client.get(url);
        let request = if let Some(value) = header { request.header("Authorization", value) } else { request };
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(send(format!("{url}?apikey={KEY}"), None).await, 200);
    assert_eq!(send(url.clone(), Some(&format!("ApiKey {KEY}"))).await, 200);
    assert_eq!(send(url.clone(), None).await, 400);
    assert_eq!(send(url.clone(), Some(&format!("Bearer {KEY}"))).await, 400);
    assert_eq!(send(url, Some("ApiKey API-WRONG")).await, 400);
}

#[tokio::test]
async fn a_refused_key_is_named_by_its_code() {
    let lab = lab(Options { keys: [].into(), ..Options::default() }).await;
    assert_eq!(between(&lab.body("org/EXAMPLE-NET-1").await, "<code>", "</code>"), "E_AUTHENTICATION");
}

#[tokio::test]
async fn every_request_is_counted_by_what_it_was_about() {
    let lab = lab(Options::default()).await;
    lab.get("customer/C00000001").await;
    lab.get("customer/c00000001").await;
    lab.get("net/mostSpecificNet/2600::/2600::FF").await;
    let requests = lab.server.requests();
    assert_eq!(requests.count_about(Operation::Customer, "C00000001"), 2);
    assert_eq!(requests.count_about(Operation::MostSpecificNet, "2600::/2600::ff"), 1);
    lab.server.forget_requests();
    assert_eq!(lab.server.requests().total(), 0);
}

#[tokio::test]
async fn every_answer_takes_its_time() {
    let lab = lab(Options { latency: Duration::from_millis(60), ..Options::default() }).await;
    let start = Instant::now();
    lab.get("org/EXAMPLE-NET-1").await;
    assert!(start.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn rules_strike_what_they_are_about_and_only_so_often() {
    let lab = lab(Options::default()).await;
    lab.server.fail(Rule::new(Fault::Status(503)).on(Operation::Net).about("net-23-144-2-0-1").times(2));
    let mut seen = Vec::new();
    for path in ["net/NET-23-144-0-0-1", "net/NET-23-144-2-0-1", "net/NET-23-144-2-0-1", "net/NET-23-144-2-0-1"] {
        seen.push(lab.status(path).await);
    }
    assert_eq!(seen, [200, 503, 503, 200]);
}

#[tokio::test]
async fn a_healed_server_is_whole() {
    let lab = lab(Options::default()).await;
    lab.server.fail(Rule::new(Fault::Outage));
    assert_eq!(lab.status("org/EXAMPLE-NET-1").await, 503);
    lab.server.heal();
    assert_eq!(lab.status("org/EXAMPLE-NET-1").await, 200);
}

async fn with_fault(fault: Fault) -> Lab {
    let lab = lab(Options::default()).await;
    lab.server.fail(Rule::new(fault));
    lab
}

#[tokio::test]
async fn an_outage_is_named_by_its_code() {
    let lab = with_fault(Fault::Outage).await;
    assert_eq!(between(&lab.body("org/EXAMPLE-NET-1").await, "<code>", "</code>"), "E_OUTAGE");
}

#[tokio::test]
async fn a_cut_off_answer_begins_well_and_ends_in_a_transport_error() {
    let response = with_fault(Fault::CutOff).await.get("org/EXAMPLE-NET-1").await;
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn truncated_xml_is_a_whole_answer_without_an_end() {
    let body = with_fault(Fault::TruncatedXml).await.body("org/EXAMPLE-NET-1").await;
    assert!(body.contains("<org ") && !body.contains("</org>"), "{body}");
}

#[tokio::test]
async fn a_hanging_request_ends_with_the_server() {
    let Lab { server, client } = with_fault(Fault::Hang).await;
    let url = format!("{}/rest/org/EXAMPLE-NET-1?apikey={KEY}", server.url());
    let pending = tokio::spawn(async move { client.get(url).send().await });
    let early = tokio::time::timeout(Duration::from_millis(100), async {
        while server.requests().total() == 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
    assert!(early.is_ok() && !pending.is_finished());
    server.stop().await;
    assert!(pending.await.unwrap().is_ok_and(|response| response.status() == 503));
}

#[tokio::test]
async fn a_stopped_server_takes_no_connection() {
    let Lab { server, client } = lab(Options::default()).await;
    let url = server.url();
    server.stop().await;
    assert!(client.get(url).send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_it() {
    let lab = lab(Options::default()).await;
    let port = lab.server.url().rsplit(':').next().unwrap().parse().unwrap();
    let error = Server::start_at(loopback(port), World::demo().registry, Options::default()).await.err().unwrap();
    assert_eq!(error.address.port(), port);
}

#[tokio::test]
async fn answers_from_elsewhere_look_like_it() {
    let html = with_fault(Fault::Html404).await.get("org/EXAMPLE-NET-1").await;
    assert_eq!((html.status().as_u16(), html.headers()["content-type"].to_str().unwrap()), (404, "text/html"));
}

#[tokio::test]
async fn bodies_that_no_client_should_read_are_sent() {
    let garbage = with_fault(Fault::Garbage).await.get("org/X").await.bytes().await.unwrap();
    assert!(std::str::from_utf8(&garbage).is_err());
    let doctype = with_fault(Fault::Doctype).await.body("org/EXAMPLE-NET-1").await;
    assert!(doctype.contains("?><!DOCTYPE ") && doctype.ends_with("</org>"));
}

#[tokio::test]
async fn noise_hits_its_share_and_the_same_requests_each_time() {
    let options =
        Options { noise: Some(Noise { rate: 0.3, seed: 7, faults: vec![Fault::Outage] }), ..Options::default() };
    let (one, other) = (lab(options.clone()).await, lab(options).await);
    let mut failed = (0, 0);
    for n in 0..200 {
        let path = format!("org/EXAMPLE-{}", n % 50);
        failed.0 += usize::from(one.status(&path).await == 503);
        failed.1 += usize::from(other.status(&path).await == 503);
    }
    assert_eq!(failed.0, failed.1);
    assert!((40..=80).contains(&failed.0), "{failed:?}");
}
