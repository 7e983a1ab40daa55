//! Fuzz target: whatever an upstream answers, changes come of a whole answer only, their serials rise, and pieces change nothing.

use super::{
    answer::{AnswerReader, Reply},
    no_answer::NoAnswer,
    question::{NrtmVersion, Question},
};
use crate::{fuzzing::Corpus, irr::source::Serial};

#[test]
fn changes_come_of_a_whole_answer_only() {
    let seeds = [
        "%START Version: 3 TEST 12-14\n\nADD 12\n\nroute: 192.0.2.0/24\norigin: AS1\nsource: TEST\n\nDEL 14\n\nmntner: A-MNT\n\n%END TEST\n\n\n",
        "% START Version: 1 test 12-14 FILTERED\r\n\r\nADD\r\n\r\naut-num: AS1\r\nsource: TEST\r\n\r\nDEL\r\n\r\naut-num: AS2\r\n\r\n% END test",
        "% banner\n\n%% ERROR: Serials 1 - 1001 do not exist\n\n\n",
        "%ERROR:401: invalid range: Not within 1-11\n\n",
        "% Warning: there are no newer updates available\n\n\n",
    ];
    let words = [
        "\n\n",
        "\r\n",
        "%",
        "#",
        "%START Version: 3 TEST 12-14\n\n",
        "%END TEST\n",
        "ADD 12\n\n",
        "ADD 13\n\n",
        "ADD\n\n",
        "DEL 14\n\n",
        "aut-num: AS1\nsource: TEST\n\n",
        "Not within ",
        "Serials ",
        " FILTERED",
    ];
    let question =
        Question { source: "TEST".parse().unwrap(), version: NrtmVersion::Three, first: Serial(12), last: None };
    Corpus::new(seeds).words(&words).run(|input| {
        let read = |piece: usize| {
            let mut reader = AnswerReader::new(&question, None);
            let fed = input.chunks(piece).try_for_each(|piece| match reader.feed(piece) {
                Ok(true) => Err(None),
                Ok(false) => Ok(()),
                Err(error) => Err(Some(error)),
            });
            match fed {
                Err(Some(error)) => Err(error),
                Ok(()) | Err(None) => reader.finish(),
            }
        };
        let whole = read(input.len() + 1);
        for piece in [1, 7] {
            let pieces = read(piece);
            assert_eq!(format!("{whole:?}"), format!("{pieces:?}"), "{piece}");
        }
        match whole {
            Ok(Reply::Changes(answer)) => {
                let text = String::from_utf8_lossy(input).into_owned();
                assert!(text.contains("START") && text.contains("END"), "{text:?}");
                let serials: Vec<Serial> = answer.changes.iter().map(|change| change.serial).collect();
                assert!(serials.is_sorted_by(|one, other| one < other), "{serials:?}");
                assert!(
                    serials.iter().all(|serial| *serial >= question.first && *serial <= answer.last),
                    "{serials:?}"
                );
                assert!(answer.last >= question.first);
                assert!(answer.rejected.iter().all(|left_out| left_out.serial <= answer.last));
            }
            Ok(Reply::NothingNewer | Reply::NothingKept) => {}
            Err(error) => {
                let named = matches!(&error, NoAnswer::Refused { named: Some(_), .. });
                assert!(!error.calls_for_reload() || named, "{error}");
                assert!(error.to_string().chars().count() < 1000, "{error}");
            }
        }
    });
}
