//! A world in which everything is planted that can be found, beside what must not be: what comes out is exactly that.
//!
//! `world.txt` is the world, `plot.rs` reads it, `plant.rs` makes it of a NetBox and a registry.

mod outcome;
mod plant;
mod plot;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use jiff::{SignedDuration, Timestamp};
use rir_sandbox::{
    regrws::{Fault, Operation, Rule},
    whois,
    world::PocLink,
};
use rir_sidecar::{
    config,
    findings::{Kind, Refreshed},
    model::{Resource, RowId, Scope},
    netbox::schema,
    sync::{self, NoCheckpoint, Request, SyncRun},
};
use serde_json::json;

use self::{
    outcome::{Found, choice, differences, in_state},
    plant::Planted,
    plot::{Expected, Plot},
};
use crate::scene::{CONFIG, ORG, Row, Scene, Target, custom};

/// Kinds that are no part of the world, but of what happens to it.
const ELSEWHERE: [Kind; 2] = [Kind::OrgIncomplete, Kind::NotKnown];

static PLOT: LazyLock<Plot> = LazyLock::new(Plot::read);

#[test]
fn every_kind_is_planted_at_least_twice() {
    let mut planted: BTreeMap<String, usize> = BTreeMap::new();
    for (kind, _) in PLOT.expected(&["finds", "if-voluntary"]).into_keys() {
        *planted.entry(kind).or_default() += 1;
    }
    let seldom = Kind::ALL.iter().filter(|kind| planted.get(kind.name()).is_none_or(|times| *times < 2));
    assert_eq!(seldom.copied().collect::<Vec<_>>(), ELSEWHERE);
    let unknown: BTreeSet<&String> = planted.keys().filter(|kind| Kind::from_name(kind).is_none()).collect();
    assert_eq!(unknown, BTreeSet::new());
}

/// Plants the world, and syncs as often as it takes until all that is to be found can be found: what is recorded first is
/// linked to tenants, what goes away then goes away, and what is missing has to be missing twice.
pub(crate) async fn planted(target: Target) -> Planted {
    let now = Timestamp::now();
    let scene = scene(target, now).await;
    let mut planted = Planted::new(&PLOT, scene, now).await;
    clean(&planted.scene.sync().await);
    planted.link_tenants().await;
    planted.add_requests().await;
    plant::change(&PLOT, &mut planted.scene.arin.registry());
    clean(&in_full(&planted.scene).await);
    clean(&planted.scene.sync().await);
    planted
}

/// A scene of the planted world, with settings that name what it has.
async fn scene(target: Target, now: Timestamp) -> Scene {
    let mut scene = Scene::new(target, plant::registered(&PLOT, now)).await;
    let slugs = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<String>>();
    let findings = &mut scene.settings.findings;
    findings.own_tenants = Some(slugs(&["us"]));
    findings.own_tenant_groups = Some(slugs(&["internal"]));
    findings.public_vrfs = slugs(&["internet"]);
    plant::SINCE_FIELD.clone_into(&mut findings.since_field);
    plant::LEGAL_NAME_FIELD.clone_into(&mut findings.legal_name_field);
    "announced".clone_into(&mut findings.announced_tag);
    "residential".clone_into(&mut findings.residential_tag);
    "opt-out".clone_into(&mut findings.opt_out_tag);
    "{tenant}".clone_into(&mut findings.net_name_template);
    scene.settings.sync.max_retired_share = 1.0;
    scene.settings.arin.whois_requests_per_second = 0;
    scene.settings.arin.whois_url = Some(scene.arin.whois_url().parse().unwrap());
    scene
}

/// Syncs and asks for everything: that a customer is gone shows in no listing.
async fn in_full(scene: &Scene) -> SyncRun {
    let ctx = scene.context();
    let configs = ctx.netbox.configs().await.unwrap();
    let config = configs.iter().find(|config| config.id == scene.config).unwrap();
    sync::run(&ctx, &Request { full: true, ..Request::of(config, &configs) }, &NoCheckpoint).await
}

/// Sees to it that a run has failed at nothing.
fn clean(run: &SyncRun) {
    assert_eq!(run.ended, None);
    let failures: Vec<String> = run.all_failures().into_iter().map(|failure| format!("{failure:?}")).collect();
    assert_eq!(failures, [""; 0]);
}

impl Planted {
    /// Judges everything.
    async fn judge(&self) -> Refreshed {
        self.scene.refresh_findings(&Scope::Config, self.now).await
    }

    /// What lines with these words ask for, with the requests that they name by the ids of their rows.
    fn expected(&self, words: &[&str]) -> BTreeMap<(String, String), Expected> {
        let subject = |subject: String| match subject.strip_prefix("request:") {
            Some(name) => self.link("request", Some(name)).to_string(),
            None => subject,
        };
        PLOT.expected(words).into_iter().map(|((kind, of), expected)| ((kind, subject(of)), expected)).collect()
    }

    /// Sees to it that exactly what is planted is open.
    async fn assert_exact(&self, words: &[&str], when: &str) {
        let found = in_state(&self.scene, "open").await;
        let differences = differences(&found, &self.expected(words), self.now);
        assert!(differences.is_empty(), "{when}:\n{differences}");
    }

    /// Sees to it that all that was on record is as it was, and that what is new only says that something is not known.
    async fn assert_only_not_known(&self, before: &[Row], when: &str) {
        let told = |row: &Row| {
            let field = |name: &str| row[name].get("value").unwrap_or(&row[name]).to_string();
            ["subject", "kind", "level", "state", "message", "due", "since"].map(field).join(" ")
        };
        let after = outcome::all(&self.scene).await;
        let known = |rows: &[Row]| -> BTreeMap<u64, String> {
            let known = rows.iter().filter(|row| choice(row, "kind") != "not-known");
            known.map(|row| (row["id"].as_u64().unwrap(), told(row))).collect()
        };
        let (before, now) = (known(before), known(&after));
        let changed: Vec<_> = now.iter().filter(|(id, told)| before.get(id) != Some(told)).collect();
        assert_eq!((changed, now.len()), (Vec::new(), before.len()), "{when}");
        let unknown = after.iter().filter(|row| choice(row, "kind") == "not-known" && choice(row, "state") == "open");
        assert_ne!(unknown.count(), 0, "{when}: nothing says that something is not known");
    }

    /// Syncs, however that ends, and judges.
    async fn sync_and_judge(&self) -> SyncRun {
        let run = self.scene.sync().await;
        self.judge().await;
        run
    }

    /// Mends what was made to fail. Exactly what is planted is open then.
    async fn mend(&self, when: &str) {
        self.scene.arin.heal();
        self.scene.arin.whois().heal();
        clean(&self.sync_and_judge().await);
        self.assert_exact(ALWAYS, when).await;
    }
}

const ALWAYS: &[&str] = &["finds"];

async fn the_same_world_again_writes_nothing(planted: &mut Planted) {
    let before = outcome::all(&planted.scene).await;
    clean(&planted.scene.sync().await);
    let again = planted.judge().await;
    assert_eq!((again.created, again.changed, again.resolved), (0, 0, 0));
    assert_eq!(outcome::all(&planted.scene).await, before);
}

async fn what_the_operator_said_survives(planted: &mut Planted) {
    let found = in_state(&planted.scene, "open").await;
    let row = &found[&("overdue".to_owned(), "23.144.2.0/28".to_owned())];
    let (id, said) = (row["id"].as_u64().unwrap(), json!({ "ignore": true, "note": "They move out in May." }));
    planted.scene.edit(&custom(schema::FINDING), id, said).await;
    let request = json!([{ "key": "request:of-the-operator", "summary": "Register it", "operation": "reassign-simple",
                           "state": "waiting", "range": "23.144.2.0 - 23.144.2.15", "config": planted.scene.config }]);
    let request = planted.scene.add(&custom(schema::CHANGE_REQUEST), request).await[0];
    planted.judge().await;
    let row = planted.scene.row_by_id(schema::FINDING, RowId(id)).await;
    assert_eq!(
        (choice(&row, "kind"), &row["ignore"], &row["note"]),
        ("pending", &json!(true), &json!("They move out in May."))
    );
    planted.scene.remove(&custom(schema::CHANGE_REQUEST), request).await;
    planted.judge().await;
    let row = planted.scene.row_by_id(schema::FINDING, RowId(id)).await;
    assert_eq!(
        (choice(&row, "kind"), &row["ignore"], &row["note"]),
        ("overdue", &json!(true), &json!("They move out in May."))
    );
    planted.assert_exact(ALWAYS, "after a request came and went").await;
}

async fn with_arin_away_nothing_is_told_but_that(planted: &mut Planted) {
    let before = outcome::all(&planted.scene).await;
    planted.scene.arin.fail(Rule::new(Fault::Status(503)));
    planted.scene.arin.whois().fail(whois::Rule::new(whois::Fault::Status(503)));
    planted.sync_and_judge().await;
    planted.assert_only_not_known(&before, "with ARIN away").await;
    planted.mend("after ARIN was away").await;
}

async fn with_half_of_arin_away_nothing_is_told_but_that(planted: &mut Planted) {
    let before = outcome::all(&planted.scene).await;
    for operation in [Operation::MostSpecificNet, Operation::ParentNet] {
        planted.scene.arin.fail(Rule::new(Fault::Status(503)).on(operation));
    }
    planted.scene.arin.whois().fail(whois::Rule::new(whois::Fault::Status(503)).about("23.144.0.0/16"));
    planted.sync_and_judge().await;
    planted.assert_only_not_known(&before, "with half of ARIN away").await;
    planted.mend("after half of ARIN was away").await;
}

async fn without_the_listing_what_only_it_has_is_not_known(planted: &mut Planted) {
    let unlisted = |found: Found| -> Found {
        found.into_iter().filter(|((kind, _), _)| ["not-in-netbox", "prefix-gone"].contains(&kind.as_str())).collect()
    };
    let before = unlisted(in_state(&planted.scene, "open").await);
    planted.scene.settings.arin.listing = config::Listing::Off;
    clean(&planted.sync_and_judge().await);
    let after = in_state(&planted.scene, "open").await;
    assert!(after.contains_key(&("not-known".to_owned(), CONFIG.to_owned())), "{:?}", after.keys());
    assert_eq!(unlisted(after), before);
    planted.scene.settings.arin.listing = config::Listing::Auto;
    planted.mend("with the listing again").await;
}

async fn a_key_that_may_not_see_some_costs_these_only(planted: &mut Planted) {
    planted.scene.settings.arin.listing = config::Listing::Off;
    clean(&planted.sync_and_judge().await);
    let before = outcome::all(&planted.scene).await;
    // One that is registered, one that is not, and one that has a finding about something else.
    let some = [
        "23.144.4.0/23.144.4.255",
        "NET-23-144-4-0-1",
        "23.144.2.0/23.144.2.15",
        "2600:4000:a0::/2600:4000:a1:ffff:ffff:ffff:ffff:ffff",
        "NET6-2600-4000-A0-1",
    ];
    for about in some {
        planted.scene.arin.fail(Rule::new(Fault::Refusal(403, "E_NOT_AUTHORIZED")).about(about));
    }
    planted.sync_and_judge().await;
    planted.assert_only_not_known(&before, "with a key that may not see some").await;
    let unknown = in_state(&planted.scene, "open").await.into_keys().filter(|(kind, _)| kind == "not-known");
    let unknown: BTreeSet<String> = unknown.map(|(_, subject)| subject).collect();
    let expected = ["23.144.4.0/24", "23.144.2.0/28", "2600:4000:a0::/47", CONFIG];
    assert_eq!(unknown, expected.map(str::to_owned).into());
    planted.scene.settings.arin.listing = config::Listing::Auto;
    planted.mend("after a key might not see some").await;
}

async fn what_need_not_be_registered_is_told_if_wanted(planted: &mut Planted) {
    planted.scene.settings.findings.voluntary = true;
    planted.judge().await;
    planted.assert_exact(&["finds", "if-voluntary"], "with voluntary ones").await;
    planted.scene.settings.findings.voluntary = false;
    planted.judge().await;
    planted.assert_exact(ALWAYS, "without voluntary ones").await;
}

async fn while_nobody_has_said_who_is_us_what_is_open_stays(planted: &mut Planted) {
    let (before, findings) = (in_state(&planted.scene, "open").await, planted.scene.settings.findings.clone());
    (planted.scene.settings.findings.own_tenants, planted.scene.settings.findings.own_tenant_groups) = (None, None);
    planted.judge().await;
    let after = in_state(&planted.scene, "open").await;
    let resolved: BTreeSet<_> = before.keys().filter(|key| !after.contains_key(key)).collect();
    assert_eq!(resolved, BTreeSet::new());
    // What is registered and not in NetBox is judged all the same.
    let news = after.keys().filter(|key| !before.contains_key(key) && key.0 != "not-in-netbox");
    assert_eq!(news.collect::<Vec<_>>(), [&("not-known".to_owned(), CONFIG.to_owned())]);
    planted.scene.settings.findings = findings;
    planted.judge().await;
    planted.assert_exact(ALWAYS, "with own tenants").await;
}

async fn an_organization_of_ours_that_lacks_a_contact_is_told(planted: &mut Planted) {
    let complete = planted.scene.arin.registry().orgs[ORG].pocs.clone();
    let second = PocLink { handle: "SAMPL2-ARIN".to_owned(), function: "AD".to_owned() };
    let no_abuse = complete.iter().filter(|poc| poc.function != "AB").cloned().collect();
    let two_admins = complete.iter().cloned().chain([second]).collect();
    for pocs in [no_abuse, two_admins] {
        planted.scene.arin.registry().org_mut(ORG).unwrap().pocs = pocs;
        clean(&planted.sync_and_judge().await);
        let mut expected = planted.expected(ALWAYS);
        let level = Some("alert".to_owned());
        let incomplete = Expected { why: "a contact is missing".to_owned(), level, due: None, at_least: false };
        expected.insert(("org-incomplete".to_owned(), ORG.to_owned()), incomplete);
        let found = in_state(&planted.scene, "open").await;
        assert_eq!(differences(&found, &expected, planted.now), "");
    }
    planted.scene.arin.registry().org_mut(ORG).unwrap().pocs = complete;
    planted.mend("after contacts were missing").await;
}

async fn the_sync_of_a_prefix_changes_what_it_touched_and_nothing_else(planted: &mut Planted) {
    let [touched, other] = ["23.144.1.0/29", "23.144.2.32/28"].map(|range| planted.prefix_id(range));
    let acme = planted.link("tenant", Some("acme"));
    for id in [touched, other] {
        planted.scene.edit("ipam/prefixes", id, json!({ "tenant": null })).await;
    }
    let before = in_state(&planted.scene, "open").await;
    let scope = Scope::Prefixes([RowId(touched)].into());
    let run = planted.scene.sync_as(&planted.scene.context(), CONFIG, scope.clone(), &Resource::all(), None).await;
    clean(&run);
    planted.scene.refresh_findings(&scope, planted.now).await;
    let after = in_state(&planted.scene, "open").await;
    let gone: Vec<_> = before.keys().filter(|key| !after.contains_key(key)).collect();
    assert_eq!(gone, [&("unregistered".to_owned(), "23.144.1.0/29".to_owned())]);
    assert!(after.iter().all(|(key, row)| before[key] == *row));
    for id in [touched, other] {
        planted.scene.edit("ipam/prefixes", id, json!({ "tenant": acme })).await;
    }
}

async fn the_next_day_what_was_due_is_overdue(planted: &mut Planted) {
    let last_day = ("unregistered".to_owned(), "23.144.2.48/29".to_owned());
    let before = in_state(&planted.scene, "open").await.remove(&last_day).unwrap();
    planted.scene.refresh_findings(&Scope::Config, planted.now + SignedDuration::from_hours(25)).await;
    let mut expected = planted.expected(ALWAYS);
    let mut overdue = expected.remove(&last_day).unwrap();
    overdue.level = Some("alert".to_owned());
    let key = ("overdue".to_owned(), last_day.1);
    expected.insert(key.clone(), overdue);
    let found = in_state(&planted.scene, "open").await;
    assert_eq!(differences(&found, &expected, planted.now), "");
    assert_eq!(found[&key]["id"], before["id"], "it is the same finding");
    planted.judge().await;
    planted.assert_exact(ALWAYS, "on the day before").await;
}

/// Makes a test of each flow; each begins where exactly what is planted is open, and ends there. After the last one some
/// prefixes are assigned since today.
macro_rules! on_the_sandbox {
    ($($flow:ident),* $(,)?) => {
        mod sandbox {
            use crate::scene::Target;

            $(
                #[tokio::test]
                async fn $flow() {
                    let mut planted = super::settled(Target::sandbox().await).await;
                    super::$flow(&mut planted).await;
                }
            )*
        }

        /// Does all of it one after the other, in one world.
        pub(crate) async fn all_that_happens(target: Target) {
            let mut planted = settled(target).await;
            $($flow(&mut planted).await;)*
        }
    };
}

on_the_sandbox!(
    the_same_world_again_writes_nothing,
    what_the_operator_said_survives,
    with_arin_away_nothing_is_told_but_that,
    with_half_of_arin_away_nothing_is_told_but_that,
    without_the_listing_what_only_it_has_is_not_known,
    a_key_that_may_not_see_some_costs_these_only,
    what_need_not_be_registered_is_told_if_wanted,
    the_next_day_what_was_due_is_overdue,
    an_organization_of_ours_that_lacks_a_contact_is_told,
    while_nobody_has_said_who_is_us_what_is_open_stays,
    the_sync_of_a_prefix_changes_what_it_touched_and_nothing_else,
);

/// The planted world, of which exactly that was found.
async fn settled(target: Target) -> Planted {
    let planted = planted(target).await;
    planted.judge().await;
    planted.assert_exact(ALWAYS, "at first").await;
    planted
}

#[tokio::test]
async fn what_is_planted_is_found_and_nothing_else() {
    settled(Target::sandbox().await).await;
}
