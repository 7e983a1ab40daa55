//! The documents about figures: dashboards, alerts and the manual name those that there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rir_sidecar::{
    findings::Kind,
    telemetry::metrics::{ConfigFigures, FindingFigures, JobEnd, Method, Metrics, SourceFigures, Upstream},
};

/// All figures in their own words. Some are silent until there is something to tell.
async fn told() -> String {
    let (metrics, second) = (Metrics::default(), Duration::from_secs(1));
    metrics.answered(Method::of("GET"), "/", reqwest::StatusCode::OK, second);
    metrics.queue(Some((BTreeMap::from([("ready", 1)]), second)));
    metrics.job("sync-config", JobEnd::Done, second);
    metrics.run("changed", second);
    metrics.configs(&[ConfigFigures { name: "ours", active: true, last_success: Some(Timestamp::now()) }]);
    // Fails when another test of this process was first, which is just as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    metrics.upstream(Upstream::Arin, "org", &reqwest::get("http://127.0.0.1:1/").await, second);
    metrics.retried(Upstream::Arin, "org");
    metrics.waited("arin", second);
    metrics.findings(&[FindingFigures {
        config: "ours",
        counts: BTreeMap::from([(("overdue", "alert"), 1)]),
        overdue_days: 1,
        subjects: BTreeMap::from([("subjects", 1)]),
        judged: Some(Timestamp::now()),
        last_complete_look: Some(Timestamp::now()),
    }]);
    metrics.rate("arin", Some(10.0));
    metrics.routing(&[("ok", 1)], &[("ok", 1)], Timestamp::now());
    metrics.sources(&[SourceFigures {
        name: "TEST",
        interval: second,
        checked: Some(Timestamp::now()),
        serial: Some(1),
        objects: 1,
        stored: 1,
        is_in_trouble: false,
        is_shrink_refused: false,
        rejected: BTreeMap::from([("host-bits".to_owned(), 1)]),
    }]);
    metrics.source_updated("TEST", "imported");
    metrics.text().unwrap()
}

/// The figures by the name that the manual has them under, each with the names of its samples.
async fn figures() -> BTreeMap<String, Vec<String>> {
    let text = told().await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let figure = |(name, kind): (&str, &str)| {
        let of = |endings: &[&str]| endings.iter().map(|ending| format!("{name}{ending}")).collect::<Vec<_>>();
        match kind {
            "counter" => (format!("{name}_total"), of(&["_total"])),
            "histogram" => (name.to_owned(), of(&["_bucket", "_sum", "_count"])),
            "info" => (format!("{name}_info"), of(&["_info"])),
            "gauge" => (name.to_owned(), of(&[""])),
            other => panic!("{name} is a {other}, which has no place here yet"),
        }
    };
    types.map(figure).collect()
}

/// All names of figures in a text.
fn named(text: &str) -> BTreeSet<String> {
    let name = regex_lite::Regex::new(r"\brir_sidecar_[a-z0-9_]+").unwrap();
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn path(inside: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(inside)
}

/// The dashboard and the alert rules, and the copies that the chart has of them.
fn users() -> Vec<PathBuf> {
    let folder = path("helm/netbox-rir-sidecar/files");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    let files = files.map(|entry| entry.unwrap().path());
    let in_chart = files.filter(|file| file.extension().is_some_and(|kind| kind == "yaml" || kind == "json"));
    [path("deploy/grafana/dashboard.json"), path("deploy/prometheus/alerts.yaml")].into_iter().chain(in_chart).collect()
}

#[tokio::test]
async fn dashboards_and_alerts_use_only_figures_that_exist() {
    let samples: BTreeSet<String> = figures().await.into_values().flatten().collect();
    let files = users();
    assert!(files.len() > 2, "the chart has none");
    for file in files {
        let used = named(&read(&file));
        assert!(!used.is_empty(), "{} uses no figure", file.display());
        let unknown: Vec<&String> = used.difference(&samples).collect();
        assert!(unknown.is_empty(), "{} uses {unknown:?}", file.display());
    }
}

#[tokio::test]
async fn the_manual_tells_of_every_figure_and_of_no_other() {
    let figures = figures().await;
    let text = read(&path("docs/operations.md"));
    let rows: BTreeSet<String> = text.lines().filter(|line| line.starts_with('|')).flat_map(named).collect();
    let missing: Vec<&String> = figures.keys().filter(|name| !rows.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/operations.md has no row for {missing:?}");
    let known: BTreeSet<String> =
        figures.into_iter().flat_map(|(name, samples)| samples.into_iter().chain([name])).collect();
    let unknown: Vec<String> = named(&text).difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "docs/operations.md tells of {unknown:?}");
}

#[tokio::test]
async fn all_figures_of_the_process_are_found() {
    let source = include_str!("../../src/telemetry/metrics/mod.rs");
    let table = source.split("metrics! {\n").nth(1).unwrap().split("\n}").next().unwrap();
    let (registered, found) = (table.matches("\";").count() + 1, figures().await);
    assert_eq!(found.len(), registered, "`told` leaves one out: {:?}", found.keys());
}

/// The sections of the guide about kinds: the name of each, and its first words.
fn guide() -> Vec<(String, String)> {
    let text = read(&path("docs/findings.md"));
    let sections = text.split("\n### ").skip(1);
    let parts = |section: &str| {
        let (name, rest) = section.split_once('\n')?;
        Some((name.to_owned(), rest.trim_start().to_owned()))
    };
    sections.filter_map(parts).collect()
}

#[test]
fn the_guide_explains_each_kind_of_finding() {
    let names: Vec<String> = guide().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, Kind::ALL.map(Kind::name));
}

#[test]
fn the_guide_begins_each_kind_with_its_level_and_goes_on_with_what_to_do() {
    for (name, text) in guide() {
        assert!(["*Alert", "*Notice", "*Info"].iter().any(|level| text.starts_with(level)), "{name}: {text}");
        assert!(text.trim().contains("\n\n"), "{name} does not say what to do");
    }
}
