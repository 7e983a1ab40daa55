//! The checks of the settings: the limits of each, what excludes each other, and the secrets.

use std::fmt;

use super::{
    irr,
    limits::{DURATIONS, Limit, NUMBERS, written},
    problem::Problem,
    rpki::{Rpki, VrpsUrl},
    secret::Secret,
    settings::{Arin, Findings, Netbox, Queue, QueueMode, Settings, Sweep, Webhook},
};
use crate::{error_chain::error_chain, tls};

/// The length from which a secret may sign NetBox's webhooks.
const SHORTEST_SECRET: usize = 16;
/// The length from which a secret may seal approvals. Whoever guesses it can forge them.
const SHORTEST_SEAL: usize = 32;
/// The beginnings of paths behind `/api` in a NetBox.
const API_PATHS: [&str; 16] = [
    "authentication-check",
    "circuits",
    "core",
    "dcim",
    "docs",
    "extras",
    "ipam",
    "plugins",
    "schema",
    "status",
    "tenancy",
    "users",
    "virtualization",
    "vpn",
    "wireless",
    "",
];

const DAY: u64 = 24 * 3600;
/// What may stand in a template for the names of nets.
const PLACEHOLDERS: [&str; 3] = ["tenant", "prefix", "id"];
const USE_PLACEHOLDERS: &str = "use {tenant}, {prefix} and {id}";

/// Adds a problem for each value that is too small or too large.
pub(super) fn limits(settings: &Settings, problems: &mut Vec<Problem>) {
    let mut checks = Checks(problems);
    for limit in &DURATIONS {
        checks.within(settings, limit, ("short", "long"), |duration| written(*duration));
    }
    for limit in &NUMBERS {
        checks.within(settings, limit, ("small", "large"), u64::to_string);
    }
}

/// Adds a problem for each other value that cannot be used, and for values that exclude each other.
pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let mut checks = Checks(problems);
    checks.netbox(&settings.netbox);
    checks.arin(&settings.arin);
    checks.share("sync.max_retired_share", settings.sync.max_retired_share);
    checks.findings(&settings.findings);
    checks.rpki(&settings.rpki);
    checks.queue(&settings.queue);
    checks.webhook(&settings.webhook);
    checks.sweep(&settings.sweep);
    checks.share("telemetry.trace_share", settings.telemetry.trace_share);
    checks.routing(settings);
    irr::check(&settings.irr, problems);
}

struct Checks<'a>(&'a mut Vec<Problem>);

impl Checks<'_> {
    /// A source that is looked at less often than it may be old would be too old most of the time.
    fn routing(&mut self, settings: &Settings) {
        let max_age = settings.routing.max_age;
        for source in settings.irr.source.iter().filter(|source| source.interval() > max_age) {
            let key = format!("irr.source[{}].interval", source.name);
            self.0.push(Problem::new(
                key,
                "is longer than routing.max_age, so that nothing would be judged most of the time; shorten it, or set \
                 routing.max_age to more"
                    .to_owned(),
            ));
        }
    }

    fn within<T: PartialOrd>(
        &mut self,
        settings: &Settings,
        Limit { key, of, least, most }: &Limit<T>,
        (low, high): (&str, &str),
        text: impl Fn(&T) -> String,
    ) {
        let value = of(settings);
        self.refuse_if(value < *least, key, format_args!("is too {low}; set it to {} or more", text(least)));
        self.refuse_if(value > *most, key, format_args!("is too {high}; set it to {} or less", text(most)));
    }

    fn netbox(&mut self, netbox: &Netbox) {
        let path = netbox.url.as_url().path();
        let above_api = path.match_indices("/api").find_map(|(at, api)| {
            let (above, below) = (path.get(..at)?, path.get(at + api.len()..)?);
            let first = below.strip_prefix('/').map_or(below, |below| below.split('/').next().unwrap_or_default());
            API_PATHS.contains(&first).then_some(above)
        });
        if let Some(above) = above_api {
            let mut right = netbox.url.as_url().clone();
            right.set_path(&format!("{above}/"));
            let remedy = format!("`{}` leads into NetBox's API; set it to where NetBox itself is: {right}", netbox.url);
            self.refuse_if(true, "netbox.url", remedy);
        }
    }

    fn arin(&mut self, arin: &Arin) {
        let urls = "arin.allowed_base_urls";
        self.refuse_if(
            arin.allowed_base_urls.is_empty(),
            urls,
            "is empty, so no registry may be asked; list at least one",
        );
        for url in arin.allowed_base_urls.iter().filter(|url| url.as_url().path().ends_with("/rest")) {
            self.refuse_if(true, urls, format!("`{url}` ends in /rest; leave that part away"));
        }
        for url in arin.auth.keys().filter(|url| !arin.allowed_base_urls.contains(url)) {
            self.refuse_if(true, "arin.auth", format!("names `{url}`, which is not listed in {urls}"));
        }
        for url in arin.whois_url.iter().filter(|_| !arin.whois_url_is_allowed()) {
            let remedy = format!(
                "`{url}` has the scheme, host and port of no entry in {urls}; list its base URL there, or correct it (ARIN's \
                 own listings need no entry)"
            );
            self.refuse_if(true, "arin.whois_url", remedy);
        }
        let remedy = "cannot be zero; `rir-sidecar sync --all --full` asks for everything once, and arin.listing = \"off\" each time";
        self.refuse_if(arin.refresh.is_zero(), "arin.refresh", remedy);
        let longer = arin.connect_timeout > arin.timeout;
        self.refuse_if(longer, "arin.connect_timeout", "is longer than arin.timeout, which includes it");
    }

    fn rpki(&mut self, rpki: &Rpki) {
        let remedy = "names no file; a path has to follow the host, which is /json for Routinator";
        self.refuse_if(rpki.vrps.as_ref().is_some_and(VrpsUrl::names_no_file), "rpki.vrps", remedy);
        self.share("rpki.max_shrink", rpki.max_shrink);
        let remedy =
            "is longer than rpki.max_age, so that a list would not count any more before it is looked at again";
        self.refuse_if(rpki.interval > rpki.max_age, "rpki.interval", remedy);
    }

    fn findings(&mut self, findings: &Findings) {
        let deadline = findings.deadline;
        let broken = !deadline.as_secs().is_multiple_of(DAY) || deadline.subsec_nanos() > 0;
        let broken = broken && !self.is_told("findings.deadline");
        self.refuse_if(broken, "findings.deadline", "is not a whole number of days; write it as `7days`");
        for (key, slugs) in [
            ("findings.own_tenants", &findings.own_tenants),
            ("findings.own_tenant_groups", &findings.own_tenant_groups),
        ] {
            slugs.iter().flatten().for_each(|slug| self.slug(key, slug));
        }
        for (key, slug) in [
            ("findings.announced_tag", &findings.announced_tag),
            ("findings.residential_tag", &findings.residential_tag),
            ("findings.opt_out_tag", &findings.opt_out_tag),
        ] {
            self.slug(key, slug);
        }
        for (key, name) in
            [("findings.since_field", &findings.since_field), ("findings.legal_name_field", &findings.legal_name_field)]
        {
            let fits = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            let remedy =
                "is no name of a custom field; write the one that NetBox shows under Name, such as `assigned_on`";
            self.refuse_if(!fits, key, format_args!("`{name}` {remedy}"));
        }
        let remedy = "is empty, so that nothing would be assigned; list at least one, such as `active`";
        self.refuse_if(findings.assigned_statuses.is_empty(), "findings.assigned_statuses", remedy);
        if let Some(wrong) = wrong_template(&findings.net_name_template) {
            self.refuse_if(true, "findings.net_name_template", format_args!("{wrong}; {USE_PLACEHOLDERS}"));
        }
    }

    /// Refuses what is no slug. NetBox allows letters of any alphabet in those of tags.
    fn slug(&mut self, key: &str, slug: &str) {
        let fits = slug.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_'));
        let remedy = "is no slug; write the one that NetBox shows, such as `example-networks`";
        self.refuse_if(!fits, key, format_args!("`{slug}` {remedy}"));
    }

    fn queue(&mut self, queue: &Queue) {
        let nameless = queue.mode == QueueMode::Sentinel && queue.sentinel_master.is_empty();
        self.refuse_if(nameless, "queue.sentinel_master", "is not set; name the group that the sentinels watch");
        let unfit = queue.prefix.is_empty() || queue.prefix.contains(['{', '}', ' ']);
        self.refuse_if(unfit, "queue.prefix", "has to be a word without braces, such as `rir-sidecar`");
    }

    fn webhook(&mut self, webhook: &Webhook) {
        let longer = webhook.debounce > webhook.debounce_longest;
        self.refuse_if(longer, "webhook.debounce", "is longer than webhook.debounce_longest");
    }

    fn sweep(&mut self, sweep: &Sweep) {
        let remedy = "and sweep.settle are more than an hour together; webhooks are not remembered for longer";
        // One that is too long alone is told already.
        self.refuse_if(sweep.is_too_long() && !self.is_told("sweep."), "sweep.interval", remedy);
    }

    fn is_told(&self, section: &str) -> bool {
        self.0.iter().any(|problem| problem.key.starts_with(section))
    }

    fn share(&mut self, key: &str, share: f64) {
        self.refuse_if(!(0.0..=1.0).contains(&share), key, "is a share between 0 and 1; write 0.2 for 20 %");
    }

    fn refuse_if(&mut self, wrong: bool, key: &str, remedy: impl fmt::Display) {
        if wrong {
            self.0.push(Problem::new(key, remedy.to_string()));
        }
    }
}

/// Returns what is wrong with a template for the names of nets.
fn wrong_template(template: &str) -> Option<String> {
    let mut plain = String::new();
    let (mut rest, mut filled) = (template, false);
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else {
            return Some("has a brace that belongs to no placeholder".to_owned());
        };
        if !PLACEHOLDERS.contains(&name) {
            return Some(format!("`{{{name}}}` is no placeholder"));
        }
        plain.push_str(before);
        (rest, filled) = (after, true);
    }
    plain.push_str(rest);
    if plain.contains('}') {
        return Some("has a brace that belongs to no placeholder".to_owned());
    }
    let empty = !filled && !plain.contains(|letter: char| letter.is_ascii_alphanumeric());
    (empty && !template.is_empty()).then(|| "holds no letter, digit or placeholder".to_owned())
}

/// Adds a problem for each file of certificates that cannot be used.
pub(super) fn certificates(Settings { netbox, arin, queue, .. }: &Settings, problems: &mut Vec<Problem>) {
    for (key, file) in
        [("netbox.ca_file", &netbox.ca_file), ("arin.ca_file", &arin.ca_file), ("queue.ca_file", &queue.ca_file)]
    {
        let error = file.as_ref().and_then(|path| tls::certificates(path).err());
        problems.extend(error.map(|error| Problem::new(key, error_chain(&error))));
    }
}

/// Takes each secret from where it is given: its setting or its file, never both.
pub(super) fn take_secrets(settings: &mut Settings, problems: &mut Vec<Problem>) {
    let Settings { netbox, requests, queue, webhook, telemetry, .. } = settings;
    for (key, secret, file, least) in [
        ("netbox.token", &mut netbox.token, &netbox.token_file, 0),
        ("queue.url", &mut queue.url, &queue.url_file, 0),
        ("webhook.secret", &mut webhook.secret, &webhook.secret_file, SHORTEST_SECRET),
        ("webhook.previous_secret", &mut webhook.previous_secret, &webhook.previous_secret_file, SHORTEST_SECRET),
        ("requests.seal", &mut requests.seal, &requests.seal_file, SHORTEST_SEAL),
        ("telemetry.otlp_authorization", &mut telemetry.otlp_authorization, &telemetry.otlp_authorization_file, 0),
    ] {
        let Some(path) = file else {
            if (1..least).contains(&secret.length()) {
                let remedy = format!("is shorter than {least} characters; make one with `openssl rand -hex 32`");
                problems.push(Problem::new(key, remedy));
            }
            continue;
        };
        if !secret.is_empty() {
            problems.push(Problem::new(key, format!("is set together with {key}_file; set only one of them")));
            continue;
        }
        match Secret::from_file(path, least) {
            Ok(read) => *secret = read,
            Err(error) => problems
                .push(Problem::new(format!("{key}_file"), format!("{} {}", path.display(), error_chain(&error)))),
        }
    }
    if netbox.token_file.is_none() && netbox.token.is_empty() {
        let remedy = "is not set; set netbox.token_file to a file that holds a NetBox API token";
        problems.push(Problem::new("netbox.token", remedy));
    }
    if requests.enabled && requests.seal_file.is_none() && requests.seal.is_empty() {
        let remedy = "is not set, and without it approvals could be forged in NetBox; set requests.seal_file to a file that \
                      holds a secret, made with `openssl rand -hex 32`";
        problems.push(Problem::new("requests.seal", remedy));
    }
}
