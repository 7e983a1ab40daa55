//! Fuzz target: whatever answers in the listing's place is a list of nets that are whole, or an error that may be shown to
//! anybody.

use reqwest::StatusCode;

use super::{
    super::response::Response,
    answer::{Listing, judge},
    error::{WhoisError, WhoisErrorKind},
    question::{Question, Relation},
};
use crate::{error_chain::error_chain, fuzzing::Corpus};

const STATUSES: [u16; 8] = [200, 200, 200, 404, 404, 302, 403, 503];
/// Somebody's name, which no error tells.
const NAME: &str = "Jane Canary Doe";
/// The longest sentence about an answer, in characters: an excerpt of the body, and ours.
const LONGEST_SENTENCE: usize = 1_000;
const PAGE: &str = "<html><head><title>Whois-RWS</title></head><body>Sorry, there were no results.</body></html>";

/// Makes a list of nets of the bytes: valid XML, with what may be missing missing.
fn list(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.iter().copied();
    let mut next = || bytes.next().unwrap_or_default();
    let name_space = ["https://www.arin.net/whoisrws/core/v1", "http://www.arin.net/whoisrws/core/v1", "urn:x", ""];
    let name_space = name_space[usize::from(next() % 4)];
    let mut nets = String::new();
    for _ in 0..next() % 5 {
        let (first, last, some) = (next(), next(), next());
        let part = |bit: u8, text: String| if some & bit == 0 { text } else { String::new() };
        nets += &[
            "<net>".to_owned(),
            part(1, format!("<handle>NET-192-0-2-{first}</handle>")),
            part(2, format!("<netBlocks><netBlock><startAddress>192.000.002.{first:03}</startAddress><endAddress>192.0.2.{last}</endAddress></netBlock></netBlocks>")),
            part(4, format!("<startAddress>192.0.2.{first}</startAddress><endAddress>192.0.2.{last}</endAddress>")),
            part(8, format!("<pocs><poc><lastName>{NAME}</lastName></poc><limitExceeded>true</limitExceeded></pocs>")),
            part(16, format!("<updateDate>20{:02}-03-28T00:00:00-0{}:00</updateDate>", last % 100, first % 10)),
            part(32, "<customerRef handle=\"C1\"/><orgRef handle=\"O1\"/><parentNetRef handle=\"NET-P\"/>".to_owned()),
            "</net>".to_owned(),
        ]
        .concat();
    }
    let limit =
        ["<limitExceeded limit=\"256\">false</limitExceeded>", "<limitExceeded>true</limitExceeded>", "", "<x/>"];
    let limit = limit[usize::from(next() % 4)];
    format!("<?xml version=\"1.0\"?><nets xmlns=\"{name_space}\">{limit}{nets}</nets>").into_bytes()
}

/// An input is a byte that says how it is answered and whether it is a body or makes one, and the rest.
#[test]
fn an_answer_is_a_list_of_nets_or_an_error() {
    let made = list(&[0, 3, 0, 127, 0, 128, 255, 0, 7, 9, 63, 0]);
    let seeds =
        [made.clone(), list(&[1; 40]), list(&[2; 20]), PAGE.into(), b"<html>no</html>".to_vec(), (0..=255).collect()];
    let bodies = seeds.into_iter().zip([0, 0, 0, 3, 4, 0x80]);
    let generated = (0..8u8).map(|number| (vec![number, 3, 1, 9, number * 8, 4, 80, 16, 9, 9, 0, 0], 0x80));
    let seeds = bodies.chain(generated).map(|(body, how): (Vec<u8>, u8)| [vec![how], body].concat());
    Corpus::new(seeds)
        .words(&[
            "<net>",
            "</net>",
            "<netRef/>",
            "<nets",
            " xmlns=\"\"",
            "<a:x",
            "true",
            "<![CDATA[",
            "<!--",
            "&#0;",
            "&x;",
            NAME,
        ])
        .run(|input| {
            let Some((how, rest)) = input.split_first() else { return };
            let body = if how & 0x80 == 0 { rest.to_vec() } else { list(rest) };
            judged(*how, body);
        });
}

fn judged(how: u8, body: Vec<u8>) {
    let status = StatusCode::from_u16(STATUSES[usize::from(how) % STATUSES.len()]).unwrap();
    let question = Question::new(Relation::Inside, "192.0.2.0/24".parse().unwrap());
    let text = String::from_utf8_lossy(&body).into_owned();
    let response = Response { status, html: how & 0x40 != 0, location: Some(text.clone()), body };
    match judge(response, question) {
        Ok(Listing { nets, .. }) if status == StatusCode::OK => {
            for net in nets {
                let range = net.range().expect("blocks of one family, in order");
                assert!(range.first() <= range.last() && !net.handle.as_str().trim().is_empty(), "{net:?}");
                assert!(net.blocks.windows(2).all(|pair| pair[0] < pair[1]), "{net:?}");
                assert!(text.matches("<").count() >= 2, "a net comes from somewhere");
            }
        }
        Ok(listing) => {
            assert_eq!(listing, Listing::default());
            assert!(status == StatusCode::NOT_FOUND && text.to_lowercase().contains("whois-rws"), "{status} {text}");
        }
        Err(kind) => {
            let is_page = matches!(kind, WhoisErrorKind::NotWhois(..) | WhoisErrorKind::Redirected(..));
            let told = error_chain(&WhoisError::of(question, kind.shortened()));
            assert!(told.chars().count() <= LONGEST_SENTENCE && !told.contains(char::is_control), "{told:?}");
            assert!(is_page || !is_between_tags(&text) || !told.contains(NAME), "{told}");
        }
    }
}

/// Returns whether the name stands in the text of XML only, and not in what a variation has made of its tags.
fn is_between_tags(body: &str) -> bool {
    let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
    let in_tag = |tag: &str| tag.split('>').next().is_some_and(|tag| tag.contains(NAME));
    body.contains('<') && !body.split('<').skip(1).any(in_tag)
}
