//! What a server may do, and what has to come of it.

use std::time::Duration;

use ipnet::IpNet;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex},
    net::TcpListener,
    time::{Instant, sleep},
};

use super::{
    answer::{WhoisAnswer, WhoisReader},
    ask::{ask, connected, exchange},
    error::WhoisError,
};
use crate::{
    error_chain::error_chain,
    irr::{nrtm3::AskLimits, source::SourceName},
};

fn name() -> SourceName {
    "TEST".parse().unwrap()
}

fn ranges() -> [IpNet; 2] {
    ["192.0.2.0/24", "2001:db8::/32"].map(|range| range.parse().unwrap())
}

fn counted(text: &str) -> String {
    format!("A{}\n{text}C\n", text.len())
}

/// Tells what comes of bytes, and what is left then.
fn told(bytes: &[u8]) -> String {
    let (mut reader, mut told) = (WhoisReader::default(), Vec::new());
    reader.feed(bytes);
    loop {
        match reader.next() {
            Ok(Some(WhoisAnswer::Text(text))) => told.push(format!("{:?}", String::from_utf8_lossy(&text))),
            Ok(Some(WhoisAnswer::Nothing)) => told.push("nothing".to_owned()),
            Ok(Some(WhoisAnswer::Refused(said))) => told.push(format!("refused {said:?}")),
            Ok(None) => {
                told.push(reader.fault().map_or_else(|| "...".to_owned(), |fault| format!("! {fault}")));
                break;
            }
            Err(fault) => {
                told.push(format!("! {fault}"));
                break;
            }
        }
    }
    told.join(", ")
}

#[test]
fn answers_are_taken_apart() {
    let all = [
        "A5\nabcd\nC\nC\nD\nF no\nA0\nC\n",
        "A6\nna\u{ef}v\nC\nD\n",
        "A5\nna\u{ef}v\nC\nD\n",
        "A7\n\u{ef}\u{ef}\u{20ac}\u{1f600}ab\nC\nD\n",
        "A5\nab\u{ef}\nC\nD\n",
    ];
    insta::assert_snapshot!(all.map(|text| format!("{text:?} {}", told(text.as_bytes()))).join("\n"), @r#"
    "A5\nabcd\nC\nC\nD\nF no\nA0\nC\n" "abcd\n", nothing, nothing, refused "no", "", ...
    "A6\nnaïv\nC\nD\n" "naïv\n", nothing, ...
    "A5\nnaïv\nC\nD\n" "naïv\n", nothing, ...
    "A7\nïï€😀ab\nC\nD\n" "ïï€😀ab\n", nothing, ...
    "A5\nabï\nC\nD\n" "abï\n", nothing, ...
    "#);
}

#[test]
fn what_no_irrd_says_is_no_answer() {
    let all = [
        "",
        "\n",
        "%% Access denied",
        "%  This is the RIPE Database query service.\n",
        "<html>\n<h1>Moved</h1>",
        "route: 192.0.2.0/24\n",
        "A\n",
        "A-1\nC\n",
        "A+1\nxC\n",
        "A99999999999999999999\n",
        "A18446744073709551615\n",
        "Abc\n",
        "A4\nabcd\nC\n",
        "A6\nabcd\nC\nD\n",
        "A5\nabcd\nD\n",
        "CC\n",
        "F\n",
    ];
    insta::assert_snapshot!(all.map(|text| format!("{text:?} {}", told(text.as_bytes()))).join("\n"), @r#"
    "" ...
    "\n" ! an IRRd does not answer ""
    "%% Access denied" ! an IRRd does not answer "%% Access denied"
    "%  This is the RIPE Database query service.\n" ! an IRRd does not answer "% This is the RIPE Database query service."
    "<html>\n<h1>Moved</h1>" ! an IRRd does not answer "<html>"
    "route: 192.0.2.0/24\n" ! an IRRd does not answer "route: 192.0.2.0/24"
    "A\n" ! an IRRd does not answer "A"
    "A-1\nC\n" ! an IRRd does not answer "A-1"
    "A+1\nxC\n" ! an IRRd does not answer "A+1"
    "A99999999999999999999\n" ! an IRRd does not answer "A99999999999999999999"
    "A18446744073709551615\n" ! an IRRd does not answer "A18446744073709551615"
    "Abc\n" ! an IRRd does not answer "Abc"
    "A4\nabcd\nC\n" ! no end is behind the 4 bytes that the answer should have
    "A6\nabcd\nC\nD\n" ! no end is behind the 6 bytes that the answer should have
    "A5\nabcd\nD\n" ! no end is behind the 5 bytes that the answer should have
    "CC\n" ! an IRRd does not answer "CC"
    "F\n" ! an IRRd does not answer "F"
    "#);
    assert!(told(&[b'x'; 5000]).starts_with("! an IRRd does not answer \"xxx"), "a line that does not end");
}

/// What a server was asked, and what came of it.
struct Asked {
    questions: Vec<String>,
    result: Result<String, WhoisError>,
}

impl Asked {
    /// Tells the answers, or why there are none.
    fn told(self) -> String {
        self.result.unwrap_or_else(|error| format!("! {}", error_chain(&error)))
    }
}

/// Asks a server that has an answer to each question. It hangs up when it has none, and behind half a line.
async fn asked_of(answers: &[&str]) -> Asked {
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let (questions, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let result = asked_by(AskLimits::default(), async move |stream| {
        let (from, mut to) = tokio::io::split(stream);
        let (mut lines, mut answers) = (BufReader::new(from).lines(), answers.into_iter());
        while let Ok(Some(line)) = lines.next_line().await {
            let is_answered = line != "!!";
            questions.send(line).unwrap();
            if is_answered {
                let Some(answer) = answers.next() else { return };
                to.write_all(answer.as_bytes()).await.unwrap();
                if !answer.ends_with('\n') {
                    return;
                }
            }
        }
    })
    .await;
    let mut questions = Vec::new();
    while let Ok(question) = asked.try_recv() {
        questions.push(question);
    }
    Asked { questions, result }
}

/// Asks whoever holds the other end of a connection.
async fn asked_by<F: Future<Output = ()> + Send + 'static>(
    limits: AskLimits,
    server: impl FnOnce(DuplexStream) -> F,
) -> Result<String, WhoisError> {
    let (ours, theirs) = duplex(1 << 16);
    let playing = tokio::spawn(server(theirs));
    let mut told = Vec::new();
    let take = |range: &IpNet, text: &[u8]| {
        told.push(format!("{range} {:?}", String::from_utf8_lossy(text)));
        Ok(())
    };
    let (name, ranges) = (name(), ranges());
    let asked = exchange(ours, "whois.test:43", (&name, &ranges), &limits, take).await;
    playing.abort();
    asked.map(|()| told.join(", "))
}

#[tokio::test]
async fn each_range_is_asked_about_on_one_connection() {
    let asked = asked_of(&["C\n", &counted("disabled\n"), &counted("a\n"), "D\n", "C\n", &counted("b\n")]).await;
    assert_eq!(
        asked.questions,
        [
            "!!",
            "!sTEST",
            "!fno-rpki-filter",
            "!r192.0.2.0/24,L",
            "!r192.0.2.0/24,M",
            "!r2001:db8::/32,L",
            "!r2001:db8::/32,M"
        ]
    );
    assert_eq!(asked.told(), r#"192.0.2.0/24 "a\n", 2001:db8::/32 "b\n""#);
}

#[tokio::test]
async fn many_ranges_are_asked_about() {
    let ranges: Vec<IpNet> = (0..200).map(|third| format!("10.0.{third}.0/24").parse().unwrap()).collect();
    let (ours, theirs) = duplex(1 << 16);
    tokio::spawn(async move {
        let (from, mut to) = tokio::io::split(theirs);
        let mut lines = BufReader::new(from).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            let answer = if line.starts_with("!r") { counted(&format!("{line}\n")) } else { "C\n".to_owned() };
            to.write_all(if line == "!!" { "" } else { &answer }.as_bytes()).await.unwrap();
        }
    });
    let mut told = Vec::new();
    let take = |range: &IpNet, text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        assert!(text.starts_with(&format!("!r{range},")), "{range} {text}");
        told.push(text);
        Ok(())
    };
    exchange(ours, "whois.test:43", (&name(), &ranges), &AskLimits::default(), take).await.unwrap();
    assert_eq!(told.len(), 400);
}

#[tokio::test]
async fn a_server_without_rpki_is_asked_all_the_same() {
    let asked = asked_of(&["C\n", "F Unrecognised command: f\n", "D\n", "D\n", "D\n", "D\n"]).await;
    assert_eq!(asked.told(), "");
}

#[tokio::test]
async fn half_of_the_answers_are_none() {
    let whole = ["C\n", "C\n", "A2\na\nC\n", "D\n", "D\n", "D\n"];
    assert!(asked_of(&whole).await.result.is_ok());
    for kept in 0..whole.len() {
        let told = asked_of(&whole[..kept]).await.told();
        assert!(told.starts_with(&format!("! whois server whois.test:43 hung up after {kept} answers")), "{told}");
    }
    for cut in 1.."A2\na\nC\n".len() {
        let told = asked_by(AskLimits::default(), async move |mut stream| {
            let answers = format!("C\nC\n{}", &"A2\na\nC\n"[..cut]);
            stream.write_all(answers.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            sleep(Duration::from_secs(1)).await;
        });
        let told = error_chain(&told.await.unwrap_err());
        assert!(told.starts_with("whois server whois.test:43 hung up after 2 answers"), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_or_says_something_else_is_told() {
    let lies: [&[&str]; 8] = [
        &["F One or more selected sources are unavailable.\n"],
        &["C\n", "C\n", "D\n", "F An internal error occurred while processing this query.\n"],
        &["%% Access denied"],
        &["<html>\n<h1>Moved</h1>\n"],
        &["%  This is the RIPE Database query service.\n"],
        &["C\n", "C\n", "A3\na\nC\n", "D\n", "D\n", "D\n"],
        &["C\n", "C\n", "A1\na\nC\n", "D\n", "D\n", "D\n"],
        &["C\n", "C\n", "route: 192.0.2.0/24\n"],
    ];
    let mut all = Vec::new();
    for answers in lies {
        all.push(asked_of(answers).await.told());
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    ! whois server whois.test:43 refuses "!sTEST": "One or more selected sources are unavailable."
    ! whois server whois.test:43 refuses "!r192.0.2.0/24,M": "An internal error occurred while processing this query."
    ! what whois server whois.test:43 says cannot be used: an IRRd does not answer "%% Access denied"
    ! what whois server whois.test:43 says cannot be used: an IRRd does not answer "<html>"
    ! what whois server whois.test:43 says cannot be used: an IRRd does not answer "% This is the RIPE Database query service."
    ! what whois server whois.test:43 says cannot be used: no end is behind the 3 bytes that the answer should have
    ! what whois server whois.test:43 says cannot be used: no end is behind the 1 bytes that the answer should have
    ! what whois server whois.test:43 says cannot be used: an IRRd does not answer "route: 192.0.2.0/24"
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_falls_silent_or_drips_is_given_up() {
    let (limits, begun) = (AskLimits::default(), Instant::now());
    let silent = asked_by(limits, async |mut stream| {
        stream.write_all(b"C\nA99\n").await.unwrap();
        sleep(Duration::from_secs(3600)).await;
    });
    insta::assert_snapshot!(silent.await.unwrap_err(), @"whois server whois.test:43 sent nothing for 30s in the midst of its answers, so nothing of them was taken");
    assert_eq!(begun.elapsed(), limits.idle);
    let begun = Instant::now();
    let drips = asked_by(limits, async |mut stream| {
        stream.write_all(b"C\nC\nA5000\n").await.unwrap();
        loop {
            stream.write_all(b"x").await.unwrap();
            sleep(Duration::from_secs(1)).await;
        }
    });
    insta::assert_snapshot!(drips.await.unwrap_err(), @"whois server whois.test:43 had not answered everything after 300s, so nothing of it was taken");
    assert_eq!(begun.elapsed(), limits.total);
}

#[tokio::test(start_paused = true)]
async fn answers_without_end_are_given_up() {
    for begin in ["C\nC\nA99999999999\n", "C\nC\n"] {
        let limits = AskLimits { bytes: 1 << 20, ..AskLimits::default() };
        let endless = asked_by(limits, async move |mut stream| {
            stream.write_all(begin.as_bytes()).await.unwrap();
            while stream.write_all(&[b'x'; 1000]).await.is_ok() {}
        });
        let told = error_chain(&endless.await.unwrap_err());
        let expected = if begin.contains('A') { "more than 1048576 bytes" } else { "an IRRd does not answer \"xxx" };
        assert!(told.contains(expected), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_never_stands_is_given_up() {
    let (limits, begun) = (AskLimits::default(), Instant::now());
    let connecting = std::future::pending::<std::io::Result<DuplexStream>>();
    let connected = connected(connecting, "whois.test:43", &limits).await;
    assert!(matches!(connected, Err(WhoisError::NotConnected { .. })), "{connected:?}");
    assert_eq!(begun.elapsed(), limits.connect);
}

#[tokio::test]
async fn a_server_that_hangs_up_after_each_answer_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut line = String::new();
            while !line.starts_with("!s") {
                line.clear();
                BufReader::with_capacity(1, &mut stream).read_line(&mut line).await.unwrap();
            }
            stream.write_all(b"C\n").await.unwrap();
        }
    });
    for _ in 0..20 {
        let asked = ask(&address, &name(), &ranges(), &AskLimits::default(), |_, _| Ok(())).await;
        let told = asked.unwrap_err().to_string();
        assert!(told.contains("hung up after 1 answers") && told.contains("does not know `!!`"), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let asked = ask(&address, &name(), &ranges(), &AskLimits::default(), |_, _| Ok(())).await;
    assert!(matches!(asked, Err(WhoisError::Unreachable { .. })), "{asked:?}");
}
