//! Errors in the log: each with its causes, whatever form the log has.

use std::{fs, path::Path};

use regex_lite::Regex;
use rir_sandbox::regrws::KEY;
use serde_json::Value;

use crate::{
    process::{Means, free_address, until},
    scene::{Scene, Target, small},
    sources::files_below,
};

/// The one way to log an error.
const CHAIN: &str = "error_chain(";
/// What else is logged by its own text. None of it is an error, and none has causes.
const PLAIN: &[&str] = &[
    "address",
    "at",
    "change.id",
    "change.object_type",
    "claim.id",
    "config.name",
    "from",
    "id",
    "in_full.aggregate",
    "instance",
    "jobs",
    "key",
    "name",
    "newest",
    "operation",
    "position.read",
    "prefix",
    "queued.job",
    "reason",
    "request",
    "request.method",
    "result",
    "route",
    "row",
    "run.config",
    "run.id",
    "self.run.config",
    "self.run.id",
    "source.name",
    "wait",
];
/// The names that an error has where it is caught.
const ERRORS: &[&str] = &["broken", "cause", "e", "err", "error", "failure", "refusal"];

/// Returns the calls of the macros that log or open a span.
fn calls(source: &str) -> Vec<&str> {
    let call = Regex::new(r"\b(?:trace|debug|info|warn|error|event)(?:_span)?!\(").unwrap();
    call.find_iter(source)
        .map(|found| &source[found.end()..found.end() + end_of_call(&source[found.end()..])])
        .collect()
}

/// Returns where the arguments of a call end.
fn end_of_call(arguments: &str) -> usize {
    let (mut depth, mut in_text, mut escaped) = (1, false, false);
    for (at, letter) in arguments.char_indices() {
        match letter {
            '"' if !escaped => in_text = !in_text,
            '(' | '[' | '{' if !in_text => depth += 1,
            ')' | ']' | '}' if !in_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
        escaped = in_text && letter == '\\' && !escaped;
    }
    panic!("the call has no end: {arguments:.80}")
}

/// Returns what is wrong about a call.
fn faults(call: &str) -> Vec<String> {
    let texts = Regex::new(r#"(?s)"(?:[^"\\]|\\.)*""#).unwrap();
    let code = texts.replace_all(call, "_").into_owned();
    let by_text = Regex::new(r"[%?]\s*([\w.]+\(?)").unwrap();
    let by_text = by_text.captures_iter(&code).map(|found| found.get(1).unwrap().as_str().to_owned());
    let mut faults: Vec<String> = by_text.filter(|value| value != CHAIN && !PLAIN.contains(&value.as_str())).collect();
    for name in ERRORS {
        let as_value = Regex::new(&format!(r"(?:^|[\s,]){name}\s*(?:,|$|=\s*[^%\s])")).unwrap();
        let in_text = Regex::new(&format!(r"\{{{name}[:}}]")).unwrap();
        if as_value.is_match(&code) || texts.find_iter(call).any(|text| in_text.is_match(text.as_str())) {
            faults.push((*name).to_owned());
        }
    }
    faults
}

#[test]
fn every_error_is_logged_with_its_causes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut looked_at, mut wrong) = (0, Vec::new());
    for path in files_below(&root) {
        let source = fs::read_to_string(&path).unwrap();
        let file = path.strip_prefix(&root).unwrap().display().to_string();
        for call in calls(&source) {
            looked_at += 1;
            wrong.extend(faults(call).into_iter().map(|fault| format!("{file}: {fault} in {call}")));
        }
        // The causes are gone as well where the error is given its type before it is logged.
        let cast = Regex::new(r"(?:as|let \w+:) &(?:std::error::|error::)?dyn [\w:]*Error").unwrap();
        wrong.extend(cast.find_iter(&source).map(|found| format!("{file}: {}", found.as_str())));
    }
    assert!(looked_at > 60, "the calls are found: {looked_at}");
    assert!(wrong.is_empty(), "write `error = %error_chain(&error)`, or add what is no error to PLAIN:\n{wrong:#?}");
}

#[test]
fn other_ways_to_log_an_error_are_noticed() {
    for right in
        ["error = %error_chain(&error), %row, \"left out\"", "?wait, \"tried again: {reason}\"", "\"an error\""]
    {
        assert_eq!(faults(right), [""; 0], "{right}");
    }
    for wrong in [
        "%error, \"x\"",
        "?error, \"x\"",
        "error, \"x\"",
        "error = %broken, \"x\"",
        "error = error.to_string(), \"x\"",
        "\"x: {error}\"",
        "\"x: {error:?}\"",
        "\"x: {}\", error",
        "rows, %why, \"x\"",
    ] {
        assert_ne!(faults(wrong), [""; 0], "{wrong}");
    }
    assert_eq!(calls("warn!(a(\"\\\")\"), b); debug!(c)"), ["a(\"\\\")\"), b", "c"]);
}

#[tokio::test]
async fn a_line_of_json_has_the_whole_chain() {
    let scene = Scene::new(Target::sandbox().await, small()).await;
    let nowhere = format!("http://{}/", free_address());
    let set = [("NETBOX__URL", nowhere.as_str()), ("TELEMETRY__LOG_FORMAT", "json"), ("TELEMETRY__LOG", "debug")];
    let means = Means::new(&scene, KEY, &set);
    let process = means.start(&["serve"]).await;
    let told = || {
        let lines = means.said();
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["message"] == "Netbox is asked again")
            .find_map(|line| Some(line["error"].as_str()?.to_owned()))
    };
    until("a question to NetBox is repeated", async || told().is_some()).await;
    let error = told().unwrap();
    assert!(
        error.contains("could not be reached: ") && error.ends_with("Connection refused (os error 111)"),
        "{error}"
    );
    process.end().await;
}
