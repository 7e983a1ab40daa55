//! Over HTTP.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    servers::{Reply, file, http, ok, reply},
    *,
};
use crate::retry::Retry;

#[tokio::test]
async fn a_dump_comes_with_its_digest_and_its_validators() {
    let url =
        http(|_| reply("200 OK", "ETag: \"1\"\r\nLast-Modified: Fri, 06 Nov 2026 12:00:00 GMT\r\n", packed(DUMP)))
            .await;
    let (text, receipt) = fetched(&[format!("{url}/test.db.gz")]).await.unwrap();
    assert_eq!(text, DUMP);
    let [received] = receipt.files.as_slice() else { panic!("{receipt:?}") };
    assert_eq!(received.validators.etag.as_deref(), Some("\"1\""));
    assert_eq!(received.validators.last_modified.as_deref(), Some("Fri, 06 Nov 2026 12:00:00 GMT"));
    assert_eq!(received.text, DUMP.len() as u64);
    let sha256: [u8; 32] = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(packed(DUMP))).into();
    assert_eq!((received.sha256, received.received), (sha256, packed(DUMP).len() as u64));
}

#[tokio::test]
async fn files_that_are_the_same_do_not_come_again() {
    let url = http(|head| {
        let changed = head.starts_with("GET /changed");
        if head.contains("if-none-match: \"1\"") && head.contains("if-modified-since: then") && !changed {
            reply("304 Not Modified", "", "")
        } else {
            ok(if changed { "b: 2\n" } else { "a: 1\n" })
        }
    })
    .await;
    let known = Validators { etag: Some("\"1\"".to_owned()), last_modified: Some("then".to_owned()) };
    let same = places(&[format!("{url}/x"), format!("{url}/y")]);
    let fetched = fetcher(LIMITS).fetch(&same, &[known.clone(), known.clone()]).await.unwrap();
    assert!(matches!(fetched, Fetched::Unchanged));
    // One that changed brings all of them.
    for order in [["x", "changed"], ["changed", "x"]] {
        let places = places(&order.map(|name| format!("{url}/{name}")));
        let fetched = fetcher(LIMITS).fetch(&places, &[known.clone(), known.clone()]).await.unwrap();
        let (text, receipt) = read(fetched).await.unwrap();
        assert_eq!(receipt.files.len(), 2);
        assert!(text.contains("a: 1") && text.contains("b: 2"), "{text}");
    }
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_no_answer() {
    let url = http(|_| reply("304 Not Modified", "", "")).await;
    insta::assert_snapshot!(failure(&[format!("{url}/x")]).await, @"http://SERVER/x: the server answered with status 304:");
}

#[tokio::test]
async fn what_the_server_refuses_is_told() {
    let url = http(|head| match head.split(' ').nth(1).unwrap() {
        "/503" => reply("503 Service Unavailable", "Retry-After: 120\r\n", ""),
        "/500" => reply("500 Internal Server Error", "", "<h1>It broke</h1>"),
        "/loop" => reply("302 Found", "Location: /loop\r\n", ""),
        "/nowhere" => reply("302 Found", "", ""),
        "/away" => reply("302 Found", "Location: file:///etc/passwd\r\n", ""),
        "/login" => reply("302 Found", "Location: http://me:secret@127.0.0.1/\r\n", ""),
        _ => reply("404 Not Found", "", "<h1>What?</h1>"),
    })
    .await;
    let mut all = Vec::new();
    for name in ["404", "503", "500", "loop", "nowhere", "away", "login"] {
        all.push(failure(&[format!("{url}/{name}")]).await);
    }
    insta::assert_snapshot!(all.join("\n"), @r"
    http://SERVER/404: the server has no such file (404)
    http://SERVER/503: the server asks to come back later (503)
    http://SERVER/500: the server answered with status 500: <h1>It broke</h1>
    http://SERVER/loop: the server leads on to another place for more than 5 times
    http://SERVER/nowhere: the server leads on to no proper place
    http://SERVER/away: the server leads on to file:///etc/passwd, which is not followed: an encrypted connection must stay one, and HTTP too
    http://SERVER/login: the server leads on to no proper place: `http://127.0.0.1/` must not hold a user name or password: registries give their files to everyone
    ");
    let error = fetched(&[format!("{url}/503")]).await.unwrap_err();
    assert_eq!(error.kind.retry(), Retry::After(Duration::from_secs(120)));
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let url = http(|head| match head.split(' ').nth(1).unwrap() {
        "/old/x" => reply("301 Moved Permanently", "Location: ../new/x?key=1\r\n", ""),
        "/new/x?key=1" => ok(DUMP),
        _ => reply("404 Not Found", "", ""),
    })
    .await;
    assert_eq!(fetched(&[format!("{url}/old/x")]).await.unwrap().0, DUMP);
}

#[tokio::test]
async fn a_dump_that_is_cut_is_never_a_whole_one() {
    let cut = |head: &'static str, body: Vec<u8>| {
        http(move |_| Reply { bytes: [head.as_bytes(), &body].concat(), silent: false })
    };
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nroute\r\n";
    let open = "HTTP/1.0 200 OK\r\n\r\n";
    let gz = packed(DUMP.repeat(100));
    let mut all = Vec::new();
    for url in
        [cut(length, DUMP.into()).await, cut(chunked, Vec::new()).await, cut(open, gz[..gz.len() - 1].to_vec()).await]
    {
        all.push(failure(&[format!("{url}/x")]).await);
    }
    insta::assert_snapshot!(all.join("\n"), @r"
    http://SERVER/x: the server sent an answer that was cut off after 56 bytes: error decoding response body: error reading a body from connection: end of file before message length reached
    http://SERVER/x: the server sent an answer that was cut off after 5 bytes: error decoding response body: error reading a body from connection: unexpected EOF during chunk size line
    http://SERVER/x: it cannot be unpacked: unexpected end of file
    ");
}

#[tokio::test]
async fn a_stall_ends_at_the_head_and_in_the_body() {
    let url = http(|head| {
        let bytes = if head.contains("/head") { Vec::new() } else { ok(packed(DUMP)).bytes[..120].to_vec() };
        Reply { bytes, silent: true }
    })
    .await;
    let limits = FetchLimits { idle: Duration::from_millis(100), ..LIMITS };
    let mut all = vec![failure_with(limits, &[format!("{url}/head")]).await];
    all.push(failure_with(limits, &[format!("{url}/body")]).await);
    let limits = FetchLimits { total: Duration::from_millis(100), ..LIMITS };
    all.push(failure_with(limits, &[format!("{url}/head")]).await);
    all.push(failure_with(limits, &[format!("{url}/body")]).await);
    insta::assert_snapshot!(all.join("\n"), @r"
    http://SERVER/head: no byte came for 0.1 seconds
    http://SERVER/body: no byte came for 0.1 seconds
    http://SERVER/head: not all of it came within 0.1 seconds
    http://SERVER/body: not all of it came within 0.1 seconds
    ");
}

#[tokio::test]
async fn one_of_several_files_that_is_missing_fails_all() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let url = http(move |head| {
        counted.fetch_add(1, Ordering::Relaxed);
        if head.contains("/gone") { reply("404 Not Found", "", "") } else { ok(packed(DUMP)) }
    })
    .await;
    insta::assert_snapshot!(failure(&["a", "gone", "b"].map(|name| format!("{url}/{name}"))).await, @"http://SERVER/gone: the server has no such file (404)");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn the_serial_file_is_read_up_to_a_limit() {
    let outcome = async |body: &str| {
        let [url] = file("TEST.CURRENTSERIAL", body).await;
        match fetcher(LIMITS).serial(&url.parse().unwrap()).await {
            Ok(serial) => serial.to_string(),
            Err(error) => error.to_string().split_once(": ").unwrap().1.to_owned(),
        }
    };
    assert_eq!(outcome("255031\n").await, "255031");
    assert_eq!(outcome("").await, "the file is empty");
    assert_eq!(outcome("none").await, "\"none\" is no serial");
    assert!(outcome(&format!("<html>{}", "x".repeat(1000))).await.starts_with("a web page"));
    assert!(outcome(&"1".repeat(1000)).await.ends_with("larger than a serial can be"));
}

#[tokio::test]
async fn a_small_file_has_a_limit() {
    let [url] = file("x", "12345").await;
    let place: Location = url.parse().unwrap();
    assert_eq!(fetcher(LIMITS).small(&place, 5).await.unwrap(), b"12345");
    let error = fetcher(LIMITS).small(&place, 4).await.unwrap_err();
    assert!(matches!(error.kind, FetchFailure::TooLarge(4)), "{error}");
}

#[test]
fn an_encrypted_connection_stays_one() {
    let led_on = |from: &str, to: &str| {
        let answer = axum::http::Response::builder().status(302).header("location", to).body("").unwrap();
        super::super::http::led_on(&from.parse().unwrap(), &answer.into()).is_ok()
    };
    assert!(led_on("https://example.net/x", "https://example.org/x"));
    assert!(led_on("http://example.net/x", "https://example.org/x"));
    assert!(!led_on("https://example.net/x", "http://example.net/x"));
    assert!(!led_on("http://example.net/x", "ftp://example.net/x"));
}
