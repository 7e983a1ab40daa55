//! The attempts at jobs, as the logs of the replicas tell of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rir_sidecar::queue::JobId;
use serde_json::Value;

/// What the worker says when it is no longer at a job.
pub(crate) const ENDS: [&str; 8] = [
    "done",
    "to be done later",
    "failed",
    "cancelled",
    "handed back",
    "lost the job to another worker",
    "the job was taken over",
    "could not record the end of the job",
];

/// The time in which a process was at a job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) job: JobId,
}

/// Reads the attempts of a replica from the text of its log. One that has no end there ended when the process was killed.
pub(crate) fn read(log: &str, kills: &[Timestamp]) -> Vec<Attempt> {
    let (mut begun, mut attempts) = (BTreeMap::<JobId, Timestamp>::new(), Vec::new());
    let end_of = |from: Timestamp, to: Timestamp| {
        kills.iter().copied().find(|kill| *kill > from).map_or(to, |kill| kill.min(to))
    };
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for (at, message, job) in lines.filter_map(|line| told(&line)) {
        let last = if message == "began" {
            begun.insert(job.clone(), at)
        } else if ENDS.iter().any(|end| message.starts_with(end)) {
            begun.remove(&job)
        } else {
            None
        };
        attempts.extend(last.map(|from| Attempt { from, to: end_of(from, at), job }));
    }
    attempts.extend(begun.into_iter().map(|(job, from)| Attempt { from, to: end_of(from, Timestamp::now()), job }));
    attempts
}

/// Returns when a line was logged, what the worker says in it, and about which job.
fn told(line: &Value) -> Option<(Timestamp, String, JobId)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if line["target"] != "rir_sidecar::worker" {
        return None;
    }
    Some((
        text(&line["timestamp"])?.parse().ok()?,
        text(&line["message"])?,
        JobId::parse(line["span"]["job"].as_str()?)?,
    ))
}

/// Counts the attempts that began while another one in the same place was under way.
pub(crate) fn at_once(places: &BTreeMap<String, Vec<Attempt>>) -> usize {
    let overlaps = |attempts: &Vec<Attempt>| {
        let mut sorted = attempts.clone();
        sorted.sort();
        let mut latest = Timestamp::MIN;
        let mut overlaps = 0;
        for attempt in sorted {
            if attempt.from < latest {
                eprintln!("at once with another one until {latest}: {attempt:?}");
                overlaps += 1;
            }
            latest = latest.max(attempt.to);
        }
        overlaps
    };
    places.values().map(overlaps).sum()
}
