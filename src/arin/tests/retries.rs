//! Outages, throttling, time limits and cut-off answers.

use super::*;

#[tokio::test]
async fn an_outage_that_passes_is_not_noticed() {
    let server = Server::answering(|asked| match asked {
        0 => xml(400, "error_outage.xml"),
        1 => xml(503, "gateway_not_found.html"),
        _ => xml(200, "org.xml"),
    })
    .await;
    let client = server.client();
    assert!(client.org(&example()).await.unwrap().is_some());
    assert_eq!(client.requests(), 3);
}

#[tokio::test]
async fn an_outage_that_stays_is_an_error_after_all_tries() {
    let server = Server::answering(|_| xml(400, "error_outage.xml")).await;
    let client = server.client();
    let error = client.org(&example()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Outage(_)) && error.retry() == Retry::Backoff, "{error}");
    assert_eq!((client.requests(), server.seen().len()), (3, 3));
}

#[tokio::test]
async fn the_rate_in_force_is_known_for_each_api_url() {
    let server = throttled_once("org.xml").await;
    let allowed_base_urls = vec![server.url.parse().unwrap()];
    let pool = Pool::new(&Arin { allowed_base_urls, requests_per_second: 10, ..settings() }).unwrap();
    assert_eq!(pool.per_second(&server.url).await, Some(10.0));
    assert_eq!(pool.per_second("https://elsewhere.example.net").await, None);
    pool.client(&server.url, SecretString::from(KEY)).unwrap().org(&example()).await.unwrap();
    assert_eq!(pool.per_second(&server.url).await, Some(5.0));
}

async fn throttled_once(then: &'static str) -> Server {
    Server::answering(move |asked| if asked == 0 { throttled(Some("1".into())) } else { xml(200, then) }).await
}

#[tokio::test]
async fn a_429_waits_as_long_as_it_says() {
    let server = throttled_once("org.xml").await;
    server.client().org(&example()).await.unwrap();
    let waited = server.seen()[1].at - server.seen()[0].at;
    assert!((1000..3000).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_429_may_name_a_date_by_the_servers_own_clock() {
    let server = Server::answering(|asked| {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(12 * 3600);
        let mut answer = throttled(Some(httpdate::fmt_http_date(noon + Duration::from_secs(1))));
        answer.headers_mut().insert("date", httpdate::fmt_http_date(noon).parse().unwrap());
        if asked == 0 { answer } else { xml(200, "org.xml") }
    })
    .await;
    server.client().org(&example()).await.unwrap();
    let waited = server.seen()[1].at - server.seen()[0].at;
    assert!((1000..3000).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_429_without_a_time_waits_a_second() {
    let server = Server::answering(|asked| if asked == 0 { throttled(None) } else { xml(200, "org.xml") }).await;
    server.client().org(&example()).await.unwrap();
    let waited = server.seen()[1].at - server.seen()[0].at;
    assert!((1000..3000).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn a_429_is_no_failed_try_and_its_end_is_a_matter_of_patience() {
    let server = Server::answering(|asked| match asked {
        0 | 1 => throttled(None),
        2 => xml(503, "gateway_not_found.html"),
        _ => xml(200, "org.xml"),
    })
    .await;
    let client = server.client_with(Arin { retry_count: 1, ..settings() });
    assert!(client.org(&example()).await.unwrap().is_some());
    let server = Server::answering(|_| throttled(Some("60".into()))).await;
    let client = server.client_with(Arin { patience: Duration::from_millis(300), ..settings() });
    let error = client.org(&example()).await.unwrap_err();
    assert!(matches!(error.retry(), Retry::After(wait) if wait > Duration::from_secs(50)), "{error:?}");
    assert!(error.to_string().contains("for longer than arin.patience"), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_429_holds_every_request_of_every_config_at_the_instance() {
    let server = throttled_once("org.xml").await;
    let pool = Pool::new(&Arin { allowed_base_urls: vec![server.url.parse().unwrap()], ..settings() }).unwrap();
    let [one, other] = ["API-ONE", "API-OTHER"].map(|key| pool.client(&server.url, SecretString::from(key)).unwrap());
    let handle = example();
    let later = async {
        while server.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        futures_util::future::join_all((0..5).map(|_| other.org(&handle))).await
    };
    let (first, later) = tokio::join!(one.org(&handle), later);
    assert!(first.is_ok() && later.iter().all(Result::is_ok));
    let seen = server.seen();
    assert!(seen[1..].iter().all(|request| request.at - seen[0].at >= Duration::from_secs(1)));
}

#[tokio::test]
async fn a_server_that_never_answers_runs_into_the_timeout() {
    let (_listener, url) = listener().await;
    let client = client(&url, Arin { timeout: Duration::from_millis(100), ..settings() });
    let start = Instant::now();
    let error = client.org(&example()).await.unwrap_err();
    assert!(
        matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::TimedOut(_))))
            && error.retry() == Retry::Backoff,
        "{error}"
    );
    assert_eq!(client.requests(), 3);
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle_runs_into_the_timeout() {
    let server = Server::answering(|_| {
        let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"<org>"))]);
        let stream = futures_util::StreamExt::chain(begun, futures_util::stream::pending());
        Response::new(Body::from_stream(stream))
    })
    .await;
    let client = server.client_with(Arin { timeout: Duration::from_millis(100), ..settings() });
    assert!(matches!(
        client.org(&example()).await.unwrap_err().kind,
        ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::TimedOut(_)))
    ));
}

#[tokio::test]
async fn nobody_listening_is_tried_again_and_then_an_error() {
    let (listener, url) = listener().await;
    drop(listener);
    let client = client(&url, settings());
    let error = client.org(&example()).await.unwrap_err();
    assert!(
        matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::NotSent(_))) && error.retry() == Retry::Backoff,
        "{error}"
    );
    assert_eq!(client.requests(), 3);
}

#[tokio::test]
async fn an_answer_shorter_than_announced_is_asked_for_again() {
    let whole = fixture("org.xml");
    let url = raw_server(with_length(whole.len(), &whole[..700]), with_length(whole.len(), &whole)).await;
    let client = client(&url, settings());
    assert!(client.org(&example()).await.unwrap().is_some());
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn an_answer_that_stays_too_short_is_cut_off() {
    let half = with_length(5000, &fixture("truncated.xml"));
    let client = client(&raw_server(half.clone(), half).await, settings());
    let error = client.org(&example()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::NoAnswer(NoAnswer::Lost(AnswerLost::CutOff(700, Some(_))))), "{error:?}");
    assert_eq!(client.requests(), 3);
}

#[tokio::test]
async fn xml_that_ends_early_is_asked_for_again() {
    let server = Server::answering(|asked| xml(200, if asked == 0 { "truncated.xml" } else { "org.xml" })).await;
    let client = server.client();
    assert!(client.org(&example()).await.unwrap().is_some());
    assert_eq!(client.requests(), 2);
}

#[tokio::test]
async fn a_question_dropped_half_way_frees_its_place() {
    let server =
        Server::answering(|asked| if asked == 0 { throttled(Some("60".into())) } else { xml(200, "org.xml") }).await;
    let slow = Server::answering(|_| {
        Response::new(Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>()))
    })
    .await;
    for server in [server, slow] {
        let client = server.client_with(Arin { max_in_flight: 1, ..settings() });
        for _ in 0..3 {
            let dropped = tokio::time::timeout(Duration::from_millis(50), client.org(&example())).await;
            assert!(dropped.is_err());
        }
        assert!(client.requests() >= 1);
    }
}
