//! Runs fuzz targets: checks that hold for whatever bytes they are given.
//!
//! A target is a test in a module `fuzz` beside the code. Its [`Corpus`] says where its inputs begin; [`Corpus::run`] makes
//! variations of that and hands them to the check, which panics when something is wrong.
//!
//! | run | inputs |
//! |---|---|
//! | among the tests | the seeds and [`FEW`] variations of them, the same ones each time |
//! | with `RIR_FUZZ_SECONDS` | these and the ones that follow them, for so long |
//! | with `RIR_FUZZ_START` as well | variations from another number on |
//! | by `tests/fuzz.sh` | those that libFuzzer makes, led by the code that each of them reaches |
//!
//! A variation is known by its number, so that one that was found once is found again. It is made smaller before it is shown.

#![cfg_attr(fuzzing, expect(dead_code, unused_imports, reason = "libFuzzer makes variations of its own"))]

use std::{
    panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

use fastrand::Rng;

/// The variations in a run among the tests.
const FEW: u64 = 500;
/// The most changes that make one variation of a seed.
const MOST_CHANGES: usize = 6;
/// The largest variation, in bytes.
const LARGEST: usize = 64 * 1024;
/// The tries to make an input smaller that was found.
const TRIES: u32 = 2_000;
/// Numbers at which something may give way.
const NUMBERS: [&str; 10] = [
    "0",
    "-1",
    "255",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "18446744073709551616",
    "1e309",
    "99999999999999999999999999",
];

/// The inputs that a target begins with.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    seeds: Vec<Vec<u8>>,
    /// Words that mean something in the inputs.
    words: Vec<&'static str>,
}

impl Corpus {
    /// Begins with these inputs, of which there is at least one.
    pub(crate) fn new<S: Into<Vec<u8>>>(seeds: impl IntoIterator<Item = S>) -> Self {
        Self { seeds: seeds.into_iter().map(Into::into).collect(), words: Vec::new() }
    }

    /// Puts these words into variations.
    pub(crate) fn words(self, words: &[&'static str]) -> Self {
        Self { words: words.to_vec(), ..self }
    }

    /// Hands inputs to the check until it panics, or for as long as the module says.
    #[cfg(not(fuzzing))]
    pub(crate) fn run(&self, check: impl Fn(&[u8])) {
        let seconds = number("RIR_FUZZ_SECONDS").map(Duration::from_secs);
        let start = number("RIR_FUZZ_START").unwrap_or_default();
        let begun = Instant::now();
        self.seeds.iter().for_each(|seed| try_out(seed, &check));
        let mut tried = 0;
        while tried < FEW || seconds.is_some_and(|seconds| begun.elapsed() < seconds) {
            try_out(&self.variation(start.wrapping_add(tried)), &check);
            tried += 1;
        }
        println!("{tried} variations of {} seeds in {:.1} s", self.seeds.len(), begun.elapsed().as_secs_f64());
    }

    /// Leaves it to libFuzzer to find inputs, for as long as `tests/fuzz.sh` says. The seeds become its first ones.
    #[cfg(fuzzing)]
    pub(crate) fn run(&self, check: impl Fn(&[u8])) {
        let folder = std::path::PathBuf::from(std::env::var_os("RIR_FUZZ_CORPUS").unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in self.seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
        }
        let escaped = |word: &&str| word.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        let words = self.words.iter().map(|word| format!("\"{}\"\n", escaped(word)));
        // A dictionary without a line is refused.
        let words = format!("# words of the target\n{}", words.collect::<String>());
        std::fs::write(folder.with_extension("words"), words).unwrap();
        let check = AssertUnwindSafe(check);
        bolero::check!().for_each(move |input: &[u8]| (*check)(input));
    }

    /// Makes the variation with this number.
    fn variation(&self, number: u64) -> Vec<u8> {
        let mut rng = Rng::with_seed(number);
        let mut input = rng.choice(&self.seeds).cloned().unwrap_or_default();
        for _ in 0..rng.usize(1..=MOST_CHANGES) {
            self.change(&mut input, &mut rng);
        }
        input.truncate(LARGEST);
        input
    }

    fn change(&self, input: &mut Vec<u8>, rng: &mut Rng) {
        let length = input.len();
        let at = rng.usize(0..=length);
        let end = rng.usize(at..=length);
        match rng.u8(0..10) {
            0 => drop(input.splice(at..(at + 1).min(length), [rng.u8(..)])),
            1 => drop(input.splice(at..at, (0..rng.usize(1..8)).map(|_| rng.u8(..)).collect::<Vec<_>>())),
            2 => drop(input.drain(at..end)),
            3 => drop(input.drain(at..(at + rng.usize(1..8)).min(length))),
            4 => input.truncate(at),
            5 => {
                let part = input[at..end].repeat(rng.usize(1..=4));
                drop(input.splice(at..at, part));
            }
            6 => {
                let other = rng.choice(&self.seeds).map(Vec::as_slice).unwrap_or_default();
                let from = rng.usize(0..=other.len());
                drop(input.splice(at..end, other[from..rng.usize(from..=other.len())].iter().copied()));
            }
            7 => put_number(input, rng),
            _ => {
                let word = rng.choice(&self.words).copied().unwrap_or_default();
                drop(input.splice(at..at, word.bytes()));
            }
        }
    }
}

/// Puts a number of [`NUMBERS`] into the place of one that is there.
fn put_number(input: &mut Vec<u8>, rng: &mut Rng) {
    let begins: Vec<usize> = (0..input.len())
        .filter(|at| input[*at].is_ascii_digit() && (*at == 0 || !input[at - 1].is_ascii_digit()))
        .collect();
    let Some(at) = rng.choice(begins) else { return };
    let digits = input[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    drop(input.splice(at..at + digits, rng.choice(NUMBERS).unwrap_or_default().bytes()));
}

/// Hands an input to the check. One that it panics over is shown, as small as it can be made.
fn try_out(input: &[u8], check: &impl Fn(&[u8])) {
    let panics = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| check(input))).err();
    let Some(first) = panics(input) else { return };
    // Each of these tries would tell of a panic.
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let small = smaller(input, |input| panics(input).is_some());
    panic::set_hook(told);
    println!("found b\"{}\"", small.escape_ascii());
    resume_unwind(panics(&small).unwrap_or(first));
}

/// Leaves away what does not matter for what was found.
fn smaller(input: &[u8], found: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (mut small, mut tries) = (input.to_vec(), TRIES);
    let mut part = small.len().div_ceil(2);
    while part > 0 {
        let (mut at, before) = (0, small.len());
        while at < small.len() && tries > 0 {
            let less = [&small[..at], &small[(at + part).min(small.len())..]].concat();
            tries -= 1;
            if found(&less) { small = less } else { at += part }
        }
        if small.len() == before || tries == 0 {
            part /= 2;
        }
    }
    small
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[cfg(all(test, not(fuzzing)))]
mod tests {
    use super::*;

    fn corpus() -> Corpus {
        Corpus::new(["port = 8080, name = one"]).words(&["two"])
    }

    #[test]
    fn a_variation_is_the_same_each_time_and_another_for_each_number() {
        let all = || (0..50).map(|number| corpus().variation(number)).collect::<Vec<_>>();
        assert_eq!(all(), all());
        let distinct: std::collections::BTreeSet<_> = all().into_iter().collect();
        assert!(distinct.len() > 40, "{}", distinct.len());
    }

    #[test]
    fn numbers_and_words_are_put_in() {
        let all: Vec<Vec<u8>> = (0..500).map(|number| corpus().variation(number)).collect();
        for part in ["18446744073709551616", "two"] {
            assert!(all.iter().any(|input| String::from_utf8_lossy(input).contains(part)), "{part}");
        }
    }

    #[test]
    fn what_is_found_is_made_small() {
        let found = |input: &[u8]| input.windows(2).any(|pair| pair == b"go");
        assert_eq!(smaller(b"a long way to go from here", found), b"go");
    }

    #[test]
    #[should_panic(expected = "no words with an x")]
    fn a_check_that_panics_ends_the_run() {
        Corpus::new(["ab"]).words(&["x"]).run(|input| assert!(!input.contains(&b'x'), "no words with an x"));
    }
}
