//! Each fault of an upstream, and what has to come of it.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpListener,
    time::{Instant, sleep},
};

use super::{
    answer::{AnswerReader, Reply},
    ask::{AskLimits, ask, connected, exchange},
    no_answer::NoAnswer,
    question::{NrtmVersion, Question},
};
use crate::irr::{journal::Operation, rpsl::Class, source::Serial};

const ROUTE: &str = "route: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n";
const OTHER: &str = "route: 198.51.100.0/24\norigin: AS64496\nsource: TEST\n\n";

fn question() -> Question {
    Question { source: "TEST".parse().unwrap(), version: NrtmVersion::Three, first: Serial(12), last: None }
}

fn read(answer: &str) -> Result<Reply, NoAnswer> {
    let question = question();
    let mut reader = AnswerReader::new(&question, None);
    reader.feed(answer.as_bytes())?;
    reader.finish()
}

/// Tells what comes of an answer.
fn told(answer: &str) -> String {
    told_of(read(answer))
}

fn told_of(reply: Result<Reply, NoAnswer>) -> String {
    let answer = match reply {
        Ok(Reply::Changes(answer)) => answer,
        Ok(other @ (Reply::NothingNewer | Reply::NothingKept)) => return format!("{other:?}"),
        Err(error) => return format!("! {error}{}", if error.calls_for_reload() { " (reload)" } else { "" }),
    };
    let mut told = String::new();
    for change in &answer.changes {
        let verb = match &change.operation {
            Operation::Add(_) => '+',
            Operation::Delete { .. } => '-',
        };
        write!(told, "{} {verb}{}, ", change.serial, change.operation.key().key).unwrap();
    }
    for left_out in &answer.rejected {
        write!(told, "{} !{}, ", left_out.serial, left_out.rejected.fault.label()).unwrap();
    }
    write!(told, "up to {}", answer.last).unwrap();
    told
}

/// An answer with this between its first line and its last one.
fn answer(inside: &str) -> String {
    format!("%START Version: 3 TEST 12-14\n\n{inside}%END TEST\n\n\n")
}

#[test]
fn an_answer_of_either_version_is_read() {
    let three = answer(&format!("ADD 12\n\n{ROUTE}DEL 14\n\n{OTHER}"));
    insta::assert_snapshot!(told(&three), @"12 +192.0.2.0/24AS64496, 14 -198.51.100.0/24AS64496, up to 14");
    let one = format!("% banner\n\n% START Version: 1 test 12-14 FILTERED\n\nADD\n\n{ROUTE}DEL\n\n{OTHER}% END test");
    insta::assert_snapshot!(told(&one), @"12 +192.0.2.0/24AS64496, 13 -198.51.100.0/24AS64496, up to 14");
    let Ok(Reply::Changes(answer)) = read(&three.replace('\n', "\r\n")) else { panic!() };
    let Operation::Add(object) = &answer.changes[0].operation else { panic!() };
    assert_eq!(object.text, ROUTE.trim_end().to_owned() + "\n");
    let Operation::Delete { text, .. } = &answer.changes[1].operation else { panic!() };
    assert_eq!(text.trim_end(), OTHER.trim_end());
}

#[test]
fn an_answer_without_a_first_line_is_refused() {
    let answers = [
        "",
        "\n\n\n",
        "%% ERROR: Access denied\n\n\n",
        "%% ERROR: Unknown source: TEST\n\n\n",
        "%% ERROR: Serials 1 - 12 do not exist\n\n\n",
        "%% ERROR: Serials 13 - 20 do not exist\n\n\n",
        "%ERROR:401: invalid range: Not within 13-20\n\n",
        "%ERROR:401: invalid range: Not within 1-20\n\n",
        "%ERROR:401: invalid range: Not within 1-10\n\n",
        "<html>\n<h1>404</h1>\n",
        "route: 192.0.2.0/24\n",
        "ADD 12\n\nroute: 192.0.2.0/24\norigin: AS1\nsource: TEST\n\n%END TEST\n",
        "% banner\n\n%END TEST\n",
        "%  Access for mirrors ended in May\n\n\n",
        "\u{1}\u{0}\n",
    ]
    .map(|answer| format!("{answer:?} {}", told(answer)));
    insta::assert_snapshot!(answers.join("\n"), @r#"
    "" ! the answer has no %START, so nothing of it was applied; it says ""
    "\n\n\n" ! the answer has no %START, so nothing of it was applied; it says ""
    "%% ERROR: Access denied\n\n\n" ! the upstream refuses changes from serial 12 on, so there are none to apply: "Access denied"
    "%% ERROR: Unknown source: TEST\n\n\n" ! the upstream refuses changes from serial 12 on, so there are none to apply: "Unknown source: TEST"
    "%% ERROR: Serials 1 - 12 do not exist\n\n\n" ! the upstream refuses changes from serial 12 on, so there are none to apply: "Serials 1 - 12 do not exist" (reload)
    "%% ERROR: Serials 13 - 20 do not exist\n\n\n" ! the upstream refuses changes from serial 12 on, so there are none to apply: "Serials 13 - 20 do not exist"
    "%ERROR:401: invalid range: Not within 13-20\n\n" ! the upstream refuses changes from serial 12 on, so there are none to apply: "401: invalid range: Not within 13-20" (reload)
    "%ERROR:401: invalid range: Not within 1-20\n\n" ! the upstream refuses changes from serial 12 on, so there are none to apply: "401: invalid range: Not within 1-20"
    "%ERROR:401: invalid range: Not within 1-10\n\n" ! the upstream refuses changes from serial 12 on, so there are none to apply: "401: invalid range: Not within 1-10" (reload)
    "<html>\n<h1>404</h1>\n" ! the answer has no %START, so nothing of it was applied; it says "<html> <h1>404</h1>"
    "route: 192.0.2.0/24\n" ! the answer has no %START, so nothing of it was applied; it says "route: 192.0.2.0/24"
    "ADD 12\n\nroute: 192.0.2.0/24\norigin: AS1\nsource: TEST\n\n%END TEST\n" ! the answer has no %START, so nothing of it was applied; it says "ADD 12"
    "% banner\n\n%END TEST\n" ! the answer has no %START, so nothing of it was applied; it says "%END TEST"
    "%  Access for mirrors ended in May\n\n\n" ! the answer has no %START, so nothing of it was applied; it says "% Access for mirrors ended in May"
    "\u{1}\0\n" ! the answer has no %START, so nothing of it was applied; it says "��"
    "#);
}

#[test]
fn an_upstream_without_news_is_no_fault() {
    assert_eq!(told("% Warning: there are no newer updates available\n\n\n"), "NothingNewer");
    assert_eq!(told("% Warning: there are no updates available\n\n\n"), "NothingKept");
    assert_eq!(told("%ERROR:401: invalid range: Not within 1-11\n\n"), "NothingNewer");
}

#[test]
fn a_first_line_that_is_not_of_our_answer_is_refused() {
    let lines = [
        "%START Version: 3 OTHER 12-14",
        "%START Version: 2 TEST 12-14",
        "%START Version: 3 TEST 1-14",
        "%START Version: 3 TEST 13-14",
        "%START Version: 3 TEST 12-11",
        "%START Version: 3 TEST 12",
        "%START Version: 3 TEST twelve-14",
        "%START Version: 3 TEST 12-14\n%START Version: 3 TEST 12-14",
        "%START Version: 3 TEST 12-14\n\n%START Version: 3 OTHER",
    ]
    .map(|line| format!("{line:?} {}", told(&format!("{line}\n\nADD 12\n\n{ROUTE}%END TEST\n"))));
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "%START Version: 3 OTHER 12-14" ! the answer is about the source "OTHER", so nothing of it was applied
    "%START Version: 2 TEST 12-14" ! the answer is of NRTM version "2" in place of 1 or 3, so nothing of it was applied
    "%START Version: 3 TEST 1-14" ! the answer begins at serial 1 in place of 12, so nothing of it was applied: changes would be missing
    "%START Version: 3 TEST 13-14" ! the answer begins at serial 13 in place of 12, so nothing of it was applied: changes would be missing
    "%START Version: 3 TEST 12-11" ! the answer goes from serial 12 to 11, which is before it, so nothing of it was applied
    "%START Version: 3 TEST 12" ! the answer begins with "%START Version: 3 TEST 12", which cannot be read, so nothing of it was applied
    "%START Version: 3 TEST twelve-14" ! the answer begins with "%START Version: 3 TEST twelve-14", which cannot be read, so nothing of it was applied
    "%START Version: 3 TEST 12-14\n%START Version: 3 TEST 12-14" ! the answer begins a second time with "%START Version: 3 TEST 12-14", so nothing of it was applied
    "%START Version: 3 TEST 12-14\n\n%START Version: 3 OTHER" ! the answer begins a second time with "%START Version: 3 OTHER", so nothing of it was applied
    "#);
}

#[test]
fn serials_rise_and_every_operation_has_an_object() {
    let insides = [
        format!("ADD 12\n\n{ROUTE}ADD 12\n\n{OTHER}"),
        format!("ADD 13\n\n{ROUTE}ADD 12\n\n{OTHER}"),
        format!("ADD 11\n\n{ROUTE}"),
        format!("ADD\n\n{ROUTE}"),
        format!("ADD 9223372036854775808\n\n{ROUTE}"),
        format!("ADD 12\n{ROUTE}"),
        format!("ADD 12\n\nDEL 13\n\n{ROUTE}"),
        format!("ADD 12\n\n{ROUTE}DEL 13\n\n"),
    ]
    .map(|inside| format!("{inside:?} {}", told(&answer(&inside))));
    insta::assert_snapshot!(insides.join("\n"), @r#"
    "ADD 12\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\nADD 12\n\nroute: 198.51.100.0/24\norigin: AS64496\nsource: TEST\n\n" ! serial 12 follows where at least 13 has to, so nothing of the answer was applied
    "ADD 13\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\nADD 12\n\nroute: 198.51.100.0/24\norigin: AS64496\nsource: TEST\n\n" ! serial 12 follows where at least 14 has to, so nothing of the answer was applied
    "ADD 11\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n" ! serial 11 follows where at least 12 has to, so nothing of the answer was applied
    "ADD\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n" ! the operation "ADD" cannot be read, so nothing of the answer was applied
    "ADD 9223372036854775808\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n" ! the operation "ADD 9223372036854775808" cannot be read, so nothing of the answer was applied
    "ADD 12\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n" ! the operation "ADD 12 route: 192.0.2.0/24 origin: AS64496 source: TEST" cannot be read, so nothing of the answer was applied
    "ADD 12\n\nDEL 13\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n" ! no object stands behind the operation with serial 12, so nothing of the answer was applied
    "ADD 12\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\nDEL 13\n\n" ! no object stands behind the operation with serial 13, so nothing of the answer was applied
    "#);
    let one = format!("%START Version: 1 TEST 12-13\n\n{}%END TEST\n", format!("ADD\n\n{ROUTE}").repeat(3));
    insta::assert_snapshot!(told(&one), @"! the answer has changes behind its last serial 13, so nothing of it was applied");
}

#[test]
fn an_answer_that_is_cut_anywhere_is_refused() {
    let whole = answer(&format!("ADD 12\n\n{ROUTE}DEL 14\n\n{OTHER}"));
    let end = whole.find("TEST\n\n\n").unwrap() + "TEST".len();
    for length in 0..end {
        assert!(read(&whole[..length]).is_err(), "{:?}", &whole[..length]);
    }
    assert!(read(&whole[..end]).is_ok());
    insta::assert_snapshot!(told(&whole.replace("%END TEST", "")), @"! the answer ends without %END, so it is not whole and nothing of it was applied");
    insta::assert_snapshot!(told(&whole.replace("%END TEST", "%END OTHER")), @r#"! the answer ends with %END "OTHER" in place of our source, so nothing of it was applied"#);
    insta::assert_snapshot!(told(&whole.replace("%END TEST", "%END")), @r#"! the answer ends with %END "" in place of our source, so nothing of it was applied"#);
    insta::assert_snapshot!(told(&whole.replace("%END TEST", "%% ERROR: lost the database")), @r#"! the upstream refuses changes from serial 12 on, so there are none to apply: "lost the database""#);
}

#[test]
fn gaps_and_empty_ranges_move_the_serial() {
    let insides = [
        String::new(),
        format!("ADD 14\n\n{ROUTE}"),
        format!("% comment\n\nADD 12\n\n% comment\n\n{ROUTE}# comment\nADD 13\n\n{ROUTE}"),
        "DEL 12\n\nroute: 192.0.2.0/24\norigin: AS64496\n\n".to_owned(),
        format!("ADD 12\n\n{ROUTE}ADD 20\n\n{OTHER}"),
    ]
    .map(|inside| format!("{inside:?} {}", told(&answer(&inside))));
    insta::assert_snapshot!(insides.join("\n"), @r#"
    "" up to 14
    "ADD 14\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n" 14 +192.0.2.0/24AS64496, up to 14
    "% comment\n\nADD 12\n\n% comment\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n# comment\nADD 13\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n" 12 +192.0.2.0/24AS64496, 13 +192.0.2.0/24AS64496, up to 14
    "DEL 12\n\nroute: 192.0.2.0/24\norigin: AS64496\n\n" 12 -192.0.2.0/24AS64496, up to 14
    "ADD 12\n\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\nADD 20\n\nroute: 198.51.100.0/24\norigin: AS64496\nsource: TEST\n\n" 12 +192.0.2.0/24AS64496, 20 +198.51.100.0/24AS64496, up to 20
    "#);
}

#[test]
fn a_bad_object_is_left_out_and_told_and_the_serial_moves() {
    let objects = [
        "route: 192.0.2.0/33\norigin: AS1\nsource: TEST",
        "route: 192.0.2.1/24\norigin: AS1\nsource: TEST",
        "route: 192.0.2.0/24\norigin: AS1\nsource: OTHER",
        "route: 192.0.2.0/24\norigin: AS1",
        "route: 192.0.2.0/24\norigin: AS1\n%comment\nsource: TEST",
        "poem: POEM-A\nsource: TEST",
        "*xxroute: 192.0.2.0/24\nsource: TEST",
        "route: 192.0.2.0/24\norigin: AS1\n\nsource: TEST",
    ]
    .map(|object| format!("{object:?} {}", told(&answer(&format!("ADD 12\n\n{object}\n\nADD 13\n\n{ROUTE}")))));
    insta::assert_snapshot!(objects.join("\n"), @r#"
    "route: 192.0.2.0/33\norigin: AS1\nsource: TEST" 13 +192.0.2.0/24AS64496, 12 !bad-prefix, up to 14
    "route: 192.0.2.1/24\norigin: AS1\nsource: TEST" 13 +192.0.2.0/24AS64496, 12 !host-bits, up to 14
    "route: 192.0.2.0/24\norigin: AS1\nsource: OTHER" 13 +192.0.2.0/24AS64496, 12 !other-source, up to 14
    "route: 192.0.2.0/24\norigin: AS1" 13 +192.0.2.0/24AS64496, 12 !missing-source, up to 14
    "route: 192.0.2.0/24\norigin: AS1\n%comment\nsource: TEST" 13 +192.0.2.0/24AS64496, 12 !malformed-attribute, up to 14
    "poem: POEM-A\nsource: TEST" 13 +192.0.2.0/24AS64496, 12 !unknown-class, up to 14
    "*xxroute: 192.0.2.0/24\nsource: TEST" 13 +192.0.2.0/24AS64496, up to 14
    "route: 192.0.2.0/24\norigin: AS1\n\nsource: TEST" 13 +192.0.2.0/24AS64496, 12 !missing-source, 12 !stray, up to 14
    "#);
}

#[test]
fn an_object_that_never_ends_is_left_out() {
    let lines = "remarks: x\n".repeat(500_000);
    assert_eq!(
        told(&answer(&format!("ADD 12\n\n{lines}\nADD 13\n\n{ROUTE}"))),
        "13 +192.0.2.0/24AS64496, 12 !too-long, up to 14"
    );
}

#[test]
fn classes_that_nobody_wants_are_dropped_without_a_word() {
    let (question, wanted) = (question(), BTreeSet::from([Class::Route]));
    let mut reader = AnswerReader::new(&question, Some(&wanted));
    let inside = format!("ADD 12\n\nmntner: ?\n\nADD 13\n\n{ROUTE}DEL 14\n\naut-num: AS1\n\n");
    assert!(reader.feed(answer(&inside).as_bytes()).unwrap());
    assert_eq!(told_of(reader.finish()), "13 +192.0.2.0/24AS64496, up to 14");
}

/// An upstream that holds the other end of a connection.
async fn asked_of<F: Future<Output = ()> + Send + 'static>(
    limits: AskLimits,
    upstream: impl FnOnce(DuplexStream) -> F,
) -> Result<Reply, NoAnswer> {
    let (ours, theirs) = duplex(1 << 16);
    let playing = tokio::spawn(upstream(theirs));
    let reply = exchange(ours, "upstream.test:43", &question(), None, &limits).await;
    playing.abort();
    reply
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_keeps_the_connection_is_not_waited_for() {
    let begun = Instant::now();
    let reply = asked_of(AskLimits::default(), async |mut stream| {
        stream.write_all(answer("").as_bytes()).await.unwrap();
        sleep(Duration::from_secs(3600)).await;
    });
    assert_eq!(told_of(reply.await), "up to 14");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[test]
fn what_is_behind_the_last_line_is_no_part_of_the_answer() {
    let answer = answer(&format!("ADD 12\n\n{ROUTE}"));
    for behind in ["%% ERROR: too late\n\n", "%START Version: 3 TEST 1-2\n\n", "ADD 13\n\n", "garbage"] {
        assert_eq!(told(&format!("{answer}{behind}")), "12 +192.0.2.0/24AS64496, up to 14", "{behind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_falls_silent_is_given_up() {
    let begun = Instant::now();
    let reply = asked_of(AskLimits::default(), async |mut stream| {
        stream.write_all(b"%START Version: 3 TEST 12-14\n\n").await.unwrap();
        sleep(Duration::from_secs(3600)).await;
    });
    insta::assert_snapshot!(told_of(reply.await), @"! NRTM upstream upstream.test:43 sent nothing for 30s in the midst of its answer, so nothing of it was applied");
    assert_eq!(begun.elapsed(), AskLimits::default().idle);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_drips_is_given_up() {
    let begun = Instant::now();
    let reply = asked_of(AskLimits::default(), async |mut stream| {
        for byte in answer(&"% comment\n".repeat(100)).bytes() {
            stream.write_all(&[byte]).await.unwrap();
            sleep(Duration::from_secs(1)).await;
        }
    });
    insta::assert_snapshot!(told_of(reply.await), @"! the answer of NRTM upstream upstream.test:43 had not ended after 300s, so nothing of it was applied");
    assert_eq!(begun.elapsed(), AskLimits::default().total);
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_end_is_given_up() {
    let limits = AskLimits { bytes: 1 << 20, ..AskLimits::default() };
    let reply = asked_of(limits, async |mut stream| {
        let line = "% a line that says nothing\n".repeat(10_000);
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    });
    insta::assert_snapshot!(told_of(reply.await), @"! the answer has more than 1048576 bytes, so nothing of it was applied; a full reload is the shorter way (reload)");
}

#[tokio::test]
async fn the_question_goes_over_a_real_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 17];
        stream.read_exact(&mut asked).await.unwrap();
        let all = answer(&format!("ADD 12\n\n{ROUTE}"));
        let (first, second) = all.split_at(40);
        stream.write_all(first.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream.write_all(second.as_bytes()).await.unwrap();
        String::from_utf8(asked.to_vec()).unwrap()
    });
    let reply = ask(&address, &question(), None, &AskLimits::default()).await;
    assert_eq!(upstream.await.unwrap(), "-g TEST:3:12-LAST");
    assert_eq!(told_of(reply), "12 +192.0.2.0/24AS64496, up to 14");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_stands_is_given_up() {
    let (limits, begun) = (AskLimits::default(), Instant::now());
    let connecting = std::future::pending::<std::io::Result<DuplexStream>>();
    let connected = connected(connecting, "upstream.test:43", &limits).await;
    assert!(matches!(connected, Err(NoAnswer::NotConnected { .. })), "{connected:?}");
    assert_eq!(begun.elapsed(), limits.connect);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_or_hangs_up_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let hangs_up = tokio::spawn(async move { drop(listener.accept().await.unwrap()) });
    let reply = ask(&address, &question(), None, &AskLimits::default()).await;
    assert!(matches!(reply, Err(NoAnswer::Broken { .. } | NoAnswer::NoStart { .. })), "{reply:?}");
    hangs_up.await.unwrap();
    let reply = ask(&address, &question(), None, &AskLimits::default()).await;
    assert!(matches!(reply, Err(NoAnswer::Unreachable { .. })), "{reply:?}");
}
