//! `rir-sidecar check`: it tries all that a sync and the service need, and says what to do about each thing that is missing.

use std::{collections::BTreeSet, net::TcpListener, time::Duration};

use jiff::SignedDuration;
use rir_sandbox::{
    netbox::{Action, Grant, Server},
    regrws::{Fault, KEY, Operation, Rule},
};
use rir_sidecar::{
    model::Resource,
    netbox::{
        Client, Need, Permission, needs,
        schema::{
            self,
            hooks::{self, Hook},
        },
    },
    scheduler::Scheduler,
};
use serde_json::{Value, json};

use crate::{
    process::{Means, Process, free_address},
    queue::server::Server as Redis,
    scene::{Scene, Target, custom, small},
};

const SECRET: &str = "0123456789abcdef";
const RULES: &str = "extras/event-rules";
const WEBHOOKS: &str = "extras/webhooks";

/// What the command found.
struct Checked {
    document: Value,
    good: bool,
}

impl Checked {
    /// The result of a trial, with its problem and remedy.
    fn of(&self, tried: &str) -> (&str, String) {
        let trials = self.document["trials"].as_array().unwrap();
        let trial = trials.iter().find(|trial| trial["tried"] == tried);
        let trial = trial.unwrap_or_else(|| panic!("{tried} was not tried: {:#}", self.document));
        let text = |name: &str| trial[name].as_str().unwrap_or_default();
        (text("result"), format!("{}; {}", text("found"), text("remedy")))
    }

    fn is(&self, tried: &str, result: &str, words: &str) {
        let (was, told) = self.of(tried);
        assert!(was == result && told.contains(words), "{tried}: {was}, {told}");
        assert!(result != "failed" || !self.good, "a failure is one of the whole");
    }
}

async fn check(scene: &Scene, more: &[(&str, &str)]) -> Checked {
    let output = Means::new(scene, KEY, more).run(&["check", "--output", "json"]).await;
    let document = serde_json::from_slice(&output.stdout);
    let document: Value = document.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let good = output.status.success();
    assert_eq!(document["result"], if good { "ok" } else { "failed" });
    Checked { document, good }
}

async fn scene() -> Scene {
    Scene::new(Target::sandbox().await, small()).await
}

fn server(scene: &Scene) -> &Server {
    scene.netbox.server.as_ref().unwrap()
}

fn action(permission: Permission) -> Action {
    match permission {
        Permission::View => Action::View,
        Permission::Add => Action::Add,
        Permission::Change => Action::Change,
        Permission::Delete => Action::Delete,
    }
}

/// Makes a user with what these needs ask for, and returns their token.
fn user(scene: &Scene, needs: &[Need]) -> String {
    let grant = |need: &Need| {
        let actions: Vec<Action> = need.permissions.iter().copied().map(action).collect();
        Grant::new(need.path.trim_start_matches("/api/").trim_end_matches('/'), &actions)
    };
    server(scene).add_user("sidecar", needs.iter().map(grant).collect())
}

/// Sets up the webhook to a process of the service, which runs on.
async fn with_webhook(scene: &Scene) -> Process {
    let process = Means::new(scene, KEY, &[("WEBHOOK__SECRET", SECRET)]).start(&["serve"]).await;
    let client = Client::new(&scene.settings.netbox).unwrap();
    hooks::apply(&client, &Hook::new(&process.url.parse().unwrap(), SECRET.into())).await.unwrap();
    process
}

#[tokio::test]
async fn each_permission_that_is_missing_is_named_with_what_it_is_for() {
    let scene = scene().await;
    let all = needs(true, &scene.settings);
    let may_do_all = user(&scene, &all);
    let good = check(&scene, &[("NETBOX__TOKEN", &may_do_all), ("SWEEP__INTERVAL", "5m")]).await;
    assert!(good.good, "{:#}", good.document);
    let may_do_nothing = user(&scene, &[]);
    let bad = check(&scene, &[("NETBOX__TOKEN", &may_do_nothing), ("SWEEP__INTERVAL", "5m")]).await;
    for need in &all {
        for permission in need.permissions {
            bad.is(need.list(), "failed", &permission.to_string());
        }
        bad.is(need.list(), "failed", need.without);
        bad.is(need.list(), "failed", &need.objects);
    }
}

#[tokio::test]
async fn the_findings_need_the_change_log_and_the_sweep_the_types_too() {
    let scene = scene().await;
    let without: Vec<Need> = needs(false, &scene.settings);
    let token = user(&scene, &without);
    let sweeps = check(&scene, &[("NETBOX__TOKEN", &token), ("SWEEP__INTERVAL", "5m")]).await;
    sweeps.is("custom-object-types", "failed", "the permission to view");
    let sweeps_not = check(&scene, &[("NETBOX__TOKEN", &token), ("SWEEP__INTERVAL", "0s")]).await;
    assert!(sweeps_not.good, "{:#}", sweeps_not.document);
    let blind: Vec<Need> = without.into_iter().filter(|need| need.list() != "object-changes").collect();
    let (token, never) = (user(&scene, &blind), ("SWEEP__INTERVAL", "0s"));
    let blind = check(&scene, &[("NETBOX__TOKEN", &token), never]).await;
    blind.is("object-changes", "failed", "without which no findings are made");
    blind.is("object-changes", "failed", "the permission to view Core object changes");
}

#[tokio::test]
async fn changes_at_arin_need_rows_to_be_added_and_a_second_person() {
    let scene = scene().await;
    let reader = user(&scene, &needs(false, &scene.settings));
    check(&scene, &[]).await.is("change requests", "ok", "nothing is ever changed at ARIN");
    let seal = ("REQUESTS__SEAL", "0123456789abcdef0123456789abcdef");
    let on = [("REQUESTS__ENABLED", "true"), seal];
    check(&scene, &on).await.is("change requests", "note", "only one person has an API key");
    let own = [on[0], seal, ("REQUESTS__SELF_APPROVAL", "true")];
    check(&scene, &own).await.is("change requests", "note", "may approve it, too");
    let blind = check(&scene, &[on[0], seal, ("NETBOX__TOKEN", &reader)]).await;
    for list in [schema::CHANGE_REQUEST, schema::TICKET] {
        blind.is(list, "failed", "may not add, change, without which no findings are made, and no change at ARIN");
    }
}

#[tokio::test]
async fn own_tenants_that_nobody_has_named_are_noted() {
    let scene = scene().await;
    let unset = check(&scene, &[]).await;
    unset.is("findings", "note", "nobody has said which tenants are your own");
    unset.is("findings", "note", "set findings.own_tenants");
    check(&scene, &[("FINDINGS__OWN_TENANTS", "")]).await.is("findings", "ok", "NetBox has what the settings name");
}

#[tokio::test]
async fn each_name_in_the_settings_of_findings_that_netbox_does_not_have_is_noted() {
    let scene = scene().await;
    let named = |name: &str| json!([{ "name": name, "slug": name }]);
    for list in ["tenancy/tenants", "tenancy/tenant-groups", "extras/tags"] {
        scene.add(list, named("known")).await;
    }
    scene.add("ipam/vrfs", json!([{ "name": "known" }])).await;
    for object_type in ["ipam.prefix", "tenancy.tenant"] {
        scene
            .add("extras/custom-fields", json!([{ "name": "known", "type": "text", "object_types": [object_type] }]))
            .await;
    }
    let settings = [
        ("FINDINGS__OWN_TENANTS", "tenant with the slug", "own_tenants"),
        ("FINDINGS__OWN_TENANT_GROUPS", "tenant group with the slug", "own_tenant_groups"),
        ("FINDINGS__PUBLIC_VRFS", "VRF of the name", "public_vrfs"),
        ("FINDINGS__ANNOUNCED_TAG", "tag with the slug", "announced_tag"),
        ("FINDINGS__RESIDENTIAL_TAG", "tag with the slug", "residential_tag"),
        ("FINDINGS__OPT_OUT_TAG", "tag with the slug", "opt_out_tag"),
        ("FINDINGS__SINCE_FIELD", "custom field of prefixes", "since_field"),
        ("FINDINGS__LEGAL_NAME_FIELD", "custom field of tenants", "legal_name_field"),
    ];
    let known: Vec<(&str, &str)> = settings.map(|(variable, ..)| (variable, "known")).into();
    check(&scene, &known).await.is("findings", "ok", "NetBox has what the settings name");
    for (variable, what, setting) in settings {
        let told = check(&scene, &[("FINDINGS__OWN_TENANTS", ""), (variable, "unknown")]).await;
        told.is("findings", "note", &format!("NetBox has no {what} `unknown`; correct findings.{setting}"));
        assert!(told.good, "{:#}", told.document);
    }
    let status = check(&scene, &[("FINDINGS__OWN_TENANTS", ""), ("FINDINGS__ASSIGNED_STATUSES", "active,dhcp")]).await;
    status.is("findings", "note", "no status `dhcp`");
}

/// The list of what has to be allowed is what a service asks for that syncs, prunes its log and sweeps.
#[tokio::test]
async fn what_is_tried_is_what_the_service_asks_for() {
    let mut scene = scene().await;
    crate::reading::set_up(&mut scene).await;
    let (folder, _registry) = crate::irr_rows::set_up(&mut scene).await;
    let (asked, needed) = (&mut BTreeSet::new(), needs(true, &scene.settings));
    scene.settings.netbox.token = user(&scene, &needed).as_str().into();
    scene.settings.sweep.interval = Duration::from_nanos(1);
    let before = server(&scene).requests().0.len();
    scene.sync().await;
    {
        let mut registry = scene.arin.registry();
        registry.orgs.values_mut().for_each(|org| org.name.push_str(" Ltd"));
        registry.nets.values_mut().for_each(|net| net.name.push_str("-NEW"));
        registry.customers.values_mut().for_each(|customer| customer.name.push_str(" Ltd"));
        registry.pocs.values_mut().for_each(|poc| poc.company_name = Some("Example New".to_owned()));
    }
    // Something that is not answered changes a look.
    scene.arin.fail(Rule::new(Fault::Refusal(403, "E_AUTHENTICATION")).on(Operation::MostSpecificNet).times(1));
    tokio::time::sleep(Duration::from_millis(2200)).await;
    scene.settings.sync.log_retention = Duration::from_secs(1);
    scene.sync().await;
    Scheduler::new(scene.services(), "replica").tick().await;
    crate::reading::everything(&scene).await;
    crate::finding_rows::opened_and_resolved(&scene).await;
    crate::irr_rows::written_twice(&scene, &folder).await;
    for request in server(&scene).requests().0.iter().skip(before) {
        let path = request.path();
        let list = path.trim_end_matches(|last: char| last.is_ascii_digit() || last == '/');
        let permission = match request.method() {
            "POST" => Permission::Add,
            "PATCH" => Permission::Change,
            "DELETE" => Permission::Delete,
            _ => Permission::View,
        };
        asked.insert((format!("{list}/"), permission));
    }
    // What everybody may ask who has a token.
    asked.retain(|(list, _)| !["/api/status/", "/api/authentication-check/", "/api/users/tokens/"].contains(&&**list));
    let needed: BTreeSet<(String, Permission)> =
        needed.iter().flat_map(|need| need.permissions.iter().map(|it| (need.path.clone(), *it))).collect();
    assert_eq!(asked.difference(&needed).collect::<Vec<_>>(), [] as [&_; 0], "asked for, but not tried");
    // An address is written again only where a worker of NetBox left out a part of it.
    let unused: Vec<_> = needed.difference(asked).collect();
    assert_eq!(
        unused,
        [&(format!("/api/{}/", custom(schema::ADDRESS)), Permission::Change)],
        "tried, but not asked for"
    );
    assert_eq!(Resource::all().len(), 3, "a new kind has to be changed here, too");
}

#[tokio::test]
async fn redis_that_does_not_answer_is_a_failure_and_none_at_all_is_noted() {
    let scene = scene().await;
    check(&scene, &[]).await.is("Redis", "note", "queue.url is not set");
    let nowhere = format!("redis://{}/", free_address());
    check(&scene, &[("QUEUE__URL", &nowhere)]).await.is("Redis", "failed", "check queue.url");
}

#[tokio::test]
async fn redis_that_loses_jobs_is_a_failure_and_one_that_may_is_noted() {
    let scene = scene().await;
    for (appends, policy, result, words) in [
        ("yes", "noeviction", "ok", "takes jobs"),
        ("no", "noeviction", "note", "appendonly"),
        ("yes", "allkeys-lru", "failed", "noeviction"),
    ] {
        let redis = Redis::start(&["--appendonly", appends, "--maxmemory-policy", policy]).await;
        let url = format!("redis://127.0.0.1:{}/", redis.port);
        check(&scene, &[("QUEUE__URL", &url)]).await.is("Redis", result, words);
    }
}

#[tokio::test]
async fn a_webhook_that_does_not_arrive_is_a_failure() {
    let scene = scene().await;
    let secret = [("WEBHOOK__SECRET", SECRET)];
    check(&scene, &[]).await.is("webhook", "note", "webhook.secret is not set");
    check(&scene, &secret).await.is("webhook", "failed", "bootstrap --webhook-url");

    let process = with_webhook(&scene).await;
    let good = check(&scene, &secret).await;
    good.is("webhook", "ok", &process.url);
    good.is("webhook's address", "ok", "");
    check(&scene, &[("WEBHOOK__SECRET", "another-0123456789")]).await.is("webhook", "failed", "another secret");
    let previous = [("WEBHOOK__SECRET", "another-0123456789"), ("WEBHOOK__PREVIOUS_SECRET", SECRET)];
    let previous = check(&scene, &previous).await;
    assert!(
        previous.good && previous.document.to_string().contains("webhook.previous_secret"),
        "{:#}",
        previous.document
    );

    let (webhook, rule) = (scene.ids(WEBHOOKS).await[0], scene.ids(RULES).await[0]);
    scene.edit(RULES, rule, json!({ "object_types": ["ipam.prefix"] })).await;
    check(&scene, &secret).await.is("webhook", "failed", "object_types");
    scene.edit(RULES, rule, json!({ "enabled": false })).await;
    check(&scene, &secret).await.is("webhook", "failed", "switched off");
    scene.remove(RULES, rule).await;
    check(&scene, &secret).await.is("webhook", "failed", "no event rule");
    scene.edit(WEBHOOKS, webhook, json!({ "secret": "" })).await;
    process.end().await;
}

#[tokio::test]
async fn what_cannot_be_seen_of_a_webhook_is_noted() {
    let scene = scene().await;
    let secret = ("WEBHOOK__SECRET", SECRET);
    let process = with_webhook(&scene).await;
    let token = user(&scene, &needs(false, &scene.settings));
    let blind = check(&scene, &[secret, ("NETBOX__TOKEN", &token)]).await;
    blind.is("webhook", "note", "view Extras webhooks");
    assert!(blind.good, "{:#}", blind.document);
    process.end().await;
    check(&scene, &[secret]).await.is("webhook's address", "note", "does not answer from here");
    let webhook = scene.ids(WEBHOOKS).await[0];
    scene.edit(WEBHOOKS, webhook, json!({ "payload_url": format!("{}/elsewhere", scene.netbox.url) })).await;
    check(&scene, &[secret]).await.is("webhook's address", "note", "as rir-sidecar does not");
}

#[tokio::test]
async fn the_address_to_listen_on_and_the_collector_are_tried() {
    let scene = scene().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check(&scene, &[("HTTP__LISTEN", &address)]).await.is("address", "note", "rir-sidecar serve");
    check(&scene, &[("HTTP__LISTEN", &free_address())]).await.is("address", "ok", "");
    check(&scene, &[("HTTP__LISTEN", "192.0.2.7:8080")]).await.is("address", "failed", "set http.listen");
    let nowhere = format!("http://{}", free_address());
    let traced = check(&scene, &[("TELEMETRY__OTLP_ENDPOINT", &nowhere)]).await;
    traced.is("collector of traces", "note", "telemetry.otlp_endpoint");
    assert!(traced.good, "{:#}", traced.document);
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_noted() {
    let scene = scene().await;
    check(&scene, &[]).await.is("clocks", "ok", "");
    server(&scene).set_clock(SignedDuration::from_hours(-2));
    check(&scene, &[]).await.is("clocks", "note", "behind the one here");
}

/// A listing that answers so to everything.
async fn listing(status: u16, page: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = move || async move {
        let answer = axum::http::Response::builder().status(status).header("content-type", "text/html");
        answer.body(axum::body::Body::from(page)).unwrap()
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    url
}

#[tokio::test]
async fn the_public_listing_is_tried_where_syncs_use_it_and_they_get_along_without() {
    let scene = scene().await;
    let tried = format!("{}, public listing", crate::scene::CONFIG);
    let nothing = "<html><title>Whois-RWS</title><body>Sorry, there were no results.</body></html>";
    for (status, page, result, words) in [
        (404, nothing, "ok", "answers ("),
        (
            404,
            "<html>Not Found</html>",
            "note",
            "without it each sync asks ARIN for every prefix; correct arin.whois_url",
        ),
    ] {
        let url = listing(status, page).await;
        let (allowed, whois_url) = (format!("{},{url}", scene.arin.url()), format!("{url}/whois/rest"));
        let more = [("ARIN__ALLOWED_BASE_URLS", allowed.as_str()), ("ARIN__WHOIS_URL", &whois_url)];
        let checked = check(&scene, &more).await;
        checked.is(&tried, result, words);
        let off = check(&scene, &[more[0], more[1], ("ARIN__LISTING", "off")]).await;
        let trials = off.document["trials"].as_array().unwrap();
        assert!(trials.iter().all(|trial| trial["tried"] != tried), "{trials:#?}");
    }
}
