//! Whole syncs. Each runs against the in-memory NetBox, and against the real one under `lab`.

use std::{collections::BTreeSet, time::Duration};

use rir_sandbox::{
    netbox::{self, Action, Grant},
    regrws::{Fault, Lookup, Operation, Rule},
    world::{Holder, World},
};
use rir_sidecar::{
    config,
    model::{Resource, RowId, Scope},
    netbox::schema,
    sync::{SyncRun, Verdict, progress::Phase},
};
use serde_json::{Value, json};

use crate::{
    process::until,
    scene::{CONFIG, ORG, Scene, Target, aggregate, cidr, custom, exact, impatient, prefix, small},
};

const NETWORK: &str = "rir-network";
const PARENT: &str = "NET-23-144-0-0-1";
const CUSTOMERS: &str = "NET-23-144-1-0-1";
const ORGS: &str = "NET-23-144-2-0-1";

/// Makes a test of each flow on the NetBox that `$target` gives.
macro_rules! flows_on {
    ($target:expr, [$($flow:ident),* $(,)?]) => {
        $(
            #[tokio::test]
            async fn $flow() {
                crate::flow::$flow($target).await;
            }
        )*
    };
}

/// All flows.
macro_rules! flows {
    ($target:expr) => {
        crate::flow::flows_on!(
            $target,
            [
                a_first_sync_records_everything_and_a_second_writes_nothing,
                the_demo_world_converges_with_either_reading_of_look_ups,
                a_run_leaves_its_result_with_the_config_and_a_row_for_each_change,
                a_customer_without_postal_code_does_not_stop_a_run,
                a_contact_that_moves_leaves_everyone_else_where_they_are,
                a_prefix_inside_a_reassigned_net_neither_asks_nor_takes_its_link,
                a_net_that_arin_does_not_have_any_more_is_not_found,
                an_outage_is_no_absence,
                only_arins_own_words_make_an_absence,
                one_object_that_always_fails_does_not_keep_others_from_being_retired,
                what_something_just_read_names_is_in_doubt_and_keeps_its_status,
                what_is_retired_in_several_runs_adds_up_within_a_day,
                a_key_without_authority_over_one_object_costs_that_object_only,
                a_key_that_is_revoked_in_between_ends_the_run,
                answers_in_arins_place_end_the_run_after_five,
                a_wrong_key_ends_the_config_at_once,
                a_key_is_never_sent_where_it_is_not_allowed,
                a_cut_answer_costs_one_object_only,
                a_server_that_never_answers_does_not_hang_the_run,
                the_smallest_prefixes_are_asked_for_by_their_own_range,
                a_customer_of_several_nets_is_fetched_once,
                one_bad_object_does_not_lose_its_batch,
                a_link_that_fits_no_longer_is_told_and_kept,
                what_is_deleted_during_a_run_costs_the_link_and_not_the_row,
                too_many_absences_at_once_are_refused_until_allowed,
                what_belongs_to_the_operator_is_never_touched,
                an_allocation_over_two_aggregates_shows_at_both,
                a_reassignment_of_a_whole_allocation_does_not_hide_it,
                a_reallocation_that_was_reassigned_as_a_whole_is_recorded,
                somebody_elses_allocation_above_a_reassignment_is_left_alone,
                a_net_transferred_to_another_registry_is_said_to_be_there,
                links_can_be_switched_off,
                the_same_prefix_in_a_vrf_is_asked_once_and_linked_globally,
                prefixes_are_found_in_one_long_list_or_in_many_short_ones,
                two_configs_share_rows_without_a_fight,
                old_log_rows_are_pruned,
                a_preview_writes_nothing,
                one_kind_of_registration_can_be_synced_alone,
                a_single_prefix_can_be_synced,
                a_single_aggregate_can_be_synced,
                a_run_that_is_stopped_is_recorded_and_made_up_for,
                a_run_that_is_killed_is_repaired_by_the_next,
                a_user_without_a_key_is_told_so,
                unchanged_objects_are_logged_if_wanted,
                recipient_organizations_are_kept_up_to_date,
            ]
        );
    };
}
pub(crate) use {flows, flows_on};

mod sandbox {
    use crate::scene::Target;

    super::flows!(Target::sandbox().await);
    // The real NetBox cannot be told to fail; its client is tried on lost answers through a proxy, in `lab::write`.
    super::flows_on!(
        Target::sandbox().await,
        [
            a_lost_answer_to_a_bulk_write_makes_no_twins,
            a_netbox_that_goes_away_ends_the_run,
            a_token_that_is_changed_in_its_file_fails_no_run,
            a_plugin_without_bulk_writes_gets_single_rows,
        ]
    );
}

fn reference(value: &Value) -> Option<u64> {
    value["id"].as_u64()
}

fn code(value: &Value) -> &str {
    value["value"].as_str().unwrap_or_default()
}

/// Rows that were written, by what happened to them: created, updated, retired, failed.
fn tally(run: &SyncRun) -> [usize; 4] {
    run.counts().values().fold([0; 4], |[created, updated, retired, failed], counts| {
        [created + counts.created, updated + counts.updated, retired + counts.retired, failed + counts.failed]
    })
}

pub(crate) async fn a_first_sync_records_everything_and_a_second_writes_nothing(target: Target) {
    let scene = Scene::new(target, small()).await;
    let first = scene.sync().await;
    assert_eq!((first.verdict(), tally(&first)[3]), (Verdict::Changed, 0), "{:?}", first.all_failures());
    let census = scene.census().await;
    let expected = [("rir-contact", 6), ("rir-customer", 1), ("rir-network", 3), ("rir-organization", 2)];
    for (slug, rows) in expected {
        assert_eq!(census[slug], rows, "{slug}");
    }
    let networks = scene.rows(NETWORK).await;
    assert_eq!(networks[PARENT]["cidrs"], "23.144.0.0/20");
    assert_eq!(networks[PARENT]["aggregate"]["prefix"], "23.144.0.0/20");
    assert_eq!(networks[CUSTOMERS]["prefix"]["prefix"], "23.144.1.0/24");
    assert_eq!(networks[ORGS]["organization"]["display"], "SAMPLE-3");
    assert_eq!(code(&networks[ORGS]["status"]), "registered");

    let second = scene.sync().await;
    assert_eq!((second.verdict(), tally(&second)), (Verdict::Unchanged, [0; 4]));
    assert_eq!(scene.log(&second).await, ["sync - - success"], "one row sums it up");
    let after = scene.census().await;
    assert_eq!(after["rir-sync-log"], census["rir-sync-log"] + 1);
    assert_eq!(scene.rows(NETWORK).await, networks, "not even a time stamp moved");
}

pub(crate) async fn the_demo_world_converges_with_either_reading_of_look_ups(target: Target) {
    let scene = Scene::new(target, World::demo()).await;
    let covering = scene.sync().await;
    assert_eq!(covering.verdict(), Verdict::Changed, "{:?}", covering.all_failures());
    assert_eq!(scene.left_to_do().await.to_string(), "");
    let networks: BTreeSet<String> = scene.rows(NETWORK).await.into_keys().collect();
    let registry = scene.arin.registry().nets.clone();
    let given_out: BTreeSet<String> =
        registry.iter().filter(|(_, net)| net.net_type != "AR").map(|(handle, _)| handle.clone()).collect();
    assert!(networks.is_subset(&given_out), "{networks:?}");
    assert!(networks.len() >= given_out.len() - 1, "{:?}", given_out.difference(&networks));

    exact(&scene);
    let left = scene.left_to_do().await;
    assert_eq!(left.retirements(), 0, "{left}");
}

pub(crate) async fn a_run_leaves_its_result_with_the_config_and_a_row_for_each_change(target: Target) {
    let scene = Scene::new(target, small()).await;
    let run = scene.sync().await;
    let log = scene.log(&run).await;
    assert_eq!(log.iter().filter(|line| *line == "sync - - success").count(), 1, "{log:#?}");
    let rows = scene.rows_of("rir-sync-log").await;
    let created = rows.iter().filter(|row| code(&row["operation"]) == "create");
    let mut told: Vec<String> = created
        .flat_map(|row| match row["details"].as_str() {
            None => vec![format!("{} {}", code(&row["object_type"]), row["object_handle"].as_str().unwrap())],
            Some(details) => details
                .lines()
                .map(|line| format!("{} {}", code(&row["object_type"]), line.strip_prefix("- ").unwrap()))
                .collect(),
        })
        .collect();
    told.sort();
    let slugs = ["contact", "customer", "network", "organization"];
    let mut expected = Vec::new();
    for object in slugs {
        expected
            .extend(scene.rows(&format!("rir-{object}")).await.into_keys().map(|handle| format!("{object} {handle}")));
    }
    assert_eq!(told, expected, "each object is told of once");
    assert!(log.len() < 1 + expected.len(), "those of a round together: {log:#?}");
    let config = scene.context().netbox.configs().await.unwrap().remove(0);
    assert!(config.last_sync.is_some_and(|last| last >= run.started));
    scene.arin.registry().rename_net(ORGS, "RENAMED").unwrap();
    let run = scene.sync().await;
    assert_eq!(scene.log(&run).await, ["sync - - success", &format!("update network {ORGS} success")]);
    assert_eq!(scene.row(NETWORK, ORGS).await["net_name"], "RENAMED");
}

pub(crate) async fn a_customer_without_postal_code_does_not_stop_a_run(target: Target) {
    let mut world = small();
    for customer in world.registry.customers.values_mut() {
        customer.address.as_mut().unwrap().postal_code = None;
    }
    let scene = Scene::new(target, world).await;
    let run = scene.sync().await;
    assert_eq!((run.verdict(), scene.rows("rir-customer").await.len()), (Verdict::Changed, 1));
}

pub(crate) async fn a_contact_that_moves_leaves_everyone_else_where_they_are(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.sync().await;
    let shared = reference(&scene.row("rir-organization", ORG).await["address"]).unwrap();
    let before = scene.rows("rir-contact").await;
    let mover = before.iter().find(|(_, row)| reference(&row["address"]) == Some(shared)).unwrap().0.clone();
    let mut address = scene.arin.registry().orgs[ORG].address.clone().unwrap();
    address.city = Some("Elsewhere".into());
    scene.arin.registry().move_poc(&mover, address).unwrap();
    let run = scene.sync().await;
    assert_eq!(tally(&run), [1, 1, 0, 0], "a new address, and the contact points at it");
    assert_eq!(reference(&scene.row("rir-organization", ORG).await["address"]), Some(shared));
    for (handle, row) in scene.rows("rir-contact").await {
        assert_eq!(row["address"] == before[&handle]["address"], handle != mover, "{handle}");
    }
}

pub(crate) async fn a_prefix_inside_a_reassigned_net_neither_asks_nor_takes_its_link(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.sync().await;
    let asked = scene.arin.requests().count_about(Operation::MostSpecificNet, "23.144.1.0/23.144.1.63");
    assert_eq!(asked, 0);
    assert_eq!(scene.row(NETWORK, CUSTOMERS).await["prefix"]["prefix"], "23.144.1.0/24");
}

pub(crate) async fn a_net_that_arin_does_not_have_any_more_is_not_found(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.sync().await;
    scene.arin.registry().remove_net(ORGS).unwrap();
    let run = scene.sync().await;
    assert_eq!((run.verdict(), tally(&run)), (Verdict::Changed, [0, 0, 1, 0]));
    assert_eq!(code(&scene.row(NETWORK, ORGS).await["status"]), "not-found");
    assert_eq!(scene.log(&run).await, ["sync - - success", &format!("update network {ORGS} success")]);
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

pub(crate) async fn an_outage_is_no_absence(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.settings.arin.retry_count = 1;
    scene.sync().await;
    let before = scene.rows(NETWORK).await;
    for fault in [Fault::Outage, Fault::Status(503), Fault::Html404] {
        scene.arin.fail(Rule::new(fault.clone()));
        let run = scene.sync().await;
        assert!(matches!(run.verdict(), Verdict::Failed | Verdict::Partial), "{fault:?}: {:?}", run.verdict());
        assert_eq!(tally(&run)[2], 0, "{fault:?}");
        scene.arin.heal();
    }
    assert_eq!(scene.rows(NETWORK).await, before);
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged);
}

pub(crate) async fn only_arins_own_words_make_an_absence(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.sync().await;
    scene.arin.registry().remove_net(ORGS).unwrap();
    let faults = [
        Fault::Status(404),
        Fault::Html404,
        Fault::Html200,
        Fault::Garbage,
        Fault::Refusal(404, "E_BAD_REQUEST"),
        Fault::Refusal(404, "E_AUTHENTICATION"),
        Fault::Refusal(410, "E_OBJECT_NOT_FOUND"),
    ];
    for fault in faults {
        scene.arin.fail(Rule::new(fault.clone()).on(Operation::Net).about(ORGS));
        let run = scene.sync().await;
        assert_eq!((run.verdict(), tally(&run)), (Verdict::Partial, [0, 0, 0, 1]), "{fault:?}");
        assert_eq!(code(&scene.row(NETWORK, ORGS).await["status"]), "registered", "{fault:?}");
        scene.arin.heal();
    }
    assert_eq!(tally(&scene.sync().await), [0, 0, 1, 0]);
}

pub(crate) async fn one_object_that_always_fails_does_not_keep_others_from_being_retired(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.settings.arin.retry_count = 0;
    scene.sync().await;
    scene.arin.registry().remove_net(ORGS).unwrap();
    for fault in [Fault::Outage, Fault::Html200] {
        scene.arin.fail(Rule::new(fault).on(Operation::Customer));
    }
    let run = scene.sync().await;
    assert_eq!((run.verdict(), tally(&run)), (Verdict::Partial, [0, 0, 1, 1]), "{:?}", run.all_failures());
    assert_eq!(code(&scene.row(NETWORK, ORGS).await["status"]), "not-found");
}

pub(crate) async fn what_something_just_read_names_is_in_doubt_and_keeps_its_status(target: Target) {
    let mut world = small();
    let middle = world.registry.reallocate(PARENT, &[cidr("23.144.4.0/23")], holder()).unwrap();
    world.registry.reassign(&middle, &[cidr("23.144.4.0/24")], holder()).unwrap();
    prefix(&mut world, "23.144.4.0/23", None);
    prefix(&mut world, "23.144.4.0/24", None);
    let scene = Scene::new(target, world).await;
    scene.sync().await;
    let customer = scene.rows("rir-customer").await.into_keys().next().unwrap();
    {
        let mut registry = scene.arin.registry();
        registry.customers.clear();
        registry.orgs.remove("SAMPLE-3").unwrap();
        registry.nets.remove(&middle).unwrap();
    }
    let run = scene.sync().await;
    assert_eq!((run.verdict(), tally(&run)), (Verdict::Unchanged, [0; 4]), "{:?}", run.all_failures());
    let mut skipped: Vec<&str> = run.skips.iter().map(|skip| skip.handle.as_str()).collect();
    skipped.sort_unstable();
    let mut expected = [customer.as_str(), "SAMPLE-3", middle.as_str()];
    expected.sort_unstable();
    assert_eq!(skipped, expected, "each once");
}

pub(crate) async fn what_is_retired_in_several_runs_adds_up_within_a_day(target: Target) {
    let mut world = small();
    for n in 4..12 {
        let text = format!("23.144.{n}.0/24");
        world.registry.reassign(PARENT, &[cidr(&text)], holder()).unwrap();
        prefix(&mut world, &text, None);
    }
    let scene = Scene::new(target, world).await;
    scene.sync().await;
    let mut retired = Vec::new();
    for n in 4..12 {
        scene.arin.registry().remove_net(&format!("NET-23-144-{n}-0-1")).unwrap();
        let run = scene.sync().await;
        retired.push((run.verdict(), tally(&run)[2]));
    }
    // Of 20 rows: five are always allowed, and a fifth of them would be four.
    assert_eq!(retired[..5], [(Verdict::Changed, 1); 5]);
    assert_eq!(retired[5..], [(Verdict::Refused, 0); 3]);
}

pub(crate) async fn a_key_without_authority_over_one_object_costs_that_object_only(target: Target) {
    let scene = Scene::new(target, small()).await;
    let denied = |operation| Rule::new(Fault::Refusal(401, "E_AUTHENTICATION")).on(operation);
    scene.arin.fail(denied(Operation::Customer));
    let run = scene.sync().await;
    assert_eq!((run.verdict(), run.all_failures().len()), (Verdict::Partial, 1), "{:?}", run.all_failures());
    assert_eq!(scene.rows(NETWORK).await.len(), 3);
    // The first question of a run about one aggregate says nothing of the key, so it is tried.
    scene.arin.fail(denied(Operation::MostSpecificNet).about("23.144.0.0/23.144.15.255"));
    let aggregate = Scope::Aggregate(RowId(scene.ids("ipam/aggregates").await[0]));
    let ctx = scene.context();
    let run = scene.sync_as(&ctx, CONFIG, aggregate.clone(), &Resource::all(), None).await;
    assert_eq!(run.verdict(), Verdict::Partial, "{:?}", run.ended);
    scene.arin.configure(|options| options.keys.clear());
    scene.arin.forget_requests();
    let run = scene.sync_as(&ctx, CONFIG, aggregate, &Resource::all(), None).await;
    assert_eq!((run.verdict(), scene.arin.requests().total()), (Verdict::Failed, 2), "{:?}", run.ended);
    assert!(run.reason().unwrap().contains("did not accept the API key"), "{:?}", run.ended);
}

/// A world of many prefixes without a registration of their own.
fn many_prefixes() -> World {
    let mut world = small();
    for n in 0..256 {
        prefix(&mut world, &format!("23.144.{}.{}/28", n / 16, n % 16 * 16), None);
    }
    world
}

pub(crate) async fn a_key_that_is_revoked_in_between_ends_the_run(target: Target) {
    let mut scene = Scene::new(target, many_prefixes()).await;
    // What is under way already counts as failed.
    scene.settings.arin.max_in_flight = 2;
    scene.arin.configure(|options| options.latency = Duration::from_millis(20));
    let ctx = scene.context();
    let mut at = ctx.progress.watch();
    let revoked = async {
        at.wait_for(|at| at.asking.iter().any(|line| line.prefixes_done > 10)).await.map(|_| ()).unwrap();
        scene.arin.configure(|options| options.keys.clear());
    };
    let all = Resource::all();
    let (run, ()) = tokio::join!(scene.sync_as(&ctx, CONFIG, Scope::Config, &all, None), revoked);
    assert_eq!(run.verdict(), Verdict::Failed, "{:?}", run.ended);
    assert!(run.reason().unwrap().contains("did not accept the API key"), "{:?}", run.ended);
    assert!(run.all_failures().len() < 16, "{:?}", run.all_failures());
}

pub(crate) async fn answers_in_arins_place_end_the_run_after_five(target: Target) {
    let scene = Scene::new(target, many_prefixes()).await;
    for fault in [Fault::Html200, Fault::Status(404), Fault::Garbage] {
        scene.arin.forget_requests();
        scene.arin.fail(Rule::new(fault.clone()));
        let run = scene.sync().await;
        assert_eq!(run.verdict(), Verdict::Failed, "{fault:?}: {:?}", run.ended);
        assert!(run.all_failures().len() < 5, "{fault:?}: {:?}", run.all_failures());
        assert!(scene.arin.requests().total() < 20, "{fault:?}: {}", scene.arin.requests().total());
        scene.arin.heal();
    }
}

pub(crate) async fn a_wrong_key_ends_the_config_at_once(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.keys(&[(CONFIG, "ann", "API-WRON-G000-0000-0000")]);
    let run = scene.sync().await;
    assert_eq!((run.verdict(), scene.arin.requests().total()), (Verdict::Failed, 1));
    assert_eq!(scene.log(&run).await, ["sync - - error"]);
    assert!(!format!("{run:?}").contains("WRON"), "the key is nowhere");
}

pub(crate) async fn a_key_is_never_sent_where_it_is_not_allowed(target: Target) {
    let scene = Scene::new(target, small()).await;
    let elsewhere = rir_sandbox::regrws::Server::start(small().registry, Default::default()).await.unwrap();
    scene.edit(&custom("rir-config"), scene.config.0, json!({ "api_url": elsewhere.url() })).await;
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Failed);
    assert_eq!((elsewhere.requests().total(), scene.arin.requests().total()), (0, 0));
}

pub(crate) async fn a_cut_answer_costs_one_object_only(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.settings.arin.retry_count = 1;
    for fault in [Fault::TruncatedXml, Fault::CutOff] {
        scene.arin.fail(Rule::new(fault).on(Operation::Customer));
        let run = scene.sync().await;
        assert_eq!((run.verdict(), run.all_failures().len()), (Verdict::Partial, 1), "{:?}", run.all_failures());
        assert_eq!(scene.rows(NETWORK).await.len(), 3);
        scene.arin.heal();
    }
    assert_eq!(scene.sync().await.verdict(), Verdict::Changed);
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

pub(crate) async fn a_server_that_never_answers_does_not_hang_the_run(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    impatient(&mut scene);
    scene.arin.fail(Rule::new(Fault::Hang));
    let run = tokio::time::timeout(Duration::from_secs(60), scene.sync()).await.unwrap();
    assert!(matches!(run.verdict(), Verdict::Failed | Verdict::Partial));
}

pub(crate) async fn the_smallest_prefixes_are_asked_for_by_their_own_range(target: Target) {
    let mut world = small();
    aggregate(&mut world, "2600:4000::/48");
    let parent = world.registry.allocate(&[cidr("2600:4000::/48")], ORG);
    world.registry.reassign(&parent, &[cidr("2600:4000::/64")], holder()).unwrap();
    world.registry.reassign(PARENT, &[cidr("23.144.4.4/31")], holder()).unwrap();
    world.registry.reassign(PARENT, &[cidr("23.144.4.9/32")], holder()).unwrap();
    for text in ["23.144.4.4/31", "23.144.4.9/32", "2600:4000::/64", "2600:4000:0:1::7/128"] {
        prefix(&mut world, text, None);
    }
    let scene = Scene::new(target, world).await;
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Changed, "{:?}", run.all_failures());
    let networks = scene.rows(NETWORK).await;
    for (handle, cidr) in [("NET-23-144-4-4-1", "23.144.4.4/31"), ("NET-23-144-4-9-1", "23.144.4.9/32")] {
        assert_eq!(networks[handle]["prefix"]["prefix"], cidr);
        assert_eq!(networks[handle]["cidrs"], cidr);
    }
    let asked = scene.arin.requests();
    let about = |target: &str| asked.count_about(Operation::MostSpecificNet, target);
    assert_eq!(about("23.144.4.4/23.144.4.5"), 1);
    assert_eq!(about("23.144.4.9/23.144.4.9"), 1);
    assert_eq!(about("2600:4000:0:1::7/2600:4000:0:1::7"), 0, "longer than /64");
}

fn holder() -> Holder {
    Holder::Org("SAMPLE-3".into())
}

pub(crate) async fn a_customer_of_several_nets_is_fetched_once(target: Target) {
    let mut world = small();
    let customer = Holder::Customer(world.registry.customers.keys().next().unwrap().clone());
    for n in 4..8 {
        let text = format!("23.144.{n}.0/24");
        world.registry.reassign(PARENT, &[cidr(&text)], customer.clone()).unwrap();
        prefix(&mut world, &text, None);
    }
    let scene = Scene::new(target, world).await;
    scene.sync().await;
    assert_eq!(scene.arin.requests().count(Operation::Customer), 1);
    assert_eq!(scene.arin.requests().count(Operation::Org), 2);
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

pub(crate) async fn one_bad_object_does_not_lose_its_batch(target: Target) {
    let mut world = small();
    // Too long for an index of PostgreSQL, in spite of its compression: NetBox fails over the row and so over its batch.
    let mut random = fastrand::Rng::with_seed(1);
    let handle: String = std::iter::repeat_with(|| random.uppercase()).take(20_000).collect();
    let mut bad = world.registry.nets.remove(ORGS).unwrap();
    bad.handle.clone_from(&handle);
    world.registry.nets.insert(handle.clone(), bad);
    let scene = Scene::new(target, world).await;
    if let Some(server) = &scene.netbox.server {
        let fault = netbox::Fault::RefuseRow { field: "handle".into(), value: handle.clone() };
        server.fail(netbox::Rule::new(fault).path(NETWORK));
    }
    let run = scene.sync().await;
    let failures = run.all_failures();
    assert_eq!((run.verdict(), failures.len(), &failures[0].handle), (Verdict::Partial, 1, &handle));
    assert_eq!(scene.rows(NETWORK).await.into_keys().collect::<Vec<_>>(), [PARENT, CUSTOMERS]);
}

pub(crate) async fn too_many_absences_at_once_are_refused_until_allowed(target: Target) {
    let mut world = small();
    for n in 4..14 {
        let text = format!("23.144.{n}.0/24");
        world.registry.reassign(PARENT, &[cidr(&text)], holder()).unwrap();
        prefix(&mut world, &text, None);
    }
    let mut scene = Scene::new(target, world).await;
    scene.sync().await;
    for n in 4..14 {
        scene.arin.registry().remove_net(&format!("NET-23-144-{n}-0-1")).unwrap();
    }
    let run = scene.sync().await;
    assert_eq!((run.verdict(), tally(&run)[2]), (Verdict::Refused, 0));
    assert_eq!(scene.log(&run).await, ["sync - - error"]);
    scene.settings.sync.max_retired_share = 0.6;
    assert_eq!(tally(&scene.sync().await)[2], 10);
}

pub(crate) async fn what_belongs_to_the_operator_is_never_touched(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.sync().await;
    let id = scene.row(NETWORK, ORGS).await["id"].as_u64().unwrap();
    scene.edit(&custom(NETWORK), id, json!({ "auto_reassign": true, "prefix": null })).await;
    let other = scene.row(NETWORK, CUSTOMERS).await["prefix"]["id"].clone();
    scene.edit(&custom(NETWORK), id, json!({ "prefix": other })).await;
    scene.arin.registry().rename_net(ORGS, "RENAMED").unwrap();
    scene.sync().await;
    let row = scene.row(NETWORK, ORGS).await;
    assert_eq!(
        (&row["auto_reassign"], &row["prefix"]["id"], &row["net_name"]),
        (&json!(true), &other, &json!("RENAMED"))
    );
}

pub(crate) async fn a_link_that_fits_no_longer_is_told_and_kept(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.sync().await;
    let linked = scene.row(NETWORK, ORGS).await["prefix"]["id"].as_u64().unwrap();
    assert_eq!(scene.sync().await.skips, []);
    scene.edit("ipam/prefixes", linked, json!({ "prefix": "23.144.2.0/25" })).await;
    let run = scene.sync().await;
    assert_eq!(scene.log(&run).await, ["sync - - success".to_owned(), format!("sync network {ORGS} skipped")]);
    let why = "it is linked to the prefix 23.144.2.0/25, which does not fit its range 23.144.2.0 - 23.144.2.255; correct the link";
    assert_eq!(run.skips.iter().map(|skip| skip.message.as_str()).collect::<Vec<_>>(), [why]);
    assert_eq!(scene.row(NETWORK, ORGS).await["prefix"]["id"], linked);
}

/// A world in which two aggregates have half of the allocation each.
fn halves() -> World {
    let mut world = small();
    world.ipam.aggregates.clear();
    aggregate(&mut world, "23.144.0.0/21");
    aggregate(&mut world, "23.144.8.0/21");
    world
}

pub(crate) async fn what_is_deleted_during_a_run_costs_the_link_and_not_the_row(target: Target) {
    let scene = Scene::new(target, halves()).await;
    exact(&scene);
    // ARIN is asked after NetBox was read, and so slowly that there is time to delete before anything is written.
    scene.arin.configure(|options| options.latency = Duration::from_millis(500));
    let deleting = async {
        while scene.arin.requests().0.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for (path, range) in [
            ("ipam/aggregates", "23.144.0.0/21"),
            ("ipam/aggregates", "23.144.8.0/21"),
            ("ipam/prefixes", "23.144.2.0/24"),
        ] {
            let row = scene.list(path, "limit=1000").await.into_iter().find(|row| row["prefix"] == range).unwrap();
            scene.remove(path, row["id"].as_u64().unwrap()).await;
        }
    };
    let (run, ()) = tokio::join!(scene.sync(), deleting);
    assert_eq!((run.verdict(), run.all_failures()), (Verdict::Changed, vec![]));
    let networks = scene.rows(NETWORK).await;
    assert_eq!(networks.len(), 3);
    for handle in [PARENT, ORGS] {
        let row = &networks[handle];
        assert_eq!((&row["aggregate"], &row["prefix"]), (&Value::Null, &Value::Null), "{handle}");
        assert!(row["covered_aggregates"].as_array().is_none_or(Vec::is_empty), "{handle}: {row:?}");
        assert!(!row["digest"].is_null(), "{handle}");
    }
    let kept = networks.values().filter(|row| row["prefix"]["prefix"] == "23.144.1.0/24").count();
    assert_eq!(kept, 1, "a row beside them keeps its link");
}

pub(crate) async fn an_allocation_over_two_aggregates_shows_at_both(target: Target) {
    let scene = Scene::new(target, halves()).await;
    // Where only registered ranges are answered for, neither aggregate has a net of its own.
    exact(&scene);
    scene.sync().await;
    let row = scene.row(NETWORK, PARENT).await;
    assert_eq!(row["aggregate"]["prefix"], "23.144.0.0/21");
    let covered: Vec<&Value> =
        row["covered_aggregates"].as_array().unwrap().iter().map(|aggregate| &aggregate["prefix"]).collect();
    assert_eq!(covered, ["23.144.8.0/21"]);
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged);
    scene.arin.configure(|options| options.lookup = Lookup::Covering);
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged, "the other reading says the same");
}

pub(crate) async fn a_reassignment_of_a_whole_allocation_does_not_hide_it(target: Target) {
    let mut world = small();
    aggregate(&mut world, "23.150.0.0/22");
    aggregate(&mut world, "23.151.0.0/23");
    let own = world.registry.allocate(&[cidr("23.150.0.0/22")], ORG);
    let resold = world.registry.reallocate(&own, &[cidr("23.150.0.0/22")], holder()).unwrap();
    let customer = Holder::Customer(world.registry.customers.keys().next().unwrap().clone());
    let used = world.registry.reassign(&resold, &[cidr("23.150.0.0/22")], customer.clone()).unwrap();
    // This aggregate is half of an allocation, and all of a net that was cut from it.
    let larger = world.registry.allocate(&[cidr("23.151.0.0/22")], ORG);
    let half = world.registry.reassign(&larger, &[cidr("23.151.0.0/23")], customer).unwrap();
    let scene = Scene::new(target, world).await;
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Changed, "{:?}", run.all_failures());
    let networks = scene.rows(NETWORK).await;
    for (handle, range) in
        [(&own, "23.150.0.0/22"), (&resold, "23.150.0.0/22"), (&used, "23.150.0.0/22"), (&larger, "23.151.0.0/23")]
    {
        assert_eq!(networks[handle]["aggregate"]["prefix"], range, "{handle}");
    }
    assert_eq!(networks[&half]["aggregate"]["prefix"], "23.151.0.0/23");
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged);
    exact(&scene);
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

pub(crate) async fn a_reallocation_that_was_reassigned_as_a_whole_is_recorded(target: Target) {
    let mut world = small();
    let resold = world.registry.reallocate(PARENT, &[cidr("23.144.4.0/24")], holder()).unwrap();
    world.registry.reassign(&resold, &[cidr("23.144.4.0/24")], holder()).unwrap();
    prefix(&mut world, "23.144.4.0/24", None);
    let scene = Scene::new(target, world).await;
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Changed, "{:?}", run.all_failures());
    assert_eq!(scene.row(NETWORK, &resold).await["prefix"]["prefix"], "23.144.4.0/24");
    assert_eq!(scene.arin.requests().count(Operation::Net), 1, "only the one that is hidden");
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged);
}

pub(crate) async fn somebody_elses_allocation_above_a_reassignment_is_left_alone(target: Target) {
    let mut world = small();
    aggregate(&mut world, "23.150.0.0/22");
    let carrier = world.registry.allocate(&[cidr("23.150.0.0/20")], "CARRIER-7");
    let used = world.registry.reassign(&carrier, &[cidr("23.150.0.0/22")], holder()).unwrap();
    let scene = Scene::new(target, world).await;
    for fault in [None, Some(Fault::Refusal(403, "E_NOT_AUTHORIZED")), Some(Fault::Refusal(401, "E_AUTHENTICATION"))] {
        if let Some(fault) = fault.clone() {
            scene.arin.fail(Rule::new(fault).on(Operation::Net).about(&carrier));
        }
        let run = scene.sync().await;
        assert!(run.verdict().is_success(), "{fault:?}: {:?}", run.all_failures());
        let networks = scene.rows(NETWORK).await;
        assert!(networks.contains_key(&used) && !networks.contains_key(&carrier), "{fault:?}");
        assert!(!scene.rows("rir-organization").await.contains_key("CARRIER-7"), "{fault:?}");
        scene.arin.heal();
    }
}

pub(crate) async fn a_net_transferred_to_another_registry_is_said_to_be_there(target: Target) {
    let mut world = small();
    aggregate(&mut world, "23.150.0.0/22");
    let whole = world.registry.allocate(&[cidr("23.150.0.0/22")], ORG);
    let scene = Scene::new(target, world).await;
    scene.sync().await;
    {
        let mut registry = scene.arin.registry();
        let ripe = rir_sandbox::world::Org { handle: "RIPE".into(), ..registry.orgs["CARRIER-7"].clone() };
        registry.orgs.insert("RIPE".into(), ripe);
        for (handle, code) in [(whole.as_str(), "RX"), (ORGS, "RN")] {
            let net = registry.nets.get_mut(handle).unwrap();
            (net.net_type, net.holder) = (code.into(), Holder::Org("RIPE".into()));
        }
    }
    let run = scene.sync().await;
    assert_eq!((run.verdict(), tally(&run)), (Verdict::Changed, [0, 2, 0, 0]), "{:?}", run.all_failures());
    assert!(!scene.rows("rir-organization").await.contains_key("RIPE"));
    let networks = scene.rows(NETWORK).await;
    for (handle, code) in [(whole.as_str(), "RX"), (ORGS, "RN")] {
        assert_eq!((&networks[handle]["net_type"], &networks[handle]["organization"]), (&json!(code), &Value::Null));
    }
    let told: Vec<(&str, &str)> =
        run.skips.iter().map(|skip| (skip.handle.as_str(), skip.message.get(..20).unwrap())).collect();
    assert!(told.iter().all(|(_, why)| why.starts_with("RIPE NCC has")), "{told:?}");
    let mut about: Vec<&str> = told.iter().map(|(handle, _)| *handle).collect();
    about.sort_unstable();
    assert_eq!(about, ["23.150.0.0/22", ORGS, whole.as_str()], "each once");
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged);
}

pub(crate) async fn links_can_be_switched_off(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.settings.sync.auto_link_networks = false;
    scene.sync().await;
    for (handle, row) in scene.rows(NETWORK).await {
        assert_eq!((&row["aggregate"], &row["prefix"]), (&Value::Null, &Value::Null), "{handle}");
    }
}

pub(crate) async fn prefixes_are_found_in_one_long_list_or_in_many_short_ones(target: Target) {
    let mut scene = Scene::new(target, World::demo()).await;
    let rir = RowId(scene.ids("ipam/rirs").await[0]);
    let (mut found, mut requests) = (Vec::new(), Vec::new());
    // With small pages the list of all prefixes is too long, and each aggregate's is read instead.
    for page_size in [1000, 10] {
        scene.settings.netbox.page_size = page_size;
        let netbox = scene.context().netbox;
        found.push(netbox.aggregates_and_prefixes(rir, &Scope::Config).await.unwrap());
        requests.push(netbox.requests());
    }
    assert!(found[0] == found[1] && found[0].1.len() > 100);
    assert!(requests[0] == 2 && requests[1] > 10, "{requests:?}");
}

pub(crate) async fn the_same_prefix_in_a_vrf_is_asked_once_and_linked_globally(target: Target) {
    let mut world = small();
    world
        .ipam
        .prefixes
        .insert(0, rir_sandbox::world::Prefix { prefix: cidr("23.144.2.0/24"), vrf: Some("red".into()) });
    prefix(&mut world, "23.144.4.0/24", Some("red"));
    world.registry.reassign(PARENT, &[cidr("23.144.4.0/24")], holder()).unwrap();
    let scene = Scene::new(target, world).await;
    scene.sync().await;
    let asked = scene.arin.requests().count_about(Operation::MostSpecificNet, "23.144.2.0/23.144.2.255");
    assert_eq!(asked, 1);
    let networks = scene.rows(NETWORK).await;
    let vrf_of = |handle: &str| networks[handle]["prefix"]["id"].clone();
    let prefixes = prefixes(&scene).await;
    assert_eq!(prefixes[&vrf_of(ORGS).as_u64().unwrap()], Value::Null);
    assert_ne!(prefixes[&vrf_of("NET-23-144-4-0-1").as_u64().unwrap()], Value::Null, "only a VRF has it");
}

/// The VRF of each prefix by its id.
async fn prefixes(scene: &Scene) -> std::collections::BTreeMap<u64, Value> {
    let ctx = scene.context();
    let rows = ctx.netbox.list("/api/ipam/prefixes/", &[("fields", "id,vrf")]).await.unwrap();
    rows.into_iter().map(|row| (row["id"].as_u64().unwrap(), row["vrf"].clone())).collect()
}

pub(crate) async fn two_configs_share_rows_without_a_fight(target: Target) {
    let mut world = small();
    let shared = world.registry.orgs[ORG].pocs[0].clone();
    world.registry.orgs.get_mut("SAMPLE-3").unwrap().pocs.push(shared);
    let mut scene = Scene::new(target, world).await;
    let rir = scene.context().netbox.configs().await.unwrap()[0].rir.unwrap();
    scene.add_config("other", "SAMPLE-3", rir.0).await;
    scene.keys(&[(CONFIG, "ann", rir_sandbox::regrws::KEY), ("other", "ann", rir_sandbox::regrws::KEY)]);
    let mut verdicts = Vec::new();
    for name in [CONFIG, "other", CONFIG, "other", CONFIG, "other"] {
        verdicts.push(scene.sync_as(&scene.context(), name, Scope::Config, &Resource::all(), None).await.verdict());
    }
    assert_eq!(verdicts[4..], [Verdict::Unchanged; 2], "{verdicts:?}");
    assert_eq!(scene.row(NETWORK, ORGS).await["config"]["display"], "other");
    assert_eq!(scene.row(NETWORK, PARENT).await["config"]["display"], CONFIG);
}

pub(crate) async fn old_log_rows_are_pruned(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.sync().await;
    assert!(scene.census().await["rir-sync-log"] > 3);
    // NetBox tells the time in whole seconds.
    tokio::time::sleep(Duration::from_millis(2200)).await;
    scene.settings.sync.log_retention = Duration::from_secs(1);
    let run = scene.sync().await;
    assert_eq!(scene.census().await["rir-sync-log"], 1, "its own");
    assert_eq!(scene.log(&run).await.len(), 1);
}

pub(crate) async fn a_preview_writes_nothing(target: Target) {
    let scene = Scene::new(target, small()).await;
    let before = scene.census().await;
    let preview = scene.preview().await;
    assert!(preview.plan.changes.len() > 12);
    assert_eq!(scene.census().await, before);
    let config = scene.context().netbox.configs().await.unwrap().remove(0);
    assert_eq!(config.last_sync, None);
}

pub(crate) async fn one_kind_of_registration_can_be_synced_alone(target: Target) {
    let scene = Scene::new(target, small()).await;
    let only = |resource| BTreeSet::from([resource]);
    let ctx = scene.context();
    scene.sync_as(&ctx, CONFIG, Scope::Config, &only(Resource::Organizations), None).await;
    let census = scene.census().await;
    assert_eq!(["rir-organization", "rir-contact", "rir-network"].map(|slug| census[slug]), [1, 0, 0]);
    scene.sync_as(&ctx, CONFIG, Scope::Config, &only(Resource::Contacts), None).await;
    let census = scene.census().await;
    assert_eq!(["rir-organization", "rir-contact", "rir-network"].map(|slug| census[slug]), [1, 6, 0]);
    scene.sync_as(&ctx, CONFIG, Scope::Config, &only(Resource::Networks), None).await;
    let census = scene.census().await;
    assert_eq!(["rir-organization", "rir-contact", "rir-network"].map(|slug| census[slug]), [2, 6, 3]);
}

pub(crate) async fn a_single_prefix_can_be_synced(target: Target) {
    let mut world = small();
    aggregate(&mut world, "10.0.0.0/8");
    prefix(&mut world, "10.1.0.0/16", None);
    let scene = Scene::new(target, world).await;
    let ctx = scene.context();
    let rows = ctx.netbox.list("/api/ipam/prefixes/", &[("fields", "id,prefix")]).await.unwrap();
    let id = |text: &str| RowId(rows.iter().find(|row| row["prefix"] == text).unwrap()["id"].as_u64().unwrap());
    let run = scene
        .sync_as(&ctx, CONFIG, Scope::Prefixes(BTreeSet::from([id("23.144.2.0/24")])), &Resource::all(), None)
        .await;
    assert_eq!(run.verdict(), Verdict::Changed, "{:?}", run.all_failures());
    assert_eq!(scene.row(NETWORK, ORGS).await["prefix"]["prefix"], "23.144.2.0/24");
    assert!(!scene.rows(NETWORK).await.contains_key(CUSTOMERS));
    // Only what is around and inside it is read, and not the rest of the aggregate.
    let rir = ctx.netbox.rir_of_prefix(id("23.144.1.0/26")).await.unwrap().unwrap();
    let alone = Scope::Prefixes(BTreeSet::from([id("23.144.1.0/26")]));
    let (_, read) = ctx.netbox.aggregates_and_prefixes(rir, &alone).await.unwrap();
    assert_eq!(read.iter().map(|row| row.prefix).collect::<Vec<_>>(), ["23.144.1.0/24", "23.144.1.0/26"].map(cidr));
    // One without a registration, one inside a reassigned net that has been asked for, one that nobody can register.
    let others = ["23.144.3.0/24", "23.144.1.0/24", "23.144.1.0/26", "10.1.0.0/16"].map(id);
    let run = scene.sync_as(&ctx, CONFIG, Scope::Prefixes(others.into()), &Resource::all(), None).await;
    let skipped = ["10.1.0.0/16", "23.144.1.0/26", "23.144.3.0/24"];
    let log: Vec<_> = scene.log(&run).await.into_iter().filter(|line| line.contains("skipped")).collect();
    assert_eq!(log, skipped.map(|range| format!("sync network {range} skipped")));
}

pub(crate) async fn a_single_aggregate_can_be_synced(target: Target) {
    let mut world = small();
    aggregate(&mut world, "23.150.0.0/22");
    aggregate(&mut world, "10.0.0.0/8");
    let other = world.registry.allocate(&[cidr("23.150.0.0/22")], ORG);
    let scene = Scene::new(target, world).await;
    let ctx = scene.context();
    let rows = ctx.netbox.list("/api/ipam/aggregates/", &[("fields", "id,prefix")]).await.unwrap();
    let id = rows.iter().find(|row| row["prefix"] == "23.144.0.0/20").unwrap()["id"].as_u64().unwrap();
    let run = scene.sync_as(&ctx, CONFIG, Scope::Aggregate(RowId(id)), &Resource::all(), None).await;
    assert_eq!(run.verdict(), Verdict::Changed, "{:?}", run.all_failures());
    let networks: Vec<String> = scene.rows(NETWORK).await.into_keys().collect();
    assert_eq!(networks, [PARENT, CUSTOMERS, ORGS], "not {other}");
    assert_eq!(scene.census().await["rir-contact"], 0);
    // That prefixes inside have no registration of their own is nothing to tell; that the aggregate has none is.
    assert_eq!(run.skips, []);
    let id = rows.iter().find(|row| row["prefix"] == "10.0.0.0/8").unwrap()["id"].as_u64().unwrap();
    let run = scene.sync_as(&ctx, CONFIG, Scope::Aggregate(RowId(id)), &Resource::all(), None).await;
    assert_eq!(scene.log(&run).await, ["sync - - success", "sync network 10.0.0.0/8 skipped"]);
}

pub(crate) async fn a_run_that_is_stopped_is_recorded_and_made_up_for(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.arin.configure(|options| options.latency = Duration::from_millis(300));
    let ctx = scene.context();
    let stop = ctx.stop.clone();
    let mut at = ctx.progress.watch();
    tokio::spawn(async move {
        at.wait_for(|at| at.phase == Phase::Networks).await.map(|_| ()).unwrap();
        stop.cancel();
    });
    let run = scene.sync_as(&ctx, CONFIG, Scope::Config, &Resource::all(), None).await;
    assert_eq!(run.verdict(), Verdict::Interrupted);
    assert!(scene.log(&run).await.contains(&"sync - - skipped".to_owned()));
    assert_eq!(run.all_failures(), []);
    scene.arin.configure(|options| options.latency = Duration::ZERO);
    assert_eq!(scene.sync().await.verdict(), Verdict::Changed);
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

pub(crate) async fn a_run_that_is_killed_is_repaired_by_the_next(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.arin.configure(|options| options.latency = Duration::from_millis(5));
    for moment in [30, 60, 120, 240, 480] {
        // Dropped in the middle of whatever it does, as by SIGKILL.
        drop(tokio::time::timeout(Duration::from_millis(moment), scene.sync()).await);
    }
    let run = scene.sync().await;
    assert!(matches!(run.verdict(), Verdict::Changed | Verdict::Unchanged), "{:?}", run.all_failures());
    assert_eq!(scene.left_to_do().await.to_string(), "");
    let census = scene.census().await;
    let expected = [("rir-contact", 6), ("rir-customer", 1), ("rir-network", 3), ("rir-organization", 2)];
    assert_eq!(expected.map(|(slug, _)| census[slug]), expected.map(|(_, rows)| rows));
}

pub(crate) async fn a_user_without_a_key_is_told_so(target: Target) {
    let scene = Scene::new(target, small()).await;
    let ctx = scene.context();
    let run = scene.sync_as(&ctx, CONFIG, Scope::Config, &Resource::all(), Some("bob")).await;
    assert_eq!((run.verdict(), scene.arin.requests().total()), (Verdict::Failed, 0));
    let run = scene.sync_as(&ctx, CONFIG, Scope::Config, &Resource::all(), Some("ann")).await;
    assert_eq!((run.verdict(), run.user.as_deref()), (Verdict::Changed, Some("ann")));
}

pub(crate) async fn unchanged_objects_are_logged_if_wanted(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.sync().await;
    scene.settings.sync.sync_log = rir_sidecar::config::SyncLog::All;
    let run = scene.sync().await;
    assert_eq!(run.verdict(), Verdict::Unchanged);
    let log = scene.log(&run).await;
    assert_eq!(log.len(), 1 + 6 + 1 + 3 + 2, "{log:#?}");
    assert!(log.contains(&format!("sync network {ORGS} success")), "{log:#?}");
}

pub(crate) async fn recipient_organizations_are_kept_up_to_date(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    scene.settings.sync.recipient_orgs = vec!["reseller-5".into()];
    scene.sync().await;
    let organizations: Vec<String> = scene.rows("rir-organization").await.into_keys().collect();
    assert_eq!(organizations, [ORG, "RESELLER-5", "SAMPLE-3"]);
}

async fn a_lost_answer_to_a_bulk_write_makes_no_twins(target: Target) {
    let scene = Scene::new(target, small()).await;
    let server = scene.netbox.server.as_ref().unwrap();
    for slug in ["rir-contact", NETWORK, "rir-sync-log"] {
        server.fail(netbox::Rule::new(netbox::Fault::LoseAnswer).method("POST").path(slug).times(1));
    }
    let run = scene.sync().await;
    assert_eq!((run.verdict(), run.all_failures()), (Verdict::Changed, vec![]));
    let census = scene.census().await;
    assert_eq!(["rir-contact", NETWORK].map(|slug| census[slug]), [6, 3]);
    let log = scene.rows_of("rir-sync-log").await;
    let told: Vec<&str> = log.iter().filter_map(|row| row["details"].as_str()).flat_map(str::lines).collect();
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len(), "{told:?}");
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

async fn a_netbox_that_goes_away_ends_the_run(target: Target) {
    let scene = Scene::new(target, World::demo()).await;
    let server = scene.netbox.server.as_ref().unwrap();
    server.fail(netbox::Rule::new(netbox::Fault::Status(503)).method("POST").path(NETWORK));
    let run = tokio::time::timeout(Duration::from_secs(60), scene.sync()).await.unwrap();
    assert_eq!(run.verdict(), Verdict::Failed, "{:?}", run.ended);
    server.heal();
    assert_eq!(scene.sync().await.verdict(), Verdict::Changed);
    assert_eq!(scene.left_to_do().await.to_string(), "");
}

async fn a_plugin_without_bulk_writes_gets_single_rows(target: Target) {
    let scene = Scene::new(target, small()).await;
    scene.netbox.server.as_ref().unwrap().configure(|options| options.bulk = false);
    let run = scene.sync().await;
    assert_eq!((run.verdict(), run.all_failures()), (Verdict::Changed, vec![]));
    assert_eq!(scene.sync().await.verdict(), Verdict::Unchanged);
}

async fn a_token_that_is_changed_in_its_file_fails_no_run(target: Target) {
    let mut scene = Scene::new(target, small()).await;
    let all = [Action::View, Action::Add, Action::Change, Action::Delete];
    let lists = ["ipam/aggregates", "ipam/prefixes"].map(str::to_owned).into_iter();
    let grants: Vec<Grant> = lists.chain(schema::TYPES.map(custom)).map(|list| Grant::new(&list, &all)).collect();
    let server = scene.netbox.server.as_ref().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), server.add_user("first", grants.clone())).unwrap();
    let set = [("NETBOX__URL", scene.netbox.url.as_str()), ("NETBOX__TOKEN_FILE", file.path().to_str().unwrap())];
    let set = set.map(|(name, value)| (format!("RIR_SIDECAR__{name}"), value.to_owned()));
    scene.settings.netbox = config::load_from(None, &set.into()).unwrap().netbox;
    scene.arin.configure(|options| options.latency = Duration::from_millis(20));
    let change = async {
        until("the run is under way", async || scene.arin.requests().total() > 3).await;
        std::fs::write(file.path(), server.add_user("second", grants)).unwrap();
        assert!(server.remove_user("first"));
    };
    let (run, ()) = tokio::join!(scene.sync(), change);
    assert_eq!((run.verdict(), run.all_failures()), (Verdict::Changed, vec![]), "{:?}", run.ended);
}
