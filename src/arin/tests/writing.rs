//! A call that changes something is sent once, whatever comes of it.

use super::{
    super::{Call, NewHolder, NewNet, TicketFilter, Unwritten},
    *,
};
use crate::model::NetType;

fn call() -> Call {
    let range = NetBlock::new("192.0.2.0".parse().unwrap(), "192.0.2.255".parse().unwrap()).unwrap();
    let (name, parent) = ("EXAMPLE".to_owned(), NetHandle::new("NET-192-0-0-0-1").unwrap());
    let holder = NewHolder::Org(example());
    Call::create(&NewNet { name, parent, range, kind: NetType::Reassigned, holder, comment: Vec::new() }).unwrap()
}

fn quick() -> Arin {
    Arin { timeout: Duration::from_millis(200), ..settings() }
}

fn kind(failure: &Unwritten) -> &'static str {
    match failure {
        Unwritten::NotSent(_) => "not sent",
        Unwritten::Refused(_) => "refused",
        Unwritten::Unknown(_) => "unknown",
    }
}

fn body(status: u16, body: &str) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body.to_owned())).unwrap()
}

fn ticketed() -> Response<Body> {
    let net = String::from_utf8(fixture("net.xml")).unwrap();
    body(200, &format!("<ticketedRequest>{}</ticketedRequest>", net.split_once("?>").unwrap().1))
}

#[tokio::test]
async fn a_call_arrives_as_it_was_approved() {
    let server = Server::answering(|_| ticketed()).await;
    let client = server.client();
    let receipt = client.write(&call()).await.unwrap();
    assert_eq!(receipt.net.unwrap().handle.as_str(), "NET-192-0-2-0-1");
    let Seen { method, uri, headers, body, .. } = server.seen().remove(0);
    assert_eq!((method, uri.as_str()), (Method::PUT, "/rest/net/NET-192-0-0-0-1/reassign"));
    assert_eq!(Some(String::from_utf8(body.to_vec()).unwrap()), call().body);
    assert!(["content-type", "accept"].iter().all(|name| headers[*name] == "application/xml"), "{headers:?}");
    assert_eq!((server.seen().len(), client.requests()), (1, 1));
}

#[tokio::test]
async fn each_change_has_its_path() {
    let server = Server::answering(|_| xml(404, "error_not_found.xml")).await;
    let client = server.client();
    let (net, customer) = (NetHandle::new("NET-1/../?x#").unwrap(), CustomerHandle::new("C00000001").unwrap());
    for call in [Call::remove_net(&net), Call::delete_customer(&customer), Call::close_ticket("20260922-X1")] {
        let failure = client.write(&call).await.unwrap_err();
        assert!(failure.says_gone(), "{failure}");
    }
    let told = |seen: Seen| format!("{} {} {:?}", seen.method, seen.uri, seen.headers["content-type"]);
    let requests: Vec<String> = server.seen().into_iter().map(told).collect();
    insta::assert_snapshot!(requests.join("\n"), @r#"
    DELETE /rest/net/NET-1%2F..%2F%3FX%23 "application/xml"
    DELETE /rest/customer/C00000001 "application/xml"
    PUT /rest/ticket/20260922-X1/ticketStatus/CLOSED?msgRefs=true "application/xml"
    "#);
}

#[tokio::test]
async fn whatever_the_answer_is_there_is_one_request() {
    type Answer = fn(usize) -> Response<Body>;
    let elsewhere: Answer =
        |_| Response::builder().status(307).header("location", "/rest/net").body(Body::empty()).unwrap();
    let endless: Answer = |_| {
        let spaces = || Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 999]));
        Response::new(Body::from_stream(futures_util::stream::repeat_with(spaces)))
    };
    let half: Answer = |_| {
        let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"<ticketedRequest>"))]);
        Response::new(Body::from_stream(futures_util::StreamExt::chain(begun, futures_util::stream::pending())))
    };
    let answers: [(Answer, &str); 14] = [
        (|_| xml(400, "error_entity.xml"), "refused"),
        (|_| xml(401, "error_authentication.xml"), "refused"),
        (|_| xml(404, "error_not_found.xml"), "refused"),
        (|_| xml(400, "error_outage.xml"), "unknown"),
        (|_| xml(503, "gateway_not_found.html"), "unknown"),
        (|_| xml(200, "gateway_not_found.html"), "unknown"),
        (|_| xml(200, "truncated.xml"), "unknown"),
        (|_| body(500, "<error><code>E_UNSPECIFIED</code></error>"), "unknown"),
        (|_| body(200, "<ticketedRequest/>"), "unknown"),
        (|_| body(204, ""), "unknown"),
        (|_| throttled(None), "unknown"),
        (elsewhere, "unknown"),
        (endless, "unknown"),
        (half, "unknown"),
    ];
    for (number, (answer, expected)) in answers.into_iter().enumerate() {
        for auth in [Auth::Header, Auth::Query, Auth::HeaderThenQuery] {
            let server = Server::answering(answer).await;
            let failure = server.client_with(by(auth, &server.url, quick())).write(&call()).await.unwrap_err();
            assert_eq!((kind(&failure), server.seen().len()), (expected, 1), "{number} {auth:?}: {failure}");
        }
    }
}

/// A server that answers the requests of each connection by these answers, and hangs up where there is none. It returns
/// all that it got.
async fn scripted(answers: &'static [Option<&'static str>]) -> (String, Arc<Mutex<String>>) {
    let (listener, url) = listener().await;
    let got: Arc<Mutex<String>> = Arc::default();
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                for answer in answers {
                    let mut request = String::new();
                    while !(request.starts_with("GET") && request.ends_with("\r\n\r\n")
                        || request.ends_with("</net>\n"))
                    {
                        let mut part = [0; 4096];
                        let length = socket.read(&mut part).await.unwrap_or_default();
                        if length == 0 {
                            return;
                        }
                        request += std::str::from_utf8(&part[..length]).unwrap();
                    }
                    kept.lock().unwrap().push_str(&request);
                    let Some(answer) = answer else { return };
                    socket.write_all(answer.as_bytes()).await.unwrap();
                }
                futures_util::future::pending::<()>().await;
            });
        }
    });
    (url, got)
}

fn sent(got: &Mutex<String>) -> usize {
    got.lock().unwrap().matches("PUT /rest/net/").count()
}

const FOUND: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-length: 52\r\n\r\n<error><code>E_OBJECT_NOT_FOUND</code></error>      ";

#[tokio::test]
async fn a_lost_answer_is_not_asked_for_again() {
    let cut: &[Option<&str>] = &[Some("HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n<ticketedRequest>"), None];
    let silent: &[Option<&str>] = &[Some("")];
    for answers in [&[None], cut, silent] {
        let (url, got) = scripted(answers).await;
        let failure = client(&url, quick()).write(&call()).await.unwrap_err();
        assert_eq!((kind(&failure), sent(&got)), ("unknown", 1), "{failure}");
    }
}

#[tokio::test]
async fn a_connection_that_died_unnoticed_takes_no_second_request_along() {
    // The second request of a connection is read, and then nothing comes.
    let (url, got) = scripted(&[Some(FOUND), None]).await;
    let client = client(&url, quick());
    assert!(client.org(&example()).await.unwrap().is_none());
    let failure = client.write(&call()).await.unwrap_err();
    assert_eq!((kind(&failure), sent(&got)), ("unknown", 1), "{failure}");
}

#[tokio::test]
async fn what_finds_nobody_is_not_sent() {
    let (listener, url) = listener().await;
    drop(listener);
    let client = client(&url, settings());
    let failure = client.write(&call()).await.unwrap_err();
    assert_eq!((kind(&failure), client.requests()), ("not sent", 1), "{failure}");
    assert!(matches!(failure.error().kind, ErrorKind::NoAnswer(NoAnswer::NotSent(_))), "{failure}");
}

#[tokio::test]
async fn what_our_own_limit_holds_back_is_not_sent() {
    let server = Server::answering(|asked| if asked == 0 { throttled(Some("60".into())) } else { ticketed() }).await;
    let client = server.client_with(Arin { patience: Duration::from_millis(50), ..settings() });
    assert_eq!(kind(&client.write(&call()).await.unwrap_err()), "unknown");
    let failure = client.write(&call()).await.unwrap_err();
    assert_eq!((kind(&failure), server.seen().len()), ("not sent", 1), "{failure}");
}

#[tokio::test]
async fn a_call_that_somebody_edited_is_not_sent() {
    let server = Server::answering(|_| ticketed()).await;
    let other = Call { path: vec!["org".to_owned(), "EXAMPLE-1".to_owned()], ..call() };
    let failure = server.client().write(&other).await.unwrap_err();
    assert_eq!((kind(&failure), server.seen().len()), ("not sent", 0), "{failure}");
}

#[tokio::test]
async fn the_key_is_where_a_question_has_brought_it_through() {
    let server = Server::answering_to(|uri| match (uri.contains("apikey="), uri.contains("reassign")) {
        (false, _) => xml(401, "error_authentication.xml"),
        (true, false) => xml(200, "org.xml"),
        (true, true) => ticketed(),
    })
    .await;
    let client = server.client_with(by(Auth::HeaderThenQuery, &server.url, settings()));
    client.org(&example()).await.unwrap();
    client.write(&call()).await.unwrap();
    assert_eq!(server.seen().last().unwrap().uri, format!("/rest/net/NET-192-0-0-0-1/reassign?apikey={KEY}"));
}

#[tokio::test]
async fn a_refused_change_says_nothing_about_the_key() {
    let server =
        Server::answering(|asked| if asked == 0 { xml(200, "org.xml") } else { xml(401, "error_authentication.xml") })
            .await;
    let client = server.client();
    client.org(&example()).await.unwrap();
    let failure = client.write(&call()).await.unwrap_err();
    assert!(!failure.error().stops_config(), "{failure}");
    insta::assert_snapshot!(failure, @"net NET-192-0-0-0-1 reassign: ARIN did not accept the API key for it, though for others; it may have no authority over this one (status 401, E_AUTHENTICATION: The API key you specified is not valid.)");
}

#[tokio::test]
async fn the_key_and_the_customer_are_in_no_failure() {
    let echo = format!("<error><code>E_BAD_REQUEST</code><message>{KEY} EXAMPLE</message></error>");
    for auth in [Auth::Header, Auth::Query] {
        for status in [200, 302, 400, 401, 500] {
            let echo = echo.clone();
            let server = Server::answering(move |_| body(status, &echo)).await;
            let failure = server.client_with(by(auth, &server.url, quick())).write(&call()).await.unwrap_err();
            let told = format!("{failure} {failure:?} {}", chain(failure.error()));
            assert!(!told.contains(KEY) && !told.contains("netName"), "{told}");
        }
        let failure = client("http://127.0.0.1:1", by(auth, "http://127.0.0.1:1", quick())).write(&call()).await;
        let told = format!("{:?}", failure.unwrap_err());
        assert!(!told.contains(KEY) && !told.contains("netName"), "{told}");
    }
}

#[tokio::test]
async fn tickets_and_what_hangs_on_a_net_are_read() {
    let server = Server::answering_to(|uri| match uri {
        "/rest/ticket/20260922-X1/summary" => body(200, "<ticket><ticketNo>20260922-x1</ticketNo></ticket>"),
        "/rest/ticket/20260922-X2/summary" => body(200, "<ticket><ticketNo>20260922-X1</ticketNo></ticket>"),
        "/rest/ticket/summary;ticketType=NET_DELETE_REQUEST;ticketStatus=ANY_OPEN" => body(200, "<collection/>"),
        "/rest/net/NET-1/delegations" => body(200, "<collection><delegation><name>a.</name></delegation></collection>"),
        "/rest/net/NET-1/routes" => body(404, "<error><code>E_UNSPECIFIED</code></error>"),
        "/rest/net/NET-2/routes" => body(404, "<error><code>E_BAD_REQUEST</code></error>"),
        _ => xml(404, "error_not_found.xml"),
    })
    .await;
    let client = server.client();
    let [one, two] = ["NET-1", "NET-2"].map(|handle| NetHandle::new(handle).unwrap());
    assert_eq!(client.ticket("20260922-X1").await.unwrap().unwrap().number, "20260922-x1");
    assert!(client.ticket("20260922-X2").await.is_err());
    assert!(client.ticket("20260922-X3").await.unwrap().is_none());
    let removals = TicketFilter { kind: Some("NET_DELETE_REQUEST".to_owned()), ..TicketFilter::open() };
    assert_eq!(client.tickets(&removals).await.unwrap(), []);
    assert!(client.tickets(&TicketFilter::open()).await.is_err(), "a list that is not there is not empty");
    assert_eq!(client.delegations(&one).await.unwrap(), ["a."]);
    assert_eq!(client.delegations(&two).await.unwrap(), [] as [&str; 0]);
    assert_eq!(client.routes(&one).await.unwrap(), [] as [&str; 0]);
    assert!(client.routes(&two).await.is_err());
}

#[tokio::test]
async fn documents_are_read_to_be_sent_back() {
    let server = Server::answering(|asked| match asked {
        0 => xml(200, "net.xml"),
        1 => xml(200, "customer.xml"),
        2 => xml(404, "error_not_found.xml"),
        _ => body(200, "<net><handle>NET-192-0-2-0-1</handle><netName>caf\u{fffd}</netName></net>"),
    })
    .await;
    let client = server.client();
    let (net, customer) = (NetHandle::new("NET-192-0-2-0-1").unwrap(), CustomerHandle::new("C00000001").unwrap());
    assert_eq!(client.net_document(&net).await.unwrap().unwrap().net().unwrap().handle, net);
    assert_eq!(client.customer_document(&customer).await.unwrap().unwrap().customer().unwrap().handle, customer);
    assert!(client.net_document(&net).await.unwrap().is_none());
    let error = client.net_document(&net).await.unwrap_err();
    assert!(chain(&error).contains("bytes that are no text in its encoding"), "{error:?}");
}
