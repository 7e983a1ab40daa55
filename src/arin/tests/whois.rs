//! The public listing: what it answers, what it is asked where an answer was cut off, and what is never sent to it.

use std::fmt::Write;

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::{
    arin::{Whois, WhoisError, WhoisErrorKind},
    model::ListedNet,
};

const NAME_SPACE: &str = "https://www.arin.net/whoisrws/core/v1";
const NOTHING: &str = "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x.dtd\">
    <html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>Whois-RWS</title></head>
    <body><p>Sorry, there were no\n results.</p></body></html>";

fn range(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// The settings, with the listing below this server.
fn listed_at(url: &str, settings: Arin) -> Arin {
    let whois_url = Some(format!("{url}/whois/rest").parse().unwrap());
    Arin { allowed_base_urls: vec![url.parse().unwrap()], whois_url, ..settings }
}

fn whois(url: &str, settings: Arin) -> Whois {
    Pool::new(&listed_at(url, settings)).unwrap().listing(url).unwrap()
}

fn answer(status: u16, kind: &str, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(status).header("content-type", kind).body(body.into()).unwrap()
}

fn nothing() -> Response<Body> {
    answer(404, "text/html", NOTHING)
}

fn ok(body: impl Into<Body>) -> Response<Body> {
    answer(200, "application/xml", body)
}

fn nets(cut_off: bool, inner: &str) -> String {
    format!("<nets xmlns=\"{NAME_SPACE}\"><limitExceeded limit=\"256\">{cut_off}</limitExceeded>{inner}</nets>")
}

/// A net of one block.
fn net(block: IpNet) -> String {
    let (first, last) = (block.network(), block.broadcast());
    format!(
        "<net><handle>NET-{first}-{last}</handle><netBlocks><netBlock><startAddress>{first}</startAddress>\
         <endAddress>{last}</endAddress></netBlock></netBlocks></net>"
    )
}

fn ranges(nets: &[ListedNet]) -> Vec<String> {
    nets.iter().map(|net| net.range().unwrap().to_string()).collect()
}

/// The answer to a question about 192.0.2.0/24.
async fn asked(answer: impl Fn(usize) -> Response<Body> + Clone + Send + Sync + 'static) -> Result<usize, WhoisError> {
    let server = Server::answering(answer).await;
    let whois = whois(&server.url, Arin { retry_count: 1, patience: Duration::ZERO, ..settings() });
    whois.inside(range("192.0.2.0/24")).await.map(|nets| nets.len())
}

async fn told(answer: impl Fn(usize) -> Response<Body> + Clone + Send + Sync + 'static) -> String {
    match asked(answer).await {
        Ok(nets) => format!("{nets} nets"),
        Err(error) => error_chain(&error),
    }
}

#[tokio::test]
async fn each_question_has_its_path_and_asks_for_details() {
    let server = Server::answering(|_| nothing()).await;
    let whois = whois(&server.url, settings());
    assert!(whois.inside(range("192.0.2.0/24")).await.unwrap().is_empty());
    assert!(whois.at(range("192.0.2.7/24")).await.unwrap().is_empty());
    assert!(whois.clone().around(range("2001:db8::/32")).await.unwrap().is_empty());
    let asked: Vec<String> = server.seen().iter().map(|seen| format!("{} {}", seen.method, seen.uri)).collect();
    insta::assert_snapshot!(asked.join("\n"), @"
    GET /whois/rest/cidr/192.0.2.0/24/more?showDetails=true
    GET /whois/rest/cidr/192.0.2.0/24?showDetails=true
    GET /whois/rest/cidr/2001:db8::/32/less?showDetails=true
    ");
    assert_eq!(whois.requests(), 3);
    assert!(server.seen().iter().all(|seen| seen.headers["accept"] == "application/xml"));
}

#[tokio::test]
async fn a_list_or_a_single_net_in_either_name_space_is_an_answer() {
    let one = net(range("192.0.2.0/25"));
    let list = nets(false, &format!("{one}<new xmlns=\"urn:x\"><net/></new>{}<other/>", net(range("192.0.2.128/25"))));
    let single = one.replacen("<net>", &format!("<net xmlns=\"{}\">", NAME_SPACE.replace("https", "http")), 1);
    let prefixed =
        single.replace("</", "</w:").replace("<", "<w:").replace("<w:/w:", "</w:").replace("xmlns", "xmlns:w");
    let empty = nets(false, "");
    for (body, count) in [(list, 2), (single, 1), (prefixed, 1), (empty, 0)] {
        let told = told({
            let body = body.clone();
            move |_| ok(body.clone())
        });
        assert_eq!(told.await, format!("{count} nets"), "{body}");
    }
}

#[tokio::test]
async fn a_cut_off_list_of_pocs_says_nothing_about_the_nets() {
    let inner = "</handle><pocs><limitExceeded limit=\"10\">true</limitExceeded></pocs>";
    let body = nets(false, &net(range("192.0.2.0/25")).replace("</handle>", inner));
    assert_eq!(told(move |_| ok(body.clone())).await, "1 nets");
}

#[tokio::test]
async fn only_the_listings_own_page_says_that_there_is_nothing() {
    let related = NOTHING.replace("there were no\n results", "no related resources were found for the handle provided");
    assert_eq!(told(move |_| answer(404, "text/html;charset=utf-8", related.clone())).await, "0 nets");
    for (status, page) in [
        (404, "<html><title>404 Not Found</title><body>There were no results.</body></html>".to_owned()),
        (404, "<html><title>Whois-RWS</title><body>Bad request.</body></html>".to_owned()),
        (404, String::new()),
        (404, nets(false, "")),
        (404, "<error><code>E_OBJECT_NOT_FOUND</code></error>".to_owned()),
        (410, NOTHING.to_owned()),
        (200, NOTHING.to_owned()),
        (403, NOTHING.to_owned()),
        (204, String::new()),
    ] {
        let shown = page.clone();
        let error = asked(move |_| answer(status, "text/html", page.clone())).await.unwrap_err();
        assert!(matches!(&error.kind, WhoisErrorKind::NotWhois(..)), "{status} {shown}: {error}");
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn what_is_no_list_is_told_and_is_never_an_empty_one() {
    let body = |text: &str| {
        let text = text.to_owned();
        told(move |_| ok(text.clone()))
    };
    let mut all = String::new();
    for text in [
        "",
        &nets(false, &net(range("192.0.2.0/25")))[..200],
        "<nets><limitExceeded>false</limitExceeded></nets>",
        "<nets xmlns=\"http://www.arin.net/regrws/core/v1\"><limitExceeded>false</limitExceeded></nets>",
        &format!("<nets xmlns=\"{NAME_SPACE}\"/>"),
        &nets(false, "").replace("false", "perhaps"),
        &format!("<org xmlns=\"{NAME_SPACE}\"><handle>EXAMPLE-1</handle></org>"),
        &nets(false, "<netRef handle=\"NET-1\" startAddress=\"192.0.2.0\" endAddress=\"192.0.2.255\"/>"),
        &nets(false, "<n:netRef xmlns:n=\"https://www.arin.net/whoisrws/netref/v2\" handle=\"NET-1\"/>"),
        &nets(false, "<net><name>JANE-DOE</name></net>"),
        &nets(false, "<net><handle>NET-1</handle></net>"),
        &nets(false, &net(range("198.51.100.0/24"))),
        &nets(false, "<net></nets>"),
        &nets(false, "<net>&file;</net>"),
        "<!DOCTYPE nets><nets/>",
        "Service unavailable",
        NOTHING,
    ] {
        writeln!(all, "{}", body(text).await).unwrap();
    }
    assert!(!all.contains("JANE-DOE"));
    insta::assert_snapshot!(all, @r#"
    listing of 192.0.2.0/24 more: the public listing sent an answer that was cut off after 0 bytes
    listing of 192.0.2.0/24 more: the public listing sent an answer that was cut off after 200 bytes
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded>: its name space is ``, which is not that of Whois-RWS
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded>: its name space is `http://www.arin.net/regrws/core/v1`, which is not that of Whois-RWS
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets>: it does not say whether the list was cut off (limitExceeded)
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded>: it does not say whether the list was cut off (limitExceeded)
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <org><handle>: it is `org` where `nets` was expected
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded><netRef>: it has only a reference to a net, although details were asked for
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded><n:netRef>: it has only a reference to a net, although details were asked for
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded><net><name>: it has no handle
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded><net><handle>: it has no netBlock, or one that cannot be read
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded><net><handle><netBlocks><netBlock><startAddress><endAddress>: it lists NET-198.51.100.0-198.51.100.255, which has nothing in common with the range asked about
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded><net>: the XML is not well-formed: ill-formed document: expected `</net>`, but `</nets>` was found
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets><limitExceeded><net>: the XML refers to an entity that XML does not define, which is refused
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: <nets>: the XML declares a document type, which is refused
    listing of 192.0.2.0/24 more: the answer is not a readable list of nets: Service unavailable: there is text outside of the XML element
    listing of 192.0.2.0/24 more: the answer (status 200) is not the public listing's; arin.whois_url may be wrong, or something stands in between: <!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd"> <html xmlns="http://www.w3.org/1999/xhtml"><head><title>Whois-RWS</title></head> <body><p>Sorry, there were no results.</p></body></ht…
    "#);
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let redirect = |_| {
        Response::builder().status(302).header("location", "https://u:p@elsewhere/x?y").body(Body::empty()).unwrap()
    };
    insta::assert_snapshot!(told(redirect).await, @"listing of 192.0.2.0/24 more: redirected (status 302) to https://elsewhere/x, which is not followed; arin.whois_url may be wrong");
    insta::assert_snapshot!(told(|_| answer(503, "text/html", NOTHING)).await, @"listing of 192.0.2.0/24 more: the public listing could not answer (status 503)");
    insta::assert_snapshot!(told(|_| throttled(Some("60".to_owned()))).await, @"listing of 192.0.2.0/24 more: the public listing has answered every question with 429 (too many requests) for longer than arin.patience; the next try may be made in 60 s");
    let large = "x".repeat(100_001);
    insta::assert_snapshot!(told(move |_| ok(large.clone())).await, @"listing of 192.0.2.0/24 more: arin.max_body_bytes does not suffice: the public listing sent an answer of more than 100000 bytes");
    let retried = |error: WhoisError| error.retry();
    assert_eq!(retried(asked(|_| answer(503, "text/html", "")).await.unwrap_err()), Retry::Backoff);
    let error = asked(|_| throttled(Some("60".to_owned()))).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(wait) if wait <= Duration::from_secs(60)), "{error}");
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let once = |first: fn() -> Response<Body>| told(move |asked| if asked == 0 { first() } else { nothing() });
    assert_eq!(once(|| answer(500, "text/plain", "oops")).await, "0 nets");
    assert_eq!(once(|| ok("<nets xmlns=\"")).await, "0 nets");
    let server = Server::answering(|asked| if asked == 0 { throttled(Some("1".to_owned())) } else { nothing() }).await;
    assert!(whois(&server.url, settings()).inside(range("192.0.2.0/24")).await.unwrap().is_empty());
    let cut = raw_server(with_length(500, b"<nets"), with_length(5, b"<nets")).await;
    let error = whois(&cut, settings()).inside(range("192.0.2.0/24")).await.unwrap_err();
    assert!(matches!(error.kind, WhoisErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::CutOff(5, _)))), "{error}");
}

#[tokio::test]
async fn a_net_that_is_wider_than_asked_is_not_at_the_range() {
    let wide = "<net><handle>NET-W</handle><netBlocks>\
        <netBlock><startAddress>192.0.2.0</startAddress><endAddress>192.0.2.255</endAddress></netBlock>\
        <netBlock><startAddress>192.0.3.0</startAddress><endAddress>192.0.3.127</endAddress></netBlock></netBlocks></net>";
    let body = nets(false, &format!("{wide}{}{}", net(range("192.0.2.0/24")), net(range("192.0.0.0/8"))));
    let server = Server::answering(move |_| ok(body.clone())).await;
    let whois = whois(&server.url, settings());
    assert_eq!(ranges(&whois.at(range("192.0.2.0/24")).await.unwrap()), ["192.0.2.0 - 192.0.2.255"]);
    assert_eq!(ranges(&whois.inside(range("192.0.2.0/24")).await.unwrap()), ["192.0.2.0 - 192.0.2.255"]);
    assert_eq!(whois.around(range("192.0.2.0/24")).await.unwrap().len(), 3);
}

/// Answers as a listing of these nets does that tells no more than `limit` of them at once.
fn listing(blocks: &[IpNet], limit: usize, uri: &str) -> Response<Body> {
    let path = uri.trim_start_matches("/whois/rest/cidr/").trim_end_matches("?showDetails=true");
    let (asked, more) = path.strip_suffix("/more").map_or((path, false), |asked| (asked, true));
    let asked = range(asked);
    // What is exactly the range is not inside of it here, as it may be at ARIN.
    let told = |block: &&IpNet| if more { asked.contains(*block) && asked != **block } else { asked == **block };
    let told: Vec<String> = blocks.iter().filter(told).map(|block| net(*block)).collect();
    match told.is_empty() {
        true => nothing(),
        false => ok(nets(told.len() > limit, &told.iter().take(limit).cloned().collect::<String>())),
    }
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_completed_by_those_about_its_halves() {
    let blocks = ["192.0.2.0/25", "192.0.2.0/26", "192.0.2.0/27", "192.0.2.64/26", "192.0.2.128/25", "192.0.2.255/32"];
    let blocks: Vec<IpNet> = blocks.map(range).into();
    let server = Server::answering_to(move |uri| listing(&blocks, 2, uri)).await;
    let whois = whois(&server.url, settings());
    let found = whois.inside(range("192.0.2.0/24")).await.unwrap();
    insta::assert_snapshot!(ranges(&found).join("\n"), @"
    192.0.2.0 - 192.0.2.127
    192.0.2.0 - 192.0.2.63
    192.0.2.0 - 192.0.2.31
    192.0.2.64 - 192.0.2.127
    192.0.2.128 - 192.0.2.255
    192.0.2.255 - 192.0.2.255
    ");
    let mut paths: Vec<String> =
        server.seen().into_iter().map(|seen| seen.uri.replace("?showDetails=true", "")).collect();
    paths.sort();
    insta::assert_snapshot!(paths.join("\n"), @"
    /whois/rest/cidr/192.0.2.0/24/more
    /whois/rest/cidr/192.0.2.0/25
    /whois/rest/cidr/192.0.2.0/25/more
    /whois/rest/cidr/192.0.2.0/26
    /whois/rest/cidr/192.0.2.0/26/more
    /whois/rest/cidr/192.0.2.128/25
    /whois/rest/cidr/192.0.2.128/25/more
    /whois/rest/cidr/192.0.2.64/26
    /whois/rest/cidr/192.0.2.64/26/more
    ");
}

#[tokio::test]
async fn the_nets_of_the_answer_that_was_cut_off_are_kept() {
    let whole = nets(true, &net(range("192.0.2.0/24")));
    let server = Server::answering(move |asked| if asked == 0 { ok(whole.clone()) } else { nothing() }).await;
    let found = whois(&server.url, settings()).inside(range("192.0.2.0/24")).await.unwrap();
    assert_eq!(ranges(&found), ["192.0.2.0 - 192.0.2.255"]);
}

#[tokio::test]
async fn a_single_address_that_is_cut_off_is_an_error() {
    let endless = Server::answering_to(|_| ok(nets(true, ""))).await;
    let whois = whois(&endless.url, settings());
    insta::assert_snapshot!(whois.inside(range("192.0.2.7/32")).await.unwrap_err(), @"listing of 192.0.2.7/32 more: the list was cut off, and 192.0.2.7/32 cannot be divided any further");
    insta::assert_snapshot!(whois.at(range("192.0.2.0/24")).await.unwrap_err(), @"listing of 192.0.2.0/24: the list was cut off, and 192.0.2.0/24 cannot be divided any further");
    insta::assert_snapshot!(whois.around(range("192.0.2.0/24")).await.unwrap_err(), @"listing of 192.0.2.0/24 less: the list was cut off, and 192.0.2.0/24 cannot be divided any further");
}

#[tokio::test]
async fn answers_that_are_cut_off_again_and_again_have_an_end() {
    // Each range is cut off, down to the addresses.
    let server = Server::answering_to(|uri| match uri.contains("/32") || !uri.contains("/more") {
        true => nothing(),
        false => ok(nets(true, "")),
    })
    .await;
    let error = whois(&server.url, settings()).inside(range("192.0.0.0/16")).await.unwrap_err();
    assert!(matches!(error.kind, WhoisErrorKind::TooManyAnswers(4096)), "{error}");
    assert_eq!(error.retry(), Retry::Never);
}

#[tokio::test]
async fn a_listing_that_changes_between_two_answers_is_an_error() {
    let server = Server::answering(|asked| {
        let net = net(range("192.0.2.0/24")).replace("</net>", &format!("<name>N{asked}</name></net>"));
        ok(nets(asked == 0, &net))
    })
    .await;
    let error = whois(&server.url, settings()).inside(range("192.0.2.0/24")).await.unwrap_err();
    assert!(matches!(&error.kind, WhoisErrorKind::Changed(_)) && error.retry() == Retry::Backoff, "{error}");
}

#[tokio::test]
async fn no_more_than_four_parts_of_a_range_are_asked_about_at_once() {
    let (listener, url) = listener().await;
    let counts: Arc<(AtomicUsize, AtomicUsize)> = Arc::default();
    let kept = Arc::clone(&counts);
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let (counts, uri) = (Arc::clone(&kept), request.uri().to_string());
        async move {
            let now = counts.0.fetch_add(1, Ordering::SeqCst) + 1;
            counts.1.fetch_max(now, Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            counts.0.fetch_sub(1, Ordering::SeqCst);
            if uri.contains("/more") && !uri.contains("/30/") { ok(nets(true, "")) } else { nothing() }
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = Arin { max_in_flight: 64, ..settings() };
    assert!(whois(&url, settings).inside(range("192.0.2.0/24")).await.unwrap().is_empty());
    assert_eq!(counts.1.load(Ordering::SeqCst), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_net_of_the_listing_is_found_once(
        blocks in prop::collection::btree_set((0u32..256, 24u8..=32), 0..60),
        limit in 1usize..6,
    ) {
        let block = |(host, length): (u32, u8)| IpNet::new((0xc000_0200 | host).into_v4(), length).unwrap().trunc();
        let blocks: std::collections::BTreeSet<IpNet> = blocks.into_iter().map(block).collect();
        let blocks: Vec<IpNet> = blocks.into_iter().filter(|block| block.prefix_len() > 24).collect();
        let mut expected: Vec<String> = blocks.iter().map(|block| NetBlock::from(*block).to_string()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found = runtime.block_on(async move {
            let server = Server::answering_to(move |uri| listing(&blocks, limit, uri)).await;
            whois(&server.url, settings()).inside(range("192.0.2.0/24")).await.unwrap()
        });
        let mut found = ranges(&found);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

/// A number as an address.
trait IntoV4 {
    fn into_v4(self) -> std::net::IpAddr;
}

impl IntoV4 for u32 {
    fn into_v4(self) -> std::net::IpAddr {
        std::net::Ipv4Addr::from(self).into()
    }
}

#[tokio::test]
async fn a_list_has_no_caps_but_those_of_its_nets() {
    let pocs = "<poc><handle>P</handle><line/><line/></poc>".repeat(12);
    let inner = net(range("192.0.2.0/25")).replace("</net>", &format!("<pocs>{pocs}</pocs></net>"));
    let all: String = (0..256).map(|number| inner.replace("</handle>", &format!("-{number}</handle>"))).collect();
    assert!(all.matches("</").count() + all.matches("/>").count() > 10_000);
    let body = nets(false, &all);
    let server = Server::answering(move |_| ok(body.clone())).await;
    let settings = Arin { max_body_bytes: 4 << 20, ..settings() };
    assert_eq!(whois(&server.url, settings).inside(range("192.0.2.0/24")).await.unwrap().len(), 256);
}

/// A server that keeps every byte that it gets, and says that there is nothing.
async fn recording_server() -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
    let (listener, url) = listener().await;
    let requests: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let kept = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut read = vec![0; 65_536];
                while let Ok(length @ 1..) = socket.read(&mut read).await {
                    kept.lock().unwrap().push(read[..length].to_vec());
                    let head = format!(
                        "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n",
                        NOTHING.len()
                    );
                    socket.write_all(&[head.as_bytes(), NOTHING.as_bytes()].concat()).await.unwrap();
                }
            });
        }
    });
    (url, requests)
}

#[tokio::test]
async fn no_key_is_ever_sent_to_the_listing() {
    for auth in [Auth::Header, Auth::Query, Auth::HeaderThenQuery] {
        let (url, requests) = recording_server().await;
        let pool = Pool::new(&by(auth, &url, listed_at(&url, settings()))).unwrap();
        let client = pool.client(&url, SecretString::from(KEY)).unwrap();
        let listing = pool.listing(&url).unwrap();
        for _ in 0..3 {
            let (org, poc) = (example(), PocHandle::new("EX1-ARIN").unwrap());
            let nets = range("192.0.2.0/24");
            let _ = tokio::join!(
                client.org(&org),
                listing.inside(nets),
                listing.at(nets),
                client.poc(&poc),
                listing.around(nets)
            );
        }
        let requests: Vec<String> =
            requests.lock().unwrap().iter().map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect();
        let (to_listing, to_registry): (Vec<&String>, Vec<&String>) =
            requests.iter().partition(|request| request.contains("/whois/rest/"));
        assert_eq!(to_listing.len(), 9);
        assert!(to_registry.len() >= 6 && to_registry.iter().all(|request| request.contains(KEY)), "{requests:#?}");
        for request in to_listing {
            let lower = request.to_lowercase();
            assert!(request.starts_with("GET /whois/rest/cidr/"), "{request}");
            for word in [KEY.to_lowercase().as_str(), "apikey", "authorization", "cookie", "referer"] {
                assert!(!lower.contains(word), "{request}");
            }
        }
    }
}

#[test]
fn each_registry_has_its_own_listing_or_none() {
    use crate::config::Listing;
    let allowed = [Instance::PRODUCTION, Instance::OTE, "http://127.0.0.1:8080"];
    let allowed_base_urls: Vec<_> = allowed.map(|url| url.parse().unwrap()).into();
    let listings = |listing, whois_url: Option<&str>| {
        let whois_url = whois_url.map(|url| url.parse().unwrap());
        let settings = Arin { allowed_base_urls: allowed_base_urls.clone(), listing, whois_url, ..settings() };
        let pool = Pool::new(&settings).unwrap();
        let named = |url: &str| pool.listing(url).map_or("-".to_owned(), |listing| listing.instance().to_string());
        ["", "https://reg.ote.arin.net/", "http://127.0.0.1:8080", "https://gateway.example.net"].map(named).join(" ")
    };
    let own = Some("http://127.0.0.1:8080/whois/rest/");
    assert_eq!(listings(Listing::Auto, None), "whois whois-ote - -");
    assert_eq!(listings(Listing::Auto, own), "whois whois-ote whois@http://127.0.0.1:8080/whois/rest -");
    assert_eq!(listings(Listing::Off, own), "- - - -");
}

#[tokio::test]
async fn each_client_counts_its_own_requests_and_metrics_tell_them_from_others() {
    let server = Server::answering(|_| nothing()).await;
    let metrics = Arc::new(crate::telemetry::metrics::Metrics::default());
    let limit = Arc::new(NoLimit::default());
    let settings = Arin { whois_requests_per_second: 3, burst: 5, ..settings() };
    let pool = Pool::new(&listed_at(&server.url, settings)).unwrap().sharing(limit.clone(), Arc::clone(&metrics));
    let (one, other) = (pool.listing(&server.url).unwrap(), pool.listing(&server.url).unwrap());
    one.inside(range("192.0.2.0/24")).await.unwrap();
    one.clone().at(range("192.0.2.0/24")).await.unwrap();
    other.around(range("192.0.2.0/24")).await.unwrap();
    assert_eq!((one.requests(), other.requests()), (2, 1));
    let text = metrics.text().unwrap();
    for operation in ["whois-inside", "whois-at", "whois-around"] {
        let line = format!(
            "rir_sidecar_upstream_requests_total{{upstream=\"arin\",operation=\"{operation}\",status=\"404\"}} 1"
        );
        assert!(text.contains(&line), "{line} in {text}");
    }
    let asked = limit.0.lock().unwrap();
    let name = format!("whois@{}/whois/rest", server.url);
    assert!(asked.len() >= 3 && asked.iter().all(|asked| *asked == (name.clone(), Some(3.0), 5)), "{asked:?}");
}

/// A limit that lets everything pass, and keeps what it is asked: the name, the rate and the burst.
#[derive(Debug, Default)]
struct NoLimit(Mutex<Vec<(String, Option<f64>, u32)>>);

impl crate::arin::SharedLimit for NoLimit {
    fn step<'a>(
        &'a self,
        instance: &'a Instance,
        report: crate::rate::Report,
    ) -> futures_util::future::BoxFuture<'a, Option<crate::rate::Answer>> {
        let limits = report.limits;
        self.0.lock().unwrap().push((instance.to_string(), limits.per_second, limits.burst));
        let turn = crate::rate::Turn::Go(crate::rate::Ticket::default());
        Box::pin(async move { Some(crate::rate::Answer { turn, per_second: limits.per_second, refusing_for: None }) })
    }

    fn replicas(&self) -> u32 {
        1
    }
}

#[tokio::test]
async fn what_the_sandbox_lists_is_read() {
    let options = rir_sandbox::regrws::Options::default();
    let server = rir_sandbox::regrws::Server::start(rir_sandbox::world::World::demo().registry, options).await.unwrap();
    let settings = Arin { max_body_bytes: 4 << 20, ..settings() };
    let url = server.whois_url().trim_end_matches("/whois/rest").to_owned();
    let whois = whois(&url, settings);
    let handles = |nets: Vec<ListedNet>| nets.iter().map(|net| net.handle.to_string()).collect::<Vec<_>>();
    let found = whois.inside(range("23.144.8.0/22")).await.unwrap();
    assert!(found.iter().all(|net| net.updated.is_some() && net.holder.is_some()), "{found:#?}");
    let mut found = handles(found);
    found.sort();
    assert_eq!(found, ["NET-23-144-8-0-1", "NET-23-144-8-0-2", "NET-23-144-8-128-1"]);
    assert_eq!(handles(whois.at(range("23.144.2.0/24")).await.unwrap()), ["NET-23-144-2-0-1"]);
    assert!(!whois.around(range("23.144.2.0/24")).await.unwrap().is_empty());
    assert!(whois.inside(range("24.0.0.0/24")).await.unwrap().is_empty());
    assert_eq!((server.whois().requests().total(), server.requests().total()), (4, 0));
}
