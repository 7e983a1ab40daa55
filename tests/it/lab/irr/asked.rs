//! A source of an IRRd that is asked over whois, about the aggregates of a NetBox, instead of mirrored.

use std::{collections::BTreeSet, fmt::Write};

use ipnet::IpNet;
use rir_sandbox::netbox::{Options, Server, TOKEN};
use serde_json::{Value, json};

use super::{Desk, irrd::Irrd, objects, said, setting};

const AGGREGATES: [&str; 4] = ["10.0.1.0/24", "10.1.0.0/16", "2001:db8:a::/48", "2001:db8:100::/40"];

/// Creates an object, and returns its id.
async fn made(netbox: &Server, path: &str, body: Value) -> u64 {
    let request = reqwest::Client::new().post(format!("{}/api/ipam/{path}/", netbox.url())).bearer_auth(TOKEN);
    let request = request.header("content-type", "application/json").body(body.to_string());
    let text = request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["id"].as_u64().unwrap()
}

async fn netbox() -> Server {
    drop(rustls::crypto::ring::default_provider().install_default());
    let netbox = Server::start(Options::default()).await.unwrap();
    let rir = made(&netbox, "rirs", json!({ "name": "ARIN", "slug": "arin" })).await;
    for prefix in AGGREGATES {
        made(&netbox, "aggregates", json!({ "prefix": prefix, "rir": rir })).await;
    }
    netbox
}

impl Desk {
    /// Has the source of this name asked instead of mirrored.
    fn asks(&self, netbox: &Server, name: &str) {
        let (redis, whois) = (setting("RIR_LAB_REDIS_URL"), setting("RIR_LAB_IRRD_WHOIS"));
        let text = format!(
            "[netbox]\nurl = '{}/'\ntoken = '{TOKEN}'\n[queue]\nurl = '{redis}'\nprefix = 'irrd-asks-{}'\n\
             [[irr.source]]\nname = '{name}'\nkind = 'query'\nserver = '{whois}'\n",
            netbox.url(),
            std::process::id(),
        );
        std::fs::write(&self.settings, text).unwrap();
    }
}

/// Returns the routes about our own space among objects.
fn own(objects: &BTreeSet<String>) -> BTreeSet<String> {
    let aggregates = AGGREGATES.map(|range| range.parse::<IpNet>().unwrap());
    let is_own = |object: &&String| {
        let (class, value) = object.lines().next().unwrap().split_once(':').unwrap();
        class.starts_with("route") && {
            let prefix: IpNet = value.trim().parse().unwrap();
            aggregates.iter().any(|range| range.contains(&prefix) || prefix.contains(range))
        }
    };
    objects.iter().filter(is_own).cloned().collect()
}

fn with_wider(count: u32) -> String {
    let mut text = objects(count, |number| if number == 1 { "caf\u{e9}" } else { "sample" }.to_owned());
    for (class, prefix) in [("route", "10.0.0.0/8"), ("route6", "2001:db8::/32"), ("route", "192.0.2.0/24")] {
        write!(text, "\n{class}: {prefix}\norigin: AS64498\nmnt-by: SAMPLE-MNT\nsource: TEST\n").unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_irrd_has_about_own_space_is_kept_text_by_text() {
    let (desk, netbox) = (Desk::new(), netbox().await);
    desk.load(&with_wider(400), true);
    let all = desk.exported(desk.first).await;
    desk.asks(&netbox, "TEST");
    let taken = desk.update();
    assert_eq!((&taken["result"], &taken["serial"]), (&json!("answered"), &json!(null)), "{taken:#}");
    assert_eq!(taken["rejected"]["by_reason"], json!({}), "{taken:#}");
    let expected = own(&all);
    // One is equal to an aggregate and one is around it; 144 are in the second; of IPv6 one, one around it, and 144.
    assert_eq!(expected.len(), 2 + 144 + 2 + 144);
    assert_eq!(desk.mirrored(), expected);
    assert_eq!(desk.update()["result"], "unchanged");
    // What another source has about the same space is none of our business.
    let other = Irrd::new();
    other.settles(&["authoritative: true".to_owned(), "keep_journal: true".to_owned()]);
    other.takes(&with_wider(20).replace("TEST", &other.name), &[]);
    assert_eq!(desk.update()["result"], "unchanged");
    desk.load(&with_wider(300), false);
    assert_eq!(desk.update()["result"], "answered");
    let left = desk.mirrored();
    assert_eq!(left.len(), 2 + 44 + 2 + 44);
    assert!(left.is_subset(&expected));
    assert!(desk.irr(&["status"]).status.success());
    // One that the server does not know.
    desk.asks(&netbox, &other.name);
    let refused = desk.irr(&["update", &other.name]);
    assert!(!refused.status.success());
    assert!(said(&refused).contains("One or more selected sources are unavailable."), "{}", said(&refused));
    assert_eq!(desk.irr(&["status"]).status.code(), Some(3));
}
