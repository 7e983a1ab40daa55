//! Made-up route objects: the same for the same numbers, so that all who are measured read the same.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use fastrand::Rng;
use flate2::{Compression, write::GzEncoder};

/// The objects of a region: a /21 with its parts. Half of the routes of most registries are /24, and every sixth is IPv6.
const IN_A_REGION: u64 = 12;
/// The regions that there can be, from 1.0.0.0 and from 2400:: on.
const REGIONS: u64 = 1_800_000;
/// Shuffles them, as it has no divisor in common with their number.
const STEP: u64 = 704_969;

const FIRST_WORDS: [&str; 16] = [
    "Northern",
    "Blue",
    "United",
    "Coastal",
    "Metro",
    "Summit",
    "Prairie",
    "Harbor",
    "Granite",
    "Valley",
    "Pioneer",
    "Lakeside",
    "Central",
    "Evergreen",
    "Atlantic",
    "Frontier",
];
const SECOND_WORDS: [&str; 16] = [
    "Networks",
    "Telecom",
    "Hosting",
    "Fiber",
    "Wireless",
    "Broadband",
    "Data Centers",
    "Communications",
    "Internet",
    "Cable",
    "Cloud",
    "Systems",
    "Online",
    "Carrier Services",
    "Energy",
    "University",
];
const LAST_WORDS: [&str; 8] = ["Inc.", "LLC", "Ltd.", "Corp.", "Cooperative", "GmbH", "S.A.", "Pty"];

/// Returns the object with a number, in its so-manieth version.
pub(crate) fn route(source: &str, number: u64, version: u64) -> String {
    let (region, part) = (number / IN_A_REGION, number % IN_A_REGION);
    let place = region * STEP % REGIONS;
    // What all objects of a region have in common, and what this version of an object has of its own.
    let (mut whose, mut own) = (Rng::with_seed(region), Rng::with_seed(number ^ version << 40));
    let (class, prefix) = prefix(place, part);
    let origin = 1000 + whose.u32(..60_000);
    let words = [pick(&mut own, &FIRST_WORDS), pick(&mut own, &SECOND_WORDS), pick(&mut own, &LAST_WORDS)];
    let (year, month, day) = (2008 + own.u32(..18), 1 + own.u32(..12), 1 + own.u32(..28));
    let (hour, minute, second) = (own.u32(..24), own.u32(..60), own.u32(..60));
    let mut text = String::with_capacity(400);
    let mut line = |name: &str, value: &str| writeln!(text, "{:<16}{value}", format!("{name}:")).unwrap();
    line(class, &prefix);
    line("descr", &format!("{}, customer {}", words.join(" "), own.u32(..1_000_000)));
    line("origin", &format!("AS{origin}"));
    line("remarks", &format!("circuit {:08X}, order {}", own.u32(..), own.u32(..10_000_000)));
    line("mnt-by", &format!("MAINT-AS{origin}"));
    line("changed", &format!("noc@as{origin}.example.net {year}{month:02}{day:02}"));
    line("source", source);
    line("last-modified", &format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"));
    text
}

/// The class and the prefix of a part of a region: ten of IPv4, the half of them /24, and two of IPv6.
fn prefix(place: u64, part: u64) -> (&'static str, String) {
    let first = (1 << 24) + (place << 11);
    let v4 = |nth: u64, length: u32| {
        let address = first + (nth << (32 - length));
        (
            "route",
            format!("{}.{}.{}.{}/{length}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255),
        )
    };
    match part {
        0..=5 => v4(part, 24),
        6 | 7 => v4(part - 6, 23),
        8 => v4(0, 22),
        9 => v4(0, 21),
        10 => ("route6", format!("2400:{:x}:{:x}::/48", place >> 16, place & 0xffff)),
        _ => ("route6", format!("2401:{:x}:{:x}::/44", place >> 12, place << 4 & 0xffff)),
    }
}

fn pick<'a>(random: &mut Rng, words: &[&'a str]) -> &'a str {
    words[random.usize(..words.len())]
}

/// Writes the first so many objects as a packed dump, and returns the bytes of its text.
pub(crate) fn write_dump(source: &str, objects: u64, to: &Path) -> u64 {
    let mut out = GzEncoder::new(BufWriter::new(File::create(to).unwrap()), Compression::default());
    let mut bytes = 0;
    for number in 0..objects {
        let text = route(source, number, 0) + "\n";
        out.write_all(text.as_bytes()).unwrap();
        bytes += text.len() as u64;
    }
    out.write_all(b"# EOF\n").unwrap();
    out.finish().unwrap().flush().unwrap();
    bytes
}
