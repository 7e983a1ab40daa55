//! Fuzz target: whatever a server sends, answers come of whole ones only, and pieces change nothing.

use super::answer::{AnswerFault, WhoisAnswer, WhoisReader};
use crate::fuzzing::Corpus;

/// Reads all that comes, in pieces of a length: the answers, and what was wrong then.
fn read(input: &[u8], piece: usize) -> (Vec<WhoisAnswer>, Option<AnswerFault>) {
    let (mut reader, mut answers) = (WhoisReader::default(), Vec::new());
    for piece in input.chunks(piece) {
        reader.feed(piece);
        loop {
            match reader.next() {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(fault) => return (answers, Some(fault)),
            }
        }
    }
    (answers, reader.fault())
}

#[test]
fn answers_come_of_whole_ones_only() {
    let seeds = [
        "C\nA53\nroute: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\nC\nD\n",
        "A5\nna\u{ef}ve\u{e9}\nC\nF One or more selected sources are unavailable.\n",
        "A7\nna\u{ef}ve\n\nC\n",
        "%% Access denied",
        "<html>\n<h1>Moved</h1>\n",
        "A0\nC\nC\n",
    ];
    let words = ["C\n", "D\n", "F ", "A", "A1\n", "\n", "\u{e9}", "A18446744073709551615\n", "\r"];
    Corpus::new(seeds).words(&words).run(|input| {
        let whole = read(input, input.len() + 1);
        for piece in [1, 7] {
            assert_eq!(whole, read(input, piece), "{piece}");
        }
        let (answers, fault) = whole;
        // Each answer takes more bytes than its text has.
        let texts = answers.iter().map(|answer| match answer {
            WhoisAnswer::Text(text) => text.len() + "A0\nC\n".len(),
            WhoisAnswer::Nothing | WhoisAnswer::Refused(_) => "C\n".len(),
        });
        assert!(texts.sum::<usize>() <= input.len());
        for answer in &answers {
            if let WhoisAnswer::Refused(said) = answer {
                assert!(said.chars().count() <= 121 && !said.contains(char::is_control), "{said:?}");
            }
        }
        if let Some(fault) = fault {
            assert!(fault.to_string().chars().count() < 1000, "{fault}");
        }
    });
}
