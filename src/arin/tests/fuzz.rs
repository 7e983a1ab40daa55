//! Fuzz targets: whatever answers in ARIN's place is an object, an absence or an error that may be shown to anybody.

use reqwest::StatusCode;

use crate::{
    arin::{
        convert,
        error::Error,
        fixtures::fixture,
        request::Request,
        response::{Reading, Response},
        write::{CallKind, Failure, judge},
        xml::{self, Element},
    },
    error_chain::error_chain,
    fuzzing::Corpus,
    model::{CustomerHandle, NetHandle, OrgHandle, Payload, PocHandle},
};

/// The API key of the requests.
const KEY: &str = "API-CANA-RYBX-QZ07-KW91";
/// So many characters of the key in a row are more than chance.
const PART: usize = 8;
/// The longest sentence about an answer, in characters: ARIN's own words or an excerpt of the body, and ours.
const LONGEST_SENTENCE: usize = 2_500;
const STATUSES: [u16; 12] = [200, 200, 200, 201, 302, 400, 401, 403, 404, 404, 500, 503];
const FIXTURES: [&str; 19] = [
    "attack_depth.xml",
    "attack_doctype.xml",
    "attack_entity.xml",
    "customer.xml",
    "error_authentication.xml",
    "error_bad_request.xml",
    "error_entity.xml",
    "error_not_found.xml",
    "error_outage.xml",
    "gateway_not_found.html",
    "net.xml",
    "net_poor.xml",
    "net_v6.xml",
    "org.xml",
    "org_bare.xml",
    "org_prefixed.xml",
    "poc_person.xml",
    "poc_role.xml",
    "truncated.xml",
];

/// An input is a byte that says how it is answered, and the body.
#[test]
fn an_answer_is_judged_without_harm() {
    let echoed = format!("<error><code>E_BAD_REQUEST</code><message>{KEY} is unknown</message></error>");
    let page = format!("<html><body>{} https://reg.arin.net/?apikey={KEY}</body></html>", "x".repeat(150));
    let long = format!("<{}></b>", "a".repeat(3_000));
    // Names that do not match, and an excerpt of what they stand in: each of them may be long.
    let mismatched = format!("<error><{}>{}</{}>", "a".repeat(450), "x ".repeat(300), "b".repeat(450));
    let ticketed =
        "<ticketedRequest><net/><ticket><ticketNo>20260922-X1</ticketNo></ticket></ticketedRequest>".to_owned();
    let ours = [echoed, page, long, ticketed].map(String::into_bytes);
    let seeds = FIXTURES
        .map(fixture)
        .into_iter()
        .chain(ours)
        .zip(0u8..)
        .map(|(body, number)| [vec![number * 7], body].concat())
        .chain([[vec![0], mismatched.into_bytes()].concat()]);
    Corpus::new(seeds)
        .words(&[
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
            "<net>",
            "<ticketedRequest>",
            "<ticketNo>",
            "xml:lang=''",
            "</net>",
            "<handle>",
            "&#0;",
            "&amp;",
            "&#x10FFFF;",
            "xmlns:n=\"\"",
            "<netBlock>",
            "<startAddress>",
            "\u{feff}",
            "\u{85}",
            KEY,
            "<error>",
            "<message>",
            "</message>",
        ])
        .run(|input| {
            let Some((how, body)) = input.split_first() else { return };
            judged(
                *how,
                body,
                (Request::org(&OrgHandle::new("EXAMPLE-1").unwrap()), |root, _| Ok(convert::org(root)?)),
                |org| org.raw,
            );
            judged(
                *how,
                body,
                (Request::poc(&PocHandle::new("EXNOC-ARIN").unwrap()), |root, _| Ok(convert::poc(root)?)),
                |poc| poc.raw,
            );
            let customer = Request::customer(&CustomerHandle::new("C00000001").unwrap());
            judged(*how, body, (customer, |root, _| Ok(convert::customer(root)?)), |customer| customer.raw);
            judged(
                *how,
                body,
                (Request::net(&NetHandle::new("NET-1").unwrap()), |root, _| Ok(convert::net(root)?)),
                |net| net.raw,
            );
            changed(*how, body);
        });
}

/// Reads an object.
fn judged<T>(how: u8, body: &[u8], (request, read): (Request, Reading<T>), raw: fn(T) -> Payload) {
    // An object with any handle will do.
    let request = Request { handle: None, ..request };
    let status = StatusCode::from_u16(STATUSES[usize::from(how) % STATUSES.len()]).unwrap();
    let (html, key_has_worked) = (how & 0x40 != 0, how & 0x80 != 0);
    let response = Response { status, html, location: None, body: body.to_vec() };
    match response.judge(&request, key_has_worked, read) {
        Ok(Some(object)) => {
            let document = raw(object).json().to_string();
            assert!(document.len() <= 8 * body.len(), "{} bytes of {}", document.len(), body.len());
        }
        Ok(None) => assert_eq!(status, StatusCode::NOT_FOUND),
        Err(kind) => check_sentence(&error_chain(&Error::of(request, kind.without(KEY))), body),
    }
}

/// Judges the answer to calls that change something, and sends back what came.
fn changed(how: u8, body: &[u8]) {
    let status = StatusCode::from_u16(STATUSES[usize::from(how) % STATUSES.len()]).unwrap();
    let (html, key_has_worked) = (how & 0x40 != 0, how & 0x80 != 0);
    for call in [CallKind::Reassign, CallKind::ChangeNet, CallKind::DeleteCustomer, CallKind::CloseTicket] {
        let response = Response { status, html, location: None, body: body.to_vec() };
        match judge(response, call, key_has_worked) {
            Ok(_) => assert!(status.is_success()),
            Err(Failure::Refused(kind)) => {
                assert!(status.is_client_error());
                check_sentence(&error_chain(&Error::from(kind.without(KEY))), body);
            }
            Err(Failure::Unknown(kind)) => check_sentence(&error_chain(&Error::from(kind.without(KEY))), body),
        }
    }
    if let Ok(read) = xml::parse_faithfully(body) {
        let text = xml::written(&read);
        assert_eq!(xml::parse_faithfully(text.as_bytes()).unwrap(), read, "{text}");
    }
}

/// Checks what is logged and recorded of a failure.
fn check_sentence(told: &str, body: &[u8]) {
    assert!(told.chars().count() <= LONGEST_SENTENCE, "{} characters", told.chars().count());
    assert!(!told.contains(char::is_control), "{told:?}");
    let of_key = |text: &str| {
        let text = text.to_ascii_uppercase();
        KEY.as_bytes().windows(PART).any(|part| text.contains(std::str::from_utf8(part).unwrap()))
    };
    // A body that has parts of the key anyway, as a variation may, says nothing about those in the sentence.
    let body = String::from_utf8_lossy(body).to_ascii_uppercase();
    assert!(of_key(&body.replace(KEY, "")) || !of_key(told), "{told}");
}

/// An input says how a document is made. It is written here, and read by the client.
#[test]
fn a_document_is_read_as_it_was_written() {
    let seeds = FIXTURES.map(fixture).into_iter().chain([(0..=255).collect()]);
    Corpus::new(seeds).run(|input| {
        let document = element(&mut input.iter().copied(), 0);
        let mut text = String::new();
        write(&document, &mut text);
        assert_eq!(xml::parse(text.as_bytes()).unwrap(), document, "{text}");
    });
}

fn element(bytes: &mut impl Iterator<Item = u8>, depth: usize) -> Element {
    let mut next = || bytes.next().unwrap_or_default();
    let name = ["net", "org", "netBlock", "a-b.c", "_1"][usize::from(next()) % 5].to_owned();
    let names = ["number", "handle", "ref"].into_iter().take(usize::from(next()) % 4);
    let attributes = names.map(|name| (name.to_owned(), words(&mut next))).collect();
    let text = words(&mut next).trim().to_owned();
    let count = if depth < 6 { next() % 4 } else { 0 };
    Element { name, attributes, text, children: (0..count).map(|_| element(bytes, depth + 1)).collect() }
}

fn words(next: &mut impl FnMut() -> u8) -> String {
    const CHARACTERS: [char; 12] = ['a', 'Z', '7', ' ', '<', '>', '&', '"', '\'', 'é', '\u{1f310}', ']'];
    let length = next() % 8;
    (0..length).map(|_| CHARACTERS[usize::from(next()) % CHARACTERS.len()]).collect()
}

fn write(element: &Element, to: &mut String) {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&#62;")
            .replace('"', "&quot;")
            .replace('\'', "&#x27;")
    };
    *to += &format!("<ns:{}", element.name);
    for (name, value) in &element.attributes {
        *to += &format!(" {name}=\"{}\"", escaped(value));
    }
    *to += &format!(">{}", escaped(&element.text));
    element.children.iter().for_each(|child| write(child, to));
    *to += &format!("</ns:{}>", element.name);
}
