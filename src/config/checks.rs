//! The checks of the settings: one function a section, and the secrets.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{
    problem::Problem,
    secret_file::secret_file,
    settings::{Arin, Http, Netbox, Queue, QueueMode, Schedule, Settings, Sweep, Webhook, Worker},
};

/// The length from which a secret may sign NetBox's webhooks.
const SHORTEST_SECRET: usize = 16;
/// The shortest lease: one that is shorter is lost in a pause of the machine.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
/// The longest time between sweeps. Changes that were seen are remembered for two hours, and a sweep looks back on less
/// than half of that.
const LONGEST_SWEEP: Duration = Duration::from_secs(3600);

/// Adds a problem for each value that cannot be used, and for values that exclude each other.
pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let mut checks = Checks(problems);
    checks.netbox(&settings.netbox);
    checks.arin(&settings.arin);
    checks.share("sync.max_retired_share", settings.sync.max_retired_share);
    checks.queue(&settings.queue);
    checks.worker(&settings.worker);
    checks.http(&settings.http);
    checks.webhook(&settings.webhook);
    checks.schedule(&settings.schedule);
    checks.sweep(&settings.sweep);
    checks.share("telemetry.trace_share", settings.telemetry.trace_share);
}

struct Checks<'a>(&'a mut Vec<Problem>);

impl Checks<'_> {
    fn netbox(&mut self, netbox: &Netbox) {
        self.at_least_one("netbox.page_size", netbox.page_size as usize);
        self.at_least_one("netbox.batch_size", netbox.batch_size);
        self.at_least_one("netbox.writes_in_flight", netbox.writes_in_flight);
        self.not_zero("netbox.timeout", netbox.timeout);
    }

    fn arin(&mut self, arin: &Arin) {
        self.at_least_one("arin.max_in_flight", arin.max_in_flight);
        self.at_least_one("arin.burst", arin.burst as usize);
        self.at_least_one("arin.max_body_bytes", arin.max_body_bytes);
        let urls = "arin.allowed_base_urls";
        self.refuse_if(
            arin.allowed_base_urls.is_empty(),
            urls,
            "is empty, so no registry may be asked; list at least one",
        );
        for url in arin.allowed_base_urls.iter().filter(|url| url.path().trim_matches('/').ends_with("rest")) {
            self.refuse_if(true, urls, format!("`{url}` ends in /rest; leave that part away"));
        }
        self.not_zero("arin.timeout", arin.timeout);
        self.not_zero("arin.connect_timeout", arin.connect_timeout);
        let longer = arin.connect_timeout > arin.timeout;
        self.refuse_if(longer, "arin.connect_timeout", "is longer than arin.timeout, which includes it");
    }

    fn queue(&mut self, queue: &Queue) {
        self.at_least_one("queue.max_attempts", queue.max_attempts as usize);
        self.at_least("queue.lease", queue.lease, SHORTEST_LEASE);
        self.at_least("queue.keep", queue.keep, Duration::from_secs(60));
        self.at_least("queue.retry_backoff", queue.retry_backoff, Duration::from_millis(1));
        let nameless = queue.mode == QueueMode::Sentinel && queue.sentinel_master.is_empty();
        self.refuse_if(nameless, "queue.sentinel_master", "is not set; name the group that the sentinels watch");
        let unfit = queue.prefix.is_empty() || queue.prefix.contains(['{', '}', ' ']);
        self.refuse_if(unfit, "queue.prefix", "has to be a word without braces, such as `rir-sidecar`");
    }

    fn worker(&mut self, worker: &Worker) {
        self.at_least_one("worker.concurrency", worker.concurrency);
        self.at_least("worker.shutdown_timeout", worker.shutdown_timeout, Duration::from_secs(1));
    }

    fn http(&mut self, http: &Http) {
        self.at_least_one("http.unknown_tokens_per_minute", http.unknown_tokens_per_minute as usize);
        self.at_least_one("http.max_body_bytes", http.max_body_bytes);
        self.at_least_one("http.max_connections", http.max_connections);
        self.not_zero("http.timeout", http.timeout);
    }

    fn webhook(&mut self, webhook: &Webhook) {
        let longer = webhook.debounce > webhook.debounce_longest;
        self.refuse_if(longer, "webhook.debounce", "is longer than webhook.debounce_longest");
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.at_least("schedule.interval", schedule.interval, Duration::from_secs(60));
        self.at_least("schedule.tick", schedule.tick, Duration::from_secs(1));
    }

    fn sweep(&mut self, sweep: &Sweep) {
        let too_long = !sweep.interval.is_zero() && sweep.interval + sweep.settle > LONGEST_SWEEP;
        let remedy = "and sweep.settle are more than an hour together; webhooks are not remembered for longer";
        self.refuse_if(too_long, "sweep.interval", remedy);
    }

    fn at_least_one(&mut self, key: &str, value: usize) {
        self.refuse_if(value == 0, key, "is 0; set it to 1 or more");
    }

    fn not_zero(&mut self, key: &str, time: Duration) {
        self.refuse_if(time.is_zero(), key, "is zero, so every request would fail; set a time such as `30s`");
    }

    fn at_least(&mut self, key: &str, time: Duration, least: Duration) {
        let remedy = format!("is too short; set it to {} or more", humantime::format_duration(least));
        self.refuse_if(time < least, key, remedy);
    }

    fn share(&mut self, key: &str, share: f64) {
        self.refuse_if(!(0.0..=1.0).contains(&share), key, "is a share between 0 and 1; write 0.2 for 20 %");
    }

    fn refuse_if(&mut self, wrong: bool, key: &str, remedy: impl Into<String>) {
        if wrong {
            self.0.push(Problem::new(key, remedy));
        }
    }
}

/// Takes each secret from where it is given: its setting or its file, never both.
pub(super) fn take_secrets(settings: &mut Settings, problems: &mut Vec<Problem>) {
    let Settings { netbox, queue, webhook, .. } = settings;
    for (key, secret, file) in [
        ("netbox.token", &mut netbox.token, &netbox.token_file),
        ("queue.url", &mut queue.url, &queue.url_file),
        ("webhook.secret", &mut webhook.secret, &webhook.secret_file),
        ("webhook.previous_secret", &mut webhook.previous_secret, &webhook.previous_secret_file),
    ] {
        let Some(path) = file else { continue };
        if !secret.expose_secret().trim().is_empty() {
            problems.push(Problem::new(key, format!("is set together with {key}_file; set only one of them")));
            continue;
        }
        match secret_file(path) {
            Ok(read) => *secret = read,
            Err(error) => {
                problems.push(Problem::new(format!("{key}_file"), format!("cannot read {}: {error}", path.display())));
            }
        }
    }
    if netbox.token_file.is_none() && netbox.token.expose_secret().trim().is_empty() {
        let remedy = "is not set; set netbox.token_file to a file that holds a NetBox API token";
        problems.push(Problem::new("netbox.token", remedy));
    }
    for (key, secret) in [("webhook.secret", &webhook.secret), ("webhook.previous_secret", &webhook.previous_secret)] {
        if (1..SHORTEST_SECRET).contains(&secret.expose_secret().len()) {
            let remedy = format!("is shorter than {SHORTEST_SECRET} characters; make one with `openssl rand -hex 32`");
            problems.push(Problem::new(key, remedy));
        }
    }
}
