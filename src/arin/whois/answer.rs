//! Judges what came back: nets, the word that there are none, or which failure.
//!
//! | status | body | result |
//! |---|---|---|
//! | 200 | a list of nets, or one net | what it lists |
//! | 404 | ARIN's page that says that nothing was found | nothing |
//! | 200 | XML that ends too early, nothing at all | [`AnswerLost::CutOff`] |
//! | 200 | any other XML | [`WhoisErrorKind::Invalid`] |
//! | 3xx | any | [`WhoisErrorKind::Redirected`] |
//! | 5xx | any | [`WhoisErrorKind::Outage`] |
//! | any other | anything else | [`WhoisErrorKind::NotWhois`] |
//!
//! A list is read net by net, so that no more than one of them, and what is kept of the others, takes memory beside the
//! body.

use reqwest::StatusCode;

use super::{
    super::{
        convert::{self, Unfit},
        response::{Response, root_name},
        xml::{self, Element, ElementList, Malformed},
    },
    error::{LONGEST_WORDS, UnfitListing, WhoisErrorKind},
    net::listed_net,
    question::Question,
};
use crate::{
    model::{ListedNet, NetBlock},
    outbound::{AnswerLost, NoAnswer, excerpt::excerpt},
};

/// The name spaces of the listing.
const NAME_SPACES: [&str; 2] = ["https://www.arin.net/whoisrws/core/v1", "http://www.arin.net/whoisrws/core/v1"];
/// The name spaces whose elements are not passed over: those of the listing, and of references to nets in another form.
const READ: [&str; 4] = [
    NAME_SPACES[0],
    NAME_SPACES[1],
    "https://www.arin.net/whoisrws/netref/v2",
    "http://www.arin.net/whoisrws/netref/v2",
];
/// The title of the listing's own pages.
const TITLE: &str = "whois-rws";
/// What the listing's page says when nothing was found.
const NOTHING_FOUND: [&str; 2] = ["there were no results", "no related resources were found"];

/// The most names of elements that are shown of a body.
const MOST_NAMES: usize = 8;

/// What the listing answers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) nets: Vec<ListedNet>,
    /// True if there are more than it lists.
    pub(super) cut_off: bool,
}

/// Judges an answer.
pub(super) fn judge(response: Response, question: Question) -> Result<Listing, WhoisErrorKind> {
    let Response { status, html, location, body } = response;
    if status.is_redirection() {
        return Err(WhoisErrorKind::Redirected(status, location));
    }
    if status.is_server_error() {
        return Err(WhoisErrorKind::Outage(status));
    }
    let text = xml::decoded(&body);
    if status == StatusCode::NOT_FOUND && says_nothing_was_found(&text) {
        return Ok(Listing::default());
    }
    if status != StatusCode::OK || html || is_page(&text) {
        return Err(WhoisErrorKind::NotWhois(status, beginning(&text)));
    }
    match read(&text, question) {
        Ok(listing) => Ok(listing),
        Err(UnfitListing::Xml(Malformed::CutOff)) => Err(NoAnswer::Lost(AnswerLost::CutOff(body.len(), None)).into()),
        Err(unfit) => Err(WhoisErrorKind::Invalid(beginning(&text), unfit)),
    }
}

fn read(text: &str, question: Question) -> Result<Listing, UnfitListing> {
    let mut document = ElementList::open(text, &READ)?;
    if !NAME_SPACES.contains(&document.name_space.as_str()) {
        // With a quote missing it goes on into the text, which may be about somebody.
        let shown = document.name_space.split(['<', '>', '"', ' ']).next().unwrap_or_default();
        return Err(UnfitListing::NameSpace(shown.to_owned()));
    }
    match document.root.as_str() {
        "net" => Ok(Listing { nets: vec![net(&document.whole()?, question)?], cut_off: false }),
        "nets" => list(&mut document, question),
        other => Err(Unfit::Other("nets", other.to_owned()).into()),
    }
}

fn list(document: &mut ElementList<'_>, question: Question) -> Result<Listing, UnfitListing> {
    let (mut nets, mut cut_off) = (Vec::new(), None);
    while let Some(element) = document.next_child()? {
        match element.name.as_str() {
            "net" => nets.push(net(&element, question)?),
            "netRef" => return Err(UnfitListing::NoDetails),
            // If ever there were two, neither is overheard.
            "limitExceeded" => {
                let said = element.text().and_then(convert::boolean).ok_or(UnfitListing::NoLimit)?;
                cut_off = Some(said || cut_off.unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(Listing { nets, cut_off: cut_off.ok_or(UnfitListing::NoLimit)? })
}

/// Reads a net. One that has nothing in common with the range shows that this is the answer to another question.
fn net(element: &Element, question: Question) -> Result<ListedNet, UnfitListing> {
    let net = listed_net(element)?;
    let asked = NetBlock::from(question.range);
    match net.range() {
        Some(range) if range.overlaps(&asked) => Ok(net),
        Some(_) | None => Err(UnfitListing::Elsewhere(net.handle)),
    }
}

/// Returns whether a page is the listing's own, and says that nothing was found.
fn says_nothing_was_found(page: &str) -> bool {
    let words = page.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let title = words.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.is_some_and(|(title, rest)| title.contains(TITLE) && NOTHING_FOUND.iter().any(|said| rest.contains(said)))
}

/// Returns the beginning of a body. Of XML it has only the names of its elements: what else stands there may be somebody's
/// name, address or telephone.
fn beginning(text: &str) -> String {
    if text.trim().is_empty() {
        return "(nothing)".to_owned();
    }
    if is_page(text) || !text.contains('<') {
        return excerpt(text, LONGEST_WORDS);
    }
    text.split('<').skip(1).filter_map(element_name).take(MOST_NAMES).map(|name| format!("<{name}>")).collect()
}

fn is_page(text: &str) -> bool {
    root_name(text).eq_ignore_ascii_case("html")
}

/// Returns the name of the element that a tag begins, if it is one that does.
fn element_name(tag: &str) -> Option<&str> {
    let name = tag.split(|end: char| end.is_whitespace() || "/>".contains(end)).next()?;
    name.starts_with(char::is_alphabetic).then_some(name)
}
