//! Fuzz target: whatever a dump is, what is taken of it is an object that would be taken again, and pieces change nothing.

use std::io::BufReader;

use super::*;
use crate::{fuzzing::Corpus, irr::source::SourceName};

#[test]
fn what_is_taken_of_a_dump_is_taken_again() {
    let seeds: [&[u8]; 5] = [
        b"route:      192.0.2.0/24\ndescr: Caf\xe9\norigin:     AS64496\nmnt-by: A-MNT,\n  B-MNT # two\nsource:     RADB\n\n# EOF\n",
        b"% banner\r\n\r\nroute6: 2001:db8::/48\r\norigin: AS64496\r\nrpki-ov-state: valid\r\nsource: radb\r\n\r\n",
        b"as-set: AS64496:AS-A\nmembers: AS1, AS-B\n+\n \t\nmbrs-by-ref: ANY\nsource: RADB\n\n*xxroute: 1.2.3.0/24\n",
        b"inetnum: 192.0.2.0\n+- # comment\n+192.0.2.255\nsource: RADB\n#inside\nremarks: x\n\naut-num: AS 010\nsource: RADB",
        b"person: A B\nnic-hdl: \xc3\xa41-RADB\nsource: RADB\n\nroute-set: rs-a\nmp-members: 2001:db8::/32^48-64\nsource: RADB\n",
    ];
    let words = [
        "\n\n",
        "\r\n",
        "\n ",
        "\n+",
        "source: RADB\n",
        "origin: AS1\n",
        "#",
        "%",
        "nic-hdl: ",
        "/24",
        "::",
        "\\x",
        "*xx",
    ];
    let source: SourceName = "RADB".parse().unwrap();
    Corpus::new(seeds).words(&words).run(|input| {
        let whole = texts(input, input.len() + 1);
        for piece in [1, 3, 16] {
            assert_eq!(texts(input, piece), whole, "{piece}");
        }
        for text in whole {
            assert!(text.ends_with('\n') && !text.starts_with('\n') && !text.contains("\n\n"), "{text:?}");
            assert!(!text.lines().any(|line| line.starts_with(['#', '%'])), "{text:?}");
            let read: String =
                attributes(&text).map(|found| found.map_or_else(|line| line.0, |attribute| attribute.lines)).collect();
            assert_eq!(read, text);
            if let Checked::Taken(object) = check(&text, &source, None) {
                assert!(!object.key.key.is_empty() && !object.key.key.contains('\n'), "{object:?}");
                let again = check(&object.text, &source, None);
                assert_eq!(again, Checked::Taken(object.clone()));
                assert_eq!(check_deleted(&object.text, &source, None), again);
            }
        }
    });
}

/// Returns the paragraphs of a dump that is read in pieces of so many bytes.
fn texts(dump: &[u8], piece: usize) -> Vec<String> {
    let mut paragraphs = Paragraphs::new(BufReader::with_capacity(piece, dump));
    let mut texts = Vec::new();
    while let Some(paragraph) = paragraphs.next_paragraph().unwrap() {
        let Paragraph::Text(text) = paragraph else { panic!("nothing is too long") };
        texts.push(text.to_owned());
    }
    texts
}
