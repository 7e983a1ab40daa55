//! The command lines that documents, chart, messages and help show: the program understands each of them, and does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use regex_lite::Regex;
use rir_sandbox::regrws::KEY;
use rir_sidecar::queue::{Queue, Trigger};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    process::{Means, Process, free_address},
    queue::bench::settings,
    requests::shown::failed,
    scene::{CONFIG, Scene, Target, small},
    service::{ask, whole},
};

/// Where command lines are shown, besides what the program prints as help.
const PLACES: [&str; 8] =
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs", "deploy", "helm", "openapi/openapi.json", "src"];
const KINDS: [&str; 8] = ["md", "toml", "yaml", "txt", "tpl", "service", "json", "rs"];
/// Commands that need more than their name. By the name alone a text only speaks of them.
const NAMES_ONLY: [&str; 5] = ["sync", "jobs", "requests", "irr", "sandbox"];
/// Commands that read no settings.
const WITHOUT_SETTINGS: [&str; 4] = ["config", "openapi", "demo", "sandbox"];
/// The time after which a command that has not ended has understood its arguments.
const LONG_ENOUGH: Duration = Duration::from_millis(700);

/// Command lines without the name of the program, each with a place where it is shown.
type Shown = BTreeMap<String, String>;

/// Collects all command lines.
async fn shown() -> Shown {
    let helps = helps().await;
    let commands: BTreeSet<&str> = helps.keys().filter_map(|words| words.first()).map(String::as_str).collect();
    let mut shown = Shown::new();
    for path in PLACES.iter().flat_map(|place| files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place))) {
        let text = fs::read_to_string(&path).unwrap();
        let kind = path.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        let found = match kind {
            "md" => [spans(&text, "rir-sidecar "), short_spans(&text, &commands), lines(&text, &commands)].concat(),
            // Comments there are for whoever reads the code. What clap and utoipa make of some of them is read as help and as
            // openapi.json.
            "rs" => spans(&without_comments(&text), "rir-sidecar "),
            _ => [spans(&text, "rir-sidecar "), lines(&text, &commands), flow_lists(&text, &commands)].concat(),
        };
        shown.extend(found.into_iter().map(|line| (line, path.display().to_string())));
    }
    for (words, help) in &helps {
        let place = format!("the help of {words:?}");
        shown.extend(spans(help, "rir-sidecar ").into_iter().map(|line| (line, place.clone())));
    }
    shown
}

/// Returns the texts of `--help` for the program (no words), its commands and theirs.
async fn helps() -> BTreeMap<Vec<String>, String> {
    let (mut helps, mut waiting) = (BTreeMap::new(), vec![Vec::new()]);
    let listed = Regex::new(r"(?m)^  ([a-z]+(?:-[a-z]+)*)\b").unwrap();
    while let Some(words) = waiting.pop() {
        let done = program().args(&words).arg("--help").output().await.unwrap();
        assert!(done.status.success(), "{words:?}: {}", said(&done));
        let text = String::from_utf8(done.stdout).unwrap();
        let list = text.split("\n\n").find_map(|part| part.strip_prefix("Commands:\n")).unwrap_or_default();
        let below = listed.captures_iter(list).map(|found| found[1].to_owned()).filter(|name| name != "help");
        waiting.extend(below.map(|name| [words.clone(), vec![name]].concat()));
        helps.insert(words, text);
    }
    helps
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().flat_map(|entry| files(&entry.unwrap().path())).collect();
    }
    let known = path.extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known));
    if known { vec![path.to_owned()] } else { Vec::new() }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Finds what stands between backticks and begins so; it may go over the end of a line.
fn spans(text: &str, begin: &str) -> Vec<String> {
    let span = Regex::new(&format!("`(?:[A-Z_]+=\\S+ )?{begin}([^`]+)`")).unwrap();
    let broken = Regex::new(r"\s*\\?\n[\s#]*").unwrap();
    span.captures_iter(text).map(|found| broken.replace_all(&found[1], " ").into_owned()).collect()
}

/// Finds what stands between backticks and begins with the name of a command, as `jobs show ID`.
fn short_spans(text: &str, commands: &BTreeSet<&str>) -> Vec<String> {
    let of = |command: &&str| {
        let rest = spans(text, &format!("{command} "));
        rest.iter().map(|rest| format!("{command} {rest}")).collect::<Vec<_>>()
    };
    commands.iter().flat_map(of).collect()
}

/// Finds the lines that run the program. In fenced blocks any line that begins with its name does, elsewhere one that goes
/// on with a command.
fn lines(text: &str, commands: &BTreeSet<&str>) -> Vec<String> {
    let run = Regex::new(r"^(?:.* -- |ExecStart=\S*/|(?:[A-Z_]+=\S+ )+)?rir-sidecar (.+)$").unwrap();
    let (mut found, mut fenced, mut goes_on) = (Vec::<String>::new(), false, false);
    for line in text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim()) {
        fenced ^= line.starts_with("```");
        let rest = run.captures(line).and_then(|found| found[1].split('`').next().map(str::to_owned));
        match (rest.filter(|rest| fenced || begins_with_command(rest, commands)), found.last_mut()) {
            (Some(rest), _) => {
                found.push(rest);
                goes_on = fenced;
            }
            (None, Some(last)) if goes_on && line.starts_with('[') => *last = format!("{last} {line}"),
            (None, _) => goes_on = false,
        }
    }
    found
}

/// Finds the arguments of containers.
fn flow_lists(text: &str, commands: &BTreeSet<&str>) -> Vec<String> {
    let list = Regex::new(r"(?m)^\s*(?:args|command): \[(.*)\]$").unwrap();
    let words = |list: &str| list.split(", ").map(|word| word.trim_matches('"')).collect::<Vec<_>>().join(" ");
    let all = list.captures_iter(text).map(|found| words(&found[1]));
    all.filter(|line| begins_with_command(line, commands)).collect()
}

fn begins_with_command(line: &str, commands: &BTreeSet<&str>) -> bool {
    line.split_whitespace().next().is_some_and(|word| word == "--config" || commands.contains(word))
}

/// A part of a usage line.
struct Part {
    required: bool,
    /// What may stand there.
    one_of: Vec<Vec<String>>,
}

/// Reads `sync (--all | --prefix ID) [--output text|json]`.
fn parts(line: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut open: Option<Part> = None;
    // What a shell does with the output is not the program's.
    for word in line.split_whitespace().take_while(|word| *word != ">") {
        let bare = word.trim_matches(['[', ']', '(', ')']).trim_end_matches("...");
        if word.starts_with(['[', '(']) {
            open = Some(Part { required: word.starts_with('('), one_of: vec![Vec::new()] });
        }
        match &mut open {
            Some(part) if word == "|" => part.one_of.push(Vec::new()),
            Some(part) => add(&mut part.one_of, bare),
            None => {
                let mut one_of = vec![Vec::new()];
                add(&mut one_of, bare);
                parts.push(Part { required: true, one_of });
            }
        }
        if word.ends_with([']', ')']) {
            parts.extend(open.take());
        }
    }
    parts
}

/// Adds a word to the last alternative; `text|json` makes two of it.
fn add(one_of: &mut Vec<Vec<String>>, word: &str) {
    let before = one_of.pop().unwrap_or_default();
    let with = |value: &str| [before.clone(), vec![value.to_owned()]].concat();
    one_of.extend(word.split('|').map(|value| if value.is_empty() { before.clone() } else { with(value) }));
}

/// Returns command lines in which each thing that may stand in a usage line stands once.
fn readings(line: &str) -> BTreeSet<Vec<String>> {
    let parts = parts(line);
    let with = |index: usize, choice: Option<&Vec<String>>| -> Vec<String> {
        let word = |(at, part): (usize, &Part)| match choice {
            Some(choice) if at == index => choice.clone(),
            Some(_) | None if part.required => part.one_of[0].clone(),
            Some(_) | None => Vec::new(),
        };
        parts.iter().enumerate().flat_map(word).collect()
    };
    let each =
        |(index, part): (usize, &Part)| part.one_of.iter().map(|choice| with(index, Some(choice))).collect::<Vec<_>>();
    parts.iter().enumerate().flat_map(each).chain([with(0, None)]).collect()
}

/// Puts something in the place of `ID` and its like. `known` says what stands for a word behind another one.
fn filled(words: &[String], known: impl Fn(&str, &str) -> Option<String>) -> Vec<String> {
    let before = std::iter::once("").chain(words.iter().map(String::as_str));
    let fill = |(before, word): (&str, &String)| known(before, word).unwrap_or_else(|| word.clone());
    let mut filled: Vec<String> = before.zip(words).map(fill).collect();
    if let [name] = filled.as_slice()
        && NAMES_ONLY.contains(&name.as_str())
    {
        filled.push("--help".to_owned());
    }
    filled
}

fn any(before: &str, word: &str) -> Option<String> {
    let value = match (before, word) {
        ("show" | "retry" | "cancel", "ID") => "01a2058e15d037359c2e90b3",
        (_, "ID" | "NUMBER") => "1",
        (_, "NAME") => "ann",
        (_, "KIND") => "overdue",
        (_, "SHARE") => "0.5",
        (_, "STATE") => "dead",
        (_, "URL") => "https://rir.example.net/",
        (_, "ADDRESS") => "127.0.0.1:0",
        (_, "PREFIX" | "PREFIX...") => "192.0.2.0/24",
        ("--plan", _) => return Some(format!("sha256-{}", "0a".repeat(32))),
        _ => return None,
    };
    Some(value.to_owned())
}

/// As [`any`], for what is shown of change requests.
fn any_request(before: &str, word: &str) -> Option<String> {
    let value = match (before, word) {
        (_, "ID" | "ID...") => "1",
        (_, "OPERATION") => "reassign-simple",
        (_, "STATE") => "waiting",
        _ => return None,
    };
    Some(value.to_owned())
}

fn is_about_requests(words: &[String]) -> bool {
    words.len() > 1 && words[0] == "requests"
}

fn is_about_mirrors(words: &[String]) -> bool {
    words.len() > 1 && words[0] == "irr"
}

/// What judges needs a NetBox besides, which `routing` has.
fn judges(words: &[String]) -> bool {
    words[1] == "check"
}

/// Takes `--config FILE` out of a command line.
fn without_config(words: &[String]) -> Vec<String> {
    let at = words.iter().position(|word| word == "--config");
    let is_part = |index: usize| at.is_some_and(|at| index == at || index == at + 1);
    words.iter().enumerate().filter(|(index, _)| !is_part(*index)).map(|(_, word)| word.clone()).collect()
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rir-sidecar"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn said(output: &Output) -> String {
    [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat()
}

/// All command lines, without `--config`, by where they are shown.
async fn all() -> BTreeMap<Vec<String>, String> {
    let lines = shown().await;
    let read = |(line, place): (&String, &String)| {
        readings(line).into_iter().map(|words| (without_config(&words), place.clone())).collect::<Vec<_>>()
    };
    lines.iter().flat_map(read).collect()
}

#[tokio::test]
async fn every_command_line_that_is_shown_is_understood_with_config_before_and_behind_it() {
    const MISSING: &str = "/nowhere/settings.toml";
    let (all, mut faults) = (all().await, Vec::new());
    assert!(all.len() > 30, "they are not found any more: {all:?}");
    for (words, place) in &all {
        let words = filled(words, if is_about_requests(words) { any_request } else { any });
        let config = ["--config", MISSING].map(str::to_owned);
        let before = [&config, words.as_slice()].concat();
        let behind = [words.as_slice(), &config].concat();
        let settles = !WITHOUT_SETTINGS.contains(&words[0].as_str()) && !words.contains(&"--help".to_owned());
        // Settings are looked at after all arguments were understood, so that what is said of them shows that.
        let sign = if settles { MISSING } else { "" };
        for (arguments, sign) in [(words, ""), (before, sign), (behind, sign)] {
            if let Some(said) = misunderstood(&arguments, sign).await {
                faults.push(format!("{arguments:?} of {place}: {said}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Runs the program, and returns what it says if it does not understand its arguments, or says nothing of a `sign` of that.
async fn misunderstood(arguments: &[String], sign: &str) -> Option<String> {
    let mut command = program();
    command.env("RIR_SIDECAR__HTTP__LISTEN", free_address()).args(arguments);
    let limit = if sign.is_empty() { LONG_ENOUGH } else { Duration::from_secs(30) };
    let done = match tokio::time::timeout(limit, command.output()).await {
        Ok(done) => done.unwrap(),
        // It works.
        Err(_) if sign.is_empty() => return None,
        Err(_) => return Some("it does not end".to_owned()),
    };
    let (said, ended) = (said(&done), done.status.code().is_some_and(|code| code < 101));
    (!ended || said.contains("try '--help'") || !said.contains(sign)).then_some(said)
}

/// What the commands work on.
struct Bench {
    scene: Scene,
    queue: Queue,
    means: Means,
    settings: tempfile::NamedTempFile,
}

impl Bench {
    async fn new() -> Self {
        let url = std::env::var("RIR_LAB_REDIS_URL")
            .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
        let (scene, queue) = (Scene::new(Target::sandbox().await, small()).await, settings(&url));
        scene.add("extras/notification-groups", serde_json::json!([{ "name": "GROUP" }])).await;
        let more = [("QUEUE__PREFIX", queue.prefix.as_str()), ("WEBHOOK__SECRET", "0123456789abcdef")];
        let means = Means::new(&scene, KEY, &more);
        let settings = tempfile::NamedTempFile::new().unwrap();
        fs::write(settings.path(), format!("[queue]\nurl = \"{url}\"\n")).unwrap();
        Self { scene, queue: Queue::open(&queue).await.unwrap(), means, settings }
    }

    fn with_config<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        [&["--config", self.settings.path().to_str().unwrap()], words].concat()
    }

    async fn run(&self, words: &[&str]) -> Output {
        self.means.run(&self.with_config(words)).await
    }

    async fn start(&self, words: &[&str]) -> Process {
        self.means.start(&self.with_config(words)).await
    }

    /// A job that waits, or was cancelled.
    async fn job(&self, waits: bool) -> String {
        let id = ask(&self.queue, whole(self.scene.config), None, Trigger::Schedule).await;
        if !waits {
            self.queue.cancel(&id, "ann").await.unwrap();
        }
        id.to_string()
    }

    /// The digest of what a sync would write now.
    async fn digest(&self) -> String {
        let preview = self.run(&["sync", "--config-name", CONFIG, "--plan-only", "--output", "json"]).await;
        let document: Value = serde_json::from_slice(&preview.stdout).unwrap();
        document["runs"][0]["digest"].as_str().unwrap().to_owned()
    }

    /// What there is for each word of this command line.
    async fn fill(&self, words: &[String]) -> Vec<String> {
        let job = self.job(words.contains(&"cancel".to_owned())).await;
        let aggregate = self.scene.ids("ipam/aggregates").await[0].to_string();
        let prefix = self.scene.ids("ipam/prefixes").await[0].to_string();
        let digest = if words.contains(&"--plan".to_owned()) { self.digest().await } else { String::new() };
        filled(words, |before, word| match before {
            "show" | "retry" | "cancel" => Some(job.clone()),
            "--aggregate" => Some(aggregate.clone()),
            "--prefix" => Some(prefix.clone()),
            "--config-id" => Some(self.scene.config.to_string()),
            "--config-name" => Some(CONFIG.to_owned()),
            "--plan" => Some(digest.clone()),
            _ => any(before, word),
        })
    }
}

#[tokio::test]
async fn every_command_line_that_is_shown_does_its_work() {
    let (bench, mut faults) = (Bench::new().await, Vec::new());
    for (words, place) in
        all().await.into_iter().filter(|(words, _)| !is_about_requests(words) && !is_about_mirrors(words))
    {
        let words = bench.fill(&words).await;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = match words[0] {
            "demo" | "sandbox" => continue,
            "serve" | "work" => {
                bench.start(&words).await.end().await;
                continue;
            }
            "health" => {
                let process = bench.start(&["serve", "--no-worker"]).await;
                let done = bench.run(&words).await;
                process.end().await;
                done
            }
            _ => bench.run(&words).await,
        };
        if !done.status.success() {
            faults.push(format!("{words:?} of {place}: {}", said(&done)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_command_line_about_change_requests_does_its_work() {
    let (mut tried, mut faults) = (0, Vec::new());
    for (words, place) in all().await.into_iter().filter(|(words, _)| is_about_requests(words)) {
        tried += 1;
        faults.extend(failed(&words).await.map(|said| format!("{words:?} of {place}: {said}")));
    }
    assert!(tried > 20, "they are not found any more");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn every_command_line_about_mirrors_does_its_work() {
    let (mut tried, mut faults) = (0, Vec::new());
    for (words, place) in all().await.into_iter().filter(|(words, _)| is_about_mirrors(words) && !judges(words)) {
        let words = filled(&words, any);
        tried += 1;
        faults.extend(irr_failed(&words, tried).await.map(|said| format!("{words:?} of {place}: {said}")));
    }
    assert!(tried > 8, "they are not found any more");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Runs a command line about a mirror of its own, which is there already; returns what it says if it fails.
async fn irr_failed(words: &[String], number: u32) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let (list, settings) = (folder.path().join("source"), folder.path().join("settings.toml"));
    let redis = std::env::var("RIR_LAB_REDIS_URL")
        .unwrap_or_else(|_| panic!("RIR_LAB_REDIS_URL is not set: tests/run.sh sets it"));
    let name = words.get(2).filter(|word| word.parse::<rir_sidecar::model::SourceName>().is_ok());
    let name = name.map_or("SOURCE", String::as_str);
    let url = format!("file://{}", list.display());
    let source = match name {
        "RPKI" => format!("[rpki]\nvrps = '{url}'\n"),
        _ => format!("[[irr.source]]\nname = '{name}'\ndumps = ['{url}']\n"),
    };
    let text = format!(
        "[netbox]\nurl = 'http://netbox.test/'\ntoken = 'x'\n[queue]\nurl = '{redis}'\nprefix = 'lines-{}-{number}'\n{source}",
        std::process::id(),
    );
    fs::write(&settings, text).unwrap();
    let serves = |count: u8| {
        let route = |number| format!("route: 192.0.{number}.0/24\norigin: AS64496\nsource: {name}\n\n");
        let roa = |number| format!(r#"{{"asn": "AS64496", "prefix": "192.0.{number}.0/24", "maxLength": 24}}"#);
        let text = match name {
            "RPKI" => format!(r#"{{"roas": [{}]}}"#, (0..count).map(roa).collect::<Vec<_>>().join(",")),
            _ => (0..count).map(route).collect(),
        };
        fs::write(&list, text).unwrap();
    };
    let run = async |words: &[&str]| {
        let mut command = program();
        command.current_dir(folder.path()).arg("--config").arg(&settings).args(words).output().await.unwrap()
    };
    serves(20);
    let taken = run(&["irr", "update", name]).await;
    assert!(taken.status.success(), "{}", said(&taken));
    if words[1] == "accept-shrink" {
        serves(1);
        assert!(!run(&["irr", "update", name]).await.status.success());
    }
    let done = run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    (!done.status.success()).then(|| said(&done))
}

#[tokio::test]
async fn the_readme_shows_every_command() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let helps = helps().await;
    let commands: BTreeSet<&str> = helps.keys().filter_map(|words| words.first()).map(String::as_str).collect();
    let shown: Vec<Vec<String>> = lines(&readme, &commands).iter().flat_map(|line| readings(line)).collect();
    for words in helps.keys().filter(|words| !words.is_empty()) {
        assert!(shown.iter().any(|line| line.starts_with(words)), "{words:?}");
    }
}
