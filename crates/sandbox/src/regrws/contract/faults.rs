//! Answers that are lost or wrong, and what was done then.

use std::{collections::BTreeMap, time::Duration};

use super::lab::*;
use crate::{
    call::Call,
    regrws::{Fault, Noise, Operation, Options, Rule},
    world::World,
};

/// What came of a reassignment under a fault, and whether the net is there then.
async fn under(fault: Fault) -> (String, bool) {
    let lab = Lab::demo().await;
    lab.server.fail(Rule::new(fault).on(Operation::Reassign).about(RANGE).times(1));
    let body = net(&simple());
    let answer = lab.request("PUT", &format!("net/{PARENT}/reassign"), &body).send().await;
    let came = match answer {
        Err(error) if error.is_connect() => "not connected".to_owned(),
        Err(_) => "lost".to_owned(),
        Ok(answer) => {
            let status = answer.status().as_u16();
            match answer.text().await {
                Err(_) => format!("{status} cut off"),
                Ok(text) if text.contains("<ticket>") => format!("{status} ticket"),
                Ok(text) if text.contains("<code>") => format!("{status} error"),
                Ok(text) if text.contains("<html>") => format!("{status} page"),
                Ok(text) if text.contains("<net>") => format!("{status} net"),
                Ok(_) => format!("{status} other"),
            }
        }
    };
    let registry = lab.server.registry();
    let customers = registry.customers.len() > World::demo().registry.customers.len();
    let net = registry.nets.contains_key("NET-23-144-12-0-1");
    assert_eq!(net, customers);
    (came, net)
}

#[tokio::test]
async fn a_fault_says_whether_the_write_was_done() {
    let cases = [
        (Fault::LostBefore, "lost", false),
        (Fault::LostAfter, "lost", true),
        (Fault::FailedAfter, "500 error", true),
        (Fault::Refusal(429, "E_TOO_MANY_REQUESTS"), "429 error", false),
        (Fault::Outage, "503 error", false),
        (Fault::Status(502), "502 other", false),
        (Fault::Html404, "404 page", false),
        (Fault::CutOff, "200 cut off", true),
        (Fault::TruncatedXml, "200 net", true),
        (Fault::Html200, "200 page", true),
        (Fault::Garbage, "200 other", true),
        (Fault::Slow(Duration::from_millis(20)), "200 net", true),
        (Fault::Ticket, "200 ticket", false),
        (Fault::Neither, "200 other", true),
    ];
    for (fault, came, done) in cases {
        assert_eq!(under(fault.clone()).await, (came.to_owned(), done), "{fault:?}");
    }
}

#[tokio::test]
async fn a_hanging_write_is_done() {
    let lab = Lab::demo().await;
    lab.server.fail(Rule::new(Fault::Hang));
    let request = lab.request("PUT", &format!("net/{PARENT}/reassign"), &net(&simple()));
    assert!(request.timeout(Duration::from_millis(200)).send().await.unwrap_err().is_timeout());
    assert!(lab.server.registry().nets.contains_key("NET-23-144-12-0-1"));
}

#[tokio::test]
async fn a_lost_write_may_be_done_later() {
    let lab = Lab::demo().await;
    lab.server.fail(Rule::new(Fault::LostAndLate(Duration::from_millis(100))).times(1));
    let request = lab.request("PUT", &format!("net/{PARENT}/reassign"), &net(&simple()));
    assert!(request.send().await.is_err());
    assert_eq!(lab.get("net/NET-23-144-12-0-1").await.status, 404);
    let there = async { while lab.get("net/NET-23-144-12-0-1").await.status == 404 {} };
    tokio::time::timeout(Duration::from_secs(10), there).await.unwrap();
}

#[tokio::test]
async fn a_connection_can_be_closed_before_a_byte_is_read() {
    let lab = Lab::demo().await;
    lab.server.close_next(1);
    let request = || lab.request("PUT", &format!("net/{PARENT}/reassign"), &net(&simple()));
    assert!(request().send().await.is_err());
    assert_eq!(lab.server.requests().total(), 0);
    assert_eq!(Answer::of(request()).await.status, 200);
}

#[tokio::test]
async fn noise_of_writes_depends_on_their_bodies_and_leaves_reads_alone() {
    let outcomes = async |order: Vec<u8>| {
        let noise = Noise { rate: 0.5, seed: 7, faults: vec![Fault::Status(503)] };
        let lab = Lab::of(Options { write_noise: Some(noise), ..Options::default() }).await;
        let mut statuses = BTreeMap::new();
        for last in order {
            let body = edited(&detailed("SAMPLE-3"), BLOCK, &part(last, 32));
            statuses.insert(last, lab.reassign(&body).await.status);
            assert_eq!(lab.get("org/SAMPLE-3").await.status, 200);
        }
        statuses
    };
    let first = outcomes((0..32).collect()).await;
    assert_eq!(outcomes((0..32).rev().collect()).await, first);
    let failed = first.values().filter(|status| **status == 503).count();
    assert!((8..=24).contains(&failed), "{first:?}");
}

/// A block of [`RANGE`].
fn part(last: u8, length: u8) -> String {
    format!(
        "<netBlocks><netBlock><startAddress>23.144.12.{last}</startAddress><cidrLength>{length}</cidrLength></netBlock>\
         </netBlocks>"
    )
}

// With every fault that a write can have, each net that was answered as new is there, and none is there twice.
#[tokio::test]
async fn under_all_faults_nothing_is_done_twice() {
    let mut noise = Noise::of_writes(0.5, 3);
    noise.faults.retain(|fault| !matches!(fault, Fault::Slow(_)));
    let lab = Lab::of(Options { write_noise: Some(noise), ..Options::default() }).await;
    for last in (0..=u8::MAX).step_by(8) {
        let body = net(&edited(&simple(), BLOCK, &part(last, 29)));
        for _ in 0..3 {
            drop(lab.request("PUT", &format!("net/{PARENT}/reassign"), &body).send().await);
        }
    }
    let demo = World::demo().registry;
    let registry = lab.server.registry().clone();
    let nets = registry.nets.len() - demo.nets.len();
    assert!((24..=32).contains(&nets), "{nets}");
    assert_eq!(registry.customers.len() - demo.customers.len(), nets);
    let asked = lab.server.requests();
    assert_eq!(asked.0.iter().filter(|request| request.operation() == Operation::Reassign).count(), 96);
}
