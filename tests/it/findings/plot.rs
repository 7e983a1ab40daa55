//! What is planted in the world of findings, and what has to be found of it: `world.txt`, read.

use std::collections::{BTreeMap, BTreeSet};

/// The words that a line may begin with, and what may stand behind the name that follows.
const WORDS: [(&str, &[&str]); 23] = [
    ("tag", &[]),
    ("group", &["in"]),
    ("tenant", &["name", "group", "tag", "legal", "address", "postal", "state", "country"]),
    ("renamed", &["name", "ago"]),
    ("site", &["tenant"]),
    ("location", &["site"]),
    ("vrf", &[]),
    ("aggregate", &["tenant", "rir"]),
    ("prefix", &["vrf", "tenant", "status", "tag", "site", "location", "on", "ago", "unlogged"]),
    ("then", &["vrf", "tenant", "status", "tag", "description", "ago"]),
    ("deleted", &["ago"]),
    ("address", &["tenant", "site", "street"]),
    ("org", &["name", "tenant", "pocs", "accepts"]),
    ("customer", &["name", "street", "city", "private", "tenant"]),
    ("net", &["type", "to", "for", "customer", "ago", "name"]),
    ("gone-net", &[]),
    ("gone-customer", &[]),
    ("gone-org", &[]),
    ("passes", &["customer"]),
    ("request", &["operation", "state", "range", "network"]),
    ("ticket", &["status", "resolution", "request", "waits", "ago"]),
    ("finds", &["level", "due", "at-least"]),
    ("if-voluntary", &["level", "due"]),
];

/// All cases.
pub(crate) struct Plot {
    pub(crate) cases: Vec<Case>,
}

/// Something planted beside nothing else.
pub(crate) struct Case {
    /// Why it is there.
    pub(crate) why: String,
    lines: Vec<Line>,
}

/// Something to plant, or to find.
pub(crate) struct Line {
    word: String,
    /// What it is called: a name, range or handle; what has to be found by kind and subject.
    pub(crate) name: String,
    with: BTreeMap<String, String>,
}

/// A finding that there has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) why: String,
    pub(crate) level: Option<String>,
    pub(crate) due: Option<String>,
    pub(crate) at_least: bool,
}

impl Plot {
    /// Reads the world.
    pub(crate) fn read() -> Self {
        let text = include_str!("world.txt");
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let blocks = text.split(|line| line.is_empty()).filter(|block| !block.is_empty());
        Self { cases: blocks.map(|block| Case::read(block[0], &block[1..])).collect() }
    }

    /// The lines that begin with a word, in order.
    pub(crate) fn lines(&self, word: &'static str) -> impl Iterator<Item = &Line> {
        self.cases.iter().flat_map(|case| &case.lines).filter(move |line| line.word == word)
    }

    /// The findings that lines with these words ask for, by kind and subject.
    pub(crate) fn expected(&self, words: &[&str]) -> BTreeMap<(String, String), Expected> {
        let mut all = BTreeMap::new();
        for case in &self.cases {
            for line in case.lines.iter().filter(|line| words.contains(&line.word.as_str())) {
                let (kind, subject) = line.name.split_once(' ').unwrap();
                let twice = all.insert((kind.to_owned(), subject.to_owned()), Expected::of(case, line));
                assert_eq!(twice, None, "{kind} {subject} is asked for twice");
            }
        }
        all
    }
}

impl Case {
    fn read(why: &str, lines: &[&str]) -> Self {
        let lines = lines.iter().map(|line| Line::read(line)).collect();
        Self { why: why.to_owned(), lines }
    }
}

impl Expected {
    fn of(case: &Case, line: &Line) -> Self {
        let text = |name: &str| line.get(name).map(str::to_owned);
        Self { why: case.why.clone(), level: text("level"), due: text("due"), at_least: line.has("at-least") }
    }
}

impl Line {
    fn read(text: &str) -> Self {
        let mut words = words(text).into_iter();
        let (word, mut name) = (words.next().unwrap(), words.next().unwrap());
        assert!(!name.contains('='), "{text}: what is it called?");
        if ["finds", "if-voluntary"].contains(&word.as_str()) {
            name = format!("{name} {}", words.next().unwrap());
        }
        let (_, known) =
            WORDS.iter().find(|(known, _)| *known == word).unwrap_or_else(|| panic!("{text}: what is it?"));
        let pair = |word: String| {
            word.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap_or((word, String::new()))
        };
        let with: BTreeMap<String, String> = words.map(pair).collect();
        let unknown: BTreeSet<&String> = with.keys().filter(|name| !known.contains(&name.as_str())).collect();
        assert_eq!(unknown, BTreeSet::new(), "{text}");
        Self { word, name, with }
    }

    /// What stands behind the name, `key=value`.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.with.get(key).map(String::as_str)
    }

    /// Whether a word stands behind the name.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.with.contains_key(key)
    }

    /// The days since it happened.
    pub(crate) fn ago(&self) -> Option<i64> {
        self.get("ago").map(|days| days.parse().unwrap())
    }
}

/// The words of a line; a value in quotes is one with the word before it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    assert!(!quoted && words.iter().all(|word| !word.is_empty()), "{line}");
    words
}
