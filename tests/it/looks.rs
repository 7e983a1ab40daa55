//! What a sync leaves behind of how completely ARIN was asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use rir_sandbox::{
    netbox, regrws,
    regrws::{Operation, Rule},
    whois,
    world::{Holder, World},
};
use rir_sidecar::{
    model::{Answer, Look, LookSource, NetHandle, ObjectType, Recipient, Resource, RowId, Scope, Standing},
    netbox::schema,
    queue::State,
    sync::{self, Approved, NoCheckpoint, Request, SyncRun, Verdict},
};
use serde_json::{Value, json};

use crate::{
    scene::{CONFIG, ORG, Row, Scene, Target, aggregate, cidr, custom, prefix, small},
    service::{Service, memory, whole},
};

const PARENT: &str = "NET-23-144-0-0-1";
/// The prefix that a customer's net is, and one that nobody registered.
const CUSTOMERS: &str = "23.144.1.0/24";
const FREE: &str = "23.144.3.0/24";

async fn scene(world: World) -> Scene {
    let mut scene = Scene::new(Target::sandbox().await, world).await;
    scene.settings.arin.retry_count = 0;
    scene
}

/// A scene whose syncs use the listing.
async fn listed(world: World) -> Scene {
    let mut scene = scene(world).await;
    scene.settings.arin.whois_requests_per_second = 0;
    scene.settings.arin.whois_url = Some(scene.arin.whois_url().parse().unwrap());
    scene
}

/// Two aggregates, each an allocation with one prefix in the second one.
fn two() -> World {
    let mut world = small();
    world.registry.allocate(&[cidr("23.150.0.0/22")], ORG);
    aggregate(&mut world, "23.150.0.0/22");
    prefix(&mut world, "23.150.1.0/24", None);
    world
}

/// The looks by the range of their aggregate.
async fn looks(scene: &Scene) -> BTreeMap<String, Look> {
    let ranges: BTreeMap<u64, String> = scene.rows_of(schema::LOOK).await.iter().filter_map(range_of).collect();
    let looks = scene.context().netbox.looks().await.unwrap().aggregates;
    looks.into_iter().map(|look| (ranges[&look.aggregate.0].clone(), look)).collect()
}

fn range_of(row: &Row) -> Option<(u64, String)> {
    Some((row["aggregate"]["id"].as_u64()?, row["subject"].as_str()?.to_owned()))
}

async fn look(scene: &Scene) -> Look {
    looks(scene).await.into_values().next().unwrap()
}

async fn answers(scene: &Scene) -> BTreeMap<String, Answer> {
    let answers = scene.context().netbox.looks().await.unwrap().answers;
    answers.into_iter().map(|answer| (answer.handle.clone(), answer)).collect()
}

/// The time at which a run began, as NetBox keeps it.
fn began(run: &SyncRun) -> Option<Timestamp> {
    Timestamp::from_microsecond(run.started.as_microsecond()).ok()
}

/// The ranges that were not answered.
fn unanswered(look: &Look) -> Vec<String> {
    look.unanswered.keys().map(ToString::to_string).collect()
}

/// Lets all questions about a range fail.
fn fail(scene: &Scene, fault: regrws::Fault, range: &str) {
    let range = cidr(range);
    scene.arin.fail(Rule::new(fault).on(Operation::MostSpecificNet).about(&format!(
        "{}/{}",
        range.network(),
        range.broadcast()
    )));
}

async fn id(scene: &Scene, list: &str, range: &str) -> RowId {
    let rows = scene.list(list, "limit=100").await;
    RowId(rows.iter().find(|row| row["prefix"] == range).unwrap()["id"].as_u64().unwrap())
}

async fn sync_part(scene: &Scene, scope: Scope) -> SyncRun {
    scene.sync_as(&scene.context(), CONFIG, scope, &Resource::all(), None).await
}

async fn sync_prefix(scene: &Scene, range: &str) -> SyncRun {
    let id = id(scene, "ipam/prefixes", range).await;
    sync_part(scene, Scope::Prefixes(BTreeSet::from([id]))).await
}

/// When the rows of looks were written last.
async fn written(scene: &Scene) -> Vec<Value> {
    scene.rows_of(schema::LOOK).await.into_iter().map(|row| row["last_updated"].clone()).collect()
}

#[tokio::test]
async fn a_whole_sync_leaves_a_complete_look_at_each_aggregate() {
    let scene = scene(two()).await;
    let before = Timestamp::now();
    let run = scene.sync().await;
    let looks = looks(&scene).await;
    assert_eq!(looks.keys().collect::<Vec<_>>(), ["23.144.0.0/20", "23.150.0.0/22"]);
    for look in looks.values() {
        assert_eq!((look.config, look.source, &look.failed), (scene.config, LookSource::Questions, &None));
        assert!(look.complete == began(&run) && run.started >= before, "{look:?}");
        assert_eq!((look.unanswered.len(), look.asked.len(), look.listed.len()), (0, 0, 0));
    }
    let row = scene.row_by_id(schema::CONFIG, scene.config).await;
    assert_eq!(row["looked"].as_str().unwrap().parse().ok(), began(&run));
}

#[tokio::test]
async fn a_sync_that_finds_nothing_new_writes_no_look_and_moves_all_of_them_on() {
    for scene in [scene(two()).await, listed(two()).await] {
        scene.sync().await;
        let (rows, first) = (written(&scene).await, looks(&scene).await);
        let server = scene.netbox.server.as_ref().unwrap();
        server.forget_requests();
        let run = scene.sync().await;
        assert_eq!(run.verdict(), Verdict::Unchanged);
        // The result of the config, and the summary in the log.
        assert_eq!(server.requests().writes(), 2, "{:?}", server.requests().0);
        assert_eq!(server.requests().count("GET", "rir-look"), 1);
        assert_eq!(written(&scene).await, rows);
        for (range, look) in looks(&scene).await {
            assert!(look.complete > first[&range].complete, "{range}");
            assert_eq!(Look { complete: None, ..look }, Look { complete: None, ..first[&range].clone() });
        }
    }
}

#[tokio::test]
async fn a_question_that_fails_leaves_its_range_unknown_and_the_rest_known() {
    for fault in [regrws::Fault::Status(503), regrws::Fault::Refusal(403, "E_AUTHENTICATION")] {
        let scene = scene(two()).await;
        scene.sync().await;
        let first = looks(&scene).await;
        fail(&scene, fault.clone(), CUSTOMERS);
        let run = scene.sync().await;
        assert_eq!(run.verdict(), Verdict::Partial, "{fault:?}");
        let now = looks(&scene).await;
        let look = &now["23.144.0.0/20"];
        assert_eq!((unanswered(look), &look.failed), (vec![CUSTOMERS.to_owned()], &None), "{fault:?}");
        assert!(look.unanswered.values().next().unwrap().contains("ARIN"), "{look:?}");
        assert!(now.iter().all(|(range, look)| look.complete > first[range].complete), "{fault:?}");
        let rows = written(&scene).await;
        scene.sync().await;
        assert_eq!(written(&scene).await, rows, "the same again is not written: {fault:?}");
        scene.arin.heal();
        scene.sync().await;
        assert_eq!(unanswered(&looks(&scene).await["23.144.0.0/20"]), Vec::<String>::new(), "{fault:?}");
    }
}

#[tokio::test]
async fn an_aggregate_whose_own_question_fails_keeps_the_time_of_its_last_look() {
    let scene = scene(two()).await;
    scene.sync().await;
    scene.sync().await;
    let before = looks(&scene).await;
    fail(&scene, regrws::Fault::Status(503), "23.144.0.0/20");
    scene.sync().await;
    let now = looks(&scene).await;
    let (look, other) = (&now["23.144.0.0/20"], &now["23.150.0.0/22"]);
    assert_eq!(look.complete, before["23.144.0.0/20"].complete);
    assert!(look.failed.as_ref().unwrap().contains("503"), "{look:?}");
    assert!(other.complete > before["23.150.0.0/22"].complete && other.failed.is_none(), "{other:?}");
    scene.arin.heal();
    let run = scene.sync().await;
    let look = &looks(&scene).await["23.144.0.0/20"];
    assert_eq!((&look.failed, look.complete), (&None, began(&run)));
}

#[tokio::test]
async fn a_net_that_cannot_be_asked_for_by_handle_leaves_its_range_unknown() {
    let scene = scene(small()).await;
    scene.sync().await;
    // It comes up by nothing else.
    let prefix = id(&scene, "ipam/prefixes", "23.144.2.0/24").await;
    scene.remove("ipam/prefixes", prefix.0).await;
    scene.arin.fail(Rule::new(regrws::Fault::Status(503)).on(Operation::Net).about("NET-23-144-2-0-1"));
    scene.sync().await;
    assert_eq!(unanswered(&look(&scene).await), ["23.144.2.0/24"]);
    scene.arin.heal();
    let aggregate = id(&scene, "ipam/aggregates", "23.144.0.0/20").await;
    scene.arin.forget_requests();
    sync_part(&scene, Scope::Aggregate(aggregate)).await;
    assert_eq!(unanswered(&look(&scene).await), Vec::<String>::new());
    assert_eq!(scene.arin.requests().count_about(Operation::Net, "NET-23-144-2-0-1"), 1, "it is asked for again");
}

#[tokio::test]
async fn a_net_that_netbox_did_not_take_leaves_its_range_unknown() {
    let scene = scene(small()).await;
    let server = scene.netbox.server.as_ref().unwrap();
    let (field, value) = ("handle".to_owned(), "NET-23-144-2-0-1".to_owned());
    server.fail(netbox::Rule::new(netbox::Fault::RefuseRow { field, value }));
    scene.sync().await;
    assert_eq!(unanswered(&look(&scene).await), ["23.144.2.0/24"]);
}

#[tokio::test]
async fn nets_that_may_not_be_marked_as_gone_leave_their_ranges_unknown() {
    let mut world = small();
    for n in 4..12 {
        let text = format!("23.144.{n}.0/24");
        world.registry.reassign(PARENT, &[cidr(&text)], Holder::Org("SAMPLE-3".into())).unwrap();
        prefix(&mut world, &text, None);
    }
    let scene = scene(world).await;
    scene.sync().await;
    for n in 4..12 {
        scene.arin.registry().remove_net(&format!("NET-23-144-{n}-0-1")).unwrap();
    }
    assert_eq!(scene.sync().await.verdict(), Verdict::Refused);
    let look = look(&scene).await;
    let mut missed: Vec<String> = (4..12).map(|n| format!("23.144.{n}.0/24")).collect();
    missed.sort_by_key(|text| cidr(text));
    assert_eq!((unanswered(&look), look.failed), (missed, None));
}

#[tokio::test]
async fn a_listing_tells_of_nets_that_netbox_has_no_prefix_for() {
    let mut world = small();
    world.registry.reassign(PARENT, &[cidr("23.144.8.0/24")], Holder::Org("SAMPLE-3".into())).unwrap();
    let scene = listed(world).await;
    scene.sync().await;
    let first = look(&scene).await;
    let told: Vec<_> =
        first.listed.iter().map(|net| (net.handle.as_str(), net.kind.as_ref().map(|k| k.code()))).collect();
    assert_eq!((first.source, told), (LookSource::Listing, vec![("NET-23-144-8-0-1", Some("S"))]));
    // One that is recorded is not among them any more.
    scene.add("ipam/prefixes", json!([{ "prefix": "23.144.8.0/24" }])).await;
    scene.sync().await;
    assert_eq!(look(&scene).await.listed, []);
    let mut off = scene;
    off.settings.arin.whois_url = None;
    off.sync().await;
    assert_eq!(look(&off).await.source, LookSource::Questions);
}

#[tokio::test]
async fn a_listing_that_was_not_had_or_is_contradicted_tells_nothing() {
    let mut world = two();
    world.registry.reassign(PARENT, &[cidr("23.144.8.0/24")], Holder::Org("SAMPLE-3".into())).unwrap();
    let scene = listed(world).await;
    scene.sync().await;
    scene.arin.whois().fail(whois::Rule::new(whois::Fault::Html404).about("23.144.0.0/20"));
    scene.sync().await;
    let now = looks(&scene).await;
    let sources = now.values().map(|look| (look.source, look.listed.len(), look.failed.is_none()));
    assert_eq!(sources.collect::<Vec<_>>(), [(LookSource::Questions, 0, true), (LookSource::Listing, 0, true)]);
    scene.arin.whois().heal();
    // From here on the listing is behind: it has a net that ARIN has otherwise.
    scene.arin.registry().rename_net("NET-23-144-2-0-1", "NEW").unwrap();
    scene.arin.whois().refresh();
    scene.arin.registry().rename_net("NET-23-144-2-0-1", "NEWER").unwrap();
    let run = scene.sync().await;
    assert_eq!(run.in_full.len(), 1);
    let look = &looks(&scene).await["23.144.0.0/20"];
    assert_eq!((look.source, &look.failed), (LookSource::Questions, &None));
}

#[tokio::test]
async fn single_prefixes_change_the_look_around_them_only_if_they_have_to() {
    let scene = scene(small()).await;
    sync_prefix(&scene, FREE).await;
    assert_eq!(scene.rows_of(schema::LOOK).await.len(), 0, "it says nothing of the aggregate");
    fail(&scene, regrws::Fault::Status(503), FREE);
    scene.sync().await;
    let before = look(&scene).await;
    assert_eq!(unanswered(&before), [FREE]);
    sync_prefix(&scene, FREE).await;
    assert_eq!(look(&scene).await, before);
    scene.arin.heal();
    let run = sync_prefix(&scene, FREE).await;
    let now = look(&scene).await;
    assert_eq!((now.unanswered.len(), now.complete), (0, before.complete));
    assert_eq!(now.asked.into_iter().collect::<Vec<_>>(), [(cidr(FREE), run.started)]);
    let rows = written(&scene).await;
    sync_prefix(&scene, FREE).await;
    assert_eq!(written(&scene).await, rows);
    fail(&scene, regrws::Fault::Status(503), FREE);
    sync_prefix(&scene, FREE).await;
    let now = look(&scene).await;
    assert_eq!((unanswered(&now), now.asked.len()), (vec![FREE.to_owned()], 0));
}

#[tokio::test]
async fn a_sync_that_is_interrupted_says_of_each_aggregate_whether_it_came_to_that() {
    let mut scene = scene(two()).await;
    scene.settings.arin.max_in_flight = 1;
    scene.sync().await;
    scene.arin.forget_requests();
    scene.arin.configure(|options| options.latency = Duration::from_millis(100));
    let ctx = scene.context();
    let stop = ctx.stop.clone();
    let last = async {
        // The second aggregate has been begun when its own range has been asked for.
        while scene.arin.requests().count_about(Operation::MostSpecificNet, "23.150.0.0/23.150.3.255") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    };
    let all = Resource::all();
    let (run, ()) = tokio::join!(scene.sync_as(&ctx, CONFIG, Scope::Config, &all, None), last);
    assert_eq!(run.verdict(), Verdict::Interrupted);
    let looks = looks(&scene).await;
    assert_eq!(looks["23.150.0.0/22"].failed.as_deref(), Some("the sync was interrupted"));
    assert!(looks["23.150.0.0/22"].complete < Some(run.started));
}

#[tokio::test]
async fn whoever_takes_a_sync_over_leaves_the_looks_of_both() {
    let mut scene = scene(two()).await;
    scene.settings.queue.retry_backoff = Duration::from_millis(10);
    // A refusal stays and is not asked again; the other aggregate is asked again by the next attempt.
    fail(&scene, regrws::Fault::Refusal(403, "E_AUTHENTICATION"), CUSTOMERS);
    let range = "23.150.1.0/23.150.1.255";
    let rule = Rule::new(regrws::Fault::Status(503)).on(Operation::MostSpecificNet).about(range);
    scene.arin.fail(rule.times(1));
    let service = Service::start(&scene, memory(&scene), 1);
    let record = service.over(&service.ask(whole(scene.config)).await).await;
    assert_eq!(record.state, State::Done, "{record:?}");
    let asked = |range: &str| scene.arin.requests().count_about(Operation::MostSpecificNet, range);
    assert_eq!((asked("23.144.1.0/23.144.1.255"), asked(range)), (1, 2));
    let looks = looks(&scene).await;
    assert_eq!(unanswered(&looks["23.144.0.0/20"]), [CUSTOMERS]);
    assert_eq!(unanswered(&looks["23.150.0.0/22"]), Vec::<String>::new());
    assert!(looks.values().all(|look| look.failed.is_none() && look.complete.is_some()));
    assert!(matches!(answers(&scene).await[ORG].standing, Standing::Found(_)));
    service.stop().await;
}

#[tokio::test]
async fn a_sync_that_cannot_ask_says_so_of_the_looks_there_are() {
    let mut scene = scene(two()).await;
    scene.sync().await;
    let before = looks(&scene).await;
    scene.keys(&[]);
    scene.sync().await;
    let rows = written(&scene).await;
    scene.sync().await;
    assert_eq!(written(&scene).await, rows, "once is enough");
    for (range, look) in looks(&scene).await {
        assert!(look.failed.as_ref().unwrap().contains("key"), "{look:?}");
        assert_eq!(look.complete, before[&range].complete);
    }
}

#[tokio::test]
async fn an_arin_that_is_away_leaves_all_looks_incomplete() {
    let scene = scene(two()).await;
    scene.sync().await;
    scene.arin.fail(Rule::new(regrws::Fault::Outage));
    assert_eq!(scene.sync().await.verdict(), Verdict::Failed);
    assert!(looks(&scene).await.values().all(|look| look.failed.is_some() && look.complete.is_some()));
}

#[tokio::test]
async fn previews_and_syncs_without_networks_leave_no_look_and_approved_plans_do() {
    let scene = scene(small()).await;
    let preview = scene.preview().await;
    let (ctx, others) = (scene.context(), BTreeSet::from([Resource::Organizations, Resource::Contacts]));
    scene.sync_as(&ctx, CONFIG, Scope::Config, &others, None).await;
    assert_eq!(scene.rows_of(schema::LOOK).await.len(), 0);
    let configs = ctx.netbox.configs().await.unwrap();
    let request = Request::of(&configs[0], &configs);
    let plan = scene.preview().await;
    assert_ne!(plan.digest, preview.digest);
    let differs = Approved { digest: preview.digest.unwrap(), rows: None };
    let run = sync::run(&ctx, &Request { approved: Some(differs), ..request.clone() }, &NoCheckpoint).await;
    assert_eq!((run.verdict(), scene.rows_of(schema::LOOK).await.len()), (Verdict::Refused, 0));
    let approved = Some(Approved { digest: plan.digest.unwrap(), rows: None });
    let run = sync::run(&ctx, &Request { approved, ..request }, &NoCheckpoint).await;
    assert_eq!(run.verdict(), Verdict::Changed);
    assert_eq!(look(&scene).await.complete, began(&run));
}

#[tokio::test]
async fn a_sync_of_networks_only_leaves_looks_and_one_of_an_aggregate_its_own() {
    let scene = scene(two()).await;
    let networks = BTreeSet::from([Resource::Networks]);
    scene.sync_as(&scene.context(), CONFIG, Scope::Config, &networks, None).await;
    let first = looks(&scene).await;
    assert_eq!(first.len(), 2);
    let run = scene.sync_as(&scene.context(), CONFIG, Scope::Config, &networks, None).await;
    assert!(looks(&scene).await.values().all(|look| look.complete == began(&run)));
    let aggregate = id(&scene, "ipam/aggregates", "23.150.0.0/22").await;
    let part = sync_part(&scene, Scope::Aggregate(aggregate)).await;
    let now = looks(&scene).await;
    assert_eq!(now["23.150.0.0/22"].complete, began(&part));
    assert_eq!(now["23.144.0.0/20"].complete, began(&run));
}

#[tokio::test]
async fn an_aggregate_that_the_config_does_not_ask_for_any_more_is_not_known() {
    let scene = scene(two()).await;
    scene.sync().await;
    let other = scene.add("ipam/rirs", json!([{ "name": "RIPE", "slug": "ripe" }])).await[0];
    let moved = id(&scene, "ipam/aggregates", "23.150.0.0/22").await;
    scene.edit("ipam/aggregates", moved.0, json!({ "rir": other })).await;
    scene.sync().await;
    let looks = looks(&scene).await;
    assert!(looks["23.150.0.0/22"].failed.as_ref().unwrap().contains("RIR"));
    assert_eq!(looks["23.144.0.0/20"].failed, None);
}

#[tokio::test]
async fn a_netbox_without_the_type_is_synced_with_a_remark() {
    let scene = scene(small()).await;
    let server = scene.netbox.server.as_ref().unwrap();
    server.fail(netbox::Rule::new(netbox::Fault::Status(404)).path("/rir-look/"));
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Changed, "{:?}", run.reason());
    assert!(run.remark.as_ref().unwrap().contains("rir-sidecar bootstrap"), "{:?}", run.remark);
    assert_eq!(scene.row_by_id(schema::CONFIG, scene.config).await["looked"], Value::Null);
}

/// Gives a row of ours a tenant, as the operator would.
async fn link(scene: &Scene, slug: &str, handle: &str) -> u64 {
    let tenant = scene.add("tenancy/tenants", json!([{ "name": handle, "slug": handle.to_lowercase() }])).await[0];
    let id = scene.row(slug, handle).await["id"].as_u64().unwrap();
    scene.edit(&custom(slug), id, json!({ "tenant": tenant })).await;
    tenant
}

fn functions(answer: &Answer) -> BTreeSet<String> {
    let Standing::Found(Recipient { functions, .. }) = &answer.standing else { panic!("{answer:?}") };
    functions.iter().map(|function| function.code().to_owned()).collect()
}

#[tokio::test]
async fn an_organization_that_is_linked_to_a_tenant_costs_one_question_a_sync() {
    let scene = listed(small()).await;
    scene.sync().await;
    let own = answers(&scene).await;
    assert_eq!(own.keys().collect::<Vec<_>>(), [ORG]);
    assert!(functions(&own[ORG]).contains("AD"));
    scene.arin.forget_requests();
    scene.sync().await;
    let spared = scene.arin.requests().total();
    assert_eq!(scene.arin.requests().count_about(Operation::Org, "SAMPLE-3"), 0);
    let tenant = link(&scene, schema::ORGANIZATION, "SAMPLE-3").await;
    for accepts in [None, Some(false), Some(false)] {
        scene.arin.registry().orgs.get_mut("SAMPLE-3").unwrap().accepts_reassignments = accepts;
        scene.arin.forget_requests();
        scene.sync().await;
        assert_eq!(scene.arin.requests().count_about(Operation::Org, "SAMPLE-3"), 1);
        assert_eq!(scene.arin.requests().total(), spared + 1);
        let answer = &answers(&scene).await["SAMPLE-3"];
        let Standing::Found(recipient) = &answer.standing else { panic!("{answer:?}") };
        assert_eq!((recipient.accepts, answer.object), (accepts, ObjectType::Organization));
        assert_eq!(functions(answer).len(), 3);
    }
    assert_eq!(scene.row(schema::ORGANIZATION, "SAMPLE-3").await["tenant"]["id"], tenant, "it stays the operator's");
    // What cannot be asked for stays, what may not be seen is told, and what nobody needs goes.
    let before = answers(&scene).await;
    scene.arin.fail(Rule::new(regrws::Fault::Status(503)).on(Operation::Org).about("SAMPLE-3"));
    scene.sync().await;
    assert_eq!(answers(&scene).await, before);
    scene.arin.heal();
    scene.arin.fail(Rule::new(regrws::Fault::Refusal(403, "E_AUTHENTICATION")).on(Operation::Org).about("SAMPLE-3"));
    scene.sync().await;
    assert_eq!(answers(&scene).await["SAMPLE-3"].standing, Standing::Denied);
    scene.arin.heal();
    let id = scene.row(schema::ORGANIZATION, "SAMPLE-3").await["id"].as_u64().unwrap();
    scene.edit(&custom(schema::ORGANIZATION), id, json!({ "tenant": null })).await;
    scene.sync().await;
    assert_eq!(answers(&scene).await.keys().collect::<Vec<_>>(), [ORG]);
}

#[tokio::test]
async fn a_customer_whose_net_is_gone_or_somebody_elses_is_asked_for_in_every_sync() {
    for scene in [scene(small()).await, listed(small()).await] {
        scene.sync().await;
        let customer = scene.rows(schema::CUSTOMER).await.into_keys().next().unwrap();
        assert!(!answers(&scene).await.contains_key(&customer));
        {
            let mut registry = scene.arin.registry();
            registry.net_mut("NET-23-144-1-0-1").unwrap().holder = Holder::Org("CARRIER-7".into());
        }
        for step in 0..3 {
            if step == 2 {
                scene.arin.registry().remove_net("NET-23-144-1-0-1").unwrap();
            }
            scene.arin.forget_requests();
            let run = scene.sync().await;
            assert_eq!(scene.arin.requests().count_about(Operation::Customer, &customer), 1, "{step}: {run:?}");
            let answer = &answers(&scene).await[&customer];
            assert_eq!((answer.left, answer.times), (true, 1), "{step}");
            assert_eq!(answer.net, NetHandle::new("NET-23-144-1-0-1"), "{step}");
        }
        let rows = written(&scene).await;
        scene.sync().await;
        assert_eq!(written(&scene).await, rows);
        scene.arin.registry().customers.remove(&customer).unwrap();
        scene.sync().await;
        assert!(!answers(&scene).await.contains_key(&customer), "it is gone as well");
    }
}

#[tokio::test]
async fn a_customer_that_a_net_names_and_arin_does_not_have_is_counted_twice_at_the_most() {
    for (recorded, listing) in [(false, false), (true, false), (false, true), (true, true)] {
        let scene = if listing { listed(small()).await } else { scene(small()).await };
        let customer = scene.arin.registry().customers.keys().next().unwrap().clone();
        if recorded {
            scene.sync().await;
        }
        let removed = scene.arin.registry().customers.remove(&customer).unwrap();
        let mut since = None;
        for times in [1, 2, 2] {
            let configs = scene.context().netbox.configs().await.unwrap();
            let full = Request { full: times == 1, ..Request::of(&configs[0], &configs) };
            scene.arin.forget_requests();
            sync::run(&scene.context(), &full, &NoCheckpoint).await;
            assert_eq!(scene.arin.requests().count_about(Operation::Customer, &customer), 1, "{recorded} {listing}");
            let answer = &answers(&scene).await[&customer];
            assert_eq!((&answer.standing, answer.times), (&Standing::Absent, times), "{recorded} {listing}");
            assert_eq!(answer.net, NetHandle::new("NET-23-144-1-0-1"));
            assert_eq!(*since.get_or_insert(answer.since), answer.since);
        }
        scene.arin.registry().customers.insert(customer.clone(), removed);
        scene.sync().await;
        assert!(!answers(&scene).await.contains_key(&customer), "{recorded} {listing}");
    }
}
