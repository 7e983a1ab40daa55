//! What Whois-RWS is known to do, fact by fact, each with its source. No client of ours takes part.
//!
//! - *Page*: ARIN's page "Whois-RWS API", as of 22 September 2026, with the section.
//! - *Seen*: a public client ran against ARIN's production and test servers in September 2026 and met it.

mod lab;

use std::time::Duration;

use jiff::civil::date;

pub(super) use lab::{Answer, Lab, Node, blocks};

use super::{Blocks, Namespace, Operation};
use crate::{
    limit::{Count, Limit, RetryAfter},
    regrws::KEY,
    world::{Holder, Registry, World},
};

const HTTPS: &str = "https://www.arin.net/whoisrws/core/v1";
const HTTP: &str = "http://www.arin.net/whoisrws/core/v1";

/// An allocation with so many nets in its lower half.
fn crowded(nets: usize) -> Registry {
    let mut registry = World::demo().registry;
    registry.nets.clear();
    let parent = registry.allocate(&blocks("23.144.0.0/20"), "EXAMPLE-NET-1");
    let half: ipnet::IpNet = "23.144.0.0/21".parse().unwrap();
    for block in half.subnets(30).unwrap().take(nets) {
        registry.reassign(&parent, &[block], Holder::Org("SAMPLE-3".into())).unwrap();
    }
    registry
}

// Page, "Resources Related To Resources" and "Showing More Detail": lists show references.
#[tokio::test]
async fn a_list_holds_references() {
    let lab = Lab::demo().await;
    insta::assert_snapshot!(lab.document("cidr/23.144.8.0/24/more").await.outline(), @r"
    nets
      @termsOfUse: https://www.arin.net/resources/registry/whois/tou/
      limitExceeded: false
        @limit: 256
      netRef: https://whois.arin.net/rest/net/NET-23-144-8-0-2
        @endAddress: 23.144.8.127
        @handle: NET-23-144-8-0-2
        @name: EXAMPLE-23-144-8-0-2
        @startAddress: 23.144.8.0
      netRef: https://whois.arin.net/rest/net/NET-23-144-8-128-1
        @endAddress: 23.144.8.191
        @handle: NET-23-144-8-128-1
        @name: EXAMPLE-23-144-8-128-1
        @startAddress: 23.144.8.128
    ");
}

// Page, "Showing More Detail": `showDetails=true` makes the elements of a list whole, with what is related to each.
#[tokio::test]
async fn a_list_with_details_holds_whole_nets() {
    let lab = Lab::demo().await;
    insta::assert_snapshot!(lab.document("cidr/23.144.8.128/25/more?showDetails=true").await.outline(), @r"
    nets
      @termsOfUse: https://www.arin.net/resources/registry/whois/tou/
      limitExceeded: false
        @limit: 256
      net
        registrationDate: 2001-03-16T10:29:44-05:00
        ref: https://whois.arin.net/rest/net/NET-23-144-8-128-1
        endAddress: 23.144.8.191
        handle: NET-23-144-8-128-1
        name: EXAMPLE-23-144-8-128-1
        netBlocks
          netBlock
            cidrLength: 26
            endAddress: 23.144.8.191
            description: Reassigned
            type: S
            startAddress: 23.144.8.128
        nets
          limitExceeded: false
            @limit: 256
        pocs
          limitExceeded: false
            @limit: 256
          pocLinkRef: https://whois.arin.net/rest/poc/NOC8-ARIN
            @function: AD
            @handle: NOC8-ARIN
          pocLinkRef: https://whois.arin.net/rest/poc/NOC8-ARIN
            @function: T
            @handle: NOC8-ARIN
          pocLinkRef: https://whois.arin.net/rest/poc/NOC8-ARIN
            @function: AB
            @handle: NOC8-ARIN
        orgRef: https://whois.arin.net/rest/org/SAMPLE-3
          @handle: SAMPLE-3
          @name: Sample Hosting LLC
        parentNetRef: https://whois.arin.net/rest/net/NET-23-144-8-0-1
          @handle: NET-23-144-8-0-1
          @name: EXAMPLE-23-144-8-0-1
        startAddress: 23.144.8.128
        updateDate: 2003-02-24T11:00:44-05:00
        version: 4
    ");
}

// Page, "IP Addresses and Networks": the example of a net by itself.
#[tokio::test]
async fn a_net_of_several_blocks_is_one_net() {
    let lab = Lab::demo().await;
    insta::assert_snapshot!(lab.document("net/NET-23-144-4-0-1").await.outline(), @r"
    net
      @termsOfUse: https://www.arin.net/resources/registry/whois/tou/
      registrationDate: 2001-03-12T10:01:44-05:00
      ref: https://whois.arin.net/rest/net/NET-23-144-4-0-1
      endAddress: 23.144.6.255
      handle: NET-23-144-4-0-1
      name: EXAMPLE-23-144-4-0-1
      netBlocks
        netBlock
          cidrLength: 23
          endAddress: 23.144.5.255
          description: Reassigned
          type: S
          startAddress: 23.144.4.0
        netBlock
          cidrLength: 24
          endAddress: 23.144.6.255
          description: Reassigned
          type: S
          startAddress: 23.144.6.0
      customerRef: https://whois.arin.net/rest/customer/C00000005
        @handle: C00000005
        @name: Sample School District
      parentNetRef: https://whois.arin.net/rest/net/NET-23-144-0-0-1
        @handle: NET-23-144-0-0-1
        @name: EXAMPLE-23-144-0-0-1
      startAddress: 23.144.4.0
      updateDate: 2005-02-13T10:32:44-05:00
      version: 4
    ");
}

// Page, "IP Addresses and Networks": the same calls for IPv6.
#[tokio::test]
async fn nets_of_ipv6_are_listed_the_same_way() {
    let lab = Lab::demo().await;
    insta::assert_snapshot!(lab.document("cidr/2600:4000:8000::/40/more").await.outline(), @r"
    nets
      @termsOfUse: https://www.arin.net/resources/registry/whois/tou/
      limitExceeded: false
        @limit: 256
      netRef: https://whois.arin.net/rest/net/NET6-2600-4000-8000-1
        @endAddress: 2600:4000:80FF:FFFF:FFFF:FFFF:FFFF:FFFF
        @handle: NET6-2600-4000-8000-1
        @name: EXAMPLE-2600-4000-8000-1
        @startAddress: 2600:4000:8000::
      netRef: https://whois.arin.net/rest/net/NET6-2600-4000-8001-1
        @endAddress: 2600:4000:8001:FFFF:FFFF:FFFF:FFFF:FFFF
        @handle: NET6-2600-4000-8001-1
        @name: EXAMPLE-2600-4000-8001-1
        @startAddress: 2600:4000:8001::
    ");
}

// Page, "IP Addresses and Networks": `/more` finds what is more specific. Seen: at all depths.
#[tokio::test]
async fn more_lists_the_nets_inside_at_all_depths() {
    let lab = Lab::demo().await;
    assert_eq!(
        lab.handles("cidr/23.144.8.0/21/more").await,
        ["NET-23-144-8-0-1", "NET-23-144-8-0-2", "NET-23-144-8-128-1", "NET-23-144-13-8-1"]
    );
}

// Seen: the answer may hold the registration that was asked about.
#[tokio::test]
async fn more_may_list_the_nets_that_are_the_range() {
    let lab = Lab::demo().await;
    let inside = ["NET-23-144-8-0-2", "NET-23-144-8-128-1"];
    assert_eq!(lab.handles("cidr/23.144.8.0/22/more").await, ["NET-23-144-8-0-1", inside[0], inside[1]]);
    lab.server.whois().configure(|options| options.itself = false);
    assert_eq!(lab.handles("cidr/23.144.8.0/22/more").await, inside);
    assert_eq!(lab.handles("cidr/23.144.1.0/24/more").await, ["404"]);
}

// Page, "IP Addresses and Networks": with `/more`, a net is listed of which one block is the range, too.
#[tokio::test]
async fn more_lists_the_wider_net_of_which_one_block_is_the_range() {
    let lab = Lab::demo().await;
    for blocks in [Blocks::Each, Blocks::All] {
        lab.server.whois().configure(|options| (options.blocks, options.itself) = (blocks, false));
        let listed = lab.handles("cidr/23.150.0.0/22/more").await;
        assert_eq!(listed, ["NET-23-150-0-0-1", "NET-23-150-0-128-1", "NET-23-150-1-0-1"]);
    }
}

// The page does not say what becomes of a net of which one block is inside and the range is wider than that block.
#[tokio::test]
async fn more_may_find_a_net_by_any_of_its_blocks() {
    let lab = Lab::demo().await;
    assert_eq!(lab.handles("cidr/23.150.4.0/22/more").await, ["NET-23-150-0-0-1"]);
    lab.server.whois().configure(|options| options.blocks = Blocks::All);
    assert_eq!(lab.handles("cidr/23.150.4.0/22/more").await, ["404"]);
}

// Page, "IP Addresses and Networks": the example of a network by its full CIDR notation.
#[tokio::test]
async fn a_range_is_answered_by_the_net_that_it_is() {
    let lab = Lab::demo().await;
    let net = lab.document("cidr/23.144.2.0/24").await;
    assert_eq!((net.name.as_str(), net.at("handle").text.as_str()), ("net", "NET-23-144-2-0-1"));
    assert_eq!(lab.handles("cidr/23.144.2.0/25").await, ["404"]);
}

// A reassignment of a whole allocation has its range, so that several nets can have the same one.
#[tokio::test]
async fn a_range_that_several_nets_are_is_answered_by_a_list() {
    let lab = Lab::demo().await;
    let holder = Holder::Org("SAMPLE-3".into());
    lab.server.registry().reassign("NET-23-144-8-0-1", &blocks("23.144.8.0/22"), holder).unwrap();
    let list = lab.document("cidr/23.144.8.0/22").await;
    let handles: Vec<&str> = list.all("netRef").map(|net| net.attributes["handle"].as_str()).collect();
    assert_eq!((list.name.as_str(), handles), ("nets", vec!["NET-23-144-8-0-1", "NET-23-144-8-0-3"]));
    assert_eq!(list.at("limitExceeded").text, "false");
}

// Page, "IP Addresses and Networks": a range that is one block of a net is answered by the whole net.
#[tokio::test]
async fn a_range_that_is_one_block_of_a_net_is_answered_by_the_wider_net() {
    let lab = Lab::demo().await;
    assert_eq!(lab.handles("cidr/23.150.4.0/23").await, ["NET-23-150-0-0-1"]);
    assert_eq!(lab.handles("cidr/23.144.6.0/24").await, ["NET-23-144-4-0-1"]);
}

// Page, "Showing ARIN Resources": what nobody was given is ARIN's own, unless `showARIN=false`.
#[tokio::test]
async fn a_range_that_nobody_was_given_is_answered_by_arins_own_net() {
    let lab = Lab::demo().await;
    assert_eq!(lab.handles("cidr/23.160.0.0/24").await, ["NET-23-0-0-0-0"]);
    assert_eq!(lab.handles("cidr/23.160.0.0/24?showARIN=false").await, ["404"]);
}

// Page, "IP Addresses and Networks": `/less` finds what is wider. Seen: `showARIN=false` goes with it.
#[tokio::test]
async fn less_lists_the_nets_around() {
    let lab = Lab::demo().await;
    let around = ["NET-23-0-0-0-0", "NET-23-144-0-0-1", "NET-23-144-8-0-1"];
    assert_eq!(lab.handles("cidr/23.144.8.0/25/less").await, around);
    assert_eq!(lab.handles("cidr/23.144.8.0/25/less?showARIN=false").await, around[1..]);
    assert_eq!(lab.handles("cidr/23.0.0.0/8/less").await, ["404"]);
}

// Page, "Resources Related To Resources": children are what was cut from a net itself.
#[tokio::test]
async fn children_are_those_of_the_net_itself() {
    let lab = Lab::demo().await;
    assert_eq!(lab.handles("net/NET-23-144-8-0-1/children").await, ["NET-23-144-8-0-2", "NET-23-144-8-128-1"]);
    assert!(!lab.handles("net/NET-23-144-0-0-1/children").await.contains(&"NET-23-144-8-0-2".to_owned()));
}

// Page, "Resources Related To Resources": the nets of an organization.
#[tokio::test]
async fn the_nets_of_an_organization_are_those_that_it_holds() {
    let lab = Lab::demo().await;
    assert_eq!(lab.handles("org/RESELLER-5/nets").await, ["NET-23-144-8-0-1", "NET6-2600-4000-8000-1"]);
}

// Page, "General Query Behavior": case does not matter.
#[tokio::test]
async fn handles_are_known_in_any_case() {
    let lab = Lab::demo().await;
    assert_eq!(lab.handles("net/net-23-144-2-0-1").await, ["NET-23-144-2-0-1"]);
    assert_eq!(lab.handles("org/Reseller-5/nets").await.len(), 2);
}

// Seen: a list has at most 256 records, and says so when there are more.
#[tokio::test]
async fn a_list_is_cut_off_behind_256_nets_and_says_so() {
    for (nets, listed, exceeded) in [(255, 256, "false"), (256, 256, "true"), (400, 256, "true")] {
        let lab = Lab::of(crowded(nets)).await;
        for (query, name) in [("", "netRef"), ("?showDetails=true", "net")] {
            let list = lab.document(&format!("cidr/23.144.0.0/20/more{query}")).await;
            assert_eq!((list.all(name).count(), list.at("limitExceeded").text.as_str()), (listed, exceeded));
            assert_eq!(list.at("limitExceeded").attributes["limit"], "256");
        }
    }
}

// Follows from the two above: halves do not tell of the net that is the whole range.
#[tokio::test]
async fn the_halves_of_a_range_lose_the_net_that_is_the_range() {
    let lab = Lab::of(crowded(300)).await;
    let whole = lab.handles("cidr/23.144.0.0/20/more").await;
    let lower = lab.handles("cidr/23.144.0.0/21/more").await;
    assert_eq!((whole[0].as_str(), lower.contains(&whole[0])), ("NET-23-144-0-0-1", false));
    assert_eq!(lab.handles("cidr/23.144.8.0/21/more").await, ["404"]);
    assert_eq!(lab.handles("cidr/23.144.0.0/20").await, ["NET-23-144-0-0-1"]);
}

// Page, "Showing More Detail": the lists inside of a net say for themselves whether they are cut off.
#[tokio::test]
async fn a_list_inside_of_a_net_says_nothing_about_the_list_of_nets() {
    let lab = Lab::demo().await;
    lab.server.whois().configure(|options| options.related = 1);
    let list = lab.document("cidr/23.144.8.0/22/more?showDetails=true").await;
    let of = |node: &Node| node.at("limitExceeded").text.clone();
    let net = list.all("net").next().unwrap();
    assert_eq!((of(&list), of(net.at("nets")), of(net.at("pocs"))), ("false".into(), "true".into(), "true".into()));
    assert_eq!((net.at("nets").all("netRef").count(), net.at("pocs").all("pocLinkRef").count()), (1, 1));
}

// Page, "Data Format Extensibility", and seen: the namespace has been written with `http` and with `https`.
#[tokio::test]
async fn every_element_is_in_arins_namespace() {
    let lab = Lab::demo().await;
    let paths = [
        "cidr/23.144.0.0/20/more",
        "cidr/23.144.0.0/20/more?showDetails=true",
        "cidr/23.144.0.0/20",
        "cidr/23.144.8.0/25/less",
        "net/NET-23-144-0-0-1",
        "net/NET-23-144-0-0-1/children?showDetails=true",
        "org/EXAMPLE-NET-1/nets",
    ];
    for (namespace, url) in [(Namespace::Https, HTTPS), (Namespace::Http, HTTP)] {
        lab.server.whois().configure(|options| options.namespace = namespace);
        for path in paths {
            let root = lab.document(path).await;
            assert!(root.everything().iter().all(|node| node.namespace == url), "{path}");
        }
    }
}

// Seen: what is not found is a page with 404, by this title and with these words.
#[tokio::test]
async fn nothing_found_is_a_page_titled_whois_rws() {
    let lab = Lab::demo().await;
    for (path, says) in [
        ("cidr/24.0.0.0/24/more", "Sorry, there were no results."),
        ("cidr/24.0.0.0/24", "Sorry, there were no results."),
        ("cidr/24.0.0.0/24/less", "Sorry, there were no results."),
        ("net/NET-24-0-0-0-1", "Sorry, no related resources were found for the handle provided."),
        ("net/NET-23-144-2-0-1/children", "Sorry, no related resources were found for the handle provided."),
        ("org/NOBODY-1/nets", "Sorry, no related resources were found for the handle provided."),
    ] {
        let Answer { status, content_type, body } = lab.get(path).await;
        assert_eq!((status, content_type.as_str()), (404, "text/html"), "{path}");
        assert!(body.contains("<title>Whois-RWS</title>") && body.contains(says), "{path}: {body}");
    }
}

// Page, "IP Addresses and Networks": a range is its first address and its length.
#[tokio::test]
async fn a_range_that_is_none_is_refused() {
    let lab = Lab::demo().await;
    for range in ["23.144.0.1/20", "23.144.0.0/33", "x/8", "2600::/129"] {
        for call in ["", "/more", "/less"] {
            assert_eq!(lab.get(&format!("cidr/{range}{call}")).await.status, 400, "{range}{call}");
        }
    }
}

// Page, "Command Line Clients and Web Browsers": the only method is GET.
#[tokio::test]
async fn there_is_only_get() {
    let lab = Lab::demo().await;
    for method in [reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::DELETE] {
        assert_eq!(lab.send(lab.client.request(method, lab.url("net/NET-23-144-2-0-1"))).await.status, 405);
    }
}

// The listing is public: there is no key, so that one which comes here is told to somebody who has no business with it.
#[tokio::test]
async fn no_key_is_needed_and_every_one_is_noted() {
    let lab = Lab::demo().await;
    let get = |path: &str| lab.client.get(lab.url(path));
    let net = "net/NET-23-144-2-0-1";
    assert_eq!(lab.get(net).await.status, 200);
    assert_eq!(lab.server.whois().requests().with_key(), 0);
    let careless = [
        get(net).header("Authorization", format!("ApiKey {KEY}")),
        get(net).header("Authorization", "Basic YW5uOg=="),
        get(net).header("X-Trace", format!("asked with {}", KEY.to_lowercase())),
        get(&format!("{net}?apikey={KEY}")),
        get(&format!("{net}?ApiKey=secret")),
        get(&format!("{net}/{KEY}")),
    ];
    for (at, request) in careless.into_iter().enumerate() {
        lab.send(request).await;
        assert_eq!(lab.server.whois().requests().with_key(), at + 1);
    }
}

// As any of ARIN's services: too many requests are answered by 429. No figure is published.
#[tokio::test]
async fn too_many_requests_are_answered_by_429_whatever_reg_rws_is_asked() {
    let lab = Lab::demo().await;
    let (period, retry_after) = (Duration::from_secs(3600), RetryAfter::Text("7"));
    let limit = Limit { period, retry_after, ..Limit::per_second(2, Count::Window) };
    lab.server.whois().configure(|options| options.limit = Some(limit));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(lab.get("net/NET-23-144-2-0-1").await.status);
    }
    assert_eq!((seen, lab.server.whois().throttled(), lab.server.throttled()), (vec![200, 200, 429], 1, 0));
    let response = lab.client.get(lab.url("net/NET-23-144-2-0-1")).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(lab.server.whois().throttled(), 2);
}

// Seen: a customer who does not want to be known is listed without a name.
#[tokio::test]
async fn a_private_customer_has_no_name_and_their_net_is_listed() {
    let lab = Lab::demo().await;
    let handle = {
        let mut registry = lab.server.registry();
        let private = registry.customers.values_mut().find(|customer| customer.private == Some(true)).unwrap();
        private.name = "Jo Secret".into();
        private.handle.clone()
    };
    let answer = lab.get("cidr/23.144.3.0/24/more?showDetails=true").await;
    let list = Node::read(&answer.body);
    let listed = list.all("net").filter_map(|net| net.all("customerRef").next()).map(|holder| &holder.attributes);
    let names: Vec<&str> = listed.filter(|of| of["handle"] == handle).map(|of| of["name"].as_str()).collect();
    assert_eq!((names, answer.body.contains("Secret")), (vec!["Private Customer"], false));
}

// Seen: `updateDate` is ARIN's local time with its offset; old records have midnight.
#[tokio::test]
async fn the_date_of_change_is_local_time_with_its_offset() {
    let lab = Lab::demo().await;
    let mut told = Vec::new();
    for moment in [date(2026, 7, 3).at(10, 30, 5, 0), date(2007, 12, 28).at(0, 0, 0, 0)] {
        lab.server.registry().nets.get_mut("NET-23-144-2-0-1").unwrap().updated = Some(moment);
        told.push(lab.document("net/NET-23-144-2-0-1").await.at("updateDate").text.clone());
    }
    assert_eq!(told, ["2026-07-03T10:30:05-04:00", "2007-12-28T00:00:00-05:00"]);
}

// Seen: the date is the net's own; a change of its holder does not show.
#[tokio::test]
async fn a_change_of_the_holder_leaves_the_date_of_the_net() {
    let lab = Lab::demo().await;
    let path = "cidr/23.144.3.0/26?showDetails=true";
    let (before, elsewhere) = (lab.document(path).await, World::demo().registry.orgs["CARRIER-7"].address.clone());
    lab.server.registry().move_customer("C00000002", elsewhere.unwrap()).unwrap();
    assert_eq!(lab.document(path).await, before);
    lab.server.registry().rename_net("NET-23-144-3-0-1", "RENAMED").unwrap();
    assert_eq!(lab.document(path).await.at("updateDate").text, "2026-09-01T09:00:00-04:00");
}

// Page, "Update Frequency": the listing is brought up to date every ten minutes; until then it tells of before.
#[tokio::test]
async fn the_listing_lags_behind_the_registry() {
    let lab = Lab::demo().await;
    lab.server.whois().refresh();
    lab.server.registry().remove_net("NET-23-144-2-0-1").unwrap();
    assert_eq!(lab.handles("cidr/23.144.2.0/24").await, ["NET-23-144-2-0-1"]);
    lab.server.whois().refresh();
    assert_eq!(lab.handles("cidr/23.144.2.0/24").await, ["404"]);
    assert_eq!(lab.server.whois().requests().count_about(Operation::Exact, "23.144.2.0/24"), 2);
}
