//! The metrics for Prometheus, all in one place.
//!
//! A new one is a line in the table of [`Metrics`], and a row in `docs/operations.md`. Names begin with `rir_sidecar_`
//! and end in their unit; labels have few values, and nobody outside can add one (`labels`). Counters of closed sets
//! begin at 0, so that the first event is an increase.

mod labels;

use std::{collections::BTreeMap, fmt, sync::atomic::AtomicU64, time::Duration};

use jiff::Timestamp;
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use reqwest::StatusCode;

use labels::{
    Answered, Asked, Change, Config, Ended, Found, Judged, Kind, Level, Operation, Outcome, Panic, Rejected, Route,
    Source, State, Status, Updated, Verdict, Vocabulary, Word,
};
pub use labels::{Deed, JobEnd, Method, Part, Upstream, Webhook};

use crate::model::ObjectType;

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The bounds of the buckets of latencies, in seconds.
const LATENCIES: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// The bounds of the buckets of waits, in seconds.
const WAITS: [f64; 10] = [0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];
/// The bounds of the buckets of jobs and runs, in seconds.
const SPANS: [f64; 12] = [0.1, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 7200.0];

/// Limits how many routes, operations, registries, sources or reasons are told apart: there are far fewer.
const MOST_NAMES: usize = 200;
/// Limits how many RIR configs are told apart.
const MOST_CONFIGS: usize = 1000;

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;
type Real = Gauge<f64, AtomicU64>;

/// Makes [`Metrics`] from a table: field, type and first value, then name and help text.
macro_rules! metrics {
    ($($field:ident: $kind:ty = $new:expr, $name:literal, $help:literal;)+) => {
        /// All metrics of the process.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            words: Words,
            $($field: $kind,)+
        }

        impl Default for Metrics {
            fn default() -> Self {
                let mut registry = Registry::with_prefix("rir_sidecar");
                registry.register("build", "What runs here", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
                $(let $field: $kind = $new; registry.register($name, $help, $field.clone());)+
                let metrics = Self { registry, words: Words::default(), $($field,)+ };
                metrics.begin();
                metrics
            }
        }
    };
}

/// The words of labels that are known only when the process runs.
#[derive(Debug)]
struct Words {
    routes: Vocabulary,
    operations: Vocabulary,
    registries: Vocabulary,
    configs: Vocabulary,
    sources: Vocabulary,
    reasons: Vocabulary,
}

impl Default for Words {
    fn default() -> Self {
        let [routes, operations, registries, sources, reasons] = [(); 5].map(|()| Vocabulary::of(MOST_NAMES));
        Self { routes, operations, registries, configs: Vocabulary::of(MOST_CONFIGS), sources, reasons }
    }
}

metrics! {
    http_requests: Family<Answered, Counter> = Family::default(), "http_requests", "HTTP requests answered";
    http_latency: Histograms<Route> = histograms(latencies), "http_request_duration_seconds",
        "Time from a request's arrival to the head of its answer";
    http_connections: Gauge = Gauge::default(), "http_connections", "Connections that are open";
    http_connections_refused: Counter = Counter::default(), "http_connections_refused",
        "Connections beyond http.max_connections, which were not served";
    webhooks: Family<Outcome, Counter> = Family::default(), "webhooks", "Webhooks from NetBox by what became of them";
    queue_up: Gauge = Gauge::default(), "queue_up", "Whether the queue answered when these figures were asked for";
    queue_jobs: Family<State, Gauge> = Family::default(), "queue_jobs",
        "Jobs in the queue by state, those that are over left out";
    oldest_ready: Real = Real::default(), "queue_oldest_ready_seconds",
        "How long the oldest job that could run has been waiting for a worker";
    jobs: Family<Ended, Counter> = Family::default(), "jobs", "Jobs that this process worked on, by how that ended";
    job_duration: Histograms<Kind> = histograms(spans), "job_duration_seconds",
        "Time from the claim of a job to its end, however it ended";
    runs: Family<Outcome, Counter> = Family::default(), "runs",
        "Sync runs by their result; one that is tried again or goes on later counts at its end";
    run_duration: Histogram = spans(), "run_duration_seconds", "Time from the beginning of a sync run to its end";
    changes: Family<Change, Counter> = Family::default(), "changes",
        "What sync runs did with objects, unchanged ones left out";
    last_success: Family<Config, Real> = Family::default(), "config_last_success_timestamp_seconds",
        "When an RIR config was last synced as a whole and without a failure";
    active: Family<Config, Gauge> = Family::default(), "config_active",
        "Whether an RIR config is active; told by the replica that holds the schedule";
    unrecorded: Counter = Counter::default(), "unrecorded_results",
        "Results of sync runs that NetBox did not take, so that the RIR config does not tell of them";
    findings: Family<Found, Gauge> = Family::default(), "findings",
        "Open findings that nobody ignores; told by the replica that holds the schedule";
    findings_overdue: Family<Config, Gauge> = Family::default(), "findings_overdue_days",
        "How many days ago the earliest due date of an open finding was, 0 if none has passed";
    findings_subjects: Family<Judged, Gauge> = Family::default(), "findings_subjects",
        "Prefixes that were judged for the findings, by what was found out about them";
    findings_judged: Family<Config, Real> = Family::default(), "findings_last_judged_timestamp_seconds",
        "When all of an RIR config was last judged for the findings; 0 if it was synced and never judged";
    findings_looked: Family<Config, Real> = Family::default(), "findings_last_complete_look_timestamp_seconds",
        "When the aggregate that was looked at longest ago was last looked at completely";
    findings_failures: Counter = Counter::default(), "findings_refresh_failures",
        "Times that the findings could not be brought up to date";
    swept: Counter = Counter::default(), "swept_changes",
        "Changes in NetBox that no webhook told of and that were found in its change log";
    panics: Family<Panic, Counter> = Family::default(), "panics",
        "Faults of rir-sidecar itself, by the part of the service that went on without what they broke off";
    asked: Family<Asked, Counter> = Family::default(), "upstream_requests",
        "Requests to ARIN and NetBox, retries included";
    latency: Histograms<Operation> = histograms(latencies), "upstream_request_duration_seconds",
        "Time from the sending of a request to the head of its answer";
    retries: Family<Operation, Counter> = Family::default(), "upstream_retries",
        "Requests sent again after a failure that may pass";
    spared: Counter = Counter::default(), "spared_questions",
        "Questions to ARIN that its public listing spared";
    throttle_wait: Histograms<labels::Registry> = histograms(waits), "throttle_wait_seconds",
        "How long a request waited for its turn at a registry";
    rate: Family<labels::Registry, Real> = Family::default(), "throttle_requests_per_second",
        "How many requests a second may go to a registry, by the settings and by what its 429s have taught; without a \
         limit there is no such line";
    irr_checked: Family<Source, Real> = Family::default(), "irr_last_checked_timestamp_seconds",
        "When the registry of a mirrored source was last asked successfully; 0 if it never was";
    irr_interval: Family<Source, Real> = Family::default(), "irr_interval_seconds",
        "How often a mirrored source is looked at";
    irr_serial: Family<Source, Gauge> = Family::default(), "irr_serial",
        "The newest serial that is held of a mirrored source";
    irr_objects: Family<Source, Gauge> = Family::default(), "irr_objects",
        "Objects in the last snapshot of a mirrored source";
    irr_stored: Family<Source, Gauge> = Family::default(), "irr_stored_bytes",
        "Bytes that the last snapshot of a mirrored source takes in the store";
    irr_trouble: Family<Source, Gauge> = Family::default(), "irr_trouble",
        "Whether something keeps a mirrored source from being updated";
    irr_shrink_refused: Family<Source, Gauge> = Family::default(), "irr_shrink_refused",
        "Whether a dump of a mirrored source was refused for having too few objects, and nobody has accepted it";
    irr_rejected: Family<Rejected, Gauge> = Family::default(), "irr_rejected_objects",
        "Objects of a mirrored source that were left out since its last dump was taken, by the reason";
    irr_updates: Family<Updated, Counter> = Family::default(), "irr_updates",
        "Updates of a mirrored source by this process, by their result";
    routing_ranges: Family<Verdict, Gauge> = Family::default(), "routing_ranges",
        "Ranges of the own space by how they stand in the routing registries";
    routing_levels: Family<Level, Gauge> = Family::default(), "routing_levels",
        "Ranges of the own space by how urgent it is to put them right";
    routing_judged: Real = Real::default(), "routing_last_judged_timestamp_seconds",
        "When it was last judged how ranges stand in the routing registries; 0 if it never was";
}

fn histograms<L: Clone + std::hash::Hash + Eq>(new: fn() -> Histogram) -> Histograms<L> {
    Family::new_with_constructor(new)
}

fn latencies() -> Histogram {
    Histogram::new(LATENCIES)
}

fn waits() -> Histogram {
    Histogram::new(WAITS)
}

fn spans() -> Histogram {
    Histogram::new(SPANS)
}

/// The state of an RIR config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigFigures<'a> {
    /// Its name in NetBox.
    pub name: &'a str,
    /// True if it is synced by itself.
    pub active: bool,
    /// The time of its last sync, if nothing failed in that.
    pub last_success: Option<Timestamp>,
}

/// The findings of an RIR config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingFigures<'a> {
    /// The config's name in NetBox.
    pub config: &'a str,
    /// The number of open findings by kind and level.
    pub counts: BTreeMap<(&'static str, &'static str), u64>,
    /// The days since the earliest due date that has passed.
    pub overdue_days: u64,
    /// The number of prefixes by what was found out about them.
    pub subjects: BTreeMap<&'static str, u64>,
    /// The time at which all of it was last judged, the beginning of all times if it never was; `None` if it was never
    /// synced either.
    pub judged: Option<Timestamp>,
    /// The oldest of the last complete looks at its aggregates.
    pub last_complete_look: Option<Timestamp>,
}

/// How the mirror of a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFigures<'a> {
    /// The source's name.
    pub name: &'a str,
    /// The time between two looks at it.
    pub interval: Duration,
    /// The time at which its registry was last asked successfully.
    pub checked: Option<Timestamp>,
    /// The newest serial, if it tells any.
    pub serial: Option<u64>,
    /// The objects of its snapshot.
    pub objects: u64,
    /// The bytes that the snapshot takes.
    pub stored: u64,
    /// True if something keeps it from being updated.
    pub is_in_trouble: bool,
    /// True if a dump was refused for having too few objects, and nobody has accepted it.
    pub is_shrink_refused: bool,
    /// The objects that were left out, by the reason.
    pub rejected: BTreeMap<String, u64>,
}

/// Metrics of HTTP, webhooks and the queue.
impl Metrics {
    /// Counts an HTTP request that was answered.
    pub fn answered(&self, method: Method, route: &str, status: StatusCode, took: Duration) {
        let (method, route, status) = (method.word(), self.words.routes.word(route), Status::of(status));
        self.http_requests.get_or_create(&Answered { method, route: route.clone(), status }).inc();
        self.http_latency.get_or_create(&Route { method, route }).observe(took.as_secs_f64());
    }

    /// Records that a connection began.
    pub fn connected(&self) {
        self.http_connections.inc();
    }

    /// Records that a connection ended.
    pub fn disconnected(&self) {
        self.http_connections.dec();
    }

    /// Counts a connection that was one too many.
    pub fn connection_refused(&self) {
        self.http_connections_refused.inc();
    }

    /// Counts a webhook.
    pub fn webhook(&self, result: Webhook) {
        self.webhooks.get_or_create(&Outcome { result: result.word() }).inc();
    }

    /// Records the state of the queue: its jobs by state, and the wait of the oldest ready one. `None` means that the
    /// queue did not answer.
    pub fn queue(&self, figures: Option<(BTreeMap<&'static str, u64>, Duration)>) {
        self.queue_up.set(i64::from(figures.is_some()));
        let Some((jobs, oldest)) = figures else { return };
        for (state, count) in jobs {
            self.queue_jobs.get_or_create(&State { state }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.oldest_ready.set(oldest.as_secs_f64());
    }

    /// Returns all metrics in the text form that Prometheus reads.
    ///
    /// # Errors
    /// When they cannot be written, for which there is no known reason.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// Metrics of jobs and runs.
impl Metrics {
    /// Counts a job, of one of [`Metrics::expect`]'s kinds.
    pub fn job(&self, kind: &'static str, end: JobEnd, took: Duration) {
        self.jobs.get_or_create(&Ended { kind, result: end.word() }).inc();
        self.job_duration.get_or_create(&Kind { kind }).observe(took.as_secs_f64());
    }

    /// Counts a run, with one of [`Metrics::expect`]'s results.
    pub fn run(&self, result: &'static str, took: Duration) {
        self.runs.get_or_create(&Outcome { result }).inc();
        self.run_duration.observe(took.as_secs_f64());
    }

    /// Counts an object that a run did something with.
    pub fn change(&self, object: ObjectType, deed: Deed) {
        self.changes.get_or_create(&Change { object_type: object.name(), action: deed.word() }).inc();
    }

    /// Counts a run whose result could not be written to its config.
    pub fn unrecorded(&self) {
        self.unrecorded.inc();
    }

    /// Counts questions to the registry that a run did not have to ask.
    pub fn spared(&self, questions: u64) {
        self.spared.inc_by(questions);
    }

    /// Counts changes that were found in NetBox's change log.
    pub fn swept(&self, changes: usize) {
        self.swept.inc_by(u64::try_from(changes).unwrap_or(u64::MAX));
    }

    /// Counts a panic.
    pub fn panicked(&self, part: Part) {
        self.panics.get_or_create(&Panic { part: part.word() }).inc();
    }

    /// Lets the counters of these kinds of jobs and results of runs begin at 0.
    pub fn expect(&self, kinds: &[&'static str], results: &[&'static str]) {
        for kind in kinds {
            for result in JobEnd::WORDS {
                drop(self.jobs.get_or_create(&Ended { kind, result }));
            }
        }
        for result in results {
            drop(self.runs.get_or_create(&Outcome { result }));
        }
    }

    fn begin(&self) {
        for result in Webhook::WORDS {
            drop(self.webhooks.get_or_create(&Outcome { result }));
        }
        for part in Part::WORDS {
            drop(self.panics.get_or_create(&Panic { part }));
        }
        for object_type in ObjectType::ALL.map(ObjectType::name) {
            for action in Deed::WORDS {
                drop(self.changes.get_or_create(&Change { object_type, action }));
            }
        }
    }
}

/// Metrics of RIR configs.
impl Metrics {
    /// Records the state of all RIR configs that NetBox has. Others are not reported any longer.
    pub fn configs(&self, all: &[ConfigFigures<'_>]) {
        let gone = self.words.configs.keep(all.iter().map(|config| config.name));
        self.active.clear();
        for config in gone {
            self.last_success.remove(&Config { config });
        }
        for ConfigFigures { name, active, last_success } in all {
            self.active.get_or_create(&self.config(name)).set(i64::from(*active));
            if let Some(when) = last_success {
                self.succeeded(name, *when);
            }
        }
    }

    /// Leaves it to another replica to report which configs are active.
    pub fn leave_configs(&self) {
        self.active.clear();
    }

    /// Records when a config was synced as a whole and without a failure.
    pub fn succeeded(&self, config: &str, when: Timestamp) {
        let gauge = self.last_success.get_or_create_owned(&self.config(config));
        gauge.set(gauge.get().max(when.as_millisecond() as f64 / 1e3));
    }

    /// Records the findings of all RIR configs that NetBox has. Others are not reported any longer.
    pub fn findings(&self, all: &[FindingFigures<'_>]) {
        self.leave_findings();
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let seconds = |time: Timestamp| time.as_millisecond() as f64 / 1e3;
        for figures in all {
            let of = self.config(figures.config);
            for ((kind, level), count) in &figures.counts {
                let found = Found { config: of.config.clone(), kind, level };
                self.findings.get_or_create(&found).set(number(*count));
            }
            for (state, count) in &figures.subjects {
                self.findings_subjects.get_or_create(&Judged { config: of.config.clone(), state }).set(number(*count));
            }
            self.findings_overdue.get_or_create(&of).set(number(figures.overdue_days));
            if let Some(judged) = figures.judged {
                self.findings_judged.get_or_create(&of).set(seconds(judged));
            }
            if let Some(looked) = figures.last_complete_look {
                self.findings_looked.get_or_create(&of).set(seconds(looked));
            }
        }
    }

    /// Leaves it to another replica to report the findings.
    pub fn leave_findings(&self) {
        self.findings.clear();
        self.findings_overdue.clear();
        self.findings_subjects.clear();
        self.findings_judged.clear();
        self.findings_looked.clear();
    }

    /// Counts findings that could not be brought up to date.
    pub fn findings_not_refreshed(&self) {
        self.findings_failures.inc();
    }

    fn config(&self, name: &str) -> Config {
        Config { config: self.words.configs.word(name) }
    }
}

/// Metrics of the requests to ARIN and NetBox.
impl Metrics {
    /// Counts a request by the status of its answer, or by the reason why there was none.
    pub fn upstream(
        &self,
        upstream: Upstream,
        operation: &str,
        answer: &reqwest::Result<reqwest::Response>,
        took: Duration,
    ) {
        let status = match answer {
            Ok(answer) => Status::of(answer.status()),
            Err(error) if error.is_timeout() => Status::Timeout,
            Err(_) => Status::Unreachable,
        };
        let (upstream, operation) = (upstream.word(), self.words.operations.word(operation));
        self.latency.get_or_create(&Operation { upstream, operation: operation.clone() }).observe(took.as_secs_f64());
        self.asked.get_or_create(&Asked { upstream, operation, status }).inc();
    }

    /// Counts a request that is sent once more.
    pub fn retried(&self, upstream: Upstream, operation: &str) {
        let (upstream, operation) = (upstream.word(), self.words.operations.word(operation));
        self.retries.get_or_create(&Operation { upstream, operation }).inc();
    }

    /// Records the rate at which requests may go to a registry instance; `None` for any.
    pub fn rate(&self, instance: &str, per_second: Option<f64>) {
        let registry = labels::Registry { registry: self.words.registries.word(instance) };
        match per_second {
            Some(per_second) => {
                self.rate.get_or_create(&registry).set(per_second);
            }
            None => {
                self.rate.remove(&registry);
            }
        }
    }

    /// Records how long a request waited for its turn at a registry instance.
    pub fn waited(&self, instance: &str, wait: Duration) {
        self.throttle_wait
            .get_or_create(&labels::Registry { registry: self.words.registries.word(instance) })
            .observe(wait.as_secs_f64());
    }
}

/// Metrics of the mirrors of routing registries.
impl Metrics {
    /// Records how the mirrors stand.
    pub fn sources(&self, all: &[SourceFigures<'_>]) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for figures in all {
            let of = Source { source: self.words.sources.word(figures.name) };
            let checked = figures.checked.unwrap_or_default().as_millisecond() as f64 / 1e3;
            self.irr_checked.get_or_create_owned(&of).set(checked);
            self.irr_interval.get_or_create_owned(&of).set(figures.interval.as_secs_f64());
            match figures.serial {
                Some(serial) => drop(self.irr_serial.get_or_create(&of).set(number(serial))),
                None => drop(self.irr_serial.remove(&of)),
            }
            self.irr_objects.get_or_create(&of).set(number(figures.objects));
            self.irr_stored.get_or_create(&of).set(number(figures.stored));
            self.irr_trouble.get_or_create(&of).set(i64::from(figures.is_in_trouble));
            self.irr_shrink_refused.get_or_create(&of).set(i64::from(figures.is_shrink_refused));
            for (reason, count) in self.by_known_reason(&figures.rejected) {
                let of = Rejected { source: of.source.clone(), reason };
                self.irr_rejected.get_or_create(&of).set(number(count));
            }
        }
    }

    /// Returns the counts of all reasons that were ever met: one that does not hold any more has 0.
    fn by_known_reason(&self, rejected: &BTreeMap<String, u64>) -> BTreeMap<Word, u64> {
        let mut counts: BTreeMap<Word, u64> = self.words.reasons.known().into_iter().map(|word| (word, 0)).collect();
        for (reason, count) in rejected {
            let of_reason = counts.entry(self.words.reasons.word(reason)).or_default();
            *of_reason = of_reason.saturating_add(*count);
        }
        counts
    }

    /// Counts an update of a mirror, with one of [`Metrics::expect_sources`]' results.
    pub fn source_updated(&self, source: &str, result: &'static str) {
        self.irr_updates.get_or_create(&Updated { source: self.words.sources.word(source), result }).inc();
    }

    /// Records how ranges stood in the routing registries when they were last judged.
    pub fn routing(&self, verdicts: &[(&'static str, u64)], levels: &[(&'static str, u64)], judged: Timestamp) {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (verdict, count) in verdicts {
            self.routing_ranges.get_or_create(&Verdict { verdict }).set(number(*count));
        }
        for (level, count) in levels {
            self.routing_levels.get_or_create(&Level { level }).set(number(*count));
        }
        self.routing_judged.set(judged.as_millisecond() as f64 / 1e3);
    }

    /// Lets the counters of these results begin at 0 for each of these sources.
    pub fn expect_sources<'a>(&self, sources: impl Iterator<Item = &'a str>, results: &[&'static str]) {
        for source in sources {
            let source = self.words.sources.word(source);
            for result in results {
                drop(self.irr_updates.get_or_create(&Updated { source: source.clone(), result }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics, of: &str) -> Vec<String> {
        metrics.text().unwrap().lines().filter(|line| line.starts_with(of)).map(str::to_owned).collect()
    }

    #[test]
    fn counters_of_closed_sets_begin_at_zero() {
        let metrics = Metrics::default();
        metrics.expect(&["sync-config"], &["failed"]);
        assert_eq!(lines(&metrics, "rir_sidecar_runs_total"), ["rir_sidecar_runs_total{result=\"failed\"} 0"]);
        assert_eq!(lines(&metrics, "rir_sidecar_jobs_total").len(), JobEnd::WORDS.len());
        assert_eq!(lines(&metrics, "rir_sidecar_changes_total").len(), 25);
        assert_eq!(lines(&metrics, "rir_sidecar_webhooks_total").len(), 8);
    }

    #[test]
    fn a_config_that_is_gone_is_told_of_no_more_and_a_success_is_remembered() {
        let (metrics, at) = (Metrics::default(), |second| Some(Timestamp::from_second(second).unwrap()));
        let of = |name, active, last_success| ConfigFigures { name, active, last_success };
        metrics.configs(&[of("gone", true, at(5)), of("kept", true, at(7))]);
        // Its last sync has failed meanwhile.
        metrics.configs(&[of("kept", false, None)]);
        assert_eq!(lines(&metrics, "rir_sidecar_config_active{"), ["rir_sidecar_config_active{config=\"kept\"} 0"]);
        let success = "rir_sidecar_config_last_success_timestamp_seconds{config=\"kept\"} 7.0";
        assert_eq!(lines(&metrics, "rir_sidecar_config_last_success_timestamp_seconds{"), [success]);
        metrics.leave_configs();
        assert_eq!(lines(&metrics, "rir_sidecar_config_active{"), Vec::<String>::new());
    }

    #[test]
    fn findings_are_told_as_they_are_now_and_by_one_replica_only() {
        let (metrics, at) = (Metrics::default(), Timestamp::from_second(7).unwrap());
        let figures = FindingFigures {
            config: "ours",
            counts: BTreeMap::from([(("overdue", "alert"), 2), (("stale", "notice"), 1)]),
            overdue_days: 12,
            subjects: BTreeMap::from([("subjects", 9), ("unknown", 0)]),
            judged: Some(at),
            last_complete_look: Some(at),
        };
        let before = lines(&metrics, "rir_sidecar_findings");
        metrics.findings(std::slice::from_ref(&figures));
        let mut told = lines(&metrics, "rir_sidecar_findings");
        told.sort_unstable();
        insta::assert_snapshot!(told.join("\n"), @r#"
        rir_sidecar_findings_last_complete_look_timestamp_seconds{config="ours"} 7.0
        rir_sidecar_findings_last_judged_timestamp_seconds{config="ours"} 7.0
        rir_sidecar_findings_overdue_days{config="ours"} 12
        rir_sidecar_findings_refresh_failures_total 0
        rir_sidecar_findings_subjects{config="ours",state="subjects"} 9
        rir_sidecar_findings_subjects{config="ours",state="unknown"} 0
        rir_sidecar_findings{config="ours",kind="overdue",level="alert"} 2
        rir_sidecar_findings{config="ours",kind="stale",level="notice"} 1
        "#);
        metrics.findings(&[FindingFigures { counts: BTreeMap::new(), judged: None, ..figures }]);
        assert_eq!(lines(&metrics, "rir_sidecar_findings{"), Vec::<String>::new());
        assert_eq!(lines(&metrics, "rir_sidecar_findings_last_judged"), Vec::<String>::new());
        metrics.leave_findings();
        assert_eq!(lines(&metrics, "rir_sidecar_findings"), before);
    }

    #[test]
    fn a_mirror_is_told_as_it_is_now() {
        let metrics = Metrics::default();
        metrics.expect_sources(["TEST"].into_iter(), &["failed"]);
        let figures = SourceFigures {
            name: "TEST",
            interval: Duration::from_secs(300),
            checked: Some(Timestamp::from_second(7).unwrap()),
            serial: Some(12),
            objects: 3,
            stored: 400,
            is_in_trouble: true,
            is_shrink_refused: true,
            rejected: BTreeMap::from([("host-bits".to_owned(), 2)]),
        };
        let told = |figures: &SourceFigures<'_>| {
            metrics.sources(std::slice::from_ref(figures));
            let mut told = lines(&metrics, "rir_sidecar_irr_");
            told.sort_unstable();
            told.join("\n")
        };
        insta::assert_snapshot!(told(&figures), @r#"
        rir_sidecar_irr_interval_seconds{source="TEST"} 300.0
        rir_sidecar_irr_last_checked_timestamp_seconds{source="TEST"} 7.0
        rir_sidecar_irr_objects{source="TEST"} 3
        rir_sidecar_irr_rejected_objects{source="TEST",reason="host-bits"} 2
        rir_sidecar_irr_serial{source="TEST"} 12
        rir_sidecar_irr_shrink_refused{source="TEST"} 1
        rir_sidecar_irr_stored_bytes{source="TEST"} 400
        rir_sidecar_irr_trouble{source="TEST"} 1
        rir_sidecar_irr_updates_total{source="TEST",result="failed"} 0
        "#);
        metrics.source_updated("TEST", "failed");
        let rejected = BTreeMap::from([("bad-prefix".to_owned(), 1)]);
        let healed = SourceFigures {
            checked: None,
            serial: None,
            is_in_trouble: false,
            is_shrink_refused: false,
            rejected,
            ..figures
        };
        insta::assert_snapshot!(told(&healed), @r#"
        rir_sidecar_irr_interval_seconds{source="TEST"} 300.0
        rir_sidecar_irr_last_checked_timestamp_seconds{source="TEST"} 0.0
        rir_sidecar_irr_objects{source="TEST"} 3
        rir_sidecar_irr_rejected_objects{source="TEST",reason="bad-prefix"} 1
        rir_sidecar_irr_rejected_objects{source="TEST",reason="host-bits"} 0
        rir_sidecar_irr_shrink_refused{source="TEST"} 0
        rir_sidecar_irr_stored_bytes{source="TEST"} 400
        rir_sidecar_irr_trouble{source="TEST"} 0
        rir_sidecar_irr_updates_total{source="TEST",result="failed"} 1
        "#);
    }

    #[test]
    fn the_version_is_told() {
        let line = concat!("rir_sidecar_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1");
        assert_eq!(lines(&Metrics::default(), "rir_sidecar_build_info"), [line]);
    }
}
