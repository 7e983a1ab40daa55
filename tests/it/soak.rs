//! What the soak concludes: each of its checks finds what it is there for. The soak itself takes half an hour, and is not in
//! CI.

#[path = "../../benches/soak/attempts.rs"]
mod attempts;
#[path = "../../benches/soak/checks.rs"]
mod checks;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::json;

use attempts::{Attempt, ENDS, at_once, read};
use checks::{BURST, Check, Found, RATE, WINDOW, checks, memory};

/// What a good run finds.
fn good() -> Found {
    Found {
        promised: 1000,
        unfinished: 0,
        left: 0,
        dead: 0,
        left_to_do: 0,
        keys: vec![(0..100).map(|key| format!("arin:NET-{key}")).collect(), vec!["arin:NET-1".to_owned()]],
        attempts: 600,
        at_once: 0,
        requests: (30_000, RATE * WINDOW + BURST),
        memory: vec![30.0; 360],
        waited: Some(Duration::from_secs(60)),
        status: 0,
    }
}

/// Returns the verdicts that are not that something holds.
fn not_held(change: impl FnOnce(&mut Found)) -> Vec<String> {
    let mut found = good();
    change(&mut found);
    let bad = |check: &Check| format!("{}: {}, {}", check.what, check.found, check.verdict());
    checks(&found).iter().filter(|check| !check.holds()).map(bad).collect()
}

type Break = fn(&mut Found);

#[test]
fn each_check_of_the_soak_fails_for_what_it_is_there_for() {
    assert_eq!(not_held(|_| {}), [""; 0]);
    let broken: [(Break, &str); 9] = [
        (|found| found.unfinished = 1, "promised jobs that did not end well: 1"),
        (|found| found.left = 2, "jobs left in the queue: 2"),
        (|found| found.dead = 1, "dead letters: 1"),
        (|found| found.left_to_do = 3, "changes that a preview still finds: 3"),
        (|found| found.keys[0].push("arin:NET-7".to_owned()), "rows with the key of another one: 1"),
        (|found| found.at_once = 1, "attempts at once in one place: 1"),
        (|found| found.requests.1 = RATE * WINDOW + BURST + 17, "requests to ARIN beyond the rate: 7"),
        (|found| found.memory[240..].fill(38.0), "MB of memory beyond a fifth more: 2"),
        (|found| found.status = 1, "replicas that did not end when asked to: 1"),
    ];
    for (change, told) in broken {
        assert_eq!(not_held(change), [format!("{told}, **does not hold**")]);
    }
}

#[test]
fn a_soak_in_which_too_little_happened_says_so() {
    let quiet = |found: &mut Found| {
        (found.promised, found.attempts, found.requests, found.waited) = (3, 3, (3, 3), None);
        found.keys.clear();
        found.memory.truncate(10);
    };
    let told = not_held(quiet);
    assert_eq!(told.len(), 8, "{told:#?}");
    assert!(told.iter().all(|told| told.ends_with(": 0, was not tried enough")), "{told:#?}");
}

#[test]
fn memory_is_compared_after_the_start_and_whatever_its_peaks() {
    let mut seen = [[10.0; 30], [30.0; 30], [33.0; 30]].concat();
    (seen[40], seen[70]) = (500.0, 1.0);
    assert_eq!(memory(&seen), (30.0, 33.0));
}

const JOB: &str = "0123456789abcdef01234567";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn line(second: i64, message: &str) -> String {
    let line = json!({ "timestamp": at(second).to_string(), "target": "rir_sidecar::worker", "message": message,
                       "span": { "job": JOB } });
    format!("{line}\n")
}

/// Returns how long each attempt in a log took, in seconds from the beginning.
fn attempts(log: &str, kills: &[i64]) -> Vec<(i64, i64)> {
    let kills: Vec<Timestamp> = kills.iter().copied().map(at).collect();
    let seconds = |time: Timestamp| time.as_second() - 1_700_000_000;
    read(log, &kills).iter().map(|attempt| (seconds(attempt.from), seconds(attempt.to))).collect()
}

#[test]
fn an_attempt_ends_with_a_sentence_of_the_worker_or_with_its_process() {
    for end in ENDS {
        let log = [line(1, "began"), line(2, "no end"), line(5, &format!("{end}: and why"))].concat();
        assert_eq!(attempts(&log, &[3600]), [(1, 5)], "{end}");
    }
    let broken_off = [line(1, "began"), line(9, "began"), line(12, "done")].concat();
    assert_eq!(attempts(&broken_off, &[4]), [(1, 4), (9, 12)]);
    assert_eq!(attempts(&line(1, "began"), &[4]), [(1, 4)]);
    let half_a_line = format!("{}{{\"timestamp\"\n{}", line(1, "began"), line(3, "handed back"));
    assert_eq!(attempts(&half_a_line, &[]), [(1, 3)]);
}

#[test]
fn attempts_at_once_in_one_place_are_found() {
    let found = |places: &[(&str, i64, i64)]| {
        let mut by_place = BTreeMap::<String, Vec<Attempt>>::new();
        for (place, from, to) in places {
            let job = rir_sidecar::queue::JobId::parse(JOB).unwrap();
            let attempt = Attempt { from: at(*from), to: at(*to), job };
            by_place.entry((*place).to_owned()).or_default().push(attempt);
        }
        at_once(&by_place)
    };
    assert_eq!(found(&[("1", 0, 5), ("1", 5, 9), ("2", 3, 7)]), 0);
    assert_eq!(found(&[("1", 4, 9), ("1", 0, 5)]), 1);
    assert_eq!(found(&[("1", 0, 9), ("1", 2, 3), ("1", 4, 5)]), 2, "beside a long one");
}

/// Sentences of the worker that end no attempt.
const NO_ENDS: [&str; 6] = [
    "began",
    "a job broke down; it is tried again when its lease ends",
    "finishing the jobs under way",
    "jobs did not stop in time; another worker takes them over when their lease ends",
    "lost the job before it began: another worker has it, or the queue did not answer",
    "the queue does not answer; waiting until it does",
];

/// A sentence that is changed or new is one that the soak would not understand.
#[test]
fn the_soak_understands_every_sentence_of_the_worker() {
    let code = include_str!("../../src/worker/mod.rs");
    let logged = regex_lite::Regex::new(r#"\b(?:debug|info|warn|error)!\((?:[^";]*?)"([^"]*)""#).unwrap();
    let told: Vec<&str> = logged.captures_iter(code).map(|found| found.get(1).unwrap().as_str()).collect();
    for sentence in &told {
        let ends = ENDS.iter().any(|end| sentence.starts_with(end));
        assert!(ends != NO_ENDS.contains(sentence), "{sentence}: an entry in ENDS of the soak, or in NO_ENDS here");
    }
    assert!(NO_ENDS.iter().all(|sentence| told.contains(sentence)), "nobody says one of NO_ENDS any more");
    for end in ENDS {
        assert!(told.iter().any(|sentence| sentence.starts_with(end)), "nobody says {end}");
    }
}
