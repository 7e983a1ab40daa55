//! The key goes to ARIN only, and dangerous answers are refused.

use super::*;

#[tokio::test]
async fn the_key_travels_in_a_header_and_not_in_the_url() {
    let server = Server::answering(|_| xml(200, "org.xml")).await;
    server.client().org(&example()).await.unwrap();
    let Seen { uri, headers, .. } = server.seen().remove(0);
    assert_eq!(headers["authorization"], format!("ApiKey {KEY}"));
    assert_eq!(headers["accept"], "application/xml");
    assert_eq!(headers["content-type"], "application/xml");
    assert!(headers["user-agent"].to_str().unwrap().starts_with("netbox-rir-sidecar/"));
    assert!(!uri.contains(KEY), "{uri}");
}

/// Answers as an instance does that takes the key in the query only.
fn in_query_only(uri: &str) -> Response<Body> {
    if uri.contains("apikey=") { xml(200, "org.xml") } else { xml(401, "error_authentication.xml") }
}

#[tokio::test]
async fn where_the_header_is_refused_the_key_goes_into_the_query_from_then_on() {
    for refusal in [(401, "error_authentication.xml"), (400, "error_bad_request.xml")] {
        let server = Server::answering_to(move |uri| match in_query_only(uri) {
            answer if answer.status() == 200 => answer,
            _ => xml(refusal.0, refusal.1),
        })
        .await;
        let client = server.client_with(by(Auth::HeaderThenQuery, &server.url, settings()));
        for _ in 0..2 {
            assert!(client.org(&example()).await.unwrap().is_some());
        }
        let ways: Vec<_> = server
            .seen()
            .iter()
            .map(|seen| (seen.headers.contains_key("authorization"), seen.uri.contains(KEY)))
            .collect();
        assert_eq!(ways, [(true, false), (false, true), (false, true)]);
    }
}

#[tokio::test]
async fn a_key_that_the_header_brings_through_is_never_in_the_query() {
    let server = Server::answering(|asked| match asked {
        0 => xml(200, "org.xml"),
        _ => xml(401, "error_authentication.xml"),
    })
    .await;
    let client = server.client_with(by(Auth::HeaderThenQuery, &server.url, settings()));
    client.org(&example()).await.unwrap();
    client.org(&example()).await.unwrap_err();
    assert!(server.seen().iter().all(|seen| !seen.uri.contains(KEY)));
}

#[tokio::test]
async fn without_a_setting_a_refused_key_is_not_shown_in_the_query() {
    let server = Server::answering_to(in_query_only).await;
    let error = server.client().org(&example()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unauthorized(_)), "{error}");
    assert!(server.seen().iter().all(|seen| !seen.uri.contains(KEY)));
}

#[tokio::test]
async fn a_key_that_is_refused_at_both_places_is_tried_once_at_each() {
    let server = Server::answering(|_| xml(401, "error_authentication.xml")).await;
    let client = server.client_with(by(Auth::HeaderThenQuery, &server.url, settings()));
    let error = client.org(&example()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unauthorized(_)), "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn the_key_travels_in_the_query_if_so_set() {
    let server = Server::answering(|_| xml(200, "org.xml")).await;
    server.client_with(by(Auth::Query, &server.url, settings())).org(&example()).await.unwrap();
    let Seen { uri, headers, .. } = server.seen().remove(0);
    assert_eq!(uri, format!("/rest/org/EXAMPLE-1?apikey={KEY}"));
    assert!(!headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_wrong_key_is_asked_once() {
    let server = Server::answering(|_| xml(401, "error_authentication.xml")).await;
    let error = server.client().org(&example()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unauthorized(_)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_an_error_and_the_key_stays_here() {
    let elsewhere = Server::answering(|_| xml(200, "org.xml")).await;
    let target = format!("{}/rest/org/EXAMPLE-1?apikey={KEY}", elsewhere.url);
    let server = Server::answering(move |_| {
        Response::builder().status(302).header("location", &target).body(Body::empty()).unwrap()
    })
    .await;
    let error = server.client().org(&example()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Redirected(StatusCode::FOUND, _)) && error.stops_config(), "{error}");
    assert!(error.to_string().contains(&elsewhere.url), "{error}");
    assert_eq!((server.seen().len(), elsewhere.seen().len()), (1, 0));
}

#[tokio::test]
async fn a_body_too_large_is_not_read_to_its_end() {
    for announced in [true, false] {
        let server = Server::answering(move |_| {
            let chunk = Bytes::from(vec![b' '; 10_000]);
            let endless = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
            let body = if announced { Body::from(vec![b' '; 200_000]) } else { Body::from_stream(endless) };
            Response::new(body)
        })
        .await;
        let error = server.client().org(&example()).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::TooLarge(100_000)))), "{error}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn an_attack_is_refused_and_not_asked_for_again() {
    for name in ["attack_doctype.xml", "attack_depth.xml", "attack_entity.xml"] {
        let server = Server::answering(move |_| xml(200, name)).await;
        assert!(matches!(server.client().org(&example()).await.unwrap_err().kind, ErrorKind::Invalid(..)), "{name}");
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_tree_that_takes_much_more_memory_than_its_text_is_refused_by_the_name_of_its_cap() {
    let body = format!("<org><handle>EXAMPLE-1</handle>{}</org>", "<a/>".repeat(20_000));
    let server = Server::answering(move |_| Response::new(Body::from(body.clone()))).await;
    let error = server.client().org(&example()).await.unwrap_err();
    assert!(chain(&error).contains("the XML has more than 10000 elements, which is refused"), "{error:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_url_that_is_not_listed_gets_no_request() {
    let server = Server::answering(|_| xml(200, "org.xml")).await;
    let pool = Pool::new(&Arin { allowed_base_urls: vec![Instance::OTE.parse().unwrap()], ..settings() }).unwrap();
    let error = pool.client(&server.url, SecretString::from(KEY)).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NotAllowed(_)) && error.stops_config());
    assert_eq!(server.seen().len(), 0);
}

/// Answers as a spiteful server does: with the key, wherever there is room for words.
fn echo(asked: usize) -> Response<Body> {
    let lower = KEY.to_lowercase();
    let (status, body) = match asked {
        0 => (401, format!("<error><message>{KEY} is not valid</message><code>{KEY}</code></error>")),
        1 => (
            403,
            format!(
                "<error><message>{lower}</message><components><component><name>{KEY}</name></component></components></error>"
            ),
        ),
        2 => (404, format!("<html>{KEY}</html>")),
        3 => (200, format!("<org>{KEY}{KEY}</org>")),
        4 => (200, format!("<{lower}>")),
        5 => (200, format!("<{KEY}/>")),
        6 => (200, format!("<a></{KEY}>")),
        7 => (200, format!("<a>&{KEY};</a>")),
        8 => (302, String::new()),
        _ => (500, format!("<error><message>{KEY}</message></error>")),
    };
    let location = format!("/elsewhere/{KEY}?apikey={KEY}");
    Response::builder().status(status).header("location", location).body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn the_key_is_in_no_error_and_no_debug_output() {
    for auth in [Auth::Header, Auth::Query, Auth::HeaderThenQuery] {
        let server = Server::answering(echo).await;
        let settings = Arin { retry_count: 0, timeout: Duration::from_millis(500), ..settings() };
        let client = server.client_with(by(auth, &server.url, settings.clone()));
        let mut shown = vec![format!("{client:?}")];
        for _ in 0..10 {
            shown.push(chain(&client.org(&example()).await.unwrap_err()));
        }
        let cut = with_length(500, KEY.as_bytes());
        for url in ["http://127.0.0.1:1", &raw_server(cut.clone(), cut).await, &raw_server(vec![], vec![]).await] {
            shown.push(chain(&self::client(url, by(auth, url, settings.clone())).org(&example()).await.unwrap_err()));
        }
        for text in shown {
            assert!(!text.to_uppercase().contains(KEY), "{text}");
        }
    }
}
