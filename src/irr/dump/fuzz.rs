//! Fuzz targets: whatever comes as a dump, reading it ends, and a cut one is never taken for a whole one.

use std::io::{Read, Write};

use flate2::{Compression, write::GzEncoder};
use tokio::sync::mpsc::channel;
use tokio_util::bytes::Bytes;

use super::{
    incoming::{Incoming, Piece},
    serial_file::serial,
    text::DumpText,
    *,
};
use crate::fuzzing::Corpus;

const MOST_TEXT: u64 = 1 << 20;

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Reads what comes in pieces of so many bytes, and to its end or not.
fn read(input: &[u8], piece: usize, ends: bool) -> Result<(Vec<u8>, Receipt), FetchError> {
    let pieces = input.chunks(piece).map(|chunk| Piece::Bytes(Bytes::copy_from_slice(chunk)));
    let end = [Piece::FileEnd(Validators::default()), Piece::End];
    let all: Vec<Piece> = pieces.chain(end.into_iter().filter(|_| ends)).collect();
    let (sender, receiver) = channel(all.len().max(1));
    for piece in all {
        assert!(sender.try_send(Ok(piece)).is_ok());
    }
    drop(sender);
    let place = "file:///x".parse().unwrap();
    let mut text = DumpText::new(Incoming::new(receiver, vec![place]), MOST_TEXT);
    let mut out = Vec::new();
    text.by_ref().read_to_end(&mut out).map_err(failure_of)?;
    Ok((out, text.finish()?))
}

#[test]
fn a_dump_is_read_whole_or_not_at_all() {
    let text = "route: 192.0.2.0/24\norigin: AS64496\nsource: TEST\n\n# EOF\n";
    let seeds = [
        text.as_bytes().to_vec(),
        packed(text),
        [packed(text), packed("")].concat(),
        packed("<html>"),
        b"<html>".to_vec(),
        Vec::new(),
        b"\x1f".to_vec(),
    ];
    Corpus::new(seeds).words(&["\u{1f}", "<", "\n\n"]).run(|input| {
        let whole = read(input, 7, true);
        assert_eq!(whole.as_ref().ok(), read(input, 4096, true).as_ref().ok(), "the pieces do not matter");
        assert!(read(input, 7, false).is_err(), "a fetch that broke off is no dump");
        if let Ok((out, receipt)) = whole {
            assert_eq!(receipt.is_empty(), out.is_empty());
            assert_eq!(receipt.files[0].received, input.len() as u64);
            assert!(input.starts_with(b"\x1f\x8b") || out == input);
        }
    });
}

#[test]
fn a_serial_is_all_that_stands_in_its_file() {
    let seeds = ["255031\n", "18446744073709551615", " 1 ", "-1", "<html>", ""];
    Corpus::new(seeds).words(&["-", "+", "\n", " "]).run(|input| {
        if let Ok(found) = serial(input) {
            let digits: Vec<u8> = input.trim_ascii().to_vec();
            let digits = String::from_utf8(digits).unwrap();
            assert!(digits.bytes().all(|digit| digit.is_ascii_digit()));
            assert_eq!(digits.trim_start_matches('0'), found.to_string().trim_start_matches('0'));
        }
    });
}
